"""Reading a relation for a mapping: prepared rows in batches that cut no group, from any checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from casemodel import Partition, Source, SystemFailure, keyed_hash
from connectors import Scratch
from mappings import CompiledMapping
from migrate.pipeline.sides import Sides


@dataclass(frozen=True)
class ReadBatch:
    """Prepared rows, the physical records behind them, the checkpoint after them, and what could not be read."""

    prepared: pl.DataFrame
    source_rows: int
    position: str
    unreadable: pl.DataFrame | None = None


class Reading(Protocol):
    """The prepared rows of a relation."""

    def batches(self, after: str | None = None) -> Iterator[ReadBatch]:
        """Yield every row once, from a checkpoint on."""
        ...

    def again(self, refs: pl.Series) -> Iterator[pl.DataFrame]:
        """Yield the rows with these ``_ref`` once more; of a grouped mapping whole groups."""
        ...

    def close(self) -> None:
        """Remove scratch data."""
        ...


def open_reading(source: Source, mapping: CompiledMapping, batch_rows: int) -> Reading:
    """Return how the mapping reads its relation: by raw columns, or grouped by what it makes of them."""
    straight = StraightReading(source, mapping, batch_rows)
    return WideReading(straight, batch_rows) if mapping.group_is_wide else straight


@dataclass
class StraightReading:
    """Rows in the source's own order, grouped by raw columns where the mapping asks for it."""

    source: Source
    mapping: CompiledMapping
    batch_rows: int
    _sides: Sides | None = field(default=None, repr=False)

    def partition(self, after: str | None) -> Partition:
        """Return the relation as one partition in the mapping's reading order."""
        group = tuple(self.mapping.group)
        physical = not self.source.keyed and not group and not self.mapping.by_query
        order = () if physical else (*group, *(name for name in self.mapping.key if name not in group))
        return Partition(self.mapping.relation, self.batch_rows, order=order, group=group, after=after or None)

    def prepare(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return rows with their sides joined, prepared by the mapping."""
        if self.mapping.sides:
            if self._sides is None:
                self._sides = Sides(self.source, self.mapping.sides)
            frame = self._sides.join(frame)
        prepared = self.mapping.prepare(frame)
        return of_whole_groups(prepared, self.mapping) if self.mapping.group else prepared

    def batches(self, after: str | None = None) -> Iterator[ReadBatch]:
        """Yield every row once, from a checkpoint on.

        Raises:
            SystemFailure: RUN-001 the source lacks columns that it had when the run began.
        """
        names = self.source.relation(self.mapping.relation).column_names()
        for extract in self.source.extract(self.partition(after)):
            if any(extract.frame.schema.get(name) != pl.String for name in names):
                from casemodel import check_contract, source_contract  # pandera takes a second to load

                breaches = check_contract(source_contract(names), extract.frame)
                raise SystemFailure(
                    "RUN-001",
                    f"the source is not what the mappings were written for: column {breaches[0].column} is"
                    f" {breaches[0].check} in what was read",
                    hint="The source changed its columns. See `omnicase mapping check`.",
                    place=self.mapping.relation,
                )
            yield ReadBatch(self.prepare(extract.frame), extract.rows, extract.position, extract.unreadable)

    def again(self, refs: pl.Series) -> Iterator[pl.DataFrame]:
        """Yield rows once more by their locators; of a grouped mapping whole groups, found in one more pass."""
        if self.mapping.group:
            for batch in self.batches():
                found = whole_groups(batch.prepared, refs)
                if found.height:
                    yield found
            return
        for start in range(0, refs.len(), self.batch_rows):
            yield self.prepare(self.source.fetch(self.mapping.relation, refs.slice(start, self.batch_rows)))

    def close(self) -> None:
        """Remove the scratch stores of the sides."""
        if self._sides is not None:
            self._sides.close()
            self._sides = None


class WideReading:
    """Rows grouped by something the mapping makes (a slot's value, a value): sorted once into a scratch store."""

    def __init__(self, straight: StraightReading, batch_rows: int) -> None:
        self._straight = straight
        self._batch_rows = batch_rows
        self._scratch = Scratch()
        self._source_rows = 0
        self._unreadable: list[pl.DataFrame] = []
        self._sorted = False

    def _sort(self) -> None:
        if self._sorted:
            return
        folder = self._scratch.folder
        for number, batch in enumerate(self._straight.batches()):
            numbered = batch.prepared.with_columns(pl.lit(number).alias("_batch"))
            numbered.write_parquet(folder / f"read-{number:06}.parquet")
            self._source_rows += batch.source_rows
            if batch.unreadable is not None:
                self._unreadable.append(batch.unreadable)
        if any(folder.glob("read-*.parquet")):
            pl.scan_parquet(folder / "read-*.parquet").sort("_group", "_batch", "_row", nulls_last=True).sink_parquet(
                folder / "sorted.parquet", row_group_size=self._batch_rows
            )
            for file in folder.glob("read-*.parquet"):
                file.unlink()
        self._sorted = True

    def batches(self, after: str | None = None) -> Iterator[ReadBatch]:
        """Yield every row once, in the order of the groups; the position is a row number of the sorted store."""
        self._sort()
        store = self._scratch.folder / "sorted.parquet"
        if not store.exists():
            return
        total = pl.scan_parquet(store).select(pl.len()).collect().item()
        start = int(json.loads(after)["row"]) if after else 0
        unreadable = pl.concat(self._unreadable) if self._unreadable and start == 0 else None
        source_rows = self._source_rows if start == 0 else 0
        while start < total:
            frame = of_whole_groups(self._slice(store, start, total), self._straight.mapping)
            start += frame.height
            yield ReadBatch(frame, source_rows, json.dumps({"row": start}), unreadable)
            source_rows, unreadable = 0, None

    def _slice(self, store: object, start: int, total: int) -> pl.DataFrame:
        """Return rows from `start` on that cut no group; a group larger than a batch makes the batch larger."""
        size = self._batch_rows
        while True:
            frame = pl.scan_parquet(store).slice(start, size).collect()  # type: ignore[arg-type]
            if start + frame.height >= total:
                break
            last = frame["_group"][-1]
            whole = frame.filter(pl.col("_group").ne_missing(last)) if last is not None else frame
            if whole.height:
                frame = whole
                break
            size *= 2
        return frame.drop("_batch").with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("_row"))

    def again(self, refs: pl.Series) -> Iterator[pl.DataFrame]:
        """Yield whole groups once more."""
        for batch in self.batches():
            found = whole_groups(batch.prepared, refs)
            if found.height:
                yield found

    def close(self) -> None:
        """Remove scratch data."""
        self._straight.close()
        self._scratch.close()


def of_whole_groups(prepared: pl.DataFrame, mapping: CompiledMapping) -> pl.DataFrame:
    """Return prepared rows, whole groups of them, with hashes that change when a row joins or leaves their group.

    A window and a record of many rows depend on which rows there are: one that is gone says so by the others.
    """
    secret = mapping.preparation.hash_key
    key = pl.col("_key").fill_null("")
    # 48 bits of each key's hash: sums are exact up to 30,000 rows of a group and wrap beyond, the same everywhere.
    number = keyed_hash([key], secret).str.slice(0, 12).str.to_integer(base=16, dtype=pl.Int64)
    members = prepared.select("_group", "_hash", number.alias("number")).with_columns(
        pl.concat_str(pl.col("number").sum(), pl.len(), separator=" ").over("_group").alias("members")
    )
    hashes = members.select(
        pl.when(pl.col("_group").is_null())
        .then("_hash")
        .otherwise(keyed_hash([pl.col("_hash"), pl.col("members")], secret))
        .alias("_hash")
    )
    return prepared.with_columns(hashes["_hash"])


def whole_groups(prepared: pl.DataFrame, refs: pl.Series) -> pl.DataFrame:
    """Return the rows with these locators and every row of their groups."""
    mine = pl.col("_ref").is_in(refs.implode())
    groups = prepared.filter(mine)["_group"].drop_nulls().unique()
    return prepared.filter(mine | pl.col("_group").is_in(groups.implode()))
