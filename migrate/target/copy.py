"""A copy of the target as its last commit left it: always a SQLite file, whatever database the target is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlalchemy as sa

from casemodel import Target, metadata
from connectors import PostgresTarget, SqliteTarget, append_rows
from migrate.ledger.evidence_tables import HEAD, OUTBOX
from migrate.ledger.tables import ledger_metadata
from migrate.target.database import target_engine, upgrade

_ROWS = 50_000


def copy_target(target: Target, destination: Path) -> None:
    """Copy model and ledger of a target into a new SQLite file; the target is read in one snapshot and not locked."""
    if isinstance(target, SqliteTarget):
        _back_up(target.path, destination)
    elif isinstance(target, PostgresTarget):
        upgrade(target_engine(f"sqlite:///{destination}"))
        with target.snapshot():
            for table, into in _tables():
                names = tuple(column.name for column in table.columns)
                for page in target.pages(sa.select(table), names, _ROWS):
                    append_rows(destination, into, page)


def _back_up(source: Path, destination: Path) -> None:
    """Copy a database by SQLite's own backup."""
    reading = sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)
    writing = sqlite3.connect(destination)
    try:
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()


def _tables() -> list[tuple[sa.Table, str]]:
    """Return all tables on PostgreSQL but the evidence, which a plan has no need of, each with its name on SQLite."""
    ledger = zip(ledger_metadata("postgresql").sorted_tables, ledger_metadata("sqlite").sorted_tables, strict=True)
    needed = ((table, own.name) for table, own in ledger if table.name not in (OUTBOX, HEAD))
    return [*((table, table.name) for table in metadata.sorted_tables), *needed]
