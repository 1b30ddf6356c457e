"""What the target refuses: records people edited, records we did not make, unique values that are taken (promise 5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress

import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from casemodel import BugError, Target, Uuid, partial_unique_keys, tables, unique_keys
from connectors import id_list, record_ids
from migrate.ledger.store import table
from migrate.pipeline.batch import Gate, record_hash
from migrate.target.values import read_for_update

MISSING, FOUND = "missing", "found "
"""Details of ``edited-in-target``: the record is gone, or the hash of the values that were there instead of ours."""

Refused = dict[str, tuple[str, str]]
"""Target id -> issue code (``record-exists``, ``unique-taken``) and detail."""


class CountedOnRefused(Exception):
    """The target refused a record that others of its batch link to; never leaves `migrate.pipeline.retry`."""


def staged_id(staged: sa.FromClause) -> sa.Cast[str]:
    """Return the id of staged records, which is text there, as the target has it."""
    return sa.cast(staged.c.id, Uuid())


def edited_ids(
    connection: sa.Connection, table_name: str, written: dict[str, tuple[str, str]], gate: Gate
) -> dict[str, str]:
    """Return the records whose values no longer hash to what was written, or that are gone.

    Args:
        written: target id -> record hash and the columns (JSON) it was taken over.

    Returns:
        Target id -> what was found, as the detail of an issue: ``found <hash>`` or ``missing``.
    """
    edited = dict.fromkeys(written, MISSING)
    for columns in {columns for _, columns in written.values()}:
        names = json.loads(columns)
        ids = [key for key, (_, over) in written.items() if over == columns]
        wanted = id_list(connection, "batch_changed", ids)
        target = tables[table_name]
        current = read_for_update(connection, table_name, names, target.c.id.in_(record_ids(wanted)))
        hashed = current.select("id", record_hash(names, gate.hash_key).alias("hash"))
        edited |= {key: f"{FOUND}{found}" for key, found in hashed.rows()}
    return {key: found for key, found in edited.items() if found != f"{FOUND}{written[key][0]}"}


def insert_records(
    connection: sa.Connection,
    into: Target,
    target: sa.Table,
    staged: sa.TableClause,
    columns: Sequence[str],
    skip: list[str],
    counted_on: frozenset[str] = frozenset(),
) -> Refused:
    """Insert the staged records but those to skip; what the target refuses is found and left out.

    Args:
        into: the target that `connection` is of.
        counted_on: ids of staged records that others of them link to.

    Raises:
        CountedOnRefused: the target refused one of these.
    """
    if not skip:
        values = {"id": staged_id(staged)} | {name: staged.c[name] for name in columns}
        with suppress(IntegrityError), connection.begin_nested():
            into.insert(connection, target, staged, values)
            return {}
        into.bring(connection, staged)
    refused: Refused = {}
    while True:
        statement = sa.select(staged_id(staged), *(staged.c[name] for name in columns))
        left_out = [*skip, *refused]
        if left_out:
            statement = statement.where(
                staged.c.id.not_in(sa.select(id_list(connection, "batch_skipped", left_out).c.id))
            )
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(target).from_select(["id", *columns], statement))
            return refused
        except IntegrityError:
            found = _refusals(connection, target, staged, skip=left_out)
        if not found:
            raise BugError(
                "BUG-003",
                f"{target.name} refused records for a reason that mappings should have found: our bug",
                hint="Nothing of this batch was written. Report it with the output of `omnicase db check`.",
                place=target.name,
            ) from None
        refused |= found
        if not counted_on.isdisjoint(refused):
            raise CountedOnRefused


def _refusals(connection: sa.Connection, target: sa.Table, staged: sa.TableClause, skip: Sequence[str]) -> Refused:
    """Find the records that exist already, and those whose unique values another record holds."""
    out = id_list(connection, "batch_skipped", skip)
    open_ones = staged.c.id.not_in(sa.select(out.c.id))
    there = sa.select(staged.c.id).join(target, target.c.id == staged_id(staged)).where(open_ones)
    found: Refused = dict.fromkeys(connection.scalars(there), ("record-exists", ""))
    for columns in _unique_columns(target.name, staged):
        found = {**_held(connection, target, staged, columns, open_ones), **found}
    if not found:
        for columns in _unique_columns(target.name, staged):
            found |= _doubled(connection, staged, columns, open_ones)
    return found


def _unique_columns(name: str, staged: sa.TableClause) -> Iterable[tuple[str, ...]]:
    whole = list(unique_keys(name)) + [tuple(key.columns) for key in partial_unique_keys(name)]
    return [columns for columns in whole if set(columns) <= set(staged.c.keys())]


def _held(
    connection: sa.Connection,
    target: sa.Table,
    staged: sa.TableClause,
    columns: tuple[str, ...],
    open_ones: sa.ColumnElement[bool],
) -> Refused:
    same = sa.and_(*(target.c[name] == staged.c[name] for name in columns))
    rows = connection.execute(
        sa.select(staged.c.id, target.c.id.label("holder"))
        .select_from(staged)
        .join(target, sa.and_(same, target.c.id != staged_id(staged)))
        .where(open_ones)
    ).all()
    made = ours(connection, target.name, {row.holder for row in rows})
    names = ", ".join(columns)
    return {
        row.id: ("unique-taken" if row.holder in made else "record-exists", f"{names}: held by {row.holder}")
        for row in rows
    }


def ours(connection: sa.Connection, table_name: str, ids: set[str]) -> set[str]:
    """Return which of these records we made."""
    if not ids:
        return set()
    record, mapping = table(connection, "record"), table(connection, "mapping")
    wanted = id_list(connection, "batch_holders", sorted(ids))
    statement = (
        sa.select(record.c.target_id)
        .join(mapping, mapping.c.id == record.c.mapping_id)
        .where(mapping.c.target == table_name, record.c.target_id.in_(sa.select(wanted.c.id)))
    )
    return set(connection.scalars(statement))


def _doubled(
    connection: sa.Connection, staged: sa.TableClause, columns: tuple[str, ...], open_ones: sa.ColumnElement[bool]
) -> Refused:
    """Within a batch the first in reading order keeps the value; the later ones name it."""
    wanted = sa.select(staged.c.id, *(staged.c[name] for name in columns)).where(open_ones).order_by(staged.c.number)
    rows = [tuple(row) for row in connection.execute(wanted)]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(["id", *columns], pl.String), orient="row").drop_nulls()
    names = ", ".join(columns)
    later = frame.with_columns(pl.col("id").first().over(columns).alias("holder")).filter(
        pl.col("id") != pl.col("holder")
    )
    return {key: ("unique-taken", f"{names}: held by {holder}") for key, holder in later.select("id", "holder").rows()}
