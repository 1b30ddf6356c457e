"""The row of a sheet that names its columns: by its number, or found by the names it holds."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import polars as pl

from casemodel import Place, RefusedError, SystemFailure
from connectors.sources.excel.cells import ROW
from connectors.sources.excel.settings import ExcelRelation

HEAD = 100
"""In how many rows a header is looked for."""
_RESERVED = ("_ref", "_file", "_sheet", "_row")


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a sheet: its row (0: none) and per column of the sheet its name, or None where it has none."""

    row: int
    names: tuple[str | None, ...]

    def names_only(self) -> tuple[str, ...]:
        """Return the names that there are."""
        return tuple(name for name in self.names if name is not None)


def find_header(head: pl.DataFrame, settings: ExcelRelation, place: str) -> Header:
    """Find the header among the first rows of a sheet.

    Raises:
        SystemFailure: CON-093 there is none, CON-022 a name is reserved (exit 5).
        RefusedError: CON-033 a name stands there twice (exit 4).
    """
    if settings.header_row is not None:
        found = head.filter(pl.col(ROW) == settings.header_row)
        names = _names(found, settings) if found.height else ()
        if not any(names):
            raise _none(place, f"row {settings.header_row} of the sheet is empty")
        return _checked(Header(settings.header_row, names), place)
    wanted = {_folded(column) for column in settings.columns}
    best, most = None, 0
    for number, row in enumerate(head[ROW]):
        if row > HEAD:
            break
        names = _names(head[number], settings)
        hits = len({_folded(name) for name in names if name is not None} & wanted)
        if hits > most:
            best, most = Header(row, names), hits
    if best is None or 2 * most < len(wanted):
        raise _none(place, f"none of the first {HEAD} rows holds the names of the columns")
    return _checked(best, place)


def order(columns: tuple[str, ...], header: Header, place: str) -> tuple[str | None, ...]:
    """Return per column of the sheet the relation's column; a header must name all of them, in any order and case.

    Raises:
        SystemFailure: CON-031 a column is missing, CON-032 one is unknown (exit 5).
    """
    spelled = {_folded(column): column for column in columns}
    named = header.names_only()
    if 2 * sum(_folded(name) in spelled for name in named) < len(named):
        # Without a header the "names" are the values of the first record, which must not be shown.
        raise SystemFailure(
            "CON-032",
            "the row taken for the header is not the one that is expected: most of its names are unknown",
            hint="Check whether the sheet has a header, and the settings header_row and columns.",
            place=place,
        )
    for number, name in enumerate(header.names, 1):
        if name is None or _folded(name) in spelled:
            continue
        near = difflib.get_close_matches(name, columns, n=1)
        hint = f"If it is {near[0]} under another name" if near else "If it is a known column under another name"
        raise SystemFailure(
            "CON-032",
            f"column {number} of the header, {name}, is unknown",
            hint=f'{hint}, add aliases: {{"{name}": ...}}; otherwise add it to columns.',
            place=place,
        )
    there = {_folded(name) for name in named}
    for column in columns:
        if _folded(column) not in there:
            raise SystemFailure(
                "CON-031",
                f"the header lacks the column {column}",
                hint="Ask for a complete delivery, or give the column's new name an alias.",
                place=place,
            )
    return tuple(None if name is None else spelled[_folded(name)] for name in header.names)


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _names(row: pl.DataFrame, settings: ExcelRelation) -> tuple[str | None, ...]:
    aliases = {_folded(old): new for old, new in settings.aliases}
    names = [" ".join((text or "").split()) for text in row.drop(ROW).row(0)]
    return tuple(aliases.get(_folded(name), name) or None for name in names)


def _checked(header: Header, place: str) -> Header:
    seen: dict[str, int] = {}
    for number, name in enumerate(header.names, 1):
        if name is None:
            continue
        if _folded(name) in seen:
            raise RefusedError(
                "CON-033",
                f"column {number} of the header has the name of column {seen[_folded(name)]}",
                hint="Ask for a delivery with one name per column, or set header_row: none and columns.",
                place=Place(place, header.row),
            )
        if _folded(name) in _RESERVED:
            raise SystemFailure(
                "CON-022",
                f"the column {name} has a name that the toolkit uses itself",
                hint="Give it an alias.",
                place=Place(place, header.row),
            )
        seen[_folded(name)] = number
    return header


def _none(place: str, what: str) -> SystemFailure:
    return SystemFailure(
        "CON-093",
        f"the header was not found: {what}",
        hint="Check the settings header_row and columns of the relation.",
        place=place,
    )
