"""Reading records of the target as canonical text: equal to what was written, whatever the database."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa

from casemodel import tables
from connectors import as_text, in_canonical_form, json_places


def read_canonical(
    connection: sa.Connection, table_name: str, columns: Sequence[str], where: sa.ColumnElement[bool]
) -> pl.DataFrame:
    """Return ``id`` and the columns of the records that answer to `where`, as canonical text.

    The records are read for update: nobody changes them before the transaction ends.
    """
    target, names = tables[table_name], ["id", *columns]
    texts = (as_text(connection.dialect.name, target.c[name]).label(name) for name in names)
    rows = [tuple(row) for row in connection.execute(sa.select(*texts).where(where).with_for_update())]
    found = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return in_canonical_form(found, json_places(target.c[name] for name in names))
