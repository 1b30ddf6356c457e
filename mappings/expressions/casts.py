"""TRY_CAST: the one way from type to type, NULL where it cannot be."""

from __future__ import annotations

import polars as pl
from sqlglot import exp

from mappings.expressions import calculate
from mappings.expressions.parse import refusal
from mappings.expressions.translation import Translation
from mappings.expressions.typed import BOOLEAN, DATE, INSTANT, INTEGER, INTERVAL, NUMBER, TEXT, Typed, as_text

_CASTS = {
    "INT": INTEGER, "BIGINT": INTEGER, "SMALLINT": INTEGER, "DECIMAL": NUMBER, "NUMERIC": NUMBER,
    "DOUBLE": NUMBER, "FLOAT": NUMBER,
    "TEXT": TEXT, "VARCHAR": TEXT, "BOOLEAN": BOOLEAN,
}  # fmt: skip


def try_cast(translator: Translation, node: exp.Expr) -> Typed:
    """Translate TRY_CAST, or refuse its type."""
    wanted = node.args["to"].this.name.upper()
    kind = _CASTS.get(wanted)
    if kind is None:
        raise refusal(
            "MAP-103",
            f"TRY_CAST to {wanted} is not allowed",
            translator.place,
            "Dates are made by a date: stage; TRY_CAST knows INTEGER, NUMERIC, TEXT and BOOLEAN.",
        )
    digits = [int(each.name) for each in node.args["to"].expressions]
    if digits and kind != NUMBER:
        raise refusal(
            "MAP-103", f"TRY_CAST to {wanted} has no length", translator.place, "Use LEFT(a, n), or truncate."
        )
    value = translator.translate(node.this)
    if kind == TEXT:
        return Typed(as_text(value), TEXT)
    if value.kind in (DATE, INSTANT, INTERVAL):
        raise refusal("MAP-104", f"TRY_CAST cannot make {kind} of {value.kind}", translator.place, "Use DATE_PART.")
    return Typed(_cast_number(value, digits) if kind == NUMBER else _cast(value, kind), kind)


def _cast(value: Typed, kind: str) -> pl.Expr:
    """Return a value as INTEGER or BOOLEAN."""
    if value.kind == TEXT:
        return calculate.to_whole(value.expr) if kind == INTEGER else calculate.to_boolean(value.expr)
    if kind == BOOLEAN:
        return value.expr != 0 if value.kind in (INTEGER, NUMBER) else value.expr.cast(pl.Boolean)
    expr = value.expr.cast(pl.Float64).round(0, mode="half_away_from_zero") if value.kind == NUMBER else value.expr
    return expr.cast(pl.Int64, strict=False)


def _cast_number(value: Typed, digits: list[int]) -> pl.Expr:
    """Return a value as a number; DECIMAL(p, s) rounds to s digits and gives NULL where p digits do not suffice."""
    made = calculate.to_number(value.expr) if value.kind == TEXT else value.expr.cast(pl.Float64, strict=False)
    if not digits:
        return made
    precision, scale = digits[0], digits[1] if len(digits) > 1 else 0
    made = made.round(min(scale, 15), mode="half_away_from_zero")
    return pl.when(made.abs() < 10.0 ** (precision - scale)).then(made)
