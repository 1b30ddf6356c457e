"""Writing records that several systems know in the transaction of a batch; others follow those that move."""

from __future__ import annotations

from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import tables
from connectors import id_list, record_ids
from migrate.ledger.lock import hold_lock
from migrate.ledger.store import column_set_id, table, upsert
from migrate.pipeline.batch import Gate
from migrate.pipeline.before_images import keep_records
from migrate.pipeline.conflicts import edited_ids, insert_records, staged_id
from migrate.pipeline.context import LoadContext, Shared
from migrate.pipeline.contributions import KNOWN, SharedBatch
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.links import LINKED_STATES
from migrate.pipeline.probable import note_probable

Details = dict[str, tuple[str, str]]
MOVED = "moved"
"""What a wait has seen of a key that moved since: no key is ever in this state, so the row is mapped again."""


def write_shared(
    connection: sa.Connection, context: LoadContext, mapping: str, prepared: SharedBatch, gate: Gate
) -> tuple[dict[str, str], Details]:
    """Keep the contributions of a batch and write the records they change.

    Returns:
        Fate (updated, unchanged, conflict, rejected) and details by target id.
    """
    shared, number = context.shared[mapping], context.mapping_ids[mapping]
    stages = prepared.stages
    record, contribution = table(connection, "record"), table(connection, "contribution")
    keys = stages["shared_keys"]
    # A record made before its mapping had an identity is known by its source key: from now on by its id.
    connection.execute(
        sa.update(record)
        .where(record.c.mapping_id == number, record.c.record_key.in_(sa.select(keys.c.key)))
        .values(record_key=record.c.target_id, run_id=context.run_id)
    )
    gone = stages["shared_gone"]
    connection.execute(
        sa.delete(contribution).where(
            contribution.c.mapping_id == number, contribution.c.source_key.in_(sa.select(gone.c.key))
        )
    )
    if "shared_given" in stages:
        _keep(connection, context.run_id, contribution, stages["shared_given"])
    failpoint("after-contributions")
    changed = prepared.records.filter(pl.col("fate") == "changed")
    written = {row[0]: (row[1], row[2]) for row in changed.select("id", "known_hash", "known_columns").rows()}
    edited = edited_ids(connection, shared.table, written, gate) if written else {}
    if prepared.emptied.height:
        _remove(connection, context, shared, prepared.emptied, gate)
    old = changed.filter(~pl.col("id").is_in(list(edited)))
    keep_records(connection, context.run_id, shared.table, _of_earlier(old, context))
    refused = _write(connection, context, shared, stages, set(edited))
    _remember(connection, context, shared, stages, {*edited, *refused})
    fates = dict(prepared.records.filter(pl.col("fate") == "unchanged").select("id", "fate").rows())
    fates |= {key: "conflict" if key in edited else "updated" for key in written}
    details: Details = {key: ("edited-in-target", found) for key, found in edited.items()}
    for key, (code, detail) in refused.items():
        fates[key] = "conflict" if code == "record-exists" else "rejected"
        details[key] = (code, detail)
    _note(connection, number, fates, details)
    return fates, details


def _keep(connection: sa.Connection, run_id: int, contribution: sa.Table, given: sa.TableClause) -> None:
    columns = {
        "mapping_id": "mapping_id",
        "source_key": "key",
        "lead_key": "lead_key",
        "row_ref": "ref",
        "identity_id": "identity",
        "own_id": "own",
        "target_id": "place",
        "rank": "rank",
        "newest": "newest",
        "agree": "agree",
        "probable": "probable",
        "fields": "fields",
        "apart": "now_apart",
        "problem": "now_problem",
        "outcome": "outcome",
    }
    values = (given.c[name] for name in columns.values())
    select = sa.select(*values, sa.literal(run_id)).order_by(given.c.mapping_id, given.c.key)
    upsert(connection, contribution, [*columns, "run_id"], select)


