"""What is asked of a run, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.status.books import Books


@dataclass(frozen=True)
class RunOptions:
    """What was asked on the command line."""

    mappings: tuple[str, ...] = ()
    label: str | None = None
    reason: str | None = None
    resume: bool = False
    full: bool = False
    """Read every row, whatever the cursors of the mappings say."""
    wave: str | None = None
    """The one wave that is loaded; None: all that are rehearsed."""
    max_rejects: float | None = None
    """Share of rejected rows (0 to 1) above which the run stops at a batch boundary."""
    workers: int = 1
    """In so many processes batches are mapped; 1: in a thread of this one."""
    scheduler: str | None = None
    """Address of a Dask scheduler whose workers map instead."""
    bulk: bool = False
    """Drop the indexes and links of the target tables, which must be empty, and rebuild them after the load."""
    limit: int | None = None
    """So many rows of each relation are read at most."""
    keys: tuple[str, ...] = ()
    """Only the rows of these source keys of one mapping are read."""
    strict: bool = False
    """Warnings that are known before a row is read are refusals."""


@dataclass(frozen=True)
class RunResult:
    """How a run ended: its books, whether it went on from an earlier start, and which run it gave up.

    moved_on: mappings whose source was written to, or may have been, between the two starts.
    """

    books: Books
    resumed: bool
    abandoned: int | None = None
    moved_on: tuple[str, ...] = ()
    unknown_keys: tuple[str, ...] = ()
    """Keys that were asked for and that no row has, as they may be shown."""
