"""PostgreSQL as target: frames go in by COPY on the connection that commits, set-based statements do the rest.

A batch is turned into COPY's text where it is mapped, and copied into temporary tables of the transaction that commits
it: nothing is left behind when it does not.  A second connection reads committed data meanwhile.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from casemodel import RefusedError, SystemFailure
from connectors.copy_out import rows_sent_for
from connectors.targets.canonical import as_text, in_canonical_form, json_places
from connectors.targets.overdue import time_is_up
from connectors.targets.postgresql_failures import postgresql_failure

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
_SENT_ROWS = 2_000
_SETTINGS = (
    "-c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=iso_8601 -c client_min_messages=warning"
    f" -c lock_timeout={LOCK_SECONDS}s -c bytea_output=hex"
)
_TYPES: Mapping[type[pl.DataType], TypeEngine[Any]] = {
    pl.Int64: sa.BigInteger(),
    pl.Int32: sa.Integer(),
    pl.UInt32: sa.BigInteger(),
    pl.Boolean: sa.Boolean(),
}
"""Of staged columns; all others are text."""


class PostgresTarget:
    """An open PostgreSQL target.

    Args:
        url: SQLAlchemy URL of the database.
    """

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url).set(drivername="postgresql+psycopg")
        try:
            # One connection commits: what is put there is seen by all of its statements.
            self.engine = sa.create_engine(
                self._url,
                poolclass=sa.pool.StaticPool,
                hide_parameters=True,
                connect_args={"connect_timeout": CONNECT_SECONDS, "options": _SETTINGS, "prepare_threshold": None},
            )
        except ImportError:
            raise RefusedError(
                "TGT-025",
                "the driver of PostgreSQL is not installed",
                hint="Install omnicase[postgresql].",
                place="target.url",
            ) from None
        event.listen(self.engine, "handle_error", self._told)
        self._staged: dict[str, tuple[pl.DataFrame, Mapping[str, TypeEngine[Any]]]] = {}
        self._reader: psycopg.Connection[Any] | None = None

    @property
    def name(self) -> str:
        """Name the target for people, without secrets."""
        return f"PostgreSQL, {self._url.database or ''} on {self._url.host or 'this machine'}"

    def _told(self, context: sa.engine.ExceptionContext) -> None:
        """Let a driver's error be one of ours: its text may quote cells."""
        if context.original_exception is not None:
            found = postgresql_failure(context.original_exception)
            if found is not None:
                raise found from None

    @contextmanager
    def transaction(self, staged: Iterable[sa.TableClause] = ()) -> Iterator[sa.Connection]:
        """Open one write transaction; it commits when the block ends well.

        Args:
            staged: tables of `stage` that are for it; they are let go of when it has committed.
        """
        with self.engine.begin() as connection:
            yield connection
        for table in staged:
            self._staged.pop(table.name, None)

    def bring(self, connection: sa.Connection, *staged: sa.TableClause) -> None:
        """Make what is staged visible to the statements of a transaction: temporary tables that end with it."""
        for table in staged:
            frame, types = self._staged[table.name]
            made = _table(table.name, frame, types, postgresql_on_commit="DROP")
            connection.execute(sa.schema.CreateTable(made, if_not_exists=True))
            connection.execute(sa.delete(made))
            _copy(connection, made, frame)

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
        """Insert the rows of a stage into a table by COPY, which needs no temporary table (see `casemodel.Target`)."""
        frame = self._staged[staged.name][0]
        rows = frame.drop_nulls(list(filled)) if filled else frame
        rows = rows.sort(order) if order else rows
        _copy(connection, into, rows.select(_value(value).alias(name) for name, value in values.items()))

    def stage(
        self, name: str, frame: pl.DataFrame, slot: int = 0, types: Mapping[str, TypeEngine[Any]] | None = None
    ) -> sa.TableClause:
        """Make a frame ready for the one transaction it is named to; return it as a table.

        Args:
            slot: 0 or 1; what is staged in one does not replace what waits in the other.
            types: of the columns that are not text, where the target's own types are wanted.
        """
        known = types or {}
        self._staged[f"stage{slot}_{name}"] = (frame, known)
        # Nearly all stages go in by COPY as they are and are never made into tables.
        columns = (sa.column(each, known.get(each) or _type(dtype)) for each, dtype in frame.schema.items())
        return sa.table(f"stage{slot}_{name}", *columns)

    def put(self, name: str, frame: pl.DataFrame) -> sa.TableClause:
        """Put a frame where the committing connection can join it from now on; return it as a table."""
        table = _table(f"put_{name}", frame, {})
        with self.engine.begin() as connection:
            connection.execute(sa.schema.DropTable(table, if_exists=True))
            connection.execute(sa.schema.CreateTable(table))
            _copy(connection, table, frame)
        return _clause(table)

    def ask(self, name: str, frame: pl.DataFrame) -> sa.TableClause:
        """Put a frame where `query` can join it; another thread may have a transaction open meanwhile."""
        table = _table(f"asked_{name}", frame, {})
        reader = self._read_connection()
        with _reading():
            for step in (sa.schema.DropTable(table, if_exists=True), sa.schema.CreateTable(table)):
                reader.execute(str(step.compile(dialect=self.engine.dialect)))
            with reader.cursor().copy(_copy_in(table, frame.columns)) as copy:
                _write(copy, frame)
        return _clause(table)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let everything that is read in the block be of one moment."""
        reader = self._read_connection()
        with _reading():
            reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            with _reading():
                reader.execute("COMMIT")

    def pages(self, statement: sa.Select[Any], names: tuple[str, ...], rows: int) -> Iterator[pl.DataFrame]:
        """Run a SELECT as `query` does, and yield its rows so many at a time."""
        yield from self._pages(self._read_connection(), statement, names, rows)

    def _pages(
        self, connection: psycopg.Connection[Any], statement: sa.Select[Any], names: tuple[str, ...], rows: int
    ) -> Iterator[pl.DataFrame]:
        asked, compiled = _asked(statement, self.engine.dialect)
        with _reading(), connection.cursor().copy(asked, compiled.params) as copy:
            sent = rows_sent_for(copy)
            while part := b"".join(islice(sent, rows)):
                yield in_canonical_form(_frame(part, names), json_places(statement.subquery().c))

    def query(self, statement: sa.Select[Any], names: tuple[str, ...]) -> pl.DataFrame:
        """Run a SELECT over committed data (and frames of `ask`) and return its columns as text, named `names`."""
        return self.prepare(statement, names)()

    def query_within(self, seconds: float, statement: sa.Select[Any], names: tuple[str, ...]) -> pl.DataFrame:
        """Run a SELECT over committed data as `query` does, and end it when its time is up (see `casemodel.Target`)."""
        import psycopg

        sql, compiled = _asked(statement, self.engine.dialect)
        with _reading():
            reader = self._read_connection()
            reader.execute(f"SET statement_timeout = {max(1, round(seconds * 1000))}")
            try:
                with reader.cursor().copy(sql, compiled.params) as copy:
                    data = b"".join(bytes(part) for part in copy)
            except psycopg.errors.QueryCanceled:
                raise time_is_up(seconds) from None
            finally:
                if not reader.closed:
                    reader.execute("RESET statement_timeout")
        return in_canonical_form(_frame(data, names), json_places(statement.subquery().c))

    def prepare(self, statement: sa.Select[Any], names: tuple[str, ...]) -> Callable[..., pl.DataFrame]:
        """Return what runs a SELECT as `query` does, again and again, with the values of its named parameters."""
        sql, compiled = _asked(statement, self.engine.dialect)
        places = json_places(statement.subquery().c)

        def fetched(**values: str | int) -> pl.DataFrame:
            with _reading(), self._read_connection().cursor().copy(sql, compiled.construct_params(values)) as copy:
                data = b"".join(rows_sent_for(copy))
            return in_canonical_form(_frame(data, names), places)

        return fetched

    def whole(
        self, table: sa.Table, columns: Sequence[sa.Column[Any]], rows: int, below: str | None = None
    ) -> Iterator[pl.DataFrame]:
        """Yield all committed records of a table as they lie (see `casemodel.Target`).

        In the order of their ids, which are random, the server would fetch a page of the table for each of them.
        Who takes the pages may ask other things meanwhile, so the connection is one of its own.
        """
        statement = sa.select(*columns) if below is None else sa.select(*columns).where(table.c.id < below)
        with _reading(), self._connect() as connection:
            yield from self._pages(connection, statement, tuple(column.name for column in columns), rows)

    def records(self, table: sa.Table, columns: Sequence[sa.Column[Any]], ids: pl.Series) -> pl.DataFrame:
        """Read committed records by their ids (see `casemodel.Target`)."""
        listed = sa.cast(sa.bindparam("ids", "{" + ",".join(ids) + "}", sa.Text), postgresql.ARRAY(postgresql.UUID))
        wanted = self.prepare(sa.select(*columns).where(table.c.id == sa.any_(listed)), tuple(c.name for c in columns))
        reader = self._read_connection()
        with _reading(), reader.transaction():
            # A list of a batch is a small part of a large table, which the planner would read whole for it.
            reader.execute("SET LOCAL enable_seqscan = off")
            return wanted()

    def _read_connection(self) -> psycopg.Connection[Any]:
        if self._reader is None or self._reader.closed:
            with _reading():
                self._reader = self._connect()
        return self._reader

    def count_anew(self, *written: sa.Table) -> None:
        """Let the server count tables of ours anew; of other owners' tables it keeps what it knows.

        Its own counting comes up to a minute late: until then it takes a table that was empty for one that still is,
        and reads all of it for each batch.
        """
        names = ", ".join(self.engine.dialect.identifier_preparer.format_table(each) for each in written)
        # Whatever goes wrong here, the next batch meets it too.
        with suppress(SystemFailure), self.engine.begin() as connection:
            connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {names}")

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg

        return psycopg.connect(
            self._url.set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            options=_SETTINGS,
        )

    def reconnect(self) -> None:
        """Give up the committing connection, whatever its state; what is staged can still be committed."""
        self.engine.dispose()

    def close(self) -> None:
        """Close connections; what was staged goes with them."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None
        self._staged.clear()
        self.engine.dispose()


