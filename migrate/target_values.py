"""Reading records of the target as canonical text: equal to what was written, whatever the database."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa

from casemodel import tables


def read_canonical(
    connection: sa.Connection, table_name: str, columns: Sequence[str], where: sa.ColumnElement[bool]
) -> pl.DataFrame:
    """Return ``id`` and the columns of the records that answer to `where`, as canonical text."""
    target = tables[table_name]
    statement = sa.select(*(sa.cast(target.c[name], sa.Text).label(name) for name in ["id", *columns])).where(where)
    rows = [tuple(row) for row in connection.execute(statement)]
    return pl.DataFrame(rows, schema=dict.fromkeys(["id", *columns], pl.String), orient="row")
