"""Counting different values in bounded memory: the smallest hashes stand for all of them."""

from __future__ import annotations

import polars as pl

KEPT = 32_768
"""Hashes kept per column (256 KB); an estimate from so many is right within about 1 %."""
_SPACE = float(2**64)


class Distinct:
    """The smallest different 64-bit hashes of a stream of values.

    While there are no more than `KEPT` the count is exact; after that the largest hash kept says how densely the
    values lie, and so how many there are (a "k minimum values" sketch).
    """

    def __init__(self) -> None:
        self.hashes = pl.Series(dtype=pl.UInt64)
        self.exact = True

    def add(self, hashes: pl.Series) -> None:
        """Take in the hashes of a batch, without NULLs."""
        if not self.exact:
            hashes = hashes.filter(hashes < self.hashes[-1])
        if not hashes.len():
            return
        merged = pl.concat([self.hashes, hashes]).unique().sort()
        if merged.len() > KEPT:
            merged, self.exact = merged.head(KEPT), False
        self.hashes = merged

    @property
    def count(self) -> int:
        """How many different values there were: exact, or estimated."""
        if self.exact:
            return self.hashes.len()
        return round((KEPT - 1) * _SPACE / float(self.hashes[-1]))
