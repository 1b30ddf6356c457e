"""Both sides of a conflict: what its source row maps to now, and what the target holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from casemodel import Mapped, Target, tables
from mappings import CompiledMapping
from migrate.conflicts.found import Found
from migrate.explain.row import row_of
from migrate.ledger.renames import ledger_numbers
from migrate.ledger.store import fully_read, table
from migrate.pipeline.adopted import adopted_records
from migrate.pipeline.batch import Gate, record_hash
from migrate.pipeline.conflicts import FOUND, MISSING
from migrate.pipeline.context import Shared
from migrate.pipeline.contributions import contributions_to, shared_records
from migrate.pipeline.identity import merged
from migrate.pipeline.links import LedgerLinks
from migrate.session import Session
from migrate.target.values import read_canonical

Values = Mapping[str, str | None]


@dataclass(frozen=True)
class Sides:
    """What a conflict is about; hashes are record hashes over `columns`.

    columns: what the mapping writes, or all mappings that share the record.
    writers: numbers of the mappings under which the ledger may know the record, and `record_key` its key there.
    made_id: id that the mapping gives the record; None when the row does not load as it stands.
    record_id: id of the record in the target that is in the way.
    source: what the row maps to now; None when it left the source or does not load.
    source_hash: of those values.
    merged: keys of the rows of the mapping that go with the record and do not lead it.
    target: what the target holds; None when the record is not there.
    target_hash: of those values.
    moved_on, edited_again: the row, or the record, is no longer what the run found.
    """

    columns: tuple[str, ...]
    writers: tuple[int, ...]
    record_key: str
    made_id: str | None
    record_id: str | None
    source: Values | None
    source_hash: str | None
    merged: tuple[str, ...]
    target: Values | None
    target_hash: str | None
    moved_on: bool
    edited_again: bool


def sides_of(session: Session, target: Target, found: Found) -> Sides:
    """Read the source row again, map it again, and read the record."""
    mapping = session.mapping(found.mapping)
    compiled = [session.mapping(name) for name in session.check.order]
    with target.engine.connect() as connection:
        numbers, full = ledger_numbers(connection, compiled), fully_read(connection)
        shared = shared_records(compiled, numbers, adopted_records(connection)).get(found.mapping)
    by_record = frozenset(each.name for each in compiled if each.records_by_group)
    prepared = row_of(session, mapping, found.key)
    mapped: Mapped | None = None
    if prepared is not None:
        mapped = mapping.apply(prepared, LedgerLinks(target, numbers, by_record, full), pl.Series(dtype=pl.String))
    key = found.record_key or found.key
    hash_key = session.workspace.secrets.hash_key
    with target.engine.connect() as connection:
        if shared is None:
            made_id, source = _alone(mapping, mapped, key, hash_key)
            columns: tuple[str, ...] = mapping.fields
            writers: tuple[int, ...] = (found.number,)
        else:
            made_id, source = _together(connection, shared, mapped, found, key)
            columns, writers = shared.columns, tuple(sorted(shared.mappings))
        record_id = found.target_id if found.code == "edited-in-target" else found.holder or made_id
        there = read_record(connection, mapping.target, columns, record_id)
        record_key = key if shared is None else str(record_id)
        again = edited_again(connection, mapping.target, found, (writers, record_key), hash_key)
    return Sides(
        columns,
        writers,
        record_key=record_key,
        made_id=made_id,
        record_id=record_id,
        source=source,
        source_hash=hash_of(columns, source, hash_key),
        merged=_merged_rows(mapped),
        target=there,
        target_hash=hash_of(columns, there, hash_key),
        moved_on=prepared is None or prepared["_hash"][0] != found.source_hash,
        edited_again=again,
    )


def _alone(
    mapping: CompiledMapping, mapped: Mapped | None, key: str, hash_key: bytes
) -> tuple[str | None, Values | None]:
    """Return id and values of a record of one row or group."""
    if mapped is None:
        return None, None
    gate = Gate(mapping.name, mapping.target, mapping.fields, hash_key)
    mine = gate.pass_through(mapped.records).filter(pl.col("record_key") == key)
    if mine.is_empty():
        return None, None
    row = mine.row(0, named=True)
    return str(row["id"]), {name: row[name] for name in mapping.fields}


def _together(
    connection: sa.Connection, shared: Shared, mapped: Mapped | None, found: Found, key: str
) -> tuple[str | None, Values | None]:
    """Return id and values of a record that several rows make, of what the ledger has of them."""
    kept = table(connection, "contribution")
    mine = (kept.c.mapping_id == found.number, kept.c.source_key == key)
    made_id = connection.scalar(sa.select(kept.c.target_id).where(*mine))
    if made_id is None or mapped is None or mapped.records.filter(pl.col("_key") == key).is_empty():
        return made_id, None
    row = merged(contributions_to(connection, shared, made_id), shared).row(0, named=True)
    return str(made_id), {name: row[name] for name in shared.columns}


def _merged_rows(mapped: Mapped | None) -> tuple[str, ...]:
    if mapped is None:
        return ()
    return tuple(mapped.outcomes.filter(pl.col("outcome") == "merged")["_key"].drop_nulls())


def read_record(
    connection: sa.Connection,
    table_name: str,
    columns: Sequence[str],
    record_id: str | None,
    *,
    read: Callable[..., pl.DataFrame] = read_canonical,
) -> Values | None:
    """Return a record of the target as canonical text, or None.

    Args:
        read: `read_canonical`, or `read_for_update` by who goes by it in the same transaction.
    """
    if record_id is None:
        return None
    rows = read(connection, table_name, columns, tables[table_name].c.id == record_id)
    return None if rows.is_empty() else {name: rows[name][0] for name in columns}


def hash_of(columns: Sequence[str], values: Values | None, hash_key: bytes) -> str | None:
    """Return the record hash of values, or None where there are none."""
    if values is None:
        return None
    frame = pl.DataFrame({name: [values[name]] for name in columns}, schema=dict.fromkeys(columns, pl.String))
    return str(frame.select(record_hash(columns, hash_key).alias("hash"))["hash"][0])


def edited_again(
    connection: sa.Connection, table_name: str, found: Found, known: tuple[Sequence[int], str], hash_key: bytes
) -> bool:
    """Return whether an edited record is no longer as the run found it; of other records the run kept nothing.

    Args:
        known: mappings and key by which the ledger may know the record.
    """
    if found.code != "edited-in-target":
        return False
    names = written_columns(connection, *known)
    now = hash_of(names, read_record(connection, table_name, names, found.target_id), hash_key)
    return found.detail != (MISSING if now is None else f"{FOUND}{now}")


def written_columns(connection: sa.Connection, writers: Sequence[int], record_key: str) -> list[str]:
    """Return the columns over which the ledger has the hash of a record."""
    record, sets = table(connection, "record"), table(connection, "column_set")
    columns = connection.scalar(
        sa.select(sets.c.columns)
        .join(record, record.c.column_set_id == sets.c.id)
        .where(record.c.mapping_id.in_(writers), record.c.record_key == record_key)
    )
    return list(json.loads(columns)) if columns else []
