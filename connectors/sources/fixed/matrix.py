"""Records of one length as a matrix of bytes, of which every field is some columns.

A column becomes texts without copying what is longer than a few bytes: each is a view of 16 bytes, which holds its
length and either the text itself or where it lies
(https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from connectors.sources.fixed.layout import FixedField

Array = np.ndarray[Any, Any]
_BLANK = 32
_INSIDE = 12
"""Bytes of a text that its view holds itself."""
_VIEW = {"size": 0, "text": 4, "buffer": 8, "at": 12}
"""Where the parts of a view begin; ``text`` is all of a short text, or the beginning of one that lies elsewhere."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Records that lie ``stride`` bytes from each other; ``high`` is where the bytes are that are not ASCII."""

    data: bytes
    rows: int
    stride: int
    encoding: str
    high: Array

    def codes(self, field: FixedField, listed: tuple[str, ...], other: str) -> pl.Series:
        """Return which of some texts a field holds in each record, blanks behind it left out, or `other`."""
        cells = np.ndarray(self.rows, f"S{field.length}", self.data, field.start - 1, (self.stride,))
        found = np.zeros(self.rows, np.uint32)
        for number, text in enumerate(listed, 1):
            wanted = text.ljust(field.length).encode(self.encoding, "replace")
            same = cells == np.bytes_(wanted)
            if same.all():
                return pl.repeat(text, self.rows, eager=True)
            found[same] = number
        return pl.Series([other, *listed]).gather(pl.Series(found))

    def column(self, field: FixedField, rows: pl.Series | None) -> pl.Series:
        """Return a field of some records, or of all; a text without the blanks behind it, a number as it stands."""
        first = field.start - 1
        if self._is_same(field):
            value = self.data[first : field.stop].decode(self.encoding)
            same = pl.Series([value if field.sign is not None else value.rstrip(" ")], dtype=pl.String)
            return same.new_from_index(0, self.rows if rows is None else rows.len())
        starts = np.arange(first, first + self.rows * self.stride, self.stride, dtype=np.int32)
        chosen = None if rows is None else rows.to_numpy()
        starts = starts if chosen is None else starts[chosen]
        cells = np.ndarray(self.rows, f"V{field.length}", self.data, first, (self.stride,))
        cells = cells if chosen is None else cells[chosen]
        heads = np.ndarray(self.rows, f"V{min(field.length, _INSIDE)}", self.data, first, (self.stride,))
        sizes = np.asarray(field.length, np.int32) if field.sign is not None else _sizes(cells)
        views = _views(heads if chosen is None else heads[chosen], starts, sizes, 1)
        buffers = [None, pa.py_buffer(views), pa.py_buffer(self.data)]
        rich = self._rich(field, chosen)
        if rich.size:
            text, views[rich] = _decoded(cells[rich], sizes if sizes.ndim == 0 else sizes[rich], self.encoding)
            buffers.append(pa.py_buffer(text))
        found = pl.from_arrow(pa.Array.from_buffers(pa.string_view(), len(views), buffers))
        assert isinstance(found, pl.Series)
        return found

    def _is_same(self, field: FixedField) -> bool:
        """Tell whether a field holds the same in all records, as a record type and a filler do; by words of bytes."""
        at, stop = field.start - 1, field.stop
        for size in (8, 4, 2, 1):
            while stop - at >= size:
                words = np.ndarray(self.rows, f"u{size}", self.data, at, (self.stride,))
                if (words != words[0]).any():
                    return False
                at += size
        return True

    def _rich(self, field: FixedField, chosen: Array | None) -> Array:
        """Return which of the chosen records have a byte in a field that is not ASCII."""
        place = self.high % self.stride
        inside = self.high[(place >= field.start - 1) & (place < field.stop)] // self.stride
        if chosen is None or not inside.size:
            return np.unique(inside)
        return np.flatnonzero(np.isin(chosen, inside))


