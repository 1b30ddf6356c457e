"""Tickets that a kiosk gave in the nights when the clock is moved (B10), and that nobody came for.

In autumn the hour from two to three comes twice; the order of the steps tells which one is meant.  In spring that hour
does not exist: the clock of the kiosk stood still, and its times are an hour behind.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from migrate.demo.world import working_days

_SCHEMA = {
    "date": pl.Date(),
    "issued": pl.Int64(),
    "called": pl.Int64(),
    "issued_utc": pl.Datetime("us", "UTC"),
    "called_utc": pl.Datetime("us", "UTC"),
}
_NIGHTS = (
    # 02:30, which does not exist, is 03:30 in summer time
    (
        date(2018, 3, 25),
        9_000,
        10_200,
        datetime(2018, 3, 25, 1, 30, tzinfo=UTC),
        datetime(2018, 3, 25, 1, 50, tzinfo=UTC),
    ),
    # called at 02:10, after being given at 02:50: so the hour had begun anew
    (
        date(2018, 10, 28),
        10_200,
        7_800,
        datetime(2018, 10, 28, 0, 50, tzinfo=UTC),
        datetime(2018, 10, 28, 1, 10, tzinfo=UTC),
    ),
)


def night_tickets(first: int, after: int, last_rank: int) -> pl.DataFrame:
    """Return the tickets of the nights before the working days from ``first`` up to, but not including, ``after``.

    Adds ``day`` (the working day after it), ``date``, ``k`` (rank of the ticket on that day, counted down), ``issued``,
    ``called_at_night`` (seconds as the kiosk had them) and their true moments ``issued_utc`` and ``called_utc``.
    """
    nights = pl.DataFrame(list(_NIGHTS), schema=_SCHEMA, orient="row").rename({"called": "called_at_night"})
    days = working_days()
    after_it = [next(number for number, day in enumerate(days) if day > night[0]) for night in _NIGHTS]
    numbered = nights.with_columns(
        pl.Series("day", after_it, dtype=pl.Int64), pl.lit(last_rank, dtype=pl.Int64).alias("k")
    )
    return numbered.filter(pl.col("day").is_between(first, after - 1))


def by_day(value: pl.Expr) -> pl.Expr:
    """Return a value of tickets that were not given in such a night."""
    return pl.when(pl.col("issued_utc").is_null()).then(value)
