"""The functions that expressions may call; the table is the published list."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

import polars as pl
from sqlglot import exp

from casemodel import Place, RefusedError
from mappings.expressions import calculate
from mappings.expressions.casts import try_cast
from mappings.expressions.parse import chain, refusal
from mappings.expressions.translation import Translation
from mappings.expressions.typed import (
    BOOLEAN,
    DATE,
    INSTANT,
    INTEGER,
    NUMBER,
    TEXT,
    Typed,
    as_number,
    as_text,
    constant,
    literal,
    need,
    regex,
    same_kind,
)
from mappings.replacements import NoSuchGroup, rust_replacement

FUNCTIONS: dict[str, str] = {
    "COALESCE(a, b, …)": "the first that is not NULL",
    "NULLIF(a, b)": "NULL where both are equal, else a",
    "CONCAT(a, b, …)": "texts joined; NULLs are skipped, nothing but NULLs gives the empty text",
    "CONCAT_WS(separator, a, b, …)": "texts joined with a separator; NULLs are skipped",
    "a || b": "texts joined; NULL when either is NULL",
    "UPPER(a), LOWER(a)": "upper and lower case, whatever the machine's language",
    "TRIM(a), LTRIM(a), RTRIM(a)": "without spaces at both ends, the left, the right",
    "LENGTH(a)": "number of characters",
    "LEFT(a, n), RIGHT(a, n)": "the first or last n characters",
    "SUBSTR(a, start[, length])": "part of a text; the first character is 1",
    "REPLACE(a, from, to)": "every occurrence replaced",
    "REGEXP_REPLACE(a, pattern, to[, 'g'])": (
        "the first match replaced, with 'g' every match; \\1 is the first group, \\& the whole match"
    ),
    "REGEXP_LIKE(a, pattern), a ~ pattern": "whether the pattern is found",
    "SPLIT_PART(a, separator, n)": "the n-th part, or the empty text",
    "STARTS_WITH(a, b), ENDS_WITH(a, b)": "whether a begins or ends with b",
    "LPAD(a, n, fill), RPAD(a, n, fill)": "filled to n characters; a longer text is cut to n",
    "REVERSE(a)": "the characters from back to front",
    "CHAR(n)": "the character with code n",
    "GREATEST(a, b, …), LEAST(a, b, …)": "the largest or smallest; NULLs are skipped",
    "ABS(n), ROUND(n[, digits]), FLOOR(n), CEIL(n)": "numbers",
    "DATE_PART('year', d)": "a part of a date (year, month, day), of an instant in UTC also hour, minute, second",
    "STRFTIME(d, format)": "a date, or an instant in UTC, as text: %Y %m %d %y %j, of an instant also %H %M %S",
    "d + INTERVAL '30 days', d - INTERVAL '1 month', d + 30": "a date moved; the last day of a shorter month",
    "d - e": "the days between two dates",
    "DATE '2012-01-31'": "a date; a text beside a date is read as one too",
    "TRY_CAST(a AS INTEGER | NUMERIC | TEXT | BOOLEAN)": "another type, NULL where it cannot be",
    "ROW_NUMBER(), RANK(), DENSE_RANK() OVER (PARTITION BY … ORDER BY …)": "under together: the place in the group",
    "COUNT, SUM, MIN, MAX(a) OVER (PARTITION BY …)": "under together: of the whole group",
    "FIRST_VALUE, LAG, LEAD(a) OVER (PARTITION BY … ORDER BY …)": "under together: of the first, previous or next row",
}
"""What an expression can call, with its meaning; docs/steps.md is made of it."""

_WIDEST = 10_000
_DIRECTIVES = "Ymdyj"
_TIME_DIRECTIVES = "HMS"
_NOTES = {"safe", "coalesce", "single_replace", "is_left", "ignore_nulls", "is_string", "binary"}
"""What sqlglot notes about a function; it changes nothing here."""

NAMES = (
    "ABS", "CEIL", "CHAR", "COALESCE", "CONCAT", "CONCAT_WS", "COUNT", "DATE_PART", "DENSE_RANK", "ENDS_WITH",
    "FIRST_VALUE", "FLOOR", "GREATEST", "LAG", "LEAD", "LEAST", "LEFT", "LENGTH", "LOWER", "LPAD", "LTRIM",
    "MAX", "MIN", "NULLIF", "RANK", "REGEXP_LIKE", "REGEXP_REPLACE", "REPLACE", "REVERSE", "RIGHT", "ROUND",
    "ROW_NUMBER", "RPAD", "RTRIM", "SPLIT_PART", "STARTS_WITH", "STRFTIME", "SUBSTR", "SUM", "TRIM", "TRY_CAST",
    "UPPER",
)  # fmt: skip


def call(translator: Translation, node: exp.Expr) -> Typed:
    """Translate a function call, or refuse it."""
    make = _TABLE.get(type(node))
    _no_more_arguments(node, translator.place)
    if isinstance(node, exp.Anonymous):
        make = {"STRFTIME": _strftime}.get(str(node.this).upper())
    if make is None:
        raise unknown(node, translator.place)
    return make(translator, node)


def _no_more_arguments(node: exp.Expr, place: Place) -> None:
    """Refuse arguments that would be read and then ignored."""
    known = _ARGUMENTS.get(type(node))
    if known is None:
        return
    more = [name for name, value in node.args.items() if value and name not in known and name not in _NOTES]
    if more:
        raise refusal(
            "MAP-103",
            f"{_name(node)} has an argument that is not available",
            place,
            "The functions allowed are listed in docs/steps.md.",
        )


def unknown(node: exp.Expr, place: Place) -> RefusedError:
    """Return the refusal of something that is not on the list."""
    if isinstance(node, exp.CurrentDate | exp.CurrentTimestamp | exp.CurrentTime | exp.CurrentDatetime):
        return refusal("MAP-103", "an expression may not look at the clock", place, "Use as_of: the run's date.")
    if isinstance(node, exp.AggFunc | exp.RowNumber):
        return refusal("MAP-103", f"{_name(node)} looks over rows and needs OVER", place, "Add OVER (PARTITION BY …).")
    if isinstance(node, exp.Cast):
        return refusal(
            "MAP-103", "CAST and :: may abort a batch", place, "Write TRY_CAST(… AS INTEGER), or a date: stage."
        )
    if isinstance(node, exp.Subquery | exp.Select | exp.Exists):
        return refusal("MAP-103", "an expression may not hold a query", place, "Use with: or lookup:.")
    if not isinstance(node, exp.Func):
        return refusal(
            "MAP-103",
            "what stands there is not one of the functions and signs allowed",
            place,
            "The functions allowed are listed in docs/steps.md.",
        )
    name = _name(node)
    near = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"Did you mean {near[0]}?" if near else "The functions allowed are listed in docs/steps.md."
    return refusal("MAP-103", f"{name} is not one of the functions allowed", place, hint)


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper()
    return node.sql_name() if isinstance(node, exp.Func) else type(node).__name__


def _args(translator: Translation, nodes: Sequence[exp.Expr]) -> list[Typed]:
    return [translator.translate(each) for each in nodes]


def _text(translator: Translation, node: exp.Expr, argument: str = "this") -> pl.Expr:
    return need(translator.translate(node.args[argument]), TEXT, _name(node), translator.place)


def _whole(translator: Translation, node: exp.Expr, argument: str) -> pl.Expr:
    return need(translator.translate(node.args[argument]), INTEGER, _name(node), translator.place)


def _constant(translator: Translation, node: exp.Expr, argument: str, kind: str) -> str | int | float | bool:
    return constant(translator.translate(node.args[argument]), kind, f"the argument of {_name(node)}", translator.place)


def _coalesce(translator: Translation, node: exp.Expr) -> Typed:
    values = translator.same([node.this, *node.expressions])
    return Typed(pl.coalesce([each.expr for each in values]), same_kind(values, "COALESCE", translator.place))


def _nullif(translator: Translation, node: exp.Expr) -> Typed:
    left, right = translator.same([node.this, node.args["expression"]])
    equal = translator.compare(exp.EQ, left, right)
    return Typed(pl.when(equal.fill_null(False).not_()).then(left.expr), left.kind)


def _concat(translator: Translation, node: exp.Expr) -> Typed:
    texts = [as_text(each) for each in _args(translator, node.expressions)]
    return Typed(pl.concat_str(texts, ignore_nulls=True), TEXT)


def _concat_ws(translator: Translation, node: exp.Expr) -> Typed:
    separator, *values = _args(translator, node.expressions)
    between = str(constant(separator, TEXT, "the separator of CONCAT_WS", translator.place))
    return Typed(pl.concat_str([as_text(each) for each in values], separator=between, ignore_nulls=True), TEXT)


def _pipe(translator: Translation, node: exp.Expr) -> Typed:
    sides = _args(translator, chain(node))
    return Typed(pl.concat_str([as_text(each) for each in sides]), TEXT)


def _trim(translator: Translation, node: exp.Expr) -> Typed:
    text = _text(translator, node)
    chars = str(_constant(translator, node, "expression", TEXT)) if node.args.get("expression") else " "
    side = str(node.args.get("position") or "BOTH").upper()
    strip = {"LEADING": text.str.strip_chars_start, "TRAILING": text.str.strip_chars_end}.get(
        side, text.str.strip_chars
    )
    return Typed(strip(chars), TEXT)


def _substring(translator: Translation, node: exp.Expr) -> Typed:
    text, start = _text(translator, node), _whole(translator, node, "start") - 1
    before = pl.min_horizontal(start, pl.lit(0, pl.Int64))
    offset = pl.max_horizontal(start, pl.lit(0, pl.Int64))
    if node.args.get("length") is None:
        return Typed(text.str.slice(offset), TEXT)
    length = pl.max_horizontal(_whole(translator, node, "length") + before, pl.lit(0, pl.Int64))
    return Typed(text.str.slice(offset, length), TEXT)


def _replace(translator: Translation, node: exp.Expr) -> Typed:
    old, new = (_constant(translator, node, name, TEXT) for name in ("expression", "replacement"))
    text = _text(translator, node)
    return Typed(text.str.replace_all(str(old), str(new), literal=True) if old else text, TEXT)


def _regexp_replace(translator: Translation, node: exp.Expr) -> Typed:
    pattern = regex(translator.translate(node.args["expression"]), "REGEXP_REPLACE", translator.place)
    written = str(_constant(translator, node, "replacement", TEXT)) if node.args.get("replacement") else ""
    groups = len(pl.Series([""]).str.extract_groups(f"({pattern})").struct.fields) - 1
    try:
        to = rust_replacement(written, groups)
    except NoSuchGroup:
        raise refusal(
            "MAP-105", f"REGEXP_REPLACE names a group of {groups}", translator.place, "Put it into brackets ( )."
        ) from None
    flags = str(_constant(translator, node, "modifiers", TEXT)) if node.args.get("modifiers") else ""
    if set(flags) - set("gi"):
        raise refusal("MAP-105", "REGEXP_REPLACE knows the flags g and i", translator.place, "Use 'g', 'i' or 'gi'.")
    pattern = f"(?i){pattern}" if "i" in flags else pattern
    text = _text(translator, node)
    return Typed(text.str.replace_all(pattern, to) if "g" in flags else text.str.replace(pattern, to), TEXT)


def _split_part(translator: Translation, node: exp.Expr) -> Typed:
    text = _text(translator, node)
    separator = str(_constant(translator, node, "delimiter", TEXT))
    place = int(_constant(translator, node, "part_index", INTEGER))
    if place == 0 or not separator:
        raise refusal(
            "MAP-105",
            "SPLIT_PART counts from 1 and needs a separator",
            translator.place,
            "Write SPLIT_PART(a, ',', 1).",
        )
    part = text.str.split(separator).list.get(place - 1 if place > 0 else place, null_on_oob=True)
    return Typed(pl.when(text.is_not_null()).then(part.fill_null("")), TEXT)


def _pad(translator: Translation, node: exp.Expr) -> Typed:
    width = int(_constant(translator, node, "expression", INTEGER))
    fill = str(_constant(translator, node, "fill_pattern", TEXT)) if node.args.get("fill_pattern") else " "
    if len(fill) != 1 or not 1 <= width <= _WIDEST:
        raise refusal(
            "MAP-105",
            f"LPAD and RPAD fill with one character to 1 to {_WIDEST} of them",
            translator.place,
            "Write LPAD(a, 9, '0').",
        )
    text = _text(translator, node).str.head(width)
    return Typed(text.str.pad_start(width, fill) if node.args.get("is_left") else text.str.pad_end(width, fill), TEXT)


def _chr(translator: Translation, node: exp.Expr) -> Typed:
    code = constant(translator.translate(node.expressions[0]), INTEGER, "the argument of CHAR", translator.place)
    if not 0 < int(code) < 0x110000 or 0xD800 <= int(code) < 0xE000:
        raise refusal("MAP-105", "CHAR needs the code of a character", translator.place, "CHAR(10) is a new line.")
    return literal(chr(int(code)))


def _extreme(translator: Translation, node: exp.Expr) -> Typed:
    values = translator.same([node.this, *node.expressions])
    if any(value.number is not None for value in values):
        values = [as_number(value) for value in values]
    kind = same_kind(values, _name(node), translator.place)
    exprs = [each.expr for each in values]
    return Typed(pl.max_horizontal(exprs) if isinstance(node, exp.Greatest) else pl.min_horizontal(exprs), kind)


def _number(make: Callable[[pl.Expr], pl.Expr]) -> Callable[[Translation, exp.Expr], Typed]:
    def function(translator: Translation, node: exp.Expr) -> Typed:
        value = translator.translate(node.this)
        number = need(value, (INTEGER, NUMBER), _name(node), translator.place)
        if value.kind == INTEGER:
            return Typed(calculate.whole(make(calculate.wide(number))), INTEGER)
        return Typed(make(number), NUMBER)

    return function


def _round(translator: Translation, node: exp.Expr) -> Typed:
    digits = int(_constant(translator, node, "decimals", INTEGER)) if node.args.get("decimals") else 0
    if not 0 <= digits <= 15:
        raise refusal("MAP-105", "ROUND keeps 0 to 15 digits", translator.place, "Write ROUND(a, 2).")
    value = translator.translate(node.this)
    number = need(value, (INTEGER, NUMBER), "ROUND", translator.place)
    # SQL rounds a half away from zero, Polars would round it to the even digit.
    return Typed(number if value.kind == INTEGER else number.round(digits, mode="half_away_from_zero"), value.kind)


def _extract(translator: Translation, node: exp.Expr) -> Typed:
    part = str(node.this.name).lower()
    value = translator.translate(node.args["expression"])
    expr = need(value, (DATE, INSTANT), "DATE_PART", translator.place)
    parts = {"year": expr.dt.year, "month": expr.dt.month, "day": expr.dt.day}
    if value.kind == INSTANT:
        parts |= {"hour": expr.dt.hour, "minute": expr.dt.minute, "second": expr.dt.second}
    if part not in parts:
        raise refusal(
            "MAP-105", f"DATE_PART does not know '{part}'", translator.place, f"Use one of {', '.join(parts)}."
        )
    return Typed(parts[part]().cast(pl.Int64), INTEGER)


def _strftime(translator: Translation, node: exp.Expr) -> Typed:
    if len(node.expressions) != 2:
        raise refusal("MAP-105", "STRFTIME takes a date and a format", translator.place, "Write STRFTIME(day, '%Y').")
    value, form = _args(translator, node.expressions)
    text = str(constant(form, TEXT, "the format of STRFTIME", translator.place))
    expr = need(value, (DATE, INSTANT), "STRFTIME", translator.place)
    known = _DIRECTIVES + (_TIME_DIRECTIVES if value.kind == INSTANT else "")
    # Another directive would abort the batch.
    if not re.fullmatch(rf"(?:[^%]|%%|%-?[{known}])*", text, flags=re.DOTALL):
        raise refusal(
            "MAP-105",
            "the format of STRFTIME has a sign behind % that is not available",
            translator.place,
            f"Use %{', %'.join(known)} and %%.",
        )
    return Typed(expr.dt.strftime(text), TEXT)


def _simple(make: Callable[[pl.Expr], pl.Expr], kind: str) -> Callable[[Translation, exp.Expr], Typed]:
    return lambda translator, node: Typed(make(_text(translator, node)), kind)


_TABLE: dict[type[exp.Expr], Callable[[Translation, exp.Expr], Typed]] = {
    exp.Coalesce: _coalesce, exp.Nullif: _nullif, exp.Concat: _concat, exp.ConcatWs: _concat_ws, exp.DPipe: _pipe,
    exp.Upper: _simple(lambda text: text.str.to_uppercase(), TEXT),
    exp.Lower: _simple(lambda text: text.str.to_lowercase(), TEXT),
    exp.Length: _simple(lambda text: text.str.len_chars().cast(pl.Int64), INTEGER),
    exp.Reverse: _simple(lambda text: text.str.reverse(), TEXT), exp.Trim: _trim,
    exp.Left: lambda t, n: Typed(_text(t, n).str.head(_whole(t, n, "expression")), TEXT),
    exp.Right: lambda t, n: Typed(_text(t, n).str.tail(_whole(t, n, "expression")), TEXT),
    exp.Substring: _substring, exp.Replace: _replace, exp.RegexpReplace: _regexp_replace, exp.SplitPart: _split_part,
    exp.StartsWith: lambda t, n: Typed(_text(t, n).str.starts_with(_text(t, n, "expression")), BOOLEAN),
    exp.EndsWith: lambda t, n: Typed(_text(t, n).str.ends_with(_text(t, n, "expression")), BOOLEAN),
    exp.Pad: _pad, exp.Chr: _chr, exp.Greatest: _extreme, exp.Least: _extreme, exp.Abs: _number(lambda n: n.abs()),
    exp.Floor: _number(lambda n: n.floor()), exp.Ceil: _number(lambda n: n.ceil()), exp.Round: _round,
    exp.Extract: _extract,    exp.TryCast: try_cast,
}  # fmt: skip

_ARGUMENTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Length: frozenset({"this"}), exp.RegexpReplace: frozenset({"this", "expression", "replacement", "modifiers"}),
    exp.Substring: frozenset({"this", "start", "length"}), exp.Trim: frozenset({"this", "expression", "position"}),
    exp.Round: frozenset({"this", "decimals"}), exp.Floor: frozenset({"this"}), exp.Ceil: frozenset({"this"}),
    exp.SplitPart: frozenset({"this", "delimiter", "part_index"}),
    exp.Replace: frozenset({"this", "expression", "replacement"}),
    exp.TryCast: frozenset({"this", "to"}), exp.Chr: frozenset({"expressions"}),
}  # fmt: skip
"""What each function reads; more arguments are refused."""
