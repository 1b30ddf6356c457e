"""ZKN_KENMERK: the properties of cases, with values as many people typed them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from migrate.demo import words
from migrate.demo.dice import Dice, part
from migrate.demo.world import World


@dataclass(frozen=True, slots=True)
class Kind:
    """A property: the short name and a longer one for the same thing, its type, and how many cases have it."""

    name: str
    long_name: str
    sort: str
    share: float


KINDS = (
    Kind("Locatie", "Omschrijving locatie", "TX", 0.68),
    Kind("Spoed", "Akkoord financiën", "JN", 0.58),
    Kind("Bouwkosten", "Geschatte bouwkosten inclusief btw", "BD", 0.5),
    Kind("Aantal bezoekers", "Aantal verwachte bezoekers evenement", "GE", 0.38),
    Kind("Ingangsdatum", "Datum evenement", "DT", 0.48),
    Kind("Kenteken", "Kenteken gehandicaptenvoertuig", "TX", 0.4),
    Kind("BAG-nummer", "BAG-nummer", "BA", 0.08),
)
UNKNOWN_NAME = "Vrije toelichting op de aanvraag"
"""A name that is too long for the new model and in no table (Z26)."""
UNREADABLE = {"JN": "weet niet", "GE": "circa 100", "DT": "31-02-2015"}
"""Values that no treatment can read (Z25)."""


def property_rows(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_KENMERK, but for KENMID, of cases with their `case_states`.

    Adds ``kind`` (number of the property), ``value`` (the true value, as the new model writes it) and ``unreadable``.
    """
    frame = pl.concat([_rows(world, cases, n, kind) for n, kind in enumerate(KINDS)] + [_odd(world, cases)]).sort(
        "i", "kind"
    )
    return frame.with_columns(pl.col("sort").alias("TYPE"))


def _rows(world: World, cases: pl.DataFrame, number: int, kind: Kind) -> pl.DataFrame:
    dice = world.dice(f"property {number}", "i")
    value, written, odd_form = _plate(dice) if kind.name == "Kenteken" else _value(dice, kind.sort)
    unreadable = dice.chance("unreadable", 0.003) & pl.lit(kind.sort in UNREADABLE)
    long = dice.chance("long name", 0.5)
    long_is_dirt = len(kind.long_name) > 20 or not kind.long_name.isascii()
    return cases.filter(dice.chance("row", kind.share)).select(
        "i",
        "ZAAKNR",
        "state",
        pl.lit(number).cast(pl.Int64).alias("kind"),
        pl.lit(kind.sort).alias("sort"),
        pl.when(long).then(pl.lit(kind.long_name)).otherwise(pl.lit(kind.name)).alias("NAAM"),
        value.alias("value"),
        unreadable.alias("unreadable"),
        pl.when(unreadable).then(pl.lit(UNREADABLE.get(kind.sort))).otherwise(written).alias("WAARDE"),
        (odd_form | unreadable).alias("_Z25"),
        (long & pl.lit(long_is_dirt)).alias("_Z26"),
    )


def _odd(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    dice = world.dice("odd property", "i")
    text = dice.pick("text", words.MEMOS)
    return cases.filter(dice.chance("row", 0.008)).select(
        "i",
        "ZAAKNR",
        "state",
        pl.lit(len(KINDS)).cast(pl.Int64).alias("kind"),
        pl.lit("TX").alias("sort"),
        pl.lit(UNKNOWN_NAME).alias("NAAM"),
        text.alias("value"),
        pl.lit(False).alias("unreadable"),
        text.alias("WAARDE"),
        pl.lit(False).alias("_Z25"),
        pl.lit(True).alias("_Z26"),
    )


def _value(dice: Dice, sort: str) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return a true value as the new model writes it, as it was typed, and whether that is an odd form."""
    draw = dice.share("form")
    if sort == "JN":
        yes = dice.chance("yes", 0.4)
        form = dice.below("which form", 4)
        typed = [
            pl.when(form == n).then(pl.when(yes).then(pl.lit(y)).otherwise(pl.lit(n_)))
            for n, (y, n_) in enumerate((("J", "N"), ("ja", "nee"), ("True", "False"), ("1", "0")))
        ]
        return pl.when(yes).then(pl.lit("ja")).otherwise(pl.lit("nee")), pl.coalesce(typed), form > 0
    if sort == "DT":
        day = pl.date(dice.between("year", 2006, 2019), dice.between("month", 1, 12), dice.between("day", 1, 28))
        parts = [day.dt.day().cast(pl.String), day.dt.month().cast(pl.String)]
        short = pl.concat_str([*parts, day.dt.strftime("%y")], separator="-")
        plain, odd = pl.concat_str([*parts, day.dt.strftime("%Y")], separator="-"), draw >= 700_000
        text = (
            pl.when(part(draw, 0.7, 0.2))
            .then(day.dt.strftime("%Y%m%d"))
            .when(part(draw, 0.9, 0.1))
            .then(short)
            .otherwise(plain)
        )
        return day.dt.strftime("%Y%m%d"), text, odd
    if sort == "BD":
        euros, cents = dice.between("euros", 100, 95_000), dice.between("cents", 0, 99).cast(pl.String).str.zfill(2)
        whole = euros.cast(pl.String)
        return (
            whole + "," + cents,
            pl.when(draw < 400_000).then(whole + "," + cents).otherwise(_grouped(euros) + "," + cents),
            draw >= 400_000,
        )
    if sort == "GE":
        number = dice.between("number", 10, 4_000)
        return (
            number.cast(pl.String),
            pl.when(draw < 600_000).then(number.cast(pl.String)).otherwise(_grouped(number)),
            draw >= 600_000,
        )
    if sort == "BA":
        text = pl.lit("0855200000") + dice.between("bag", 100_000, 999_999).cast(pl.String)
        return text, text, pl.lit(False)
    text = dice.pick("street", words.STREETS) + " " + dice.between("house", 1, 240).cast(pl.String)
    return text, text, pl.lit(False)


def _plate(dice: Dice) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    letters = dice.pick("letters", ("GHK", "JTX", "NPR", "STZ", "XBF"))
    plate = (
        dice.between("head", 10, 99).cast(pl.String) + "-" + letters + "-" + dice.between("tail", 1, 9).cast(pl.String)
    )
    return plate, plate, pl.lit(False)


def _grouped(number: pl.Expr) -> pl.Expr:
    """Write a number below a million with a point between thousands."""
    low = (number % 1000).cast(pl.String)
    return pl.when(number >= 1000).then((number // 1000).cast(pl.String) + "." + low.str.zfill(3)).otherwise(low)
