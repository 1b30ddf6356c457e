"""Cases: what happened to each (its number gives everything), and ZKN_ZAAK as the old system wrote it down.

`case_facts` is the truth of any cases by their numbers, so that a ticket, a call or a sub-case can ask what became of
a case that another chunk holds.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import polars as pl

from migrate.demo import catalogue
from migrate.demo.dice import Dice, part
from migrate.demo.world import COUNTER_FIRST, COUNTER_LAST, World, compact, day_of, working_days

GHOST_EVERY = 125
"""After so many numbers of a year comes one whose case was deleted physically (0.8 %, Z09)."""
MAX_PHASES = 6
OLD_SYSTEM_UNTIL = date(2009, 1, 1)
NEW_NUMBERS_FROM = 2014


@cache
def type_table() -> pl.DataFrame:
    """Return one row per case type: weight, days on which its versions begin and end, number of phases per version."""
    rows = []
    for first in (t for t in catalogue.CASE_TYPES if t.version == 1):
        second = next((t for t in catalogue.CASE_TYPES if t.code == first.code and t.version == 2), first)
        rows.append(
            {
                "ZTCODE": first.code,
                "AFDCODE": first.department,
                "to_1": first.valid_to,
                "from_2": second.valid_from,
                "two": second is not first,
                "phases_1": len(first.phases),
                "phases_2": len(second.phases),
                "days": _days(first.period),
                "retention": first.retention,
            }
        )
    return pl.DataFrame(rows)


def _days(period: str) -> int:
    number = int("".join(c for c in period if c.isdigit()))
    return number if period.lower().endswith("d") else number * 7


@cache
def _first_days() -> dict[int, int]:
    """Return the number of the first working day of each year."""
    first: dict[int, int] = {}
    for number, day in enumerate(working_days()):
        first.setdefault(day.year, number)
    return first


def case_number(world: World, case: pl.Expr, day: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return a case's ZAAKNR, and the number after it where that belonged to a case that was deleted physically.

    Args:
        world: the demo.
        case: the number of the case (the column ``i``).
        day: the date of its registration.
    """
    starts = {year: world.first_case_of(number) for year, number in _first_days().items()}
    rank = case - day.dt.year().cast(pl.Int64).replace_strict(
        list(starts), list(starts.values()), return_dtype=pl.Int64
    )
    number = rank + rank // (GHOST_EVERY - 1) + 1
    is_last = rank % (GHOST_EVERY - 1) == GHOST_EVERY - 2
    return number_text(day, number), pl.when(is_last).then(number_text(day, number + 1))


def number_text(day: pl.Expr, rank: pl.Expr) -> pl.Expr:
    """Write a case number of a year: ``2011.04567``, from 2014 on ``Z2014-00001234``."""
    year, digits = day.dt.strftime("%Y"), rank.cast(pl.String)
    return (
        pl.when(day.dt.year() < NEW_NUMBERS_FROM)
        .then(year + "." + digits.str.zfill(5))
        .otherwise(pl.lit("Z") + year + "-" + digits.str.zfill(8))
    )


def case_facts(world: World, frame: pl.DataFrame) -> pl.DataFrame:
    """Add to cases numbered by ``i`` what is true of them.

    Adds: ``day`` (working day), ``reg`` (date), ``ZAAKNR``, ``ghost`` (number of a deleted case), ``ZTCODE``,
    ``VERSIE``, ``AFDCODE``, ``phases``, ``story`` (began with a ticket at the counter), ``deleted``, ``closed``,
    ``reopened``, ``reached`` (last phase), ``o1`` … ``o8`` (working day of each phase; 7 and 8: reopened and closed
    again), ``final`` (date of the last status),
    ``person`` or ``company`` (applicant), ``parent`` (main case), ``between`` (the sub-case named instead of it),
    ``start``, ``end_dirt`` (0 … 1,000,000), ``rejected``.
    """
    dice = world.dice("case", "i")
    frame = frame.with_columns(world.case_day(pl.col("i")).alias("day")).with_columns(
        day_of(pl.col("day")).alias("reg")
    )
    number, ghost = case_number(world, pl.col("i"), pl.col("reg"))
    codes = [(t.code, t.weight) for t in catalogue.CASE_TYPES if t.version == 1]
    frame = frame.with_columns(
        number.alias("ZAAKNR"), ghost.alias("ghost"), dice.pick_of("type", codes).alias("ZTCODE")
    )
    frame = frame.join(type_table(), on="ZTCODE", how="left", maintain_order="left").with_columns(
        _version(dice).alias("VERSIE")
    )
    frame = frame.with_columns(
        pl.when(pl.col("VERSIE") == 2).then(pl.col("phases_2")).otherwise(pl.col("phases_1")).alias("phases"),
        _from_the_counter(dice).alias("story"),
        dice.chance("deleted", 0.015).alias("deleted"),
        dice.share("end").alias("end_dirt"),
        dice.share("start").alias("_start"),
    )
    frame = _course(world, frame, dice)
    frame = frame.with_columns(*_applicant(world, dice), *_main_cases(dice), *_begin(dice))
    return frame.with_columns(*_main_case(), *_end(dice)).drop("_main", "_above", "_third").with_columns(*_fate())


