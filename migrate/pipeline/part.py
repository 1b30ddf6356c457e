"""Reading a part of a relation: its first rows, or the rows of some keys (`run --limit`, `run --keys`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from mappings import CompiledMapping
from migrate.ledger.store import table
from migrate.pipeline.context import LoadContext
from migrate.pipeline.reading import ReadBatch, Reading, StraightReading, WideReading, whole_groups

_PASS_ROWS = 200_000


@dataclass(frozen=True)
class Part:
    """What a run reads of each of its relations, when that is not all of it.

    limit: so many rows at most, in whole batches; a group larger than that is read whole.
    keys: the canonical source keys that are read; other rows of their groups come along.
    """

    limit: int | None = None
    keys: pl.Series | None = None

    def batch_rows(self, usual: int) -> int:
        """Return how large batches are, so that the limit lies on the boundary of one."""
        return usual if self.limit is None else max(1, self.limit // -(-self.limit // usual))

    def expected(self, rows: int | None) -> int | None:
        """Return how many rows of a relation are read."""
        most = self.limit if self.keys is None else self.keys.len()
        return rows if rows is None or most is None else min(rows, most)

    def of(self, reading: Reading, mapping: CompiledMapping, context: LoadContext) -> Reading:
        """Return a reading of this part of what a reading reads."""
        if self.keys is not None:
            return KeysReading(reading, mapping, self.keys)
        return FirstRows(reading, self.limit or 0, rows_read(context, mapping, wide=isinstance(reading, WideReading)))


def rows_read(context: LoadContext, mapping: CompiledMapping, *, wide: bool) -> int:
    """Return how many rows of a mapping this run committed before it was interrupted."""
    with context.target.engine.connect() as connection:
        batch = table(connection, "batch")
        count = sa.func.coalesce(sa.func.sum(batch.c.read if wide else batch.c.source_rows), 0)
        mine = (batch.c.run_id == context.run_id, batch.c.mapping_id == context.mapping_ids[mapping.name])
        return int(connection.scalar(sa.select(count).where(*mine, batch.c.phase == "main")) or 0)


@dataclass
class FirstRows:
    """The first rows of a relation in reading order; see `migrate.pipeline.reading.Reading`.

    done: rows that were read before the run was interrupted.
    """

    reading: Reading
    limit: int
    done: int

    def batches(self, after: str | None = None) -> Iterator[ReadBatch]:
        """Yield batches while they stay within the limit."""
        read = self.done
        if read >= self.limit:
            return
        for batch in self.reading.batches(after):
            # What has to be sorted first is read whole; its rows are those that are prepared.
            wide = isinstance(self.reading, WideReading)
            rows = batch.prepared.height if wide else batch.source_rows
            if read and read + rows > self.limit:
                return
            yield batch
            read += rows
            if read >= self.limit:
                return

    def again(self, refs: pl.Series) -> Iterator[pl.DataFrame]:
        """Yield the rows with these locators once more, wherever they lie."""
        yield from self.reading.again(refs)

    def close(self) -> None:
        """Remove scratch data."""
        self.reading.close()


@dataclass
class KeysReading:
    """The rows of some keys, with the other rows of their groups; see `migrate.pipeline.reading.Reading`."""

    reading: Reading
    mapping: CompiledMapping
    keys: pl.Series

    def batches(self, after: str | None = None) -> Iterator[ReadBatch]:
        """Yield the rows; by their locators where the source finds rows by key, else in one pass."""
        mapping, reading = self.mapping, self.reading
        if isinstance(reading, StraightReading) and reading.source.keyed and not mapping.group and not mapping.by_query:
            yield from self._located(reading, int(json.loads(after)["located"]) if after else 0)
            return
        for batch in reading.batches(after):
            found = self._mine(batch.prepared)
            if found.height:
                yield ReadBatch(found, found["_ref"].n_unique(), batch.position)

    def _located(self, reading: StraightReading, done: int) -> Iterator[ReadBatch]:
        names = [*self.mapping.key_columns, "_ref"]
        places = [pl.Series("_ref", [], dtype=pl.String)]
        for frame in reading.source.columns(self.mapping.relation, names, _PASS_ROWS):
            keys = self.mapping.keys_only(frame)["_key"]
            rows = pl.select(pl.int_range(keys.len()) // max(1, keys.len() // max(1, frame.height))).to_series()
            places.append(frame["_ref"].gather(rows.filter(keys.is_in(self.keys.implode())).unique(maintain_order=True)))
        refs = pl.concat(places)
        for start in range(done, refs.len(), reading.batch_rows):
            part = refs.slice(start, reading.batch_rows)
            for prepared in reading.again(part):
                found = self._mine(prepared)
                yield ReadBatch(found, part.len(), json.dumps({"located": start + part.len()}))

    def _mine(self, prepared: pl.DataFrame) -> pl.DataFrame:
        mine = prepared.filter(pl.col("_key").is_in(self.keys.implode()))
        grouped = self.mapping.group or self.mapping.group_is_wide
        return whole_groups(prepared, mine["_ref"]) if grouped else mine

    def again(self, refs: pl.Series) -> Iterator[pl.DataFrame]:
        """Yield the rows with these locators once more."""
        yield from self.reading.again(refs)

    def close(self) -> None:
        """Remove scratch data."""
        self.reading.close()
