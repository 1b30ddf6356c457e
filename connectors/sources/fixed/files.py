"""Legacy systems that deliver files of fixed positions, whose layouts the settings describe."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from casemodel import SystemFailure
from connectors.config import SystemConfig
from connectors.prefetch import one_behind
from connectors.sources.files.bytes import Bytes, as_text, check_unchanged
from connectors.sources.files.finding import find_contents, read_limits
from connectors.sources.files.relation import Piece, Surveyed
from connectors.sources.files.source import FileSource
from connectors.sources.fixed.count import UNKNOWN, FileSurvey
from connectors.sources.fixed.layout import FixedRelation, Layout
from connectors.sources.fixed.parse import Chunk, Rows, chunks, piece_of, records_of
from connectors.sources.fixed.recode import as_records
from connectors.sources.fixed.settings import read_settings
from connectors.sources.fixed.survey import survey_file


def open_fixed(config: SystemConfig) -> FileSource:
    """Open a folder of files with fixed positions."""
    settings = read_settings(config)
    read_limits(config)
    surveys: dict[tuple[str, Bytes], FileSurvey] = {}
    return FileSource(config.name, "fixed", settings, lambda relation: _look(config, settings[relation.name], surveys))


@dataclass(frozen=True, slots=True)
class FixedFiles:
    """The files of a relation: see `files.relation.RelationFiles`.

    ``surveys`` are shared by the relations of a layout, whose files are read through once for all of them.
    """

    relation: FixedRelation
    sources: tuple[Bytes, ...]
    surveys: dict[tuple[str, Bytes], FileSurvey]

    @property
    def columns(self) -> tuple[str, ...]:
        """The relation's columns: those of the parent first."""
        return self.relation.rows.columns

    def survey(self) -> tuple[Surveyed, ...]:
        """Read every file through once; raise CON-010 to CON-018, CON-035 to CON-041, CON-160 to CON-162 (exit 5)."""
        layout, code, found = self.relation.layout, self.relation.rows.code, []
        for source in self.sources:
            known = (layout.name, source)
            if known not in self.surveys:
                self.surveys[known] = survey_file(source, layout)
            counted = self.surveys[known]
            records = counted.counts[code] + counted.counts[UNKNOWN]
            found.append(Surveyed(counted.digest, records, source.encoding, self._notes(source, counted)))
        return tuple(found)

    def _notes(self, source: Bytes, counted: FileSurvey) -> tuple[tuple[str, int], ...]:
        excepted = (("file read as its exception says", 1),) if source.name in self.relation.layout.exceptions else ()
        return (*counted.notes(self.relation.rows.code), *excepted)

    def pieces(self, number: int, records: int, wanted: Set[int] | None) -> Iterator[Piece]:
        """Yield the records of a file, chunk by chunk."""
        source, layout = self.sources[number - 1], self.relation.layout
        by_bytes = source.text_encoding == "utf-8" and not layout.reading_of(source.name).characters
        rows = Rows(layout, self.relation.rows, source, by_bytes)
        first = 1

        def read(chunk: Chunk) -> Piece:
            nonlocal first
            piece = piece_of(chunk, rows, first, source)
            first = piece.last + 1
            return piece

        if wanted is None:
            yield from (piece for piece in one_behind(chunks(source, layout), read) if piece.last >= piece.first)
            # Its last bytes were read before the last records were given out.
            check_unchanged(source)
            return
        for chunk in chunks(source, layout):
            if self.relation.rows.parent is None:
                after = first + records_of(chunk, rows)
                if not any(first <= at < after for at in wanted):
                    first = after
                    continue
            piece = read(chunk)
            if any(piece.first <= at <= piece.last for at in wanted):
                yield piece


def _look(config: SystemConfig, relation: FixedRelation, surveys: dict[tuple[str, Bytes], FileSurvey]) -> FixedFiles:
    found = find_contents(config, relation)
    return FixedFiles(relation, tuple(_as_text(content, relation.layout) for content in found), surveys)


def _as_text(content: Bytes, layout: Layout) -> Bytes:
    reading = layout.reading_of(content.name)
    if layout.own is not None:
        return as_records(content, layout.own, reading)
    source = as_text(content, reading.encoding)
    if source.wide and not reading.characters:
        raise SystemFailure(
            "CON-160",
            f"the file is {source.encoding}, in which positions cannot be counted in bytes",
            hint="Declare it among the exceptions: {file: …, encoding: utf-16, positions: characters, reason: …}.",
            place=source.name,
        )
    return source
