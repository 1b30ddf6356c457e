"""Legacy systems in any database that SQLAlchemy knows: thin, read page by page along the primary key, or copied once.

Unlike kind `postgresql`, each reading sees a moment of its own: elsewhere connections cannot share a snapshot.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import (
    OMITTED,
    Extract,
    Partition,
    Query,
    Relation,
    Rights,
    SourceColumn,
    SystemFailure,
    key_text,
    split_key,
)
from connectors.batching import whole_groups
from connectors.config import SystemConfig, known_options
from connectors.copied import Copy
from connectors.positions import foreign_position, read_position, write_position
from connectors.prefetch import ahead
from connectors.relations import in_any_case
from connectors.scratch import Scratch
from connectors.sources.queries.refusals import refuse_accounts, refuse_names, refused
from connectors.sources.queries.text import translated
from connectors.sources.sql.link import open_engine, reading, rows_in_pieces
from connectors.sources.sql.rights import rights_of
from connectors.sources.sql.schema import Column, Table, read_table, read_tables
from connectors.sources.sql.text import frame_of
from connectors.store import Store

Value = int | Decimal | str
_ROWS = 50_000
_FETCH_ROWS = 200
_DIALECTS = {"postgresql": "postgres", "mssql": "tsql", "mariadb": "mysql"}


def open_sql(config: SystemConfig) -> SqlSource:
    """Open the system whose ``url`` is one of SQLAlchemy."""
    known_options(config, config.options, ("url", "schema"))
    return SqlSource(config)


class SqlSource:
    """Any database as a source: see `casemodel.Source` for what each method promises."""

    kind = "sql"
    keyed = True

    def __init__(self, config: SystemConfig) -> None:
        self.system = config.name
        self._shown = f"systems.{config.name}"
        schema = config.options.get("schema")
        self._schema = None if schema is None else str(schema)
        self._engine = open_engine(config)
        self._scratch = Scratch()
        self._lock = threading.RLock()
        self._copies: dict[str, Copy] = {}
        self._stores: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Store] = {}
        self._offered: dict[str, Query] = {}
        self._queries: dict[str, tuple[Table, str]] = {}
        with reading(self._engine, self._shown) as connection:
            self._tables = read_tables(connection, self.system, self._schema)

    def relations(self) -> tuple[str, ...]:
        """Return the names of all tables and views."""
        return tuple(self._tables)

    def relation(self, name: str) -> Relation:
        """Return a table or view by its name in any case."""
        return self._table(name).relation

    def fingerprint(self, relation: str) -> str:
        """Return a digest of where the database is and of the relation's columns and key, as they are now."""
        table = self._table(relation)
        if relation not in self._offered:
            with reading(self._engine, self._shown) as connection:
                now = read_table(connection, self.system, table.relation.name, self._schema)
            if now is None or now.shape != table.shape:
                raise SystemFailure(
                    "CON-067",
                    f"the relation {table.relation.name} was changed since the run began",
                    hint="What is committed stays. Look at `omnicase mapping check`, and run again.",
                    place=self._shown,
                )
        url = self._engine.url
        return hashlib.sha256(f"{url.host} {url.port} {url.database} {table.shape}".encode()).hexdigest()

    def content(self, relation: str) -> None:
        """Return None: nothing says that two readings gave the same rows."""
        self._table(relation)

    def rights(self) -> Rights:
        """Return what the account may do besides reading."""
        with reading(self._engine, self._shown) as connection:
            return rights_of(connection)

    def offer(self, query: Query) -> None:
        """Offer a query of the workspace as a relation from now on."""
        self._offered[query.name] = query

    def count(self, relation: str) -> int:
        """Count the rows by the database itself."""
        table = self._table(relation)
        if relation in self._offered:
            return self._copy(table).rows
        with reading(self._engine, self._shown) as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(table.selectable())) or 0)

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield a partition's rows: page by page along the primary key, otherwise from a store sorted once."""
        table = self._table(partition.relation)
        group = tuple(dict.fromkeys(table.column(name).name for name in partition.group))
        wanted = tuple(dict.fromkeys([*group, *(table.column(name).name for name in partition.order)]))
        wanted = wanted or table.locator
        if table.by_key(wanted, group):
            return ahead(lambda: self._pages(table, group or wanted, partition.batch_rows, partition.after))
        return ahead(lambda: self._store(table, wanted, group).batches(partition.batch_rows, partition.after))

    def columns(self, relation: str, names: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Yield the named columns of all rows, with their references where ``_ref`` is named."""
        table = self._table(relation)
        listed = [*dict.fromkeys(table.column(name).name for name in names if name != "_ref")]
        listed += [name for name in names if name == "_ref"]
        if not table.locator:
            frames = self._copy(table).frames()
        else:
            frames = ahead(lambda: self._stream(table, listed, batch_rows))
        for frame in frames:
            yield from frame.select(listed).iter_slices(batch_rows)

    def fetch(self, relation: str, refs: pl.Series) -> pl.DataFrame:
        """Read rows again by their references, in the order of the references."""
        table = self._table(relation)
        if not table.locator:
            return self._copy(table).fetch(refs)
        wanted = refs.drop_nulls().unique(maintain_order=True).alias("_ref")
        names = [*(column.name for column in table.columns), "_ref"]
        frames, selected = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))], table.selectable()
        with reading(self._engine, self._shown) as connection:
            for start in range(0, wanted.len(), _FETCH_ROWS):
                chunk = wanted.slice(start, _FETCH_ROWS)
                clause = sa.or_(*(_equal(table, selected, split_key(ref)) for ref in chunk))
                rows = connection.execute(sa.select(selected).where(clause)).all()
                found = _with_refs(_frame(rows, table.columns), table)
                frames.append(chunk.to_frame().join(found, on="_ref", maintain_order="left").select(names))
        return pl.concat(frames)

    def close(self) -> None:
        """Remove copies and stores."""
        self._engine.dispose()
        self._scratch.close()

    def _table(self, name: str) -> Table:
        if name not in self._offered:
            return self._stored(name)
        if name not in self._queries:
            self._queries[name] = self._described(self._offered[name])
        return self._queries[name][0]

    def _stored(self, name: str) -> Table:
        return in_any_case(self.system, name, self._tables)

    def _described(self, query: Query) -> tuple[Table, str]:
        """Return a query as a relation, and its SQL in the dialect of the database."""
        place = f"{self.system}.{query.name}"
        try:
            tables = [self._stored(name) for name in query.tables]
        except SystemFailure as unknown:
            raise refused(unknown.message, place, unknown.hint) from None
        name = self._engine.dialect.name
        declared = {table.relation.name: [column.name for column in table.columns] for table in tables}
        text = translated(query, declared, _DIALECTS.get(name, name))
        try:
            with reading(self._engine, place) as connection:
                names = list(connection.execute(_wrapped(text, " WHERE 1 = 0")).keys())
        except SystemFailure as error:
            raise refused("the database does not take its SQL", place, error.hint) from None
        refuse_names(names, place)
        if query.base:
            for column in query.by:
                self._stored(query.base).column(column)
            refuse_accounts(query, names, place)
        columns = (*(Column(SourceColumn(each, "")) for each in names), _TECHNICAL)
        relation = Relation(self.system, query.name, tuple(column.offered for column in columns))
        return Table(relation, self._schema, columns), text

    def _pages(self, table: Table, cut_by: tuple[str, ...], rows: int, after: str | None) -> Iterator[Extract]:
        """Yield rows along the primary key, each page by a question of its own; no group is cut."""
        position = None if after is None else _values(table, read_position(after, len(table.locator)))
        selected = table.selectable()
        limit, whole = rows + 1, False
        with reading(self._engine, self._shown) as connection:
            while not whole:
                statement = page(table, selected, position, limit)
                frame = _with_refs(_frame(connection.execute(statement).all(), table.columns), table)
                whole = frame.height < limit
                cut = whole_groups(frame, cut_by, rows)
                if cut is None and not whole:
                    limit *= 2
                    continue
                batch = frame if cut is None else frame.head(cut)
                whole, limit = whole and batch.height == frame.height, rows + 1
                if batch.height:
                    texts = split_key(batch.item(-1, "_ref"))
                    position = _values(table, texts)
                    yield Extract(batch, write_position(texts))

    def _stream(self, table: Table, names: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
        """Yield columns of all rows as they lie."""
        asked = [name for name in names if name != "_ref"]
        asked += [name for name in table.locator if "_ref" in names and name not in asked]
        chosen = [table.column(name) for name in asked]
        selected = table.selectable()
        with reading(self._engine, self._shown) as connection:
            for piece in rows_in_pieces(connection, sa.select(*(selected.c[name] for name in asked)), rows):
                frame = _frame(piece, chosen)
                yield _with_refs(frame, table) if "_ref" in names else frame

    def _store(self, table: Table, wanted: tuple[str, ...], group: tuple[str, ...]) -> Store:
        """Return the sorted store of a relation, made by the first who asks for it."""
        names = [*(column.name for column in table.columns), "_ref"]
        order = wanted or tuple(column.name for column in table.columns)
        with self._lock:
            key = (table.relation.name, order, group)
            if key not in self._stores:
                frames = self._stream(table, names, _ROWS) if table.locator else self._copy(table).frames()
                numeric = [name for name in order if table.column(name).exact is int]
                folder = self._scratch.folder / f"store{len(self._stores)}"
                rows = (Extract(frame.select(names), "") for frame in frames)
                self._stores[key] = Store(folder, rows, order, group, None, numeric)
            return self._stores[key]

    def _copy(self, table: Table) -> Copy:
        """Return the copy of a relation that has no key, made by the first who asks for it."""
        with self._lock:
            name = table.relation.name
            if name not in self._copies:
                names = [column.name for column in table.columns]
                frames = self._query_rows(name) if name in self._offered else self._stream(table, names, _ROWS)
                self._copies[name] = Copy(self._scratch.folder / f"copy{len(self._copies)}", frames, names)
            return self._copies[name]

    def _query_rows(self, name: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of a query, then a row for every key of its base that it does not return."""
        query, (table, text) = self._offered[name], self._queries[name]
        own = [column for column in table.columns if column is not _TECHNICAL]
        by = [table.column(column).name for column in query.by]
        returned = [pl.DataFrame(schema=dict.fromkeys(by, pl.String))]
        base = self._stored(query.base) if query.base else None
        with reading(self._engine, self._shown) as connection:
            for piece in rows_in_pieces(connection, _wrapped(text, ""), _ROWS):
                frame = _frame(piece, own)
                if base is not None:
                    padded = [name for name, theirs in zip(by, query.by, strict=True) if base.column(theirs).padded]
                    frame = frame.with_columns(pl.col(name).str.strip_chars_end(" ") for name in padded)
                    returned.append(frame.select(by))
                yield frame.with_columns(pl.lit(None, pl.String).alias(OMITTED))
        if base is None:
            return
        theirs = [base.column(column).name for column in query.by]
        known = pl.concat(returned).unique()
        for frame in self._stream(base, theirs, _ROWS):
            keys = frame.select(pl.col(old).alias(new) for old, new in zip(theirs, by, strict=True))
            left = keys.unique(maintain_order=True).join(known, on=by, how="anti", nulls_equal=True)
            known = pl.concat([known, left])
            yield left.select(
                *(pl.col(c.name) if c.name in by else pl.lit("").alias(c.name) for c in own), pl.lit("1").alias(OMITTED)
            )


_TECHNICAL = Column(SourceColumn(OMITTED, technical=True, personal=False))


def _wrapped(text: str, rest: str) -> sa.TextClause:
    # A colon begins a parameter in SQLAlchemy's texts.
    asked = text.replace("\\", "\\\\").replace(":", "\\:")
    return sa.text(f"SELECT * FROM ({asked}) q{rest}")


def _frame(rows: Sequence[Sequence[object]], columns: Sequence[Column]) -> pl.DataFrame:
    padded = frozenset(column.name for column in columns if column.padded)
    return frame_of(rows, [column.name for column in columns], padded)


def _with_refs(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    return frame.with_columns(key_text([pl.col(name) for name in table.locator]).alias("_ref"))


def _values(table: Table, texts: Sequence[str]) -> list[Value]:
    """Return the values of a primary key from their canonical texts."""
    kinds = [table.column(name).exact for name in table.locator]
    try:
        return [_number(text) if kind is int else text for kind, text in zip(kinds, texts, strict=True)]
    except (ValueError, InvalidOperation):
        raise foreign_position() from None


def _number(text: str) -> int | Decimal:
    """Return a number; a key of Oracle that is a NUMBER without a scale may have a fraction."""
    return Decimal(text) if "." in text else int(text)


def _asked(table: Table, name: str, value: Value) -> sa.ColumnElement[Any]:
    """Return a value as a parameter of its column's own kind of text.

    SQL Server compares a column with a text of the other kind by other rules than it orders it by, or loses characters;
    SQLAlchemy would take the kind from the text.
    """
    if not isinstance(value, str):
        return sa.literal(value)
    national = table.column(name).offered.declared_type.upper().startswith(("NVARCHAR", "NCHAR"))
    return sa.literal(value, sa.Unicode() if national else sa.String())


def _equal(table: Table, selected: sa.TableClause, texts: Sequence[str]) -> sa.ColumnElement[bool]:
    values = _values(table, texts)
    pairs = zip(table.locator, values, strict=True)
    return sa.and_(*(selected.c[name] == _asked(table, name, value) for name, value in pairs))


def page(table: Table, selected: sa.TableClause, after: Sequence[Value] | None, limit: int) -> sa.Select[Any]:
    """Return the question for the first rows behind a key, in its order."""
    statement = sa.select(selected).order_by(*(selected.c[name] for name in table.locator)).limit(limit)
    return statement if after is None else statement.where(_after(table, selected, after))


def _after(table: Table, selected: sa.TableClause, values: Sequence[Value]) -> sa.ColumnElement[bool]:
    """Return the condition for rows after a key; not every database compares rows of values."""
    columns = [selected.c[name] for name in table.locator]
    asked = [_asked(table, name, value) for name, value in zip(table.locator, values, strict=True)]
    return sa.or_(
        *(
            sa.and_(*(columns[i] == asked[i] for i in range(last)), columns[last] > asked[last])
            for last in range(len(columns))
        )
    )
