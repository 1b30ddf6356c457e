"""From text to the numbers of a format: one struct per format, whose fields are computed one after the other.

Fields of a struct serve as names for intermediate results; written as plain expressions the same text would be read a
dozen times, and Polars does not find common parts across such trees.
"""

from __future__ import annotations

from datetime import date as day_type

import polars as pl

from mappings.stages.calendar import DAY_US, day_number, valid_day
from mappings.stages.formats import Format

_CLOCK = (("hour", 23, 3_600_000_000), ("minute", 59, 60_000_000), ("second", 59, 1_000_000))


def read_days(text: pl.Expr, made: Format, pivot_year: int | None, past: day_type | None) -> pl.Expr:
    """Return the days since 1970-01-01 (Int32) that a text says, NULL where it does not match or is no day."""
    return _read(text, made, pivot_year, past).struct.field("days")


def read_micros(text: pl.Expr, made: Format, pivot_year: int | None, past: day_type | None) -> pl.Expr:
    """Return microseconds since 1970-01-01 (Int64): of a local time, or of UTC when the format has an offset."""
    read = _read(text, made, pivot_year, past)
    value = pl.field("days").cast(pl.Int64) * DAY_US
    right = pl.lit(True)
    for name, most, size in _CLOCK:
        if name in made.gives:
            right = right & (pl.field(name) <= most)
            value = value + pl.field(name).cast(pl.Int64) * size
    if "fraction" in made.gives:
        value = value + pl.field("fraction").str.pad_end(6, "0").str.head(6).cast(pl.Int64, strict=False).fill_null(0)
    if made.has_offset:
        read = _with_offset(read)
        right = right & pl.field("offset_right")
        value = value - pl.field("offset_seconds") * 1_000_000
    return read.struct.with_fields(micros=pl.when(right).then(value)).struct.field("micros")


def _read(text: pl.Expr, made: Format, pivot_year: int | None, past: day_type | None) -> pl.Expr:
    """Return a struct of what the format reads and of ``days``."""
    read = _digits(text, made) if made.only_digits else _groups(text, made)
    month, day = pl.field("month"), pl.field("day")
    if made.needs_pivot:
        read = read.struct.with_fields(year=_whole_year(pl.field("short_year"), month, day, pivot_year, past))
    year = pl.field("year")
    days = pl.when(valid_day(year, month, day)).then(day_number(year, month, day))
    return read.struct.with_fields(days=days)


def _groups(text: pl.Expr, made: Format) -> pl.Expr:
    read = text.str.extract_groups(made.regex).struct.rename_fields(list(made.gives))
    numbers = [name for name in made.gives if name not in ("fraction", "offset")]
    return read.struct.with_fields(*(pl.field(name).cast(pl.Int32, strict=False) for name in numbers))


def _digits(text: pl.Expr, made: Format) -> pl.Expr:
    """Read digits of fixed places as one number and divide it, which takes a third of a regular expression."""
    right = (text.str.len_bytes() == made.width) & ~text.str.starts_with("+") & ~text.str.starts_with("-")
    number = pl.when(right).then(text).cast(pl.Int64 if made.width > 9 else pl.Int32, strict=False)
    behind, pieces = made.width, {}
    for name, part in zip(made.gives, made.parts, strict=True):
        behind -= len(part.text)
        piece = pl.field("number") // 10**behind if behind else pl.field("number")
        if behind + len(part.text) < made.width:
            piece = piece % 10 ** len(part.text)
        pieces[name] = piece.cast(pl.Int32)
    return pl.struct(number.alias("number")).struct.with_fields(**pieces)


def _whole_year(short: pl.Expr, month: pl.Expr, day: pl.Expr, pivot_year: int | None, past: day_type | None) -> pl.Expr:
    if past is None:
        first = pivot_year or 1
        return first + (short - first % 100 + 100) % 100
    year = past.year // 100 * 100 + short
    after = year * 10_000 + month * 100 + day > past.year * 10_000 + past.month * 100 + past.day
    return year - 100 * after.cast(pl.Int32)


def _with_offset(read: pl.Expr) -> pl.Expr:
    """Add the offset in seconds, and where it is one that exists (below 16 hours, minutes and seconds below 60)."""
    text = pl.field("offset")
    digits = text.str.replace_all("[^0-9]", "").str.pad_end(6, "0").cast(pl.Int64, strict=False)
    hours, minutes, seconds = (
        pl.field("offset_digits") // 10_000,
        pl.field("offset_digits") // 100 % 100,
        pl.field("offset_digits") % 100,
    )
    size = hours * 3600 + minutes * 60 + seconds
    return read.struct.with_fields(offset_digits=digits).struct.with_fields(
        offset_seconds=pl.when(text.str.starts_with("-")).then(-size).otherwise(size),
        offset_right=(hours < 16) & (minutes < 60) & (seconds < 60),
    )
