"""Taking back what rows gave to shared records that left the source, or lead no group any more."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from migrate.ledger.lock import hold_lock
from migrate.ledger.tables import ledger_table
from migrate.pipeline.batch import ISSUE_SCHEMA, REJECT_SCHEMA, ROW_SCHEMA, WAIT_SCHEMA, Batch, Gate, empty
from migrate.pipeline.commit_ledger import id_map_state
from migrate.pipeline.context import LoadContext
from migrate.pipeline.contributions import prepare_shared
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.shared_commit import follow_shared, write_shared


def take_back(context: LoadContext, mapping: str, gate: Gate) -> None:
    """Take back the contributions of a mapping whose rows do not load, once its relation was read.

    A record that nothing else gives to stays as it is; others are written anew, page by page.
    """
    keys = _without_row(context, mapping)
    for start in range(0, keys.len(), context.batch_rows):
        prepared = prepare_shared(context, mapping, _no_rows(gate), gate, leaving=keys.slice(start, context.batch_rows))
        with context.target.transaction(prepared.staged) as connection:
            hold_lock(connection, context.epoch)
            context.target.bring(connection, *prepared.staged)
            write_shared(connection, context, mapping, prepared, gate)
            follow_shared(connection, context, prepared)
            failpoint("before-commit")


def _without_row(context: LoadContext, mapping: str) -> pl.Series:
    """Return the keys of contributions without a row that loads, or that waits for its record to be whole."""
    dialect, number = context.target.dialect, context.mapping_ids[mapping]
    kept, id_map = ledger_table(dialect, "contribution"), ledger_table(dialect, "id_map")
    key = id_map.c.record_key if number in context.by_record else id_map.c.source_key
    stands = sa.or_(
        id_map.c.state.in_(("loaded", "merged", "conflict")),
        sa.and_(kept.c.problem.is_not(None), id_map.c.state.in_(("rejected", "stale"))),
    )
    row = sa.exists().where(id_map.c.mapping_id == number, key == kept.c.source_key, stands)
    statement = sa.select(kept.c.source_key).where(kept.c.mapping_id == number, ~row).order_by(kept.c.source_key)
    return context.target.query(statement, ("key",))["key"]


def _no_rows(gate: Gate) -> Batch:
    rows = id_map_state(empty(ROW_SCHEMA))
    issues, waits, rejects = empty(ISSUE_SCHEMA), empty(WAIT_SCHEMA), empty(REJECT_SCHEMA)
    return Batch(pl.DataFrame(), rows, issues, waits, rejects, {}, gate.columns, 0, pl.DataFrame(), None)
