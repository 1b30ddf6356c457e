"""SQLite as target: SQLAlchemy holds the transaction, frames are staged beside it and moved by set-based statements.

A frame goes through ADBC into a scratch database that the target's connection has attached; the transaction then
reads it with ``INSERT … SELECT``.  That is several times faster than binding rows, and the staged rows never touch the
target unless its transaction commits.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.types import TypeEngine

from casemodel import SystemFailure
from connectors.scratch import Scratch, writing
from connectors.targets.overdue import time_is_up

if TYPE_CHECKING:
    import pyarrow as pa

BUSY_SECONDS = 10
LOG_PAGES = 65_536
"""Pages (of 4 KiB) that the write-ahead log may hold before it is folded back."""
STAGES, ASKED = ("stage", "stage_ahead"), "asked"
"""Scratch databases: an open transaction locks the stage that it reads, so there are two; the other is for `query`."""
_ROWS_TO_TYPE = 1_000_000
_STEPS = 10_000
"""Of SQLite's machine between two looks at the clock."""


class SqliteTarget:
    """An open SQLite target.

    Args:
        url: SQLAlchemy URL with an absolute path.
        create: make the file when it does not exist.
    """

    dialect = "sqlite"

    def __init__(self, url: str, *, create: bool = False) -> None:
        database = sa.make_url(url).database
        if not database or database == ":memory:":
            raise SystemFailure(
                "TGT-021",
                "the target must be a file",
                hint='Write target: {url: "sqlite:///target.db"}.',
                place="target",
            )
        self.path = Path(database)
        self._check_file(create)
        self._scratch = Scratch()
        self._stagers: dict[str, Any] = {}
        self._attached: set[str] = set()
        self._asker: Any = None
        self._reader: Any = None
        self.engine = sa.create_engine(f"sqlite:///{self.path}", hide_parameters=True, poolclass=sa.pool.StaticPool)
        event.listen(self.engine, "connect", self._on_connect)
        event.listen(self.engine, "begin", self._begin)
        event.listen(self.engine, "invalidate", _take_back)

    def _check_file(self, create: bool) -> None:
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise SystemFailure(
                "TGT-022",
                "the target's folder does not exist, or the target is a folder",
                hint="Correct target.url in workspace.yml.",
                place=str(self.path),
            )
        if not create and not self.path.exists():
            raise SystemFailure(
                "TGT-023",
                "the target does not exist yet",
                hint="Make it with `omnicase db upgrade`.",
                place=str(self.path),
            )

    def _on_connect(self, connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA cache_size = -24576")
        # Ids are random, so a batch touches pages everywhere: fold the log back seldom, not after every batch.
        cursor.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        cursor.close()
        self._attached.clear()

    def _stage_path(self, name: str) -> Path:
        return self._scratch.folder / f"{name}.db"

    @property
    def name(self) -> str:
        """Name the target for people."""
        return f"SQLite, {self.path.name}"

    @contextmanager
    def transaction(self, staged: Iterable[sa.TableClause] = ()) -> Iterator[sa.Connection]:
        """Open one write transaction; it commits when the block ends well.  What is staged is there already."""
        with self.engine.begin() as connection:
            yield connection

    def stage(
        self, name: str, frame: pl.DataFrame, slot: int = 0, types: Mapping[str, TypeEngine[Any]] | None = None
    ) -> sa.TableClause:
        """Put a frame into a scratch database under a name, replacing what was there; return it as a table.

        Nothing of it is seen by readers of the target.

        Args:
            slot: 0 or 1; a transaction that reads one slot leaves the other one free.
            types: not looked at: SQLite keeps what it is given, and the target's columns have their own affinity.
        """
        schema = STAGES[slot]
        if schema not in self._stagers:
            self._stagers[schema] = _open_scratch(self._stage_path(schema))
        _put(self._stagers[schema], name, frame)
        return sa.table(name, *(sa.column(column) for column in frame.columns), schema=schema)

    def _begin(self, connection: sa.Connection) -> None:
        """Attach the stages that are new, and begin a write transaction of the target alone.

        BEGIN IMMEDIATE would lock every attached database too, and the mapping thread fills the other stage meanwhile.
        Of a file without incremental vacuum, as ours is, the pragma does nothing but take the lock.
        """
        for name in [each for each in list(self._stagers) if each not in self._attached]:
            connection.exec_driver_sql(f"ATTACH ? AS {name}", (str(self._stage_path(name)),))
            self._attached.add(name)
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("PRAGMA main.incremental_vacuum(0)").close()

    def bring(self, connection: sa.Connection, *staged: sa.TableClause) -> None:
        """Do nothing: what is staged is attached already."""

    def insert(
        self,
        connection: sa.Connection,
        into: sa.Table,
        staged: sa.TableClause,
        values: Mapping[str, sa.ColumnElement[Any]],
        *,
        filled: Sequence[str] = (),
        order: Sequence[str] = (),
    ) -> None:
        """Insert the rows of a stage into a table (see `casemodel.Target`)."""
        select = sa.select(*values.values()).select_from(staged)
        select = select.where(*(staged.c[name].is_not(None) for name in filled))
        select = select.order_by(*(staged.c[name] for name in order))
        connection.execute(sa.insert(into).from_select(list(values), select))

    def put(self, name: str, frame: pl.DataFrame) -> sa.TableClause:
        """Put a frame where the committing connection can join it from now on; return it as a table."""
        return self.stage(f"put_{name}", frame)

    def ask(self, name: str, frame: pl.DataFrame) -> sa.TableClause:
        """Put a frame where `query` can join it; another thread may have a transaction open meanwhile."""
        self._read_connection()
        _put(self._asker, name, frame)
        return sa.table(name, *(sa.column(column) for column in frame.columns), schema=ASKED)

    def query(self, statement: sa.Select[Any], names: tuple[str, ...]) -> pl.DataFrame:
        """Run a SELECT over committed data (and frames of `ask`) and return its columns as text, named `names`."""
        return self._frame(_as_text(statement), names)

    def query_within(self, seconds: float, statement: sa.Select[Any], names: tuple[str, ...]) -> pl.DataFrame:
        """Run a SELECT over committed data as `query` does, and end it when its time is up (see `casemodel.Target`)."""
        sql = str(_as_text(statement).compile(self.engine, compile_kwargs={"literal_binds": True}))
        end = time.monotonic() + seconds
        with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as reader:
            reader.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
            reader.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
            try:
                rows = reader.execute(sql).fetchall()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    raise time_is_up(seconds) from None
                raise
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def prepare(self, statement: sa.Select[Any], names: tuple[str, ...]) -> Callable[..., pl.DataFrame]:
        """Return what runs a SELECT as `query` does, again and again, with the values of its named parameters."""
        compiled = _as_text(statement).compile(self.engine)
        sql, order = str(compiled), tuple(compiled.positiontup or ())

        def asked(**values: str | int) -> pl.DataFrame:
            known = compiled.construct_params(values)
            given = pl.DataFrame({str(place): [known[name]] for place, name in enumerate(order)})
            return self._fetched(sql, names, given)

        return asked

    def whole(
        self, table: sa.Table, columns: Sequence[sa.Column[Any]], rows: int, below: str | None = None
    ) -> Iterator[pl.DataFrame]:
        """Yield all committed records of a table by ranges of their ids (see `casemodel.Target`)."""
        wanted = sa.select(*columns).where(table.c.id > sa.bindparam("after", "")).order_by(table.c.id).limit(rows)
        wanted = wanted if below is None else wanted.where(table.c.id < below)
        asked = self.prepare(wanted, tuple(column.name for column in columns))
        page = asked()
        while page.height:
            yield page
            page = asked(after=str(page["id"][-1]))

    def records(self, table: sa.Table, columns: Sequence[sa.Column[Any]], ids: pl.Series) -> pl.DataFrame:
        """Read committed records by their ids (see `casemodel.Target`)."""
        asked = self.ask("records", ids.to_frame("id"))
        return self.query(
            sa.select(*columns).where(table.c.id.in_(sa.select(asked.c.id))), tuple(column.name for column in columns)
        )

    def _frame(self, statement: sa.Select[*tuple[Any, ...]], names: tuple[str, ...]) -> pl.DataFrame:
        return self._fetched(str(statement.compile(self.engine, compile_kwargs={"literal_binds": True})), names)

    def _fetched(self, sql: str, names: tuple[str, ...], given: pl.DataFrame | None = None) -> pl.DataFrame:
        cursor = self._read_connection().cursor()
        try:
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(_ROWS_TO_TYPE)})
            cursor.execute(sql, None if given is None or not given.width else _arrow(given))
            table = cursor.fetch_arrow_table()
        finally:
            cursor.close()
        found = pl.from_arrow(table)
        assert isinstance(found, pl.DataFrame)
        found.columns = list(names)
        return found.with_columns(pl.all().cast(pl.String))

    def _read_connection(self) -> Any:
        if self._reader is None:
            self._reader = _connected(self.path)
            cursor = self._reader.cursor()
            for sql in (f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}", "PRAGMA query_only = ON"):
                cursor.execute(sql)
                cursor.fetchall()
            asked = self._scratch.folder / f"{ASKED}.db"
            self._asker = _open_scratch(asked)
            cursor.execute(f"ATTACH '{str(asked).replace(chr(39), chr(39) * 2)}' AS {ASKED}")
            cursor.fetchall()
            cursor.close()
        return self._reader

    def count_anew(self, *written: sa.Table) -> None:
        """Do nothing: how SQLite reads a table does not depend on what is in it, as long as nobody counts."""

    def reconnect(self) -> None:
        """Do nothing: a file is not lost, and no error of SQLite is tried again."""

    def close(self) -> None:
        """Close connections and remove what was staged."""
        for connection in (self._reader, self._asker, *self._stagers.values()):
            if connection is not None:
                connection.close()
        self._reader = self._asker = None
        self._stagers.clear()
        self.engine.dispose()
        self._scratch.close()


