"""Reading a PostgreSQL relation as canonical text: COPY in csv format, by ranges of the key or as one stream."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import TypeVar

import polars as pl
import psycopg
from psycopg import sql

from casemodel import BugError, Extract, SystemFailure, key_text, split_key
from connectors.batching import whole_groups
from connectors.copy_out import rows_sent_for
from connectors.positions import foreign_position, read_position, write_position
from connectors.sources.postgresql.link import ConnectionLost, Link, is_lost, lost
from connectors.sources.postgresql.schema import Column, Table

T = TypeVar("T")
_NOTHING = sql.SQL("")
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between tries to connect again; the target's transaction is not open meanwhile."""
_NUMBERS = ("numeric", "money")
_FLOATS = ("float4", "float8")


def canonical(column: Column) -> sql.Composable:
    """Return SQL for what COPY writes of a column."""
    name = sql.Identifier(column.name)
    if column.schema != "pg_catalog":
        return name
    if column.kind == "bool":
        return sql.SQL("{}::pg_catalog.int4").format(name)
    if column.kind == "bytea":
        return sql.SQL("pg_catalog.encode({}, 'hex')").format(name)
    if column.kind == "bpchar":
        return sql.SQL("{}::pg_catalog.text").format(name)
    return sql.SQL("{}::pg_catalog.numeric").format(name) if column.kind == "money" else name


def rows_sent(link: Link, select: sql.Composable) -> Iterator[bytes]:
    """Yield what the database sends for a query as csv: one piece a row."""
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(select)
    try:
        with link.driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield from rows_sent_for(copy)
    except psycopg.Error as error:
        raise (lost(link.access) if is_lost(error, link.driver) else link.translated(error)) from None


def select_of(columns: Sequence[Column], rest: sql.Composable) -> sql.Composable:
    """Return the SELECT of columns as canonical text; never of one alone, since a NULL alone is an empty line."""
    parts = [*(canonical(column) for column in columns), *([sql.SQL("1")] if len(columns) == 1 else [])]
    return sql.SQL("SELECT {} {}").format(sql.SQL(", ").join(parts), rest)


def frame_of(rows: Sequence[bytes], columns: Sequence[Column]) -> pl.DataFrame:
    """Return rows that were sent for `select_of` as a frame of texts; NULL and the empty text differ."""
    names = [column.name for column in columns]
    if not rows:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    given = [f"c{number}" for number in range(max(len(columns), 2))]
    # With a header of our own no value stands where a byte order mark would.
    data = b"".join([",".join(given).encode(), b"\n", *rows])
    frame = pl.read_csv(io.BytesIO(data), infer_schema=False)
    if frame.height != len(rows):
        raise BugError(
            "BUG-022",
            f"{frame.height} rows were read of {len(rows)} that the database sent",
            hint="Report this with the types of the relation's columns; the batch was not loaded.",
        )
    frame = frame.select(pl.col(short).alias(name) for short, name in zip(given, names, strict=False))
    return frame.with_columns(plain for column in columns if (plain := made_plain(column)) is not None)


def made_plain(column: Column) -> pl.Expr | None:
    """Return what makes a canonical text of what the database wrote, where that is not one yet."""
    text = pl.col(column.name)
    if column.schema != "pg_catalog":
        return None
    if column.kind in _NUMBERS:
        short = text.str.strip_chars_end("0").str.strip_suffix(".")
        return pl.when(text.str.contains(".", literal=True)).then(short).otherwise(text).alias(column.name)
    if column.kind in _FLOATS:
        return text.map_batches(_plain_floats, return_dtype=pl.String)
    if column.kind == "timestamptz":
        return pl.when(text.str.ends_with("+00")).then(text + ":00").otherwise(text).alias(column.name)
    return None


def _plain_floats(texts: pl.Series) -> pl.Series:
    rare = texts.filter(texts.str.contains("e", literal=True) | (texts == "-0")).unique()
    plain = {old: "0" if old == "-0" else format(Decimal(old), "f") for old in rare}
    return texts.replace(plain) if plain else texts


class Reader:
    """Reads one table over connections of one snapshot; a connection that is lost is replaced between two questions.

    Args:
        open_link: opens a connection in the run's snapshot and makes sure that the table is still what it was.
        table: what to read.
    """

    def __init__(self, open_link: Callable[[], Link], table: Table) -> None:
        self.open_link, self.table = open_link, table
        self._link: Link | None = None

    def patiently(self, ask: Callable[[Link], T]) -> T:
        """Ask something that changes nothing, again on a new connection when the one in use is lost."""
        cut: SystemFailure | None = None
        for pause in (*_PAUSES, None):
            try:
                if self._link is None:
                    self._link = self.open_link()
                return ask(self._link)
            except SystemFailure as error:
                self.close()
                if isinstance(error, ConnectionLost):
                    cut = error
                elif cut is None or error.code != "CON-060":
                    raise
                if pause is None:
                    raise cut from None
                time.sleep(pause)
        raise AssertionError("the last try raises")

    def rows(self, rest: sql.Composable) -> pl.DataFrame:
        """Run ``SELECT … {rest}`` of few enough rows to be held; returns the columns and ``_ref``."""
        select = select_of(self.table.columns, rest)
        sent = self.patiently(lambda link: list(rows_sent(link, select)))
        return with_refs(frame_of(sent, self.table.columns), self.table)

    def stream(
        self, rows: int, source: sql.Composable | None = None, rest: sql.Composable = _NOTHING
    ) -> Iterator[pl.DataFrame]:
        """Yield the whole table in physical order, in frames of `rows` rows; only its beginning is tried again.

        Args:
            source: what to read instead of the table, with its columns.
            rest: what follows it.
        """
        select = select_of(self.table.columns, sql.SQL("FROM {} {}").format(source or self.table.name, rest))

        def begin(link: Link) -> tuple[Iterator[bytes], list[bytes]]:
            # The reader of a stream is waited for, however long that takes.
            link.do(sql.SQL("SET LOCAL statement_timeout = 0"))
            sent = rows_sent(link, select)
            return sent, list(islice(sent, rows))

        sent, first = self.patiently(begin)
        while first:
            yield frame_of(first, self.table.columns)
            first = list(islice(sent, rows))

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link.close()
            self._link = None


