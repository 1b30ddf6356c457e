"""Arithmetic that cannot abort a batch: what does not fit or cannot be is NULL."""

from __future__ import annotations

from datetime import date

import polars as pl

from mappings.stages.calendar import FIRST_DAY, LAST_DAY, known_day, known_moment

_EPOCH = date(1970, 1, 1)
_FIRST, _LAST = (FIRST_DAY - _EPOCH).days, (LAST_DAY - _EPOCH).days


def whole(made: pl.Expr) -> pl.Expr:
    """Return a result of 128-bit whole numbers as 64 bits, NULL where it does not fit."""
    return made.cast(pl.Int64, strict=False)


def wide(number: pl.Expr) -> pl.Expr:
    """Return a whole number with room for the sum or product of two."""
    return number.cast(pl.Int128)


def finite(made: pl.Expr) -> pl.Expr:
    """Return a floating number, NULL where it is infinite or not a number."""
    return pl.when(made.is_finite()).then(made)


def remainder(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Return the remainder with the sign of the first number, as SQL has it; NULL for a division by zero."""
    size = left.abs() % pl.when(right != 0).then(right.abs())
    return pl.when(left < 0).then(0 - size).otherwise(size)


def add_days(day: pl.Expr, count: pl.Expr) -> pl.Expr:
    """Return a date moved by days, NULL outside the years 1 to 9999."""
    moved = day.cast(pl.Int32).cast(pl.Int128) + count.cast(pl.Int128)
    return pl.when(moved.is_between(_FIRST, _LAST)).then(moved).cast(pl.Int32).cast(pl.Date)


def add_months(day: pl.Expr, count: int) -> pl.Expr:
    """Return a date moved by months (to the last day of a shorter month), NULL outside the years 1 to 9999."""
    moved = day.dt.offset_by(f"{count}mo")
    return known_day(moved)


def move_instant(moment: pl.Expr, offset: str) -> pl.Expr:
    """Return an instant (UTC) moved by an offset of Polars, NULL outside the years 1 to 9999."""
    return known_moment(moment.dt.offset_by(offset))


def to_whole(text: pl.Expr) -> pl.Expr:
    """Read a whole number of 64 bits from a text, blanks around it allowed; NULL where it is none."""
    bare = text.str.strip_chars(" \t\r\n")
    return pl.when(bare.str.contains(r"\A[+-]?[0-9]+\z")).then(bare.str.strip_prefix("+")).cast(pl.Int64, strict=False)


def to_number(text: pl.Expr) -> pl.Expr:
    """Read a number with a decimal point from a text, blanks around it allowed; NULL where it is none."""
    bare = text.str.strip_chars(" \t\r\n")
    right = bare.str.contains(r"\A[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\z")
    return finite(pl.when(right).then(bare).cast(pl.Float64, strict=False))


def to_boolean(text: pl.Expr) -> pl.Expr:
    """Read true or false from a text as PostgreSQL does, in any case; NULL where it is neither."""
    bare = text.str.strip_chars(" \t\r\n").str.to_lowercase()
    true, false = ["true", "t", "yes", "y", "on", "1"], ["false", "f", "no", "n", "off", "0"]
    return pl.when(bare.is_in(true)).then(pl.lit(True)).when(bare.is_in(false)).then(pl.lit(False))
