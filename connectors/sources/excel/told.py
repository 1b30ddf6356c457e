"""What a workbook holds beside its values, in sentences for people: not migrated, but never left out in silence."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sources.excel.book import Book, Sheet
from connectors.sources.excel.older import NOT_TOLD
from connectors.sources.excel.scan import Odd, Scanned

SAID = {
    "hidden_rows": "{} hidden rows, which are read like any other",
    "hidden_columns": "{} groups of hidden columns, which are read like any other",
    "merged": "{} merged ranges, whose value is only in their first cell",
    "errors": "{} cells with an error (#N/A and the like), read as no value",
    "uncached": "{} formulas without a stored value, read as no value",
    "coloured": "{} coloured cells, whose colour is not migrated",
    "comments": "{} comments, which are not migrated",
}


def told(book: Book, scanned: Mapping[Sheet, Scanned]) -> list[str]:
    """Return what a workbook holds beside its values, a sentence each without its end, each with its place."""
    found = [] if book.older is None else [f"{book.name}: {NOT_TOLD[book.older]}"]
    for sheet, each in scanned.items():
        if sheet.hidden:
            found.append(f"{book.name}:{sheet.name}: the sheet is hidden, and read like any other")
        found += [f"{book.name}:{sheet.name}: {text}" for text in _sentences(each.odd)]
    left = [sheet for sheet in book.sheets if sheet not in scanned]
    if left:
        names = ", ".join(f"{sheet.name}{' (hidden)' if sheet.hidden else ''}" for sheet in left[:20])
        found.append(f"{book.name}: {len(left)} sheets that the relation does not read: {names}")
    found += [f"{book.name}: it holds {extra}, which are left aside" for extra in book.extras]
    return found


def _sentences(odd: Odd) -> list[str]:
    return [text.format(f"{count:,}") for name, text in SAID.items() if (count := getattr(odd, name))]
