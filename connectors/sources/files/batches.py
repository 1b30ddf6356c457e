"""The files of a relation as one stream of rows, in batches of an exact number of physical records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from casemodel import Extract, SystemFailure
from connectors.sources.files.refusals import miscounted
from connectors.sources.files.relation import RECORD, Delivery, Piece

_INSIDE = 12
"""Bytes of a text that its view holds itself."""


def read_pieces(delivery: Delivery, wanted: dict[int, set[int]] | None = None) -> Iterator[tuple[int, Piece]]:
    """Yield (file number from 1, records): all of them, or those pieces that hold a wanted record of a wanted file."""
    for number, (source, surveyed) in enumerate(zip(delivery.opened.sources, delivery.surveyed, strict=True), 1):
        if wanted is not None and number not in wanted:
            continue
        done = 0
        for piece in delivery.opened.pieces(number, surveyed.records, wanted[number] if wanted else None):
            rows, last = piece.frame.height + piece.unreadable.height, piece.last
            # Of what is wanted a kind may give fewer rows than a piece has.
            if wanted is None and (piece.last - piece.first + 1 != rows or piece.first != done + 1):
                raise miscounted(source.name, surveyed.records, done + rows)
            yield (
                number,
                Piece(
                    _located(piece.frame, number, source.name),
                    _located(piece.unreadable, number),
                    piece.first,
                    piece.last,
                ),
            )
            done = last
        if wanted is None and done != surveyed.records:
            raise miscounted(source.name, surveyed.records, done)


def _located(frame: pl.DataFrame, file: int, name: str | None = None) -> pl.DataFrame:
    """Add where a row stands; without a query, for its price."""
    placed = [_refs(file, frame[RECORD])]
    if name is not None:
        # The bytes of a name that are not UTF-8 stand in it as they are written in Python.
        text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        placed.append(pl.Series("_file", [text], dtype=pl.String).new_from_index(0, frame.height))
    return frame.hstack(placed)


def _refs(file: int, records: pl.Series) -> pl.Series:
    """Return ``file:record`` for ascending records: the last four digits and those before them are taken from a table.

    They are written as Arrow's views of short texts, of 16 bytes: the size, and the text itself
    (https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout).
    """
    prefix = f"{file}:".encode()
    digits = len(str(records[-1])) if records.len() else 0
    size = len(prefix) + digits
    if not 5 <= digits <= 8 or size > _INSIDE or digits != len(str(records[0])):
        return (pl.Series([f"{file}:"]) + records.cast(pl.String)).alias("_ref")
    offsets = {"head": size - 4, "low": size, "prefix": 4, "size": 0}
    formats = ["<u4", "<u4", f"S{len(prefix)}", "<i4"]
    form = np.dtype({"names": list(offsets), "formats": formats, "offsets": list(offsets.values()), "itemsize": 16})
    views = np.zeros(records.len(), form)
    numbers = records.to_numpy()
    thousands = numbers // 10_000
    # Zeros that lead are written over by what stands before them.
    views["head"] = _four_digits()[thousands]
    views["low"] = _four_digits()[numbers - thousands * 10_000]
    views["prefix"], views["size"] = prefix, size
    found = pl.from_arrow(pa.Array.from_buffers(pa.string_view(), len(views), [None, pa.py_buffer(views)]))
    assert isinstance(found, pl.Series)
    return found.alias("_ref")


@cache
def _four_digits() -> np.ndarray[Any, Any]:
    """Return the texts of 0000 to 9999, as one number of four bytes each."""
    return np.frombuffer("".join(f"{number:04}" for number in range(10_000)).encode(), np.uint32)


def read_batches(delivery: Delivery, rows: int, after: str | None) -> Iterator[Extract]:
    """Yield batches of exactly `rows` physical records (the last has fewer) behind a position."""
    start = _read_position(delivery, after)
    waiting: list[tuple[int, Piece]] = []
    height = 0
    for file, piece in read_pieces(delivery):
        piece = _behind(piece, start[1]) if file == start[0] else piece
        if file < start[0] or piece.last < piece.first:
            continue
        waiting.append((file, piece))
        height += piece.last - piece.first + 1
        while height >= rows:
            batch, waiting = _take(waiting, rows)
            height -= rows
            yield _extract(delivery, batch)
    if waiting:
        yield _extract(delivery, waiting)


def _behind(piece: Piece, record: int) -> Piece:
    """Return the part of a piece behind a record."""
    if record < piece.first:
        return piece
    behind = piece.unreadable.filter(pl.col(RECORD) > record)
    return Piece(piece.frame.slice(_upto(piece.frame, record)), behind, record + 1, piece.last)


def _upto(frame: pl.DataFrame, record: int) -> int:
    """Return how many rows of a frame come up to a record: they lie in the order of their records."""
    return int(frame[RECORD].search_sorted(record, side="right"))


def _take(waiting: list[tuple[int, Piece]], rows: int) -> tuple[list[tuple[int, Piece]], list[tuple[int, Piece]]]:
    """Split off the first `rows` physical records."""
    taken: list[tuple[int, Piece]] = []
    for index, (file, piece) in enumerate(waiting):
        height = piece.last - piece.first + 1
        if height <= rows:
            taken.append((file, piece))
            rows -= height
            if rows == 0:
                return taken, waiting[index + 1 :]
            continue
        last = piece.first + rows - 1
        unreadable = piece.unreadable.filter(pl.col(RECORD) <= last)
        taken.append((file, Piece(piece.frame.head(_upto(piece.frame, last)), unreadable, piece.first, last)))
        return taken, [(file, _behind(piece, last)), *waiting[index + 1 :]]
    return taken, []


def _extract(delivery: Delivery, pieces: list[tuple[int, Piece]]) -> Extract:
    frame = pl.concat([piece.frame for _, piece in pieces]).select(*delivery.columns, "_file", "_ref")
    unreadable = pl.concat([piece.unreadable for _, piece in pieces]).select("_ref", "place", "code", "raw")
    file, piece = pieces[-1]
    position = json.dumps({"digest": delivery.digest, "file": file, "record": piece.last}, separators=(",", ":"))
    return Extract(frame, position, unreadable if unreadable.height else None)


def read_columns(delivery: Delivery, names: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
    """Yield only these columns of the rows that can be read, about so many rows at a time; wide rows are let go of."""
    waiting: list[pl.DataFrame] = []
    height = 0
    for _, piece in read_pieces(delivery):
        # What is selected still holds the bytes of the whole rows; what went through Arrow's plain texts does not.
        narrow = piece.frame.select(names).to_arrow(compat_level=pl.CompatLevel.oldest())
        waiting.append(pl.DataFrame(narrow))
        height += narrow.num_rows
        if height >= rows:
            yield pl.concat(waiting)
            waiting, height = [], 0
    if waiting:
        yield pl.concat(waiting)


def _read_position(delivery: Delivery, after: str | None) -> tuple[int, int]:
    if after is None:
        return 0, 0
    try:
        found = json.loads(after)
        if found["digest"] == delivery.digest:
            return int(found["file"]), int(found["record"])
    except (ValueError, TypeError, KeyError):
        pass
    raise SystemFailure(
        "CON-019",
        "a checkpoint was made from other files than those that are there now",
        hint="Start the run anew; what is loaded already will be found unchanged.",
        place=delivery.relation.place,
    )
