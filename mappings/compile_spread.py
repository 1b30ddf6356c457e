"""``spread``: moments of a group that are equal, or were pushed, move up by a step each (10, 10, 11 -> 10, 11, 12)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import polars as pl

from mappings.compile_expr import use
from mappings.compile_names import Made
from mappings.compile_order import number_columns, order_key
from mappings.compile_program import RunContext
from mappings.compile_state import Compiler, Flow
from mappings.compile_target import kind_of_type
from mappings.language import Chain


def spread(compiler: Compiler, flow: Flow, chain: Chain) -> None:
    """Sort the group by (instant, then ``order``) and shift what would be equal to or before its predecessor."""
    if chain.spread is None:
        return
    program, path = compiler.program, (*flow.path, "spread")
    if len(flow.path) > 2:
        compiler.refuse(
            "MAP-021",
            "spread does not go into an alternative",
            path,
            key=True,
            hint="Put it beside try, or in a value.",
        )
        return
    if not compiler.file.model.source.together:
        compiler.refuse(
            "MAP-030",
            "spread looks over rows, which is not possible here",
            path,
            key=True,
            hint="Name the rows that belong together in source: together.",
        )
        return
    if kind_of_type(program.dtype(flow.column)) != "instant":
        compiler.refuse(
            "MAP-021", "spread needs an instant", path, key=True, hint="Add the stage datetime: [format] before it."
        )
        return
    if chain.spread.step == 0:
        compiler.refuse("MAP-021", "a step of nothing spreads nothing", (*path, "step"), hint="Write step: 1 second.")
        return
    made: list[Made] = []
    order = [use(compiler, name, (*path, "order", i), made) for i, name in enumerate(chain.spread.order)]
    flow.deps += made
    names = [name for name in order if name is not None]
    if len(names) < len(order):
        return
    placed, shifted = program.name("spread"), program.name("shifted")
    numeric = number_columns(compiler.relation, made)
    makes: dict[str, pl.DataType] = {placed: program.dtype(flow.column), shifted: pl.Boolean()}
    step, value = timedelta(microseconds=chain.spread.step), flow.column

    def call(frame: pl.DataFrame, _: RunContext) -> Sequence[pl.Series]:
        return placed_moments(frame, value, names, numeric, step, placed, shifted)

    program.call(["_group", "_key", value, *names], makes, call)
    compiler.has_windows = True
    flow.parts = [placed]
    flow.flag(shifted, "moment-shifted", "warning")
    program.mark(flow.owner, "spread", placed)


def placed_moments(
    frame: pl.DataFrame,
    value: str,
    order: list[str],
    numeric: Collection[str],
    step: timedelta,
    placed: str,
    shifted: str,
) -> list[pl.Series]:
    """Return the moments as they are placed, and whether each was shifted, in the order of the frame.

    With n the place of a row in its group, a moment is at least n steps after any before it; so what is left when
    n steps are taken off may never fall: that is a running maximum.
    """
    keys = [order_key(name, number=name in numeric) for name in order]
    rows = frame.select(
        pl.col("_group"),
        pl.when(pl.col("_group").is_null()).then(pl.int_range(pl.len())).otherwise(-1).alias("_alone"),
        pl.col(value).alias("_moment"),
        *(key.alias(f"_order{i}") for i, key in enumerate(keys)),
        pl.col("_key"),
        pl.int_range(pl.len()).alias("_at"),
    )
    by = ["_group", "_alone", "_moment", *(f"_order{i}" for i in range(len(order))), "_key", "_at"]
    steps = pl.int_range(pl.len()).over("_group", "_alone") * pl.lit(step)
    level = (pl.col("_moment") - pl.col("_steps")).cum_max().over("_group", "_alone")
    made = (
        rows.lazy()
        .sort(by, nulls_last=True)
        .with_columns(steps.alias("_steps"))
        .with_columns(pl.when(pl.col("_moment").is_not_null()).then(level + pl.col("_steps")).alias(placed))
        .with_columns((pl.col(placed) != pl.col("_moment")).fill_null(False).alias(shifted))
        .sort("_at")
        .select(placed, shifted)
        .collect(engine="in-memory")
    )
    return made.get_columns()
