"""People who stand in an old system more than once (B16, Z20), and people with another's number (Z21)."""

from __future__ import annotations

import polars as pl

from migrate.demo.dice import Dice
from migrate.demo.people import with_person
from migrate.demo.world import World

CUSTOMERS_TWICE, CASE_PERSONS_TWICE = 0.047, 0.04
"""Share of the persons who have more than one row; most of them have two, none more than six."""
BSN_KNOWN = 0.92
"""Share of the rows of ZKN_PERSOON with a BSN."""
_MORE = [1] * 14 + [2] * 3 + [3] * 1 + [4] * 1 + [5] * 1
_STEP = 5_000_000
"""Between the numbers of a person's rows; no demo has so many persons."""
_ALWAYS = 7
"""This person has another's number in every demo, however small, if that one's is known."""


def doubled(world: World, kind: str, persons: pl.DataFrame, share: float) -> pl.DataFrame:
    """Return a row per person and copy: ``t``, ``copy`` (0 is the first) and ``c``, which numbers the rows.

    Args:
        persons: the persons, numbered by ``t``.
        share: of the persons who have copies.
    """
    dice = world.dice(kind, "t")
    more = pl.lit(pl.Series("more", _MORE, dtype=pl.Int64)).gather(dice.below("how many more", len(_MORE)))
    copies = pl.when(dice.chance("more than once", share)).then(more).otherwise(0)
    frame = persons.select("t", pl.int_ranges(0, copies + 1, dtype=pl.Int64).alias("copy")).explode("copy")
    return frame.with_columns((pl.col("t") + pl.col("copy") * _STEP).alias("c"))


def mistyped(dice: Dice) -> pl.Expr:
    """Return the surname as it was typed: in two of five copies the last letter stands there twice."""
    surname = pl.col("p_surname")
    wrong = (pl.col("copy") > 0) & dice.chance("mistyped", 0.4)
    return pl.when(wrong).then(surname + surname.str.slice(-1)).otherwise(surname)


def anothers_number(world: World, frame: pl.DataFrame) -> pl.Series:
    """Return the BSN of the person before, where it was typed instead of the own one (Z21), as ``anothers``.

    Only where the two can be told apart, and the other one's number is known and right.
    """
    other = with_person(world, frame.select(pl.max_horizontal(pl.col("t") - 1, 0).alias("t")))
    mine, dice = world.dice("case person", "t"), world.dice("case person", "t")
    rows = frame.select("t", "copy", "p_surname", "p_birth").hstack(
        other.select(
            pl.col("p_surname").alias("o_surname"),
            pl.col("p_birth").alias("o_birth"),
            pl.col("p_bsn").alias("o_bsn"),
            (dice.chance("bsn known", BSN_KNOWN) & ~_wrong(dice)).alias("o_known"),
        )
    )
    apart = (pl.col("p_surname") != pl.col("o_surname")) & (pl.col("p_birth").dt.year() != pl.col("o_birth").dt.year())
    hit = _wrong(mine) & (pl.col("copy") == 0) & (pl.col("t") > 0) & apart & pl.col("o_known")
    return rows.select(pl.when(hit).then("o_bsn").alias("anothers"))["anothers"]


def _wrong(dice: Dice) -> pl.Expr:
    return dice.chance("another's number", 0.0012) | (pl.col("t") == _ALWAYS)
