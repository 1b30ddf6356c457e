"""Legacy systems that deliver CSV files: every physical record is a row or is said to be unreadable (DESIGN.md, 7)."""

from __future__ import annotations

import difflib
import hashlib
import threading
from collections.abc import Iterator, Sequence

import polars as pl

from casemodel import Extract, Partition, Query, Relation, SourceColumn, SystemFailure
from connectors.config import SystemConfig
from connectors.prefetch import ahead
from connectors.scratch import Scratch
from connectors.sources.csv_batches import Delivery, Layout, read_batches, read_pieces
from connectors.sources.csv_bytes import check_unchanged
from connectors.sources.csv_query import CsvQuery
from connectors.sources.csv_settings import CsvRelation, find_files, read_settings
from connectors.sources.csv_survey import Header, empty, read_header, survey
from connectors.store import Store

_STORE_ROWS = 50_000


def open_csv(config: SystemConfig) -> CsvSource:
    """Open a folder of CSV files, whose relations the settings describe."""
    return CsvSource(config)


class CsvSource:
    """CSV files as a source: see `casemodel.Source` for what each method promises."""

    kind = "csv"
    keyed = False

    def __init__(self, config: SystemConfig) -> None:
        self.system = config.name
        self._config = config
        self._settings = read_settings(config)
        self._layouts: dict[str, Layout] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._stores: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Store] = {}
        self._scratch = Scratch()
        self._lock = threading.RLock()
        self._offered: dict[str, Query] = {}
        self._queries: dict[str, CsvQuery] = {}

    def offer(self, query: Query) -> None:
        """Offer a query of the workspace as a relation from now on."""
        self._offered[query.name] = query

    def _query(self, name: str) -> CsvQuery | None:
        """Return a query that was offered, run by the first who asks for it; None for a relation of files."""
        if name not in self._offered:
            return None
        with self._lock:
            if name not in self._queries:
                folder = self._scratch.folder / f"query{len(self._queries)}"
                self._queries[name] = CsvQuery(self.system, self._offered[name], self._delivery, folder)
            return self._queries[name]

    def relations(self) -> tuple[str, ...]:
        """Return the names of the relations that the settings describe."""
        return tuple(self._settings)

    def relation(self, name: str) -> Relation:
        """Return a relation by its name in any case; the headers of its files are read for that."""
        if (query := self._query(name)) is not None:
            return query.relation
        layout = self._layout(name)
        settings = layout.relation
        shown = None if settings.personal is None else {column.casefold() for column in settings.personal}
        columns = [
            SourceColumn(column, personal=shown is None or column.casefold() in shown) for column in layout.columns
        ]
        key = tuple(_column(layout, part) for part in settings.key)
        technical = SourceColumn("_file", technical=True, personal=False)
        return Relation(self.system, settings.name, (*columns, technical), key)

    def fingerprint(self, relation: str) -> str:
        """Return a digest over the files and the settings that say how to read them."""
        query = self._query(relation)
        return self._delivery(relation).digest if query is None else query.fingerprint

    def content(self, relation: str) -> str:
        """Return the same digest: it is one of every byte."""
        return self.fingerprint(relation)

    def count(self, relation: str) -> int:
        """Return the number of records as counted by the independent counter."""
        if (query := self._query(relation)) is not None:
            return query.count()
        return sum(file.records for file in self._delivery(relation).files)

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield a partition's rows: in physical order, or from a store sorted once."""
        if (query := self._query(partition.relation)) is not None:
            return query.extract(partition)
        delivery = self._delivery(partition.relation)
        order = tuple(_column(delivery.layout, name) for name in partition.order)
        group = tuple(_column(delivery.layout, name) for name in partition.group)
        if not order and not group:
            return ahead(lambda: read_batches(delivery, partition.batch_rows, partition.after))
        return ahead(lambda: self._sorted(delivery, order, group, partition))

    def columns(self, relation: str, names: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Yield the named columns of all readable rows, in physical order."""
        if (query := self._query(relation)) is not None:
            yield from query.source.columns(relation, names, batch_rows)
            return
        delivery = self._delivery(relation)
        chosen = list(dict.fromkeys(_column(delivery.layout, name) for name in names))
        for extract in ahead(lambda: read_batches(delivery, batch_rows, None)):
            yield extract.frame.select(chosen)

    def fetch(self, relation: str, refs: pl.Series) -> pl.DataFrame:
        """Read rows again by their references, in the order of the references."""
        if (query := self._query(relation)) is not None:
            return query.source.fetch(relation, refs)
        delivery = self._delivery(relation)
        listed = refs.drop_nulls().unique(maintain_order=True).alias("_ref").to_frame()
        wanted: dict[int, set[int]] = {}
        for ref in listed["_ref"]:
            file, _, record = str(ref).partition(":")
            if not (file.isdecimal() and record.isdecimal()):
                raise SystemFailure(
                    "CON-019",
                    "a row reference was not made for this relation",
                    hint="Run again.",
                    place=delivery.relation.place,
                )
            wanted.setdefault(int(file), set()).add(int(record))
        names = [*delivery.columns, "_file", "_ref"]
        frames = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
        for _, piece in read_pieces(delivery, wanted):
            frames.append(piece.frame.join(listed, on="_ref", how="semi").select(names))
        return listed.join(pl.concat(frames), on="_ref", how="inner", maintain_order="left").select(names)

    def close(self) -> None:
        """Remove the sorted stores and scratch databases."""
        for query in self._queries.values():
            query.close()
        self._scratch.close()

    def _layout(self, name: str) -> Layout:
        known = {relation.casefold(): relation for relation in self._settings}
        if name.casefold() not in known:
            near = difflib.get_close_matches(name.casefold(), list(known), n=1, cutoff=0.5)
            hint = f"Did you mean {known[near[0]]}?" if near else f"It has: {', '.join(self._settings)}."
            raise SystemFailure(
                "CON-020", f"the system {self.system} has no relation {name}", hint=hint, place=f"{self.system}.{name}"
            )
        spelled = known[name.casefold()]
        with self._lock:
            if spelled not in self._layouts:
                self._layouts[spelled] = _layout(self._config, self._settings[spelled])
            layout = self._layouts[spelled]
        for header in layout.headers:
            check_unchanged(header.source)
        return layout

    def _delivery(self, name: str) -> Delivery:
        """Return a relation with its files, read through once."""
        layout = self._layout(name)
        spelled = layout.relation.name
        with self._lock:
            if spelled not in self._deliveries:
                self._deliveries[spelled] = _delivery(layout)
            return self._deliveries[spelled]

    def _sorted(
        self, delivery: Delivery, order: tuple[str, ...], group: tuple[str, ...], partition: Partition
    ) -> Iterator[Extract]:
        yield from self._store(delivery, order, group).batches(partition.batch_rows, partition.after)
        for file in delivery.files:
            check_unchanged(file.source)

    def _store(self, delivery: Delivery, order: tuple[str, ...], group: tuple[str, ...]) -> Store:
        with self._lock:
            key = (delivery.relation.name, order, group)
            if key not in self._stores:
                folder = self._scratch.folder / f"store{len(self._stores)}"
                rows = read_batches(delivery, _STORE_ROWS, None)
                self._stores[key] = Store(folder, rows, order, group, delivery.digest)
            return self._stores[key]


def _layout(config: SystemConfig, settings: CsvRelation) -> Layout:
    headers = tuple(read_header(path, settings) for path in find_files(config, settings))
    columns = settings.columns or next((header.names for header in headers if header.names is not None), ())
    if not columns and not settings.allow_empty:
        raise empty(headers[0].source.path)
    if not columns:
        raise SystemFailure(
            "CON-039",
            "no file of the relation has a header",
            hint="Give columns: [first, second].",
            place=settings.place,
        )
    return Layout(settings, headers, columns, tuple(_order(columns, header, settings) for header in headers))


def _delivery(layout: Layout) -> Delivery:
    files = tuple(survey(header, layout.relation) for header in layout.headers)
    digest = hashlib.sha256(layout.relation.form().encode())
    for file in files:
        digest.update(f"\n{file.source.path.name}\t{file.digest}".encode("utf-8", "surrogateescape"))
    return Delivery(layout, files, digest.hexdigest())


def _order(columns: tuple[str, ...], header: Header, settings: CsvRelation) -> tuple[str, ...]:
    """Return the relation's columns in the order of a file; headers must name the same ones, in any order and case."""
    found = columns if header.names is None else header.names
    spelled = {column.casefold(): column for column in columns}
    for number, name in enumerate(found, 1):
        if name.casefold() not in spelled:
            raise _unknown_column(columns, found, number, header)
    there = {name.casefold() for name in found}
    for column in columns:
        if column.casefold() not in there:
            raise SystemFailure(
                "CON-031",
                f"the header lacks the column {column}",
                hint="Ask for a complete delivery, or give the column's new name an alias.",
                place=header.source.path.name,
            )
    return tuple(spelled[name.casefold()] for name in found)


def _unknown_column(columns: tuple[str, ...], found: tuple[str, ...], number: int, header: Header) -> SystemFailure:
    known = {column.casefold() for column in columns}
    if 2 * sum(name.casefold() in known for name in found) < len(found):
        # Without a header the "names" are the values of the first record, which must not be shown.
        return SystemFailure(
            "CON-032",
            "the first record is not the header that is expected: most of its names are unknown",
            hint="Check whether the file has a header, and the settings delimiter and skip_lines.",
            place=header.source.path.name,
        )
    name = found[number - 1]
    near = difflib.get_close_matches(name, columns, n=1)
    hint = f"If it is {near[0]} under another name" if near else "If it is a known column under another name"
    return SystemFailure(
        "CON-032",
        f"column {number} of the header, {name}, is unknown",
        hint=f'{hint}, add aliases: {{"{name}": ...}}; otherwise add it to columns.',
        place=header.source.path.name,
    )


def _column(layout: Layout, name: str) -> str:
    for column in (*layout.columns, "_file"):
        if column.casefold() == name.casefold():
            return column
    near = difflib.get_close_matches(name, layout.columns, n=1, cutoff=0.5)
    raise SystemFailure(
        "CON-021",
        f"the relation {layout.relation.name} has no column {name}",
        hint=f"Did you mean {near[0]}?" if near else f"Its columns are: {', '.join(layout.columns[:20])}.",
        place=layout.relation.place,
    )
