"""Records made of what rows of several systems contribute (LANGUAGE.md, "One record out of several systems").

The records that a batch touches are computed again from all contributions in the ledger, in the batch's transaction: so
the result depends neither on the order of loading nor on the size of the batches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import polars as pl
import sqlalchemy as sa

from casemodel import tables
from mappings import CompiledMapping
from migrate.ledger.store import column_set_id, table
from migrate.pipeline.batch import Batch, Gate, record_hash
from migrate.pipeline.conflicts import edited_ids, id_list, insert_records
from migrate.pipeline.context import LoadContext, Shared

GIVEN = {"id": pl.String, "rank": pl.Int64, "mapping": pl.String, "key": pl.String, "fields": pl.String}
"""Contributions: the record's id, what orders them, and the fields as JSON of canonical texts."""
Details = dict[str, tuple[str, str]]


def shared_records(compiled: Iterable[CompiledMapping], numbers: Mapping[str, int]) -> dict[str, Shared]:
    """Return how each mapping with an identity gives to the records of its table."""
    found = {each.name: each for each in compiled if each.identity_rank is not None}
    shared = {}
    for name, mapping in found.items():
        together = [each for each in found.values() if each.target == mapping.target]
        filled = {column for each in together for column in each.fields}
        columns = tuple(column.name for column in tables[mapping.target].columns if column.name in filled)
        names = {numbers[each.name]: each.name for each in together if each.name in numbers}
        shared[name] = Shared(mapping.identity_rank or 0, columns, names)
    return shared


def contributions_of(batch: Batch) -> pl.DataFrame:
    """Return ``source_key``, ``id`` and ``fields`` of the records that a batch mapped."""
    fields = pl.struct(batch.columns).struct.json_encode() if batch.records.height else pl.lit(None, pl.String)
    return batch.records.select(pl.col("record_key").alias("source_key"), "id", fields.alias("fields"))


