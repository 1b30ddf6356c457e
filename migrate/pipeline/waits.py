"""Rows that wait for a key of another record: found again when the state of that key changes (LANGUAGE.md, links)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from migrate.ledger.tables import ledger_table
from migrate.pipeline.context import LoadContext
from migrate.pipeline.links import link_state

SETTLED = {
    "loaded": "unchanged",
    "merged": "unchanged",
    "stale": "rejected",
    "rejected": "rejected",
    "out_of_scope": "out_of_scope",
    "parked": "parked",
    "deferred": "deferred",
    "late": "late",
}
"""What a row that is not mapped in a run counts as, by the state of its key; other states are mapped again."""


@dataclass(frozen=True)
class Waiting:
    """Rows to try again: ``key`` and ``ref``; ``outcomes`` says what each key counts as in this run."""

    rows: pl.DataFrame
    outcomes: pl.DataFrame


def awaited_state(dialect: str, waits: sa.FromClause, by_record: frozenset[int]) -> sa.Case[str]:
    """Return what the id map says now of the key that a wait is for, as links see it; NULL when it knows no such key.

    Args:
        waits: a table with ``on_mapping_id``, ``on_other_key`` and ``on_key``.
        by_record: numbers of the mappings whose links go by the record's key.
    """
    id_map, other = ledger_table(dialect, "id_map"), ledger_table(dialect, "other_key")
    parent = id_map.alias("parent")
    # Several rows of one record may answer, and linked goes before all other states.
    found = link_state(parent.c.state, parent.c.target_id, "waiting")
    state = sa.func.coalesce(sa.func.min(sa.case((found == "linked", found))), sa.func.min(found))

    def answer(on: sa.ColumnElement[bool]) -> sa.ScalarSelect[str]:
        same = parent.c.mapping_id == waits.c.on_mapping_id
        return sa.select(state).where(same, on).correlate(waits).scalar_subquery()

    others = (
        sa.select(other.c.source_key)
        .where(
            other.c.mapping_id == waits.c.on_mapping_id,
            other.c.columns == waits.c.on_other_key,
            other.c.key == waits.c.on_key,
        )
        .correlate(waits)
    )
    kept = ledger_table(dialect, "contribution")
    holds = sa.and_(kept.c.identity_id == waits.c.on_key, kept.c.apart.is_(None), kept.c.problem.is_(None))
    identified = sa.select(sa.literal("linked")).where(holds).limit(1).correlate(waits).scalar_subquery()
    # CASE looks up one way only: each is an index seek.
    return sa.case(
        (waits.c.on_other_key.like("identity:%"), identified),
        (waits.c.on_other_key != "", answer(parent.c.source_key.in_(others))),
        (waits.c.on_mapping_id.in_(sorted(by_record) or [-1]), answer(parent.c.record_key == waits.c.on_key)),
        else_=answer(parent.c.source_key == waits.c.on_key),
    )


def waiting_mappings(context: LoadContext, numbers: Collection[int]) -> set[int]:
    """Return which of these mappings have rows of which an awaited key is no longer what it was."""
    if not _wait_at_all(context, numbers):
        return set()
    wait = ledger_table(context.target.dialect, "wait")
    moved = _moved(context, wait.c.mapping_id.in_(sorted(numbers)))
    found = context.target.query(sa.select(moved.c.mapping_id).distinct(), ("number",))
    return {int(number) for number in found["number"]}


def _wait_at_all(context: LoadContext, numbers: Collection[int]) -> bool:
    """Return whether any row of these mappings waits: most mappings have none, and the whole question is a long one."""
    wait = ledger_table(context.target.dialect, "wait")
    found = sa.select(wait.c.mapping_id).where(wait.c.mapping_id.in_(sorted(numbers))).limit(1)
    return not context.target.query(found, ("number",)).is_empty()


def waiting_rows(context: LoadContext, number: int) -> Waiting:
    """Return those rows of a mapping."""
    wait = ledger_table(context.target.dialect, "wait")
    mine = wait.c.mapping_id == number
    if not _wait_at_all(context, {number}):
        return Waiting(pl.DataFrame(schema={"ref": pl.String}), pl.DataFrame())
    return _waiting(context, mine, moved=_moved(context, mine))


def moved_keys(context: LoadContext, number: int) -> pl.Series:
    """Return the source keys of those rows of a mapping."""
    if not _wait_at_all(context, {number}):
        return pl.Series(dtype=pl.String)
    wait = ledger_table(context.target.dialect, "wait")
    mine = wait.c.mapping_id == number
    moved = _moved(context, mine)
    statement = sa.select(wait.c.source_key).join(moved, _for_it(wait, moved)).where(mine).distinct()
    return context.target.query(statement, ("key",))["key"]


_AWAITED = ("mapping_id", "on_mapping_id", "on_other_key", "on_key", "seen")


def _moved(context: LoadContext, mine: sa.ColumnElement[bool]) -> sa.CTE:
    """Return the awaited keys that are no longer what they were; very many rows may wait for few, looked up once."""
    wait = ledger_table(context.target.dialect, "wait")
    awaited = sa.select(*(wait.c[name] for name in _AWAITED)).where(mine).distinct().subquery("awaited")
    return sa.select(awaited).where(_changed(context, awaited)).cte("moved").prefix_with("MATERIALIZED")


def _for_it(wait: sa.FromClause, moved: sa.CTE) -> sa.ColumnElement[bool]:
    """Return the condition that a wait is for one of these keys; it is for one at most."""
    return sa.and_(*(wait.c[name] == moved.c[name] for name in _AWAITED))


def _changed(context: LoadContext, wait: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that the key that a wait is for is no longer what it was.

    Args:
        wait: a table with ``on_mapping_id``, ``on_other_key``, ``on_key`` and ``seen``.
    """
    full = [number for name, number in context.mapping_ids.items() if name in context.full_read]
    known = fully_known(context)
    whole = [number for name, number in context.mapping_ids.items() if name in known]
    by_identity = sa.and_(wait.c.on_other_key.like("identity:%"), wait.c.on_mapping_id.not_in(whole or [-1]))
    unknown = sa.case(
        (by_identity, sa.literal("waiting")),
        (wait.c.on_mapping_id.in_(full or [-1]), sa.literal("orphan")),
        else_=sa.literal("waiting"),
    )
    return sa.func.coalesce(awaited_state(context.target.dialect, wait, context.by_record), unknown) != wait.c.seen


