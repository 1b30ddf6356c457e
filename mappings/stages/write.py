"""Typed values back to text."""

from __future__ import annotations

import polars as pl

from casemodel import Place, RefusedError
from mappings.stages.datetimes import check_zone
from mappings.stages.formats import parse_format


def write_date(value: pl.Expr, text: str, *, place: Place | None = None) -> pl.Expr:
    """Write a date (Date) as text.

    Args:
        value: Date expression.
        text: a format of the language without times.
        place: where the stage stands, for errors.

    Raises:
        RefusedError: MAP-028.
    """
    return value.dt.strftime(parse_format(text, time=False, place=place).directives)


def write_instant(value: pl.Expr, text: str, *, timezone: str | None, place: Place | None = None) -> pl.Expr:
    """Write an instant (Datetime UTC) as local time of a zone; ``fff`` is milliseconds, ``Z`` the offset as +01:00.

    Raises:
        RefusedError: MAP-028, also when no zone is named.
    """
    made = parse_format(text, time=True, place=place)
    if timezone is None:
        raise RefusedError(
            "MAP-028", "an instant is written without a time zone", hint="Add timezone: Europe/Amsterdam.", place=place
        )
    check_zone(timezone, place)
    return value.dt.convert_time_zone(timezone).dt.strftime(made.directives)


def write_number(value: pl.Expr, *, decimal: str = ".", place: Place | None = None) -> pl.Expr:
    """Write a number with a decimal sign; the digits behind it stay as they are.

    Args:
        value: canonical decimal text as `number` gives it, or a column of numbers.
        decimal: ``.`` or ``,``.
        place: where the stage stands, for errors.
    """
    if decimal not in (".", ","):
        raise RefusedError(
            "MAP-028", "the decimal sign is neither a point nor a comma", hint='Write decimal: ",".', place=place
        )
    return value.cast(pl.String).str.replace(".", decimal, literal=True)
