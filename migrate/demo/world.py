"""The size of a demo and its calendar: what a number of a case, a person or a day stands for.

Cases are numbered in the order of their registration and spread evenly over the working days of the case system;
so the number of a case gives its day, and a day the numbers of its cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import polars as pl

from migrate.demo.dice import Dice

FIRST_DAY, LAST_DAY = date(2006, 1, 2), date(2019, 5, 31)
"""The days on which cases were registered."""
COUNTER_FIRST, COUNTER_LAST = date(2009, 1, 5), date(2018, 12, 31)
"""The days of which the counter system holds tickets."""
HAND_OUT_AFTER = 10
"""Working days between an application at the counter and its hand-out."""

PERSON_BASE, COMPANY_BASE, ADDRESS_BASE, CUSTOMER_BASE = 100_001, 200_000_001, 300_000_001, 10_001


def _easter(year: int) -> date:
    """Return Easter Sunday (Meeus/Jones/Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _closed(day: date) -> bool:
    fixed = {(1, 1), (12, 25), (12, 26), (4, 27 if day.year >= 2014 else 30)}
    after_easter = (day - _easter(day.year)).days
    return day.weekday() >= 5 or (day.month, day.day) in fixed or after_easter in (-2, 1, 39, 50)


@cache
def working_days() -> tuple[date, ...]:
    """Return the days on which the town hall was open, from the first registered case on."""
    span = (LAST_DAY - FIRST_DAY).days
    return tuple(day for n in range(span + 1) if not _closed(day := FIRST_DAY + timedelta(days=n)))


@cache
def day_series() -> pl.Series:
    """Return `working_days` as a Polars series of dates."""
    return pl.Series("day", list(working_days()), dtype=pl.Date)


@dataclass(frozen=True, slots=True)
class World:
    """One demo: how many cases, and with which seed."""

    cases: int
    seed: int

    def dice(self, kind: str, ids: str) -> Dice:
        """Return the dice of the things numbered by a column."""
        return Dice(self.seed, kind, pl.col(ids))

    @property
    def days(self) -> int:
        """Working days of the case system."""
        return len(working_days())

    @property
    def persons(self) -> int:
        """True persons: ZAAK knows the first 75 %, BALIE the last 51 %, so 35 % of ZAAK's are customers too."""
        return max(100, self.cases * 4 // 5)

    @property
    def case_persons(self) -> int:
        """Persons 0 up to this number are in ZKN_PERSOON."""
        return self.persons * 75 // 100

    @property
    def first_customer(self) -> int:
        """Persons from this number on are in BLS_KLANT."""
        return self.persons * 49 // 100

    @property
    def companies(self) -> int:
        """Companies in ZKN_BEDRIJF."""
        return max(20, self.cases * 12 // 100)

    def first_case_of(self, day: int) -> int:
        """Return the number of the first case registered on or after the working day with this number."""
        return -(-max(0, min(day, self.days)) * self.cases // self.days)

    def case_day(self, case: pl.Expr) -> pl.Expr:
        """Return the number of the working day on which a case was registered."""
        return case.cast(pl.Int64) * self.days // self.cases

    def tickets_until(self, counter_day: pl.Expr) -> pl.Expr:
        """Return how many tickets the counter gave before its n-th day, without those that stories add."""
        first, last = counter_span()
        return counter_day.cast(pl.Int64) * (self.cases * 3) // (last - first)


@cache
def counter_span() -> tuple[int, int]:
    """Return the numbers of the first working day of the counter system and of the day after its last."""
    days = working_days()
    return (sum(day < COUNTER_FIRST for day in days), sum(day <= COUNTER_LAST for day in days))


def day_of(number: pl.Expr) -> pl.Expr:
    """Return the date of a working day by its number, NULL beyond the calendar."""
    return pl.lit(day_series()).gather(number, null_on_oob=True)


def compact(day: pl.Expr) -> pl.Expr:
    """Write a date as ``yyyymmdd``."""
    return day.dt.strftime("%Y%m%d")


def clock(seconds: pl.Expr) -> pl.Expr:
    """Write seconds after midnight as ``hhmmss``."""
    hours, rest = seconds // 3600, seconds % 3600
    return (hours * 10000 + rest // 60 * 100 + rest % 60).cast(pl.String).str.zfill(6)


def stamp(day: pl.Expr, seconds: pl.Expr) -> pl.Expr:
    """Write a local moment as ``yyyy-mm-dd hh:mm:ss``."""
    digits = clock(seconds)
    return pl.concat_str(
        day.dt.strftime("%Y-%m-%d"),
        pl.lit(" "),
        digits.str.slice(0, 2),
        pl.lit(":"),
        digits.str.slice(2, 2),
        pl.lit(":"),
        digits.str.slice(4, 2),
    )