def append_rows(path: Path, table: str, frame: pl.DataFrame) -> None:
    """Append rows of canonical text to a table of a SQLite file that nobody else uses; links are not looked at."""
    connection = _connected(path)
    try:
        with writing(), connection.cursor() as cursor:
            cursor.adbc_ingest(table, _arrow(frame), mode="append")
    finally:
        connection.close()


def _as_text(statement: sa.Select[Any]) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(*(sa.cast(column, sa.Text).label(f"c{i}") for i, column in enumerate(statement.subquery().c)))


def _arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _connected(path: Path) -> Any:
    # Loading the driver takes long, and who only reads the ledger does without.
    import adbc_driver_sqlite.dbapi as adbc

    return adbc.connect(str(path), autocommit=True)


def _take_back(connection: Any, _record: Any, _error: Any) -> None:
    """End the transaction of a connection that is given up, as one is that was interrupted.

    What its traceback still holds keeps it from being closed, and would keep the target locked.
    """
    with suppress(sqlite3.Error):
        connection.rollback()


def _open_scratch(path: Path) -> Any:
    connection = _connected(path)
    cursor = connection.cursor()
    for pragma in ("journal_mode = MEMORY", "synchronous = OFF"):
        cursor.execute(f"PRAGMA {pragma}")
        cursor.fetchall()
    cursor.close()
    return connection


def _put(connection: Any, name: str, frame: pl.DataFrame) -> None:
    with writing():
        cursor = connection.cursor()
        try:
            cursor.adbc_ingest(name, _arrow(frame), mode="replace")
        finally:
            cursor.close()
