"""From parsed SQL to Polars: only what is written here exists."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlglot import exp

from casemodel import Place, RefusedError
from mappings.expressions import calculate, functions
from mappings.expressions.parse import Expression, chain, column_name, position, refusal
from mappings.expressions.typed import (
    BOOLEAN,
    DATE,
    INSTANT,
    INTEGER,
    INTERVAL,
    NUMBER,
    TEXT,
    TYPE_OF_KIND,
    Typed,
    as_number,
    constant,
    folded,
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
_COMPARE: dict[type[exp.Expr], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    exp.EQ: lambda a, b: a == b, exp.NEQ: lambda a, b: a != b, exp.GT: lambda a, b: a > b, exp.GTE: lambda a, b: a >= b,
    exp.LT: lambda a, b: a < b, exp.LTE: lambda a, b: a <= b,
    exp.NullSafeEQ: lambda a, b: a.eq_missing(b), exp.NullSafeNEQ: lambda a, b: a.ne_missing(b),
}  # fmt: skip
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT, exp.LT: exp.GT, exp.GTE: exp.LTE, exp.LTE: exp.GTE,
}  # fmt: skip
_NUMERIC: dict[type[exp.Expr], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    exp.Add: lambda a, b: a + b, exp.Sub: lambda a, b: a - b, exp.Mul: lambda a, b: a * b, exp.Mod: calculate.remainder,
}  # fmt: skip
_LEAVES = frozenset({exp.Column, exp.Literal})
_AT = " (at character "


def to_polars(
    expression: Expression,
    resolve: Resolve,
    *,
    alone: pl.Expr | None = None,
    numbers: frozenset[str] = frozenset(),
) -> pl.Expr:
    """Translate an expression.

    Args:
        expression: as parsed.
        resolve: gives the Polars expression and type of a name.
        alone: Boolean, never NULL: rows that are a group of their own (no value in a column of ``together``), so that
            no window sees others of them that happen to be in the same batch.
        numbers: names, in small letters, of texts that are numbers in their canonical form.

    Raises:
        RefusedError: MAP-103 something that is not on the list, MAP-104 kinds that do not go together, MAP-105 a
            pattern or constant that cannot be used.
    """
    return Translator(expression.place, resolve, alone, numbers).translate(expression.tree).expr


def translated(
    expression: Expression,
    resolve: Resolve,
    *,
    alone: pl.Expr | None = None,
    numbers: frozenset[str] = frozenset(),
) -> tuple[pl.Expr, pl.DataType | None]:
    """Translate as `to_polars` does; returns the type of the result too, where its kind alone says it."""
    made = Translator(expression.place, resolve, alone, numbers).translate(expression.tree)
    return made.expr, TYPE_OF_KIND.get(made.kind)


def result_type(expression: Expression, schema: Mapping[str, pl.DataType]) -> pl.DataType:
    """Return the type of an expression over columns of these types; names match in any case.

    Raises:
        RefusedError: as `to_polars`, and MAP-015 for a name that the schema does not have.
    """
    names = {name.casefold(): name for name in schema}

    def resolve(name: str) -> tuple[pl.Expr, pl.DataType]:
        known = names.get(name.casefold())
        if known is None:
            near = difflib.get_close_matches(name.casefold(), list(names), n=1)
            hint = f"Did you mean '{names[near[0]]}'?" if near else f"Columns: {', '.join(schema)}."
            raise refusal("MAP-015", f"'{name}' is not a column here", expression.place, hint)
        return pl.col(known), schema[known]

    return pl.LazyFrame(schema=schema).select(x=to_polars(expression, resolve)).collect_schema()["x"]


@dataclass(frozen=True)
class Translator:
    """Walks a tree; every kind of node that it does not know is refused."""

    place: Place
    resolve: Resolve
    alone: pl.Expr | None = None
    numbers: frozenset[str] = frozenset()

    def translate(self, node: exp.Expr) -> Typed:
        """Translate a node and what is below it; a refusal says where the innermost part refused begins."""
        try:
            if type(node) in _LEAVES:
                return self._leaf(node)
            if isinstance(node, exp.Window):
                return window(self, node)
            made = self._plain(node) or self._logic(node) or self._comparison(node) or self._arithmetic(node)
            return folded(made if made is not None else functions.call(self, node))
        except RefusedError as error:
            begins = position(node)
            if _AT in error.message or begins is None:
                raise
            raise refusal(error.code, f"{error.message}{_AT}{begins})", error.place, error.hint) from None

    def same(self, nodes: Sequence[exp.Expr]) -> list[Typed]:
        """Translate values that are to be of one kind; constant texts beside dates are read as dates."""
        values = [self.translate(node) for node in nodes]
        if any(value.kind == DATE for value in values):
            return [self._as_date(value) for value in values]
        return values

    def _leaf(self, node: exp.Expr) -> Typed:
        if isinstance(node, exp.Column):
            name = column_name(node)
            expr, dtype = self.resolve(name)
            number = calculate.to_number(expr) if name.casefold() in self.numbers else None
            return Typed(expr, kind_of(dtype), number=number)
        return literal(str(node.this)) if node.is_string else self._number(str(node.this))

    def _plain(self, node: exp.Expr) -> Typed | None:
        if isinstance(node, exp.Paren):
            return self.translate(node.unnest())
        if isinstance(node, exp.Boolean):
            return literal(bool(node.this))
        if isinstance(node, exp.Null):
            return literal(None)
        if isinstance(node, exp.Interval):
            return self._interval(node)
        if (
            type(node) is exp.Cast
            and isinstance(node.this, exp.Literal)
            and node.this.is_string
            and node.to.is_type("date")
        ):
            return self._as_date(literal(str(node.this.this)))
        return None

    def _number(self, written: str) -> Typed:
        if written.isascii() and written.isdigit() and int(written) < 2**63:
            return literal(int(written))
        if re.fullmatch(r"[0-9]{0,15}\.[0-9]{0,15}", written):
            return literal(float(written))
        raise refusal(
            "MAP-105",
            f"the number {written} is too large, or written with an exponent",
            self.place,
            "Whole numbers have at most 18 digits, others at most 15 before and 15 behind the point.",
        )

    def _interval(self, node: exp.Interval) -> Typed:
        unit = str(node.args["unit"].name).upper().rstrip("S") if node.args.get("unit") else ""
        count = str(node.this.name) if node.this is not None else ""
        if unit not in _UNITS or not re.fullmatch(r"[+-]?\d{1,6}", count):
            raise refusal("MAP-105", "the interval cannot be read", self.place, "Write INTERVAL '30 days'.")
        if unit in ("YEAR", "MONTH") and abs(int(count)) > 9999 * (12 if unit == "MONTH" else 1):
            raise refusal("MAP-105", "the interval is longer than 9999 years", self.place, "Write a shorter one.")
        return Typed(pl.lit(None), INTERVAL, literal=f"{int(count)} {unit}")

    def _logic(self, node: exp.Expr) -> Typed | None:
        if isinstance(node, (exp.And, exp.Or)):
            word = type(node).__name__.upper()
            sides = [need(self.translate(side), BOOLEAN, word, self.place) for side in chain(node)]
            return Typed(pl.all_horizontal(sides) if word == "AND" else pl.any_horizontal(sides), BOOLEAN)
        if isinstance(node, exp.Not):
            return Typed(need(self.translate(node.this), BOOLEAN, "NOT", self.place).not_(), BOOLEAN)
        if isinstance(node, exp.Case):
            return self._case(node)
        return None

    def _case(self, node: exp.Case) -> Typed:
        of = self.translate(node.this) if node.this is not None else None
        conditions = []
        for branch in node.args["ifs"]:
            when = self.translate(branch.this)
            conditions.append(need(when, BOOLEAN, "WHEN", self.place) if of is None else self.compare(exp.EQ, of, when))
        *results, default = self.same(
            [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default") or exp.Null()]
        )
        kind = same_kind([*results, default], "CASE", self.place)
        chain = pl.when(conditions[0]).then(results[0].expr)
        for condition, result in zip(conditions[1:], results[1:], strict=True):
            chain = chain.when(condition).then(result.expr)  # type: ignore[assignment]
        return Typed(chain.otherwise(default.expr), kind)

    def _comparison(self, node: exp.Expr) -> Typed | None:
        if type(node) in _COMPARE:
            sides = self.translate(node.this), self.translate(node.args["expression"])
            return Typed(self.compare(type(node), *sides), BOOLEAN)
        made: pl.Expr | None = None
        if isinstance(node, exp.Is):
            made = self._is(node)
        elif isinstance(node, exp.In):
            made = self._in(node)
        elif isinstance(node, exp.Between):
            if node.args.get("symmetric"):
                raise refusal(
                    "MAP-103", "BETWEEN SYMMETRIC is not available", self.place, "Write the lower value first."
                )
            value, low, high = self.same([node.this, node.args["low"], node.args["high"]])
            made = self.compare(exp.GTE, value, low) & self.compare(exp.LTE, value, high)
        elif isinstance(node, (exp.Like, exp.ILike)):
            made = self._like(node, "\\")
        elif isinstance(node, exp.Escape) and isinstance(node.this, (exp.Like, exp.ILike)):
            sign = str(constant(self.translate(node.expression), TEXT, "the sign of ESCAPE", self.place))
            if len(sign) != 1:
                raise refusal("MAP-105", "ESCAPE needs one character", self.place, "Write ESCAPE '!'.")
            made = self._like(node.this, sign)
            node = node.this
        elif isinstance(node, (exp.RegexpLike, exp.RegexpILike)):
            made = self._regex(node)
        if made is None:
            return None
        return Typed(made.not_() if node.args.get("negate") else made, BOOLEAN)

    def compare(self, kind: type[exp.Expr], left: Typed, right: Typed) -> pl.Expr:
        """Compare two values; a constant text stands for a date where the other side is one."""
        left, right = self._dated(left, right), self._dated(right, left)
        flagged = [side for side in (left, right) if side.number is not None]
        # an equal sign beside a text asks for the text: nothing is a number and '' at once
        if flagged and (len(flagged) == 2 or kind in _MIRRORED or {left.kind, right.kind} & {INTEGER, NUMBER}):
            left, right = as_number(left), as_number(right)
        same_kind([left, right], "a comparison", self.place)
        if not left.expr.meta.root_names():
            # Polars stops at a constant before a CASE whose rows all take the same constant; behind it, it does not.
            left, right, kind = right, left, _MIRRORED.get(kind, kind)
        return _COMPARE[kind](left.expr, right.expr)

    def _dated(self, value: Typed, other: Typed) -> Typed:
        return self._as_date(value) if other.kind == DATE else value

    def _as_date(self, value: Typed) -> Typed:
        """Return a constant text as a date; other values stay what they are."""
        if not (value.is_literal and value.kind == TEXT):
            return value
        if value.literal is None:
            return Typed(pl.lit(None, pl.Date), DATE)
        written = str(value.literal)
        try:
            if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", written):
                return Typed(pl.lit(date.fromisoformat(written)), DATE)
        except ValueError:
            pass
        raise refusal("MAP-105", "the text beside a date is no date", self.place, "Write it as '2012-01-31'.")

    def _is(self, node: exp.Is) -> pl.Expr:
        value = self.translate(node.this)
        if isinstance(node.expression, exp.Null):
            return value.expr.is_null()
        if isinstance(node.expression, exp.Boolean):
            return need(value, BOOLEAN, "IS", self.place).eq_missing(pl.lit(bool(node.expression.this)))
        raise self.unknown(node)

    def _in(self, node: exp.In) -> pl.Expr:
        if not node.expressions:
            raise self.unknown(node.args.get("query") or node)
        value, *items = self.same([node.this, *node.expressions])
        kind = same_kind([value, *items], "IN", self.place)
        if kind in (TEXT, INTEGER) and all(item.is_literal for item in items) and value.kind == kind:
            known = [item.literal for item in items if item.literal is not None]
            inner = pl.String() if kind == TEXT else pl.Int64()
            found = value.expr.is_in(pl.lit(pl.Series([known], dtype=pl.List(inner))))
            # SQL: a NULL in the list makes "not found" unknown.
            return pl.when(found).then(pl.lit(True)) if len(known) < len(items) else found
        return pl.any_horizontal([self.compare(exp.EQ, value, item) for item in items])

    def _like(self, node: exp.Like | exp.ILike, escape: str) -> pl.Expr:
        text = need(self.translate(node.this), TEXT, "LIKE", self.place)
        pattern = str(constant(self.translate(node.expression), TEXT, "the pattern of LIKE", self.place))
        out, signs = "", iter(pattern)
        for char in signs:
            if char == escape:
                char = next(signs, "")
                if not char:
                    raise refusal(
                        "MAP-105", "the pattern of LIKE ends with its escape sign", self.place, "Write it twice."
                    )
                out += re.escape(char)
            else:
                out += ".*" if char == "%" else "." if char == "_" else re.escape(char)
        flags = "(?is)" if isinstance(node, exp.ILike) else "(?s)"
        return text.str.contains(rf"{flags}\A{out}\z")

    def _regex(self, node: exp.RegexpLike | exp.RegexpILike) -> pl.Expr:
        text = need(self.translate(node.this), TEXT, "~", self.place)
        pattern = regex(self.translate(node.expression), "~", self.place)
        flag = node.args.get("flag")
        flags = (
            str(constant(self.translate(flag), TEXT, "the flag of REGEXP_LIKE", self.place)) if flag is not None else ""
        )
        if flags not in ("", "i"):
            raise refusal("MAP-105", "REGEXP_LIKE knows the flag i", self.place, "Use 'i' or none.")
        return text.str.contains(f"(?i){pattern}" if flags or isinstance(node, exp.RegexpILike) else pattern)

    def _arithmetic(self, node: exp.Expr) -> Typed | None:
        if isinstance(node, exp.Neg):
            value = self.translate(node.this)
            if value.is_literal and isinstance(value.literal, int | float):
                return literal(-value.literal)
            number = need(value, (INTEGER, NUMBER), "-", self.place)
            return Typed(-number if value.kind == NUMBER else calculate.whole(0 - calculate.wide(number)), value.kind)
        if type(node) is exp.Div:
            sides = [
                need(self.translate(side), (INTEGER, NUMBER), "/", self.place)
                for side in (node.this, node.args["expression"])
            ]
            above, below = (side.cast(pl.Float64) for side in sides)
            return Typed(calculate.finite(above / pl.when(below != 0).then(below)), NUMBER)
        make = _NUMERIC.get(type(node))
        if make is None:
            return None
        left, right = self.translate(node.this), self.translate(node.args["expression"])
        moved = (
            self._moved(left, right, minus=isinstance(node, exp.Sub)) if isinstance(node, (exp.Add, exp.Sub)) else None
        )
        return moved if moved is not None else self._calculated(make, left, right)

    def _calculated(self, make: Callable[[pl.Expr, pl.Expr], pl.Expr], left: Typed, right: Typed) -> Typed:
        numbers = [need(side, (INTEGER, NUMBER), "arithmetic", self.place) for side in (left, right)]
        kind = same_kind([left, right], "arithmetic", self.place)
        if kind == NUMBER:
            return Typed(calculate.finite(make(*(number.cast(pl.Float64) for number in numbers))), NUMBER)
        return Typed(calculate.whole(make(*(calculate.wide(number) for number in numbers))), INTEGER)

    def _moved(self, left: Typed, right: Typed, *, minus: bool) -> Typed | None:
        """Return a date or instant moved, or the days between two dates; None when these are no dates."""
        if INTERVAL in (left.kind, right.kind):
            if left.kind == INTERVAL and not minus:
                left, right = right, left
            return self._by_interval(left, right, minus=minus)
        if minus and left.kind == right.kind == DATE:
            return Typed((left.expr - right.expr).dt.total_days(), INTEGER)
        if left.kind == INTEGER and right.kind == DATE and not minus:
            left, right = right, left
        if left.kind == DATE and right.kind == INTEGER:
            return Typed(calculate.add_days(left.expr, 0 - right.expr if minus else right.expr), DATE)
        return None

    def _by_interval(self, moved: Typed, by: Typed, *, minus: bool) -> Typed:
        if by.kind != INTERVAL or moved.kind not in (DATE, INSTANT):
            raise mismatch("an interval", [moved.kind if by.kind == INTERVAL else by.kind], self.place)
        written, unit = str(by.literal).split()
        count = -int(written) if minus else int(written)
        if moved.kind == INSTANT:
            return Typed(calculate.move_instant(moved.expr, f"{count}{_UNITS[unit]}"), INSTANT)
        if unit in ("HOUR", "MINUTE", "SECOND"):
            raise refusal("MAP-104", "a date has no time to move", self.place, "Use days, weeks, months or years.")
        if unit in ("DAY", "WEEK"):
            return Typed(calculate.add_days(moved.expr, pl.lit(count * (7 if unit == "WEEK" else 1))), DATE)
        return Typed(calculate.add_months(moved.expr, count * (12 if unit == "YEAR" else 1)), DATE)

    def unknown(self, node: exp.Expr) -> Exception:
        """Return the refusal of something that is not on the list."""
        return functions.unknown(node, self.place)
