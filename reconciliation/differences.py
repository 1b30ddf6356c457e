"""Kinds of difference between two values, so that masked values can still be explained (promise 9)."""

from __future__ import annotations

import polars as pl

KINDS = (
    "empty instead of a value", "a value instead of empty", "white space", "upper or lower case", "an accent lost",
    "one day earlier", "one day later", "another date",
    "one hour earlier", "one hour later", "two hours earlier", "two hours later", "another moment",
    "cut off", "leading zero", "another value",
)  # fmt: skip
"""Every kind; the direction is that of the target as seen from the source."""

_DATE = r"^\d{4}-\d{2}-\d{2}$"
_MOMENT = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{6}$"
_HOUR = 3_600_000_000


def difference_kind_expr(expected: str, found: str) -> pl.Expr:
    """Name the kind of difference between two String columns that differ.

    The column twin of `casemodel.difference_kind`, which also sees that dates and moments are a day or an hour apart.
    """
    left, right = pl.col(expected), pl.col(found)
    days, gap = as_date(right) - as_date(left), as_moment(right) - as_moment(left)
    return (
        pl.when(right.is_null()).then(pl.lit("empty instead of a value"))
        .when(left.is_null()).then(pl.lit("a value instead of empty"))
        .when(left.str.strip_chars() == right.str.strip_chars()).then(pl.lit("white space"))
        .when(left.str.to_lowercase() == right.str.to_lowercase()).then(pl.lit("upper or lower case"))
        .when(_bare(left) == _bare(right)).then(pl.lit("an accent lost"))
        .when(days.is_not_null()).then(_days(days.dt.total_days()))
        .when(gap.is_not_null()).then(_hours(gap.dt.total_microseconds()))
        .when(left.str.starts_with(right) | right.str.starts_with(left)).then(pl.lit("cut off"))
        .when(left.str.strip_chars_start("0") == right.str.strip_chars_start("0")).then(pl.lit("leading zero"))
        .otherwise(pl.lit("another value"))
    )  # fmt: skip


def as_date(text: pl.Expr) -> pl.Expr:
    """Return a canonical date as Date; NULL for any other text."""
    return pl.when(text.str.contains(_DATE)).then(text).str.to_date("%Y-%m-%d", strict=False)


def as_moment(text: pl.Expr) -> pl.Expr:
    """Return a canonical instant as Datetime in UTC, without a zone; NULL for any other text."""
    layout = "%Y-%m-%d %H:%M:%S%.6f"
    return pl.when(text.str.contains(_MOMENT)).then(text).str.to_datetime(layout, time_unit="us", strict=False)


def _days(days: pl.Expr) -> pl.Expr:
    return (
        pl.when(days == -1).then(pl.lit("one day earlier"))
        .when(days == 1).then(pl.lit("one day later"))
        .otherwise(pl.lit("another date"))
    )  # fmt: skip


def _hours(gap: pl.Expr) -> pl.Expr:
    return (
        pl.when(gap == -_HOUR).then(pl.lit("one hour earlier"))
        .when(gap == _HOUR).then(pl.lit("one hour later"))
        .when(gap == -2 * _HOUR).then(pl.lit("two hours earlier"))
        .when(gap == 2 * _HOUR).then(pl.lit("two hours later"))
        .otherwise(pl.lit("another moment"))
    )  # fmt: skip


def _bare(text: pl.Expr) -> pl.Expr:
    return text.str.normalize("NFD").str.replace_all(r"\p{Mn}", "").str.to_lowercase()
