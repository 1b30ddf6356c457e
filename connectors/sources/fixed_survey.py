"""What is true of a whole fixed file before its first row is read: how many records of each type, and its totals.

Records are found and counted by another way than `fixed_parse` reads them: line by line, with the tools of Python.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from operator import itemgetter

from casemodel import SystemFailure
from connectors.sources.file_bytes import MAX_RECORD, Bytes, blocks, check_unchanged, line_ends, raw_blocks, too_large
from connectors.sources.fixed_layout import FixedField, Layout, RecordType, Total

UNKNOWN = "\x01"
"""Stands for the code of records whose type is none that is declared."""
_MARK, _MOST_MARKS = b"\x1a", 4096
"""Programs filled a block of 128 bytes with it at most; more of them are content."""
_SUSPECT_SHARE, _SUSPECT_LINES = 0.05, 3
_NEGATIVE = dict(zip("}JKLMNOPQR", range(10), strict=True))
_POSITIVE = dict(zip("{ABCDEFGHI", range(10), strict=True))
_Line = bytes | str


@dataclass(slots=True)
class FileSurvey:
    """A file that was read through once.

    Args:
        counts: records by the code of their type (`UNKNOWN` among them); types that are skipped are not in it.
        lengths: how many records have which wrong length.
        undecodable: records whose bytes do not fit the encoding.
        amounts: per type and field the texts of what is summed, and how often each occurs.
        first, last: the first and last record.
    """

    digest: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    undecodable: int = 0
    amounts: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    first: _Line | None = None
    last: _Line = b""

    @property
    def records(self) -> int:
        """The number of records of all types that are not skipped."""
        return self.counts.total()


def survey_file(source: Bytes, layout: Layout) -> FileSurvey:
    """Read a file through once.

    Raises:
        SystemFailure: CON-010 to CON-012, CON-018, CON-035, CON-037, CON-039 to CON-041, CON-160 to CON-162 (exit 5).
    """
    found = FileSurvey()
    digest = hashlib.sha256()
    reader = _Reader(source, layout, found)
    own = _hashed(source, digest)
    if source.wide:
        for _ in own:
            pass
        own = blocks(source)
    for block in _without_mark(own):
        reader.feed(block)
    reader.finish()
    check_unchanged(source)
    found.digest = digest.hexdigest()
    _check(source, layout, found)
    return found


def _hashed(source: Bytes, digest: hashlib._Hash) -> Iterator[bytes]:
    """Yield the text bytes of a file that are its own, and feed all its bytes to a digest."""
    skipped = source.skip
    for block in raw_blocks(source):
        digest.update(block)
        yield block[skipped:]
        skipped = max(skipped - len(block), 0)


def text_blocks(source: Bytes) -> Iterator[bytes]:
    """Yield the text bytes of a file, without the marks at its end with which DOS ended a text."""
    return _without_mark(blocks(source))


def _without_mark(found: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for block in found:
        block = held + block
        kept = block.rstrip(_MARK)
        if len(block) - len(kept) > _MOST_MARKS:
            kept = block
        held = block[len(kept) :]
        if kept:
            yield kept


class _Reader:
    """Counts the records of what is fed to it."""

    def __init__(self, source: Bytes, layout: Layout, found: FileSurvey) -> None:
        self._source, self._layout, self._found = source, layout, found
        self._characters = layout.reading_of(source.name).characters
        self._rest = b""
        self._done = 0
        kept = layout.type_field
        self._summed = sorted(
            {(code, name) for each in layout.types for total in each.totals for code, name in total.of if name}
        )
        fields = [layout.by_code(code).field(name) for code, name in self._summed]
        slices = [_slice(each) for each in fields]
        # Two items at least, so that what is got is a tuple.
        self._get = itemgetter(_slice(kept) if kept else slice(0, 0), slice(0, 0), *slices)
        self._form, self._needed = _form([*([kept] if kept else []), *fields]) if kept else (None, 0)
        self._codes = {each.code: each for each in layout.types}
        for total in self._summed:
            found.amounts[total] = Counter()

    def _even(self, data: bytes) -> int:
        """Count the records of a buffer all of whose lines have one length and CR LF; return how many bytes they take.

        Only what decides of a record is taken out of it: its type, and what is summed.
        """
        length = data.find(b"\r\n") + 2
        rows = len(data) // length if length > 2 else 0
        used = data[: rows * length]
        ends = (used[length - 1 :: length].count(b"\n"), used.count(b"\n"), used[length - 2 :: length].count(b"\r"))
        if self._form is None or set(ends) != {rows} or used.count(b"\r") != rows or self._needed + 2 > length:
            return 0
        if self._characters and not used.isascii():
            return 0
        encoding = self._source.text_encoding
        if not _decodes(used, encoding):
            return 0
        form = struct.Struct(f"{self._form}{length - self._needed}x")
        for (kind, *amounts), times in Counter(form.iter_unpack(used)).items():
            told = [text_of(each, encoding) for each in amounts]
            self._book(length - 2, text_of(kind, encoding), told, times)
        self._done += rows
        self._found.first = used[: length - 2] if self._found.first is None else self._found.first
        self._found.last = used[-length:-2]
        return rows * length

    def feed(self, block: bytes) -> None:
        data = self._rest + block
        if self._layout.lines:
            data = data[self._even(data) :]
            cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
            if len(data) - cut > MAX_RECORD:
                raise too_large(self._source, 1 + self._done + line_ends(data[:cut]))
            lines = [line for line in data[:cut].splitlines() if line]
        else:
            length = self._layout.types[0].length
            cut = len(data) // length * length
            lines = [data[at : at + length] for at in range(0, cut, length)]
        self._rest = data[cut:]
        self._count(lines, data[:cut])

    def finish(self) -> None:
        last = self._rest.splitlines() if self._layout.lines else [self._rest]
        self._count([line for line in last if line], self._rest)
        self._rest = b""

    def _count(self, lines: list[bytes], data: bytes) -> None:
        if not data:
            return
        self._done += len(lines)
        encoding = self._source.text_encoding
        read: list[_Line] = list(lines)
        if not data.isascii():
            if not _decodes(data, encoding):
                self._found.undecodable += sum(not _decodes(line, encoding) for line in lines)
            if self._characters:
                read = [line.decode(encoding, "replace") for line in lines]
        if not read:
            return
        if self._found.first is None:
            self._found.first = read[0]
        self._found.last = read[-1]
        keys: Iterable[tuple[int, tuple[_Line, ...]]] = zip(map(len, read), map(self._get, read), strict=True)
        for (length, (kind, _, *amounts)), times in Counter(keys).items():
            self._book(length, text_of(kind, encoding), [text_of(each, encoding) for each in amounts], times)

    def _book(self, length: int, kind: str, amounts: list[str], times: int) -> None:
        code = code_of(kind, self._layout)
        if code in self._layout.skipped:
            return
        self._found.counts[code] += times
        if code == UNKNOWN:
            return
        asked = self._codes[code].length
        if length > asked or (length < asked and not self._layout.fill):
            self._found.lengths[length] += times
            return
        for total, amount in zip(self._summed, amounts, strict=True):
            if total[0] == code:
                self._found.amounts[total][amount] += times


def code_of(kind: str, layout: Layout) -> str:
    """Return the code of a record type by the text of its type field, or `UNKNOWN`."""
    if layout.type_field is None:
        return layout.types[0].code
    kind = kind.rstrip(" ")
    known = kind in layout.skipped or kind in {each.code for each in layout.types}
    return kind if known else UNKNOWN


def text_of(line: _Line, encoding: str) -> str:
    """Return a text, whatever its bytes."""
    return line if isinstance(line, str) else line.decode(encoding, "replace")


def number_of(text: str, kind: FixedField) -> Decimal | None:
    """Return the number that a field holds (0 when it is blank), or None when it holds none."""
    text = text.strip(" ")
    if not text:
        return Decimal(0)
    negative = False
    if kind.sign == "overpunch":
        last = text[-1]
        negative = last in _NEGATIVE
        text = text[:-1] + str(_NEGATIVE.get(last, _POSITIVE.get(last, last)))
    elif kind.sign == "trailing" and text[-1] in "+-":
        negative, text = text[-1] == "-", text[:-1]
    elif kind.sign == "leading" and text[0] in "+-":
        negative, text = text[0] == "-", text[1:].lstrip(" ")
    if not re.fullmatch("[0-9]+", text):
        return None
    number = Decimal(text).scaleb(-kind.decimals)
    return -number if negative else number


@cache
def _is_full(encoding: str) -> bool:
    """Tell whether every byte is a character."""
    try:
        return len(bytes(range(256)).decode(encoding)) == 256
    except UnicodeDecodeError:
        return False


def _form(fields: list[FixedField]) -> tuple[str | None, int]:
    """Return the form for `struct` of fields that stand one behind the other, and how many bytes it takes."""
    form, at = "", 0
    for each in fields:
        if each.start - 1 < at:
            return None, 0
        form += f"{each.start - 1 - at}x{each.length}s"
        at = each.stop
    return form, at


def _slice(kind: FixedField) -> slice:
    return slice(kind.start - 1, kind.stop)


def _decodes(data: bytes, encoding: str) -> bool:
    if data.isascii() or _is_full(encoding):
        return True
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _check(source: Bytes, layout: Layout, found: FileSurvey) -> None:
    """Refuse a file that is not what the layout says: then no row of it is read."""
    name = source.name
    if not found.records and not layout.allow_empty:
        raise _empty(name)
    if found.undecodable >= _SUSPECT_LINES and found.undecodable > _SUSPECT_SHARE * found.records:
        looks = " and may be cp1252 or cp850" if source.text_encoding in ("utf-8", "ascii") else ""
        raise SystemFailure(
            "CON-037",
            f"{found.undecodable:,} of {found.records:,} records are not {source.encoding}: "
            f"the file is in another encoding{looks}",
            hint="Correct the setting encoding, or declare this file among the exceptions.",
            place=name,
        )
    wrong = found.lengths.total()
    if wrong >= _SUSPECT_LINES and 2 * wrong > found.records:
        most = found.lengths.most_common(1)[0][0]
        what = "characters" if layout.reading_of(name).characters else "bytes"
        raise SystemFailure(
            "CON-160",
            f"{wrong:,} of {found.records:,} records have another length than is declared, most of them {most} {what}",
            hint="Check record_length, positions and encoding; an e-mail or an editor may have converted the file.",
            place=name,
        )
    for each in layout.types:
        if each.role != "rows":
            _check_role(source, layout, each, found)
    rows = found.counts[UNKNOWN] + sum(found.counts[each.code] for each in layout.types if each.relation)
    if not rows and not layout.allow_empty:
        raise _empty(name)


def _empty(name: str) -> SystemFailure:
    return SystemFailure(
        "CON-039",
        "the delivery is empty: no record was found",
        hint="Ask for it again, or set allow_empty: true if this is right.",
        place=name,
    )


def _check_role(source: Bytes, layout: Layout, each: RecordType, found: FileSurvey) -> None:
    """Check that a header or trailer is there, in its place, once, and that what it states is so."""
    header = each.role == "header"
    line = found.first if header else found.last
    line = b"" if line is None else line
    there = found.counts[each.code]
    kept = layout.type_field
    in_place = kept is None or code_of(text_of(line[_slice(kept)], source.text_encoding), layout) == each.code
    if there != 1 or not in_place:
        where = "the first record" if header else "the last record"
        raise SystemFailure(
            "CON-161" if header else "CON-040",
            f"the file has {there:,} {each.role} records ({each.code}), and {where} is "
            f"{'one' if in_place else 'none'}: one is expected there, and no other",
            hint="The delivery may be cut off, or two may be one file; ask for it again.",
            place=source.name,
        )
    for total in each.totals:
        _check_total(source, layout, each, total, line, found)


def _check_total(
    source: Bytes, layout: Layout, each: RecordType, total: Total, line: _Line, found: FileSurvey
) -> None:
    kind = each.field(total.field)
    stated = number_of(text_of(line[_slice(kind)], source.text_encoding), kind)
    if stated is None:
        raise SystemFailure(
            "CON-040",
            f"the {each.role} states no number in its field {total.field}",
            hint="Correct the field's positions or sign.",
            place=source.name,
        )
    number, unread = _found(layout, total, found)
    if stated == number or _is_explained(source, layout, total.field, stated, number):
        return
    lost = found.counts[UNKNOWN] + (found.lengths.total() if total.sums else 0) + unread
    also = f"; {lost:,} records cannot be read" if lost else ""
    what = f"the sum is {_plain(number)}" if total.sums else f"the file holds {_plain(number)}"
    explain = f"{{file: {source.name}, field: {total.field}, stated: '{_plain(stated)}', found: '{_plain(number)}'"
    raise SystemFailure(
        "CON-162" if total.sums else "CON-041",
        f"the {each.role} states {_plain(stated)} in {total.field}, {what}{also}: the file is blocked",
        hint=f"Ask for a right delivery, or add to explained: {explain}, reason: …, by: …}}.",
        place=source.name,
    )


def _found(layout: Layout, total: Total, found: FileSurvey) -> tuple[Decimal, int]:
    """Return the number of records, or their sum, and how many of these hold no number."""
    number, unread = Decimal(0), 0
    for code, name in total.of:
        if name is None:
            number += found.counts[code]
            continue
        kind = layout.by_code(code).field(name)
        for text, times in found.amounts[(code, name)].items():
            amount = number_of(text, kind)
            if amount is None:
                unread += times
            else:
                number += amount * times
    return number, unread


def _is_explained(source: Bytes, layout: Layout, name: str, stated: Decimal, found: Decimal) -> bool:
    wanted = (source.name, name, _plain(stated), _plain(found))
    return any((each.file, each.field, each.stated, each.found) == wanted for each in layout.explained)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return "0" if number == 0 else text


