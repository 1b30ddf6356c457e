"""From text to days and microseconds, one format at a time.

Formats whose parts Polars can parse itself are parsed by Polars, behind a regular expression that holds it to the
format: alone it takes shorter texts, other signs and impossible seconds.  Formats with a year without century, a
fraction or an offset are taken apart by the regular expression and counted here.  The fields of a struct serve there as
names for intermediate results, since Polars does not find the common parts of such trees.
"""

from __future__ import annotations

from datetime import date as day_type
from typing import Final

import polars as pl

from mappings.stages.calendar import DAY_US, day_number, valid_day
from mappings.stages.formats import Format

_NOTHING: Final = pl.lit(None)
NAIVE: Final = pl.Datetime("us")
_CLOCK: Final = (("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000))


def read_days(text: pl.Expr, made: Format, pivot_year: int | None, past: day_type | None) -> pl.Expr:
    """Return the Date that a text says, NULL where it does not match or is no day."""
    if made.is_simple:
        return _guarded(text, made).str.to_date(made.directives, strict=False)
    return _read(text, made, pivot_year, past).struct.field("days").cast(pl.Date)


def read_micros(text: pl.Expr, made: Format, pivot_year: int | None, past: day_type | None) -> pl.Expr:
    """Return the Datetime without zone that a text says: local time, or UTC when the format has an offset."""
    if made.is_simple and made.has_time:
        return _guarded(text, made).str.to_datetime(made.directives, time_unit="us", strict=False)
    if made.is_simple:
        return read_days(text, made, pivot_year, past).cast(NAIVE)
    read = _read(text, made, pivot_year, past)
    value = pl.field("days").cast(pl.Int64) * DAY_US
    for name, size in _CLOCK:
        if name in made.gives:
            value = value + pl.field(name).cast(pl.Int64) * size
    if "fraction" in made.gives:
        value = value + pl.field("fraction").str.pad_end(6, "0").str.head(6).cast(pl.Int64, strict=False).fill_null(0)
    if made.has_offset:
        read = _with_offset(read)
        value = value - pl.field("offset_seconds") * 1_000_000
    return read.struct.with_fields(micros=value).struct.field("micros").cast(NAIVE)


def _guarded(text: pl.Expr, made: Format) -> pl.Expr:
    return pl.when(text.str.contains(made.regex)).then(text).otherwise(_NOTHING)


def _read(text: pl.Expr, made: Format, pivot_year: int | None, past: day_type | None) -> pl.Expr:
    """Return a struct of what the format reads and of ``days``."""
    read = text.str.extract_groups(made.regex).struct.rename_fields(list(made.gives))
    numbers = [name for name in made.gives if name not in ("fraction", "offset")]
    read = read.struct.with_fields(*(pl.field(name).cast(pl.Int32, strict=False) for name in numbers))
    month, day = pl.field("month"), pl.field("day")
    if made.needs_pivot:
        read = read.struct.with_fields(year=_whole_year(pl.field("short_year"), month, day, pivot_year, past))
    year = pl.field("year")
    days = pl.when(valid_day(year, month, day)).then(day_number(year, month, day))
    return read.struct.with_fields(days=days)


def _whole_year(short: pl.Expr, month: pl.Expr, day: pl.Expr, pivot_year: int | None, past: day_type | None) -> pl.Expr:
    if past is None:
        first = pivot_year or 1
        return first + (short - first % 100 + 100) % 100
    year = past.year // 100 * 100 + short
    after = year * 10_000 + month * 100 + day > past.year * 10_000 + past.month * 100 + past.day
    return year - 100 * after.cast(pl.Int32)


def _with_offset(read: pl.Expr) -> pl.Expr:
    """Add the offset in seconds, NULL where there is no such offset (16 hours or more, 60 minutes or more)."""
    text, whole = pl.field("offset"), pl.field("offset_digits")
    digits = text.str.replace_all("[^0-9]", "").str.pad_end(6, "0").cast(pl.Int64, strict=False)
    hours, minutes, seconds = whole // 10_000, whole // 100 % 100, whole % 100
    size = hours * 3600 + minutes * 60 + seconds
    signed = pl.when(text.str.starts_with("-")).then(-size).otherwise(size)
    right = (hours < 16) & (minutes < 60) & (seconds < 60)
    return read.struct.with_fields(offset_digits=digits).struct.with_fields(offset_seconds=pl.when(right).then(signed))
