"""Connections to any database that SQLAlchemy knows, read only; driver errors become ours without texts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from casemodel import SystemFailure
from connectors.config import SystemConfig, file_of, refuse, text_option

READ_ONLY: dict[str, tuple[str, ...]] = {
    "postgresql": ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",),
    "mysql": (
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
    "oracle": (
        # Where it speaks Dutch it orders texts as people do, but compares them by their bytes: a page would skip rows.
        "ALTER SESSION SET NLS_SORT = BINARY NLS_COMP = BINARY",
        "SET TRANSACTION READ ONLY",
    ),
    "sqlite": ("PRAGMA query_only = ON",),
    # Where the database keeps versions of rows, readers do not hold up those who work with it.
    "mssql": (
        "IF EXISTS (SELECT 1 FROM sys.databases WHERE database_id = DB_ID() AND snapshot_isolation_state = 1)"
        " SET TRANSACTION ISOLATION LEVEL SNAPSHOT",
        # The question has begun a transaction of another level.
        "IF @@TRANCOUNT > 0 COMMIT TRANSACTION",
    ),
}
"""How a database is told to refuse writing, and to show one moment; SQL Server cannot be told the first: its account
must not be allowed to, and the doctor says when it is."""
_DRIVERS = {
    "mysql": ("mysql+pymysql", "mysql"),
    "mariadb": ("mariadb+pymysql", "mysql"),
    "oracle": ("oracle+oracledb", "oracle"),
    "mssql": ("mssql+pyodbc", "sqlserver"),
    "postgresql": ("postgresql+psycopg", "postgresql"),
}
"""By dialect the driver that is taken where the URL names none, and the extra that brings it."""
_WAL = 2


def open_engine(config: SystemConfig) -> sa.Engine:
    """Return an engine that opens a connection each time.

    Raises:
        RefusedError: CON-003 the URL cannot be used, CON-004 its driver is not installed.
        SystemFailure: CON-010 the file of a SQLite URL does not exist.
    """
    text = config.url or text_option(config, config.options, "url")
    hint = "Install it beside omnicase (pipx inject omnicase DRIVER), and write url: DIALECT+DRIVER://…."
    try:
        url = url_with_driver(sa.make_url(text))
        if url.get_backend_name() == "sqlite":
            return _sqlite(config)
        if url.drivername in dict(_DRIVERS.values()):
            hint = f"Install omnicase[{dict(_DRIVERS.values())[url.drivername]}]."
        return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    except (sa.exc.NoSuchModuleError, ImportError):
        # A driver may be there whose own library of the system is not.
        raise refuse(config, "the driver that the url names is not installed", hint, code="CON-004") from None
    except (sa.exc.ArgumentError, ValueError):
        raise refuse(config, "the url cannot be read", "Write url: DIALECT://ROLE@HOST/DATABASE.") from None


def url_with_driver(url: sa.URL) -> sa.URL:
    """Return a URL with the driver that is taken where it names none; SQL Server is told that we only read."""
    if url.drivername in _DRIVERS:
        url = url.set(drivername=_DRIVERS[url.drivername][0])
    asked = {name.lower() for name in url.query}
    if url.get_backend_name() == "mssql" and not asked & {"applicationintent", "odbc_connect"}:
        url = url.update_query_dict({"ApplicationIntent": "ReadOnly"})
    return url


def _sqlite(config: SystemConfig) -> sa.Engine:
    path = file_of(config)
    if not path.is_file():
        raise SystemFailure(
            "CON-010", "no such source: the file does not exist", hint="Check the path.", place=f"systems.{config.name}"
        )
    with path.open("rb") as file:
        if _WAL in file.read(20)[18:]:
            # Reading it in place would make files beside it.
            raise refuse(config, "the database is in WAL mode", "Write kind: sqlite, which reads a copy of it.")

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(Path(path).absolute()))}?mode=ro", uri=True, check_same_thread=False)

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool, hide_parameters=True)


@contextmanager
def reading(engine: sa.Engine, shown: str) -> Iterator[sa.Connection]:
    """Give a connection of its own, told to read only where the database knows that.

    Raises:
        SystemFailure: CON-060 not reached, CON-061 lost, CON-066 the database refuses.
    """
    connected = False
    try:
        with engine.connect() as connection:
            name = "mysql" if engine.dialect.name == "mariadb" else engine.dialect.name
            for statement in READ_ONLY.get(name, ()):
                connection.exec_driver_sql(statement)
            connected = True
            yield connection
    except sa.exc.DBAPIError as error:
        raise _failure(error, shown, connected=connected) from None
    except sa.exc.SQLAlchemyError as error:
        raise _refusal(type(error).__name__, shown) from None


def _failure(error: sa.exc.DBAPIError, shown: str, *, connected: bool) -> SystemFailure:
    if not connected:
        return SystemFailure(
            "CON-060",
            "the database cannot be reached",
            hint="Check host, port, database, role and password of the URL, and whether the server is up.",
            place=shown,
        )
    if error.connection_invalidated:
        return SystemFailure(
            "CON-061",
            "the connection to the database was lost",
            hint="What is committed stays; run again when the database is up, and it goes on after the last batch.",
            place=shown,
        )
    # The class of the driver's error says what kind it is; its text would quote cells.
    return _refusal(type(error.orig).__name__, shown)


def _refusal(kind: str, shown: str) -> SystemFailure:
    return SystemFailure(
        "CON-066",
        f"the database refuses to read ({kind})",
        hint="Its own log says more; offer the relation as a table or as a view that can be read to its end.",
        place=shown,
    )


def rows_in_pieces(
    connection: sa.Connection, statement: sa.Executable, rows: int
) -> Iterator[Sequence[sa.Row[Any]]]:
    """Yield the rows of a query in lists of `rows`, from a cursor on the server where there is one."""
    yield from connection.execution_options(stream_results=True, yield_per=rows).execute(statement).partitions(rows)
