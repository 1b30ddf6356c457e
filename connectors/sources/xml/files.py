"""The XML files of a relation: records by a path, and their repeated parts, in files of any size."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from casemodel import SystemFailure
from connectors.config import SystemConfig
from connectors.sources.files.bytes import Bytes, as_text, blocks, check_unchanged, raw_blocks
from connectors.sources.files.finding import find_contents
from connectors.sources.files.refusals import empty, miscounted
from connectors.sources.files.relation import Piece, Surveyed
from connectors.sources.records.pieces import Records, Unreadable, pieces_of
from connectors.sources.records.settings import RecordRelation
from connectors.sources.xml.count import Counter
from connectors.sources.xml.parse import Parser, well_formed
from connectors.sources.xml.paths import PLAIN, REPEATED, Tree
from connectors.sources.xml.slices import Slice, Slicer

_DECLARED = re.compile(rb"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]{0,30})[\"']")


@dataclass(frozen=True, slots=True)
class Shape:
    """A relation with its paths understood.

    ``trees`` say what to take of a row's element (0), its parent (1) and so on; ``numbers`` are the fields that want
    the row's number in its record.
    """

    relation: RecordRelation
    steps: tuple[str, ...]
    each: tuple[str, ...]
    skip: frozenset[str]
    trees: Mapping[int, Tree]
    numbers: tuple[int, ...]

    @property
    def whole(self) -> Shape:
        """The same relation with the record as its row."""
        return replace(self, each=())


@dataclass(frozen=True, slots=True)
class XmlFiles:
    """The XML files of a relation: see `files.relation.RelationFiles`."""

    shape: Shape
    sources: tuple[Bytes, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The relation's columns."""
        return self.shape.relation.columns

    def survey(self) -> tuple[Surveyed, ...]:
        """Read every file through once; raise CON-010 to CON-012, CON-018, CON-039, CON-080 to CON-082 (exit 5)."""
        found = tuple(survey(source, self.shape) for source in self.sources)
        if not any(file.records for file in found) and not self.shape.relation.allow_empty:
            raise empty(self.sources[0].name)
        return found

    def pieces(self, number: int, records: int, wanted: Set[int] | None) -> Iterator[Piece]:
        """Yield the records of a file."""
        source = self.sources[number - 1]
        return pieces_of(source, self.columns, records, wanted, partial(read, source, self.shape))


def slicer(source: Bytes, shape: Shape) -> Slicer:
    """Return what finds the records of a file."""
    return Slicer(source.name, shape.steps, shape.skip, shape.relation.limits.record)


def elements(source: Bytes, shape: Shape) -> Iterator[tuple[Slice, Any | Unreadable]]:
    """Yield the records of a file as bytes and as elements, or why there is none."""
    parser = Parser(source.name, source.text_encoding, shape.relation.limits)
    for each in slicer(source, shape).slices(blocks(source)):
        yield each, Unreadable("record-unparsable", each.wrong) if each.wrong else parser.element(each)


def read(source: Bytes, shape: Shape, found: Records) -> Iterator[None]:
    """Add the rows of a file and what cannot be read of it, record by record."""
    fields = len(shape.relation.fields)
    for each, element in elements(source, shape):
        if isinstance(element, Unreadable):
            found.bad(each.line, element, each.data, source.text_encoding)
            yield
            continue
        for number, chain in enumerate(parts(element, shape.each), 1):
            values: list[str | None] = [None] * fields
            for up, tree in shape.trees.items():
                tree.take(chain[-1 - up], values, PLAIN)
            for place in shape.numbers:
                values[place] = str(number)
            if REPEATED in values:
                found.bad(each.line, _repeated(shape, values), each.data, source.text_encoding)
            else:
                found.add(values, len(each.data) if number == 1 else 100)
            yield


def parts(element: Any, path: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Return the parts of an element at a path, each behind the elements around it."""
    found: list[tuple[Any, ...]] = [(element,)]
    for name in path:
        found = [(*chain, child) for chain in found for child in chain[-1].iterchildren(name)]
    return found


def _repeated(shape: Shape, values: list[str | None]) -> Unreadable:
    column = shape.relation.fields[values.index(REPEATED)][0]
    return Unreadable("record-unparsable", f"{column} has more than one value: name the first [1], or use each")


def survey(source: Bytes, shape: Shape) -> Surveyed:
    """Return a file's digest, and its records as counted by depth; where it is not well-formed, by their bounds."""
    digest = hashlib.sha256()
    for block in raw_blocks(source):
        digest.update(block)
    relation = shape.relation
    by_bounds = slicer(source, shape)
    bounded = sum(1 for _ in by_bounds.slices(blocks(source)))
    counter = Counter(source, _coded(shape.steps), _coded(shape.each), frozenset(_coded(shape.skip)), relation)
    records = counter.count()
    if shape.each and (records is None or not well_formed(source)):
        found = Records(source.name, relation.columns, frozenset())
        records = sum(1 for _ in read(source, shape, found))
    elif records is None or (not shape.each and records != bounded and not well_formed(source)):
        records = bounded
    check_unchanged(source)
    if not shape.each and records != bounded:
        raise miscounted(source.name, records, bounded)
    if not bounded and not by_bounds.skipped and not relation.allow_empty:
        raise empty(source.name)
    skipped = (("elements skipped", by_bounds.skipped),) if by_bounds.skipped else ()
    return Surveyed(digest.hexdigest(), records, source.encoding, skipped)


def _coded(names: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in names)


def look(config: SystemConfig, shape: Shape) -> XmlFiles:
    """Look at the files of a relation; raise what `Source.relation` may raise."""
    relation = shape.relation
    return XmlFiles(shape, tuple(_text(content, relation.encoding) for content in find_contents(config, relation)))


def _text(content: Bytes, declared: str) -> Bytes:
    """Return a file as text in the encoding that it declares itself, by its first bytes or in words."""
    head = next(raw_blocks(content), b"")
    for mark, encoding in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if head.startswith(mark) and not head.startswith(b"<\0\0"):
            return as_text(content, encoding)
    source = as_text(content, declared)
    named = _DECLARED.match(next(blocks(source), b"")[:400])
    if source.wide or source.skip or named is None:
        return source
    try:
        encoding = codecs.lookup(named[1].decode()).name
        plain = bytes(range(32, 127)).decode(encoding) == "".join(map(chr, range(32, 127)))
    except (LookupError, UnicodeError):
        plain = False
    if not plain:
        raise SystemFailure(
            "CON-038",
            "the file declares an encoding that cannot be read",
            hint="Ask for it in UTF-8.",
            place=source.name,
        )
    return replace(source, encoding="utf-8" if encoding == "ascii" else encoding)
