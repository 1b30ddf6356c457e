"""Lists of texts that statements of one transaction join: temporary tables, which never touch the target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from casemodel import Uuid


def id_list(connection: sa.Connection, name: str, ids: Iterable[str]) -> sa.TableClause:
    """Make a temporary list of ids or keys for this transaction, replacing the one of that name.

    Returns:
        A table with the text column ``id``.
    """
    listed = sa.Table(
        name,
        sa.MetaData(),
        sa.Column("id", sa.Text, primary_key=True),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    connection.execute(sa.schema.CreateTable(listed, if_not_exists=True))
    connection.execute(sa.delete(listed))
    once = list(dict.fromkeys(ids))
    if once and connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        with driver.cursor().copy(f"COPY {name} (id) FROM STDIN") as copy:
            for each in once:
                copy.write_row((each,))
    elif once:
        connection.exec_driver_sql(f"INSERT INTO {name} VALUES (?)", [(each,) for each in once])
    return sa.table(name, sa.column("id", sa.Text))


def record_ids(listed: sa.FromClause) -> sa.Select[tuple[str]]:
    """Return the texts of a list as ids of records, to compare with those of the target."""
    return sa.select(sa.cast(listed.c.id, Uuid()))
