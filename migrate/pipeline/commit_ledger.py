"""What the ledger keeps of a batch, written in the batch's own transaction."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from casemodel import Tally
from connectors import id_list
from migrate.ledger.store import now, table, upsert
from migrate.pipeline.batch import Batch
from migrate.pipeline.context import LoadContext
from migrate.pipeline.failpoint import failpoint

EVER_LOADED = ("loaded", "merged", "stale", "conflict", "deferred", "late")
"""States of rows that may have a record."""


def raw_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``key``, ``ref`` and ``row``: the source rows whole, as JSON."""
    names = [name for name in frame.columns if not name.startswith("_") and not name.startswith("prior_")]
    return frame.select(
        pl.col("_key").alias("key"), pl.col("_ref").alias("ref"), pl.struct(names).struct.json_encode().alias("row")
    )


def is_known(rows: pl.DataFrame) -> bool:
    """Return whether the ledger knows any of the rows of a batch already."""
    return rows["prior_state"].null_count() < rows.height


def id_map_state(rows: pl.DataFrame) -> pl.DataFrame:
    """Add ``state`` and ``kept_id``: what the id map says of a row whose record is written as mapped."""
    outcome = pl.col("outcome")
    was_loaded = pl.col("prior_state").is_in(list(EVER_LOADED)).fill_null(False) & pl.col("prior_id").is_not_null()
    fails = outcome.is_in(["rejected", "parked"])
    return rows.with_columns(
        pl.when(outcome == "record")
        .then(pl.lit("loaded"))
        .when(fails & was_loaded)
        .then(pl.lit("stale"))
        .otherwise(outcome)
        .alias("state"),
        pl.when(outcome.is_in(["record", "merged"]))
        .then(pl.col("target_id"))
        .when(was_loaded)
        .then(pl.col("prior_id"))
        .alias("kept_id"),
    )


def write_ledger(
    connection: sa.Connection,
    context: LoadContext,
    number: int,
    batch: Batch,
    stages: dict[str, sa.TableClause],
    rows: pl.DataFrame,
    details: dict[str, tuple[str, str]],
) -> None:
    """Write waits, id map, issues and rejected rows of a batch.

    Args:
        number: the mapping's number.
        rows: the rows with their final outcomes.
        details: target id -> code and detail of what the target refused.
    """
    run_id = context.run_id
    again = is_known(batch.rows)
    if again:
        _forget(connection, number, stages["rows"])
    failpoint("after-forget")
    if "waits" in stages:
        _write_waits(connection, context, number, stages["waits"], rows, batch.waits)
    failpoint("after-waits")
    if "rows" in stages:
        _write_id_map(connection, context, number, stages["rows"], again=again)
    failpoint("after-id-map")
    if "linked" in stages:
        _write_linked(connection, number, run_id, stages["linked"], rows)
    if "others" in stages:
        write_other_keys(connection, context, number, batch.other_keys, stages["others"], again=again)
    _write_plain(connection, context, number, stages)
    failpoint("after-issues")
    if details:
        _write_refused(connection, number, run_id, batch, rows, details)


def _forget(connection: sa.Connection, number: int, staged: sa.TableClause) -> None:
    keys = sa.select(staged.c.key).where(staged.c.key.is_not(None), staged.c.prior_state.is_not(None))
    for name in ("wait", "issue", "reject", "linked"):
        kept = table(connection, name)
        connection.execute(sa.delete(kept).where(kept.c.mapping_id == number, kept.c.source_key.in_(keys)))


