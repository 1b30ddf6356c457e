"""The values of some rows of a sheet as canonical text, read by fastexcel from a small workbook of those rows alone.

So memory is bounded by the rows, whatever the size of the sheet.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from xml.sax.saxutils import quoteattr

import fastexcel
import polars as pl

from connectors.sources.excel.book import Book, Sheet, no_workbook
from connectors.sources.excel.scan import Scanned, Window

ROW = "\x01row"
"""The column that holds the number (from 1) of a row in its sheet."""

_CELLS, _BYTES = 500_000, 8_000_000
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = "http://schemas.openxmlformats.org/package/2006/relationships"
_LAST_DAY = 2_958_466
"""The day number behind 31 December 9999."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What the rows of a workbook share: its styles and its texts."""

    styles: bytes
    texts: bytes | None


def shared(book: Book) -> Texts:
    """Read what the rows of a workbook share."""
    return Texts(book.styles, None if book.texts is None else book.whole(book.texts, book.limits.texts))


def column_names(width: int) -> list[str]:
    """Return how the columns of a frame of cells are called: by their number, from 1."""
    return [str(number) for number in range(1, width + 1)]


def windows_of_cells(scanned: Scanned) -> Iterator[Window]:
    """Yield the windows of a sheet, joined as long as they are small."""
    waiting: Window | None = None
    for window in scanned.windows:
        if waiting is not None:
            joined = Window(waiting.first, window.last, waiting.start, window.stop)
            rows = joined.last - joined.first + 1
            if rows * scanned.width <= _CELLS and joined.stop - joined.start <= _BYTES:
                waiting = joined
                continue
            yield waiting
        waiting = window
    if waiting is not None:
        yield waiting


def read_windows(book: Book, sheet: Sheet, scanned: Scanned, windows: Iterator[Window]) -> Iterator[pl.DataFrame]:
    """Yield for each window (in order) its rows: columns by number as text, NULL for an empty cell, and `ROW`."""
    common = shared(book)
    blocks = book.blocks(sheet.part)
    have, at = b"", 0
    for window in windows:
        while at + len(have) < window.start:
            at, have = at + len(have), next(blocks)
        parts, size = [have[window.start - at :]], len(have) - (window.start - at)
        while size < window.stop - window.start:
            at, have = at + len(have), next(blocks)
            parts.append(have)
            size += len(have)
        rows = b"".join(parts)[: window.stop - window.start]
        yield _cells(book, common, scanned, window, rows)


def _cells(book: Book, common: Texts, scanned: Scanned, window: Window, rows: bytes) -> pl.DataFrame:
    """Read the rows of a window twice: as calamine shows them, and with every number as the text that it is.

    calamine rounds numbers to nine decimals, but knows which of them are dates.
    """
    names = column_names(scanned.width)
    shown = _load(book, common, scanned, window, rows)
    exact = _load(book, common, scanned, window, _numbers_as_texts(rows, scanned.prefix.encode()))
    # Texts are the same both ways, and most columns of most sheets are texts.
    differ = [name for name in names if not shown[name].equals(exact[name], null_equal=True)]
    both = shown.select(differ).hstack(exact.select(pl.col(name).alias(f"\x02{name}") for name in differ))
    found = shown.with_columns(both.select([_text(name).alias(name) for name in differ]).get_columns())
    above = window.last - window.first + 1 - found.height
    # Rows above the first value may hold errors.
    found = pl.concat([found.clear(above), found]) if above else found
    return found.with_columns(pl.int_range(window.first, window.last + 1, dtype=pl.Int64).alias(ROW))


def _text(name: str) -> pl.Expr:
    """Return the canonical text of a column: dates as ISO dates, times of a day as times, numbers as numbers."""
    shown, exact = pl.col(name), pl.col(f"\x02{name}")
    number = exact.cast(pl.Float64, strict=False)
    return (
        # Texts are the same; a formula without a value is none, but an empty text where it was made a text.
        pl.when(shown.eq_missing(exact) | shown.is_null() & (exact == ""))
        .then(shown)
        .when(~shown.str.contains(":", literal=True) | shown.is_null() | (number >= _LAST_DAY) | (number < 0))
        .then(
            pl.when(exact.str.contains("[eE]"))
            .then(exact.map_batches(_in_full, return_dtype=pl.String))
            .otherwise(exact)
        )
        .when(number < 1)
        .then(shown.str.slice(11))
        .when(shown.str.ends_with(" 00:00:00"))
        .then(shown.str.slice(0, 10))
        .otherwise(shown)
    )


