"""Legacy systems in a PostgreSQL database: read in one snapshot for the whole run, and never written to (promise 6)."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import polars as pl
import psycopg
from psycopg import sql

from casemodel import Extract, Partition, Query, Relation, Rights, SystemFailure
from connectors.config import SystemConfig, known_options, number_option, refuse, text_option
from connectors.copied import Copy
from connectors.prefetch import ahead
from connectors.relations import in_any_case
from connectors.scratch import Scratch
from connectors.sources.postgresql.link import Access, Link
from connectors.sources.postgresql.query import query_table, read_query
from connectors.sources.postgresql.read import (
    Reader,
    key_ranges,
    located,
    read_ranges,
    with_refs,
)
from connectors.sources.postgresql.rights import protected, rights_of
from connectors.sources.postgresql.schema import Table, check_same, read_tables
from connectors.store import Store

_FETCH_ROWS = 5_000
_STORE_ROWS = 50_000
_OPTIONS = ("url", "schema", "lock_seconds", "statement_seconds", "max_snapshot_hours")
_NUMERIC = ("int2", "int4", "int8", "oid", "numeric", "float4", "float8")


def open_postgresql(config: SystemConfig) -> PostgresqlSource:
    """Open the system whose ``url`` is ``postgresql://…``; with ``config.snapshot`` in the snapshot of another."""
    known_options(config, config.options, _OPTIONS)
    return PostgresqlSource(config)


