"""Reading records of the target as canonical text: equal to what was written, whatever the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import tables
from connectors import as_text, in_canonical_form, json_places


def read_canonical(
    connection: sa.Connection, table_name: str, columns: Sequence[str], where: sa.ColumnElement[bool]
) -> pl.DataFrame:
    """Return ``id`` and the columns of the records that answer to `where`, as canonical text.

    Who only looks may do no more, and waits for nobody.
    """
    return _read(connection, table_name, columns, where, lambda statement: statement)


def read_for_update(
    connection: sa.Connection, table_name: str, columns: Sequence[str], where: sa.ColumnElement[bool]
) -> pl.DataFrame:
    """Return what `read_canonical` does; nobody changes these records before the transaction ends."""
    return _read(connection, table_name, columns, where, sa.Select.with_for_update)


def _read(
    connection: sa.Connection,
    table_name: str,
    columns: Sequence[str],
    where: sa.ColumnElement[bool],
    locked: Callable[[Any], sa.Select[Any]],
) -> pl.DataFrame:
    target, names = tables[table_name], ["id", *columns]
    texts = (as_text(connection.dialect.name, target.c[name]).label(name) for name in names)
    rows = [tuple(row) for row in connection.execute(locked(sa.select(*texts).where(where)))]
    found = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return in_canonical_form(found, json_places(target.c[name] for name in names))
