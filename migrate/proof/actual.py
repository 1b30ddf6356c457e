"""The actual side: the target table of one mapping, read directly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl
import sqlalchemy as sa

from casemodel import Target, tables, unique_keys
from connectors import Scratch, as_text
from migrate.ledger.tables import ledger_table
from migrate.pipeline.batch import record_hash
from migrate.pipeline.before_images import WRITE
from migrate.proof.sample import Sample

PAGE = 100_000
MOST_PREVIOUS = 10_000
"""Of the records of a batch that differ: so many are held against what they were before."""


@dataclass
class TargetAgain:
    """`reconciliation.ActualSide` over one target table."""

    target: Target
    table: str
    hash_key: bytes
    sample: Sample | None = None
    """The records that `ids` gives."""
    reader: Callable[[], Target] | None = None
    """Opens the target once more, for the thread that reads records; None: there is none."""
    _scratch: Scratch = field(default_factory=Scratch)
    _explained: bool = False
    _hashed: bool = False

    def records(self, ids: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        """Read records by id (see `reconciliation.ActualSide`)."""
        table = tables[self.table]
        reader = self.target if self.reader is None else self.reader()
        return reader.records(table, [table.c[name] for name in ("id", *columns)], ids)

    def settled(self, ids: pl.Series) -> pl.Series:
        """Return the ids whose values people chose to keep (see `reconciliation.ActualSide`)."""
        chosen = ids.filter(ids.is_in(self._kept["id"].implode()))
        return self.edits(chosen).filter("settled")["id"] if chosen.len() else chosen

    def edits(self, ids: pl.Series, keys: pl.Series | None = None) -> pl.DataFrame:
        """Tell which records people edited (see `reconciliation.ActualSide`)."""
        written = self._written_by(ids, keys) if keys is not None else None
        if written is None or written.height < ids.len():
            written = self._written(ids)
        parts = [self._compared(group, json.loads(str(columns[0]))) for columns, group in written.group_by("columns")]
        nothing = {"id": pl.String, "edited": pl.Boolean, "settled": pl.Boolean}
        return pl.concat(parts) if parts else pl.DataFrame(schema=nothing)

    def _written(self, ids: pl.Series) -> pl.DataFrame:
        """Return ``id``, ``hash``, ``columns`` of what was written to records; the ledger has them by their key."""
        if not self._hashed:
            self._keep_hashes()
        kept = pl.scan_parquet(self._scratch.folder / "hash-*.parquet")
        return kept.join(ids.to_frame("id").lazy(), on="id", how="semi").collect(engine="streaming")

    def _written_by(self, ids: pl.Series, keys: pl.Series) -> pl.DataFrame:
        """Return the same of those whose key is one of these."""
        record, sets = (ledger_table(self.target.dialect, name) for name in ("record", "column_set"))
        staged = self.target.ask("proof_written", keys.drop_nulls().unique().to_frame("key"))
        statement = (
            sa.select(record.c.target_id, record.c.record_hash, sets.c.columns)
            .join(sets, sets.c.id == record.c.column_set_id)
            .where(record.c.mapping_id.in_([number for number, _ in self._writers]))
            .where(record.c.record_key.in_(sa.select(staged.c.key)))
        )
        found = self.target.query(statement, ("id", "hash", "columns"))
        return found.join(ids.to_frame("id"), on="id", how="semi").unique("id")

    def previous(self, ids: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        """Tell what records held before (see `reconciliation.ActualSide`): of the first `MOST_PREVIOUS` at most."""
        kept = ledger_table(self.target.dialect, "before_row")
        rows: dict[str, dict[str, str | None]] = {}
        if self._has_previous and ids.len():
            staged = self.target.ask("proof_previous", ids.head(MOST_PREVIOUS).to_frame("id"))
            wanted = sa.select(kept.c.target_id, kept.c.row).where(
                kept.c.target == self.table, kept.c.kind == WRITE, kept.c.target_id.in_(sa.select(staged.c.id))
            )
            found = self.target.query(wanted.order_by(kept.c.undo_run), ("id", "row"))
            rows = {key: json.loads(row) for key, row in found.iter_rows()}    # the newest of each stays
        values = [{"id": key, **{name: {"value": row.get(name)} for name in columns}} for key, row in rows.items()]
        return pl.DataFrame(values, {"id": pl.String} | dict.fromkeys(columns, pl.Struct({"value": pl.String})))

    @cached_property
    def _has_previous(self) -> bool:
        kept = ledger_table(self.target.dialect, "before_row")
        any_row = sa.select(kept.c.target_id).where(kept.c.target == self.table, kept.c.kind == WRITE).limit(1)
        return self.target.query(any_row, ("id",)).height > 0

    @cached_property
    def _kept(self) -> pl.DataFrame:
        """What people chose to keep: ``id``, ``hash`` of the values not written and ``kept``, of those that stay."""
        resolution, mapping = (ledger_table(self.target.dialect, name) for name in ("resolution", "mapping"))
        statement = (
            sa.select(resolution.c.target_id, resolution.c.record_hash, resolution.c.kept_hash)
            .join(mapping, mapping.c.id == resolution.c.mapping_id)
            .where(mapping.c.target == self.table, resolution.c.kept_hash.is_not(None))
        )
        return self.target.query(statement, ("id", "hash", "kept")).unique()

    def _keep_hashes(self) -> None:
        """Write the record hashes of the table to a scratch store: the ledger has them by key, not by id."""
        record, sets = (ledger_table(self.target.dialect, name) for name in ("record", "column_set"))
        pl.DataFrame(schema=dict.fromkeys(("id", "hash", "columns"), pl.String)).write_parquet(
            self._scratch.folder / "hash-0.parquet"
        )
        for number, _ in self._writers:
            after, page_number = "", 0
            while True:
                statement = (
                    sa.select(record.c.record_key, record.c.target_id, record.c.record_hash, sets.c.columns)
                    .join(sets, sets.c.id == record.c.column_set_id)
                    .where(record.c.mapping_id == number, record.c.record_key > after)
                    .order_by(record.c.record_key)
                    .limit(PAGE)
                )
                page = self.target.query(statement, ("key", "id", "hash", "columns"))
                if page.is_empty():
                    break
                page_number += 1
                page.drop("key").write_parquet(self._scratch.folder / f"hash-{number}-{page_number:06}.parquet")
                after = str(page["key"][-1])
        self._hashed = True

    @cached_property
    def _writers(self) -> list[tuple[int, str]]:
        """Return number and name of the mappings that write the table."""
        mapping = ledger_table(self.target.dialect, "mapping")
        statement = sa.select(mapping.c.id, mapping.c.name).where(mapping.c.target == self.table)
        return [(int(number), name) for number, name in self.target.query(statement, ("id", "name")).rows()]

    def _compared(self, written: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
        table = tables[self.table]
        now = self.target.records(table, [table.c[name] for name in ("id", *columns)], written["id"])
        hashed = now.select("id", record_hash(columns, self.hash_key).alias("now"))
        now_there = written.join(hashed, on="id", how="inner", maintain_order="left")
        chosen = now_there.join(self._kept, left_on=["id", "hash", "now"], right_on=["id", "hash", "kept"], how="semi")
        settled = pl.col("id").is_in(chosen["id"].implode())
        edited = (pl.col("now") != pl.col("hash")) & ~settled
        return now_there.select("id", edited.alias("edited"), settled.alias("settled"))

    def holders(self, records: pl.DataFrame) -> pl.DataFrame:
        """Look for other records that hold a unique value of these (see `reconciliation.ActualSide`)."""
        target = tables[self.table]
        empty = pl.DataFrame(schema={"id": pl.String, "column": pl.String, "holder": pl.String})
        if records.is_empty():
            return empty
        staged = self.target.ask("proof_holders", records)
        found = [empty]
        for columns in unique_keys(self.table):
            if set(columns) <= set(records.columns):
                same = sa.and_(*(as_text(self.target.dialect, target.c[name]) == staged.c[name] for name in columns))
                statement = (
                    sa.select(staged.c.id, target.c.id.label("holder"))
                    .select_from(staged)
                    .join(target, sa.and_(same, sa.cast(target.c.id, sa.Text) != staged.c.id))
                )
                pairs = self.target.query(statement, ("id", "holder"))
                found.append(pairs.select("id", pl.lit(columns[0]).alias("column"), "holder"))
        return pl.concat(found)

    def ids(self, *columns: str) -> Iterator[pl.DataFrame]:
        """Yield all ids of the table (see `reconciliation.ActualSide`).

        Args:
            columns: columns of the table to read beside the id.
        """
        table = tables[self.table]
        below = None if self.sample is None else self.sample.below
        yield from self.target.whole(table, [table.c[name] for name in ("id", *columns)], PAGE, below)

    def origins(self, ids: pl.Series) -> pl.DataFrame:
        """Return what the id map says of records (see `reconciliation.ActualSide`)."""
        return self._known(ids).unique("id", keep="first", maintain_order=True)

    def _known(self, ids: pl.Series) -> pl.DataFrame:
        """Return all that the id map says of records: ``id``, ``mapping``, ``key``, ``state``."""
        asked = ids.to_frame("id")
        if not self._explained:
            self._explain()
        known = pl.scan_parquet(self._scratch.folder / "ids-*.parquet").join(asked.lazy(), on="id", how="semi")
        return asked.join(known.collect(engine="streaming"), on="id", how="left", maintain_order="left")

    def explained(self, ids: pl.Series) -> pl.DataFrame:
        """Return what the id map says of records: ``id``, ``mapping``, ``key``; the row that leads where many share."""
        found = self._known(ids).sort(pl.col("state") != "loaded", "mapping", "key")
        leading = found.unique("id", keep="first", maintain_order=True).select("id", "mapping", "key")
        return ids.to_frame("id").join(leading, on="id", how="left", maintain_order="left")

    def _explain(self) -> None:
        """Write what the id map says of the table's records to a scratch store, page by page."""
        id_map = ledger_table(self.target.dialect, "id_map")
        schema = {"id": pl.String, "mapping": pl.String, "key": pl.String, "state": pl.String}
        pl.DataFrame(schema=schema).write_parquet(self._scratch.folder / "ids-0.parquet")
        for number, name in self._writers:
            after, page_number = "", 0
            while True:
                statement = (
                    sa.select(id_map.c.target_id, id_map.c.source_key, id_map.c.state)
                    .where(id_map.c.mapping_id == number, id_map.c.source_key > after)
                    .order_by(id_map.c.source_key)
                    .limit(PAGE)
                )
                page = self.target.query(statement, ("id", "key", "state"))
                if page.is_empty():
                    break
                page_number += 1
                wanted = pl.col("id").is_not_null() if self.sample is None else self.sample.holds(pl.col("id"))
                page.filter(wanted).select(
                    "id", pl.lit(name).alias("mapping"), "key", "state"
                ).write_parquet(self._scratch.folder / f"ids-{number}-{page_number:06}.parquet")
                after = str(page["key"][-1])
        self._explained = True

    def close(self) -> None:
        """Remove the scratch store."""
        self._scratch.close()
