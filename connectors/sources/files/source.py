"""Legacy systems that deliver files: every physical record is a row or is said to be unreadable (DESIGN.md, 7)."""

from __future__ import annotations

import difflib
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

import polars as pl

from casemodel import DeliveredFile, Extract, Partition, Query, RefusedError, Relation, SourceColumn, SystemFailure
from connectors.prefetch import ahead
from connectors.relations import in_any_case
from connectors.scratch import Scratch
from connectors.sources.files.batches import read_batches, read_columns, read_pieces
from connectors.sources.files.bytes import check_unchanged
from connectors.sources.files.memory import keep_for_next_block
from connectors.sources.files.query import FileQuery
from connectors.sources.files.relation import Delivery, FileRelation, Located, Odd, RelationFiles
from connectors.store import Store

_STORE_ROWS = 50_000


class FileSource:
    """Files as a source: see `casemodel.Source` for what each method promises.

    Args:
        system: the system's name.
        kind: of files: ``csv``, …
        settings: its relations by name.
        look: looks at the files of a relation; it raises what `Source.relation` may raise.
    """

    keyed = False

    def __init__(
        self,
        system: str,
        kind: str,
        settings: Mapping[str, FileRelation],
        look: Callable[[FileRelation], RelationFiles],
    ) -> None:
        self.system = system
        self.kind = kind
        self._settings = settings
        self._look = look
        self._opened: dict[str, RelationFiles] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._stores: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Store] = {}
        self._scratch = Scratch()
        self._lock = threading.RLock()
        self._offered: dict[str, Query] = {}
        self._queries: dict[str, FileQuery] = {}
        keep_for_next_block()

    def offer(self, query: Query) -> None:
        """Offer a query of the workspace as a relation from now on."""
        self._offered[query.name] = query

    def _query(self, name: str) -> FileQuery | None:
        """Return a query that was offered, run by the first who asks for it; None for a relation of files."""
        if name not in self._offered:
            return None
        with self._lock:
            if name not in self._queries:
                folder = self._scratch.folder / f"query{len(self._queries)}"
                self._queries[name] = FileQuery(self.system, self._offered[name], self._delivery, folder)
            return self._queries[name]

    def relations(self) -> tuple[str, ...]:
        """Return the names of the relations that the settings describe."""
        return tuple(self._settings)

    def relation(self, name: str) -> Relation:
        """Return a relation by its name in any case; the headers of its files are read for that."""
        if (query := self._query(name)) is not None:
            return query.relation
        settings = self._relation(name)
        opened = self._files(settings)
        shown = None if settings.personal is None else {column.casefold() for column in settings.personal}
        columns = [
            SourceColumn(column, personal=shown is None or column.casefold() in shown) for column in opened.columns
        ]
        key = tuple(_column(settings, opened.columns, part) for part in settings.key)
        places = opened.technical if isinstance(opened, Located) else ()
        columns = [column for column in columns if column.name not in places]
        technical = [SourceColumn(name, technical=True, personal=False) for name in (*places, "_file")]
        return Relation(self.system, settings.name, (*columns, *technical), key)

    def fingerprint(self, relation: str) -> str:
        """Return a digest over the files and the settings that say how to read them."""
        query = self._query(relation)
        return self._delivery(relation).digest if query is None else query.fingerprint

    def content(self, relation: str) -> str:
        """Return the same digest: it is one of every byte."""
        return self.fingerprint(relation)

    def oddities(self, relation: str) -> tuple[RefusedError, ...]:
        """Return what the files of a relation hold beside their values (see `casemodel.TellsOddities`)."""
        if self._query(relation) is not None:
            return ()
        delivery = self._delivery(relation)
        opened, place = delivery.opened, delivery.relation.place
        said = opened.oddities() if isinstance(opened, Odd) else ()
        return tuple(RefusedError("CON-094", text, hint="Nothing need be done.", place=place) for text in said)

    def count(self, relation: str) -> int:
        """Return the number of records as counted by the independent counter."""
        if (query := self._query(relation)) is not None:
            return query.count()
        return self._delivery(relation).records

    def files(self, relation: str) -> tuple[DeliveredFile, ...]:
        """Return what each file of a relation is; of a query, those of the relations that it names."""
        query = self._query(relation)
        deliveries = query.deliveries if query is not None else (self._delivery(relation),)
        return tuple(
            DeliveredFile(source.name, file.digest, file.records, file.encoding, file.notes)
            for delivery in deliveries
            for source, file in zip(delivery.opened.sources, delivery.surveyed, strict=True)
        )

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield a partition's rows: in physical order, or from a store sorted once."""
        if (query := self._query(partition.relation)) is not None:
            return query.extract(partition)
        delivery = self._delivery(partition.relation)
        order = tuple(_column(delivery.relation, delivery.columns, name) for name in partition.order)
        group = tuple(_column(delivery.relation, delivery.columns, name) for name in partition.group)
        if not order and not group:
            return ahead(lambda: read_batches(delivery, partition.batch_rows, partition.after))
        return ahead(lambda: self._sorted(delivery, order, group, partition))

    def columns(self, relation: str, names: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Yield the named columns of all readable rows, in physical order."""
        if (query := self._query(relation)) is not None:
            yield from query.source.columns(relation, names, batch_rows)
            return
        delivery = self._delivery(relation)
        chosen = list(dict.fromkeys(_column(delivery.relation, delivery.columns, name) for name in names))
        yield from ahead(lambda: read_columns(delivery, chosen, batch_rows))

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

    def _relation(self, name: str) -> FileRelation:
        return in_any_case(self.system, name, self._settings)

    def _files(self, relation: FileRelation) -> RelationFiles:
        """Return the files of a relation, whose heads are read once."""
        with self._lock:
            if relation.name not in self._opened:
                self._opened[relation.name] = self._look(relation)
            opened = self._opened[relation.name]
        for source in opened.sources:
            check_unchanged(source)
        return opened

    def _delivery(self, name: str) -> Delivery:
        """Return a relation with its files, read through once."""
        relation = self._relation(name)
        opened = self._files(relation)
        with self._lock:
            if relation.name not in self._deliveries:
                self._deliveries[relation.name] = _surveyed(relation, opened)
            return self._deliveries[relation.name]

    def _sorted(
        self, delivery: Delivery, order: tuple[str, ...], group: tuple[str, ...], partition: Partition
    ) -> Iterator[Extract]:
        yield from self._store(delivery, order, group).batches(partition.batch_rows, partition.after)
        for source in delivery.opened.sources:
            check_unchanged(source)

    def _store(self, delivery: Delivery, order: tuple[str, ...], group: tuple[str, ...]) -> Store:
        with self._lock:
            key = (delivery.relation.name, order, group)
            if key not in self._stores:
                folder = self._scratch.folder / f"store{len(self._stores)}"
                rows = read_batches(delivery, _STORE_ROWS, None)
                self._stores[key] = Store(folder, rows, order, group, delivery.digest)
            return self._stores[key]


def _surveyed(relation: FileRelation, opened: RelationFiles) -> Delivery:
    surveyed = opened.survey()
    digest = hashlib.sha256(relation.form().encode())
    for source, file in zip(opened.sources, surveyed, strict=True):
        digest.update(f"\n{source.name}\t{file.digest}".encode("utf-8", "surrogateescape"))
    return Delivery(relation, opened, surveyed, digest.hexdigest())


def _column(relation: FileRelation, columns: tuple[str, ...], name: str) -> str:
    for column in (*columns, "_file"):
        if column.casefold() == name.casefold():
            return column
    near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
    raise SystemFailure(
        "CON-021",
        f"the relation {relation.name} has no column {name}",
        hint=f"Did you mean {near[0]}?" if near else f"Its columns are: {', '.join(columns[:20])}.",
        place=relation.place,
    )
