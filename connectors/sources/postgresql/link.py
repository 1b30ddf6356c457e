"""Connections to a PostgreSQL database that only read; driver errors become ours without their texts.

Texts of the server quote cells, hosts and roles (faults.md, trap 5): what is shown is the SQLSTATE and its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from casemodel import SystemFailure

LEAST_VERSION = 120000
_HAS_TRANSACTION_TIMEOUT = 170000
_LOST = ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "08")
_UNREACHABLE = {
    "password authentication failed": "it refuses the password",
    "no password supplied": "it asks for a password",
    "no pg_hba.conf entry": "it does not let this role or machine in",
    "could not translate host name": "the name of the host is unknown",
    "connection refused": "nothing listens at this host and port",
    "timeout": "it did not answer in time",
    "certificate": "its certificate cannot be verified",
    "ssl": "the encrypted connection was not agreed on",
    "too many clients": "it has no connection left",
    "does not exist": "the role or the database does not exist",
    "no such file": "nothing listens at this socket",
}
_SETTINGS: dict[LiteralString, str] = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    # Rows that a policy hides would be taken for deleted: the database says so instead.
    "row_security": "off",
    # The same order of rows in each reading of a snapshot.
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # A reader waits for the target, and the snapshot's owner for all readers.
    "idle_in_transaction_session_timeout": "0",
}


class ConnectionLost(SystemFailure):
    """The connection is gone; what was asked may be asked again on another one."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a database: what a worker process needs besides the name of a snapshot.

    Args:
        url: libpq URL, possibly with a password; never shown.
        shown: what errors call the system.
        schema: where the relations lie.
        lock_seconds, statement_seconds: how long a lock and a statement may take; 0 is for ever.
    """

    url: str = field(repr=False)
    shown: str
    schema: str = "public"
    lock_seconds: int = 10
    statement_seconds: int = 1800


class Link:
    """One connection of one thread, in a read-only transaction: of a snapshot, or, ``live``, seeing what is there now.

    Settings are those of the transaction: a pooler may give the connection to somebody else after it.
    """

    def __init__(self, access: Access, snapshot: str | None = None, *, live: bool = False) -> None:
        self.access = access
        self._connection = _connect(access)
        try:
            if live:
                self.do(sql.SQL("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"))
            else:
                self._begin(snapshot)
            wanted = _SETTINGS | {
                "lock_timeout": f"{access.lock_seconds}s",
                "statement_timeout": f"{access.statement_seconds}s",
            }
            if self._connection.info.server_version >= _HAS_TRANSACTION_TIMEOUT:
                wanted["transaction_timeout"] = "0"
            settings = [
                sql.SQL("SET LOCAL {} = {}").format(sql.SQL(name), sql.Literal(value)) for name, value in wanted.items()
            ]
            path = sql.SQL("SET LOCAL search_path = {}, pg_catalog").format(sql.Identifier(access.schema))
            self.do(sql.SQL("; ").join([*settings, path]))
        except BaseException:
            self.close()
            raise

    def _begin(self, snapshot: str | None) -> None:
        self.do(sql.SQL("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        if snapshot is None:
            return
        try:
            self._connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        except psycopg.Error as error:
            if is_lost(error, self._connection):
                raise lost(self.access) from None
            raise SystemFailure(
                "CON-062",
                "the snapshot that this run reads is no longer there: the connection that held it was cut",
                hint="What is committed stays; run again, and it goes on in a new snapshot.",
                place=self.access.shown,
            ) from None

    def do(self, statement: sql.SQL | sql.Composed) -> None:
        """Run a statement that returns nothing."""
        try:
            self._connection.execute(statement)
        except psycopg.Error as error:
            raise self.translated(error) from None

    def rows(
        self, statement: LiteralString | sql.SQL | sql.Composed, values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run a query of a few rows; values are bound."""
        try:
            return self._connection.execute(statement, values or None).fetchall()
        except psycopg.Error as error:
            raise self.translated(error) from None

    def number(self, statement: sql.Composed) -> int:
        """Run a query that returns one number."""
        try:
            with self._connection.transaction(force_rollback=True):
                # What a transaction has read it locks until its end, and this one may last as long as the run.
                return int(self.rows(statement)[0][0])
        except psycopg.Error as error:
            raise self.translated(error) from None

    @property
    def closed(self) -> bool:
        """Whether the connection is known to be gone."""
        return bool(self._connection.closed)

    @property
    def driver(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The connection of the driver."""
        return self._connection

    def close(self) -> None:
        """Close the connection, and with it the transaction."""
        self._connection.close()

    def translated(self, error: psycopg.Error) -> SystemFailure:
        """Turn an error of the driver into one of ours."""
        return lost(self.access) if is_lost(error, self._connection) else _failure(error, self.access)


def _connect(access: Access) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        connection = psycopg.connect(
            access.url,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=10,
            application_name="omnicase",
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
        )
    except (psycopg.Error, OSError, UnicodeError) as error:
        text = str(error).lower()
        cause = next((said for sign, said in _UNREACHABLE.items() if sign in text), "it cannot be connected to")
        raise SystemFailure(
            "CON-060",
            f"the database cannot be reached: {cause}",
            hint="Check host, port, database, role and password of the URL, and whether the server is up.",
            place=access.shown,
        ) from None
    if connection.info.server_version < LEAST_VERSION:
        connection.close()
        raise SystemFailure(
            "CON-060",
            f"the database cannot be used: PostgreSQL {connection.info.server_version // 10000} is too old",
            hint="Restore a dump of it into PostgreSQL 12 or later and read that.",
            place=access.shown,
        )
    return connection


def is_lost(error: psycopg.Error, connection: psycopg.Connection[Any]) -> bool:
    """Tell whether an error means that the connection is gone, whatever was asked."""
    state = error.sqlstate or ""
    return state.startswith(_LOST) or (not state and connection.broken) or bool(connection.closed)


def lost(access: Access) -> ConnectionLost:
    """Return the error for a connection that is gone."""
    return ConnectionLost(
        "CON-061",
        "the connection to the database was lost",
        hint="What is committed stays; run again when the database is up, and it goes on after the last batch.",
        place=access.shown,
    )


def _failure(error: psycopg.Error, access: Access) -> SystemFailure:
    state = error.sqlstate or "unknown"
    if state == "42501":
        return not_allowed(access)
    if state == "55P03":
        return SystemFailure(
            "CON-063",
            f"a lock was not given within {access.lock_seconds} seconds: somebody changes the tables",
            hint="Run when nobody changes the tables of the old system, or raise lock_seconds of the system.",
            place=access.shown,
        )
    if state == "57014":
        return SystemFailure(
            "CON-063",
            f"a query was ended: it took longer than {access.statement_seconds} seconds, or somebody cancelled it",
            hint="Raise statement_seconds of the system, or lower run.batch_rows.",
            place=access.shown,
        )
    if state in ("40001", "72000"):
        return SystemFailure(
            "CON-062",
            "the database gave the snapshot of this run up: a standby that catches up, or old_snapshot_threshold",
            hint="What is committed stays. Read from the primary, or let the standby send hot_standby_feedback.",
            place=access.shown,
        )
    return SystemFailure(
        "CON-066",
        f"the database refuses to read (SQLSTATE {state})",
        hint="Its own log says more; offer the relation as a table or as a view that can be read to its end.",
        place=access.shown,
    )


def not_allowed(access: Access) -> SystemFailure:
    """Return the error for a relation that the role may not read whole."""
    return SystemFailure(
        "CON-064",
        "the role may not read the relation, or a policy hides rows of it",
        hint="GRANT SELECT on it to the role (see docs/engineer.md); where rows are hidden, ALTER ROLE … BYPASSRLS.",
        place=access.shown,
    )