def _write_waits(
    connection: sa.Connection,
    context: LoadContext,
    number: int,
    staged: sa.TableClause,
    rows: pl.DataFrame,
    waits: pl.DataFrame,
) -> None:
    wait = table(connection, "wait")
    same = ("field", "on_mapping_id", "on_other_key", "on_key", "seen", "outcome")
    values: dict[str, sa.ColumnElement[Any]] = {
        "mapping_id": sa.literal(number),
        "source_key": staged.c.key,
        "row_ref": staged.c.ref,
        **{name: staged.c[name] for name in same},
        "run_id": sa.literal(context.run_id),
    }
    context.target.insert(connection, wait, staged, values)
    outcomes = waits.select("key", mapped="outcome").unique().join(rows.select("key", "outcome"), on="key", how="inner")
    others = outcomes.filter(pl.col("outcome") != pl.col("mapped"))
    for outcome, keys in others.group_by("outcome").agg("key").rows():
        wanted = id_list(connection, "batch_waiting", keys)
        mine = sa.and_(wait.c.mapping_id == number, wait.c.source_key.in_(sa.select(wanted.c.id)))
        connection.execute(sa.update(wait).where(mine).values(outcome=outcome))


def _write_linked(
    connection: sa.Connection, number: int, run_id: int, staged: sa.TableClause, rows: pl.DataFrame
) -> None:
    """Keep the links to records that may move, with what the linking row counts as in this run."""
    linked = table(connection, "linked")
    names = ["source_key", "row_ref", "on_mapping_id", "on_other_key", "on_key"]
    columns = (staged.c.key, staged.c.ref, staged.c.on_mapping_id, staged.c.on_other_key, staged.c.on_key)
    # Two fields of a row may link by the same key.
    values = (sa.literal(number), sa.literal("inserted"), sa.literal(run_id))
    select = sa.select(*values, *columns).distinct().order_by(*columns)
    upsert(connection, linked, ["mapping_id", "outcome", "run_id", *names], select)
    for outcome, keys in rows.filter(pl.col("outcome") != "inserted").group_by("outcome").agg("key").rows():
        wanted = id_list(connection, "batch_linked", [key for key in keys if key is not None])
        mine = sa.and_(linked.c.mapping_id == number, linked.c.source_key.in_(sa.select(wanted.c.id)))
        connection.execute(sa.update(linked).where(mine).values(outcome=outcome))


def _write_id_map(
    connection: sa.Connection, context: LoadContext, number: int, staged: sa.TableClause, *, again: bool
) -> None:
    id_map = table(connection, "id_map")
    values = {
        "mapping_id": sa.literal(number),
        "source_key": staged.c.key,
        "record_key": staged.c.record_key,
        "target_id": staged.c.kept_id,
        "state": staged.c.state,
        "reason": staged.c.reason,
        "source_hash": staged.c.hash,
        "run_id": sa.literal(context.run_id),
        "wave": staged.c.wave,
    }
    if not again:
        # A key may be there all the same: that of a duplicate, in an earlier batch.
        with suppress(IntegrityError), connection.begin_nested():
            context.target.insert(connection, id_map, staged, values, filled=["key"], order=["key"])
            return
        context.target.bring(connection, staged)
    select = sa.select(*values.values()).where(staged.c.key.is_not(None)).order_by(staged.c.key)
    upsert(connection, id_map, list(values), select)


def _write_plain(
    connection: sa.Connection, context: LoadContext, number: int, stages: dict[str, sa.TableClause]
) -> None:
    for name, columns in (("issue", ["field", "code", "severity", "detail"]), ("reject", ["row"])):
        staged = stages.get(f"{name}s")
        if staged is not None:
            values: dict[str, sa.ColumnElement[Any]] = {
                "mapping_id": sa.literal(number),
                "run_id": sa.literal(context.run_id),
                "source_key": staged.c.key,
                "row_ref": staged.c.ref,
            }
            values |= {column: staged.c[column] for column in columns}
            context.target.insert(connection, table(connection, name), staged, values)


