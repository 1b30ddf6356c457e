"""Columns to order by: what the database itself says holds numbers is ordered as numbers, anything else as text."""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

from casemodel import Relation
from mappings.compile_names import Made

_NUMBERS = re.compile(r"\b(?:TINY|SMALL|MEDIUM|BIG)?INT(?:EGER|[248])?\b|NUM|DEC|SERIAL", re.IGNORECASE)


def holds_numbers(relation: Relation, name: str) -> bool:
    """Return whether the database says that a column, named in any case, holds numbers: then 9 comes before 10."""
    types = {column.name.casefold(): column.declared_type for column in relation.columns}
    return _NUMBERS.search(types.get(name.casefold(), "")) is not None


def number_columns(relation: Relation, made: Iterable[Made]) -> set[str]:
    """Return the columns of what a stage made a number of, and of what the database declares as one."""
    return {
        each.column
        for each in made
        if each.sort == "number" or (each.source is not None and holds_numbers(relation, each.source))
    }


def order_key(name: str, *, number: bool) -> pl.Expr:
    """Return what rows are ordered by; a text in a column of numbers is no number, and comes last."""
    return pl.col(name).cast(pl.Decimal(38, 9), strict=False) if number else pl.col(name)


def rising(number: pl.Expr) -> pl.Expr:
    """Return a number as text that rises with it, for what is compared as text; those below zero come before all others
    and are not told apart, a text that is no number is NULL."""
    whole, fraction = number.str.extract(r"\A\+?([0-9]+)", 1), number.str.extract(r"(\.[0-9]+)\z", 1)
    padded = pl.concat_str(whole.str.zfill(30), fraction.fill_null(""))
    return pl.when(number.str.starts_with("-")).then(pl.lit("-")).otherwise(padded)
