"""Putting a batch where its transaction finds it, while the transaction of the batch before may still be open."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from casemodel import tables
from migrate.pipeline.batch import Batch
from migrate.pipeline.context import LoadContext
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.links_within import without_links_within


@dataclass(frozen=True)
class StagedBatch:
    """A batch of which the frames are staged, by name; what only the stage needs is no longer in memory."""

    batch: Batch
    tables: dict[str, sa.TableClause]
    slot: int = 0
    whole: Batch | None = None
    """The batch with all its frames, where it may have to be staged again without links between its rows."""


def stage(context: LoadContext, table: str, batch: Batch, slot: int = 0) -> StagedBatch:
    """Stage a batch for a table in one of the target's slots (see `casemodel.Target`)."""
    frames = {
        "records": by_id(batch.records) if batch.records.height else batch.records,
        "rows": batch.rows,
        "issues": batch.issues,
        "waits": batch.waits,
        "rejects": batch.rejects,
        "others": batch.others,
        "linked": batch.linked,
    }
    own = {"records": {column.name: column.type for column in tables[table].columns if column.name in batch.columns}}
    staged = {
        name: context.target.stage(name, frame, slot, own.get(name)) for name, frame in frames.items() if frame.height
    }
    failpoint("after-stage")
    spent = {name: getattr(batch, name).clear() for name in ("records", "issues", "rejects", "others", "linked")}
    # The sorted records, which a target may hold itself: two copies of them would cost memory.
    whole = None if batch.apart is None else dataclasses.replace(batch, records=frames["records"])
    return StagedBatch(dataclasses.replace(batch, **spent, apart=None), staged, slot, whole)


def stage_apart(context: LoadContext, table: str, staged: StagedBatch) -> StagedBatch:
    """Stage a batch anew, in its slot, as it was mapped without links between its rows."""
    assert staged.whole is not None
    whole = dataclasses.replace(staged.whole, records=staged.whole.records.sort("number").drop("number"))
    return stage(context, table, without_links_within(whole), staged.slot)


def by_id(records: pl.DataFrame) -> pl.DataFrame:
    """Return the records by id, with their number in reading order.

    Ids are random: in their order each page of the target's index is visited once a batch.
    """
    return records.with_row_index("number").sort("id")