def merged_fields(given: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """Return ``id`` and the columns of each record: the first value of its contributions by rank, mapping and key.

    Args:
        given: see `GIVEN`.
    """
    fields = pl.col("fields").str.json_decode(pl.Struct(dict.fromkeys(columns, pl.String)))
    return (
        given.sort("id", "rank", "mapping", "key")
        .select("id", fields)
        .unnest("fields")
        .group_by("id", maintain_order=True)
        .agg(pl.col(name).drop_nulls().first() for name in columns)
    )


def given_to(connection: sa.Connection, shared: Shared, ids: Iterable[str]) -> pl.DataFrame:
    """Return all contributions to these records (see `GIVEN`)."""
    contribution = table(connection, "contribution")
    wanted = id_list(connection, "batch_touched", sorted(ids))
    rows = connection.execute(
        sa.select(
            contribution.c.target_id,
            contribution.c.rank,
            contribution.c.mapping_id,
            contribution.c.source_key,
            contribution.c.fields,
        ).where(
            contribution.c.target_id.in_(sa.select(wanted.c.id)),
            contribution.c.mapping_id.in_(sorted(shared.mappings)),
        )
    ).all()
    named = [(row[0], row[1], shared.mappings[row[2]], row[3], row[4]) for row in rows]
    return pl.DataFrame(named, schema=GIVEN, orient="row")


def write_shared(
    connection: sa.Connection,
    context: LoadContext,
    mapping: str,
    table_name: str,
    staged: sa.TableClause,
    gate: Gate,
) -> tuple[dict[str, str], Details, dict[str, str]]:
    """Keep the contributions of a batch and write the records they change.

    Args:
        staged: see `contributions_of`.

    Returns:
        Fate and details by target id; and by source key the outcome of rows that joined a record: ``inserted`` for the
        first of a new record, else ``merged``.
    """
    shared = context.shared[mapping]
    newcomers, left = _keep(connection, context.mapping_ids[mapping], shared.rank, staged)
    touched = set(connection.scalars(sa.select(staged.c.id))) | left
    given = given_to(connection, shared, touched)
    records = merged_fields(given, shared.columns).select(
        "id", record_hash(shared.columns, gate.hash_key).alias("hash"), *shared.columns
    )
    known = _known(connection, shared, touched)
    names = json.dumps(list(shared.columns), separators=(",", ":"))
    fates: dict[str, str] = {}
    changed: dict[str, tuple[str, str]] = {}
    for key, found in records.select("id", "hash").rows():
        if key in known and known[key] == (found, names):
            fates[key] = "unchanged"
        elif key in known:
            changed[key] = known[key]
    edited = edited_ids(connection, table_name, changed, gate) if changed else set()
    fates |= {key: "conflict" if key in edited else "updated" for key in changed}
    details: Details = dict.fromkeys(edited, ("edited-in-target", ""))
    fresh = set(records["id"]) - set(fates)
    refused = _write(connection, table_name, shared, records, fates, known)
    _remember(connection, context, mapping, shared, records, fates, refused, known)
    for key, (code, detail) in refused.items():
        fates[key] = "conflict" if code == "record-exists" else "rejected"
        details[key] = (code, detail)
    emptied = left - set(records["id"])
    _remove(connection, table_name, shared, {key: known[key] for key in emptied if key in known}, gate)
    return fates, details, _joined(newcomers, fresh)


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


def _keep(
    connection: sa.Connection, number: int, rank: int, staged: sa.TableClause
) -> tuple[list[tuple[str, str]], set[str]]:
    """Keep the contributions; return key and id of those new to their record, and the records that lost one."""
    contribution = table(connection, "contribution")
    before = connection.execute(
        sa.select(staged.c.source_key, staged.c.id, contribution.c.target_id)
        .outerjoin(
            contribution,
            sa.and_(contribution.c.mapping_id == number, contribution.c.source_key == staged.c.source_key),
        )
        .order_by(staged.c.source_key)
    ).all()
    statement = sa.insert(contribution).from_select(
        ["mapping_id", "source_key", "target_id", "rank", "fields"],
        sa.select(sa.literal(number), staged.c.source_key, staged.c.id, sa.literal(rank), staged.c.fields).order_by(
            staged.c.source_key
        ),
    )
    connection.execute(statement.prefix_with("OR REPLACE"))
    newcomers = [(key, new) for key, new, old in before if new != old]
    return newcomers, {old for _, new, old in before if old is not None and new != old}


def _known(connection: sa.Connection, shared: Shared, ids: set[str]) -> dict[str, tuple[str, str]]:
    """Return hash and columns of what was last written to these records; their key in the ledger is their id."""
    record, sets = table(connection, "record"), table(connection, "column_set")
    wanted = id_list(connection, "batch_touched", sorted(ids))
    rows = connection.execute(
        sa.select(record.c.target_id, record.c.record_hash, sets.c.columns)
        .join(sets, sets.c.id == record.c.column_set_id)
        .where(record.c.mapping_id.in_(sorted(shared.mappings)), record.c.record_key.in_(sa.select(wanted.c.id)))
    )
    return {row.target_id: (row.record_hash, row.columns) for row in rows}


def _write(
    connection: sa.Connection,
    table_name: str,
    shared: Shared,
    records: pl.DataFrame,
    fates: dict[str, str],
    known: dict[str, tuple[str, str]],
) -> Details:
    """Insert the new records and update the changed ones; return what the target refuses."""
    target, columns = tables[table_name], ["id", *shared.columns]
    quoted = ", ".join(f'"{name}" TEXT' for name in shared.columns)
    connection.exec_driver_sql("DROP TABLE IF EXISTS batch_merged")
    connection.exec_driver_sql(f"CREATE TEMP TABLE batch_merged (id TEXT PRIMARY KEY, {quoted})")
    open_ones = records.filter(~pl.col("id").is_in([key for key, fate in fates.items() if fate != "updated"]))
    if open_ones.is_empty():
        return {}
    marks = ", ".join("?" * len(columns))
    connection.exec_driver_sql(f"INSERT INTO batch_merged VALUES ({marks})", open_ones.select(columns).rows())
    merged = sa.table("batch_merged", *(sa.column(name) for name in columns))
    changed = [key for key, fate in fates.items() if fate == "updated"]
    refused = insert_records(connection, target, merged, shared.columns, skip=changed)
    if changed:
        wanted = id_list(connection, "batch_updates", changed)
        values = {
            name: sa.select(merged.c[name]).where(merged.c.id == target.c.id).scalar_subquery()
            for name in shared.columns
        }
        connection.execute(sa.update(target).where(target.c.id.in_(sa.select(wanted.c.id))).values(values))
    return refused


def _remember(
    connection: sa.Connection,
    context: LoadContext,
    mapping: str,
    shared: Shared,
    records: pl.DataFrame,
    fates: dict[str, str],
    refused: Details,
    known: dict[str, tuple[str, str]],
) -> None:
    """Keep the hash of what was written, under the mapping that wrote the record first."""
    record = table(connection, "record")
    number, columns = context.mapping_ids[mapping], column_set_id(connection, shared.columns)
    written = [
        (key, found)
        for key, found in records.select("id", "hash").rows()
        if key not in refused and fates.get(key, "inserted") in ("inserted", "updated")
    ]
    fresh = [
        {
            "mapping_id": number,
            "record_key": key,
            "target_id": key,
            "record_hash": found,
            "column_set_id": columns,
            "run_id": context.run_id,
        }
        for key, found in written
        if key not in known
    ]
    again = [{"k": key, "h": found} for key, found in written if key in known]
    if fresh:
        connection.execute(sa.insert(record), fresh)
    if again:
        connection.execute(
            sa.update(record)
            .where(record.c.mapping_id.in_(sorted(shared.mappings)), record.c.record_key == sa.bindparam("k"))
            .values(record_hash=sa.bindparam("h"), column_set_id=columns, run_id=context.run_id),
            again,
        )


def _remove(
    connection: sa.Connection, table_name: str, shared: Shared, emptied: dict[str, tuple[str, str]], gate: Gate
) -> None:
    """Remove records that nothing contributes to any more, unless people edited them or other records link to them."""
    if not emptied:
        return
    target, record = tables[table_name], table(connection, "record")
    free = set(emptied) - edited_ids(connection, table_name, emptied, gate)
    wanted = id_list(connection, "batch_emptied", sorted(free))
    linked = [
        sa.exists().where(key.parent == target.c.id).correlate(target)
        for other in tables.values()
        if other is not target
        for key in other.foreign_keys
        if key.column.table is target
    ]
    gone = list(
        connection.scalars(
            sa.select(target.c.id).where(target.c.id.in_(sa.select(wanted.c.id)), *(~each for each in linked))
        )
    )
    wanted = id_list(connection, "batch_emptied", gone)
    connection.execute(sa.delete(target).where(target.c.id.in_(sa.select(wanted.c.id))))
    connection.execute(
        sa.delete(record).where(
            record.c.mapping_id.in_(sorted(shared.mappings)), record.c.record_key.in_(sa.select(wanted.c.id))
        )
    )


def _joined(newcomers: list[tuple[str, str]], fresh: set[str]) -> dict[str, str]:
    """Return the outcome of each row that is new to its record: the first of a new record made it."""
    makers: dict[str, str] = {}
    for key, record in newcomers:
        if record in fresh:
            makers.setdefault(record, key)
    return {key: "inserted" if makers.get(record) == key else "merged" for key, record in newcomers}
