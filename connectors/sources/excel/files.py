"""Legacy systems that are workbooks: the sheets of a relation, one behind the other, whose rows are records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from casemodel import SystemFailure
from connectors.config import SystemConfig
from connectors.scratch import Scratch
from connectors.sources.excel.book import Book, BookFile, Sheet, check_archive, digest, open_book
from connectors.sources.excel.cells import ROW, read_windows, windows_of_cells
from connectors.sources.excel.header import HEAD, Header, find_header, order
from connectors.sources.excel.older import form_of, written_anew
from connectors.sources.excel.scan import Scanned, scan
from connectors.sources.excel.settings import ExcelRelation, Limits, read_settings
from connectors.sources.excel.told import told
from connectors.sources.files.bytes import Bytes, check_unchanged, look_at_any, on_disk
from connectors.sources.files.finding import find_contents, find_files
from connectors.sources.files.refusals import empty, miscounted
from connectors.sources.files.relation import RECORD, UNREADABLE, Piece, Surveyed
from connectors.sources.files.settings import Trailer
from connectors.sources.files.source import FileSource

SHEET, ROW_NUMBER = "_sheet", "_row"


def open_excel(config: SystemConfig) -> ExcelSource:
    """Open a folder of workbooks, whose relations the settings describe."""
    return ExcelSource(config, read_settings(config))


class ExcelSource(FileSource):
    """Workbooks as a source; those out of archives are unpacked to a scratch folder of its own.

    Args:
        config: of the system.
        settings: its relations by name.
    """

    def __init__(self, config: SystemConfig, settings: Mapping[str, ExcelRelation]) -> None:
        self._unpacked = Scratch()
        super().__init__(
            config.name, "excel", settings, lambda relation: _look(config, settings[relation.name], self._unpacked)
        )

    def close(self) -> None:
        """Remove what was unpacked."""
        super().close()
        self._unpacked.close()


@dataclass(frozen=True, slots=True)
class Part:
    """A sheet of a relation: the row of its header (0: none) and, per column of the sheet, that of the relation."""

    sheet: Sheet
    header: int
    columns: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class ExcelFiles:
    """The workbooks of a relation: see `files.relation.RelationFiles`."""

    relation: ExcelRelation
    books: tuple[Book, ...]
    parts: tuple[tuple[Part, ...], ...]
    columns: tuple[str, ...]
    technical: tuple[str, ...] = (SHEET, ROW_NUMBER)
    _scanned: dict[tuple[int, str], Scanned] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[Bytes, ...]:
        """Return the workbooks, sorted by name."""
        return tuple(book.source for book in self.books)

    def survey(self) -> tuple[Surveyed, ...]:
        """Count the records of every sheet in its XML; raise CON-035, CON-036, CON-039 to CON-041, CON-090 (exit 5)."""
        surveyed = []
        for number, (book, parts) in enumerate(zip(self.books, self.parts, strict=True)):
            records = sum(self._records(number, book, part) for part in parts)
            check_unchanged(book.source)
            surveyed.append(Surveyed(digest(book), records))
        return tuple(surveyed)

    def oddities(self) -> tuple[str, ...]:
        """Return what was found beside the values, a sentence each without its end."""
        found = []
        for number, (book, parts) in enumerate(zip(self.books, self.parts, strict=True)):
            found += told(book, {part.sheet: self._scan(number, book, part) for part in parts})
        return tuple(found)

    def pieces(self, number: int, records: int, wanted: Set[int] | None) -> Iterator[Piece]:
        """Yield the records of a workbook, some rows of a sheet at a time."""
        book, done = self.books[number - 1], 0
        for part in self.parts[number - 1]:
            scanned = self._scan(number - 1, book, part)
            last = scanned.last - 1 if self.relation.trailer is not None else scanned.last
            hollow = pl.Series(scanned.hollow, dtype=pl.Int64).implode()
            for cells in read_windows(book, part.sheet, scanned, windows_of_cells(scanned)):
                cells = cells.select(column for column in cells if column.null_count() < cells.height)
                below = cells.filter(pl.col(ROW).is_between(part.header + 1, last))
                filled = pl.any_horizontal(pl.lit(False), pl.exclude(ROW).is_not_null()) | pl.col(ROW).is_in(hollow)
                rows = below.filter(filled)
                piece = _piece(rows, book, part, self.columns, done)
                done += rows.height
                if rows.height and (wanted is None or any(piece.first <= one <= piece.last for one in wanted)):
                    yield piece
        check_unchanged(book.source)
        if done != records:
            raise miscounted(book.name, records, done)

    def _scan(self, number: int, book: Book, part: Part) -> Scanned:
        """Scan a sheet, once."""
        key = (number, part.sheet.name)
        if key not in self._scanned:
            self._scanned[key] = scan(book, part.sheet, part.header)
            self._scanned[key].odd.comments = book.comments(part.sheet)
        return self._scanned[key]

    def _records(self, number: int, book: Book, part: Part) -> int:
        scanned = self._scan(number, book, part)
        records = scanned.records
        place = f"{book.name}:{part.sheet.name}"
        if self.relation.trailer is not None:
            _check_trailer(self.relation.trailer, _last_row(book, part, scanned), records, place)
            records -= 1
        if records <= 0 and not self.relation.allow_empty:
            raise empty(place)
        return max(records, 0)


def _look(config: SystemConfig, settings: ExcelRelation, scratch: Scratch) -> ExcelFiles:
    found = _contents(config, settings)
    books = tuple(_book(content, scratch, settings.limits) for content in found)
    chosen = [(book, _chosen(book, settings)) for book in books]
    headers = [[_header(book, sheet, settings) for sheet in sheets] for book, sheets in chosen]
    columns = settings.columns or next(header.names_only() for found in headers for header in found)
    parts = tuple(
        tuple(
            Part(sheet, header.row, order(columns, header, f"{book.name}:{sheet.name}"))
            for sheet, header in zip(sheets, found, strict=True)
        )
        for (book, sheets), found in zip(chosen, headers, strict=True)
    )
    return ExcelFiles(settings, books, parts, (*columns, SHEET, ROW_NUMBER))


def _book(content: Bytes, scratch: Scratch, limits: Limits) -> Book:
    """Open a workbook; one out of an archive is unpacked for it, and one of an older form written anew."""
    path = on_disk(content, scratch.folder) if content.packed else content.path
    older = form_of(content)
    if older is None:
        return open_book(content, path, limits)
    if older == "ods":
        check_archive(BookFile(path, content.name), limits)
    anew = scratch.folder / f"anew{len(list(scratch.folder.glob('anew*')))}"
    written_anew(path, older, anew, content.name)
    return open_book(content, anew, limits, older)


def _contents(config: SystemConfig, settings: ExcelRelation) -> list[Bytes]:
    """Return the workbooks sorted by name: files, and members of the archives that a pattern with ``!`` names."""
    found: dict[tuple[Path, str], Bytes] = {}
    for pattern in settings.files:
        one = replace(settings, files=(pattern,))
        # A workbook is an archive itself: whether it is damaged is said of it as of a workbook.
        if "!" in pattern:
            contents = find_contents(config, one, settings.limits)
        else:
            contents = tuple(look_at_any(path) for path in find_files(config, one))
        found |= {(content.path, content.name): content for content in contents}
    return sorted(found.values(), key=lambda content: (content.name, str(content.path)))


def _chosen(book: Book, settings: ExcelRelation) -> tuple[Sheet, ...]:
    """Return the sheets of a relation in the order of the workbook."""
    found = tuple(
        sheet for sheet in book.sheets if any(fnmatchcase(sheet.name, pattern) for pattern in settings.sheets)
    )
    if found:
        return found
    raise SystemFailure(
        "CON-092",
        f"no sheet answers to the setting sheets: {', '.join(settings.sheets)}",
        hint=f"The workbook has the sheets {', '.join(sheet.name for sheet in book.sheets[:20])}.",
        place=book.name,
    )


def _header(book: Book, sheet: Sheet, settings: ExcelRelation) -> Header:
    if settings.header_row == 0:
        return Header(0, settings.columns)
    scanned = scan(book, sheet, 0, until=max(HEAD, settings.header_row or 0))
    windows = iter(scanned.windows if scanned.width else ())
    frames = list(read_windows(book, sheet, scanned, windows))
    head = pl.concat(frames) if frames else pl.DataFrame(schema={ROW: pl.Int64})
    return find_header(head, settings, f"{book.name}:{sheet.name}")


def _last_row(book: Book, part: Part, scanned: Scanned) -> list[str]:
    if not scanned.last:
        return []
    window = next(window for window in scanned.windows if window.last >= scanned.last)
    cells = next(read_windows(book, part.sheet, scanned, iter([window])))
    rows = cells.filter(pl.col(ROW) == scanned.last).drop(ROW).rows()
    return [text or "" for text in rows[0]] if rows else []


def _check_trailer(trailer: Trailer, found: list[str], records: int, place: str) -> None:
    if records < 1 or not re.search(trailer.match, "\t".join(found)):
        raise SystemFailure(
            "CON-040",
            "the last row is not the trailer that is expected: the delivery may be cut off",
            hint="Ask for the delivery again, or correct the setting trailer.match.",
            place=place,
        )
    if not trailer.count:
        return
    stated = found[trailer.count - 1].strip() if trailer.count <= len(found) else ""
    if not stated.isdecimal():
        raise SystemFailure(
            "CON-040",
            f"column {trailer.count} of the trailer row is not a number",
            hint="Correct the setting trailer.count; columns count from 1 at A.",
            place=place,
        )
    if int(stated) != records - 1:
        raise SystemFailure(
            "CON-041",
            f"the trailer row states {int(stated):,} records, the sheet holds {records - 1:,}",
            hint="Ask for a complete delivery.",
            place=place,
        )


def _piece(rows: pl.DataFrame, book: Book, part: Part, columns: tuple[str, ...], done: int) -> Piece:
    """Turn rows of cells into records; one with a value outside of the named columns cannot be read."""
    names = [name for name in rows.columns if name != ROW]
    named = [(name, part.columns[int(name) - 1]) for name in names if int(name) <= len(part.columns)]
    outside = [name for name in names if name not in {name for name, column in named if column is not None}]
    rows = rows.with_columns(pl.int_range(done + 1, done + 1 + rows.height, dtype=pl.Int64).alias(RECORD))
    stray = pl.any_horizontal([pl.lit(False), *(pl.col(name).is_not_null() for name in outside)])
    there = {column: name for name, column in named if column is not None}
    values = [
        (pl.col(there[column]) if column in there else pl.lit(None, pl.String)).alias(column)
        for column in columns
        if column not in (SHEET, ROW_NUMBER)
    ]
    technical = [pl.lit(part.sheet.name).alias(SHEET), pl.col(ROW).cast(pl.String).alias(ROW_NUMBER)]
    place = pl.format(
        "{}:{}:{} (a value outside of the named columns)",
        pl.lit(book.name),
        pl.lit(part.sheet.name),
        pl.col(ROW),
    )
    raw = pl.concat_str([pl.col(name).fill_null("") for name in names] or [pl.lit("")], separator="\t")
    unreadable = rows.filter(stray).select(
        RECORD, place.alias("place"), pl.lit("record-unparsable").alias("code"), raw.alias("raw")
    )
    frame = rows.filter(~stray).select(*values, *technical, RECORD)
    return Piece(frame, unreadable.match_to_schema(UNREADABLE), done + 1, done + rows.height)
