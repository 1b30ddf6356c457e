"""The independent counter of a sheet: its rows, counted in the XML by another way than they are read.

It also finds what a reader of values does not see (hidden rows, errors, colours), and where the sheet can be cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from casemodel import SystemFailure
from connectors.sources.excel.book import Book, Sheet, no_workbook, xml_parser
from connectors.sources.files.bytes import MAX_RECORD

_WINDOW_ROWS, _WINDOW_BYTES = 500, 2_000_000
MAX_ROWS = 1 << 20
_TEXT_KINDS = ("s", "str", "inlineStr")


@dataclass(slots=True)
class Window:
    """Some consecutive rows of a sheet: numbers (from 1) of the first and last, and where their XML starts and ends."""

    first: int
    last: int
    start: int
    stop: int


@dataclass(slots=True)
class Odd:
    """What was counted below the header beside the values."""

    errors: int = 0
    uncached: int = 0
    hidden_rows: int = 0
    hidden_columns: int = 0
    coloured: int = 0
    merged: int = 0
    comments: int = 0


@dataclass(slots=True)
class Scanned:
    """A sheet, scanned.

    Args:
        prefix: of the names of its elements: '' or ``x:``.
        windows: where it can be cut, in order.
        width: the last column (from 1) that holds a value.
        records: rows below the header that hold something.
        last: the number of the last of them, or 0.
        hollow: the numbers of those that may hold nothing but errors, empty texts and formulas without a value.
    """

    prefix: str = ""
    windows: list[Window] = field(default_factory=list)
    width: int = 0
    records: int = 0
    last: int = 0
    hollow: list[int] = field(default_factory=list)
    odd: Odd = field(default_factory=Odd)


def scan(book: Book, sheet: Sheet, header: int, until: int = MAX_ROWS) -> Scanned:
    """Scan a sheet.

    Args:
        header: the number of the header's row; records are below it.
        until: rows behind this one need not be scanned.

    Raises:
        SystemFailure: CON-035, CON-036 it is beyond a limit; CON-090 it is damaged (exit 5).
    """
    scanner = _Scanner(book, header, until)
    scanner.run(book.blocks(sheet.part))
    return scanner.found


class _Enough(Exception):
    """All rows that were asked for were seen."""


class _Scanner:
    """Feeds a sheet to expat and counts; one method a kind of event, since they are called for every cell."""

    def __init__(self, book: Book, header: int, until: int) -> None:
        self.found = Scanned()
        self._book, self._header, self._until = book, header, until
        self._coloured = book.coloured
        self._parser = xml_parser(book.file)
        self._parser.XmlDeclHandler = self._declaration
        self._parser.StartElementHandler = self._root
        self._row = self._column = 0
        self._something = self._solid = self._hidden = False
        self._kind = ""
        self._formula = self._text = self._inside = False
        self._colours = self._errors = self._uncached = 0
        self._event = 0
        self._letters: dict[str, int] = {}

    def run(self, blocks: Iterable[bytes]) -> None:
        """Scan to the end, or to the last row that is wanted."""
        done = 0
        try:
            for block in blocks:
                if not done and block[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise no_workbook(self._book.file, "a sheet is not in UTF-8")
                self._parser.Parse(block, False)
                done += len(block)
                if done - self._event > MAX_RECORD:
                    raise _too_large(self._book, self._row)
            self._parser.Parse(b"", True)
        except _Enough:
            pass
        except expat.ExpatError:
            raise no_workbook(self._book.file, "a sheet of it is not XML, or cut off") from None

    def _root(self, name: str, _: dict[str, str]) -> None:
        prefix, colon, local = name.rpartition(":")
        if local != "worksheet":
            raise no_workbook(self._book.file, "a sheet of it is something else")
        p = self.found.prefix = prefix + colon
        self._calls = {
            p + "row": self._start_row,
            p + "c": self._start_cell,
            p + "v": self._start_value,
            p + "t": self._start_value,
            p + "f": self._start_formula,
            p + "col": self._start_column,
            p + "mergeCell": self._start_merged,
        }
        self._ends = {p + "row": self._end_row, p + "c": self._end_cell, p + "sheetData": self._end_data}
        self._values = (p + "v", p + "t")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper() not in ("UTF-8", "US-ASCII", "ASCII"):
            raise no_workbook(self._book.file, "a sheet is not in UTF-8")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        call = self._calls.get(name)
        if call is not None:
            call(attributes)

    def _end(self, name: str) -> None:
        if name in self._values:
            self._inside = False
            return
        call = self._ends.get(name)
        if call is not None:
            call()

    def _data(self, _: str) -> None:
        if self._inside:
            self._text = True

    def _start_row(self, attributes: dict[str, str]) -> None:
        said = attributes.get("r")
        number = self._row + 1 if said is None else int(said) if said.isdecimal() else 0
        if not self._row < number <= MAX_ROWS:
            raise no_workbook(self._book.file, "the rows of a sheet are not in order")
        at = self._event = self._parser.CurrentByteIndex
        windows = self.found.windows
        if windows and number > self._until:
            windows[-1].stop = at
            raise _Enough
        if not windows or number - windows[-1].first >= _WINDOW_ROWS or at - windows[-1].start >= _WINDOW_BYTES:
            if windows:
                windows[-1].stop = at
            windows.append(Window(number, number, at, at))
        windows[-1].last = self._row = number
        self._hidden = attributes.get("hidden") in ("1", "true")
        self._column = self._colours = self._errors = self._uncached = 0
        self._something = self._solid = False

    def _end_row(self) -> None:
        if self._row <= self._header or not self._something:
            return
        found = self.found
        found.records += 1
        found.last = self._row
        if not self._solid:
            found.hollow.append(self._row)
        odd = found.odd
        odd.hidden_rows += self._hidden
        odd.coloured += self._colours
        odd.errors += self._errors
        odd.uncached += self._uncached

    def _end_data(self) -> None:
        if self.found.windows:
            self.found.windows[-1].stop = self._parser.CurrentByteIndex

    def _start_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        self._column = self._column + 1 if place is None else self._column_of(place)
        self._kind = attributes.get("t", "")
        self._formula = self._text = False
        if attributes.get("s") in self._coloured:
            self._colours += 1

    def _start_value(self, _: dict[str, str]) -> None:
        self._inside = True

    def _start_formula(self, _: dict[str, str]) -> None:
        self._formula = True

    def _end_cell(self) -> None:
        kind = self._kind
        if kind == "e":
            self._errors += 1
        elif self._text or kind in _TEXT_KINDS:
            self._solid |= self._text
            if self._column > self.found.width:
                self._widen()
        elif self._formula:
            self._uncached += 1
        else:
            return
        self._something = True

    def _widen(self) -> None:
        if self._column > self._book.limits.columns:
            raise SystemFailure(
                "CON-036",
                f"a sheet has a value in column {self._column:,}, more than {self._book.limits.columns:,}",
                hint="Remove what stands far to the right of the list, or raise limits: {columns: …}.",
                place=f"{self._book.name}:{self._row}",
            )
        self.found.width = self._column

    def _column_of(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        number = self._letters.get(letters)
        if number is None:
            number = 0
            for letter in letters.upper():
                number = number * 26 + ord(letter) - 64
            if not 0 < number <= 1 << 14 or not letters.isascii() or not letters.isalpha():
                raise no_workbook(self._book.file, "a cell of a sheet has no place")
            self._letters[letters] = number
        return number

    def _start_column(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in ("1", "true"):
            self.found.odd.hidden_columns += 1

    def _start_merged(self, attributes: dict[str, str]) -> None:
        self._event = self._parser.CurrentByteIndex
        last = attributes.get("ref", "").rpartition(":")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ$")
        if last.isdecimal() and int(last) > self._header:
            self.found.odd.merged += 1


def _too_large(book: Book, row: int) -> SystemFailure:
    return SystemFailure(
        "CON-035",
        f"a row behind row {row:,} is larger than {MAX_RECORD:,} bytes",
        hint="Look at that row in Excel; it may hold a picture or a whole document as text.",
        place=book.name,
    )
