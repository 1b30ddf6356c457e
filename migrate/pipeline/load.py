"""Loading one mapping: its main pass over the relation, and the retries of rows that waited."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, TypeVar

import polars as pl
import sqlalchemy as sa

from casemodel import GuardError, Relation, Source, SystemFailure
from connectors import ahead
from mappings import CompiledMapping, CursorRule
from migrate.ledger.lock import hold_lock
from migrate.ledger.store import table
from migrate.ledger.tables import ROW_TABLES, ledger_table
from migrate.pipeline.batch import Batch, Gate
from migrate.pipeline.change_filter import ChangeFilter
from migrate.pipeline.checkpoint import refuse_gap
from migrate.pipeline.commit import BatchPlace
from migrate.pipeline.context import LoadContext
from migrate.pipeline.cursors import Bounds, CursorReading, bounds
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.gone import drop_old_keyless, mark_gone, note_gone
from migrate.pipeline.keys import Keys, find_gone, scan_keys
from migrate.pipeline.links import LedgerLinks
from migrate.pipeline.mapped_batch import Loader, Sifted, gate_of, open_loader, together
from migrate.pipeline.overlap import PatientLinks, Turns, quick_turns
from migrate.pipeline.part import Part
from migrate.pipeline.reading import Reading, StraightReading, open_reading
from migrate.pipeline.retry import commit_surely
from migrate.pipeline.rings import Rings
from migrate.pipeline.staging import StagedBatch, stage
from migrate.pipeline.standing import Standing, content_digest, count_standing, fingerprint, form_of, standing
from migrate.pipeline.take_back import take_back
from migrate.pipeline.waits import Waiting, rows_of, waiting_rows
from migrate.pipeline.workers import Workers, begin_pass, mapped_by
from migrate.progress import Progress
from migrate.running.interrupt import stop_here

T = TypeVar("T")

READ_TOGETHER = 20
"""So many readings in a row are mapped and committed with the next one, where all they have to map is half a batch."""

MANY = 1_000
"""From so many rows in its first batch on, the database is asked to count the ledger anew (`Target.count_anew`)."""

REJECTS_FROM_ROWS = 1_000
"""From how many rows on --max-rejects is looked at (DESIGN.md, section 6)."""


@dataclass
class MappingLoad:
    """One mapping in one run."""

    context: LoadContext
    mapping: CompiledMapping
    source: Source
    relation: Relation
    links: LedgerLinks
    cursor: CursorRule | None = None
    workers: Workers | None = None
    """Where batches are mapped; None: in a thread of this process."""
    part: Part | None = None
    """What is read of the relation; None: all of it."""
    _low: str | None = None
    _loader: Loader | None = None
    _reading: Reading | None = None
    _keys: Keys | None = field(default=None, repr=False)

    @property
    def number(self) -> int:
        """The mapping's number in the ledger."""
        return self.context.mapping_ids[self.mapping.name]

    def loader(self) -> Loader:
        """Return what turns rows into batches; made at the first call, with the keys-only pass."""
        if self._loader is None:
            self._loader = open_loader(self.context, self.mapping, self.links, self._duplicates)
        return self._loader

    def _duplicates(self, changes: ChangeFilter) -> pl.Series:
        self._keys = scan_keys(self.source, self.relation, self.mapping, known=not changes.first_load)
        return self._keys.duplicates

    def gate(self) -> Gate:
        """Return the last gate of the mapping's records."""
        return gate_of(self.mapping, self.context.secrets)

    def reading(self) -> Reading:
        """Return how the relation is read; opened at the first call."""
        if self._reading is None:
            rows = self.context.batch_rows if self.part is None else self.part.batch_rows(self.context.batch_rows)
            reading = open_reading(self.source, self.mapping, rows)
            if self.cursor is not None and self._low is not None and isinstance(reading, StraightReading):
                loader, low = self.loader(), self.cursor.typed(self._low)
                reading = CursorReading(reading, self.cursor, low, loader.changes, loader.duplicates)
            self._reading = reading if self.part is None else self.part.of(reading, self.mapping, self.context)
        return self._reading

    def close(self) -> None:
        """Drop scratch data and what is remembered of the relation."""
        if self._reading is not None:
            self._reading.close()
        self._reading, self._loader, self._keys = None, None, None

    def load(self, progress: Progress, *, max_rejects: float | None = None) -> None:
        """Read the relation, in full or by its cursor, and load it; goes on after the last committed batch of this run.

        Args:
            max_rejects: share of rejected rows above which it stops at a batch boundary (from 1,000 rows on).

        Raises:
            SystemFailure: RUN-001 the source lacks columns, RUN-002 it changed while it was read.
            GuardError: RUN-020 too many rejects.
        """
        state = self._begin()
        self._low = state["cursor_low"]
        if state["state"] == "reading":
            known = self._standing(state)
            if known is None:
                self._main_pass(state["position"], progress, max_rejects)
                self._finish_reading(state["fingerprint"])
            else:
                count_standing(self.context, self.number, known)
                progress.advance(known.source_rows, rejected=known.settled.get("rejected", 0))
        if self.mapping.giving is not None:
            take_back(self.context, self.mapping.name, self.gate())
        if self.part is None:
            self.context.full_read.add(self.mapping.name)
        self.links.forget(self.mapping.name, self.mapping.target)

    def _begin(self) -> dict[str, Any]:
        """Return how far this run is with the mapping, making the ledger's row when it begins."""
        with self.context.target.transaction() as connection:
            hold_lock(connection, self.context.epoch)
            progress = table(connection, "progress")
            mine = sa.and_(progress.c.run_id == self.context.run_id, progress.c.mapping_id == self.number)
            row = connection.execute(sa.select(progress).where(mine)).mappings().first()
            if row is not None:
                content, reading = content_digest(self.source, self.mapping), row["state"] == "reading"
                if reading and row["content"] != content:
                    # It goes on with other rows than it began with: what it has read then is no content of any moment.
                    connection.execute(sa.update(progress).where(mine).values(content=None))
                if (content is None or row["content"] != content) and (row["position"] or not reading):
                    self.context.moved_on.add(self.mapping.name)
                refuse_gap(connection, row, self.mapping.name)
                return dict(row)
        found = Bounds(None, None)
        if self.cursor is not None:
            found = bounds(self.context, self.mapping, self.source, self.cursor)
        with self.context.target.transaction() as connection:
            hold_lock(connection, self.context.epoch)
            values: dict[str, Any] = {
                "run_id": self.context.run_id,
                "mapping_id": self.number,
                "state": "reading",
                "position": None,
                "full_read": 0,
                "file_digest": self.mapping.file_digest,
                "meaning": self.mapping.meaning,
                "fingerprint": fingerprint(self.source, self.mapping),
                "form": json.dumps(form_of(self.source, self.mapping)),
                "content": content_digest(self.source, self.mapping),
                "cursor_by": None if self.cursor is None else self.cursor.digest,
                "cursor_low": None if found.low is None else str(found.low),
                "cursor_high": None if found.high is None else str(found.high),
            }
            connection.execute(sa.insert(progress).values(**values))
            failpoint("before-begin-commit")
        failpoint("after-begin")
        return values

    def _standing(self, state: dict[str, Any]) -> Standing | None:
        """Return how the rows stand, where they need not be read; by a cursor, or once reading has begun, they are."""
        if self.part is not None or self.context.full or self._low is not None or self._next_batch("main") > 0:
            return None
        return standing(self.context, self.mapping, state["content"])

    def _main_pass(self, position: str | None, progress: Progress, max_rejects: float | None) -> None:
        """Commit batch after batch; a thread maps the next one meanwhile."""
        loader = self.loader()
        read = rejected = 0
        seq = self._next_batch("main")
        turns = Turns()
        mapped = partial(self._mapped, position, turns, first=seq == 0)
        if self.workers is not None:
            mapped = partial(self._mapped_apart, self.workers, position, seq)
        with quick_turns(), closing(ahead(mapped)) as batches:
            try:
                for staged in batches:
                    batch = staged.batch
                    place = BatchPlace(self.mapping.name, self.mapping.target, "main", seq)
                    committed = commit_surely(self.context, place, staged, loader.gate)
                    tally = committed.tally
                    self.links.forget(self.mapping.name, self.mapping.target)
                    turns.committed(as_mapped=committed.as_mapped)
                    if loader.changes.first_load and seq == 0 and tally.read >= MANY:
                        self._count_anew()
                    seq += 1
                    progress.advance(batch.source_rows, rejected=tally.rejected)
                    failpoint("between-batches")
                    stop_here()
                    read, rejected = read + tally.read, rejected + tally.rejected - batch.settled.get("rejected", 0)
                    if max_rejects is not None and read >= REJECTS_FROM_ROWS and rejected > max_rejects * read:
                        raise GuardError(
                            "RUN-020",
                            f"{rejected:,} of {read:,} rows are rejected, more than --max-rejects allows",
                            hint="What is committed stays. See `omnicase rejects list`, mend, and run again.",
                            place=self.mapping.name,
                        )
                    del staged, batch  # The next one is being made: two are in memory, not three.
            finally:
                turns.close()

    def _count_anew(self) -> None:
        target = self.context.target
        target.count_anew(*(ledger_table(target.dialect, name) for name in ROW_TABLES))

    def _mapped(self, position: str | None, turns: Turns, *, first: bool) -> Iterator[StagedBatch]:
        """Yield the batches of the main pass, each mapped as if the one before it were committed; two are in memory."""
        loader, rows, numbers = self.loader(), None, count()
        for sifted in self._sifted(position):
            number = next(numbers)  # enumerate would keep the rows while the next ones are read.
            mine = self.links.siblings(self.mapping.name)
            links = partial(PatientLinks, self.links, mine, self.mapping.target)
            wait, begins = partial(turns.wait_for, number), first and number == 0
            batch = loader.batch_of(sifted, links(rows, wait), first=begins)
            staged = self._staged(batch, slot=number % 2)
            wait()
            if rows is not None and not turns.as_mapped(number):
                batch = loader.batch_of(sifted, links(None, wait), first=begins)
                staged = self._staged(batch, slot=number % 2)
            rows = None if self.mapping.name in self.context.shared else batch.rows.select("key", "state", "kept_id")
            del batch, sifted
            yield staged

    def _sifted(self, position: str | None) -> Iterator[Sifted]:
        """Yield what is to be mapped; readings in which little or nothing changed are yielded as one."""
        loader, most = self.loader(), self.context.batch_rows
        held: list[Sifted] = []
        for found in self._prepared(partial(self.reading().batches, position)):
            sifted = loader.sifted(found)
            rows = sum(each.todo.height for each in held)
            if held and rows + sifted.todo.height > most:
                yield _taken(held)
                rows = 0
            held.append(sifted)
            rows += sifted.todo.height
            del found, sifted
            if len(held) > READ_TOGETHER or 2 * rows >= most:
                yield _taken(held)
        if held:
            yield _taken(held)

    def _prepared(self, read: Callable[[], Iterator[T]]) -> Generator[T, None, None]:
        """Yield what is read and prepared; where that asks nothing of the target, by a thread of its own."""
        if isinstance(self.reading(), StraightReading):
            with closing(ahead(read)) as found:
                yield from found
        else:
            yield from read()

    def _mapped_apart(self, workers: Workers, position: str | None, begun: int) -> Iterator[StagedBatch]:
        """Yield the batches of the main pass, mapped by workers; each is committed by itself, since they count them."""
        work = begin_pass(workers, self.context, self.loader(), begun)
        for number, batch in enumerate(mapped_by(workers, work, self.reading().batches(position))):
            yield self._staged(batch, slot=number % 2)

    def _staged(self, batch: Batch, *, slot: int = 0) -> StagedBatch:
        """Stage a batch; where records are shared, what goes in is known only when the batch before is committed."""
        if self.mapping.name in self.context.shared:
            return StagedBatch(batch, {})
        return stage(self.context, self.mapping.target, batch, slot)

    def _finish_reading(self, begun: str) -> None:
        """Mark the relation as read, and the keys that left it as gone, in one transaction; of a part none is gone."""
        if fingerprint(self.source, self.mapping) != begun:
            raise SystemFailure(
                "RUN-002",
                "the source changed while it was read",
                place=self.mapping.relation,
                hint="What is committed stays. Run again; the next run compares everything anew.",
            )
        keys = self._keys if self.part is None else None
        failpoint("before-gone")
        gone = list(find_gone(self.context, self.mapping.name, keys)) if keys is not None else []
        with self.context.target.transaction() as connection:
            hold_lock(connection, self.context.epoch)
            kept = mark_gone(connection, self.context, self.number, gone)
            progress = table(connection, "progress")
            connection.execute(
                sa.update(progress)
                .where(progress.c.run_id == self.context.run_id, progress.c.mapping_id == self.number)
                .values(state="read", full_read=int(self.part is None))
            )
            drop_old_keyless(connection, self.context, self.number, self.part)
            if kept:
                note_gone(connection, self.context, self.number, kept)
            failpoint("before-read-commit")
        failpoint("after-read-commit")

    def retry(self) -> int:
        """Map again the rows whose awaited key changed; return how many were tried."""
        return self._try_again(waiting_rows(self.context, self.number), Loader.retry_of)

    def open_rings(self, rings: Rings) -> int:
        """Load the rows of the mapping that lie in circles without the links that close these; return how many."""
        keys = rings.rows.get(self.number)
        if keys is None:
            return 0
        return self._try_again(
            rows_of(self.context, self.number, keys), partial(Loader.opening, awaited=rings.awaited)
        )

    def _try_again(self, waiting: Waiting, batch_of: Callable[[Loader, pl.DataFrame, pl.DataFrame], Batch]) -> int:
        if waiting.rows.is_empty():
            return 0
        failpoint("before-retry")
        loader = self.loader()
        tried = 0
        refs = waiting.rows["ref"].unique(maintain_order=True)
        with closing(self._prepared(partial(self.reading().again, refs))) as again:
            for prepared in again:
                batch = batch_of(loader, prepared, waiting.outcomes)
                place = BatchPlace(self.mapping.name, self.mapping.target, "retry", self._next_batch("retry"))
                commit_surely(self.context, place, self._staged(batch), loader.gate)
                self.links.forget(self.mapping.name, self.mapping.target)
                tried += prepared.height
                stop_here()
        return tried

    def _next_batch(self, phase: str) -> int:
        """Return the number of the next batch of a phase."""
        with self.context.target.engine.connect() as connection:
            batch = table(connection, "batch")
            last = connection.scalar(
                sa.select(sa.func.max(batch.c.seq)).where(
                    batch.c.run_id == self.context.run_id, batch.c.mapping_id == self.number, batch.c.phase == phase
                )
            )
        return 0 if last is None else int(last) + 1


def _taken(held: list[Sifted]) -> Sifted:
    """Take all that is held, as one: who yields it must not keep it."""
    taken = together(held)
    held.clear()
    return taken
