"""A system whose relations carry documents: columns of ours say what each document is, and a run keeps its content."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, NamedTuple

import filetype
import polars as pl

from casemodel import (
    DeliveredFile,
    Extract,
    Partition,
    Query,
    RefusedError,
    Relation,
    Rights,
    RunsQueries,
    Source,
    SourceColumn,
    SystemFailure,
    TellsFiles,
    TellsOddities,
)
from connectors.config import SystemConfig, known_options, refuse, text_option
from connectors.document_places import OUTSIDE, UNREADABLE, DocumentPlace, Unreached, open_place
from connectors.document_store import DocumentStore, digest_of, reference
from connectors.shared_store import SharedStore, open_store

COLUMNS = ("_doc_state", "_doc_size", "_doc_sha256", "_doc_type", "_doc_ref")
"""What is said of a document: its state, number of bytes, SHA-256, media type by its bytes, and place in the store.

States are found, none, missing, empty, unreadable, outside.
"""
_AT_ONCE = 4
_BLOB_ROWS = 50
"""So many rows with their bytes are in memory."""
_HEAD = 8192
_SMALL = 1 << 16
"""Bytes of a document that is read once; a larger one is read for its digest, and again if it is to be kept."""


class Document(NamedTuple):
    """The values of `COLUMNS`."""

    state: str
    size: str | None = None
    digest: str | None = None
    media_type: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentRule:
    """Where the documents of a relation are: the column of their path or of their bytes.

    ``below`` is what a path begins with in the old system, and which is not there in ``folder``.
    """

    column: str
    blob: bool
    folder: str = ""
    below: str = ""


def read_rules(config: SystemConfig) -> dict[str, DocumentRule]:
    """Return the rules of `documents:` of a system, by the name of the relation in small letters.

    Raises:
        RefusedError: CON-003 (exit 4).
    """
    given = config.options.get("documents")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise refuse(config, "the setting documents is not a map", "Write documents: {RELATION: {path: COLUMN, …}}.")
    return {str(name).casefold(): _rule(config, str(name), options) for name, options in given.items()}


def _rule(config: SystemConfig, name: str, options: Any) -> DocumentRule:
    if not isinstance(options, Mapping) or ("path" in options) == ("content" in options):
        raise refuse(
            config,
            f"the documents of relation {name} have neither a column path nor a column content, or both",
            f"Write documents: {{{name}: {{path: COLUMN, folder: FOLDER}}}}.",
        )
    known_options(config, options, ("path", "folder", "below", "content"), f"documents.{name}.")
    if "content" in options:
        return DocumentRule(text_option(config, options, "content"), True)
    return DocumentRule(
        text_option(config, options, "path"),
        False,
        text_option(config, options, "folder"),
        text_option(config, options, "below", ""),
    )


class Documented:
    """A source whose relations have `COLUMNS` beside their own: see `casemodel.Source` for what each method promises.

    Whoever reads it reads every document, so that a comparison is one of contents; copies are made only after
    `keep_documents`.
    """

    def __init__(self, inner: Source, config: SystemConfig, rules: Mapping[str, DocumentRule]) -> None:
        self.system, self.kind, self.keyed = inner.system, inner.kind, inner.keyed
        self._inner = inner
        self._config = config
        self._rules = rules
        self._places: dict[str, DocumentPlace] = {}
        self._store: DocumentStore | SharedStore | None = None

    def keep_documents(self, place: str) -> None:
        """Copy every document that is read from now on to a content store."""
        self._store = open_store(place)

    def relations(self) -> tuple[str, ...]:
        """Return the names of the relations."""
        return self._inner.relations()

    def relation(self, name: str) -> Relation:
        """Return a relation; of one with documents their bytes are left out, and what is said of them added."""
        found = self._inner.relation(name)
        rule = self._rules.get(found.name.casefold())
        if rule is None:
            return found
        self._check_column(found, rule)
        if not rule.blob:
            # A share that is not there is an error of the run, not of a hundred thousand rows.
            self._place(rule)
        left_out = rule.column.casefold() if rule.blob else None
        own = [column for column in found.columns if column.name.casefold() != left_out]
        added = [SourceColumn(name, technical=True, personal=False) for name in COLUMNS]
        return replace(found, columns=(*own, *added))

    def fingerprint(self, relation: str) -> str:
        """Return the fingerprint of the rows; what became of the documents is compared by their digests."""
        return self._inner.fingerprint(relation)

    def content(self, relation: str) -> str | None:
        """Return the same of a relation without documents; None of one with them: they may change by themselves."""
        return self._inner.content(relation) if self._rule(relation) is None else None

    def count(self, relation: str) -> int:
        """Count the rows."""
        return self._inner.count(relation)

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield rows with what is said of their documents; a batch is yielded when its documents are kept."""
        rule = self._rule(partition.relation)
        if rule is None:
            return self._inner.extract(partition)
        self.relation(partition.relation)
        if rule.blob:
            return self._few_at_once(rule, partition)
        return (replace(each, frame=self._with(rule, each.frame)) for each in self._inner.extract(partition))

    def _few_at_once(self, rule: DocumentRule, partition: Partition) -> Iterator[Extract]:
        """Yield batches of rows that hold documents, of which only a few have their bytes in memory."""
        waiting: list[Extract] = []
        few = replace(partition, batch_rows=min(partition.batch_rows, _BLOB_ROWS))
        for extract in self._inner.extract(few):
            waiting.append(replace(extract, frame=self._with(rule, extract.frame)))
            if sum(each.rows for each in waiting) >= partition.batch_rows:
                yield _joined(waiting)
                waiting = []
        if waiting:
            yield _joined(waiting)

    def columns(self, relation: str, names: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Yield the named columns; documents are read only where one of `COLUMNS` is asked for."""
        rule = self._rule(relation)
        if rule is None or not set(names) & set(COLUMNS):
            yield from self._inner.columns(relation, names, batch_rows)
            return
        own = [name for name in names if name not in COLUMNS]
        read = own if any(name.casefold() == rule.column.casefold() for name in own) else [*own, rule.column]
        rows = min(batch_rows, _BLOB_ROWS) if rule.blob else batch_rows
        for frame in self._inner.columns(relation, read, rows):
            spelled = {name.casefold(): name for name in (*frame.columns, *COLUMNS)}
            yield self._with(rule, frame).select(list(dict.fromkeys(spelled[name.casefold()] for name in names)))

    def fetch(self, relation: str, refs: pl.Series) -> pl.DataFrame:
        """Read rows and their documents again."""
        rule = self._rule(relation)
        if rule is None:
            return self._inner.fetch(relation, refs)
        few = _BLOB_ROWS if rule.blob else max(refs.len(), 1)
        parts = [refs.slice(start, few) for start in range(0, max(refs.len(), 1), few)]
        return pl.concat([self._with(rule, self._inner.fetch(relation, part)) for part in parts])

    def close(self) -> None:
        """Close the system."""
        self._inner.close()

    def offer(self, query: Query) -> None:
        """Offer a query of the workspace; it has no documents."""
        if not isinstance(self._inner, RunsQueries):
            raise SystemFailure(
                "CON-025", "the system runs no queries", hint="Name a relation.", place=query.name
            )
        self._inner.offer(query)

    def files(self, relation: str) -> tuple[DeliveredFile, ...]:
        """Return the files of the relation itself, none where it is no file."""
        return self._inner.files(relation) if isinstance(self._inner, TellsFiles) else ()

    def oddities(self, relation: str) -> tuple[RefusedError, ...]:
        """Return what the relation holds beside values."""
        return self._inner.oddities(relation) if isinstance(self._inner, TellsOddities) else ()

    def _rule(self, relation: str) -> DocumentRule | None:
        return self._rules.get(relation.casefold())

    def _check_column(self, relation: Relation, rule: DocumentRule) -> None:
        if rule.column.casefold() not in {column.name.casefold() for column in relation.columns}:
            raise SystemFailure(
                "CON-021",
                f"the relation {relation.name} has no column {rule.column}",
                hint="Correct the setting documents of the system.",
                place=f"{self.system}.{relation.name}",
            )

    def _with(self, rule: DocumentRule, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with `COLUMNS`, the bytes left out; each document is read once for all rows that name it."""
        column = next(name for name in frame.columns if name.casefold() == rule.column.casefold())
        texts = frame[column].unique(maintain_order=True).drop_nulls().to_list()
        place = None if rule.blob else self._place(rule)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = list(threads.map(lambda text: self._document(rule, place, text), texts))
        if self._store is not None:
            self._store.settle()
        said = pl.DataFrame(found, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
        said = said.with_columns(pl.Series("_doc_of", texts, dtype=pl.String))
        joined = frame.join(said, left_on=column, right_on="_doc_of", how="left", maintain_order="left")
        joined = joined.with_columns(pl.col("_doc_state").fill_null("none"))
        return joined.drop(column) if rule.blob else joined

    def _place(self, rule: DocumentRule) -> DocumentPlace:
        if rule.folder not in self._places:
            self._places[rule.folder] = open_place(self._config, rule.folder)
        return self._places[rule.folder]

    def _document(self, rule: DocumentRule, place: DocumentPlace | None, text: str) -> Document:
        if not text:
            return Document("none" if not rule.blob else "empty", None if not rule.blob else "0")
        try:
            if place is None:
                return self._described(io.BytesIO(_bytes(text)))
            parts = path_parts(text, rule.below)
            with place.open(parts) as file:
                return self._described(file)
        except Unreached as why:
            return Document(why.state)

    def _described(self, file: BinaryIO) -> Document:
        head = file.read(_SMALL)
        if not head:
            return Document("empty", "0")
        if len(head) < _SMALL:
            digest, size = hashlib.sha256(head).hexdigest(), len(head)
            if self._store is not None:
                self._store.keep(digest, size, io.BytesIO(head))
        else:
            file.seek(0)
            digest, size = digest_of(file)
            if self._store is not None and not self._store.has(digest, size):
                file.seek(0)
                self._store.keep(digest, size, file)
        return Document("found", str(size), digest, media_type(head), reference(digest))


class DocumentedDatabase(Documented):
    """The same of a database that tells the rights of its role."""

    def rights(self) -> Rights:
        """Return the rights of the role that reads."""
        found: Rights = self._inner.rights()  # type: ignore[attr-defined]
        return found


def path_parts(text: str, below: str) -> list[str]:
    """Return the parts of a path below the folder of the documents.

    Raises:
        Unreached: it leads out of it.
    """
    path, start = text.strip().replace("\\", "/"), below.replace("\\", "/")
    if not path.casefold().startswith(start.casefold()):
        raise Unreached(OUTSIDE)
    path = path[len(start) :].removeprefix("/") if start else path
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or path.startswith("/") or re.match("[A-Za-z]:", path):
        raise Unreached(OUTSIDE)
    if not parts or "\0" in path:
        raise Unreached(UNREADABLE)
    return parts


def media_type(head: bytes) -> str:
    """Return the media type of a document, as its first bytes say."""
    kind = filetype.guess(head[:_HEAD])
    if kind is not None:
        return str(kind.mime)
    start = head[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    if start.startswith(b"<?xml"):
        return "application/xml"
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return "application/octet-stream" if b"\0" in head[:_HEAD] else "text/plain"


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        # SQLite keeps texts in columns of bytes, too.
        return text.encode()


def _joined(parts: list[Extract]) -> Extract:
    unreadable = [each.unreadable for each in parts if each.unreadable is not None]
    return Extract(
        pl.concat([each.frame for each in parts]), parts[-1].position, pl.concat(unreadable) if unreadable else None
    )
