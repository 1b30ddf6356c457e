"""What the counter system derives from its tickets: the log of calls, the cash desk, the totals of a day."""

from __future__ import annotations

import polars as pl

from migrate.demo import catalogue
from migrate.demo.world import World, clock

LOG_FROM = 2017
"""The log of calls was cleaned after two years: nothing older is left."""


def log_rows(tickets: pl.DataFrame) -> pl.DataFrame:
    """Return BLS_BONLOG of tickets as written by `link_tickets`."""
    recent = tickets.filter(pl.col("date").dt.year() >= LOG_FROM)
    steps = (("UIT", "issued"), ("OPR", "called"), ("BEG", "begun"), ("EIN", "ended"))
    parts = [
        recent.filter(pl.col(column).is_not_null()).select(
            "BONID",
            pl.lit(n).cast(pl.Int64).alias("VOLGNR"),
            pl.lit(action).alias("ACTIE"),
            (pl.col("DATUM") + clock(pl.col(column))).alias("TIJDSTIP"),
            "BALIENR",
            "MEDCODE",
        )
        for n, (action, column) in enumerate(steps, start=1)
    ]
    return pl.concat(parts).sort("BONID", "VOLGNR")


def cash_rows(world: World, tickets: pl.DataFrame) -> pl.DataFrame:
    """Return BLS_KASSA, but for KASSAID, of tickets: what was paid, and what was paid back (B28)."""
    fees = {product.code: product.fee for product in catalogue.PRODUCTS if product.fee}
    dice = world.dice("cash", "tid")
    paid = tickets.filter((pl.col("STATUS") == "AF") & pl.col("PRODCODE").is_in(list(fees)) & ~pl.col("test"))
    back = dice.chance("paid back", 0.02)
    amount = pl.col("PRODCODE").replace_strict(fees, return_dtype=pl.String)
    return paid.select(
        "BONID",
        "PRODCODE",
        pl.lit(1).cast(pl.Int64).alias("AANTAL"),
        pl.when(back).then(amount + "-").otherwise(amount).alias("BEDRAG"),
        dice.pick_of("how", (("P", 80), ("C", 15), ("R", 5))).alias("BETWIJZE"),
        "DATUM",
        clock(pl.coalesce(pl.col("ended"), pl.col("issued"))).alias("TIJD"),
        pl.lit(True).alias("_B28"),
    )


def total_rows(world: World, tickets: pl.DataFrame) -> pl.DataFrame:
    """Return BLS_DAGTOT of whole days of tickets; a team leader corrected some by hand (B30)."""
    wait = (pl.col("called") - pl.col("issued")).mean() / 60
    frame = tickets.group_by("LOCCODE", "day", "DATUM", "RIJCODE", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("n"),
        (pl.col("STATUS") == "NV").sum().cast(pl.Int64).alias("AANTNV"),
        wait.alias("wait"),
    )
    order = {letter: n for n, (letter, _) in enumerate(catalogue.QUEUES)} | {
        code: 4 * n for n, (code, _) in enumerate(catalogue.LOCATION_WEIGHTS)
    }
    number = (
        pl.col("day") * 16
        + pl.col("LOCCODE").replace_strict(order, return_dtype=pl.Int64)
        + pl.col("RIJCODE").replace_strict(order, return_dtype=pl.Int64)
    )
    frame = frame.with_columns(number.alias("id")).sort("id", maintain_order=True)
    dice = world.dice("totals", "id")
    corrected = dice.chance("corrected", 0.012)
    tenths = (pl.col("wait").fill_null(0) * 10).round(0).cast(pl.Int64)
    return frame.with_columns(
        (pl.col("n") + pl.when(corrected).then(dice.between("by", 1, 3)).otherwise(0)).alias("AANTBON"),
        ((tenths // 10).cast(pl.String) + "," + (tenths % 10).cast(pl.String)).alias("GEMWACHT"),
        corrected.alias("_B30"),
    )
