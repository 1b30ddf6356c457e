"""The two alembic histories of a target: the case model, and the ledger beside it (DESIGN.md, section 6).

Each has a version table and a folder of its own, so that a municipality whose supplier owns the model can bring only
the ledger up to date.  The folders are data of this package; no alembic.ini is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

LEDGER_SCHEMA = "migration"
"""The schema of the ledger on PostgreSQL."""


@dataclass(frozen=True, slots=True)
class History:
    """One alembic history.

    Args:
        name: ``model`` or ``ledger``.
        head: its newest revision.
        schema: the schema of its tables on PostgreSQL; None is the first of the search path.
        metadata: gives the tables as they should be, for the name of a dialect.
    """

    name: str
    head: str
    schema: str | None
    metadata: Callable[[str], sa.MetaData]

    @property
    def version_table(self) -> str:
        """Name of the table that holds the revision of a database."""
        return f"alembic_version_{self.name}"

    @property
    def folder(self) -> Path:
        """The folder of the revisions."""
        return Path(__file__).parent / self.name

    def schema_on(self, dialect: str) -> str | None:
        """Return the schema of the tables on a dialect."""
        return self.schema if dialect == "postgresql" else None


def _model(_dialect: str) -> sa.MetaData:
    from casemodel import metadata

    return metadata


def _ledger(dialect: str) -> sa.MetaData:
    from migrate.ledger.tables import ledger_metadata

    return ledger_metadata(dialect)


HISTORIES = (
    History("model", "model_0001", None, _model),
    History("ledger", "ledger_0001", LEDGER_SCHEMA, _ledger),
)
"""Both histories, in the order of an upgrade."""


def run_revisions() -> None:
    """Run the revisions of a history on the connection handed over in ``config.attributes``; called by each env.py."""
    from alembic import context

    connection: sa.Connection = context.config.attributes["connection"]
    history: History = context.config.attributes["history"]
    context.configure(
        connection=connection,
        version_table=history.version_table,
        version_table_schema=history.schema_on(connection.dialect.name),
        # SQLite changes tables by copying them; and its DDL is part of our transaction.
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    context.run_migrations()
