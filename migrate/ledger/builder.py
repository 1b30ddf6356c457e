"""How the tables of the ledger are named on each database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql

KEY = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""A source key: ordered by its bytes on every database, so that a batch's keys are a range of the id map."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


@dataclass(frozen=True)
class Builder:
    """Makes tables with the names of a dialect."""

    metadata: MetaData
    prefix: str

    def table(
        self,
        name: str,
        *items: Column[Any] | PrimaryKeyConstraint | UniqueConstraint | Index,
        rowid: bool = True,
        comment: str,
    ) -> Table:
        """Add a table to the metadata."""
        return Table(self.prefix + name, self.metadata, *items, comment=comment, sqlite_with_rowid=rowid)

    def deed(self, name: str, *items: Column[Any] | Index, comment: str) -> Table:
        """Add a table of what people did, one row each: when, who, on which machine, with which version."""
        return self.table(
            name,
            Column("id", Integer, primary_key=True, autoincrement=True),
            Column("at", String(26), nullable=False, comment="UTC"),
            Column("os_user", String(200), nullable=False),
            Column("host", String(200), nullable=False),
            Column("program", String(40), nullable=False),
            *items,
            comment=comment,
        )

    def ref(self, name: str) -> ForeignKey:
        """Return a link to the id of another table of the ledger."""
        schema = self.metadata.schema
        return ForeignKey(f"{schema}.{name}.id" if schema else f"{self.prefix}{name}.id")
