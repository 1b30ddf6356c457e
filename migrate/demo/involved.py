"""ZKN_BETROK: who had which part in a case."""

from __future__ import annotations

import polars as pl

from migrate.demo import catalogue
from migrate.demo.world import COMPANY_BASE, PERSON_BASE, World, stamp

FREE_NAMES = (
    "Fam. Jansen",
    "mevr. De Vries (dochter)",
    "Buurtvereniging De Reit",
    "Bewoners Hoefstraat",
    "dhr. Mulder",
    "Advocatenkantoor Kok & Bos",
    "Bewindvoerder Peters",
    "Wijkraad Noord",
)
_LONG_TYPE = 5

APPLICANT, SECOND, HANDLER, CONCERNED, PROXY, ADVISER, CONTACT = 1, 2, 3, 4, 5, 6, 7
"""The parts, in the order in which the old system numbers them."""


def role_rows(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_BETROK, but for BETRID, of cases with their `case_rows`.

    Adds ``part`` and ``dangling``, and for employees ``officer`` (MEDID, NULL where the name says nothing).
    """
    parts = [
        _applicant(world, cases),
        _second(world, cases),
        _employee(world, cases, HANDLER),
        _employee(world, cases, ADVISER),
        _concerned(world, cases),
        _proxy(world, cases),
        _contact(world, cases),
    ]
    frame = pl.concat(parts, how="diagonal").sort("i", "order", "part")
    dice = world.dice("role", "rid")
    frame = frame.with_columns((pl.col("i") * 8 + pl.col("part")).alias("rid"))
    return frame.with_columns(
        pl.when(~pl.col("_Z36"))
        .then(stamp(pl.col("reg"), pl.col("registered_second") + 60 + dice.below("later", 500)))
        .alias("MUTTIJD"),
        (pl.col("registered_second") + 60 + dice.below("later", 500)).alias("changed_second"),
        pl.when(pl.col("part") == APPLICANT).then(pl.col("has_second")).alias("_Z17"),
    )


_KEEP = (
    "i",
    "ZAAKNR",
    "ZTCODE",
    "VERSIE",
    "AFDCODE",
    "state",
    "reg",
    "registered_second",
    "entered",
    "_Z36",
    "header_unknown",
    "header_wrong",
    "header_other",
    "applicant_sort",
    "applicant_id",
    "AANVRSRT",
    "AANVRID",
)


def _rows(cases: pl.DataFrame, taken: pl.Expr, part: int, *columns: pl.Expr) -> pl.DataFrame:
    """Return the rows of one part; what it does not set is as for a party without a name."""
    base = {
        "order": pl.lit(part).cast(pl.Int64).alias("order"),
        "NAAM": pl.lit(None, dtype=pl.String).alias("NAAM"),
        "officer": pl.lit(None, dtype=pl.String).alias("officer"),
        "dangling": pl.lit(False).alias("dangling"),
        "has_second": pl.lit(None, dtype=pl.Boolean).alias("has_second"),
    }
    base |= {column.meta.output_name(): column for column in columns}
    return cases.filter(taken).select(*_KEEP, pl.lit(part).cast(pl.Int64).alias("part"), *base.values())


def _has_second(world: World) -> pl.Expr:
    certain = ~(pl.col("header_unknown") | pl.col("header_wrong") | pl.col("header_other"))
    return certain & world.dice("second applicant", "i").chance("is there", 0.0075)


def _applicant(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    dice = world.dice("applicant", "i")
    unknown = pl.col("header_unknown")
    taken = pl.when(unknown).then(dice.chance("row", 0.5)).otherwise(_has_second(world) | dice.chance("row", 0.985))
    return _rows(
        cases,
        taken,
        APPLICANT,
        pl.lit("AANVR").alias("ROLCODE"),
        pl.col("applicant_sort").alias("SRT"),
        pl.when(unknown).then(0).otherwise(pl.col("applicant_id")).alias("REFID"),
        _has_second(world).alias("has_second"),
    )


def _second(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    dice = world.dice("second", "i")
    other = dice.below("who", world.case_persons - 1) + PERSON_BASE
    other = other + (
        other >= pl.when(pl.col("applicant_sort") == "P").then(pl.col("applicant_id")).otherwise(COMPANY_BASE)
    ).cast(pl.Int64)
    order = pl.when(dice.chance("first on the list", 0.5)).then(0).otherwise(SECOND).cast(pl.Int64)
    return _rows(
        cases,
        _has_second(world),
        SECOND,
        pl.lit("AANVR").alias("ROLCODE"),
        pl.lit("P").alias("SRT"),
        other.alias("REFID"),
        order.alias("order"),
    )


def _employee(world: World, cases: pl.DataFrame, part: int) -> pl.DataFrame:
    dice = world.dice(f"employee {part}", "i")
    who = dice.below("who", len(catalogue.OFFICERS))
    ids = pl.lit(pl.Series("ids", catalogue.OFFICER_IDS)).gather(who)
    names = pl.lit(
        pl.Series("names", [f"{initials} {surname}" for _, surname, initials, _, _ in catalogue.OFFICERS])
    ).gather(who)
    form = dice.share("form")
    nobody = form >= 900_000
    name = (
        pl.when(form < 750_000).then(ids).when(~nobody).then(names).otherwise(dice.pick("nobody", catalogue.TEAM_NAMES))
    )
    if part == HANDLER:
        taken, role = dice.chance("row", 0.63), "BEHAND"
    else:
        taken, role = (pl.col("phases") >= _LONG_TYPE) & dice.chance("row", 0.12), "ADVIES"
    return _rows(
        cases,
        taken,
        part,
        pl.lit(role).alias("ROLCODE"),
        pl.lit("M").alias("SRT"),
        pl.lit(0).cast(pl.Int64).alias("REFID"),
        name.alias("NAAM"),
        pl.when(~nobody).then(ids).alias("officer"),
    )


def _concerned(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    dice = world.dice("concerned", "i")
    company, dangling = dice.chance("company", 0.2), dice.chance("dangling", 0.005)
    person = (
        pl.when(dangling)
        .then(900_000_001 + pl.col("i"))
        .otherwise(dice.below("person", world.case_persons) + PERSON_BASE)
    )
    number = pl.when(company).then(dice.below("which company", world.companies) + COMPANY_BASE).otherwise(person)
    return _rows(
        cases,
        dice.chance("row", 0.21),
        CONCERNED,
        pl.lit("BELANG").alias("ROLCODE"),
        pl.when(company).then(pl.lit("B")).otherwise(pl.lit("P")).alias("SRT"),
        number.alias("REFID"),
        (dangling & ~company).alias("dangling"),
    )


def _proxy(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    dice = world.dice("proxy", "i")
    free = dice.chance("free", 0.5)
    return _rows(
        cases,
        dice.chance("row", 0.07),
        PROXY,
        pl.lit("GEMACH").alias("ROLCODE"),
        pl.when(free).then(pl.lit("V")).otherwise(pl.lit("P")).alias("SRT"),
        pl.when(free).then(0).otherwise(dice.below("person", world.case_persons) + PERSON_BASE).alias("REFID"),
        pl.when(free).then(dice.pick("name", FREE_NAMES)).alias("NAAM"),
    )


def _contact(world: World, cases: pl.DataFrame) -> pl.DataFrame:
    dice = world.dice("contact person", "i")
    return _rows(
        cases,
        dice.chance("row", 0.06),
        CONTACT,
        pl.lit("CONTAC").alias("ROLCODE"),
        pl.lit("V").alias("SRT"),
        pl.lit(0).cast(pl.Int64).alias("REFID"),
        dice.pick("name", FREE_NAMES).alias("NAAM"),
    )
