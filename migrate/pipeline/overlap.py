"""Mapping the next batch while the last one commits, without the next one seeing anything else than it would have.

What a batch is mapped with changes during a main pass in one respect only: its links and lookups may go to rows of the
same mapping, or to records of the same table, that the batch before it commits.  What that batch will say of its keys
is known before it is committed, so links by key take it from there; if the target then refuses one of its records,
the next batch is mapped anew.  Other links and lookups wait for the commit.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl

from casemodel import LinkRequest
from migrate.pipeline.links import LedgerLinks

TURN_SECONDS = 0.0001


@contextmanager
def quick_turns() -> Iterator[None]:
    """Let threads take turns fifty times as often as Python comes, while it lasts.

    The committing thread answers the database hundreds of times a batch, and waits for the mapping one to give
    way each time: up to 5 ms, in which the database does nothing.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Stopped(Exception):
    """The pass ended before the awaited batch was committed; never leaves the mapping thread."""


@dataclass
class Turns:
    """How many batches of a pass are committed, told by the committing thread and awaited by the mapping one."""

    _committed: int = 0
    _surprised: int = 0
    _closed: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def committed(self, *, as_mapped: bool) -> None:
        """Tell that one more batch is committed.

        Args:
            as_mapped: whether all its rows became what the mapping said; else a conflict or a refusal came between.
        """
        with self._changed:
            self._committed += 1
            if not as_mapped:
                self._surprised = self._committed
            self._changed.notify_all()

    def as_mapped(self, batches: int) -> bool:
        """Return, after `wait_for`, whether the last of that many batches became what the mapping said."""
        with self._changed:
            return self._surprised != batches

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
    """The port `casemodel.Links`: links and lookups see the batch before this one as if it were committed.

    A link by the mapping's own key is answered beforehand, by the rows that batch is about to commit; all else that
    the batch may change waits for its commit.

    Args:
        mappings: the mapping being loaded, and those that give to the same records.
        table: its target table.
        ahead: the rows of the batch being committed (`batch.ROW_SCHEMA` with ``state`` and ``kept_id``); None to wait.
        wait: returns when that batch is committed.
    """

    links: LedgerLinks
    mappings: frozenset[str]
    table: str
    ahead: pl.DataFrame | None
    wait: Callable[[], None]

    def resolve(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Resolve keys of another mapping (see `casemodel.Links.resolve`)."""
        if request.mapping not in self.mappings:
            return self.links.resolve(request, keys)
        if self.ahead is not None and self.links.by_own_key(request):
            return self.links.resolve_with(request, keys, self.ahead)
        self.wait()
        return self.links.resolve(request, keys)

    def lookup(self, table: str, columns: tuple[str, ...], values: pl.DataFrame) -> pl.DataFrame:
        """Look records of the target up (see `casemodel.Links.lookup`)."""
        if table == self.table:
            self.wait()
        return self.links.lookup(table, columns, values)
