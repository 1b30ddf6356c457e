"""One transaction of the target: rows, id map, issues, checkpoint and books together (promises 1, 4 and 5)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl
import sqlalchemy as sa

from casemodel import OUTCOMES, Tally, tables
from connectors import id_list
from migrate.ledger.lock import hold_lock
from migrate.ledger.store import column_set_id, table, upsert
from migrate.pipeline.batch import Batch, Gate
from migrate.pipeline.batch_evidence import record_batch
from migrate.pipeline.before_images import keep_records
from migrate.pipeline.commit_ledger import EVER_LOADED, is_known, write_batch, write_ledger
from migrate.pipeline.conflicts import edited_ids, insert_records, staged_id
from migrate.pipeline.context import LoadContext
from migrate.pipeline.contributions import prepare_shared
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.shared_commit import follow_shared, with_joined, write_shared
from migrate.pipeline.staging import StagedBatch, stage


@dataclass(frozen=True)
class BatchPlace:
    """Where a batch stands: mapping, target table, phase (``main`` or ``retry``) and number."""

    mapping: str
    table: str
    phase: str
    seq: int


@dataclass(frozen=True)
class Fates:
    """What became of records that were not simply inserted.

    Args:
        by_id: target id -> updated, unchanged, conflict or rejected.
        details: target id -> issue code and detail of a conflict or reject.
    """

    by_id: dict[str, str] = field(default_factory=dict)
    details: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Committed:
    """The books of a batch, and whether links to its rows find what the mapping said of them."""

    tally: Tally
    as_mapped: bool


def commit(context: LoadContext, place: BatchPlace, staged: StagedBatch, gate: Gate) -> Committed:
    """Write a batch in one transaction and return its books.

    Raises:
        LockedError: the lock was taken over; nothing is written.
        BugError: the books do not balance; nothing is written.
        CountedOnRefused: the target refused a record that others of the batch link to; nothing is written.
    """
    shared = prepare_shared(context, place.mapping, staged.batch, gate) if place.mapping in context.shared else None
    if shared is not None:
        failpoint("before-shared")
        staged = stage(context, place.table, dataclasses.replace(shared.batch, records=pl.DataFrame()))
    batch, stages = staged.batch, staged.tables
    given = shared.staged if shared is not None else ()
    failpoint("before-transaction")
    with context.target.transaction([*stages.values(), *given]) as connection:
        hold_lock(connection, context.epoch)
        failpoint("after-lock")
        context.target.bring(connection, *given, *_joined_with(batch, stages))
        failpoint("after-copy")
        if shared is not None:
            fates = Fates(*write_shared(connection, context, place.mapping, shared, gate))
        else:
            fates = _write_records(connection, context, place, batch, gate, stages)
        failpoint("after-records")
        rows = with_fates(batch.rows, fates.by_id)
        if shared is not None:
            rows = with_joined(rows, shared.joined)
        tally = _moved(rows) if place.phase == "retry" else _books(batch, rows)
        number = context.mapping_ids[place.mapping]
        write_ledger(connection, context, number, batch, stages, rows, fates.details)
        failpoint("after-ledger")
        if shared is not None:
            follow_shared(connection, context, shared)
            failpoint("after-followers")
        write_batch(connection, number, context.run_id, place.phase, place.seq, batch, tally, _left_scope(rows))
        books = {"source_rows": batch.source_rows, **tally.as_dict()}
        record_batch(connection, context, number, place.phase, place.seq, books)
        failpoint("before-commit")
    failpoint("after-commit")
    # An edited record is linked to like any other.
    return Committed(tally, all(code == "edited-in-target" for code, _ in fates.details.values()))


def _joined_with(batch: Batch, stages: dict[str, sa.TableClause]) -> list[sa.TableClause]:
    """Return the stages that statements join; rows that are new to the ledger are inserted as they are."""
    names = ["linked"]
    if is_known(batch.rows):
        names += ["rows", "others"]
    if batch.rows["prior_id"].null_count() < batch.rows.height:
        names.append("records")
    return [stages[name] for name in names if name in stages]


def _write_records(
    connection: sa.Connection,
    context: LoadContext,
    place: BatchPlace,
    batch: Batch,
    gate: Gate,
    stages: dict[str, sa.TableClause],
) -> Fates:
    if "records" not in stages:
        return Fates()
    staged, target = stages["records"], tables[place.table]
    fates: dict[str, str] = {}
    details: dict[str, tuple[str, str]] = {}
    if batch.rows["prior_id"].null_count() < batch.rows.height:
        fates, details = _compare(connection, context, place, batch, gate, staged)
    refused = insert_records(
        connection, context.target, target, staged, batch.columns, skip=list(fates), counted_on=batch.counted_on
    )
    changed = [key for key, fate in fates.items() if fate == "updated"]
    if changed:
        _update(connection, target, staged, batch.columns, changed)
    for key, (code, detail) in refused.items():
        fates[key] = "conflict" if code == "record-exists" else "rejected"
        details[key] = (code, detail)
    _remember(connection, context, place, batch, staged, fates)
    return Fates(fates, details)


def _compare(
    connection: sa.Connection, context: LoadContext, place: BatchPlace, batch: Batch, gate: Gate, staged: sa.TableClause
) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Compare the staged hashes with what was last written, and what was last written with what is there now.

    What will be written over and an earlier run wrote is kept for a rollback.
    """
    number = context.mapping_ids[place.mapping]
    record, sets = table(connection, "record"), table(connection, "column_set")
    # Joined too, SQLite would begin with the few sets of columns and read the stage once for every record.
    over = {row.id: row.columns for row in connection.execute(sa.select(sets.c.id, sets.c.columns))}
    rows = connection.execute(
        sa.select(staged.c.id, record.c.record_hash, staged.c.hash, record.c.column_set_id, record.c.run_id).join(
            record, sa.and_(record.c.mapping_id == number, record.c.record_key == staged.c.record_key)
        )
    ).all()
    names = json.dumps(list(batch.columns), separators=(",", ":"))
    fates = {row.id: "unchanged" for row in rows if row.hash == row.record_hash and over[row.column_set_id] == names}
    changed = {row.id: (row.record_hash, over[row.column_set_id]) for row in rows if row.id not in fates}
    edited = edited_ids(connection, place.table, changed, gate) if changed else {}
    fates |= {key: "conflict" if key in edited else "updated" for key in changed}
    old = [row.id for row in rows if row.run_id != context.run_id and fates[row.id] == "updated"]
    keep_records(connection, context.run_id, place.table, old)
    return fates, {key: ("edited-in-target", found) for key, found in edited.items()}