def with_refs(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Add ``_ref``: the key that identifies the row, where the table has one."""
    if not table.locator:
        return frame
    return frame.with_columns(key_text([pl.col(name) for name in table.locator]).alias("_ref"))


def read_ranges(
    reader: Reader, order: tuple[str, ...], group: tuple[str, ...], rows: int, after: str | None, until: str | None
) -> Iterator[Extract]:
    """Yield the rows after a position, up to and including another, along an index; no group is cut.

    Args:
        order: all columns by which rows are ordered, those of the group first.
        group: the first of them, whose values a position holds; empty means all.
    """
    table, cut_by = reader.table, group or order
    position = None if after is None else read_position(after, len(cut_by))
    last = None if until is None else read_position(until, len(cut_by))
    limit, whole = rows + 1, False
    while not whole:
        frame = reader.rows(_range(table, order, cut_by, position, last, limit))
        whole = frame.height < limit
        cut = whole_groups(frame, cut_by, rows)
        if cut is None and not whole:
            # A group that fills the batch is read to its end.
            limit *= 2
            continue
        batch = frame if cut is None else frame.head(cut)
        whole = whole and batch.height == frame.height
        limit = rows + 1
        if batch.height:
            position = [str(batch.item(-1, name)) for name in cut_by]
            yield Extract(batch, write_position(position))


def _range(
    table: Table,
    order: tuple[str, ...],
    cut_by: tuple[str, ...],
    after: Sequence[str] | None,
    until: Sequence[str] | None,
    limit: int,
) -> sql.Composable:
    names = sql.SQL(", ").join(map(sql.Identifier, cut_by))
    bounds = [
        sql.SQL("({}) {} ({})").format(names, compared, sql.SQL(", ").join(_values(table, cut_by, position)))
        for compared, position in ((sql.SQL(">"), after), (sql.SQL("<="), until))
        if position is not None
    ]
    where = sql.SQL("WHERE {} ").format(sql.SQL(" AND ").join(bounds)) if bounds else sql.SQL("")
    by = sql.SQL(", ").join(map(sql.Identifier, order))
    return sql.SQL("FROM {} {}ORDER BY {} LIMIT {}").format(table.name, where, by, sql.Literal(limit))


def _values(table: Table, names: Sequence[str], texts: Sequence[str]) -> list[sql.Composable]:
    return [table.column(name).literal(text) for name, text in zip(names, texts, strict=True)]


def located(table: Table, refs: pl.Series) -> sql.Composable:
    """Return the rest of the SELECT that gives the rows with these references."""
    keys = [split_key(ref) for ref in refs]
    if any(len(key) != len(table.locator) for key in keys):
        raise foreign_position()
    rows = [sql.SQL("({})").format(sql.SQL(", ").join(_values(table, table.locator, key))) for key in keys]
    names = sql.SQL(", ").join(map(sql.Identifier, table.locator))
    return sql.SQL("FROM {} WHERE ({}) IN ({})").format(table.name, names, sql.SQL(", ").join(rows))


def key_ranges(
    link: Link, table: Table, order: tuple[str, ...], group: tuple[str, ...], parts: int
) -> tuple[str, ...]:
    """Return positions that cut a table into `parts` ranges of about as many rows, each the end of a range.

    Fewer where a group is larger than a range.
    """
    cut_by = group or order
    rows = link.number(sql.SQL("SELECT count(*) FROM {}").format(table.name))
    step = -(-rows // max(parts, 1))
    if parts < 2 or rows <= step:
        return ()
    columns = [table.column(name) for name in cut_by]
    names = sql.SQL(", ").join(map(sql.Identifier, cut_by))
    numbered = sql.SQL("(SELECT {}, row_number() OVER (ORDER BY {}) AS {} FROM {}) AS numbered").format(
        names, names, sql.Identifier("\x01n"), table.name
    )
    n = sql.Identifier("\x01n")
    rest = sql.SQL("FROM {} WHERE {} % {} = 0 AND {} < {} ORDER BY {}").format(
        numbered, n, sql.Literal(step), n, sql.Literal(rows), n
    )
    frame = frame_of(list(rows_sent(link, select_of(columns, rest))), columns)
    return tuple(dict.fromkeys(write_position([str(text) for text in row]) for row in frame.rows()))
