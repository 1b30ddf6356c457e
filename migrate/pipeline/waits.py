"""Rows that wait for a key of another record: found again when the state of that key changes (LANGUAGE.md, links)."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from migrate.ledger.tables import ledger_table
from migrate.pipeline.context import LoadContext
from migrate.pipeline.links import link_state


@dataclass(frozen=True)
class Waiting:
    """Rows to try again: ``key`` and ``ref``; ``outcomes`` says what each key counts as in this run."""

    rows: pl.DataFrame
    outcomes: pl.DataFrame


def waiting_mappings(context: LoadContext) -> set[int]:
    """Return the numbers of the mappings that have such rows."""
    wait = ledger_table(context.target.dialect, "wait")
    found = context.target.query(sa.select(wait.c.mapping_id).where(_changed(context)).distinct(), ("number",))
    return {int(number) for number in found["number"]}


def waiting_rows(context: LoadContext, number: int) -> Waiting:
    """Return the rows of a mapping of which an awaited key is no longer what it was when they were mapped."""
    wait = ledger_table(context.target.dialect, "wait")
    statement = (
        sa.select(wait.c.source_key, wait.c.row_ref, wait.c.outcome)
        .where(wait.c.mapping_id == number, _changed(context))
        .order_by(wait.c.id)
    )
    return _waiting(context, statement)


def changed_waits(context: LoadContext, number: int) -> sa.Select[tuple[str]]:
    """Return a SELECT of the source keys of such rows."""
    wait = ledger_table(context.target.dialect, "wait")
    return sa.select(wait.c.source_key).where(wait.c.mapping_id == number, _changed(context))


def _changed(context: LoadContext) -> sa.ColumnElement[bool]:
    """Return the condition that a wait's key is no longer what it was."""
    dialect = context.target.dialect
    wait, id_map, other = (ledger_table(dialect, name) for name in ("wait", "id_map", "other_key"))
    parent = id_map.alias("parent")
    full = [number for name, number in context.mapping_ids.items() if name in context.full_read]
    unknown = sa.case((wait.c.on_mapping_id.in_(full or [-1]), sa.literal("orphan")), else_=sa.literal("waiting"))
    state = sa.func.min(link_state(parent.c.state, parent.c.target_id, "waiting"))

    def answer(on: sa.ColumnElement[bool]) -> sa.ScalarSelect[str]:
        return sa.select(state).where(parent.c.mapping_id == wait.c.on_mapping_id, on).correlate(wait).scalar_subquery()

    others = (
        sa.select(other.c.source_key)
        .where(
            other.c.mapping_id == wait.c.on_mapping_id,
            other.c.columns == wait.c.on_other_key,
            other.c.key == wait.c.on_key,
        )
        .correlate(wait)
    )
    current = sa.case(
        (wait.c.on_other_key != "", answer(parent.c.source_key.in_(others))),
        else_=sa.func.coalesce(
            answer(parent.c.record_key == wait.c.on_key), answer(parent.c.source_key == wait.c.on_key)
        ),
    )
    return sa.func.coalesce(current, unknown) != wait.c.seen


def cycle_breakers(context: LoadContext, number: int) -> Waiting:
    """Return the parked rows of a mapping that wait for parked rows of the same mapping: a circle of links."""
    dialect = context.target.dialect
    wait, id_map = ledger_table(dialect, "wait"), ledger_table(dialect, "id_map")
    parked = sa.exists().where(
        id_map.c.mapping_id == wait.c.on_mapping_id, id_map.c.source_key == wait.c.on_key, id_map.c.state == "parked"
    )
    statement = (
        sa.select(wait.c.source_key, wait.c.row_ref, wait.c.outcome)
        .where(wait.c.mapping_id == number, wait.c.on_mapping_id == number, wait.c.outcome == "parked", parked)
        .order_by(wait.c.id)
    )
    return _waiting(context, statement)


def _waiting(context: LoadContext, statement: sa.Select[tuple[str, str, str]]) -> Waiting:
    rows = context.target.query(statement, ("key", "ref", "prior_outcome"))
    return Waiting(rows, rows.select("key", "prior_outcome").unique("key", maintain_order=True))
