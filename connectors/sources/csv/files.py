"""Legacy systems that deliver CSV files, whose columns are named by a header or by the settings."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Set
from dataclasses import dataclass

from casemodel import SystemFailure
from connectors.config import SystemConfig
from connectors.prefetch import one_behind
from connectors.sources.csv.parse import chunks, parse
from connectors.sources.csv.settings import CsvRelation, read_settings
from connectors.sources.csv.survey import Header, read_header, survey
from connectors.sources.files.bytes import Bytes, check_unchanged
from connectors.sources.files.finding import find_contents
from connectors.sources.files.refusals import empty
from connectors.sources.files.relation import Piece, Surveyed
from connectors.sources.files.source import FileSource


def open_csv(config: SystemConfig) -> FileSource:
    """Open a folder of CSV files, whose relations the settings describe."""
    settings = read_settings(config)
    return FileSource(config.name, "csv", settings, lambda relation: _look(config, settings[relation.name]))


@dataclass(frozen=True, slots=True)
class CsvFiles:
    """The CSV files of a relation: see `files.relation.RelationFiles`.

    ``orders`` are, per file, the relation's columns in the order of the file.
    """

    relation: CsvRelation
    headers: tuple[Header, ...]
    columns: tuple[str, ...]
    orders: tuple[tuple[str, ...], ...]

    @property
    def sources(self) -> tuple[Bytes, ...]:
        """Return the files, sorted by name."""
        return tuple(header.source for header in self.headers)

    def survey(self) -> tuple[Surveyed, ...]:
        """Read every file through once; raise CON-010 to CON-012, CON-018, CON-034 to CON-041 (exit 5)."""
        return tuple(survey(header, self.relation) for header in self.headers)

    def pieces(self, number: int, records: int, wanted: Set[int] | None) -> Iterator[Piece]:
        """Yield the records of a file, chunk by chunk."""
        header, order = self.headers[number - 1], self.orders[number - 1]
        found = (
            chunk
            for chunk in chunks(header, records, self.relation)
            if wanted is None or any(chunk.first <= record <= chunk.last for record in wanted)
        )
        yield from one_behind(found, lambda chunk: parse(chunk, header.source, self.relation, order, self.columns))
        # Its last bytes were read before the last records were given out.
        check_unchanged(header.source)


def _look(config: SystemConfig, settings: CsvRelation) -> CsvFiles:
    headers = tuple(read_header(content, settings) for content in find_contents(config, settings))
    columns = settings.columns or next((header.names for header in headers if header.names is not None), ())
    if not columns and not settings.allow_empty:
        raise empty(headers[0].source.name)
    if not columns:
        raise SystemFailure(
            "CON-039",
            "no file of the relation has a header",
            hint="Give columns: [first, second].",
            place=settings.place,
        )
    return CsvFiles(settings, headers, columns, tuple(_order(columns, header, settings) for header in headers))


def _order(columns: tuple[str, ...], header: Header, settings: CsvRelation) -> tuple[str, ...]:
    """Return the relation's columns in the order of a file; headers must name the same ones, in any order and case."""
    found = columns if header.names is None else header.names
    spelled = {column.casefold(): column for column in columns}
    for number, name in enumerate(found, 1):
        if name.casefold() not in spelled:
            raise _unknown_column(columns, found, number, header)
    there = {name.casefold() for name in found}
    for column in columns:
        if column.casefold() not in there:
            raise SystemFailure(
                "CON-031",
                f"the header lacks the column {column}",
                hint="Ask for a complete delivery, or give the column's new name an alias.",
                place=header.source.name,
            )
    return tuple(spelled[name.casefold()] for name in found)


def _unknown_column(columns: tuple[str, ...], found: tuple[str, ...], number: int, header: Header) -> SystemFailure:
    known = {column.casefold() for column in columns}
    if 2 * sum(name.casefold() in known for name in found) < len(found):
        # Without a header the "names" are the values of the first record, which must not be shown.
        return SystemFailure(
            "CON-032",
            "the first record is not the header that is expected: most of its names are unknown",
            hint="Check whether the file has a header, and the settings delimiter and skip_lines.",
            place=header.source.name,
        )
    name = found[number - 1]
    near = difflib.get_close_matches(name, columns, n=1)
    hint = f"If it is {near[0]} under another name" if near else "If it is a known column under another name"
    return SystemFailure(
        "CON-032",
        f"column {number} of the header, {name}, is unknown",
        hint=f'{hint}, add aliases: {{"{name}": ...}}; otherwise add it to columns.',
        place=header.source.name,
    )
