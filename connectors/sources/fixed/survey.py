"""What is true of a whole fixed file before its first row is read: how many records of each type, and its totals.

What header and trailer state is held against it; a file that is not what the layout says is not read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from casemodel import SystemFailure
from connectors.sources.files.bytes import Bytes, added, blocks, check_unchanged, raw_blocks
from connectors.sources.files.refusals import empty
from connectors.sources.fixed.count import UNKNOWN, FileSurvey, Line, Reader, code_of, place_of, text_of
from connectors.sources.fixed.layout import FixedField, Layout, RecordType, Total

_MARK, _MOST_MARKS = b"\x1a", 4096
"""Programs filled a block of 128 bytes with it at most; more of them are content."""
_LONG = 8
"""Digits from which on a number without decimals may be that of a person."""
_SUSPECT_SHARE, _SUSPECT_LINES = 0.05, 3
_NEGATIVE = dict(zip("}JKLMNOPQR", range(10), strict=True))
_POSITIVE = dict(zip("{ABCDEFGHI", range(10), strict=True))


def survey_file(source: Bytes, layout: Layout) -> FileSurvey:
    """Read a file through once.

    Raises:
        SystemFailure: CON-010 to CON-012, CON-018, CON-035, CON-037, CON-039 to CON-041, CON-160 to CON-162 (exit 5).
    """
    found = FileSurvey()
    digest = hashlib.sha256()
    reader = Reader(source, layout, found)
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
    for block in added(raw_blocks(source), digest):
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


def _check(source: Bytes, layout: Layout, found: FileSurvey) -> None:
    """Refuse a file that is not what the layout says: then no row of it is read."""
    name = source.name
    if not found.records and not layout.allow_empty:
        raise empty(name)
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
        raise empty(name)


def _check_role(source: Bytes, layout: Layout, each: RecordType, found: FileSurvey) -> None:
    """Check that a header or trailer is there, in its place, once, and that what it states is so."""
    header = each.role == "header"
    line = found.first if header else found.last
    line = b"" if line is None else line
    there = found.counts[each.code]
    kept = layout.type_field
    in_place = kept is None or code_of(text_of(line[place_of(kept)], source.text_encoding), layout) == each.code
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


def _check_total(source: Bytes, layout: Layout, each: RecordType, total: Total, line: Line, found: FileSurvey) -> None:
    kind = each.field(total.field)
    stated = number_of(text_of(line[place_of(kind)], source.text_encoding), kind)
    if stated is None:
        raise SystemFailure(
            "CON-040",
            f"the {each.role} states no number in its field {total.field}",
            hint="Correct the field's positions or sign.",
            place=source.name,
        )
    number, unread = _found(layout, total, found)
    if stated == number:
        return
    if _is_explained(source, layout, total.field, stated, number):
        found.explained += 1
        return
    lost = found.counts[UNKNOWN] + (found.lengths.total() if total.sums else 0) + unread
    also = f"; {lost:,} records cannot be read" if lost else ""
    if _may_be_of_persons(layout, total):
        raise SystemFailure(
            "CON-162",
            f"the {each.role} states another sum in {total.field} than its records have{also}: the file is blocked",
            hint="Ask for a right delivery. The figures are not shown, since numbers of persons may be what is summed.",
            place=source.name,
        )
    what = f"the sum is {_plain(number)}" if total.sums else f"the file holds {_plain(number)}"
    explain = f"{{file: {source.name}, field: {total.field}, stated: '{_plain(stated)}', found: '{_plain(number)}'"
    raise SystemFailure(
        "CON-162" if total.sums else "CON-041",
        f"the {each.role} states {_plain(stated)} in {total.field}, {what}{also}: the file is blocked",
        hint=f"Ask for a right delivery, or add to explained: {explain}, reason: …, by: …}}.",
        place=source.name,
    )


def _may_be_of_persons(layout: Layout, total: Total) -> bool:
    """Tell whether a sum may be one of numbers of persons (a hash total): from its parts one of them could be known."""
    summed = (layout.by_code(code).field(name) for code, name in total.of if name is not None)
    return any(not each.decimals and each.length >= _LONG for each in summed)


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
