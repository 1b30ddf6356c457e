"""The independent count of a JSON file's records: by how deep its brackets lie, found by column operations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from connectors.sources.files.bytes import Bytes, blocks

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_KEY = re.compile(rb"\"([^\"]*)\"\s*:\s*\Z")
_MARKS = pl.Series(list(b"{}[],"), dtype=pl.UInt8).implode()
_OPEN = pl.Series(list(b"{["), dtype=pl.UInt8).implode()
_CLOSE = pl.Series(list(b"}]"), dtype=pl.UInt8).implode()


@dataclass(slots=True)
class Counter:
    """Counts the items of the list at a path.

    Args:
        source: the file.
        path: keys down to the list.
    """

    source: Bytes
    path: tuple[str, ...]
    records: int = 0
    _depth: int = 0
    _quoted: bool = False
    _names: list[bytes | None] = field(default_factory=list)
    _tail: bytes = b""

    def count(self) -> int:
        """Return how many there are, if the file is a JSON document; else any number."""
        for data in self._blocks():
            self._count(data)
        return self.records

    def _blocks(self) -> Iterator[bytes]:
        """Yield the bytes with what is escaped blotted out."""
        rest = b""
        for block in blocks(self.source):
            data = rest + block
            # A backslash at the end belongs to what follows; after an even number of them it does not.
            odd = (len(data) - len(data.rstrip(b"\\"))) % 2
            rest = data[len(data) - odd :]
            yield _ESCAPED.sub(b"__", data[: len(data) - odd]) if b"\\" in data else data[: len(data) - odd]

    def _count(self, data: bytes) -> None:
        found = pl.from_arrow(pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)]))
        assert isinstance(found, pl.Series)
        quotes = (found == ord('"')).arg_true().cast(pl.Int64)
        marks = found.is_in(_MARKS).arg_true().cast(pl.Int64)
        inside = (quotes.search_sorted(marks, side="left").cast(pl.Int64) + int(self._quoted)) % 2 == 1
        marks = marks.filter(~inside)
        kind = found.gather(marks)
        change = kind.is_in(_OPEN).cast(pl.Int64) - kind.is_in(_CLOSE).cast(pl.Int64)
        depth = change.cum_sum() + self._depth
        table = pl.DataFrame({"at": marks, "kind": kind, "change": change, "depth": depth})
        # What opens lies inside its own bracket, a comma inside the one around it.
        level = pl.col("depth") - (pl.col("change") == 1)
        for at, kind_of, change_of, at_level in table.filter(level <= len(self.path) + 1).iter_rows():
            self._see(data, at, kind_of, change_of, at_level)
        self._depth = int(depth[-1]) if depth.len() else self._depth
        self._quoted ^= bool(quotes.len() % 2)
        self._tail = (self._tail + data)[-4_000:]

    def _see(self, data: bytes, at: int, kind: int, change: int, depth: int) -> None:
        if change == 1:
            before = data[max(at - 400, 0) : at] if at >= 400 else self._tail[-400:] + data[:at]
            key = _KEY.search(before)
            del self._names[depth - 1 :]
            self._names.append(key[1] if key else None)
            if kind == ord("[") and self._here(depth):
                # As many items as commas, and one more unless the list is empty.
                self.records += 1
        elif change == -1:
            if kind == ord("]") and self._here(depth + 1):
                before = (self._tail + data[:at]) if at < 4_000 else data[at - 4_000 : at]
                self.records -= before.rstrip().endswith(b"[")
            del self._names[depth:]
        elif self._here(depth):
            self.records += 1

    def _here(self, depth: int) -> bool:
        wanted = [None, *(key.encode() for key in self.path)]
        return depth == len(wanted) and self._names[:depth] == wanted
