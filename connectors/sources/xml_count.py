"""The independent count of an XML file's records: by how deep its tags lie, found by column operations on its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from connectors.sources.file_bytes import Bytes, blocks
from connectors.sources.record_settings import RecordRelation
from connectors.sources.xml_refusals import beyond

_LT, _GT, _SLASH = b"<>/"
_LOCAL = re.compile(rb"</?(?:[^\s<>/:]*:)?([^\s<>/]*)")
_NO_TAGS = re.compile(rb"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_UNFINISHED = re.compile(rb"<!--|<!\[CDATA\[|<\?|<!?\[?[CDAT\[]*\Z|<!-?\Z")


@dataclass(slots=True)
class Counter:
    """Counts the elements at a path of a well-formed file, and others in the place of a record.

    Args:
        source: the file.
        steps: names (without namespace) of the elements down to the record.
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
        tags = _tags(data)
        if tags.is_empty():
            return bool(self._depth) or not data.strip()
        tags = tags.with_columns(before=pl.col("change").cum_sum() - pl.col("change") + self._depth)
        end = int(tags["before"][-1] + tags["change"][-1])
        if end < 0 or (tags["before"] < 0).any():
            return False
        inside = len(self.steps) + len(self.each)
        # A tag that closes an element lies one level deeper than the one that opens it.
        level = pl.col("before") - (pl.col("change") == -1)
        shallow = tags.select("at", "gap", "change", level=level).filter(pl.col("level") < inside)
        well = all(self._see(data, *row) for row in shallow.iter_rows())
        self._depth = end
        return well and (end > 0 or not data[int(tags["stop"][-1]) :].strip())

    def _see(self, data: bytes, at: int, gap: int, change: int, level: int) -> bool:
        records = len(self.steps)
        if level < records and gap < at and data[gap:at].strip():
            return False
        if change == -1:
            return True
        found = _LOCAL.match(data, at, at + 400)
        name = found[1] if found else b""
        del self._names[level:]
        self._names.append(name)
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


def _tags(data: bytes) -> pl.DataFrame:
    """Return where each tag begins (``at``), stops, the text before it begins (``gap``), and how it changes depth."""
    array = pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])
    byte = pl.from_arrow(array)
    assert isinstance(byte, pl.Series)
    at = (byte == _LT).arg_true().cast(pl.Int64)
    ends = (byte == _GT).arg_true().cast(pl.Int64)
    number = ends.search_sorted(at, side="left")
    stop = ends.gather(number.clip(None, max(ends.len() - 1, 0))) if ends.len() else at
    after = byte.gather((at + 1).clip(None, len(data) - 1))
    before = byte.gather((stop - 1).clip(0, None))
    change = pl.when(pl.lit(after) == _SLASH).then(-1).when(pl.lit(before) == _SLASH).then(0).otherwise(1)
    return pl.DataFrame({"at": at, "stop": stop + 1}).with_columns(
        change=change.cast(pl.Int64), gap=pl.col("stop").shift(1, fill_value=0)
    )
