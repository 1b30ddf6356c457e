"""An old system on PostgreSQL: the tables of a SQLite one, rows and types as they are."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg import sql


def plain_url(url: str) -> str:
    """Return a URL of SQLAlchemy as libpq reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def execute(url: str, *statements: str | sql.Composed) -> None:
    """Run statements as the owner of a database, each committed."""
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode() if isinstance(statement, str) else statement)


def drop_nul(file: Path) -> None:
    """Take the NUL out of the texts of a SQLite database: PostgreSQL cannot hold it."""
    with closing(sqlite3.connect(file)) as old:
        old.create_function("without_nul", 1, lambda value: value.replace("\0", "") if isinstance(value, str) else value)
        for (table,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for (name,) in old.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall():
                old.execute(f'UPDATE "{table}" SET "{name}" = without_nul("{name}") WHERE hex("{name}") LIKE \'%00%\'')
        old.commit()


def copy_to_postgres(file: Path, url: str) -> None:
    """Make the tables of a SQLite database in an empty PostgreSQL database, and copy their rows.

    Declared types and names stay; a value that PostgreSQL's type would not take makes the column text.
    """
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as old, psycopg.connect(plain_url(url)) as new:
        tables = [row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = old.execute("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?)", (table,)).fetchall()
            rows = old.execute(f'SELECT * FROM "{table}"').fetchall()
            _make(new, table, columns, rows)


def _make(
    new: psycopg.Connection, table: str, columns: list[tuple[str, str, int, int]], rows: list[tuple[object, ...]]
) -> None:
    parts = []
    for number, (name, declared, not_null, _) in enumerate(columns):
        kind = _kind(declared, (row[number] for row in rows))
        parts.append(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind + (" NOT NULL" if not_null else ""))))
    keys = [name for name, _, _, place in sorted(columns, key=lambda column: column[3]) if place]
    if keys:
        parts.append(sql.SQL("PRIMARY KEY ({})").format(sql.SQL(", ").join(map(sql.Identifier, keys))))
    new.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(table), sql.SQL(", ").join(parts)))
    with new.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
        for row in rows:
            copy.write_row(row)


def _kind(declared: str, values: Iterable[object]) -> str:
    texts = [str(value) for value in values if value is not None]
    if declared == "TIMESTAMP" and all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text) for text in texts):
        return "timestamp"
    if declared == "INTEGER" and all(re.fullmatch(r"-?\d{1,9}", text) for text in texts):
        return "integer"
    if declared.startswith("NUMERIC") and all(re.fullmatch(r"-?\d{1,7}(\.\d{1,2})?", text) for text in texts):
        return declared
    length = re.fullmatch(r"(VARCHAR|CHAR)\((\d+)\)", declared)
    if length and all(len(text.rstrip(" ") if length[1] == "CHAR" else text) <= int(length[2]) for text in texts):
        return declared
    return "text"
