"""Chance without a state: every draw is a function of the seed, the name of the draw and the number of the thing.

So any chunk can say what another chunk drew, in any order and on any machine, and memory stays with the chunk.
The mixing function is SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

_STEP, _MIX1, _MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_PARTS = 1_000_000


@cache
def _u64(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


@dataclass(frozen=True, slots=True)
class Dice:
    """Draws for the things numbered by ``ids`` (non-negative integers).

    Args:
        seed: the seed of the demo.
        kind: what is drawn for (``case``, ``person``); draws of different kinds are independent.
        ids: the column that numbers the things.
    """

    seed: int
    kind: str
    ids: pl.Expr

    def bits(self, name: str) -> pl.Expr:
        """Return 64 evenly spread bits (UInt64)."""
        salt = hashlib.sha256(f"{self.seed}:{self.kind}:{name}".encode()).digest()[:8]
        x = self.ids.cast(pl.UInt64) * _u64(_STEP) + _u64(int.from_bytes(salt, "big"))
        x = (x ^ (x // _u64(1 << 30))) * _u64(_MIX1)
        x = (x ^ (x // _u64(1 << 27))) * _u64(_MIX2)
        return x ^ (x // _u64(1 << 31))

    def below(self, name: str, limit: int) -> pl.Expr:
        """Return a whole number of 0 up to, but not including, ``limit`` (Int64)."""
        return ((self.bits(name) // _u64(1 << 11)) % _u64(limit)).cast(pl.Int64)

    def between(self, name: str, low: int, high: int) -> pl.Expr:
        """Return a whole number of ``low`` up to and including ``high`` (Int64)."""
        return self.below(name, high - low + 1) + low

    def share(self, name: str) -> pl.Expr:
        """Return a number of 0 up to 999,999, to be cut into exclusive parts (see `part`)."""
        return self.below(name, _PARTS)

    def chance(self, name: str, probability: float) -> pl.Expr:
        """Return True with the given probability."""
        return self.share(name) < round(probability * _PARTS)

    def pick(self, name: str, values: Sequence[str], weights: Sequence[int] | None = None) -> pl.Expr:
        """Return one of the texts, by weight when weights are given (String)."""
        slots = list(values) if weights is None else [v for v, w in zip(values, weights, strict=True) for _ in range(w)]
        return pl.lit(pl.Series(name, slots, dtype=pl.String)).gather(self.below(name, len(slots)))

    def pick_of(self, name: str, pairs: Sequence[tuple[str, int]]) -> pl.Expr:
        """Return one of the texts of (text, weight) pairs (String)."""
        return self.pick(name, [value for value, _ in pairs], [weight for _, weight in pairs])


def part(draw: pl.Expr, start: float, width: float) -> pl.Expr:
    """Return True where a `Dice.share` falls into the part [start, start + width) of 1: parts exclude each other."""
    low, high = round(start * _PARTS), round((start + width) * _PARTS)
    return (draw >= low) & (draw < high)
