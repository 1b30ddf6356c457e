"""The independent count of an XML file's records: by how deep its tags lie, found by column operations on its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from connectors.sources.files.bytes import Bytes, blocks
from connectors.sources.records.refusals import beyond
from connectors.sources.records.settings import RecordRelation

_LT, _GT, _SLASH = b"<>/"
_SMALL = 60_000
_MARK = re.compile(rb"<(/)?|/>")
_NAME = re.compile(rb"<(?:([^\s<>/:]*):)?([^\s<>/]*)")
_HEAD = re.compile(rb"<(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+>")
_DECLARES = re.compile(rb"\sxmlns(?::([^\s=]++))?\s*=\s*(?:\"([^\"]*+)\"|'([^']*+)')")
_NO_TAGS = re.compile(rb"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_UNFINISHED = re.compile(rb"<!--|<!\[CDATA\[|<\?|<!?\[?[CDAT\[]*\Z|<!-?\Z")


@dataclass(slots=True)
class Counter:
    """Counts the elements at a path of a well-formed file, and others in the place of a record.

    Args:
        source: the file.
        steps: names (``{namespace}name``) of the elements down to the record.
        each: names from the record to its repeated part that is counted instead; empty: records are counted.
        skip: names that are not counted in the place of a record.
        relation: its limits.
    """

    source: Bytes
    steps: tuple[bytes, ...]
    each: tuple[bytes, ...]
    skip: frozenset[bytes]
    relation: RecordRelation
    records: int = 0
    _depth: int = 0
    _names: list[bytes] = field(default_factory=list)
    _spaces: list[dict[bytes, bytes]] = field(default_factory=list)

    def count(self) -> int | None:
        """Return how many there are; None where the file is not well-formed, so that depth means nothing."""
        for data in self._tagged():
            if not self._count(data):
                return None
        return None if self._depth else self.records

    def _tagged(self) -> Iterator[bytes]:
        """Yield the bytes in pieces that end before a tag, without comments, instructions and CDATA."""
        rest, line = b"", 1
        following = blocks(self.source)
        block = next(following, b"")
        while block:
            after = next(following, b"")
            data = rest + block
            if b"<!" in data or b"<?" in data:
                data = _NO_TAGS.sub(lambda found: b"x" if found[1] else b"", data)
            cut = len(data)
            if after:
                cut = data.rfind(b"<")
                open_at = _UNFINISHED.search(data)
                cut = max(min(cut, open_at.start()) if open_at else cut, 0)
            if cut:
                yield data[:cut]
            line += data.count(b"\n", 0, cut)
            rest, block = data[cut:], after
            if len(rest) > self.relation.limits.record:
                raise beyond(self.source.name, line, "one text or tag is larger than a record", "record")

    def _count(self, data: bytes) -> bool:
        """Count in one piece; tell whether its tags fit each other so far."""
        inside = len(self.steps) + len(self.each)
        found = _few(data, self._depth, inside) if len(data) < _SMALL else _many(data, self._depth, inside)
        if found is None:
            return False
        self._depth, shallow = found
        well = all(self._see(data, *row) for row in shallow)
        return well and (self._depth > 0 or not data[data.rfind(b">") + 1 :].strip())

    def _see(self, data: bytes, at: int, change: int, level: int) -> bool:
        records = len(self.steps)
        if level < records and data[data.rfind(b">", 0, at) + 1 : at].strip():
            return False
        if change == -1:
            return True
        name = self._name(data, at, level)
        wanted = (*self.steps, *self.each)
        fits = tuple(self._names[:level]) == wanted[:level]
        if not fits:
            return True
        if level == len(wanted) - 1 and self.each:
            self.records += name == wanted[level]
        elif level == records - 1:
            if name != wanted[level]:
                self.records += name not in self.skip
            elif not self.each:
                self.records += 1
        elif level == 0 and name != wanted[0]:
            self.records += name not in self.skip
        return True


    def _name(self, data: bytes, at: int, level: int) -> bytes:
        """Return the name of an element with its namespace, and keep it with the prefixes that hold inside."""
        del self._names[level:]
        del self._spaces[level:]
        spaces = self._spaces[-1] if self._spaces else {}
        behind = data.find(b"<", at + 1)
        if data.find(b"xmlns", at, behind if behind >= 0 else len(data)) >= 0:
            head = _HEAD.match(data, at)
            declared = _DECLARES.finditer(head[0] if head else b"")
            spaces = spaces | {each[1] or b"": each[2] or each[3] for each in declared}
        found = _NAME.match(data, at)
        prefix, local = (found[1] or b"", found[2]) if found else (b"", b"")
        space = spaces.get(prefix, b"?" + prefix if prefix else b"")
        name = b"{%b}%b" % (space, local) if space else local
        self._names.append(name)
        self._spaces.append(spaces)
        return name


_Shallow = tuple[int, list[tuple[int, int, int]]]
"""The depth at the end of a piece, and of its tags that lie less deep than asked: where, change of depth, level."""


def _few(data: bytes, depth: int, inside: int) -> _Shallow | None:
    """Find the tags of a small piece, for which column operations take longer than a loop; None: they do not fit."""
    shallow = []
    for mark in _MARK.finditer(data):
        change = 1 if mark.lastindex is None and data[mark.start()] == _LT else -1
        level = depth - (change == -1)
        depth += change
        if depth < 0:
            return None
        if level < inside and data[mark.start()] == _LT:
            shallow.append((mark.start(), change, level))
    return depth, shallow


def _many(data: bytes, depth: int, inside: int) -> _Shallow | None:
    """Do the same by column operations on the bytes."""
    array = pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])
    byte = pl.from_arrow(array)
    assert isinstance(byte, pl.Series)
    at = ((byte == _LT) | ((byte == _GT) & (byte.shift(1) == _SLASH).fill_null(False))).arg_true()
    if at.is_empty():
        return depth, []
    begins = byte.gather(at) == _LT
    opens = begins & (byte.gather((at + 1).clip(None, len(data) - 1)) != _SLASH)
    change = opens.cast(pl.Int64) * 2 - 1
    before = change.cum_sum() - change + depth
    end = int(before[-1]) + int(change[-1])
    if end < 0 or (before < 0).any():
        return None
    # A tag that closes an element lies one level deeper than the one that opens it.
    tags = pl.DataFrame({"at": at, "change": change, "level": before - (change == -1).cast(pl.Int64), "begins": begins})
    return end, tags.filter((pl.col("level") < inside) & pl.col("begins")).select("at", "change", "level").rows()
