"""A system whose relations carry documents: columns of ours say what each document is, and a run keeps its content."""

from __future__ import annotations

import hashlib
import io
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import BinaryIO, NamedTuple

import filetype
import polars as pl

from casemodel import (
    DeliveredFile,
    Extract,
    FingerprintsAhead,
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
    TellsUnread,
)
from connectors.config import SystemConfig, refuse
from connectors.document_places import OUTSIDE, UNREADABLE, DocumentPlace, Unreached, open_place
from connectors.document_rules import DocumentRule
from connectors.document_store import DocumentStore, digest_of, reference
from connectors.shared_store import SharedStore, open_store

_AT_ONCE = 4
_BLOB_ROWS = 50
"""So many rows with their bytes are in memory."""
_HEAD = 8192
_VIRUS_TEST = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""Harmless bytes that every virus scanner takes for a virus, in two parts, or it would take this file for one
(https://www.eicar.org/download-anti-malware-testfile/)."""
_SMALL = 1 << 16
"""Bytes of a document that is read once; a larger one is read for its digest, and again if it is to be kept."""


class Document(NamedTuple):
    """The values of `FACTS`."""

    state: str
    size: str | None = None
    digest: str | None = None
    media_type: str | None = None
    reference: str | None = None


class Documented:
    """A source whose relations tell `FACTS` of documents; what each method promises is in `casemodel.Source`.

    Whoever reads it reads every document, so that a comparison is one of contents; copies are made only after
    `keep_documents`.
    """

    def __init__(self, inner: Source, config: SystemConfig, rules: Mapping[str, tuple[DocumentRule, ...]]) -> None:
        self.system, self.kind, self.keyed = inner.system, inner.kind, inner.keyed
        self._inner = inner
        self._config = config
        self._rules = rules
        self._checked = False
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
        self._check_names()
        rules = self._of(found.name)
        for rule in rules:
            self._check_column(found, rule)
            if not rule.blob:
                # A share that is not there is an error of the run, not of a hundred thousand rows.
                self._place(rule)
        own = [column for column in found.columns if not _holds_bytes(rules, column.name)]
        added = [SourceColumn(name, technical=True, personal=False) for rule in rules for name in rule.columns]
        return replace(found, columns=(*own, *added))

    def fingerprint(self, relation: str) -> str:
        """Return the fingerprint of the rows; what became of the documents is compared by their digests."""
        return self._inner.fingerprint(relation)

    def begin_fingerprint(self) -> None:
        """Begin to take the fingerprint of the rows, where the source can do so beside other work."""
        if isinstance(self._inner, FingerprintsAhead):
            self._inner.begin_fingerprint()

    def content(self, relation: str) -> str | None:
        """Return the same of a relation without documents; None of one with them: they may change by themselves."""
        return self._inner.content(relation) if not self._of(relation) else None

    def count(self, relation: str) -> int:
        """Count the rows."""
        return self._inner.count(relation)

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield rows with what is said of their documents; a batch is yielded when its documents are kept."""
        rules = self._of(partition.relation)
        if not rules:
            return self._inner.extract(partition)
        self.relation(partition.relation)
        if any(rule.blob for rule in rules):
            return self._few_at_once(rules, partition)
        return (replace(each, frame=self._with(rules, each.frame)) for each in self._inner.extract(partition))

    def _few_at_once(self, rules: Sequence[DocumentRule], partition: Partition) -> Iterator[Extract]:
        """Yield batches of rows that hold documents, of which only a few have their bytes in memory."""
        waiting: list[Extract] = []
        few = replace(partition, batch_rows=min(partition.batch_rows, _BLOB_ROWS))
        for extract in self._inner.extract(few):
            waiting.append(replace(extract, frame=self._with(rules, extract.frame)))
            if sum(each.rows for each in waiting) >= partition.batch_rows:
                yield _joined(waiting)
                waiting = []
        if waiting:
            yield _joined(waiting)

    def columns(self, relation: str, names: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Yield the named columns; documents are read only where a column that tells of them is asked for."""
        rules = [rule for rule in self._of(relation) if set(names) & set(rule.columns)]
        if not rules:
            yield from self._inner.columns(relation, names, batch_rows)
            return
        told = [name for rule in rules for name in rule.columns]
        own = [name for name in names if name not in told]
        for rule in rules:
            if not any(rule.reads(name) for name in own):
                own.append(rule.column)
        rows = min(batch_rows, _BLOB_ROWS) if any(rule.blob for rule in rules) else batch_rows
        for frame in self._inner.columns(relation, own, rows):
            spelled = {name.casefold(): name for name in (*frame.columns, *told)}
            yield self._with(rules, frame).select(list(dict.fromkeys(spelled[name.casefold()] for name in names)))

    def fetch(self, relation: str, refs: pl.Series) -> pl.DataFrame:
        """Read rows and their documents again."""
        rules = self._of(relation)
        if not rules:
            return self._inner.fetch(relation, refs)
        few = _BLOB_ROWS if any(rule.blob for rule in rules) else max(refs.len(), 1)
        parts = [refs.slice(start, few) for start in range(0, max(refs.len(), 1), few)]
        return pl.concat([self._with(rules, self._inner.fetch(relation, part)) for part in parts])

    def close(self) -> None:
        """Close the system."""
        self._inner.close()

    def offer(self, query: Query) -> None:
        """Offer a query of the workspace, whose rows may carry documents as those of a relation."""
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

    def unread(self, relation: str) -> Mapping[str, int]:
        """Return what of the records no relation reads."""
        return self._inner.unread(relation) if isinstance(self._inner, TellsUnread) else {}

    def _of(self, relation: str) -> tuple[DocumentRule, ...]:
        return self._rules.get(relation.casefold(), ())

    def _check_names(self) -> None:
        """Refuse rules for a relation that is not there: its documents would stay behind without a word.

        A query is offered by the mapping that reads it, so that nobody knows beforehand which there are.
        """
        for name in () if self._checked else self._rules:
            if name.startswith("queries/"):
                continue
            try:
                self._inner.relation(name)
            except SystemFailure as failure:
                if failure.code != "CON-020":
                    continue
                raise refuse(
                    self._config,
                    f"the setting documents names {name}, which is no relation of the system",
                    failure.hint,
                ) from None
        self._checked = True

    def _check_column(self, relation: Relation, rule: DocumentRule) -> None:
        if rule.column.casefold() not in {column.name.casefold() for column in relation.columns}:
            raise SystemFailure(
                "CON-021",
                f"the relation {relation.name} has no column {rule.column}",
                hint="Correct the setting documents of the system.",
                place=f"{self.system}.{relation.name}",
            )

    def _with(self, rules: Sequence[DocumentRule], frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with what is said of the documents, the bytes left out."""
        told = [self._told(rule, frame[next(name for name in frame.columns if rule.reads(name))]) for rule in rules]
        if self._store is not None:
            self._store.settle()
        own = frame.select(name for name in frame.columns if not _holds_bytes(rules, name))
        return pl.concat([own, *told], how="horizontal")

    def _told(self, rule: DocumentRule, column: pl.Series) -> pl.DataFrame:
        """Return what is said of each row's document; one is read once for all rows that name it."""
        texts = column.unique(maintain_order=True).drop_nulls().to_list()
        place = None if rule.blob else self._place(rule)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = list(threads.map(lambda text: self._document(rule, place, text), texts))
        said = pl.DataFrame(found, schema=dict.fromkeys(rule.columns, pl.String), orient="row")
        said = said.with_columns(pl.Series("_doc_of", texts, dtype=pl.String))
        joined = column.alias("_doc_of").to_frame().join(said, on="_doc_of", how="left", maintain_order="left")
        return joined.select(pl.col(rule.columns[0]).fill_null("none"), *rule.columns[1:])

    def _place(self, rule: DocumentRule) -> DocumentPlace:
        if rule.folder not in self._places:
            self._places[rule.folder] = open_place(self._config, rule.folder)
        return self._places[rule.folder]

    def _document(self, rule: DocumentRule, place: DocumentPlace | None, text: str) -> Document:
        if not text:
            return Document("none" if not rule.blob else "empty", None if not rule.blob else "0")
        try:
            if place is None:
                return self._described(io.BytesIO(_bytes(text, base64=rule.base64)))
            parts = path_parts(text, rule.below)
            with place.open(parts) as file:
                return self._described(file)
        except Unreached as why:
            return Document(why.state)

    def _described(self, file: BinaryIO) -> Document:
        head = file.read(_SMALL)
        if not head:
            return Document("empty", "0")
        if _VIRUS_TEST in head:
            file.seek(0)
            digest, size = digest_of(file)
            return Document("suspect", str(size), digest, media_type(head))
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
    if start:
        path, inside = path[len(start) :], path.casefold().startswith(start.casefold())
        # \\SRV\DOCS2 begins with \\SRV\DOCS, and does not lie in it.
        if not inside or not (start.endswith("/") or path[:1] in ("", "/")):
            raise Unreached(OUTSIDE)
        path = path.removeprefix("/")
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


def _holds_bytes(rules: Sequence[DocumentRule], column: str) -> bool:
    return any(rule.blob and rule.reads(column) for rule in rules)


def _bytes(text: str, *, base64: bool) -> bytes:
    if base64:
        try:
            return b64decode("".join(text.split()), validate=True)
        except ValueError:
            raise Unreached(UNREADABLE) from None
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
