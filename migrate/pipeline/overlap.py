"""Mapping the next batch while the last one commits, without the next one seeing anything else than it would have.

What a batch is mapped with changes during a main pass in one respect only: its links and lookups may go to rows of the
same mapping, or to records of the same table, that the batch before it commits.  Those wait for that commit; all else
goes on beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from casemodel import LinkRequest, Links


class Stopped(Exception):
    """The pass ended before the awaited batch was committed; never leaves the mapping thread."""


@dataclass
class Turns:
    """How many batches of a pass are committed, told by the committing thread and awaited by the mapping one."""

    _committed: int = 0
    _closed: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def committed(self) -> None:
        """Tell that one more batch is committed."""
        with self._changed:
            self._committed += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Tell that no batch will be committed any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_for(self, batches: int) -> None:
        """Wait until that many batches are committed.

        Raises:
            Stopped: the pass has ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._committed >= batches)
            if self._committed < batches:
                raise Stopped


@dataclass(frozen=True)
class PatientLinks:
    """The port `casemodel.Links`: what goes to the mapping or the table being loaded waits for the commit before it."""

    links: Links
    mappings: frozenset[str]
    """The mapping being loaded, and those that give to the same records."""
    table: str
    wait: Callable[[], None]

    def resolve(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Resolve keys of another mapping (see `casemodel.Links.resolve`)."""
        if request.mapping in self.mappings:
            self.wait()
        return self.links.resolve(request, keys)

    def lookup(self, table: str, columns: tuple[str, ...], values: pl.DataFrame) -> pl.DataFrame:
        """Look records of the target up (see `casemodel.Links.lookup`)."""
        if table == self.table:
            self.wait()
        return self.links.lookup(table, columns, values)
