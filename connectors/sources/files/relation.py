"""What every kind of file says of a relation: its settings, its files, and their physical records as pieces.

A kind of file is a module that reads its settings (`FileRelation`), looks at the files of a relation
(`RelationFiles`) and hands both to `files.source.FileSource`; all else is the same for every kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import polars as pl

from connectors.sources.files.bytes import Bytes

RECORD = "\x01record"
"""The column that holds the number (from 1) of a physical record in its file."""

UNREADABLE = {RECORD: pl.Int64, "place": pl.String, "code": pl.String, "raw": pl.String}
"""What is said of a record that could not be read."""


class FileRelation(Protocol):
    """The settings of one relation.

    ``files`` are names or patterns; ``key`` names columns; ``personal`` None means that every column is; ``place`` is
    where errors are shown.
    """

    @property
    def name(self) -> str:
        """The relation's name."""
        ...

    @property
    def files(self) -> tuple[str, ...]:
        """Names or patterns of its files."""
        ...

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that identify a row, as far as the settings say so."""
        ...

    @property
    def personal(self) -> tuple[str, ...] | None:
        """Columns that are personal; None: all of them."""
        ...

    @property
    def place(self) -> str:
        """Where errors are shown."""
        ...

    def form(self) -> str:
        """Return what of the settings decides how bytes become rows: part of the fingerprint."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """Some consecutive physical records of a file: the frame of those that were read, and those that were not.

    Args:
        frame: the relation's columns as text, and `RECORD`.
        unreadable: as `UNREADABLE`.
        first, last: numbers of the first and last record; all between them are in one of the frames.
    """

    frame: pl.DataFrame
    unreadable: pl.DataFrame
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A file that was read through once: its digest, and its records as an independent counter counts them.

    ``encoding`` is that of its text, empty where it has none; ``notes`` count what was skipped as declared, or read in
    another way than the rest, each under a few words.
    """

    digest: str
    records: int
    encoding: str = ""
    notes: tuple[tuple[str, int], ...] = ()


class RelationFiles(Protocol):
    """The files of one relation, looked at: their heads are read, not their content."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The relation's columns."""
        ...

    @property
    def sources(self) -> tuple[Bytes, ...]:
        """Its files, sorted by name."""
        ...

    def survey(self) -> tuple[Surveyed, ...]:
        """Read every file through once, by another way than `pieces`.

        Raises:
            SystemFailure: a file is not what the settings say (exit 5).
        """
        ...

    def pieces(self, number: int, records: int, wanted: Set[int] | None) -> Iterator[Piece]:
        """Yield the records of file `number` (from 1) in order, all of them, in bounded memory.

        Args:
            records: as surveyed.
            wanted: only pieces that hold one of these records are needed; None: all.

        Raises:
            SystemFailure: the file changed since it was looked at, or is damaged (exit 5).
            BugError: BUG-020 other records are found than were counted.
        """
        ...


@runtime_checkable
class Located(Protocol):
    """Files that offer columns of ours, which say where in its file a row stands."""

    @property
    def technical(self) -> tuple[str, ...]:
        """Those of ``columns``."""
        ...


@runtime_checkable
class Odd(Protocol):
    """Files that may hold more than values."""

    def oddities(self) -> tuple[str, ...]:
        """Return what they hold besides, a sentence each without its end."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """The surveyed files of a relation."""

    relation: FileRelation
    opened: RelationFiles
    surveyed: tuple[Surveyed, ...]
    digest: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The relation's columns."""
        return self.opened.columns

    @property
    def records(self) -> int:
        """The number of physical records, as counted by the independent counter."""
        return sum(file.records for file in self.surveyed)