@contextmanager
def _reading() -> Iterator[None]:
    """Turn a driver's error on the reading connection into one of ours."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        found = postgresql_failure(error)
        if found is None:
            raise
        raise found from None


def _asked(statement: sa.Select[Any], dialect: sa.Dialect) -> tuple[str, sa.Compiled]:
    """Return the COPY of a SELECT's columns as text, and what knows its parameters."""
    texts = [as_text(dialect.name, column).label(f"c{place}") for place, column in enumerate(statement.subquery().c)]
    # A row of one NULL would be an empty line, which no reader of CSV takes for a row.
    asked = sa.select(*texts, sa.literal_column("1").label("row"))
    compiled = asked.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return f"COPY ({compiled}) TO STDOUT (FORMAT csv)", compiled


def _table(name: str, frame: pl.DataFrame, types: Mapping[str, TypeEngine[Any]], **more: Any) -> sa.Table:
    columns = (sa.Column(each, types.get(each) or _type(frame.schema[each])) for each in frame.columns)
    return sa.Table(name, sa.MetaData(), *columns, prefixes=["TEMPORARY"], **more)


def _type(dtype: pl.DataType) -> TypeEngine[Any]:
    return _TYPES.get(type(dtype), sa.Text())


def _clause(table: sa.Table) -> sa.TableClause:
    return sa.table(table.name, *(sa.column(each.name, each.type) for each in table.columns))