def _version(dice: Dice) -> pl.Expr:
    day = compact(pl.col("reg"))
    second = pl.col("two") & (day >= pl.col("from_2")) & ((day > pl.col("to_1")) | dice.chance("new version", 0.5))
    return pl.when(second).then(2).otherwise(1).cast(pl.Int64)


def _from_the_counter(dice: Dice) -> pl.Expr:
    open_days = pl.col("reg").is_between(pl.lit(COUNTER_FIRST), pl.lit(COUNTER_LAST))
    return pl.col("ZTCODE").is_in(list(catalogue.APPLY_FOR)) & open_days & dice.chance("story", 0.75)


def _course(world: World, frame: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """Add the days of the phases, and how far the case came."""
    steps = [pl.col("day")]
    for phase in range(2, MAX_PHASES + 1):
        steps.append(steps[-1] + dice.between(f"gap {phase}", 1, 9))
    frame = frame.with_columns(*[step.alias(f"o{n}") for n, step in enumerate(steps, start=1)])
    final = pl.coalesce([pl.when(pl.col("phases") == n).then(pl.col(f"o{n}")) for n in range(4, MAX_PHASES + 1)])
    again = final + dice.between("again", 3, 15)
    once_more = again + dice.between("once more", 2, 9)
    old = pl.col("reg") < pl.lit(date(2019, 2, 1))
    closes = pl.when(old).then(dice.chance("closes", 0.965)).otherwise(dice.chance("closes", 0.4))
    limit = pl.lit(world.days)
    frame = frame.with_columns(
        (closes & (final < limit)).alias("closed"),
        again.alias("o7"),
        once_more.alias("o8"),
        final.alias("_final"),
        (1 + dice.below("reached", 840) % (pl.col("phases") - 1)).alias("_reached"),
    )
    frame = frame.with_columns(
        (pl.col("closed") & dice.chance("reopened", 0.01) & (once_more < limit)).alias("reopened")
    )
    held = [
        pl.when((pl.col("_reached") >= n) & (pl.col(f"o{n}") < limit)).then(n).otherwise(1)
        for n in range(1, MAX_PHASES)
    ]
    last = pl.when(pl.col("reopened")).then(pl.col("o8")).when(pl.col("closed")).then(pl.col("_final"))
    return frame.with_columns(
        pl.when(pl.col("closed"))
        .then(pl.col("phases"))
        .otherwise(pl.max_horizontal(held))
        .cast(pl.Int64)
        .alias("reached"),
        day_of(last).alias("final"),
        pl.when(pl.col("reg") < pl.lit(OLD_SYSTEM_UNTIL))
        .then(dice.chance("no statuses", 0.05))
        .otherwise(False)
        .alias("no_statuses"),
    )


def _applicant(world: World, dice: Dice) -> list[pl.Expr]:
    both = world.case_persons - world.first_customer
    person = (
        pl.when(pl.col("story"))
        .then(dice.below("customer", both) + world.first_customer)
        .otherwise(dice.below("person", world.case_persons))
    )
    business = ~pl.col("story") & dice.chance("business", 0.22)
    return [
        pl.when(~business).then(person).alias("person"),
        pl.when(business).then(dice.below("company", world.companies)).alias("company"),
    ]


def _main_cases(dice: Dice) -> list[pl.Expr]:
    """Return the main case of a case, that of the case before it, and whether there may be a third level."""
    before = Dice(dice.seed, dice.kind, (pl.col("i") - 1).clip(0))
    fourth = (pl.col("i") % 4 == 0) & (pl.col("i") > 0)
    return [
        _parent(dice, pl.col("i")).alias("_main"),
        _parent(before, pl.col("i") - 1).alias("_above"),
        (fourth & dice.chance("third level", 0.025)).alias("_third"),
    ]


def _main_case() -> list[pl.Expr]:
    """Return the main case, and the sub-case between that the old system named instead (Z34: three levels)."""
    third = pl.col("_third") & pl.col("_above").is_not_null()
    return [
        pl.when(third).then(pl.col("_above")).otherwise(pl.col("_main")).alias("parent"),
        pl.when(third).then(pl.col("i") - 1).alias("between"),
        third.alias("_Z34"),
    ]


def _parent(dice: Dice, case: pl.Expr) -> pl.Expr:
    """Return the main case of a sub-case: 4 % of all, never one that is itself a sub-case.

    Every fourth case whose main case cannot be loaded (Z04) is among them, so that a small demo has parked rows too.
    """
    fourth = case % 4 == 3
    before = Dice(dice.seed, dice.kind, (case - 1).clip(0))
    parent = case - 1 - 4 * dice.below("which parent", 12)
    return (
        pl.when(fourth & part(before.share("start"), 0, 0.001))
        .then(case - 1)
        .when(fourth & dice.chance("sub-case", 0.16) & (parent >= 0))
        .then(parent)
    )


def _begin(dice: Dice) -> list[pl.Expr]:
    draw = pl.col("_start")
    early = part(draw, 0.3, 0.05)
    return [
        pl.when(early)
        .then(pl.col("reg") - pl.duration(days=dice.between("days earlier", 1, 9)))
        .otherwise(pl.col("reg"))
        .alias("start"),
        part(draw, 0, 0.001).alias("_Z04"),
        pl.when(draw < 250_000).then(draw < 62_500).alias("start_zeros"),
        part(draw, 0.001, 0.249).alias("start_unknown"),
    ]


def _end(dice: Dice) -> list[pl.Expr]:
    """Return the end date as written, and the dirt in it; kinds exclude each other."""
    draw, closed, can = pl.col("end_dirt"), pl.col("closed"), pl.col("closed") & ~pl.col("_Z04")
    little, much = part(draw, 0, 0.0045) & can, part(draw, 0.0045, 0.0018) & can
    missing, extra = part(draw, 0.01, 0.0135) & closed, ~closed & (draw < 40_000)
    wrong = (
        pl.when(little)
        .then(pl.col("start") - pl.duration(days=dice.between("days too early", 1, 25)))
        .when(much)
        .then(pl.col("start") - pl.duration(days=dice.between("many days too early", 31, 400)))
    )
    return [
        pl.coalesce(
            wrong,
            pl.when(extra).then(pl.col("reg") + pl.duration(days=20)),
            pl.when(closed & ~missing).then(pl.col("final")),
        ).alias("ended"),
        pl.when(closed).then(little | much).alias("_Z06"),
        much.alias("end_too_early"),
        little.alias("end_early"),
        (missing | extra).alias("_Z08"),
    ]


def _fate() -> list[pl.Expr]:
    """Say which cases cannot be loaded whatever becomes of their main case."""
    return [(~pl.col("deleted") & (pl.col("_Z04") | pl.col("end_too_early"))).alias("rejected")]


def case_states(world: World, frame: pl.DataFrame) -> pl.DataFrame:
    """Add to `case_facts` the state of the main case and what becomes of the case itself.

    Adds ``parent_nr``, ``between_nr``, and ``parent_state`` and ``state``: ``loaded``, ``rejected``, ``parked`` or
    ``out_of_scope``.
    """
    parents = case_facts(world, frame.select(pl.col("parent").alias("i")).drop_nulls().unique().sort("i")).select(
        pl.col("i").alias("parent"),
        pl.col("ZAAKNR").alias("parent_nr"),
        pl.when(pl.col("deleted"))
        .then(pl.lit("out_of_scope"))
        .when(pl.col("rejected"))
        .then(pl.lit("rejected"))
        .otherwise(pl.lit("loaded"))
        .alias("parent_state"),
    )
    frame = frame.join(parents, on="parent", how="left", maintain_order="left")
    named = case_facts(world, frame.select(pl.col("between").alias("i")).drop_nulls().unique().sort("i")).select(
        pl.col("i").alias("between"), pl.col("ZAAKNR").alias("between_nr")
    )
    frame = frame.join(named, on="between", how="left", maintain_order="left")
    return frame.with_columns(
        pl.when(pl.col("deleted"))
        .then(pl.lit("out_of_scope"))
        .when(pl.col("rejected"))
        .then(pl.lit("rejected"))
        .when(pl.col("parent_state") == "rejected")
        .then(pl.lit("parked"))
        .otherwise(pl.lit("loaded"))
        .alias("state")
    )
