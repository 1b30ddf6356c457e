"""Sets of 64-bit hashes of any size: in memory while they are few, else in a file without a name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

import polars as pl

MOST = 1 << 20
"""Hashes that a set holds in memory; more are sorted and written away."""
_PARTS = 256
_BYTES = 8


class Hashes:
    """Hashes in no order; those of a part have the same first eight bits.

    Args:
        most: how many are held in memory.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting: list[pl.Series] = []
        self._few = 0
        self._runs: list[list[int]] = []
        """Of every sorted run in the file where its parts begin, and where it ends; in hashes."""
        self._file: IO[bytes] | None = None
        self._count = 0

    def __len__(self) -> int:
        """Return how many were added, doubles and all."""
        return self._count

    def add(self, hashes: pl.Series) -> None:
        """Add hashes (UInt64, none NULL)."""
        if hashes.is_empty():
            return
        self._waiting.append(hashes.alias("hash"))
        self._few += hashes.len()
        self._count += hashes.len()
        if self._few >= self._most:
            self._write_away()

    @property
    def all_in_memory(self) -> bool:
        """Whether none was written away."""
        return self._file is None

    def pieces(self) -> Iterator[pl.Series]:
        """Yield the hashes in pieces of about as many as are held in memory."""
        if self.all_in_memory:
            yield self._all_waiting()
            return
        several: list[pl.Series] = []
        for part in self.parts():
            several.append(part)
            if sum(each.len() for each in several) >= self._most:
                yield pl.concat(several)
                several = []
        if several:
            yield pl.concat(several)

    def parts(self) -> Iterator[pl.Series]:
        """Yield the hashes part by part; the same number of parts in the same order for every set."""
        few = self._all_waiting().sort()
        borders = _borders(few)
        for part in range(_PARTS):
            pieces = [self._read(run[part], run[part + 1]) for run in self._runs]
            yield pl.concat([*pieces, few.slice(borders[part], borders[part + 1] - borders[part])])

    def _all_waiting(self) -> pl.Series:
        return pl.concat([pl.Series("hash", [], dtype=pl.UInt64), *self._waiting])

    def _write_away(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="omnicase-")  # noqa: SIM115
        run = self._all_waiting().sort()
        start = self._file.seek(0, 2) // _BYTES
        self._runs.append([start + border for border in _borders(run)])
        self._file.write(run.rechunk().to_arrow().buffers()[1].to_pybytes()[: run.len() * _BYTES])
        self._waiting, self._few = [], 0

    def _read(self, start: int, end: int) -> pl.Series:
        assert self._file is not None
        import pyarrow as pa  # most reconciliations do without

        self._file.seek(start * _BYTES)
        data = self._file.read((end - start) * _BYTES)
        return pl.Series("hash", pa.Array.from_buffers(pa.uint64(), end - start, [None, pa.py_buffer(data)]))


def distinct(hashes: Hashes) -> int:
    """Return how many different hashes there are."""
    return sum(part.n_unique() for (part,) in _parts(hashes))


def without(hashes: Hashes, others: Hashes) -> pl.Series:
    """Return the hashes of the first set that the second one lacks, each once."""
    return pl.concat([_lacking(one.unique(), other) for one, other in _parts(hashes, others)])


def _parts(*sets: Hashes) -> Iterator[tuple[pl.Series, ...]]:
    if all(each.all_in_memory for each in sets):
        return zip(*(each.pieces() for each in sets), strict=True)
    return zip(*(each.parts() for each in sets), strict=True)


def _lacking(hashes: pl.Series, others: pl.Series) -> pl.Series:
    return hashes.to_frame("hash").join(others.to_frame("hash"), on="hash", how="anti")["hash"]


def _borders(run: pl.Series) -> list[int]:
    """Return where the parts of a sorted run begin, and where the last one ends."""
    firsts = pl.Series("hash", [part << 56 for part in range(_PARTS)], dtype=pl.UInt64)
    return [*run.search_sorted(firsts, side="left").to_list(), run.len()]