def _in_full(texts: pl.Series) -> pl.Series:
    """Return numbers without an exponent; the few that have one are written out one by one."""
    scaled = texts.filter(texts.str.contains(r"^-?[0-9.]+[eE][+-]?[0-9]{1,3}$").fill_null(False)).unique()
    return texts.replace(scaled.to_list(), [format(Decimal(text), "f") for text in scaled])


_ATTRIBUTE = rb"""(?:\s+(?!t\s*=)[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))"""


@cache
def _number(prefix: bytes) -> re.Pattern[bytes]:
    """Return a pattern for the start of a cell that holds a number, which has no type or the type n."""
    return re.compile(rb"<(%bc)(%b*)(?:\s+t\s*=\s*[\"']n[\"'])?(%b*)\s*>" % (re.escape(prefix), _ATTRIBUTE, _ATTRIBUTE))


def _numbers_as_texts(rows: bytes, prefix: bytes) -> bytes:
    pattern, written = _number(prefix), rb'<\1\2\3 t="str">'
    if b"<![CDATA[" not in rows:
        return pattern.sub(written, rows)
    parts = re.split(rb"(<!\[CDATA\[.*?\]\]>)", rows, flags=re.DOTALL)
    return b"".join(part if number % 2 else pattern.sub(written, part) for number, part in enumerate(parts))


def _load(book: Book, common: Texts, scanned: Scanned, window: Window, rows: bytes) -> pl.DataFrame:
    """Read the rows of a window; those above its first value are not in the frame."""
    last = window.last + 1
    p, width = scanned.prefix, scanned.width
    # A row behind the last one tells where the cells are: empty columns and rows at the sides are left out by calamine.
    ends = {1, width}
    mark = "".join(f'<{p}c r="{column_letters(column)}{last}"><{p}v>0</{p}v></{p}c>' for column in sorted(ends))
    spaces = f"xmlns{':' + p[:-1] if p else ''}={quoteattr(_MAIN)}"
    sheet = b"".join(
        [
            f"<{p}worksheet {spaces}><{p}sheetData>".encode(),
            rows,
            f'<{p}row r="{last}">{mark}</{p}row></{p}sheetData></{p}worksheet>'.encode(),
        ]
    )
    try:
        loaded = fastexcel.read_excel(_workbook(book, common, sheet)).load_sheet(
            0, header_row=None, column_names=column_names(width), dtypes="string"
        )
        frame = loaded.to_polars()
    except fastexcel.FastExcelError:
        # Its text may quote a cell.
        raise no_workbook(book.file, f"the rows {window.first:,} to {window.last:,} of a sheet") from None
    return frame.head(frame.height - 1).cast(pl.String)


def _workbook(book: Book, common: Texts, sheet: bytes) -> bytes:
    # calamine knows these parts by their usual names, whatever the links say.
    parts = {"worksheet": "sheet.xml", "styles": "styles.xml", "sharedStrings": "sharedStrings.xml"}
    held = {"worksheet": sheet, "styles": common.styles, "sharedStrings": common.texts}
    links = "".join(
        f'<Relationship Id="{kind}" Type="{_LINKS}/{kind}" Target="{parts[kind]}"/>' for kind in parts if held[kind]
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><workbookPr date1904="{int(book.epoch_1904)}"/>'
            '<sheets><sheet name="rows" sheetId="1" r:id="worksheet"/></sheets></workbook>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PARTS}"><Relationship Id="book" Type="{_LINKS}/officeDocument"'
            ' Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PARTS}">{links}</Relationships>')
        for kind, content in held.items():
            if content:
                archive.writestr(f"xl/{parts[kind]}", content)
    return target.getvalue()


def column_letters(column: int) -> str:
    """Return the letters of a column by its number, from 1: ``A`` to ``XFD``."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
