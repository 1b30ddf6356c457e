"""Workbooks in which people decide and sign: sheets of plain rows, with columns left open for them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from casemodel import RefusedError, UsageError, printable

_MADE: Final = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""The same content gives the same file: no clock in it."""
_MOST_ROWS: Final = 1_000_000
"""Rows on one sheet; the format takes 1,048,576.  What comes after them goes on on the next one."""
_SAVED_AS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: its head, its width in characters, and what may be chosen in it (nothing: anything)."""

    head: str
    width: int = 18
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet: texts and whole numbers; cells that are not there are empty.  An open one is marked."""

    cells: tuple[str | int, ...]
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: frozen head, filters, printed across the page with its head on each."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    """Taken one by one, so that there may be more than memory holds."""


def write_workbook(path: Path, title: str, sheets: Iterable[Sheet]) -> None:
    """Write a workbook whole or not at all, for its owner only; no cell in it can become a formula or a link.

    Raises:
        UsageError: XLS-001 the library for workbooks is not installed.
        RefusedError: OUT-001 the file cannot be written.
    """
    try:
        import xlsxwriter
    except ModuleNotFoundError as error:
        if error.name != "xlsxwriter":
            raise
        raise UsageError(
            "XLS-001", "workbooks need a library that is not installed", hint="pip install 'omnicase[xlsx]'"
        ) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as drafts:
            draft = Path(drafts) / path.name
            _write(xlsxwriter, draft, title, sheets)
            draft.chmod(0o600)
            draft.replace(path)
    except OSError as error:
        raise RefusedError(
            "OUT-001",
            f"the file cannot be written ({error.strerror or 'unknown reason'})",
            hint="Name a file in a folder that you may write to.",
            place=str(path),
        ) from None


def _write(xlsxwriter: Any, path: Path, title: str, sheets: Iterable[Sheet]) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
               "constant_memory": True, "tmpdir": str(path.parent)}  # fmt: skip
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": title, "created": _MADE})
    cell = {"text_wrap": True, "valign": "top", "border": 1}
    head = book.add_format({"bold": True, "bg_color": "#EEEEEE", "border": 1, "text_wrap": True})
    plain, marked = book.add_format(cell), book.add_format({**cell, "bg_color": "#FFE0B2", "bold": True})
    for sheet in sheets:
        for name, rows in _pages(sheet):
            page = book.add_worksheet(name)
            for number, column in enumerate(sheet.columns):
                page.set_column(number, number, column.width)
                page.write_string(0, number, column.head, head)
            line = 0
            for line, row in enumerate(rows, 1):
                for number in range(len(sheet.columns)):
                    value = row.cells[number] if number < len(row.cells) else ""
                    _put(page, line, number, value, marked if row.is_open else plain)
            _lay_out(page, sheet.columns, line)
    book.close()


def _pages(sheet: Sheet) -> Iterator[tuple[str, Iterator[Row]]]:
    """Yield a sheet in as many parts as the format asks for; each must be taken before the next one."""
    rows, number = iter(sheet.rows), 1
    yield sheet.name, islice(rows, _MOST_ROWS)
    while (first := next(rows, None)) is not None:
        number += 1
        yield f"{sheet.name} {number}", chain([first], islice(rows, _MOST_ROWS - 1))


def _lay_out(page: Any, columns: tuple[Column, ...], lines: int) -> None:
    for number, column in enumerate(columns):
        if column.choices and lines:
            chosen = {"validate": "list", "source": list(column.choices)}
            page.data_validation(1, number, lines, number, chosen)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, max(1, lines), len(columns) - 1)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)


def _put(page: Any, line: int, number: int, value: str | int, form: Any) -> None:
    if isinstance(value, int):
        page.write_number(line, number, value, form)
        return
    text = printable(value)
    # It stays text when somebody saves the workbook as CSV and opens that.
    page.write_string(line, number, f"'{text}" if text[:1] in _SAVED_AS_FORMULA else text, form)
