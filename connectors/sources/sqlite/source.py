"""Legacy systems in a SQLite database, read through ADBC and never written to (promise 6)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import polars as pl

from casemodel import Extract, Partition, Query, Relation, SourceColumn
from connectors.config import SystemConfig, file_of, known_options
from connectors.prefetch import ahead
from connectors.relations import in_any_case
from connectors.scratch import Scratch
from connectors.sources.sqlite.digest import Digest
from connectors.sources.sqlite.file import DatabaseFile, look_at
from connectors.sources.sqlite.link import Link, changed
from connectors.sources.sqlite.query import copy_query, query_table
from connectors.sources.sqlite.read import ODD, Reader, key_order, located, read_batches, uses_index
from connectors.sources.sqlite.schema import Table, copy_view, grouping_is_plain, read_tables
from connectors.sources.sqlite.text import affinity
from connectors.store import Store

_FETCH_ROWS = 5_000
_STORE_ROWS = 50_000


def open_sqlite(config: SystemConfig) -> SqliteSource:
    """Open the system whose settings are ``path`` (or ``url: sqlite:///…``)."""
    known_options(config, config.options, ("path", "url"))
    return SqliteSource(config)


class SqliteSource:
    """A SQLite database as a source: see `casemodel.Source` for what each method promises."""

    kind = "sqlite"
    keyed = True

    def __init__(self, config: SystemConfig, *, of_files: bool = False) -> None:
        self.system = config.name
        self._scratch = Scratch()
        path = file_of(config)
        self._shown = f"systems.{config.name}: {path.name}"
        self._file = look_at(path, self._shown, self._scratch)
        self._lock = threading.RLock()
        self._store_lock = threading.Lock()
        self._digest = Digest(self._file.header_fd, self._file.digest)
        self._stores: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Store] = {}
        self._views: dict[str, DatabaseFile] = {}
        self._queries: dict[str, Query] = {}
        self._described: dict[str, Table] = {}
        self._state = self._file.state()
        self._fingerprint = self._file.digest
        self._closed = False
        try:
            self._link = self._connect()
            # Where a query over files is run, it may ask for the file of a row.
            self._tables = read_tables(self._link, self.system, *([()] if of_files else []))
        except BaseException:
            self._release()
            raise

    def relations(self) -> tuple[str, ...]:
        """Return the names of all tables and views."""
        return tuple(self._tables)

    def relation(self, name: str) -> Relation:
        """Return a table or view by its name in any case."""
        return self._table(name).relation

    def fingerprint(self, relation: str) -> str:
        """Return the SHA-256 of the database (of database and -wal, in WAL mode), computed once."""
        self._table(relation)
        found = self._digest.result()
        if self._fingerprint != found and self._file.state() != self._state:
            raise changed(self._shown)
        self._fingerprint = found
        return found

    def begin_fingerprint(self) -> None:
        """Begin to take the fingerprint beside whatever is asked next."""
        self._digest.begin()

    def content(self, relation: str) -> str:
        """Return the same digest: it is one of every byte."""
        return self.fingerprint(relation)

    def offer(self, query: Query) -> None:
        """Offer a query of the workspace as a relation from now on."""
        self._queries[query.name] = query

    def count(self, relation: str) -> int:
        """Count the rows by the database itself."""
        if relation in self._queries:
            with closing(self._connect(self._table(relation))) as link:
                return link.number(f"SELECT COUNT(*) FROM {self._table(relation).name}")
        with self._lock:
            return self._link.number(f"SELECT COUNT(*) FROM {self._table(relation).name}")

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield a partition's rows: along an index where there is one, otherwise from a store sorted once."""
        table = self._table(partition.relation)
        order = tuple(table.column(name) for name in partition.order)
        group = tuple(table.column(name) for name in partition.group)

        return self._batches(table, partition, order, group)

    def columns(self, relation: str, names: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Yield the named columns of all readable rows, with their references where ``_ref`` is named."""
        table = self._table(relation)
        chosen = tuple(dict.fromkeys(table.column(name) for name in names if name != "_ref"))
        narrow = replace(table, relation=replace(table.relation, columns=chosen))
        listed = [*(column.name for column in chosen), *(name for name in names if name == "_ref")]
        for extract in self._batches(narrow, Partition(relation, batch_rows), (), ()):
            yield extract.frame.select(listed)

    def fetch(self, relation: str, refs: pl.Series) -> pl.DataFrame:
        """Read rows again by their references, in the order of the references."""
        table = self._table(relation)
        names = [*(column.name for column in table.relation.columns), "_ref"]
        wanted = refs.drop_nulls().unique(maintain_order=True)
        frames = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
        with closing(self._connect(table)) as link:
            reader = Reader(link, table)
            for start in range(0, wanted.len(), _FETCH_ROWS):
                chunk = wanted.slice(start, _FETCH_ROWS)
                rows = reader.read(f"FROM {table.name} WHERE {located(table, chunk)}", chunk.len())
                good = rows.filter(pl.col(ODD).is_null())
                found = chunk.alias("_ref").to_frame().join(good, on="_ref", how="inner", maintain_order="left")
                frames.append(found.select(names))
        return pl.concat(frames)

    def close(self) -> None:
        """Close the connection and remove copies and stores."""
        if not self._closed:
            self._link.close()
            self._release()

    def _release(self) -> None:
        self._closed = True
        self._digest.close()
        os.close(self._file.header_fd)
        self._scratch.close()

    def _connect(self, table: Table | None = None) -> Link:
        """Open a connection to the database; for a view, to the copy of its rows, made by the first who asks for it."""
        if table is None or not table.is_view:
            return Link(self._file, self._shown, self._state)
        with self._store_lock, self._lock:
            name = table.relation.name
            if name not in self._views:
                # Whoever asks first may want some columns only; the copy serves all who come later.
                table = self._table(name)
                path = self._scratch.folder / f"view{len(self._views)}.db"
                query = self._queries.get(name)
                if query is None:
                    self._views[name] = copy_view(self._link, table, self._file, path)
                else:
                    base = self._stored(query.base) if query.base else None
                    self._views[name] = copy_query(self._link, table, query, base, self._file, path)
        return Link(self._views[name], self._shown, self._state)

    def _table(self, name: str) -> Table:
        if name in self._queries:
            if name not in self._described:
                self._described[name] = query_table(self._file, self.system, self._queries[name], self._stored)
            return self._described[name]
        return self._stored(name)

    def _stored(self, name: str) -> Table:
        """Return a table or view of the database by its name in any case."""
        return in_any_case(self.system, name, self._tables)

    def _batches(
        self, table: Table, partition: Partition, order: tuple[SourceColumn, ...], group: tuple[SourceColumn, ...]
    ) -> Iterator[Extract]:
        def produce() -> Iterator[Extract]:
            link = self._connect(table)
            try:
                if self._along_index(link, table, order, group):
                    keys = key_order(table, order, group)
                    yield from read_batches(link, table, keys, partition.batch_rows, partition.after)
                else:
                    store = self._store(link, table, order, group)
                    yield from store.batches(partition.batch_rows, partition.after)
                    link.check_unchanged()
            finally:
                link.close()

        return ahead(produce)

    def _store(
        self, link: Link, table: Table, order: tuple[SourceColumn, ...], group: tuple[SourceColumn, ...]
    ) -> Store:
        """Return the sorted store of a relation, made by the first who asks for it."""
        names = tuple(c.name for c in order), tuple(c.name for c in group)
        with self._store_lock:
            key = (table.relation.name, *names)
            if key not in self._stores:
                rows = read_batches(link, table, key_order(table, (), ()), _STORE_ROWS, None)
                folder = self._scratch.folder / f"store{len(self._stores)}"
                numeric = [
                    c.name for c in (*order, *group) if affinity(c.declared_type) in ("INTEGER", "REAL", "NUMERIC")
                ]
                digest = self.fingerprint(table.relation.name)
                self._stores[key] = Store(folder, rows, *names, digest, numeric)
                link.check_unchanged()
            return self._stores[key]

    def _along_index(
        self, link: Link, table: Table, order: tuple[SourceColumn, ...], group: tuple[SourceColumn, ...]
    ) -> bool:
        return uses_index(link, table, key_order(table, order, group)) and (
            not group or grouping_is_plain(link, table, group)
        )