def _write_refused(
    connection: sa.Connection,
    number: int,
    run_id: int,
    batch: Batch,
    rows: pl.DataFrame,
    details: dict[str, tuple[str, str]],
) -> None:
    """Correct the id map for records that the target refused, and keep their issues and rows."""
    id_map, issue, reject = table(connection, "id_map"), table(connection, "issue"), table(connection, "reject")
    refused = rows.filter(pl.col("outcome").is_in(["conflict", "rejected"]) & pl.col("target_id").is_in(list(details)))
    found = refused.select("key", "ref", "target_id", "outcome", "prior_id").rows(named=True)
    for row in found:
        code, detail = details[row["target_id"]]
        conflict = row["outcome"] == "conflict"
        state = "conflict" if conflict else ("stale" if row["prior_id"] else "rejected")
        connection.execute(
            sa.update(id_map)
            .where(id_map.c.mapping_id == number, id_map.c.source_key == row["key"])
            .values(state=state, target_id=row["target_id"] if code == "edited-in-target" else row["prior_id"])
        )
        columns = "" if code == "edited-in-target" else detail.partition(":")[0].split(", ")[0]
        connection.execute(
            sa.insert(issue).values(
                mapping_id=number,
                run_id=run_id,
                source_key=row["key"],
                row_ref=row["ref"],
                field=columns or "id",
                code=code,
                severity="error",
                detail=detail or None,
            )
        )
    kept = raw_rows(batch.source.filter(pl.col("_key").is_in([row["key"] for row in found])))
    if kept.height:
        connection.execute(
            sa.insert(reject),
            [
                {
                    "mapping_id": number,
                    "run_id": run_id,
                    "source_key": row["key"],
                    "row_ref": row["ref"],
                    "row": row["row"],
                }
                for row in kept.rows(named=True)
            ],
        )


def write_batch(
    connection: sa.Connection,
    number: int,
    run_id: int,
    phase: str,
    seq: int,
    batch: Batch,
    tally: Tally,
    gone_kept: int,
) -> None:
    """Write the batch's own row with its books, and the checkpoint."""
    connection.execute(
        sa.insert(table(connection, "batch")).values(
            run_id=run_id,
            mapping_id=number,
            phase=phase,
            seq=seq,
            source_rows=batch.source_rows,
            gone_kept=gone_kept,
            key_missing=batch.key_missing,
            key_beyond_first=batch.key_beyond_first,
            counters=json.dumps(batch.counters, sort_keys=True),
            committed_at=now(),
            **tally.as_dict(),
        )
    )
    if batch.position is not None:
        progress = table(connection, "progress")
        connection.execute(
            sa.update(progress)
            .where(progress.c.run_id == run_id, progress.c.mapping_id == number)
            .values(position=batch.position)
        )


def write_other_keys(
    connection: sa.Connection,
    context: LoadContext,
    number: int,
    other_keys: tuple[tuple[str, ...], ...],
    staged: sa.TableClause,
    *,
    again: bool,
) -> None:
    """Keep the other declared keys of the rows, by which links may go.

    Args:
        again: whether the id map knew some of the rows before; then their former keys go first.
    """
    kept = table(connection, "other_key")
    if again:
        known = sa.select(staged.c.source_key).where(staged.c.source_key.is_not(None))
        connection.execute(sa.delete(kept).where(kept.c.mapping_id == number, kept.c.source_key.in_(known)))
    for place, columns in enumerate(other_keys):
        key = staged.c[f"other_{place}"]
        if not again and _inserted(connection, context, number, columns, staged, f"other_{place}"):
            continue
        connection.execute(
            sa.insert(kept).from_select(
                ["mapping_id", "run_id", "columns", "key", "source_key"],
                sa.select(
                    sa.literal(number),
                    sa.literal(context.run_id),
                    sa.literal(",".join(columns)),
                    key,
                    staged.c.source_key,
                )
                .where(key.is_not(None), staged.c.source_key.is_not(None))
                .distinct(),
            )
        )


def _inserted(
    connection: sa.Connection,
    context: LoadContext,
    number: int,
    columns: tuple[str, ...],
    staged: sa.TableClause,
    other: str,
) -> bool:
    """Insert another key of rows that are new; False when two rows of a batch have it with the same source key."""
    kept = table(connection, "other_key")
    values: dict[str, sa.ColumnElement[Any]] = {
        "mapping_id": sa.literal(number),
        "run_id": sa.literal(context.run_id),
        "columns": sa.literal(",".join(columns)),
        "key": staged.c[other],
        "source_key": staged.c.source_key,
    }
    with suppress(IntegrityError), connection.begin_nested():
        context.target.insert(connection, kept, staged, values, filled=[other, "source_key"])
        return True
    context.target.bring(connection, staged)
    return False
