"""BLS_AFSPRAAK: appointments, those that led to a ticket and those that did not."""

from __future__ import annotations

import polars as pl

from migrate.demo.dice import Dice, part
from migrate.demo.tickets import HAND_OUT, OPENING
from migrate.demo.typed import earlier_case, with_typed_number
from migrate.demo.world import CUSTOMER_BASE, World, clock, compact


def appointment_rows(world: World, tickets: pl.DataFrame, first_number: int) -> pl.DataFrame:
    """Return BLS_AFSPRAAK for the tickets of some days, numbered from ``first_number`` on.

    Adds ``tid`` of the ticket (NULL without one), ``starts``, ``ends``, ``booked`` (true local moments) and the
    columns of `typed`.
    """
    frame = _planned(world, tickets)
    dice = world.dice("appointment", "aid")
    start = (pl.col("issued") // 300 + dice.below("early", 2)) * 300
    frame = (
        frame.with_columns(
            start.alias("start_second"),
            (start + dice.pick("length", ("600", "900", "1200")).cast(pl.Int64)).alias("end_second"),
            pl.when(pl.col("kind") == HAND_OUT)
            .then(pl.when(dice.chance("number typed", 0.75)).then(pl.col("case")))
            .when(pl.col("kind") == 0)
            .then(
                pl.when(dice.chance("number typed", 0.25)).then(earlier_case(world, dice, pl.col("day")).cast(pl.Int64))
            )
            .alias("case"),
        )
        .sort("date", "start_second", "aid")
        .with_row_index("n")
    )
    frame = with_typed_number(world, frame, dice, inexact=0.35)
    frame = frame.with_columns(
        (pl.col("n").cast(pl.Int64) + first_number).alias("AFSPNR"), *_who(dice), *_what(dice), *_when(dice)
    )
    return frame.with_columns(
        compact(pl.col("date")).alias("DATUM"),
        clock(pl.col("start_second")).str.slice(0, 4).alias("TIJDVAN"),
        clock(pl.col("end_second")).str.slice(0, 4).alias("TIJDTOT"),
        pl.col("typed").alias("ZAAKNR"),
        pl.col("typed_wrong").alias("_B27"),
        dice.between("persons", 1, 3).alias("AANTPERS"),
        pl.when(dice.chance("remark", 0.1))
        .then(dice.pick("which remark", ("graag Engels spreken", "rolstoel", "belt nog terug")))
        .when(dice.chance("empty remark", 0.5))
        .then(pl.lit(""))
        .alias("OPM"),
    )


def _planned(world: World, tickets: pl.DataFrame) -> pl.DataFrame:
    """Return the appointments behind tickets, and others that nobody came for."""
    dice = world.dice("appointment", "tid")
    kind = pl.col("kind")
    walk = pl.col("t").is_not_null() & ~pl.col("no_customer") & (kind == 0) & ~pl.col("test")
    has = (
        pl.when(kind == OPENING)
        .then(dice.chance("booked", 0.4))
        .when(kind == HAND_OUT)
        .then(dice.chance("booked", 0.45))
        .otherwise(walk & dice.chance("booked", 0.4))
    )
    kept = tickets.filter(has).select(
        "tid", "kind", "day", "date", "LOCCODE", "t", "case", "issued", "product", pl.lit(True).alias("kept")
    )
    by_day = pl.col("issued_utc").is_null()
    lost = tickets.filter((kind == 0) & by_day & dice.chance("not kept", 0.03)).select(
        "tid",
        "kind",
        "day",
        "date",
        "LOCCODE",
        dice.below("who", world.persons - world.first_customer).alias("t") + world.first_customer,
        pl.lit(None, dtype=pl.Int64).alias("case"),
        "issued",
        "product",
        pl.lit(False).alias("kept"),
    )
    return pl.concat([kept, lost]).with_columns((pl.col("tid") * 2 + pl.col("kept").cast(pl.Int64)).alias("aid"))


def _who(dice: Dice) -> list[pl.Expr]:
    dangling, nobody = dice.chance("dangling", 0.005), dice.chance("nobody", 0.02)
    number = (
        pl.when(dangling).then(80_000_000 + pl.col("n").cast(pl.Int64)).when(~nobody).then(pl.col("t") + CUSTOMER_BASE)
    )
    return [
        pl.when(nobody & ~dangling & dice.chance("zero", 0.5)).then(0).otherwise(number).alias("KLANTNR"),
        dangling.alias("_B26"),
        dangling.alias("no_customer"),
        (nobody & ~dangling).alias("anonymous"),
    ]


def _what(dice: Dice) -> list[pl.Expr]:
    several, web, odd = dice.chance("several", 0.18), dice.chance("web", 0.03), dice.chance("odd status", 0.004)
    more = dice.pick("more", ("RIJBEW", "UITTR", "RIJBEW, UITTR", "VOG, LEGAL", "UITTR,INFO"))
    true_channel = dice.pick_of("channel", (("INT", 60), ("TEL", 25), ("BAL", 15)))
    status = (
        pl.when(pl.col("kept"))
        .then(pl.lit("3"))
        .otherwise(dice.pick_of("status", (("4", 55), ("5", 35), ("1", 5), ("2", 5))))
    )
    return [
        pl.when(several).then(pl.col("product") + "," + more).otherwise(pl.col("product")).alias("PRODCODES"),
        pl.when(several).then(more).alias("more"),
        several.alias("_B23"),
        pl.when(web).then(pl.lit("WEB")).otherwise(true_channel).alias("KANAAL"),
        pl.when(odd).then(pl.lit("9")).otherwise(status).alias("STATUS"),
        odd.alias("status_odd"),
        web.alias("_B22"),
        odd.alias("_B22_status"),
    ]


def _when(dice: Dice) -> list[pl.Expr]:
    booked = pl.col("date") - pl.duration(days=dice.between("days before", 1, 21))
    second = dice.between("booked at", 21_600, 82_000)
    midnight = pl.col("date").cast(pl.Datetime("us"))
    none = dice.chance("not recorded", 0.03)
    stamp = compact(booked) + clock(second)
    return [
        (midnight + pl.duration(seconds=pl.col("start_second"))).alias("starts"),
        (midnight + pl.duration(seconds=pl.col("end_second"))).alias("ends"),
        pl.when(~none).then(booked.cast(pl.Datetime("us")) + pl.duration(seconds=second)).alias("booked"),
        pl.when(~none).then(stamp).when(dice.chance("blank", 0.5)).then(pl.lit("")).alias("DATINV"),
        pl.when(part(dice.share("changed"), 0, 0.8))
        .then(compact(pl.col("date")) + clock(pl.col("issued")))
        .otherwise(stamp)
        .alias("DATMUT"),
    ]


def link_tickets(world: World, tickets: pl.DataFrame, appointments: pl.DataFrame) -> pl.DataFrame:
    """Add to tickets AFSPNR (which may dangle, B26), DATMUT (now and then in the future, B31) and times as written."""
    dice = world.dice("ticket", "tid")
    known = appointments.filter("kept").select(
        "tid", pl.col("AFSPNR").alias("appointment"), pl.col("no_customer").alias("appointment_rejected")
    )
    frame = tickets.join(known, on="tid", how="left", maintain_order="left")
    dangling = pl.col("appointment").is_not_null() & dice.chance("dangling appointment", 0.005)
    future = dice.chance("future change", 0.001)
    last = pl.coalesce(pl.col("ended"), pl.col("begun"), pl.col("called"), pl.col("issued"))
    end = pl.when(pl.col("STATUS") == "SY").then(pl.lit("235959")).otherwise(clock(pl.col("ended")).fill_null("000000"))
    return frame.with_columns(
        pl.when(dangling)
        .then(70_000_000 + pl.col("n").cast(pl.Int64))
        .when(pl.col("appointment").is_null() & dice.chance("zero", 0.5))
        .then(0)
        .otherwise(pl.col("appointment"))
        .alias("AFSPNR"),
        dangling.alias("appointment_dangling"),
        pl.when(pl.col("appointment").is_not_null()).then(dangling).alias("_B26"),
        pl.when(pl.col("t").is_not_null()).then(pl.col("no_customer")).alias("_B26_customer"),
        pl.when(future).then(pl.lit("20991231000000")).otherwise(pl.col("DATUM") + clock(last)).alias("DATMUT"),
        future.alias("_B31"),
        clock(pl.col("issued")).alias("TIJD_UIT"),
        clock(pl.col("called")).fill_null("000000").alias("TIJD_OPR"),
        clock(pl.col("begun")).fill_null("000000").alias("TIJD_BEG"),
        end.alias("TIJD_EIND"),
    )
