"""Calendar arithmetic on integer columns: nothing here can raise, an impossible day is NULL.

`pl.date` and `pl.datetime` stop the whole column at the first impossible day, therefore days are counted here.
The count is Howard Hinnant's ``days_from_civil`` (http://howardhinnant.github.io/date_algorithms.html).
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

FIRST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 12, 31)
DAY_US = 86_400_000_000
_FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC)
_LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def days_in_month(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    """Return the number of days of a month (1 to 12) in the Gregorian calendar."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    usual = 30 + (month + month // 8) % 2
    return pl.when(month == 2).then(28 + leap.cast(pl.Int32)).otherwise(usual)


def valid_day(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Return where year (1 to 9999), month and day are a day of the calendar; NULL where a part is NULL."""
    return year.is_between(1, 9999) & month.is_between(1, 12) & (day >= 1) & (day <= days_in_month(year, month))


def day_number(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Return the days since 1970-01-01 (Int32), correct where `valid_day` holds.

    The year begins in March, so that the leap day is its last.
    """
    shifted = year - (month <= 2).cast(pl.Int32)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 719_468


def known_day(day: pl.Expr) -> pl.Expr:
    """Return a date (Date), NULL outside the years 1 to 9999, which no database and no Python knows."""
    return pl.when(day.is_between(FIRST_DAY, LAST_DAY)).then(day)


def known_moment(moment: pl.Expr) -> pl.Expr:
    """Return an instant (Datetime UTC), NULL outside the years 1 to 9999."""
    return pl.when(moment.is_between(pl.lit(_FIRST_MOMENT), pl.lit(_LAST_MOMENT))).then(moment)
