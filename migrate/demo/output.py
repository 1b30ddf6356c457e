"""Writing the old databases: created with their real schema, filled chunk by chunk through ADBC, closed cleanly."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import adbc_driver_manager
import polars as pl
from adbc_driver_sqlite import dbapi

from casemodel import SystemFailure

_CHAR = re.compile(r"CHAR\((\d+)\)")
_HINT = "Free some space or choose another folder, remove what was written there, and run `omnicase demo` again."


class OldDatabase:
    """An SQLite file with an old system's tables, open for appending."""

    def __init__(self, connection: dbapi.Connection, columns: dict[str, list[tuple[str, str]]]) -> None:
        self._connection = connection
        self._columns = columns

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Append rows to a table.

        Args:
            table: the table's name.
            frame: has every column of the table, others are left out; text of CHAR columns is padded with spaces.
        """
        if frame.is_empty():
            return
        values = [_padded(name, declared) for name, declared in self._columns[table]]
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(table, frame.select(values).to_arrow(), mode="append")

    def tables(self) -> list[str]:
        """Return the names of all tables."""
        return list(self._columns)


def _padded(name: str, declared: str) -> pl.Expr:
    length = _CHAR.fullmatch(declared)
    return pl.col(name).cast(pl.String).str.pad_end(int(length[1])) if length else pl.col(name)


@contextmanager
def old_database(path: Path, schema: str) -> Iterator[OldDatabase]:
    """Create an old system's database and close it in rollback-journal mode.

    Args:
        path: the file, which must not exist.
        schema: the CREATE TABLE statements.

    Raises:
        SystemFailure: SYS-021 when the disk refuses.
    """
    try:
        with closing(sqlite3.connect(path)) as plain:
            plain.executescript("PRAGMA synchronous = OFF;" + schema)
            tables = [row[0] for row in plain.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            columns = {t: [(row[1], row[2]) for row in plain.execute(f"PRAGMA table_info({t})")] for t in tables}
        with dbapi.connect(str(path), autocommit=True) as connection:
            with connection.cursor() as cursor:
                # A half-written demo is thrown away, never repaired: no journal is needed while it is made.
                cursor.execute("PRAGMA journal_mode = OFF")
                cursor.execute("PRAGMA synchronous = OFF")
            yield OldDatabase(connection, columns)
    except (adbc_driver_manager.Error, sqlite3.Error) as error:
        raise SystemFailure("SYS-021", "the demo's database cannot be written", hint=_HINT, place=path.name) from error
