"""Windows: looks over the rows of a group, the same whatever else is in the batch."""

from __future__ import annotations

import polars as pl
from sqlglot import exp

from mappings.expressions import calculate
from mappings.expressions.parse import refusal
from mappings.expressions.translation import Translation
from mappings.expressions.typed import INTEGER, NUMBER, Typed, as_number, constant, literal, need

_LAST = 2**32 - 1


def window(translator: Translation, node: exp.Window) -> Typed:
    """Translate ``function OVER (PARTITION BY … ORDER BY …)``.

    Equal rows keep the order in which they are read: that of the source key.
    """
    if node.args.get("spec") is not None:
        raise refusal("MAP-103", "a window frame (ROWS, RANGE) is not allowed", translator.place, "Leave it out.")
    partition = [translator.translate(each).expr for each in node.args.get("partition_by") or ()]
    if not partition:
        raise refusal("MAP-103", "a window needs PARTITION BY", translator.place, "Name the columns of together.")
    if translator.alone is not None:
        partition.append(pl.when(translator.alone).then(pl.int_range(pl.len(), dtype=pl.Int64)).otherwise(-1))
    order = [_rank(translator, each) for each in (node.args["order"].expressions if node.args.get("order") else ())]
    function = node.this
    if isinstance(function, exp.RowNumber | exp.Rank | exp.DenseRank):
        return _place(translator, function, partition, order)
    if isinstance(function, exp.FirstValue | exp.Lag | exp.Lead):
        return _neighbour(translator, function, partition, order)
    return _whole_group(translator, function, partition, ordered=bool(order))


def _rank(translator: Translation, node: exp.Expr) -> pl.Expr:
    """Return a sort key as a number that rises in the asked direction; NULLs last unless asked first."""
    inner, descending = (node.this, bool(node.args.get("desc"))) if isinstance(node, exp.Ordered) else (node, False)
    key = translator.translate(inner)
    ranked = key.expr if key.number is None else key.number
    value = ranked.rank("dense", descending=descending).cast(pl.Int64)
    first = isinstance(node, exp.Ordered) and bool(node.args.get("nulls_first"))
    return value.fill_null(0 if first else _LAST)


def _sorted(order: list[pl.Expr]) -> list[pl.Expr]:
    return [*order, pl.int_range(pl.len(), dtype=pl.Int64)]


def _place(translator: Translation, function: exp.Expr, partition: list[pl.Expr], order: list[pl.Expr]) -> Typed:
    if isinstance(function, exp.RowNumber):
        return Typed(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(partition, order_by=_sorted(order)), INTEGER)
    if not order:
        raise refusal("MAP-103", "RANK needs ORDER BY", translator.place, "Add ORDER BY.")
    keys = pl.struct(key.alias(str(number)) for number, key in enumerate(order))
    place = keys.rank("dense") if isinstance(function, exp.DenseRank) else keys.rank("min")
    return Typed(place.cast(pl.Int64).over(partition), INTEGER)


def _neighbour(translator: Translation, function: exp.Expr, partition: list[pl.Expr], order: list[pl.Expr]) -> Typed:
    value = translator.translate(function.this)
    if isinstance(function, exp.FirstValue):
        return Typed(value.expr.first().over(partition, order_by=_sorted(order)), value.kind)
    steps = function.args.get("offset")
    count = (
        int(constant(translator.translate(steps), INTEGER, "the offset", translator.place)) if steps is not None else 1
    )
    default = (
        translator.translate(function.args["default"]) if function.args.get("default") is not None else literal(None)
    )
    shift = count if isinstance(function, exp.Lag) else -count
    moved = value.expr.shift(shift).over(partition, order_by=_sorted(order))
    if default.literal is None:
        return Typed(moved, value.kind)
    place = pl.int_range(pl.len(), dtype=pl.Int64).over(partition, order_by=_sorted(order))
    size = pl.len().cast(pl.Int64).over(partition)
    outside = place < shift if shift > 0 else place >= size + shift
    return Typed(pl.when(outside).then(default.expr).otherwise(moved), value.kind)


def _whole_group(translator: Translation, function: exp.Expr, partition: list[pl.Expr], *, ordered: bool) -> Typed:
    if ordered:
        raise refusal(
            "MAP-103", "a sum or count over part of a group is not allowed", translator.place, "Leave ORDER BY out."
        )
    if isinstance(function, exp.Count):
        if isinstance(function.this, exp.Star):
            return Typed(pl.len().cast(pl.Int64).over(partition), INTEGER)
        return Typed(translator.translate(function.this).expr.count().cast(pl.Int64).over(partition), INTEGER)
    if isinstance(function, exp.Sum):
        value = translator.translate(function.this)
        number = need(value, (INTEGER, NUMBER), "SUM", translator.place)
        total = (
            calculate.whole(calculate.wide(number).sum()) if value.kind == INTEGER else calculate.finite(number.sum())
        )
        return Typed(pl.when(number.count() > 0).then(total).over(partition), value.kind)
    if isinstance(function, exp.Min | exp.Max):
        value = translator.translate(function.this)
        value = value if value.number is None else as_number(value)
        return Typed(
            (value.expr.min() if isinstance(function, exp.Min) else value.expr.max()).over(partition), value.kind
        )
    raise translator.unknown(function)
