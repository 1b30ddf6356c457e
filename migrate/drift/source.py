"""The old system's side of drift: its rows now against the id map as a run left it.

The id map of that moment is the id map of now, with each row that a later run changed as the before-images of that run
have it.  Every row is read again and hashed again, whatever cursor the mapping has: a cursor that lies is drift too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from casemodel import Source, Target
from mappings import CompiledMapping
from migrate.ledger.tables import ledger_table
from migrate.pipeline.keys import scan_keys
from migrate.pipeline.reading import open_reading
from migrate.progress import progress

_PAGE = 100_000
_GONE = "gone"


@dataclass(frozen=True)
class SourceDrift:
    """Rows that came, changed or left, batch by batch.

    frame: ``key``, ``kind`` (``added``, ``changed``, ``removed`` or ``unknown``) and ``waits`` (no run took it over
        yet).
    without_key: rows that nobody can follow.
    """

    frame: pl.DataFrame
    without_key: int = 0


@dataclass(frozen=True)
class SourceSide:
    """What is compared of one mapping.

    number: of the mapping in the ledger; -1 when no run knows it.
    since: the run.
    comparable: whether rows hash as they did then: with another meaning of the mapping they do not.
    """

    target: Target
    mapping: CompiledMapping
    source: Source
    batch_rows: int
    number: int
    since: int
    comparable: bool

    def drift(self) -> Iterator[SourceDrift]:
        """Yield what came and changed, then what left (8 bytes a row for the keys)."""
        relation = self.source.relation(self.mapping.relation)
        doubles = scan_keys(self.source, relation, self.mapping, known=True).duplicates
        reading = open_reading(self.source, self.mapping, self.batch_rows)
        seen: list[pl.Series] = []
        repeated: list[pl.DataFrame] = []
        try:
            with progress(f"read {self.mapping.name}", self.source.count(self.mapping.relation)) as bar:
                for batch in reading.batches():
                    rows = batch.prepared.select(pl.col("_key").alias("key"), pl.col("_hash").alias("hash"))
                    keyed = rows.drop_nulls("key")
                    seen.append(keyed["key"].hash())
                    often = pl.col("key").is_in(doubles.implode())
                    repeated.append(keyed.filter(often))
                    unreadable = 0 if batch.unreadable is None else batch.unreadable.height
                    bar.advance(batch.source_rows)
                    yield SourceDrift(self._moved(keyed.filter(~often)), rows.height - keyed.height + unreadable)
        finally:
            reading.close()
        # A key of several rows changed when none of them is the row that was loaded.
        if repeated and (rows := pl.concat(repeated)).height:
            yield SourceDrift(self._moved(rows))
        keys = pl.concat([pl.Series("key", [], dtype=pl.UInt64), *seen])
        yield from (SourceDrift(page) for page in self._left(keys))

    def _moved(self, rows: pl.DataFrame) -> pl.DataFrame:
        known = self._known(rows["key"].unique())
        both = rows.join(known, on="key", how="left", maintain_order="left")
        same, same_now = pl.col("hash") == pl.col("then_hash"), pl.col("hash") == pl.col("now_hash")
        here = (
            both.with_columns(same.fill_null(False).alias("same"), same_now.fill_null(False).alias("taken"))
            .group_by("key", maintain_order=True)
            .agg(pl.col("same", "taken").any(), pl.col("then_state", "then_hash").first())
        )
        new = pl.col("then_state").is_null() | (pl.col("then_state") == _GONE)
        unclear = pl.lit(not self.comparable) | pl.col("then_hash").is_null()
        kind = (
            pl.when(new).then(pl.lit("added"))
            .when(pl.col("same")).then(None)
            .when(unclear).then(pl.lit("unknown"))
            .otherwise(pl.lit("changed"))
        )  # fmt: skip
        return here.select("key", kind.alias("kind"), (~pl.col("taken")).alias("waits")).drop_nulls("kind")

    def _left(self, seen: pl.Series) -> Iterator[pl.DataFrame]:
        id_map, after = ledger_table(self.target.dialect, "id_map"), ""
        while True:
            statement = (
                sa.select(id_map.c.source_key)
                .where(id_map.c.mapping_id == self.number, id_map.c.source_key > after)
                .order_by(id_map.c.source_key)
                .limit(_PAGE)
            )
            keys = self.target.query(statement, ("key",))["key"]
            if keys.is_empty():
                return
            missing = keys.filter(~keys.hash().is_in(seen.implode()))
            if missing.len():
                known = self._known(missing)
                there = known.filter(pl.col("then_state").is_not_null() & (pl.col("then_state") != _GONE))
                waits = (pl.col("now_state") != _GONE).fill_null(False)
                yield there.select("key", pl.lit("removed").alias("kind"), waits.alias("waits"))
            after = str(keys[-1])

    def _known(self, keys: pl.Series) -> pl.DataFrame:
        """Return of each key what the id map said when the run had ended, and says now (NULL: it did not know it)."""
        id_map, before = (ledger_table(self.target.dialect, name) for name in ("id_map", "before_id_map"))
        staged = self.target.ask("drift_keys", keys.to_frame("key"))
        wanted = sa.select(staged.c.key)
        now = self.target.query(
            sa.select(id_map.c.source_key, id_map.c.state, id_map.c.source_hash, id_map.c.run_id).where(
                id_map.c.mapping_id == self.number, id_map.c.source_key.in_(wanted)
            ),
            ("key", "now_state", "now_hash", "now_run"),
        )
        columns = (before.c.source_key, before.c.state, before.c.source_hash, before.c.run_id, before.c.undo_run)
        later = before.c.undo_run > self.since
        was = self.target.query(
            sa.select(*columns).where(before.c.mapping_id == self.number, later, before.c.source_key.in_(wanted)),
            ("key", "was_state", "was_hash", "was_run", "undo"),
        )
        first = was.sort(pl.col("undo").cast(pl.Int64)).unique("key", keep="first", maintain_order=True)
        kept = pl.col("undo").is_not_null()
        of_then = pl.when(kept).then("was_run").otherwise("now_run").cast(pl.Int64) <= self.since
        state, known = (pl.when(kept).then(f"was_{name}").otherwise(f"now_{name}") for name in ("state", "hash"))
        return keys.to_frame("key").join(now, on="key", how="left").join(first, on="key", how="left").select(
            "key",
            pl.when(of_then).then(state).alias("then_state"),
            pl.when(of_then).then(known).alias("then_hash"),
            "now_state",
            "now_hash",
        )