def _write(
    connection: sa.Connection,
    context: LoadContext,
    shared: Shared,
    stages: dict[str, sa.TableClause],
    edited: set[str],
) -> Details:
    """Update the changed records and insert the new ones; return what the target refuses."""
    target = tables[shared.table]
    if "shared_changed" in stages:
        staged = stages["shared_changed"]
        update = sa.update(target).where(target.c.id == staged_id(staged))
        if edited:
            left = id_list(connection, "batch_unwritten", sorted(edited))
            update = update.where(staged.c.id.not_in(sa.select(left.c.id)))
        connection.execute(update.values({name: staged.c[name] for name in shared.columns}))
    if "shared_new" not in stages:
        return {}
    return insert_records(connection, context.target, target, stages["shared_new"], shared.columns, skip=[])


def _remember(
    connection: sa.Connection, context: LoadContext, shared: Shared, stages: dict[str, sa.TableClause], left: set[str]
) -> None:
    """Keep the hash of what was written, under the mapping that wrote the record first."""
    record, columns = table(connection, "record"), column_set_id(connection, shared.columns)
    for name in ("shared_changed", "shared_new"):
        if name not in stages:
            continue
        staged = stages[name]
        select = sa.select(
            staged.c.writer,
            staged.c.id,
            staged.c.id,
            staged.c.hash,
            sa.literal(columns),
            sa.literal(context.run_id),
        ).order_by(staged.c.writer, staged.c.id)
        if left:
            unwritten = id_list(connection, "batch_unwritten", sorted(left))
            select = select.where(staged.c.id.not_in(sa.select(unwritten.c.id)))
        names = ["mapping_id", "record_key", "target_id", "record_hash", "column_set_id", "run_id"]
        upsert(connection, record, names, select)
        leftover = table(connection, "leftover")
        connection.execute(sa.delete(leftover).where(leftover.c.target_id.in_(sa.select(staged.c.id))))


def _note(connection: sa.Connection, number: int, fates: dict[str, str], details: Details) -> None:
    """Note at the contributions what the target refused, and what their rows count as for it."""
    contribution = table(connection, "contribution")
    for key, (code, detail) in details.items():
        of_record = contribution.c.target_id == key
        mine = sa.and_(of_record, contribution.c.mapping_id == number)
        connection.execute(sa.update(contribution).where(mine).values(outcome=fates[key]))
        if fates[key] == "rejected":
            problem = f"{code}:{detail.partition(':')[0].split(', ')[0]}"
            connection.execute(sa.update(contribution).where(of_record).values(problem=problem))


def with_joined(rows: pl.DataFrame, joined: dict[str, str]) -> pl.DataFrame:
    """Give the rows that joined a record their outcome, unless the record could not be written."""
    if not joined:
        return rows
    known = pl.DataFrame(
        {"key": list(joined), "joined": list(joined.values())}, schema={"key": pl.String, "joined": pl.String}
    )
    written = pl.col("outcome").is_in(["inserted", "updated", "unchanged"]) & pl.col("joined").is_not_null()
    return (
        rows.join(known, on="key", how="left", maintain_order="left")
        .with_columns(pl.when(written).then("joined").otherwise("outcome").alias("outcome"))
        .drop("joined")
    )


