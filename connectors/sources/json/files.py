"""Legacy systems that deliver JSON: the items of a list, as REST interfaces give them, or one record a line."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.config import SystemConfig, refuse
from connectors.sources.files.bytes import Bytes, as_text, blocks, check_unchanged, raw_blocks
from connectors.sources.files.finding import find_contents
from connectors.sources.files.refusals import empty, miscounted
from connectors.sources.files.relation import Piece, Surveyed
from connectors.sources.files.source import FileSource
from connectors.sources.json.count import Counter
from connectors.sources.json.parse import Field, parsed, read_field, read_keys, rows, value_of
from connectors.sources.json.slices import Slice, Slicer, lines
from connectors.sources.json.unread import Read, unread
from connectors.sources.records.pieces import Records, Unreadable, pieces_of
from connectors.sources.records.settings import RecordRelation, read_relations

_ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp1252", "iso8859-1")


def open_json(config: SystemConfig) -> FileSource:
    """Open a folder of JSON files, whose relations the settings describe."""

    def by_lines(value: Any) -> bool:
        if str(value).lower() not in ("true", "false"):
            raise refuse(config, "the setting lines is neither true nor false", "Write lines: true or lines: false.")
        return str(value).lower() == "true"

    settings = read_relations(config, {}, {"lines": by_lines}, lambda text: _encoding(config, text))
    shapes = {name: _shape(config, relation) for name, relation in settings.items()}
    return JsonSource(config, shapes)


class JsonSource(FileSource):
    """JSON files as a source.

    Args:
        config: of the system.
        shapes: its relations by name, with their paths understood.
    """

    def __init__(self, config: SystemConfig, shapes: Mapping[str, Shape]) -> None:
        self._config, self._shapes = config, shapes
        settings = {name: shape.relation for name, shape in shapes.items()}
        super().__init__(config.name, "json", settings, lambda relation: _look(config, shapes[relation.name]))

    def unread(self, relation: str) -> Mapping[str, int]:
        """Return the values that no relation of the same record reads (see `casemodel.TellsUnread`)."""
        if self._query(relation) is not None:
            return {}
        shape, known = self._shapes[self._relation(relation).name], Read()
        for other in self._shapes.values():
            if (other.lines, other.record) == (shape.lines, shape.record):
                known.add(other.each, other.fields)
        return unread(_values(_look(self._config, shape)), known)


def _values(files: JsonFiles) -> Iterator[Any]:
    """Yield the records of files that are objects."""
    for source in files.sources:
        for each in slices(source, files.shape):
            value = parsed(each.data, source.text_encoding)
            if isinstance(value, dict):
                yield value
        check_unchanged(source)


@dataclass(frozen=True, slots=True)
class Shape:
    """A relation with its paths understood."""

    relation: RecordRelation
    record: tuple[str, ...]
    each: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def lines(self) -> bool:
        """Whether every line is a record."""
        return bool(self.relation.option("lines"))


def _shape(config: SystemConfig, relation: RecordRelation) -> Shape:
    if not relation.record and not relation.option("lines"):
        raise refuse(
            config, f"relation {relation.name} has no record", "Write record: / for a list, or lines: true for lines."
        )
    if relation.record and relation.option("lines"):
        raise refuse(config, f"relation {relation.name} has lines and a record", "A line is the record: leave it out.")
    each = read_keys(relation.each)
    fields = tuple(read_field(path) for _, path in relation.fields)
    for (column, path), found in zip(relation.fields, fields, strict=True):
        if found.up > len(each) or (found.number and not each):
            raise refuse(
                config,
                f"the path {path} of {column} leads out of the record",
                "Begin at the row; .. goes up to the record where the relation has each.",
            )
    return Shape(relation, read_keys(relation.record), each, fields)


def _encoding(config: SystemConfig, text: str) -> str:
    try:
        name = codecs.lookup(text).name
    except LookupError:
        name = ""
    name = "utf-8" if name == "utf-8-sig" else name
    if name not in _ENCODINGS:
        raise refuse(config, f"the encoding {text} is not one that JSON comes in", "Use utf-8 or utf-16.")
    return name


@dataclass(frozen=True, slots=True)
class JsonFiles:
    """The JSON files of a relation: see `files.relation.RelationFiles`."""

    shape: Shape
    sources: tuple[Bytes, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The relation's columns."""
        return self.shape.relation.columns

    def survey(self) -> tuple[Surveyed, ...]:
        """Read every file through once; raise CON-010 to CON-012, CON-018, CON-039, CON-081 to CON-083 (exit 5)."""
        return tuple(survey(source, self.shape) for source in self.sources)

    def pieces(self, number: int, records: int, wanted: Set[int] | None) -> Iterator[Piece]:
        """Yield the records of a file."""
        source = self.sources[number - 1]
        return pieces_of(source, self.columns, records, wanted, partial(read, source, self.shape))


