"""StUF messages in files as one row per entity: gathered from all files, sorted and folded on disk."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from casemodel import Extract
from connectors.scratch import Scratch, writing
from connectors.sources.files.bytes import Bytes, check_unchanged
from connectors.sources.files.refusals import empty, miscounted
from connectors.sources.files.relation import RECORD, UNREADABLE, Piece, Surveyed
from connectors.sources.records.pieces import Unreadable
from connectors.sources.stuf.fold import LEAD, TOLD, fold
from connectors.sources.stuf.messages import KEY, REFERENCE, SORT, STUF, TIME, WAS, Row, Wanted, rows_of
from connectors.sources.xml.files import XmlFiles, elements, survey
from connectors.sources.xml.paths import Tree
from connectors.store import Store

_ROWS = 8_000
_BYTES = 8_000_000
_EXTRA = f"{STUF}extraElement"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,40}")
_BAD = ("\x01place", "\x01code", "\x01raw")


@dataclass(slots=True)
class _Written:
    """Rows on disk in the order of files, and which of them are a file's."""

    parts: list[tuple[Path, int]] = field(default_factory=list)
    files: dict[int, tuple[int, int]] = field(default_factory=dict)
    rows: int = 0


class FoldedFiles:
    """The files of a relation with ``fold: stuf``: see `files.relation.RelationFiles`.

    A row stands where the last message about its entity stands; the others are folded into it, and counted as that.

    Args:
        messages: the files, whose records are messages.
        scratch: where what is sorted goes.
    """

    def __init__(self, messages: XmlFiles, scratch: Scratch) -> None:
        self._messages = messages
        self._scratch = scratch
        shape = messages.shape
        names = [column for column, _ in shape.relation.fields]
        self._fields = tuple(names)
        folded = [name.casefold() for name in names]
        key = tuple(folded.index(name.casefold()) for name in shape.relation.key)
        self._wanted = Wanted(len(names), key, shape.each, shape.trees, shape.numbers)
        self._written = _Written()
        self._extra: Counter[str] = Counter()
        self._last: tuple[Path | None, pl.DataFrame] = (None, pl.DataFrame())

    @property
    def columns(self) -> tuple[str, ...]:
        """The relation's columns, and those that tell how a row came about."""
        return (*self._fields, *TOLD)

    @property
    def sources(self) -> tuple[Bytes, ...]:
        """Its files, sorted by name."""
        return self._messages.sources

    def survey(self) -> tuple[Surveyed, ...]:
        """Count the messages of every file, fold them, and return which files hold how many rows.

        Raises:
            SystemFailure: as `XmlFiles.survey`; CON-023 no room for what is sorted.
            BugError: BUG-020 not every message is folded, or said to be unreadable.
        """
        shape = self._messages.shape
        counted = [survey(source, shape.whole) for source in self.sources]
        if not any(file.records for file in counted) and not shape.relation.allow_empty:
            raise empty(self.sources[0].name)
        folder = self._scratch.folder / f"stuf{len(list(self._scratch.folder.glob('stuf*')))}"
        with writing():
            folder.mkdir(mode=0o700)
        gathered = _Gathered(folder, self._fields, self._wanted)
        store = Store(folder / "messages", gathered.read(self._messages), [TIME], [KEY], "")
        for source, file, found in zip(self.sources, counted, gathered.messages, strict=True):
            if file.records != found:
                raise miscounted(source.name, file.records, found)
        told = [0]
        by_file = Store(folder / "rows", _told(store, self._fields, gathered.unreadable, told), [LEAD], [], "")
        if told[0] != gathered.rows:
            raise miscounted(shape.relation.place, gathered.rows, told[0])
        self._written = _write(folder, by_file)
        self._extra = gathered.extra
        heights = [self._written.files.get(number, (0, 0))[1] for number in range(1, len(self.sources) + 1)]
        return tuple(
            replace(file, records=height, notes=(*file.notes, *_note(file.records)))
            for file, height in zip(counted, heights, strict=True)
        )

    def oddities(self) -> tuple[str, ...]:
        """Return the extra elements of a vendor that no field reads: otherwise nobody would see that they are there."""
        return tuple(
            f"{count:,} extra elements named {name if _PLAIN.fullmatch(name) else '(not shown)'}, which no field reads"
            for name, count in sorted(self._extra.items())
        )

    def pieces(self, number: int, records: int, wanted: Set[int] | None) -> Iterator[Piece]:
        """Yield the rows whose last message stands in a file, and what could not be read of it."""
        check_unchanged(self.sources[number - 1])
        start, height = self._written.files.get(number, (0, 0))
        if height != records:
            raise miscounted(self.sources[number - 1].name, records, height)
        done = before = 0
        for path, rows in self._written.parts:
            if before + rows > start and before < start + height:
                first = max(start - before, 0)
                frame = self._part(path).slice(first, min(start + height - before, rows) - first)
                yield _piece(frame, self.columns, done)
                done += frame.height
            before += rows

    def _part(self, path: Path) -> pl.DataFrame:
        """Return a part of what was written; the last one is kept, since many files lie in one part."""
        if self._last[0] != path:
            self._last = (path, _read(path))
        return self._last[1]


