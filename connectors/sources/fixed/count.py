"""Counting the records of a fixed file, line by line, by another way than `fixed.parse` reads them."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter

import numpy as np

from connectors.sources.files.bytes import MAX_RECORD, Bytes, line_ends, too_large
from connectors.sources.fixed.layout import FixedField, Layout

UNKNOWN = "\x01"
"""Stands for the code of records whose type is none that is declared."""
Line = bytes | str


@dataclass(slots=True)
class FileSurvey:
    """A file that was read through once.

    Args:
        counts: records by the code of their type (`UNKNOWN` among them); types that are skipped are not in it.
        lengths: how many records have which wrong length.
        undecodable: records whose bytes do not fit the encoding.
        amounts: per type and field the texts of what is summed, and how often each occurs.
        first, last: the first and last record.
        skipped: records of types that are not read, by their code.
        explained: control totals that differ, and were explained.
    """

    digest: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    undecodable: int = 0
    amounts: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    first: Line | None = None
    last: Line = b""
    skipped: Counter[str] = field(default_factory=Counter)
    explained: int = 0

    def notes(self, code: str) -> tuple[tuple[str, int], ...]:
        """Return what of the file is no row of the relation whose record type this is, and what was explained."""
        others = sum(times for each, times in self.counts.items() if each not in (code, UNKNOWN))
        told = {f"records {each} skipped": times for each, times in sorted(self.skipped.items())}
        told |= {"records of other declared types": others, "control totals explained": self.explained}
        return tuple((note, times) for note, times in told.items() if times)

    @property
    def records(self) -> int:
        """The number of records of all types that are not skipped."""
        return self.counts.total()


class Reader:
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
        slices = [place_of(each) for each in fields]
        # Two items at least, so that what is got is a tuple.
        self._get = itemgetter(place_of(kept) if kept else slice(0, 0), slice(0, 0), *slices)
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
        used = data if len(data) == rows * length else data[: rows * length]
        if self._form is None or not rows or self._needed + 2 > length or not _ends_evenly(used, length, rows):
            return 0
        encoding = self._source.text_encoding
        if (self._characters and not used.isascii()) or not _decodes(used, encoding):
            return 0
        if (kind := self._one_kind(used, length, rows)) is not None:
            if code := self._book(length - 2, text_of(kind, encoding), rows):
                for total in (each for each in self._summed if each[0] == code):
                    place = place_of(self._codes[code].field(total[1]))
                    for amount, times in _occurring(used, place, length, rows):
                        self._found.amounts[total][text_of(amount, encoding)] += times
        else:
            form = struct.Struct(f"{self._form}{length - self._needed}x")
            for (kind, *amounts), times in Counter(form.iter_unpack(used)).items():
                self._book_all(length - 2, kind, amounts, times)
        self._done += rows
        self._found.first = used[: length - 2] if self._found.first is None else self._found.first
        self._found.last = used[-length:-2]
        return rows * length

    def _one_kind(self, used: bytes, length: int, rows: int) -> bytes | None:
        """Return what the type field of all records holds; None when it is not the same."""
        if self._layout.type_field is None:
            return b""
        place = place_of(self._layout.type_field)
        same = all(used[at::length].count(used[at]) == rows for at in range(place.start, place.stop))
        return used[place] if same else None

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
        read: list[Line] = list(lines)
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
        keys: Iterable[tuple[int, tuple[Line, ...]]] = zip(map(len, read), map(self._get, read), strict=True)
        for (length, (kind, _, *amounts)), times in Counter(keys).items():
            self._book_all(length, kind, amounts, times)

    def _book_all(self, length: int, kind: Line, amounts: Iterable[Line], times: int) -> None:
        encoding = self._source.text_encoding
        code = self._book(length, text_of(kind, encoding), times)
        for total, amount in zip(self._summed, amounts, strict=True):
            if total[0] == code:
                self._found.amounts[total][text_of(amount, encoding)] += times

    def _book(self, length: int, kind: str, times: int) -> str | None:
        """Count records; return their code if what they hold is to be summed."""
        code = code_of(kind, self._layout)
        if code in self._layout.skipped:
            self._found.skipped[code] += times
            return None
        self._found.counts[code] += times
        if code == UNKNOWN:
            return None
        asked = self._codes[code].length
        if length > asked or (length < asked and not self._layout.fill):
            self._found.lengths[length] += times
            return None
        return code


def code_of(kind: str, layout: Layout) -> str:
    """Return the code of a record type by the text of its type field, or `UNKNOWN`."""
    if layout.type_field is None:
        return layout.types[0].code
    kind = kind.rstrip(" ")
    known = kind in layout.skipped or kind in {each.code for each in layout.types}
    return kind if known else UNKNOWN


def text_of(line: Line, encoding: str) -> str:
    """Return a text, whatever its bytes."""
    return line if isinstance(line, str) else line.decode(encoding, "replace")


def _ends_evenly(used: bytes, length: int, rows: int) -> bool:
    """Tell whether there is a CR LF behind each record, and no other CR or LF."""
    found = np.frombuffer(used, np.uint8)
    feeds, returns = used[length - 1 :: length].count(b"\n"), used[length - 2 :: length].count(b"\r")
    if not feeds == returns == rows:
        return False
    # Most files hold no tab or other control character, so that one look is enough.
    if np.count_nonzero(found <= 13) == 2 * rows:
        return True
    return int(np.count_nonzero(found == 10)) == int(np.count_nonzero(found == 13)) == rows


def _occurring(used: bytes, place: slice, length: int, rows: int) -> Iterable[tuple[bytes, int]]:
    """Return the values of a field, and how often each occurs."""
    width = place.stop - place.start
    if width > 8:
        taken = struct.Struct(f"{place.start}x{width}s{length - place.stop}x")
        return Counter(each for (each,) in taken.iter_unpack(used)).items()
    # Up to eight bytes are sorted as one number.
    words = np.zeros((rows, 8), np.uint8)
    words[:, :width] = np.frombuffer(used, np.uint8).reshape(rows, length)[:, place]
    values, times = np.unique(words.view(np.uint64), return_counts=True)
    return [(value.tobytes()[:width], int(often)) for value, often in zip(values, times, strict=True)]


@cache
def _undefined(encoding: str) -> bytes | None:
    """Return the bytes that a code page does not define; None: the encoding is no code page."""
    if len(b"\xc3\xa9".decode(encoding, "replace")) != 2:
        return None
    return bytes(byte for byte in range(256) if not bytes([byte]).decode(encoding, "ignore"))


def _form(fields: list[FixedField]) -> tuple[str | None, int]:
    """Return the form for `struct` of fields that stand one behind the other, and how many bytes it takes."""
    form, at = "", 0
    for each in fields:
        if each.start - 1 < at:
            return None, 0
        form += f"{each.start - 1 - at}x{each.length}s"
        at = each.stop
    return form, at


def place_of(kind: FixedField) -> slice:
    """Return where a field lies in its record."""
    return slice(kind.start - 1, kind.stop)


def _decodes(data: bytes, encoding: str) -> bool:
    if data.isascii():
        return True
    undefined = None if encoding in ("utf-8", "ascii") else _undefined(encoding)
    if undefined is not None:
        return not any(byte in data for byte in undefined)
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
