"""Tolerances: values that differ by no more than the mapping allows count as equal, and are counted apart."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from reconciliation.differences import as_moment

_NUMBER = r"^-?[0-9]{1,27}(\.[0-9]*)?$"
_EXACT = pl.Decimal(38, 9)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much the values of both sides may differ.

    text: as the mapping says it, such as ``1 second`` or ``0.005``.
    most: microseconds for instants, a number for numbers; a difference as large as this is still tolerated.
    """

    text: str
    most: int | Decimal


def within_expr(expected: str, found: str, tolerance: Tolerance) -> pl.Expr:
    """Tell whether two String columns, canonical text, differ by no more than a tolerance; never NULL.

    A value beside an empty one is never within.
    """
    if isinstance(tolerance.most, int):
        apart = (as_moment(pl.col(found)) - as_moment(pl.col(expected))).dt.total_microseconds().abs()
        return (apart <= tolerance.most).fill_null(False)
    apart = (_number(found) - _number(expected)).abs()
    return (apart <= pl.lit(tolerance.most).cast(_EXACT)).fill_null(False)


def _number(name: str) -> pl.Expr:
    text = pl.col(name)
    return pl.when(text.str.contains(_NUMBER)).then(text).cast(_EXACT, strict=False)
