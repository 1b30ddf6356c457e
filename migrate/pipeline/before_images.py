"""Records of the target as they were before a run, kept in the transaction that changes or removes them (promise 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casemodel import tables
from connectors import as_text, id_list, record_ids
from migrate.ledger.store import table

WRITE, CLOSE = "write", "close"


def keep_records(
    connection: sa.Connection, run_id: int, table_name: str, ids: Sequence[str], closing: Sequence[str] | None = None
) -> None:
    """Keep records as they are; what is kept of them for this run already stays.

    Args:
        ids: records that an earlier run wrote last: one that this run made has nothing to go back to.
        closing: the columns of which the values are kept; None: all.
    """
    if not ids:
        return
    target, kept, dialect = tables[table_name], table(connection, "before_row"), connection.dialect.name
    wanted = id_list(connection, "before_records", ids)
    names = [column.name for column in target.columns] if closing is None else list(closing)
    select = sa.select(
        sa.literal(run_id),
        sa.literal(table_name),
        as_text(dialect, target.c.id),
        sa.literal(WRITE if closing is None else CLOSE),
        _as_json(dialect, [target.c[name] for name in names]),
    ).where(target.c.id.in_(record_ids(wanted)))
    made: Any = postgresql if dialect == "postgresql" else sqlite
    insert = made.insert(kept).from_select(["undo_run", "target", "target_id", "kind", "row"], select)
    connection.execute(insert.on_conflict_do_nothing())


def _as_json(dialect: str, columns: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[str]:
    """Return columns as one JSON object of texts."""
    pairs = [part for column in columns for part in (sa.literal(column.key, sa.Text), as_text(dialect, column))]
    function = sa.func.jsonb_build_object if dialect == "postgresql" else sa.func.json_object
    return sa.cast(function(*pairs), sa.Text)


def kept_value(dialect: str, row: sa.ColumnElement[str], name: str) -> sa.ColumnElement[str]:
    """Return a column's text of what was kept of a record."""
    if dialect == "postgresql":
        return sa.func.jsonb_extract_path_text(sa.cast(row, postgresql.JSONB), name, type_=sa.Text)
    return sa.func.json_extract(row, f'$."{name}"', type_=sa.Text)