def _update(
    connection: sa.Connection, target: sa.Table, staged: sa.TableClause, columns: Sequence[str], ids: list[str]
) -> None:
    """Write the changed records, set-based, through a list of ids of this transaction."""
    wanted = id_list(connection, "batch_updates", ids)
    changed = sa.and_(target.c.id == staged_id(staged), staged.c.id.in_(sa.select(wanted.c.id)))
    connection.execute(sa.update(target).where(changed).values({name: staged.c[name] for name in columns}))


def _remember(
    connection: sa.Connection,
    context: LoadContext,
    place: BatchPlace,
    batch: Batch,
    staged: sa.TableClause,
    fates: dict[str, str],
) -> None:
    """Keep the hash of what was written, once per record."""
    record = table(connection, "record")
    number, columns = context.mapping_ids[place.mapping], column_set_id(connection, batch.columns)
    values = {
        "mapping_id": sa.literal(number),
        "record_key": staged.c.record_key,
        "target_id": staged.c.id,
        "record_hash": staged.c.hash,
        "column_set_id": sa.literal(columns),
        "run_id": sa.literal(context.run_id),
    }
    if not fates:
        context.target.insert(connection, record, staged, values, order=["record_key"])
        return
    statement = sa.select(*values.values()).order_by(staged.c.record_key)
    skipped = [key for key, fate in fates.items() if fate != "updated"]
    if skipped:
        statement = statement.where(staged.c.id.not_in(sa.select(id_list(connection, "batch_unwritten", skipped).c.id)))
    upsert(connection, record, list(values), statement)


def with_fates(rows: pl.DataFrame, fates: dict[str, str]) -> pl.DataFrame:
    """Give every row of a batch its final outcome."""
    known = pl.DataFrame(
        {"target_id": list(fates), "fate": list(fates.values())}, schema={"target_id": pl.String, "fate": pl.String}
    )
    joined = rows.join(known, on="target_id", how="left", maintain_order="left")
    outcome, fate = pl.col("outcome"), pl.col("fate").fill_null("inserted")
    # A row that was part of the record before and brings nothing new is unchanged; when it joins, it is merged.
    again = (
        (outcome == "merged")
        & (fate == "unchanged")
        & pl.col("prior_state").is_in(["merged", "loaded"]).fill_null(False)
    )
    return joined.with_columns(
        pl.when(outcome == "record")
        .then(fate)
        .when((outcome == "merged") & fate.is_in(["conflict", "rejected"]))
        .then(fate)
        .when(again)
        .then(pl.lit("unchanged"))
        .otherwise(outcome)
        .alias("outcome")
    ).drop("fate")


def _books(batch: Batch, rows: pl.DataFrame) -> Tally:
    counts = dict.fromkeys(OUTCOMES, 0)
    for outcome, number in [*batch.settled.items(), *rows.group_by("outcome").len().rows()]:
        counts[outcome] += number
    return Tally(read=rows.height + sum(batch.settled.values()), **counts)


_STAYS = {
    "inserted": ("inserted", "updated", "unchanged"),
    "updated": ("updated", "unchanged"),
    "unchanged": ("unchanged",),
    "merged": ("merged", "unchanged"),
}
"""What a row counts as in this run stays when a retry does these to it: a record made and then filled is one insert."""


def _moved(rows: pl.DataFrame) -> Tally:
    """Return the books of a retry: rows move from what they counted as in this run; none is read."""
    moves = dict.fromkeys(OUTCOMES, 0)
    for before, after, number in rows.group_by("prior_outcome", "outcome").len().rows():
        if after not in _STAYS.get(before, ()):
            moves[before] -= number
            moves[after] += number
    return Tally(read=0, **moves)


def _left_scope(rows: pl.DataFrame) -> int:
    """Count rows that left the scope after they were loaded; their records are kept.

    A key that still has a row in scope did not leave: the row of an earlier delivery did not count before either.
    """
    was_loaded = pl.col("prior_id").is_not_null() & pl.col("prior_state").is_in(list(EVER_LOADED))
    here = rows.filter(pl.col("outcome") != "out_of_scope").get_column("key")
    return rows.filter(was_loaded & (pl.col("outcome") == "out_of_scope") & ~pl.col("key").is_in(here.implode())).height