def _chosen(tree: Tree) -> Iterator[str]:
    """Yield the values by which parts are chosen among others of their name."""
    for parts in tree.chosen.values():
        for _, value, part in parts:
            yield value
            yield from _chosen(part)
    for part in (*tree.parts.values(), *tree.firsts.values()):
        yield from _chosen(part)


def _note(messages: int) -> tuple[tuple[str, int], ...]:
    return (("messages folded", messages),) if messages else ()


class _Gathered:
    """The rows of all messages on their way to be sorted, and what of them cannot be read.

    Args:
        folder: for what cannot be read.
        fields: columns of the relation.
        wanted: what is taken of a message.
    """

    def __init__(self, folder: Path, fields: tuple[str, ...], wanted: Wanted) -> None:
        self.messages: list[int] = []
        self.unreadable: list[Path] = []
        self.extra: Counter[str] = Counter()
        """Names of extra elements that no field reads."""
        self._read = set() if wanted.each else {name for tree in wanted.trees.values() for name in _chosen(tree)}
        self._folder = folder
        self._wanted = wanted
        self._names = [KEY, TIME, SORT, REFERENCE, *fields, *(WAS + name for name in fields), LEAD]
        self._rows: list[Row] = []
        self._bad: list[tuple[str, str, str, str]] = []
        self.rows = 0
        self._bytes = 0

    def read(self, files: XmlFiles) -> Iterator[Extract]:
        """Yield the rows of the messages of all files."""
        for number, source in enumerate(files.sources, 1):
            self.messages.append(0)
            for each, element in elements(source, files.shape):
                self.messages[-1] += 1
                lead = f"{number:07}:{self.messages[-1]:010}"
                found = element if isinstance(element, Unreadable) else rows_of(element, self._wanted)
                if not isinstance(element, Unreadable) and not self._wanted.each:
                    names = (extra.get("naam", "") for extra in element.iter(_EXTRA))
                    self.extra.update(name for name in names if name not in self._read)
                if isinstance(found, Unreadable):
                    place = f"{source.name}:{each.line} ({found.why})"
                    raw = each.data.decode(source.text_encoding, "backslashreplace")
                    self._bad.append((lead, place, found.code, raw))
                else:
                    self._rows.extend([*row, lead] for row in found)
                self._bytes += len(each.data)
                if len(self._rows) >= _ROWS or self._bytes >= _BYTES:
                    yield self._extract()
            check_unchanged(source)
        yield self._extract()

    def _extract(self) -> Extract:
        if self._bad:
            path = self._folder / f"bad{len(self.unreadable):06}.arrow"
            names = (LEAD, *_BAD)
            pl.DataFrame(self._bad, dict.fromkeys(names, pl.String), orient="row").write_ipc(path, compression="lz4")
            self.unreadable.append(path)
        columns = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(self._names)
        self.rows += len(self._rows)
        frame = pl.DataFrame([*map(list, columns)], dict.fromkeys(self._names, pl.String))
        self._rows, self._bad, self._bytes = [], [], 0
        return Extract(frame, "")


def _told(store: Store, fields: tuple[str, ...], unreadable: list[Path], told: list[int]) -> Iterator[Extract]:
    """Yield folded rows, and what cannot be read as rows without values; add up the messages that are folded."""
    schema = {**dict.fromkeys((*fields, *TOLD, LEAD, *_BAD), pl.String)}
    for each in store.batches(_ROWS, None):
        frame = fold(each.frame, fields)
        told[0] += int(frame["stuf_messages"].cast(pl.Int64).sum())
        yield Extract(frame.with_columns(pl.lit(None, pl.String).alias(name) for name in _BAD), "")
    for path in unreadable:
        frame = _read(path)
        missing = (pl.lit(None, pl.String).alias(name) for name in schema if name not in frame.columns)
        yield Extract(frame.with_columns(*missing).select(list(schema)), "")


def _write(folder: Path, store: Store) -> _Written:
    """Write rows in the order of where they stand, and remember where each file's are."""
    written = _Written()
    for each in store.batches(_ROWS, None):
        path = folder / f"row{len(written.parts):06}.arrow"
        with writing():
            each.frame.write_ipc(path, compression="lz4")
        written.parts.append((path, each.frame.height))
        file = pl.col(LEAD).str.head(7).cast(pl.Int64).alias("file")
        for number, rows in each.frame.group_by(file, maintain_order=True).len().rows():
            start, before = written.files.get(number, (written.rows, 0))
            written.files[number] = (start, before + rows)
            written.rows += rows
    return written


def _piece(frame: pl.DataFrame, columns: tuple[str, ...], done: int) -> Piece:
    # Without a query each, since there may be as many pieces as files.
    numbers = pl.Series(RECORD, range(done + 1, done + 1 + frame.height), dtype=pl.Int64)
    frame = frame.hstack([numbers])
    last = done + frame.height
    if frame[_BAD[1]].null_count() == frame.height:
        return Piece(frame[[*columns, RECORD]], pl.DataFrame(schema=UNREADABLE), done + 1, last)
    readable = pl.col(_BAD[1]).is_null()
    said = (pl.col(f"\x01{name}").alias(name) for name in UNREADABLE if name != RECORD)
    bad = frame.filter(~readable).select(RECORD, *said)
    return Piece(frame.filter(readable).select(*columns, RECORD), bad, done + 1, last)


def _read(path: Path) -> pl.DataFrame:
    with path.open("rb") as file:
        return pl.read_ipc(file)