def slices(source: Bytes, shape: Shape) -> Iterator[Slice]:
    """Yield the records of a file as bytes."""
    limits = shape.relation.limits
    if shape.lines:
        return lines(source.name, limits.record, blocks(source))
    found = Slicer(source.name, shape.record, limits.record, limits.depth, source.text_encoding)
    return found.slices(blocks(source))


def read(source: Bytes, shape: Shape, found: Records) -> Iterator[None]:
    """Add the rows of a file and what cannot be read of it, record by record."""
    for each in slices(source, shape):
        if not shape.each and found.leaves_out():
            continue
        value = parsed(each.data, source.text_encoding)
        if not isinstance(value, Unreadable | dict) and (shape.each or any(field.keys for field in shape.fields)):
            value = Unreadable("record-unparsable", "the record is no object")
        if isinstance(value, Unreadable):
            found.bad(each.line, value, each.data, source.text_encoding)
            yield
            continue
        for number, chain in enumerate(rows(value, shape.each), 1):
            values = [value_of(chain, field, number) for field in shape.fields]
            found.add(values, len(each.data) if number == 1 else 100)
            yield


def survey(source: Bytes, shape: Shape) -> Surveyed:
    """Return a file's digest, and its records as counted by depth or by line ends."""
    digest = hashlib.sha256()
    for block in raw_blocks(source):
        digest.update(block)
    bounded = sum(1 for _ in slices(source, shape))
    records = filled_lines(source) if shape.lines else Counter(source, shape.record).count()
    check_unchanged(source)
    if records != bounded and _all_parsed(source, shape):
        raise miscounted(source.name, records, bounded)
    # Where brackets do not fit each other, depth says nothing.
    records = bounded
    if not records and not shape.relation.allow_empty:
        raise empty(source.name)
    if shape.each:
        # Only the parser knows the parts of a record.
        found = Records(source.name, shape.relation.columns, frozenset())
        records = sum(1 for _ in read(source, shape, found))
    return Surveyed(digest.hexdigest(), records)


def _all_parsed(source: Bytes, shape: Shape) -> bool:
    return not any(isinstance(parsed(each.data, source.text_encoding), Unreadable) for each in slices(source, shape))


def filled_lines(source: Bytes) -> int:
    """Count the lines that hold anything but white space."""
    count, open_line = 0, False
    for block in blocks(source):
        for line in block.splitlines(keepends=True) if b"\r" not in block else _by_feed(block):
            if not open_line and line.strip():
                count, open_line = count + 1, True
            if line.endswith(b"\n"):
                open_line = False
    return count


def _by_feed(block: bytes) -> list[bytes]:
    return [line + b"\n" for line in block.split(b"\n")[:-1]] + [block.rpartition(b"\n")[2]]


def _look(config: SystemConfig, shape: Shape) -> JsonFiles:
    relation = shape.relation
    return JsonFiles(shape, tuple(_text(each, relation.encoding) for each in find_contents(config, relation)))


def _text(content: Bytes, declared: str) -> Bytes:
    """Return a file as text; UTF-16 without a byte order mark is known by its first bytes."""
    head = next(raw_blocks(content), b"")[:4]
    for place, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(head) == 4 and head[place] == 0 and head[1 - place] and head[2 + place] == 0 and head[3 - place]:
            return as_text(content, encoding)
    return as_text(content, declared)