def _linked_to(target: sa.Table) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that another record links to a record of a table."""
    found: list[sa.ColumnElement[bool]] = []
    for other in tables.values():
        for key in other.foreign_keys:
            if key.column.table is target:
                child = other.alias("child")
                condition = child.c[key.parent.name] == target.c.id
                found.append(sa.exists().where(condition, child.c.id != target.c.id).correlate(target))
    return found


def _remove(
    connection: sa.Connection, context: LoadContext, shared: Shared, emptied: pl.DataFrame, gate: Gate
) -> None:
    """Remove records that nothing gives to any more: those that are linked to later, edited ones never."""
    target, record = tables[shared.table], table(connection, "record")
    names = ("id", "known_hash", "known_columns")
    written = {row[0]: (row[1], row[2]) for row in emptied.select(names).rows()}
    free = sorted(set(written) - set(edited_ids(connection, shared.table, written, gate)))
    wanted = id_list(connection, "batch_emptied", free)
    here = target.c.id.in_(record_ids(wanted))
    gone = list(connection.scalars(sa.select(target.c.id).where(here, *(~each for each in _linked_to(target)))))
    waiting = emptied.filter(pl.col("id").is_in(free) & ~pl.col("id").is_in(gone)).select("id", "writer")
    leftover = table(connection, "leftover")
    if waiting.height:
        known = set(connection.scalars(sa.select(leftover.c.target_id)))
        made = {"run_id": context.run_id}
        rows = [{"target_id": key, "mapping_id": writer} | made for key, writer in waiting.rows() if key not in known]
        if rows:
            connection.execute(sa.insert(leftover), rows)
    going = emptied.filter(pl.col("id").is_in(gone))
    keep_records(connection, context.run_id, shared.table, _of_earlier(going, context))
    wanted = id_list(connection, "batch_emptied", gone)
    connection.execute(sa.delete(target).where(target.c.id.in_(record_ids(wanted))))
    in_list = record.c.record_key.in_(sa.select(wanted.c.id))
    connection.execute(sa.delete(record).where(record.c.mapping_id.in_(sorted(shared.mappings)), in_list))
    connection.execute(sa.delete(leftover).where(leftover.c.target_id.in_(sa.select(wanted.c.id))))


def _of_earlier(known: pl.DataFrame, context: LoadContext) -> list[str]:
    """Return the ids of records that earlier runs wrote last."""
    return known.filter(pl.col("known_run") != context.run_id)["id"].to_list()


def remove_leftovers(context: LoadContext, gates: dict[str, Gate]) -> int:
    """Remove the records that nothing gives to and, by now, nothing links to; return how many rows there were.

    Args:
        gates: of the mappings with an identity, by their names.
    """
    by_number = {number: name for name, number in context.mapping_ids.items()}
    failpoint("before-leftovers")
    with context.target.transaction() as connection:
        hold_lock(connection, context.epoch)
        leftover, record, sets = (table(connection, name) for name in ("leftover", "record", "column_set"))
        known = sa.and_(record.c.mapping_id == leftover.c.mapping_id, record.c.record_key == leftover.c.target_id)
        rows = connection.execute(
            sa.select(
                leftover.c.target_id, leftover.c.mapping_id, record.c.record_hash, sets.c.columns, record.c.run_id
            )
            .join(record, known)
            .join(sets, sets.c.id == record.c.column_set_id)
        ).all()
        left = pl.DataFrame([tuple(row) for row in rows], schema=KNOWN, orient="row")
        for number in left["writer"].unique(maintain_order=True):
            name = by_number.get(number, "")
            if name in gates:
                mine = left.filter(pl.col("writer") == number)
                _remove(connection, context, context.shared[name], mine, gates[name])
    return left.height


def follow_shared(connection: sa.Connection, context: LoadContext, prepared: SharedBatch) -> None:
    """Let the rows of other batches whose record changed be mapped again, and the rows that link to what moved."""
    stages = prepared.stages
    if "shared_others" in stages:
        _move_others(connection, context, stages["shared_others"])
    if "shared_given" in stages:
        _follow_links(connection, context.run_id, stages["shared_given"])
    _follow_identities(connection, context.run_id, prepared)
    note_probable(connection, context, prepared.shared, stages)


def _wait_columns(wait: sa.Table) -> list[str]:
    names = ["mapping_id", "source_key", "row_ref", "field", "on_mapping_id", "on_other_key", "on_key", "seen"]
    return [*names, "outcome", "run_id"]


def _move_others(connection: sa.Connection, context: LoadContext, others: sa.TableClause) -> None:
    """Give rows of other batches the ids of the records that they are part of now, and let them be mapped again."""
    contribution, id_map, wait = (table(connection, name) for name in ("contribution", "id_map", "wait"))
    same = sa.and_(contribution.c.mapping_id == others.c.mapping_id, contribution.c.source_key == others.c.key)
    differs = sa.or_(
        contribution.c.target_id.is_distinct_from(others.c.target),
        contribution.c.apart.is_distinct_from(others.c.apart),
        contribution.c.problem.is_distinct_from(others.c.problem),
    )
    grouped = sorted(context.by_record) or [-1]
    # Two statements, each of which seeks by an index.
    for row_key, of_mapping in (
        (id_map.c.source_key, others.c.mapping_id.not_in(grouped)),
        (id_map.c.record_key, others.c.mapping_id.in_(grouped)),
    ):
        connection.execute(
            sa.update(id_map)
            .where(
                of_mapping,
                id_map.c.mapping_id == others.c.mapping_id,
                row_key == others.c.key,
                id_map.c.state.in_(LINKED_STATES),
                others.c.place.is_distinct_from(others.c.target),
            )
            .values(target_id=others.c.place)
        )
    select = sa.select(
        others.c.mapping_id,
        others.c.lead_key,
        others.c.ref,
        sa.literal(""),
        others.c.mapping_id,
        sa.literal(""),
        others.c.key,
        sa.literal(MOVED),
        others.c.outcome,
        sa.literal(context.run_id),
    ).join(contribution, same)
    connection.execute(sa.insert(wait).from_select(_wait_columns(wait), select.where(differs)))


def _follow_links(connection: sa.Connection, run_id: int, given: sa.TableClause) -> None:
    """Let the rows be mapped again that link by key to what moved."""
    linked, other, wait = (table(connection, name) for name in ("linked", "other_key", "wait"))
    moved = sa.and_(given.c.target.is_not(None), given.c.target != given.c.place)
    key = given.c.key
    by_key = sa.and_(linked.c.on_mapping_id == given.c.mapping_id, linked.c.on_other_key == "", linked.c.on_key == key)
    known = sa.and_(other.c.mapping_id == given.c.mapping_id, other.c.source_key == given.c.lead_key)
    by_other = sa.and_(
        linked.c.on_mapping_id == other.c.mapping_id,
        linked.c.on_other_key == other.c.columns,
        linked.c.on_key == other.c.key,
    )
    for joined in (given.join(linked, by_key), given.join(other, known).join(linked, by_other)):
        _wait(connection, wait, sa.select(*_waiting(linked, run_id)).select_from(joined).where(moved).distinct())


def _follow_identities(connection: sa.Connection, run_id: int, prepared: SharedBatch) -> None:
    """Let the rows be mapped again that link by an identity whose record is another one now."""
    linked, wait = table(connection, "linked"), table(connection, "wait")
    others = prepared.given.filter(~pl.col("mine")).select(prepared.before.columns)
    before = _answers(pl.concat([prepared.before, others]), "target", "apart", "problem")
    now = _answers(prepared.given, "place", "now_apart", "now_problem")
    both = before.join(now, on="identity", how="left")
    moved = both.filter(~pl.col("answer").eq_missing(pl.col("answer_right")))["identity"]
    if moved.is_empty():
        return
    wanted = id_list(connection, "batch_identities", moved.to_list())
    here = sa.and_(linked.c.on_other_key.like("identity:%"), linked.c.on_key.in_(sa.select(wanted.c.id)))
    _wait(connection, wait, sa.select(*_waiting(linked, run_id)).where(here))


def _answers(given: pl.DataFrame, place: str, apart: str, problem: str) -> pl.DataFrame:
    holds = pl.col(place).is_not_null() & pl.col(apart).is_null() & pl.col(problem).is_null()
    return given.filter(holds).group_by("identity").agg(pl.col(place).min().alias("answer"))


def _waiting(linked: sa.Table, run_id: int) -> list[sa.ColumnElement[Any]]:
    kept = linked.c
    row = [kept.mapping_id, kept.source_key, kept.row_ref, sa.literal("")]
    on = [kept.on_mapping_id, kept.on_other_key, kept.on_key]
    return [*row, *on, sa.literal(MOVED), kept.outcome, sa.literal(run_id)]


def _wait(connection: sa.Connection, wait: sa.Table, select: sa.Select[Any]) -> None:
    connection.execute(sa.insert(wait).from_select(_wait_columns(wait), select))