def _write(copy: psycopg.Copy, frame: pl.DataFrame) -> None:
    """Send a frame as CSV (NULL is nothing, an empty text is quoted): the server takes a part while the next one is
    made.
    """
    if frame.height <= _SENT_ROWS:
        copy.write(_csv(frame))
        return
    with ThreadPoolExecutor(1, thread_name_prefix="omnicase-csv") as thread:
        parts = frame.iter_slices(_SENT_ROWS)
        made = thread.submit(_csv, next(parts))
        for part in parts:
            ready, made = made, thread.submit(_csv, part)
            copy.write(ready.result())
        copy.write(made.result())


def _csv(frame: pl.DataFrame) -> memoryview:
    into = io.BytesIO()
    frame.write_csv(into, include_header=False)
    return into.getbuffer()


def _frame(data: bytes, names: tuple[str, ...]) -> pl.DataFrame:
    if not data:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    return pl.read_csv(
        io.BytesIO(data), has_header=False, infer_schema=False, new_columns=[*names, "__row"], raise_if_empty=False
    ).select(names)


def _value(value: sa.ColumnElement[Any]) -> pl.Expr:
    """Return what a column of a stage, cast or not, or a constant is in its frame."""
    if isinstance(value, sa.Cast):
        return _value(value.clause)
    return pl.lit(value.value) if isinstance(value, sa.BindParameter) else pl.col(str(value.key))


def _copy(connection: sa.Connection, table: sa.Table, frame: pl.DataFrame) -> None:
    """Copy a frame into the columns of a table that are named like its own.

    Raises:
        IntegrityError: a key is taken or a link leads nowhere; without the driver's text.
    """
    import psycopg

    driver: Any = connection.connection.driver_connection
    try:
        with _reading(), driver.cursor().copy(_copy_in(table, frame.columns)) as copy:
            _write(copy, frame)
    except psycopg.errors.IntegrityError as error:
        raise sa.exc.IntegrityError(None, None, error) from None


def _copy_in(table: sa.Table, names: Sequence[str]) -> Any:
    from psycopg import sql

    place = sql.Identifier(*([table.schema] if table.schema else []), table.name)
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in names)
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(place, columns)
