"""From parsed SQL to Polars: only what is written here exists."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlglot import exp

from casemodel import Place
from mappings.expressions import functions
from mappings.expressions.parse import Expression, column_name, refusal
from mappings.expressions.typed import (
    BOOLEAN,
    DATE,
    INSTANT,
    INTEGER,
    INTERVAL,
    NULL,
    NUMBER,
    TEXT,
    Typed,
    constant,
    kind_of,
    literal,
    mismatch,
    need,
    regex,
    same_kind,
)
from mappings.expressions.windows import window

Resolve = Callable[[str], tuple[pl.Expr, pl.DataType]]

_UNITS = {"DAY": "d", "WEEK": "w", "MONTH": "mo", "YEAR": "y", "HOUR": "h", "MINUTE": "m", "SECOND": "s"}
_COMPARE: dict[type[exp.Expression], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    exp.EQ: lambda a, b: a == b, exp.NEQ: lambda a, b: a != b, exp.GT: lambda a, b: a > b, exp.GTE: lambda a, b: a >= b,
    exp.LT: lambda a, b: a < b, exp.LTE: lambda a, b: a <= b,
    exp.NullSafeEQ: lambda a, b: a.eq_missing(b), exp.NullSafeNEQ: lambda a, b: a.ne_missing(b),
}  # fmt: skip
_NUMERIC: dict[type[exp.Expression], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    exp.Mul: lambda a, b: a * b,
    # Division by zero is NULL, since an expression may not abort a batch.
    exp.Div: lambda a, b: a.cast(pl.Float64) / pl.when(b != 0).then(b),
    exp.Mod: lambda a, b: a % pl.when(b != 0).then(b),
}


def to_polars(expression: Expression, resolve: Resolve) -> pl.Expr:
    """Translate an expression.

    Args:
        expression: as parsed.
        resolve: gives the Polars expression and type of a name.

    Raises:
        RefusedError: MAP-103 something that is not on the list, MAP-104 kinds that do not go together, MAP-105 a pattern or
            constant that cannot be used.
    """
    return Translator(expression.place, resolve).translate(expression.tree).expr


@dataclass(frozen=True)
class Translator:
    """Walks a tree; every kind of node that it does not know is refused."""

    place: Place
    resolve: Resolve

    def translate(self, node: exp.Expression) -> Typed:
        """Translate a node and what is below it."""
        if isinstance(node, exp.Window):
            return window(self, node)
        made = self._plain(node) or self._logic(node) or self._comparison(node) or self._arithmetic(node)
        return made if made is not None else functions.call(self, node)

    def _plain(self, node: exp.Expression) -> Typed | None:
        if isinstance(node, exp.Paren):
            return self.translate(node.this)
        if isinstance(node, exp.Column):
            expr, dtype = self.resolve(column_name(node))
            return Typed(expr, kind_of(dtype))
        if isinstance(node, exp.Literal):
            if node.is_string:
                return literal(str(node.this))
            return literal(int(node.this) if re.fullmatch(r"\d{1,18}", str(node.this)) else float(node.this))
        if isinstance(node, exp.Boolean):
            return literal(bool(node.this))
        if isinstance(node, exp.Null):
            return literal(None)
        if isinstance(node, exp.Interval):
            return self._interval(node)
        return None

    def _interval(self, node: exp.Interval) -> Typed:
        unit = str(node.args["unit"].name).upper().rstrip("S") if node.args.get("unit") else ""
        count = str(node.this.name) if node.this is not None else ""
        if unit not in _UNITS or not re.fullmatch(r"-?\d{1,6}", count):
            raise refusal("MAP-105", "the interval cannot be read", self.place, "Write INTERVAL '30 days'.")
        return Typed(pl.lit(None), INTERVAL, offset=f"{count}{_UNITS[unit]}")

    def _logic(self, node: exp.Expression) -> Typed | None:
        if isinstance(node, exp.And | exp.Or):
            left, right = (need(self.translate(side), BOOLEAN, type(node).__name__.upper(), self.place)
                           for side in (node.left, node.right))
            return Typed(left & right if isinstance(node, exp.And) else left | right, BOOLEAN)
        if isinstance(node, exp.Not):
            return Typed(need(self.translate(node.this), BOOLEAN, "NOT", self.place).not_(), BOOLEAN)
        if isinstance(node, exp.Case):
            return self._case(node)
        return None

    def _case(self, node: exp.Case) -> Typed:
        of = self.translate(node.this) if node.this is not None else None
        conditions, results = [], []
        for branch in node.args["ifs"]:
            when = self.translate(branch.this)
            conditions.append(
                need(when, BOOLEAN, "WHEN", self.place) if of is None else self.compare(exp.EQ, of, when)
            )
            results.append(self.translate(branch.args["true"]))
        default = self.translate(node.args["default"]) if node.args.get("default") is not None else literal(None)
        kind = same_kind([*results, default], "CASE", self.place)
        chain = pl.when(conditions[0]).then(results[0].expr)
        for condition, result in zip(conditions[1:], results[1:], strict=True):
            chain = chain.when(condition).then(result.expr)  # type: ignore[assignment]
        return Typed(chain.otherwise(default.expr), kind)

    def _comparison(self, node: exp.Expression) -> Typed | None:
        for kind in _COMPARE:
            if type(node) is kind:
                return Typed(self.compare(kind, self.translate(node.left), self.translate(node.right)), BOOLEAN)
        made: pl.Expr | None = None
        if isinstance(node, exp.Is):
            made = self._is(node)
        elif isinstance(node, exp.In):
            made = self._in(node)
        elif isinstance(node, exp.Between):
            value = self.translate(node.this)
            made = self.compare(exp.GTE, value, self.translate(node.args["low"])) & self.compare(
                exp.LTE, value, self.translate(node.args["high"])
            )
        elif isinstance(node, exp.Like | exp.ILike):
            made = self._like(node)
        elif isinstance(node, exp.RegexpLike):
            text = need(self.translate(node.this), TEXT, "~", self.place)
            made = text.str.contains(regex(self.translate(node.expression), "~", self.place))
        if made is None:
            return None
        return Typed(made.not_() if node.args.get("negate") else made, BOOLEAN)

    def compare(self, kind: type[exp.Expression], left: Typed, right: Typed) -> pl.Expr:
        """Compare two values; a constant text stands for a date where the other side is one."""
        left, right = self._dated(left, right), self._dated(right, left)
        same_kind([left, right], "a comparison", self.place)
        return _COMPARE[kind](left.expr, right.expr)

    def _dated(self, value: Typed, other: Typed) -> Typed:
        if other.kind == DATE and value.is_literal and value.kind == TEXT:
            try:
                return Typed(pl.lit(date.fromisoformat(str(value.literal))), DATE)
            except ValueError:
                raise mismatch("a comparison", [DATE, TEXT], self.place) from None
        return value

    def _is(self, node: exp.Is) -> pl.Expr:
        value = self.translate(node.this)
        if isinstance(node.expression, exp.Null):
            return value.expr.is_null()
        if isinstance(node.expression, exp.Boolean):
            return need(value, BOOLEAN, "IS", self.place).eq_missing(pl.lit(bool(node.expression.this)))
        raise self.unknown(node)

    def _in(self, node: exp.In) -> pl.Expr:
        if not node.expressions:
            raise self.unknown(node)
        value = self.translate(node.this)
        items = [self.translate(item) for item in node.expressions]
        kind = same_kind([value, *items], "IN", self.place)
        if kind in (TEXT, INTEGER) and all(item.is_literal for item in items) and value.kind == kind:
            known = [item.literal for item in items if item.literal is not None]
            found = value.expr.is_in(known)
            # SQL: a NULL in the list makes "not found" unknown.
            return pl.when(found).then(pl.lit(True)) if len(known) < len(items) else found
        return pl.any_horizontal([self.compare(exp.EQ, value, item) for item in items])

    def _like(self, node: exp.Like | exp.ILike) -> pl.Expr:
        text = need(self.translate(node.this), TEXT, "LIKE", self.place)
        pattern = str(constant(self.translate(node.expression), TEXT, "the pattern of LIKE", self.place))
        parts = [".*" if char == "%" else "." if char == "_" else re.escape(char) for char in pattern]
        flags = "(?is)" if isinstance(node, exp.ILike) else "(?s)"
        return text.str.contains(f"{flags}^{''.join(parts)}$")

    def _arithmetic(self, node: exp.Expression) -> Typed | None:
        if isinstance(node, exp.Neg):
            value = self.translate(node.this)
            if value.is_literal and isinstance(value.literal, int | float):
                return literal(-value.literal)
            return Typed(-need(value, (INTEGER, NUMBER), "-", self.place), value.kind)
        if isinstance(node, exp.Add | exp.Sub):
            return self._sum(self.translate(node.left), self.translate(node.right), minus=isinstance(node, exp.Sub))
        for kind, make in _NUMERIC.items():
            if type(node) is kind:
                sides = [self.translate(node.left), self.translate(node.right)]
                exprs = [need(side, (INTEGER, NUMBER), "arithmetic", self.place) for side in sides]
                found = NUMBER if kind is exp.Div else same_kind(sides, "arithmetic", self.place)
                return Typed(make(*exprs), found)
        return None

    def _sum(self, left: Typed, right: Typed, *, minus: bool) -> Typed:
        if right.kind == INTERVAL and left.kind in (DATE, INSTANT):
            negative = right.offset.startswith("-") != minus
            return Typed(left.expr.dt.offset_by(("-" if negative else "") + right.offset.lstrip("-")), left.kind)
        if minus and left.kind == right.kind == DATE:
            return Typed((left.expr - right.expr).dt.total_days(), INTEGER)
        kind = same_kind([left, right], "arithmetic", self.place)
        if kind not in (INTEGER, NUMBER, NULL):
            raise mismatch("arithmetic", [kind], self.place)
        return Typed(left.expr - right.expr if minus else left.expr + right.expr, kind)

    def unknown(self, node: exp.Expression) -> Exception:
        """Return the refusal of something that is not on the list."""
        return functions.unknown(node, self.place)
