"""One record out of many rows: which row leads, and which columns its rows disagree about (``one_per``)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mappings.compile_expr import use
from mappings.compile_names import Columns, Made
from mappings.compile_order import number_columns, order_key
from mappings.compile_program import Flag, RunContext
from mappings.compile_state import Compiler

LEAD, LEAD_KEY = "_is_lead", "_lead_key"


def add_lead(compiler: Compiler) -> None:
    """Add the columns that say whether a row leads its record, and the key of the leading row.

    The first row in the order of ``order`` leads, then that of the source key; NULLs come last.
    """
    one_per = compiler.file.model.source.one_per
    assert one_per is not None
    made: list[Made] = []
    order: list[str] = []
    descending: list[bool] = []
    for index, (name, down) in enumerate(one_per.order):
        column = use(compiler, name, ("source", "one_per", "order", index), made)
        if column is not None:
            order.append(column)
            descending.append(down)

    numeric = number_columns(compiler.relation, made)

    def call(frame: pl.DataFrame, _: RunContext) -> Sequence[pl.Series]:
        keys = [order_key(name, number=name in numeric) for name in order]
        rows = frame.select("_group", "_member", "_key", *keys).with_row_index("_at")
        leads = (
            rows.lazy()
            .filter(pl.col("_member"))
            .sort([*order, "_key", "_at"], descending=[*descending, False, False], nulls_last=True)
            .group_by("_group", maintain_order=True)
            .agg(pl.col("_at").first().alias("_first"), pl.col("_key").first().alias(LEAD_KEY))
        )
        joined = (
            rows.lazy().select("_group", "_member", "_at").join(leads, on="_group", how="left", maintain_order="left")
        )
        lead = pl.col("_member") & (pl.col("_at") == pl.col("_first")).fill_null(False)
        return (
            joined.select(lead.alias(LEAD), pl.when("_member").then(LEAD_KEY).alias(LEAD_KEY))
            .collect(engine="in-memory")
            .get_columns()
        )

    types: dict[str, pl.DataType] = {LEAD: pl.Boolean(), LEAD_KEY: pl.String()}
    compiler.program.call(["_group", "_member", "_key", *order], types, call)


def add_differs(compiler: Compiler) -> None:
    """Add a flag for each source column that a record takes from its lead row although its rows disagree about it."""
    one_per = compiler.file.model.source.one_per
    assert one_per is not None
    if one_per.differ == "ignore":
        return
    model = compiler.file.model
    named = [*one_per.by, *(name for name, _ in one_per.order), *(part.column for part in model.source.key)]
    if model.source.unpivot:
        named += model.source.unpivot.into
    apart = frozenset(name.casefold() for name in named)
    columns: dict[str, None] = {}
    for made in compiler.lead_deps:
        columns.update(made.sources(apart))
    asked = list(columns)
    if not asked:
        return
    program = compiler.program
    made_columns = {name: program.name(f"differs:{name}") for name in asked}

    def call(frame: pl.DataFrame, _: RunContext) -> Sequence[pl.Series]:
        rows = frame.select(
            "_group", "_member", LEAD, *(pl.col(Columns.PREFIX + name).alias(new) for name, new in made_columns.items())
        )
        several = (
            rows.lazy()
            .filter(pl.col("_member"))
            .group_by("_group")
            .agg((pl.col(new).n_unique() > 1) for new in made_columns.values())
        )
        joined = rows.lazy().select("_group", LEAD).join(several, on="_group", how="left", maintain_order="left")
        return (
            joined.select((pl.col(LEAD) & pl.col(new).fill_null(False)).alias(new) for new in made_columns.values())
            .collect(engine="in-memory")
            .get_columns()
        )

    needs = ["_group", "_member", LEAD, *(Columns.PREFIX + name for name in asked)]
    program.call(needs, dict.fromkeys(made_columns.values(), pl.Boolean()), call)
    severity = "error" if one_per.differ == "reject" else "warning"
    program.flags += [Flag(new, name, "value-differs", severity, name) for name, new in made_columns.items()]
