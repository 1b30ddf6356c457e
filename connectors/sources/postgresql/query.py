"""Queries of the workspace over a PostgreSQL database: written in SQLite's dialect, run in PostgreSQL's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl
import psycopg
from psycopg import sql

from casemodel import OMITTED, Query, Relation, SourceColumn, SystemFailure
from connectors.sources.postgresql.link import Link, is_lost, lost
from connectors.sources.postgresql.read import Reader, canonical, made_plain
from connectors.sources.postgresql.schema import Column, Table
from connectors.sources.queries.refusals import refuse_accounts, refuse_names, refused
from connectors.sources.queries.text import translated

_TECHNICAL = Column(SourceColumn(OMITTED, technical=True, personal=False), "pg_catalog", "text", False, False)
_KNOWN = {
    "42703": "there is no such column",
    "42P01": "there is no such relation",
    "42883": "a function or operator does not take what it is given; compare columns of one type, or CAST",
    "42804": "it compares values of different types; CAST one of them",
    "42702": "a column is ambiguous",
    "42803": "a column is neither grouped nor counted",
    "42501": "the role may not read a relation of it",
}


def query_table(link: Link, system: str, query: Query, find: Callable[[str], Table]) -> tuple[Table, str]:
    """Return a query as a relation, and its SQL.

    Args:
        find: gives a relation of the database by its name in any case, or raises CON-020.

    Raises:
        SystemFailure: CON-025 the database refuses it, CON-026 two columns with one name or a reserved one.
    """
    place = f"{system}.{query.name}"
    tables = []
    for name in query.tables:
        try:
            tables.append(find(name))
        except SystemFailure as unknown:
            raise refused(f"there is no relation {name}", place, unknown.hint) from None
    declared = {table.relation.name: [column.name for column in table.columns] for table in tables}
    text = translated(query, declared, "postgres")
    columns = _described(link, text, place)
    names = [column.name for column in columns]
    refuse_names(names, place)
    if query.base:
        for column in query.by:
            find(query.base).column(column)
        refuse_accounts(query, names, place)
    made = (*columns, _TECHNICAL)
    relation = Relation(system, query.name, tuple(column.offered for column in made))
    return Table(relation, link.access.schema, made, volatile=True), text


def _described(link: Link, text: str, place: str) -> list[Column]:
    """Return the columns of a query with the types that the database gives them."""
    try:
        with link.driver.transaction():
            # The text is one SELECT of an allow-list, checked before it came here; a transaction only reads.
            cursor = link.driver.execute(_wrapped(text, "LIMIT 0"))
    except psycopg.Error as error:
        if is_lost(error, link.driver):
            raise lost(link.access) from None
        cause = _KNOWN.get(error.sqlstate or "", f"PostgreSQL does not take its SQL (SQLSTATE {error.sqlstate})")
        raise refused(cause, place, "Correct the query.") from None
    described = cursor.description or []
    oids = [each.type_code for each in described]
    kinds: dict[int, tuple[str, str]] = {
        oid: (schema, kind)
        for oid, schema, kind in link.rows(
            "SELECT t.oid::int8, n.nspname, t.typname FROM pg_catalog.pg_type t"
            " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = ANY(%s)",
            [oids],
        )
    }
    return [
        Column(SourceColumn(each.name, each.type_display), *kinds[each.type_code], False, False)
        for each in described
    ]


def _wrapped(text: str, rest: str) -> bytes:
    return f"SELECT * FROM (\n{text}\n) AS q {rest}".encode()


def read_query(
    open_link: Callable[[], Link], table: Table, text: str, query: Query, base: Table | None, rows: int
) -> Iterator[pl.DataFrame]:
    """Yield the rows of a query, then a row for every key of the base that it does not return."""
    own = table.narrowed([column.name for column in table.columns if column is not _TECHNICAL])
    source = sql.SQL("({}) AS q").format(sql.SQL(text))
    reader = Reader(open_link, own)
    try:
        for frame in reader.stream(rows, source):
            yield frame.with_columns(pl.lit(None, pl.String).alias(OMITTED))
        if base is not None:
            yield from _omitted(reader, own, source, query, base, rows)
    finally:
        reader.close()


def _omitted(
    reader: Reader, own: Table, source: sql.Composable, query: Query, base: Table, rows: int
) -> Iterator[pl.DataFrame]:
    """Yield the keys of the base that the query did not return; NULL is a key like another."""
    there, here = [base.column(name) for name in query.by], [own.column(name) for name in query.by]

    def texts(columns: list[Column]) -> sql.Composable:
        return sql.SQL(", ").join(sql.SQL("{}::pg_catalog.text").format(canonical(column)) for column in columns)

    keys = sql.SQL(", ").join(sql.Identifier(column.name) for column in here)
    left = sql.SQL("(SELECT {} FROM {} EXCEPT SELECT {} FROM {}) AS left_out ({})").format(
        texts(there), base.name, texts(here), source, keys
    )
    written = [replace(column, schema="pg_catalog", kind="text") for column in here]
    narrow = Reader(reader.open_link, replace(own, columns=tuple(written)))
    try:
        for frame in narrow.stream(rows, left, sql.SQL("ORDER BY {}").format(keys)):
            plain = frame.with_columns(made for column in here if (made := made_plain(column)) is not None)
            yield plain.select(
                *(pl.col(each.name) if each in here else pl.lit("").alias(each.name) for each in own.columns),
                pl.lit("1").alias(OMITTED),
            )
    finally:
        narrow.close()
