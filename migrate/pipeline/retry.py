"""Retries of what a lost connection or a deadlock broke off: a lost answer to COMMIT means unknown, not failed.

A batch is looked up in the ledger before it is tried again.  Everything else of a run is resumed where the ledger says
it stands, as another start of the program would.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from casemodel import OUTCOMES, SystemFailure, Tally
from migrate.ledger.store import table
from migrate.pipeline.batch import Gate
from migrate.pipeline.commit import BatchPlace, Committed, commit
from migrate.pipeline.conflicts import CountedOnRefused
from migrate.pipeline.context import LoadContext
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.staging import StagedBatch, stage_apart

T = TypeVar("T")


def commit_surely(context: LoadContext, place: BatchPlace, staged: StagedBatch, gate: Gate) -> Committed:
    """Write a batch as `commit` does, once, however often the connection is lost meanwhile.

    Where the target refuses a record that others of the batch link to, it goes in without links between its rows.

    Raises:
        SystemFailure: the attempts are used up; whether the batch is committed the next run finds in the ledger.
        LockedError: the lock was taken over; nothing is written.
    """
    lost = apart = False
    while True:
        try:
            committed = committed_before(context, place) if lost else None
            if committed is None:
                committed = commit(context, place, staged, gate)
            context.patience.succeeded()
            return dataclasses.replace(committed, as_mapped=committed.as_mapped and not apart)
        except CountedOnRefused:
            failpoint("before-apart")
            # What is staged anew replaces what was staged: it is what is tried again from now on.
            staged, apart = stage_apart(context, place.table, staged), True
        except SystemFailure as error:
            context.patience.wait(error)
            context.target.reconnect()
            lost = True


def committed_before(context: LoadContext, place: BatchPlace) -> Committed | None:
    """Return the books of a batch that is in the ledger, or None; what became of its rows is not known any more."""
    with context.target.engine.connect() as connection:
        batch = table(connection, "batch")
        row = connection.execute(
            sa.select(batch).where(
                batch.c.run_id == context.run_id,
                batch.c.mapping_id == context.mapping_ids[place.mapping],
                batch.c.phase == place.phase,
                batch.c.seq == place.seq,
            )
        ).mappings().first()
    if row is None:
        return None
    return Committed(Tally(read=row["read"], **{name: row[name] for name in OUTCOMES}), as_mapped=False)


def resumed(context: LoadContext, step: Callable[[], T], afresh: Callable[[], None] | None = None) -> T:
    """Run a step that goes on where the ledger says it stands, again when the connection is lost.

    Args:
        afresh: forgets what the step remembered of the target and of its sources.
    """
    while True:
        try:
            done = step()
            context.patience.succeeded()
            return done
        except SystemFailure as error:
            context.patience.wait(error)
            context.target.reconnect()
            if afresh is not None:
                afresh()
