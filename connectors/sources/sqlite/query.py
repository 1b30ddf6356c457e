"""Queries of the workspace over a SQLite database: described once, run once into a scratch database, read from there.

The query is one SELECT, checked before it comes here; the database is opened read-only besides.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from casemodel import OMITTED, Query, Relation, SourceColumn, SystemFailure
from connectors.sources.queries.refusals import refuse_accounts, refuse_names, refused
from connectors.sources.sqlite.file import DatabaseFile
from connectors.sources.sqlite.link import Link
from connectors.sources.sqlite.schema import COPY_ROW, Table
from connectors.sources.sqlite.text import is_padded, quoted

_UNKNOWN = re.compile(r"no such (table|column|function): ([\w.]+)")


def query_table(file: DatabaseFile, system: str, query: Query, find: Callable[[str], Table]) -> Table:
    """Return a query as a relation; its columns have the types of the columns that they come from.

    Args:
        find: gives a table of the database by its name in any case, or raises CON-020.

    Raises:
        SystemFailure: CON-025 the database refuses it, CON-026 two columns with one name or a reserved one.
    """
    place = f"{system}.{query.name}"
    for name in query.tables:
        try:
            find(name)
        except SystemFailure as unknown:
            raise refused(f"there is no relation {name}", place, unknown.hint) from None
    columns = _columns(file, query, place)
    # SQLite numbers the second column of a name.
    refuse_names([re.sub(r":\d+$", "", name) for name, _ in columns], place)
    if query.base:
        base = find(query.base)
        for column in query.by:
            base.column(column)
        refuse_accounts(query, [name for name, _ in columns], place)
    # SQLite calls a column of a view BLOB when it has no type at all.
    offered = [SourceColumn(name, "" if kind.upper() == "BLOB" else kind) for name, kind in columns]
    technical = SourceColumn(OMITTED, technical=True, personal=False)
    return Table(Relation(system, query.name, (*offered, technical)), (COPY_ROW,), by_rowid=True, is_view=True)


def _columns(file: DatabaseFile, query: Query, place: str) -> list[tuple[str, str]]:
    """Return name and declared type of each column of a query."""
    try:
        with closing(sqlite3.connect(file.uri, uri=True)) as database:
            database.execute("PRAGMA temp_store = MEMORY")
            cursor = database.execute(f"SELECT * FROM (\n{query.sql}\n) LIMIT 0")
            names = [str(column[0]) for column in cursor.description]
            database.execute(f'CREATE TEMP VIEW "the query" AS {query.sql}')
            typed = database.execute("SELECT type FROM temp.pragma_table_xinfo('the query') ORDER BY cid").fetchall()
    except sqlite3.Error as error:
        found = _UNKNOWN.search(str(error))
        cause = f"there is no {found[1]} {found[2]}" if found else "its SQL is not SQLite's, or columns are ambiguous"
        raise refused(cause, place, "Correct the query.") from None
    return [(name, str(kind or "")) for name, (kind,) in zip(names, typed, strict=True)]


def copy_query(
    link: Link, table: Table, query: Query, base: Table | None, file: DatabaseFile, path: Path
) -> DatabaseFile:
    """Run a query, once, into a table of a scratch database, with a row for every key that it leaves out."""
    names = [column.name for column in table.relation.columns if column.name != OMITTED]
    columns = ", ".join(quoted(name) for name in names)
    link.table(f"ATTACH DATABASE 'file:{quote(str(path))}?mode=rwc' AS scratch", 1)
    try:
        into = f"scratch.{table.name}"
        link.table(f"CREATE TABLE {into} ({COPY_ROW} INTEGER PRIMARY KEY, {columns}, {quoted(OMITTED)})", 1)
        link.table(f"INSERT INTO {into} ({columns}) SELECT {columns} FROM (\n{query.sql}\n)", 1)
        if base is not None:
            link.table(_omitted(into, names, query, base), 1)
    finally:
        link.table("DETACH DATABASE scratch", 1)
    path.chmod(0o600)
    return replace(file, path=path)


def _omitted(into: str, names: list[str], query: Query, base: Table) -> str:
    """Return the SQL that adds the keys of the base that the query did not return; NULL is a key like another."""
    by = {column.casefold(): base.column(column) for column in query.by}
    ours = {name.casefold(): name for name in names}

    def compared(name: str, padded: bool) -> str:
        return f"{f'rtrim({name})' if padded else name} COLLATE BINARY"

    here = [compared(quoted(ours[key]), is_padded(column.declared_type)) for key, column in by.items()]
    there = [compared(quoted(column.name), is_padded(column.declared_type)) for column in by.values()]
    keys = [f"{part} AS k{number}" for number, part in enumerate(there)]
    values = [f"k{list(by).index(name.casefold())}" if name.casefold() in by else "''" for name in names]
    return (
        f"INSERT INTO {into} ({', '.join(quoted(name) for name in names)}, {quoted(OMITTED)})"
        f" SELECT {', '.join(values)}, '1' FROM (SELECT {', '.join(keys)} FROM main.{base.name}"
        f" EXCEPT SELECT {', '.join(here)} FROM {into}) ORDER BY {', '.join(f'k{n}' for n in range(len(by)))}"
    )
