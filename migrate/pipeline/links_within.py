"""Links between rows of one batch: rows that wait for others of it are mapped once more, knowing what became of these.

A sub-case usually lies in the batch of its main case.  Left to the retries it would be parked, kept, read, mapped and
committed again.  The target may still refuse the record that is linked to; then the batch is committed as it was mapped
without these links, and the rows wait after all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from casemodel import LinkRequest, Links
from migrate.pipeline.batch import Batch
from migrate.pipeline.links import link_state_of

LEVELS = 5
"""A chain of links within a batch is followed so far; what is further away is tried again after the main pass."""

OF_A_KEY = ("issues", "waits", "rejects", "linked")
"""What a batch holds of a row besides itself and its record."""


@dataclass(frozen=True)
class WithinLinks:
    """The port `casemodel.Links`: links by the mapping's own key find the rows of the batch, all else as before.

    Args:
        known: ``key``, ``target_id`` and ``state`` (see `casemodel.Links.resolve`) of the rows of the batch.
    """

    links: Links
    mapping: str
    known: pl.DataFrame

    def resolve(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Resolve keys of another mapping (see `casemodel.Links.resolve`)."""
        if request != LinkRequest(self.mapping):
            return self.links.resolve(request, keys)
        here = pl.DataFrame({"key": keys.cast(pl.String)}).join(
            self.known, on="key", how="left", maintain_order="left"
        )
        others = here.select(pl.when(pl.col("state").is_null()).then("key").alias("key"))["key"]
        if others.null_count() == others.len():
            return here.select("target_id", "state")
        there = self.links.resolve(request, others)
        return here.select(
            pl.coalesce("target_id", there["target_id"]).alias("target_id"),
            pl.coalesce("state", there["state"]).alias("state"),
        )

    def lookup(self, table: str, columns: tuple[str, ...], values: pl.DataFrame) -> pl.DataFrame:
        """Look records of the target up (see `casemodel.Links.lookup`)."""
        return self.links.lookup(table, columns, values)


def linked_within(
    batch: Batch, mapping: str, number: int, links: Links, map_again: Callable[[pl.Series, Links], Batch]
) -> Batch:
    """Return a batch of which rows that waited for rows of the batch itself are mapped with them.

    Args:
        batch: mapped as if it held none of the keys it links to; its mapping makes one record of one row.
        number: the mapping's number in the ledger.
        map_again: maps the rows of these keys with these links.
    """
    made = batch
    for _ in range(LEVELS):
        known = _known(made.rows)
        ready = _ready(made.waits, number, known)
        if ready.is_empty():
            break
        again = map_again(ready["key"].unique(maintain_order=True), WithinLinks(links, mapping, known))
        found = ready.join(known.filter(pl.col("state") == "linked"), left_on="on_key", right_on="key")["target_id"]
        made = replaced(made, again)
        made = dataclasses.replace(
            made,
            counted_on=made.counted_on.union(found.to_list()),
            apart=_only(batch, pl.concat([ready["key"], *([made.apart.rows["key"]] if made.apart else [])])),
        )
    return made


def _known(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop_nulls("key").select(
        "key", pl.col("kept_id").alias("target_id"), link_state_of("state", "kept_id").alias("state")
    )


def _ready(waits: pl.DataFrame, number: int, known: pl.DataFrame) -> pl.DataFrame:
    """Return the waits for rows of the batch that became something else than was seen, and do not wait themselves."""
    mine = waits.filter(pl.col("on_mapping_id") == number, pl.col("on_other_key") == "")
    open_ones = mine.join(known.select("key", now="state"), left_on="on_key", right_on="key").filter(
        (pl.col("now") != "waiting") & (pl.col("now") != pl.col("seen"))
    )
    later = open_ones.filter(pl.col("on_key").is_in(open_ones["key"].implode()))
    return open_ones.filter(~pl.col("key").is_in(later["key"].implode()))


def without_links_within(batch: Batch) -> Batch:
    """Return a batch as it was mapped without links between its rows."""
    assert batch.apart is not None
    return dataclasses.replace(replaced(batch, batch.apart), counted_on=frozenset(), apart=None)


def replaced(batch: Batch, other: Batch) -> Batch:
    """Return a batch in which another one says what becomes of its rows, each with a key of its own."""
    keys = other.rows["key"]
    order = batch.rows.select("key").with_row_index("_place")
    rows = pl.concat(
        [
            batch.rows.with_row_index("_place").filter(~_among("key", keys)),
            other.rows.join(order, on="key", how="left", maintain_order="left").select("_place", *batch.rows.columns),
        ]
    ).sort("_place")
    records = pl.concat([batch.records.filter(~_among("record_key", keys)), other.records])
    if other.records.height:
        places = records.select("record_key").join(
            order, left_on="record_key", right_on="key", how="left", maintain_order="left"
        )
        records = records[places["_place"].arg_sort()]
    whole = {
        name: pl.concat([getattr(batch, name).filter(~_among("key", keys)), getattr(other, name)]) for name in OF_A_KEY
    }
    return dataclasses.replace(batch, rows=rows.drop("_place"), records=records, **whole)


def _only(batch: Batch, keys: pl.Series) -> Batch:
    """Return what a batch says of the rows of some keys."""
    mine = {name: getattr(batch, name).filter(_among("key", keys)) for name in ("rows", *OF_A_KEY)}
    return dataclasses.replace(
        batch, records=batch.records.filter(_among("record_key", keys)), source=batch.source.clear(), **mine
    )


def _among(column: str, keys: pl.Series) -> pl.Expr:
    return pl.col(column).is_in(keys.implode()).fill_null(False)
