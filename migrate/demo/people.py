"""The true persons behind both systems: one person, one set of facts, whatever an old system made of them."""

from __future__ import annotations

from datetime import date

import polars as pl

from migrate.demo import words
from migrate.demo.dice import Dice, part
from migrate.demo.world import World

_DIGIT_STEP = 617_283
"""Coprime to 10: multiplying by it modulo a power of ten mixes digits without making two numbers equal."""
_LEADING_ZERO_EVERY = 25
"""Of so many persons two have a BSN that begins with a zero, which BALIE loses (8 %, B01)."""


def with_person(world: World, frame: pl.DataFrame) -> pl.DataFrame:
    """Add the true facts of the persons numbered by column ``t`` as columns ``p_…``."""
    dice = world.dice("person", "t")
    surname = dice.below("surname", _SURNAME.len())
    female = dice.chance("female", 0.51)
    first = pl.when(female).then(dice.pick("first", words.FEMALE)).otherwise(dice.pick("first", words.MALE))
    frame = frame.with_columns(
        pl.lit(_PREFIX).gather(surname).alias("p_prefix"),
        pl.lit(_SURNAME).gather(surname).alias("p_surname"),
        first.alias("p_first"),
        dice.pick("second", ("", "", "J.", "M.", "A.", "C.")).alias("_second"),
        pl.when(dice.chance("other", 0.01))
        .then(pl.lit("o"))
        .when(female)
        .then(pl.lit("v"))
        .otherwise(pl.lit("m"))
        .alias("p_gender"),
        (pl.lit(date(1920, 1, 1)) + pl.duration(days=dice.below("birth", 29_000))).alias("p_birth"),
        _phone(dice, "phone", "013").alias("p_phone"),
        _phone(dice, "mobile", "06").alias("p_mobile"),
        *_address(dice),
    )
    initial = pl.col("p_first").replace({"Esmée": "Esmee", "Aïcha": "Aicha"}).str.slice(0, 1) + "."
    plain = (
        pl.col("p_surname")
        .str.to_lowercase()
        .str.replace_many(["é", "è", "ë", "ü", "ö", "ç", "ñ", "í", " "], ["e", "e", "e", "u", "o", "c", "n", "i", ""])
    )
    return with_bsn(frame, pl.col("t"), "p_bsn").with_columns(
        (initial + pl.col("_second")).alias("p_initials"),
        (initial.str.to_lowercase() + plain + "@post.example").alias("p_mail"),
    ).drop("_second")


_SLOTS = [(prefix, name) for prefix, name, weight in words.SURNAMES for _ in range(weight)]
_PREFIX = pl.Series("prefix", [slot[0] for slot in _SLOTS])
_SURNAME = pl.Series("surname", [slot[1] for slot in _SLOTS])


def with_bsn(frame: pl.DataFrame, person: pl.Expr, name: str) -> pl.DataFrame:
    """Add a person's BSN: nine digits that pass the 11-proef, different for each of five million persons.

    It begins with 9, as no real one does, or with 01 where a leading zero has to get lost. In steps, each in a column
    of its own: as one expression every step would stand in it as often as the next ones use it.
    """
    every = _LEADING_ZERO_EVERY
    low, rank, room, eighth, head, weighed = (pl.col(f"_bsn_{part}") for part in _BSN_PARTS)
    shifted = (weighed + 2 * eighth) % 11 == 10
    # Digits 1 to 7: "9" and six digits, or "01" and five.
    start = pl.when(low).then(100_000).otherwise(9_000_000)
    steps = (
        {"low": person % every < 2, "rank": person},
        {"rank": pl.when(low).then(rank // every * 2 + rank % every).otherwise(rank),
         "room": pl.when(low).then(100_000).otherwise(1_000_000)},
        {"head": start + rank % room * _DIGIT_STEP % room, "eighth": rank // room * 2},
        {"weighed": pl.sum_horizontal([head // 10 ** (7 - n) % 10 * (10 - n) for n in range(1, 8)])},
        {"eighth": eighth + shifted.cast(pl.Int64)},
    )
    for step in steps:
        frame = frame.with_columns(made.alias(f"_bsn_{part}") for part, made in step.items())
    number = (head * 100 + eighth * 10 + (weighed + 2 * eighth) % 11).cast(pl.String).str.zfill(9)
    return frame.with_columns(number.alias(name)).drop(f"_bsn_{part}" for part in _BSN_PARTS)


_BSN_PARTS = ("low", "rank", "room", "eighth", "head", "weighed")


def leading_zero(person: pl.Expr) -> pl.Expr:
    """Return True for persons whose BSN begins with a zero."""
    return person % _LEADING_ZERO_EVERY < 2


def _phone(dice: Dice, name: str, area: str) -> pl.Expr:
    return pl.lit(area) + dice.between(name, 10 ** (9 - len(area)), 10 ** (10 - len(area)) - 1).cast(pl.String)


def _address(dice: Dice) -> list[pl.Expr]:
    extra = dice.share("extra")
    letters = [dice.pick(f"postcode {n}", tuple(words.LETTERS)) for n in (1, 2)]
    return [
        dice.pick("street", words.STREETS).alias("p_street"),
        dice.between("number", 1, 240).alias("p_number"),
        pl.when(part(extra, 0, 0.07))
        .then(dice.pick("letter", ("A", "B", "C")))
        .otherwise(pl.lit(""))
        .alias("p_letter"),
        pl.when(part(extra, 0.05, 0.04))
        .then(dice.pick("addition", ("2", "3", "bis", "hs")))
        .otherwise(pl.lit(""))
        .alias("p_addition"),
        pl.concat_str(dice.between("postcode", 5011, 5049).cast(pl.String), *letters)
        .str.replace("S[ADS]$", "SB")  # letters that are never given out
        .alias("p_postcode"),
        dice.pick_of("city", words.CITIES).alias("p_city"),
    ]