def matrix_of(data: bytes, rows: int, stride: int, encoding: str) -> Matrix | None:
    """Return the records as a matrix; None where a byte is not a character, or may be none at all."""
    content = np.frombuffer(data, np.uint8)
    high = np.empty(0, np.int64) if data.isascii() else np.flatnonzero(content >= 0x80)
    if b"\0" in data or (high.size and not _defined(encoding)[content[high]].all()):
        return None
    return Matrix(data, rows, stride, encoding, high)


def even_lines(data: bytes) -> tuple[int, int, int] | None:
    """Return of a buffer in which all lines have one length how many they are, their length with and without its end.

    Every line end is counted and looked for in its place, so that no other one can be among them.
    """
    length = data.find(b"\n") + 1
    rows = len(data) // length if length > 2 else 0
    if not rows:
        return None
    content = np.frombuffer(data, np.uint8)
    lines = content[: rows * length].reshape(rows, length)
    if not (lines[:, -1] == 10).all() or np.count_nonzero(content == 10) != rows:
        return None
    returns = np.count_nonzero(content == 13)
    if returns and (returns != rows or not (lines[:, -2] == 13).all()):
        return None
    return rows, length, length - (2 if returns else 1)


@cache
def _defined(encoding: str) -> Array:
    """Tell of each byte whether it is a character by itself; of UTF-8 the bytes that are not ASCII are none."""
    return np.array([len(bytes([byte]).decode(encoding, "ignore")) == 1 for byte in range(256)])


@cache
def _kept() -> Array:
    """Return, for a text of 0 to 12 bytes, which bits of its view are its own: the others must be zero."""
    ones = [b"\xff" * (4 + size) + b"\0" * (_INSIDE - size) for size in range(_INSIDE + 1)]
    return np.frombuffer(b"".join(ones), np.uint64).reshape(-1, 2)


def _sizes(cells: Array) -> Array:
    """Return how long texts are without the blanks behind them: one number for all that have none."""
    width = cells.dtype.itemsize
    last = np.dtype({"names": ["last"], "formats": [np.uint8], "offsets": [width - 1], "itemsize": width})
    if not (cells.view(last)["last"] == _BLANK).any():
        return np.asarray(width, np.int32)
    # What stands behind the last byte that is not zero is no part of a text for numpy.
    content = np.ascontiguousarray(cells).view(np.uint8)
    content = content * (content != _BLANK)
    return np.strings.str_len(content.view(f"S{width}")).astype(np.int32)


def _views(heads: Array, starts: Array, sizes: Array, buffer: int) -> Array:
    """Return the views of texts that start somewhere in a buffer; ``heads`` are their first bytes, up to 12."""
    width = heads.dtype.itemsize
    formats = ["<i4", f"V{width}", "<i4", "<i4"]
    form = np.dtype({"names": list(_VIEW), "formats": formats, "offsets": list(_VIEW.values()), "itemsize": 16})
    views = np.zeros(len(heads), form)
    views["size"], views["text"] = sizes, heads
    if (sizes < width).any():
        words = views.view(np.uint64).reshape(-1, 2)
        words &= np.take(_kept(), np.minimum(sizes, _INSIDE), axis=0)
    long = sizes > _INSIDE
    if long.all():
        views["buffer"], views["at"] = buffer - 1, starts
    elif long.any():
        np.copyto(views["buffer"], buffer - 1, where=long)
        np.copyto(views["at"], starts, where=long)
    # Views of both kinds stand beside each other, whatever the widths of what they were made of.
    return views.view("V16")


def _decoded(cells: Array, sizes: Array, encoding: str) -> tuple[bytes, Array]:
    """Return the text of cells in which bytes are not ASCII, and their views of it."""
    width = cells.dtype.itemsize
    text = cells.tobytes().decode(encoding).encode()
    content = np.frombuffer(text + bytes(_INSIDE), np.uint8)
    # Each byte of a cell was one character: where characters begin tells where each cell does.
    begins = np.append(np.flatnonzero((content[: len(text)] & 0xC0) != 0x80), len(text))
    starts = begins[:-1:width]
    stops = begins[np.arange(len(cells)) * width + sizes]
    heads = np.ndarray(len(text), f"V{_INSIDE}", content, 0, (1,))[starts]
    return text, _views(heads, starts.astype(np.int32), (stops - starts).astype(np.int32), 2)
