"""What a business rule of the case model is: asked of the records of one table, in the database itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa

Severity = Literal["error", "signal"]

ZONE = "Europe/Amsterdam"
"""Where the municipality's days begin and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessRule:
    """One rule, and how the records that break it are found.

    Args:
        code: code of the rule in docs/rules.md, such as ``CA-03``.
        name: short name, unique in the code; a code may be checked in several places.
        severity: ``error``: the new system refuses such a record, or a repair of the mapping failed, so that none may
            be there; ``signal``: the old systems hold such records, people judge them.
        table: the table whose records it is about.
        dutch, english: the rule in one sentence, as it should be.
        broken: SQL condition of the records that break it, or that may: see `holds`.
        applies: SQL condition of the records it is about; None: all.
        columns: what `holds` looks at, as canonical text.
        holds: Polars expression over `columns`, for what SQL says differently in every database (patterns, time
            zones); a record of `broken` breaks the rule when it is False.
    """

    code: str
    name: str
    severity: Severity
    table: sa.Table
    dutch: str
    english: str
    broken: sa.ColumnElement[bool]
    applies: sa.ColumnElement[bool] | None = None
    columns: Mapping[str, sa.ColumnElement[Any]] = field(default_factory=dict)
    holds: pl.Expr | None = None

    @property
    def id(self) -> str:
        """Return ``CODE name``: unique among all rules."""
        return f"{self.code} {self.name}"


@dataclass(frozen=True, slots=True)
class Moment:
    """When rules are asked: what "in the future" and "passed" mean."""

    now: datetime
    """Aware."""

    @property
    def today(self) -> date:
        """The day in the municipality."""
        return self.now.astimezone(ZoneInfo(ZONE)).date()


def text_of(column: str) -> pl.Expr:
    """Return a column of canonical text."""
    return pl.col(column)


def local(column: str) -> pl.Expr:
    """Return a column of canonical instants as local moments."""
    moment = pl.col(column).str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", time_unit="us", strict=False)
    return moment.dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE)


def local_day(column: str) -> pl.Expr:
    """Return a column of canonical instants as local days, ``YYYY-MM-DD``."""
    return local(column).dt.strftime("%Y-%m-%d")


def day(column: str) -> pl.Expr:
    """Return a column of canonical dates as Date."""
    return pl.col(column).str.to_date("%Y-%m-%d", strict=False)


def eleven_test(column: str) -> pl.Expr:
    """Return whether a text is nine digits that pass the test of eleven; nothing but noughts fails.

    Source: BSN and RSIN, vng_api_common/validators.py (weights 9 to 2, the last digit counts as -1).
    """
    value = pl.col(column)
    digits = [value.str.slice(place, 1).cast(pl.Int32, strict=False) for place in range(9)]
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = pl.sum_horizontal(digit * weight for digit, weight in zip(digits, weights, strict=True))
    return value.str.contains("^[0-9]{9}$") & (value != "000000000") & (total % 11 == 0)


def within_two_hours(start: str, end: str) -> pl.Expr:
    """Return whether a length of time lies from five seconds to two hours."""
    seconds = (local(end) - local(start)).dt.total_seconds()
    return seconds.is_between(5, 7_200)
