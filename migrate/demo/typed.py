"""Case numbers as people type them (B27)."""

from __future__ import annotations

import polars as pl

from migrate.demo.cases import case_facts, case_states
from migrate.demo.dice import Dice, part
from migrate.demo.world import World

NOTHING = "zie mail"
"""What stands where a case number should."""


def earlier_case(world: World, dice: Dice, day: pl.Expr) -> pl.Expr:
    """Return a case registered before a working day."""
    return dice.bits("which case") // 2 % ((day * world.cases) // world.days).clip(1).cast(pl.UInt64)


def with_typed_number(world: World, frame: pl.DataFrame, dice: Dice, *, inexact: float) -> pl.DataFrame:
    """Add what was typed for the case in the column ``case`` (NULL: none).

    Args:
        world: the demo.
        frame: has ``case``.
        dice: the dice of its rows.
        inexact: the share of numbers that are not as they should be.

    Returns:
        The frame with ``typed``, ``typed_true`` (the number of the case), ``typed_nr`` (the number that the text
        names, NULL when it names none), ``typed_state`` (what becomes of that case) and ``typed_wrong``.
    """
    ids = frame.select(pl.col("case").cast(pl.Int64).alias("i")).drop_nulls().unique().sort("i")
    cases = case_states(world, case_facts(world, ids)).select(
        pl.col("i").alias("case"), pl.col("ZAAKNR").alias("_nr"), pl.col("state").alias("_state")
    )
    frame = frame.with_columns(pl.col("case").cast(pl.Int64)).join(cases, on="case", how="left", maintain_order="left")
    number, draw, form = pl.col("_nr"), dice.share("typed"), dice.below("typed form", 3)
    digits = number.str.extract(r"^Z?\d{4}[.-]0*(\d+)$", 1)
    year, new = number.str.extract(r"(\d{4})", 1), number.str.starts_with("Z")
    # A number of six digits is beyond the form of its years: people copy it.
    copied = ~new & (digits.str.len_chars() > 5)
    wrong = part(draw, 0, inexact) & ~copied
    nothing, nowhere, low = (
        part(draw, 0, inexact * 0.1),
        part(draw, inexact * 0.1, inexact * 0.08),
        part(draw, inexact * 0.18, inexact * 0.15),
    )
    short = pl.when(new).then(pl.lit("Z") + year + "-" + digits).otherwise(year + "/" + digits)
    slashed = number.str.replace("-", "/", literal=True).str.replace(".", "-", literal=True)
    odd = pl.when(form == 0).then(short).when(form == 1).then(slashed).otherwise(pl.lit("zk ") + number)
    unknown = pl.when(new).then(pl.lit("Z") + year + "-99999999").otherwise(year + ".999999")
    text = (
        pl.when(nothing)
        .then(pl.lit(NOTHING))
        .when(nowhere)
        .then(unknown)
        .when(low)
        .then(number.str.to_lowercase())
        .when(wrong)
        .then(odd)
        .otherwise(number)
    )
    has = number.is_not_null()
    return frame.with_columns(
        pl.when(has).then(text).alias("typed"),
        number.alias("typed_true"),
        pl.when(has & ~nothing).then(pl.when(nowhere).then(unknown).otherwise(number)).alias("typed_nr"),
        pl.when(has & nowhere).then(pl.lit("unknown")).when(has & ~nothing).then(pl.col("_state")).alias("typed_state"),
        pl.when(has).then(wrong).alias("typed_wrong"),
    ).drop("_nr", "_state")
