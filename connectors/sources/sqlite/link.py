"""One read-only connection to a SQLite database: queries give Arrow, driver errors become ours without their texts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import adbc_driver_manager
import adbc_driver_sqlite.dbapi as adbc
import polars as pl
import pyarrow as pa

from casemodel import SystemFailure
from connectors.sources.sqlite.file import DatabaseFile, beside

BUSY_MILLISECONDS = 10_000
CACHE_KIB = 8 << 10
_JOURNAL_SECONDS = 0.5


class Link:
    """A connection that belongs to one thread; every query is a read transaction of its own."""

    def __init__(self, file: DatabaseFile, shown: str, state: tuple[int, ...]) -> None:
        self._file = file
        self._shown = shown
        self._state = state
        self._connection: adbc.Connection | None = self._guarded(lambda: adbc.connect(file.uri, autocommit=True))
        self._cursor = self._connection.cursor()
        try:
            self.table(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}", 1)
            # Rows in key order may lie all over the file: SQLite's 2 MB of cache would read most pages many times.
            self.table(f"PRAGMA cache_size = -{CACHE_KIB}", 1)
            self._version = self._data_version()
        except BaseException:
            self.close()
            raise

    def table(self, sql: str, rows: int) -> pa.Table:
        """Run a query that returns at most `rows` rows; a type is found over all of them, not over the first few."""

        def run() -> pa.Table:
            self._cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(max(rows, 1))})
            self._cursor.execute(sql)
            return self._cursor.fetch_arrow_table()

        return self._guarded(run)

    def frame(self, sql: str, rows: int) -> pl.DataFrame:
        """Run a query whose texts are known to be UTF-8."""
        found = pl.from_arrow(self.table(sql, rows))
        assert isinstance(found, pl.DataFrame)
        return found

    def number(self, sql: str) -> int:
        """Run a query that returns one number."""
        return int(self.table(sql, 1).column(0)[0].as_py())

    def check_unchanged(self) -> None:
        """Raise CON-018 when anybody wrote to the source since it was opened; a copy of it does not change."""
        if self._file.digest is not None:
            return
        state = self._file.state()
        if state == self._state and self._data_version() == self._version:
            return
        if not state:
            raise SystemFailure(
                "CON-010",
                "the source disappeared while it was read",
                hint="Bring it back and run again.",
                place=self._shown,
            )
        raise changed(self._shown)

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._cursor.close()
            connection.close()

    def __del__(self) -> None:
        # The driver complains when a connection is collected before its statements.
        if getattr(self, "_connection", None) is not None:
            self.close()

    def _data_version(self) -> int:
        return self.number("PRAGMA data_version")

    def _guarded(self, run: Callable[[], Any]) -> Any:
        try:
            return run()
        except (adbc_driver_manager.Error, pa.ArrowInvalid, OSError) as error:
            raise self._translated(str(error).lower()) from None

    def _translated(self, text: str) -> SystemFailure:
        journal = beside(self._file.source, "-journal")
        if self._file.digest is None and journal.exists():
            # A writer's journal is gone when it commits, one that was left behind stays.
            time.sleep(_JOURNAL_SECONDS)
        state = self._file.state()
        if self._file.digest is None and state and state != self._state:
            return changed(self._shown)
        if "locked" in text or "busy" in text:
            return SystemFailure(
                "CON-015",
                f"the database stayed locked for {BUSY_MILLISECONDS // 1000} seconds",
                hint="Run when nobody writes to the old system.",
                place=self._shown,
            )
        if self._file.digest is None and journal.exists() and journal.stat().st_size > 0:
            return SystemFailure(
                "CON-014",
                "an unfinished transaction lies beside the database (-journal), which only its owner may roll back",
                hint="Open and close the database with the old system first, so that it recovers.",
                place=self._shown,
            )
        if any(
            sign in text
            for sign in ("no such collation", "no such function", "no such module", "no such table", "syntax error")
        ):
            return SystemFailure(
                "CON-024",
                "the database refuses the query: it uses a collation, function or module that is not part of SQLite",
                hint="Give the relation as a table without it.",
                place=self._shown,
            )
        if self._file.digest is None and not state:
            return SystemFailure(
                "CON-010", "the source disappeared", hint="Bring it back and run again.", place=self._shown
            )
        return SystemFailure(
            "CON-016",
            "the database is damaged or could not be read to the end",
            hint="Run an integrity check in the old system, or read from a backup.",
            place=self._shown,
        )


def changed(shown: str) -> SystemFailure:
    """Return the error for a source that somebody wrote to while it was read."""
    return SystemFailure(
        "CON-018",
        "the source changed during the run, so that its parts would not fit together",
        hint="What is committed stays; run again when nobody writes to the old system.",
        place=shown,
    )