def fully_known(context: LoadContext) -> set[str]:
    """Return the mappings of which, and of all that give to the same records, every key was read."""
    return {
        name
        for name in context.full_read
        if name not in context.shared or context.full_read.issuperset(context.shared[name].mappings.values())
    }


def rows_of(context: LoadContext, number: int, keys: pl.Series) -> Waiting:
    """Return the waiting rows of a mapping with these keys."""
    wait, asked = ledger_table(context.target.dialect, "wait"), context.target.ask("ring_keys", keys.to_frame("key"))
    mine = sa.and_(wait.c.mapping_id == number, wait.c.outcome == "parked")
    return _waiting(context, mine, wait.c.source_key.in_(sa.select(asked.c.key)))


def _waiting(context: LoadContext, *conditions: sa.ColumnElement[bool], moved: sa.CTE | None = None) -> Waiting:
    """Return the rows with what they count as in this run: as mapped by it, else as their settled state counts.

    Args:
        moved: the keys of which one is awaited; None: any.
    """
    dialect = context.target.dialect
    wait, id_map = ledger_table(dialect, "wait"), ledger_table(dialect, "id_map")
    of_row = sa.and_(id_map.c.mapping_id == wait.c.mapping_id, id_map.c.source_key == wait.c.source_key)
    settled = sa.case(SETTLED, value=id_map.c.state, else_=id_map.c.state)
    counted = sa.case((id_map.c.run_id == context.run_id, wait.c.outcome), else_=settled)
    columns = (wait.c.source_key, wait.c.row_ref, counted)
    statement = sa.select(*columns).join(id_map, of_row).where(*conditions).order_by(wait.c.id)
    if moved is not None:
        statement = statement.join(moved, _for_it(wait, moved))
    rows = context.target.query(statement, ("key", "ref", "prior_outcome"))
    return Waiting(rows, rows.select("key", "prior_outcome").unique("key", maintain_order=True))
