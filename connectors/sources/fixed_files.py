"""Legacy systems that deliver files of fixed positions, whose layouts the settings describe."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from casemodel import BugError, SystemFailure
from connectors.config import SystemConfig
from connectors.sources.file_bytes import Bytes, look_at
from connectors.sources.file_finding import find_files
from connectors.sources.file_relation import Piece, Surveyed
from connectors.sources.files import FileSource
from connectors.sources.fixed_layout import FixedRelation, Layout
from connectors.sources.fixed_parse import Rows, chunks, piece_of
from connectors.sources.fixed_settings import read_settings
from connectors.sources.fixed_survey import UNKNOWN, FileSurvey, survey_file

_MARK = b"\x1a"
_TAIL = 4096


def open_fixed(config: SystemConfig) -> FileSource:
    """Open a folder of files with fixed positions."""
    settings = read_settings(config)
    surveys: dict[tuple[str, Bytes], FileSurvey] = {}
    return FileSource(config.name, "fixed", settings, lambda relation: _look(config, settings[relation.name], surveys))


@dataclass(frozen=True, slots=True)
class FixedFiles:
    """The files of a relation: see `file_relation.RelationFiles`.

    ``ends`` are the sizes of the files without the end-of-file mark of DOS; ``surveys`` are shared by the relations of
    a layout, whose files are read through once for all of them.
    """

    relation: FixedRelation
    sources: tuple[Bytes, ...]
    ends: tuple[int | None, ...]
    surveys: dict[tuple[str, Bytes], FileSurvey]

    @property
    def columns(self) -> tuple[str, ...]:
        """The relation's columns: those of the parent first."""
        return self.relation.rows.columns

    def survey(self) -> tuple[Surveyed, ...]:
        """Read every file through once; raise CON-010 to CON-018, CON-035 to CON-041, CON-160 to CON-162 (exit 5)."""
        layout, code, found = self.relation.layout, self.relation.rows.code, []
        for source, end in zip(self.sources, self.ends, strict=True):
            known = (layout.name, source)
            if known not in self.surveys:
                self.surveys[known] = survey_file(source, layout, end)
            counted = self.surveys[known]
            found.append(Surveyed(counted.digest, counted.counts[code] + counted.counts[UNKNOWN]))
        return tuple(found)

    def pieces(self, number: int, records: int, wanted: Set[int] | None) -> Iterator[Piece]:
        """Yield the records of a file, chunk by chunk."""
        source, layout = self.sources[number - 1], self.relation.layout
        by_bytes = source.text_encoding == "utf-8" and not layout.reading_of(source.path.name).characters
        rows = Rows(layout, self.relation.rows, source, by_bytes)
        first = 1
        for chunk in chunks(source, layout, self.ends[number - 1]):
            piece = piece_of(chunk, rows, first, source)
            first = piece.last + 1
            if piece.last >= piece.first and (wanted is None or any(piece.first <= at <= piece.last for at in wanted)):
                yield piece
        if first - 1 != records:
            raise BugError(
                "BUG-020",
                f"two ways of counting the records of a file disagree: {records:,} and {first - 1:,}",
                hint="Report this with the settings of the relation; the last batch was not loaded.",
                place=source.path.name,
            )


def _look(config: SystemConfig, relation: FixedRelation, surveys: dict[tuple[str, Bytes], FileSurvey]) -> FixedFiles:
    layout = relation.layout
    sources = tuple(_look_at(path, layout) for path in find_files(config, relation))
    return FixedFiles(relation, sources, tuple(_end(source) for source in sources), surveys)


def _look_at(path: Path, layout: Layout) -> Bytes:
    reading = layout.reading_of(path.name)
    source = look_at(path, reading.encoding)
    if source.wide and not reading.characters:
        raise SystemFailure(
            "CON-160",
            f"the file is {source.encoding}, in which positions cannot be counted in bytes",
            hint="Declare it among the exceptions: {file: …, encoding: utf-16, positions: characters, reason: …}.",
            place=source.path.name,
        )
    return source


def _end(source: Bytes) -> int | None:
    """Return the size of a file without the marks (0x1A) with which DOS ended a text; None where bytes are not its own.

    Only the last block is looked at: programs filled one of 128 bytes at most.
    """
    if source.wide:
        return None
    size = source.state[1]
    with source.path.open("rb") as file:
        file.seek(max(size - _TAIL, 0))
        tail = file.read()
    return size - (len(tail) - len(tail.rstrip(_MARK)))
