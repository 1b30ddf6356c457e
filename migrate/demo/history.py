"""ZKN_STATUS: the status history of the cases, and what is left of cases that were deleted physically."""

from __future__ import annotations

from functools import cache

import polars as pl

from migrate.demo import catalogue, words
from migrate.demo.cases import MAX_PHASES
from migrate.demo.dice import part
from migrate.demo.world import World, clock, compact, day_of

REOPENED, CLOSED_AGAIN = 7, 8
"""Steps of a case after its final status: back to an earlier phase, and final again (Z13)."""


@cache
def phase_names() -> pl.DataFrame:
    """Return the name of each phase of each version of a case type."""
    rows = [(t.code, t.version, n, name) for t in catalogue.CASE_TYPES for n, name in enumerate(t.phases, start=1)]
    return pl.DataFrame(
        rows, schema={"ZTCODE": pl.String, "VERSIE": pl.Int64, "phase": pl.Int64, "STATOMS": pl.String}, orient="row"
    )


def status_rows(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_STATUS, but for STATID, of cases with their `case_states`.

    Adds ``step``, ``phase``, ``day_set`` and ``second`` (the truth), ``no_time``, ``same_moment`` and ``orphan``.
    """
    cases = cases.with_columns(
        (world.dice("same moment", "i").chance("same moment", 0.04) & pl.col("ghost").is_null()).alias("_same")
    )
    frame = pl.concat([_step(world, cases, n) for n in range(1, CLOSED_AGAIN + 1)])
    ghosts = frame.filter(pl.col("ghost").is_not_null()).with_columns(
        pl.col("ghost").alias("ZAAKNR"), pl.lit(True).alias("orphan")
    )
    frame = pl.concat([frame, ghosts]).sort("i", "orphan", "step")
    frame = frame.with_columns(
        (pl.col("i") * 16 + pl.col("step") + pl.when(pl.col("orphan")).then(8).otherwise(0)).alias("sid")
    )
    dice = world.dice("status", "sid")
    draw, phase_draw = dice.share("time"), dice.share("phase")
    # Both of a pair with the same moment have a time, and no status without a time shares its day.
    pair = pl.col("_same") & pl.col("step").is_in([1, 2]) & ~pl.col("orphan")
    no_time = part(draw, 0, 0.308) & ~pair
    odd_phase = part(phase_draw, 0, 0.005) & ~pl.col("orphan")
    return (
        frame.join(phase_names(), on=["ZTCODE", "VERSIE", "phase"], how="left", maintain_order="left")
        .with_columns(
            no_time.alias("no_time"),
            (pair & (pl.col("step") == 2)).alias("same_moment"),
            pl.when(pair)
            .then(world.dice("pair", "i").between("hour", 9, 15) * 3600 + world.dice("pair", "i").below("second", 40))
            .otherwise(dice.between("second", 30_600, 61_000))
            .alias("second"),
            pl.when(odd_phase)
            .then(dice.between("odd phase", MAX_PHASES + 1, MAX_PHASES + 3))
            .otherwise(pl.col("phase"))
            .alias("FASENR"),
            dice.pick("officer", catalogue.OFFICER_IDS).alias("MEDID"),
            pl.when(dice.chance("note", 0.2))
            .then(dice.pick("which note", words.STATUS_NOTES))
            .when(dice.chance("no note", 0.5))
            .then(pl.lit(""))
            .alias("OPM"),
            compact(pl.col("day_set")).alias("DATSTAT"),
            odd_phase.alias("_Z12"),
            pl.col("orphan").alias("_Z09"),
        )
        .with_columns(
            pl.when(pl.col("no_time")).then(pl.lit("000000")).otherwise(clock(pl.col("second"))).alias("TIJDSTAT"),
            (pl.col("no_time")).alias("_Z11"),
            pl.col("same_moment").alias("_Z11_same"),
        )
    )


def _step(world: World, cases: pl.DataFrame, step: int) -> pl.DataFrame:
    dice = world.dice("step", "i")
    if step == REOPENED:
        taken, phase = pl.col("reopened"), pl.lit(2)
    elif step == CLOSED_AGAIN:
        taken, phase = pl.col("reopened"), pl.col("phases")
    else:
        middle = (step == 2) & (pl.col("phases") >= 5) | (step == 3) & (pl.col("phases") == MAX_PHASES)
        skipped = middle & dice.chance(f"skipped {step}", 0.5) & (pl.col("reached") != step)
        taken, phase = (pl.col("reached") >= step) & ~skipped, pl.lit(step)
    same = pl.col("_same") if step == 2 else pl.lit(False)
    return cases.filter(taken & ~pl.col("no_statuses")).select(
        "i",
        "ZAAKNR",
        "ghost",
        "ZTCODE",
        "VERSIE",
        "state",
        "_same",
        pl.lit(step).cast(pl.Int64).alias("step"),
        phase.cast(pl.Int64).alias("phase"),
        day_of(pl.when(same).then(pl.col("o1")).otherwise(pl.col(f"o{step}"))).alias("day_set"),
        pl.lit(False).alias("orphan"),
    )