def access_of(config: SystemConfig) -> Access:
    """Return how to reach the database that the settings of a system name."""
    url = config.url or text_option(config, config.options, "url")
    scheme, colon, rest = url.partition("://")
    if not colon or scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise refuse(config, "the url is not one of PostgreSQL", "Write url: postgresql://ROLE@HOST/DATABASE.")
    place = f"systems.{config.name}"
    try:
        libpq = protected(f"postgresql://{rest}", place) if config.production else f"postgresql://{rest}"
    except psycopg.ProgrammingError:
        raise refuse(config, "the url cannot be read", "Write url: postgresql://ROLE@HOST/DATABASE.") from None
    return Access(
        url=libpq,
        shown=place,
        schema=text_option(config, config.options, "schema", "public"),
        lock_seconds=number_option(config, config.options, "lock_seconds", 10),
        statement_seconds=number_option(config, config.options, "statement_seconds", 1800),
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """What a snapshot shows: the name under which other connections join it, and what identifies its content.

    database: the same for each connection to the database, also after a restart.
    content: the same only when no transaction was committed between two snapshots; None where that cannot be said.
    """

    snapshot: str
    database: str
    content: str | None


class PostgresqlSource:
    """A PostgreSQL database as a source: see `casemodel.Source` for what each method promises."""

    kind = "postgresql"
    keyed = True

    def __init__(self, config: SystemConfig) -> None:
        self.system = config.name
        self._access = access_of(config)
        self._max_hours = number_option(config, config.options, "max_snapshot_hours", 24)
        self._scratch = Scratch()
        self._lock, self._store_lock = threading.RLock(), threading.Lock()
        self._stores: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Store] = {}
        self._copies: dict[str, Copy] = {}
        self._queries: dict[str, tuple[Query, Table, str]] = {}
        self._offered: dict[str, Query] = {}
        self._live: Link | None = None
        self._holder = Link(self._access, config.snapshot)
        self._taken = time.monotonic()
        try:
            self._moment = _moment(self._holder, config.snapshot)
            self._tables = read_tables(self._holder, self.system)
        except BaseException:
            self._holder.close()
            raise

    @property
    def snapshot(self) -> str:
        """The name of the snapshot that all readers share: with it another process reads the same rows."""
        return self._moment.snapshot

    @property
    def snapshot_age(self) -> float:
        """Seconds since the snapshot was taken."""
        return time.monotonic() - self._taken

    def relations(self) -> tuple[str, ...]:
        """Return the names of all relations of the schema that the role may read."""
        return tuple(self._tables)

    def relation(self, name: str) -> Relation:
        """Return a relation by its name in any case."""
        return self._table(name).relation

    def fingerprint(self, relation: str) -> str:
        """Return a digest of the database's identity and of the relation's columns and keys, as they are now."""
        table = self._table(relation)
        if relation not in self._offered:
            now = self._now().get(table.relation.name)
            check_same(table, now, self._access)
        return _digest(self._moment.database, table.shape)

    def content(self, relation: str) -> str | None:
        """Return a digest that another snapshot has only if nothing was committed between them; None for views."""
        table = self._table(relation)
        if self._moment.content is None or table.volatile:
            return None
        return _digest(self._moment.database, self._moment.content, table.shape)

    def rights(self) -> Rights:
        """Return what the role may do besides reading."""
        with self._lock:
            return rights_of(self._holder)

    def offer(self, query: Query) -> None:
        """Offer a query of the workspace as a relation from now on."""
        self._offered[query.name] = query

    def count(self, relation: str) -> int:
        """Count the rows by the database itself."""
        table = self._table(relation)
        if relation in self._offered:
            return self._copy(table).rows
        with self._lock:
            return self._holder.number(sql.SQL("SELECT count(*) FROM {}").format(table.name))

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield a partition's rows: along an index where there is one, otherwise from a store sorted once."""
        table = self._table(partition.relation)
        group = tuple(dict.fromkeys(table.column(name).name for name in partition.group))
        wanted = tuple(dict.fromkeys([*group, *(table.column(name).name for name in partition.order)]))
        return ahead(lambda: self._batches(table, wanted or table.locator, group, partition))

    def key_ranges(self, partition: Partition, parts: int) -> tuple[str, ...]:
        """Return positions at which a partition may be cut into `parts`, for `Partition.after` and `until`.

        None at all for what no index orders: it is one range.
        """
        table = self._table(partition.relation)
        group = tuple(dict.fromkeys(table.column(name).name for name in partition.group))
        wanted = tuple(dict.fromkeys([*group, *(table.column(name).name for name in partition.order)])) or table.locator
        if not table.locator or not table.along_index(wanted):
            return ()
        with self._lock:
            return key_ranges(self._holder, table, wanted, group, parts)

    def columns(self, relation: str, names: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Yield the named columns of all rows, in physical order, with their references where ``_ref`` is named."""
        table = self._table(relation)
        chosen = [table.column(name).name for name in names if name != "_ref"]
        listed = [*dict.fromkeys(chosen), *(name for name in names if name == "_ref")]
        if not table.locator:
            for frame in self._copy(table).frames():
                yield from frame.select(listed).iter_slices(batch_rows)
            return
        narrow = table.narrowed([*chosen, *(table.locator if "_ref" in names else ())])
        yield from (
            (with_refs(frame, table) if "_ref" in names else frame).select(listed)
            for frame in ahead(lambda: self._stream(narrow, batch_rows))
        )

    def fetch(self, relation: str, refs: pl.Series) -> pl.DataFrame:
        """Read rows again by their references, in the order of the references."""
        table = self._table(relation)
        if not table.locator:
            return self._copy(table).fetch(refs)
        wanted = refs.drop_nulls().unique(maintain_order=True)
        frames = [pl.DataFrame(schema=dict.fromkeys([*(c.name for c in table.columns), "_ref"], pl.String))]
        reader = Reader(partial(self._open, (table,)), table)
        try:
            for start in range(0, wanted.len(), _FETCH_ROWS):
                chunk = wanted.slice(start, _FETCH_ROWS)
                rows = reader.rows(located(table, chunk))
                frames.append(chunk.alias("_ref").to_frame().join(rows, on="_ref", maintain_order="left"))
        finally:
            reader.close()
        return pl.concat([frame.select(frames[0].columns) for frame in frames])

    def close(self) -> None:
        """Close the connections, and with them the snapshot, and remove copies and stores."""
        self._holder.close()
        if self._live is not None:
            self._live.close()
        self._scratch.close()

    def _open(self, tables: Sequence[Table]) -> Link:
        """Open a connection in the snapshot; from then on nobody can change these tables until it is closed."""
        link = Link(self._access, self._moment.snapshot)
        try:
            refused = None
            try:
                for table in tables:
                    link.do(sql.SQL("SELECT FROM {} LIMIT 0").format(table.name))
            except SystemFailure as error:
                refused = error
            now = self._now()
            for table in tables:
                check_same(table, now.get(table.relation.name), self._access)
            if refused is not None:
                raise refused
        except BaseException:
            link.close()
            raise
        return link

    def _now(self) -> dict[str, Table]:
        """Return the relations as they are at this moment, whatever the snapshot says."""
        with self._lock:
            if self._live is not None:
                with suppress(SystemFailure):
                    return read_tables(self._live, self.system)
                self._live.close()
            self._live = Link(self._access, live=True)
            return read_tables(self._live, self.system)

    def _table(self, name: str) -> Table:
        if name not in self._offered:
            return self._stored(name)
        if name not in self._queries:
            query = self._offered[name]
            with self._lock:
                self._queries[name] = query, *query_table(self._holder, self.system, query, self._stored)
        return self._queries[name][1]

    def _stored(self, name: str) -> Table:
        """Return a relation of the database by its name in any case."""
        return in_any_case(self.system, name, self._tables)

    def _batches(
        self, table: Table, wanted: tuple[str, ...], group: tuple[str, ...], partition: Partition
    ) -> Iterator[Extract]:
        if table.locator and table.along_index(wanted):
            reader = Reader(partial(self._open, (table,)), table)
            try:
                ranges = (partition.batch_rows, partition.after, partition.until)
                for extract in read_ranges(reader, wanted, group, *ranges):
                    self._check_age()
                    yield extract
            finally:
                reader.close()
            return
        for extract in self._store(table, wanted, group).batches(partition.batch_rows, partition.after):
            self._check_age()
            yield extract

    def _stream(self, table: Table, rows: int) -> Iterator[pl.DataFrame]:
        reader = Reader(partial(self._open, (self._stored(table.relation.name),)), table)
        try:
            yield from reader.stream(rows)
        finally:
            reader.close()

    def _store(self, table: Table, wanted: tuple[str, ...], group: tuple[str, ...]) -> Store:
        """Return the sorted store of a relation, made by the first who asks for it."""
        order = wanted or tuple(column.name for column in table.columns)
        copy = None if table.locator else self._copy(table)
        with self._store_lock:
            key = (table.relation.name, order, group)
            if key not in self._stores:
                lying = self._stream(table, _STORE_ROWS) if copy is None else copy.frames()
                frames = (with_refs(frame, table) for frame in lying)
                folder = self._scratch.folder / f"store{len(self._stores)}"
                numeric = [name for name in order if table.column(name).kind in _NUMERIC]
                rows = (Extract(frame, "") for frame in frames)
                self._stores[key] = Store(folder, rows, order, group, None, numeric)
            return self._stores[key]

    def _copy(self, table: Table) -> Copy:
        """Return the copy of a relation that has no key, made by the first who asks for it."""
        with self._store_lock:
            name = table.relation.name
            if name not in self._copies:
                frames = self._query_rows(name) if name in self._offered else self._stream(table, _STORE_ROWS)
                names = [column.name for column in table.columns]
                self._copies[name] = Copy(self._scratch.folder / f"copy{len(self._copies)}", frames, names)
            return self._copies[name]

    def _query_rows(self, name: str) -> Iterator[pl.DataFrame]:
        query, table, text = self._queries[name]
        opened = partial(self._open, [self._stored(each) for each in query.tables])
        base = self._stored(query.base) if query.base else None
        return read_query(opened, table, text, query, base, _STORE_ROWS)

    def _check_age(self) -> None:
        if self._max_hours and self.snapshot_age > self._max_hours * 3600:
            raise SystemFailure(
                "CON-065",
                f"the snapshot of this run is older than {self._max_hours} hours; it keeps the old system from"
                " cleaning up its tables",
                hint="What is committed stays; run again in a new snapshot, or raise max_snapshot_hours.",
                place=self._access.shown,
            )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _moment(link: Link, joined: str | None) -> Moment:
    """Return what identifies the snapshot of a link.

    The list of transactions that a snapshot sees is the same only if none was committed in between; a server that was
    started anew may have been given other files. A standby does not know the whole list.
    """
    encoding, started, standby, seen, database, may = link.rows(
        "SELECT pg_catalog.current_setting('server_encoding'), pg_catalog.pg_postmaster_start_time()::text,"
        " pg_catalog.pg_is_in_recovery(), pg_catalog.txid_current_snapshot()::text,"
        " (SELECT oid || ' ' || datname FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),"
        " pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')"
        " AND pg_catalog.has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE')"
    )[0]
    if encoding == "SQL_ASCII":
        raise SystemFailure(
            "CON-068",
            "the database does not say in which encoding its texts are (SQL_ASCII)",
            hint="Restore a dump of it into a database with an encoding: pg_dump --encoding, createdb --encoding=UTF8.",
            place=link.access.shown,
        )
    number, line = "", ""
    if may:
        number, line = link.rows(
            "SELECT system_identifier::text, (SELECT timeline_id::text FROM pg_catalog.pg_control_checkpoint())"
            " FROM pg_catalog.pg_control_system()"
        )[0]
    snapshot = joined or str(link.rows("SELECT pg_catalog.pg_export_snapshot()")[0][0])
    content = f"{line} {started} {seen}" if may and not standby else None
    return Moment(snapshot, f"{number} {database}", content)
