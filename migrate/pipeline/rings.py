"""Rows that wait for each other in a circle: those that may be loaded without the link that closes it (LANGUAGE.md).

Only what lies in a circle is loaded so: a row below a rejected one goes on waiting, and so does all that waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import LinkRequest, Links
from mappings import CompiledMapping
from migrate.ledger.tables import ledger_table
from migrate.pipeline.circles import closed_circles
from migrate.pipeline.context import LoadContext


@dataclass(frozen=True)
class Rings:
    """Rows to load without the links that close a circle.

    rows: by the mapping's number, the source keys of its rows.
    awaited: ``mapping``, ``other_key`` and ``key``: what is linked to later, although some of it is loaded by now.
    """

    rows: Mapping[int, pl.Series]
    awaited: pl.DataFrame


@dataclass(frozen=True)
class RingLinks:
    """The port `casemodel.Links`: what lies in the circles waits, so that no row of them depends on their order."""

    links: Links
    awaited: pl.DataFrame

    def resolve(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Resolve keys of another mapping (see `casemodel.Links.resolve`)."""
        found = self.links.resolve(request, keys)
        mine = (pl.col("mapping") == request.mapping) & (pl.col("other_key") == ",".join(request.other_key))
        later = keys.cast(pl.String).is_in(self.awaited.filter(mine)["key"].implode()).fill_null(False)
        return found.with_columns(
            pl.when(later).then(None).otherwise(pl.col("target_id")).alias("target_id"),
            pl.when(later).then(pl.lit("waiting")).otherwise(pl.col("state")).alias("state"),
        )

    def lookup(self, table: str, columns: tuple[str, ...], values: pl.DataFrame) -> pl.DataFrame:
        """Look records of the target up (see `casemodel.Links.lookup`)."""
        return self.links.lookup(table, columns, values)


def find_rings(context: LoadContext, mappings: Sequence[CompiledMapping]) -> Rings | None:
    """Return the rows of these mappings that lie in circles of parked rows, where no row waits for anything else.

    Circles through an identity are not found.
    """
    may_wait = _may_wait(context, mappings)
    numbers = sorted(set(may_wait["mapping_id"]))
    if not may_wait["breakable"].any() or _waits(context, numbers, most=1).is_empty():
        return None
    waits = _waits(context, numbers).join(may_wait, on=["mapping_id", "field", "on_mapping_id"], maintain_order="left")
    circle = closed_circles(waits)
    opened = waits.filter(pl.col("of").is_in(circle.implode()))
    # What cannot be loaded without one of its links follows those that can.
    opened = opened.filter(pl.col("breakable").all().over("of"))
    if opened.is_empty():
        return None
    rows = opened.unique(["mapping_id", "source_key"], maintain_order=True).partition_by("mapping_id", as_dict=True)
    return Rings(
        {int(str(number)): found["source_key"] for (number,), found in rows.items()},
        opened.select("mapping", other_key="on_other_key", key="on_key").unique(),
    )


def _may_wait(context: LoadContext, mappings: Sequence[CompiledMapping]) -> pl.DataFrame:
    """Return the links that park, and whether a row may be loaded without them to open a circle."""
    ids = context.mapping_ids
    return pl.DataFrame(
        [
            (ids[mapping.name], field, ids[on], on, breakable)
            for mapping in mappings
            for (field, on), breakable in mapping.parking.items()
            if on in ids
        ],
        schema={
            "mapping_id": pl.Int64,
            "field": pl.String,
            "on_mapping_id": pl.Int64,
            "mapping": pl.String,
            "breakable": pl.Boolean,
        },
        orient="row",
    )


_NAMES = ("mapping_id", "source_key", "of", "field", "on_mapping_id", "on_other_key", "on_key", "on")


def _waits(context: LoadContext, numbers: Sequence[int], most: int | None = None) -> pl.DataFrame:
    """Return what parked rows of mappings wait for: `_NAMES`; ``on`` is a parked row or NULL.

    Args:
        most: so many waits of each kind at most, and only those for parked rows.
    """
    wait = ledger_table(context.target.dialect, "wait")
    by_record = wait.c.on_mapping_id.in_(sorted(context.by_record) or [-1])
    plain, other = wait.c.on_other_key == "", wait.c.on_other_key != ""
    ways = (
        _way(context, numbers, sa.and_(plain, ~by_record), "source_key", most),
        _way(context, numbers, sa.and_(plain, by_record), "record_key", most),
        _way(context, numbers, other, "other_key", most),
    )
    found = pl.concat([context.target.query(each, _NAMES) for each in ways])
    return found.with_columns(pl.col("mapping_id", "on_mapping_id").cast(pl.Int64))


def _way(
    context: LoadContext, numbers: Sequence[int], which: sa.ColumnElement[bool], by: str, most: int | None
) -> sa.Select[Any]:
    """Return the SELECT of waits of one kind, which find the row they are for by its key, its record or another key."""
    dialect = context.target.dialect
    wait, id_map = ledger_table(dialect, "wait"), ledger_table(dialect, "id_map")
    own, parent = id_map.alias("own"), id_map.alias("parent")
    there: sa.FromClause = parent
    found = sa.and_(parent.c.mapping_id == wait.c.on_mapping_id, parent.c.state == "parked")
    if by == "other_key":
        kept = ledger_table(dialect, "other_key")
        there = sa.join(
            kept, parent, sa.and_(parent.c.mapping_id == kept.c.mapping_id, parent.c.source_key == kept.c.source_key)
        )
        same = sa.and_(kept.c.columns == wait.c.on_other_key, kept.c.key == wait.c.on_key)
    else:
        same = parent.c[by] == wait.c.on_key
    mine = sa.and_(own.c.mapping_id == wait.c.mapping_id, own.c.source_key == wait.c.source_key)
    joined = wait.join(own, mine).join(there, sa.and_(found, same), isouter=most is None)
    columns = (wait.c.field, wait.c.on_mapping_id, wait.c.on_other_key, wait.c.on_key)
    statement = sa.select(
        wait.c.mapping_id, wait.c.source_key, _name(context, own), *columns, _name(context, parent)
    ).select_from(joined)
    parked = sa.and_(wait.c.mapping_id.in_(numbers), wait.c.outcome == "parked", own.c.state == "parked", which)
    return statement.where(parked).limit(most)


def _name(context: LoadContext, row: sa.FromClause) -> sa.ColumnElement[str]:
    """Return the name of the record that a row of the id map is of, or is part of, among those that wait."""
    record = sa.case(
        (row.c.mapping_id.in_(sorted(context.by_record) or [-1]), sa.func.coalesce(row.c.record_key, row.c.source_key)),
        else_=row.c.source_key,
    )
    return sa.cast(row.c.mapping_id, sa.String) + ":" + record
