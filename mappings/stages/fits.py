"""Whether texts are real days or moments in a format: what a profile asks before there is a mapping."""

from __future__ import annotations

import polars as pl

from mappings.stages.formats import parse_format
from mappings.stages.reading import read_micros

_FIRST, _LAST = 1800, 2100


def fits_format(text: pl.Expr, written: str) -> pl.Expr:
    """Return True where a text is, by the rules of the stages date and datetime, a moment between 1800 and 2100.

    Args:
        text: String expression.
        written: a format of the language; ``YY`` counts as a year of this or the last century.
    """
    made = parse_format(written, time=True)
    moment = read_micros(text, made, 1950 if made.needs_pivot else None, None)
    return moment.dt.year().is_between(_FIRST, _LAST).fill_null(False)
