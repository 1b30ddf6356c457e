"""Expressions with their kind: SQL's types as far as mappings need them."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import polars as pl

from casemodel import Place, RefusedError
from mappings.expressions.calculate import to_number
from mappings.expressions.parse import refusal

TEXT, INTEGER, NUMBER, BOOLEAN, DATE, INSTANT, INTERVAL, NULL = (
    "text", "integer", "number", "boolean", "date", "instant", "interval", "null",
)  # fmt: skip


class Typed(NamedTuple):
    """A Polars expression and its kind; ``literal`` holds a constant's Python value, of an interval ``30 DAY``.

    ``number`` is filled where the expression is text that a stage ``number`` made: what it is when it is compared.
    """

    expr: pl.Expr
    kind: str
    literal: str | int | float | bool | None = None
    is_literal: bool = False
    number: pl.Expr | None = None


TYPE_OF_KIND: Final[dict[str, pl.DataType]] = {TEXT: pl.String(), BOOLEAN: pl.Boolean(), DATE: pl.Date()}
"""The kinds that are one type only; numbers and instants come in several."""


def kind_of(dtype: pl.DataType) -> str:
    """Return the kind of a column's type."""
    if dtype == pl.String:
        return TEXT
    if dtype == pl.Boolean:
        return BOOLEAN
    if dtype == pl.Date:
        return DATE
    if isinstance(dtype, pl.Datetime):
        return INSTANT
    if dtype == pl.Null:
        return NULL
    return INTEGER if dtype.is_integer() else NUMBER


def literal(value: str | int | float | bool | None) -> Typed:
    """Return a constant."""
    # 0.0 and -0.0 are equal and not the same, so that fractions are not looked up
    return Typed(pl.lit(value), NUMBER, value, True) if isinstance(value, float) else _literal(value)


@lru_cache(maxsize=2_048, typed=True)
def _literal(value: str | int | bool | None) -> Typed:
    if value is None:
        return Typed(pl.lit(None), NULL, None, True)
    kind = BOOLEAN if isinstance(value, bool) else TEXT if isinstance(value, str) else INTEGER
    # As wide as the columns it meets, so that no comparison depends on the size of a constant.
    expr = pl.lit(value, pl.Int64) if kind == INTEGER else pl.lit(value)
    return Typed(expr, kind, value, True)


def folded(value: Typed) -> Typed:
    """Return an expression without columns as the constant it is: Polars takes some of those for columns of one row."""
    if value.is_literal or value.kind == INTERVAL or value.expr.meta.root_names():
        return value
    made = pl.select(value.expr).to_series()
    dtype = pl.Null() if value.kind == NULL else _DTYPES[value.kind]
    result = made.cast(dtype).item()
    known = result if isinstance(result, str | int | float | bool) else None
    return Typed(pl.lit(result, dtype), value.kind, known, is_literal=known is not None or result is None)


def as_number(value: Typed) -> Typed:
    """Return a text as the number that it writes, NULL where it writes none; other kinds stay what they are."""
    if value.number is not None:
        return Typed(value.number, NUMBER)
    return Typed(to_number(value.expr), NUMBER) if value.kind == TEXT else value


def as_text(value: Typed) -> pl.Expr:
    """Return a value as text, as TRY_CAST to TEXT does."""
    if value.kind == TEXT:
        return value.expr
    if value.kind == BOOLEAN:
        return pl.when(value.expr).then(pl.lit("true")).when(value.expr.not_()).then(pl.lit("false"))
    if value.kind == INTERVAL:
        raise RefusedError("MAP-104", "an interval is no text", hint="Add it to a date.")
    if value.kind == INSTANT:
        return value.expr.dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
    return value.expr.cast(pl.String)


def same_kind(values: list[Typed], what: str, place: Place) -> str:
    """Return the kind that values have in common; NULL goes with everything, integers with numbers."""
    kinds = {value.kind for value in values} - {NULL}
    if not kinds:
        return NULL
    if kinds <= {INTEGER, NUMBER}:
        return NUMBER if NUMBER in kinds else INTEGER
    if len(kinds) > 1:
        raise mismatch(what, sorted(kinds), place)
    return kinds.pop()


def mismatch(what: str, kinds: list[str], place: Place) -> RefusedError:
    """Return the refusal of kinds that do not go together."""
    return refusal(
        "MAP-104",
        f"{what} cannot take {' and '.join(kinds)}",
        place,
        "Source columns are text: compare them with text ('5'), or write TRY_CAST(column AS INTEGER).",
    )


def need(value: Typed, kind: str | tuple[str, ...], what: str, place: Place) -> pl.Expr:
    """Return the expression of a value that must be of a kind."""
    wanted = (kind,) if isinstance(kind, str) else kind
    if value.kind == NULL:
        return value.expr.cast(_DTYPES[wanted[0]])
    if value.kind not in wanted:
        raise refusal(
            "MAP-104",
            f"{what} needs {' or '.join(wanted)}, but got {value.kind}",
            place,
            "Source columns are text; TRY_CAST makes a number of one, a value with a date: stage makes a date.",
        )
    return value.expr


_DTYPES: dict[str, pl.DataType] = {
    TEXT: pl.String(), INTEGER: pl.Int64(), NUMBER: pl.Float64(), BOOLEAN: pl.Boolean(), DATE: pl.Date(),
    INSTANT: pl.Datetime("us", "UTC"), INTERVAL: pl.Duration("us"),
}  # fmt: skip


def constant(value: Typed, kind: str, what: str, place: Place) -> str | int | float | bool:
    """Return the Python value of a constant of a kind."""
    if not value.is_literal or value.kind != kind or value.literal is None:
        raise refusal("MAP-105", f"{what} must be a constant {kind}", place, "Write it out in the expression.")
    return value.literal


def regex(value: Typed, what: str, place: Place) -> str:
    """Return a constant pattern that Polars accepts; its engine takes linear time, whatever the pattern."""
    pattern = str(constant(value, TEXT, what, place))
    if not _is_regex(pattern):
        raise refusal(
            "MAP-105",
            f"the pattern of {what} is not a regular expression",
            place,
            "Patterns are Rust regular expressions: no look-around, no back-references.",
        )
    return pattern


@lru_cache(maxsize=2_048)
def _is_regex(pattern: str) -> bool:
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError:
        return False
    return True
