"""Text to date, strict: the whole text must match one of the formats, tried in their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date as day_type

import polars as pl

from casemodel import Place, RefusedError
from mappings.stages.formats import Format, parse_format
from mappings.stages.reading import read_days
from mappings.stages.result import Staged, staged


def date(
    text: pl.Expr,
    formats: Sequence[str],
    *,
    pivot_year: int | None = None,
    past: day_type | None = None,
    place: Place | None = None,
) -> Staged:
    """Return the date that a text says: value Date, failed Boolean.

    Args:
        text: String expression.
        formats: formats of the language without times, tried in order.
        pivot_year: first year of the hundred years that ``YY`` stands for: 1950 is 1950 to 2049.
        past: ``YY`` is the latest year in which the day is not after this day (``pivot: past`` with ``as_of``).
        place: where the stage stands, for errors.

    Raises:
        RefusedError: MAP-028 for a format that cannot be meant.
    """
    read = [parse_format(item, time=False, place=place) for item in formats]
    if not read:
        raise RefusedError("MAP-028", "a date needs at least one format", hint="Write date: [YYYYMMDD].", place=place)
    check_pivot(read, pivot_year, past, place)
    days = [read_days(text, item, pivot_year, past) for item in read]
    return staged(text, days[0] if len(days) == 1 else pl.coalesce(days))


def check_pivot(formats: Sequence[Format], pivot_year: int | None, past: day_type | None, place: Place | None) -> None:
    """Refuse a year without its century when nothing says which century."""
    if pivot_year is not None and past is not None:
        raise RefusedError(
            "MAP-028", "pivot_year and pivot exclude each other", hint="Keep one of the two.", place=place
        )
    if pivot_year is not None and not 1 <= pivot_year <= 9900:
        raise RefusedError(
            "MAP-028", "pivot_year is not a year between 1 and 9900", hint="Write pivot_year: 1950.", place=place
        )
    without = [item.text for item in formats if item.needs_pivot]
    if without and pivot_year is None and past is None:
        raise RefusedError(
            "MAP-028",
            f"the format '{without[0]}' has a year without its century",
            hint="Say which century: pivot_year: 1950 (1950 to 2049), or pivot: past with as_of.",
            place=place,
        )
