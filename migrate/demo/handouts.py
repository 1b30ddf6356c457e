"""The quarterly files of documents handed out at the counter: fixed positions, cp850, a trailer with count and sum."""

from __future__ import annotations

from datetime import date

import polars as pl

from migrate.demo.cases import case_facts, case_states
from migrate.demo.people import with_person
from migrate.demo.tickets import HAND_OUT
from migrate.demo.world import World, clock, compact, day_of

_ENDS = ((3, 31), (6, 30), (9, 30), (12, 31))
QUARTERS = tuple(date(year, month, day) for year in (2016, 2017, 2018) for month, day in _ENDS)
"""The last day of each delivery."""
MAILED = date(2017, 6, 30)
"""This delivery came by e-mail, which made UTF-8 of it (F12)."""
TWICE, AGAIN = date(2017, 9, 30), date(2017, 10, 2)
"""This delivery was sent a second time, under the name of another day (F10)."""
WRONG = date(2019, 3, 31)
"""This delivery states another sum than its records have (F13): it is blocked, and lies where nothing reads it."""
BLOCKED = "blocked"
_FEES = {"PAS": 7350, "NIK": 5690, "RYB": 3948}
_APPLICATION_BASE = 4_000_000_000
_OVERPUNCHED = dict(zip("0123456789", "}JKLMNOPQR", strict=True))


def handed_out(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what of the tickets at the counter is a hand-out in the quarters of the deliveries."""
    first = date(QUARTERS[0].year, 1, 1)
    return rows.filter((pl.col("kind") == HAND_OUT) & pl.col("date").is_between(first, QUARTERS[-1])).select(
        pl.col("case").alias("i"), "t", "date", "product", "BALIENR", "BONNR", "MEDCODE", "issued"
    )


def hand_out_rows(world: World, tickets: pl.DataFrame) -> pl.DataFrame:
    """Return the records of all deliveries for rows of `handed_out`.

    Adds ``delivery`` (its last day), ``cents``, ``state`` of the case, and the dirt that was planted.
    """
    dice = world.dice("hand-out", "i")
    states = case_states(world, case_facts(world, tickets.select("i"))).select("i", "ZAAKNR", "state", "day")
    frame = with_person(world, tickets).join(states, on="i", how="left", maintain_order="left").sort("date", "i")
    ends = pl.Series("delivery", list(QUARTERS), dtype=pl.Date)
    frame = frame.with_columns(
        pl.lit(ends).gather(pl.lit(ends).search_sorted(pl.col("date"), side="left")).alias("delivery"),
        pl.when(pl.col("product") == "RIJUIT")
        .then(pl.lit("RYB"))
        .otherwise(dice.pick_of("document", (("PAS", 65), ("NIK", 35))))
        .alias("PRODUCT"),
    )
    # What is planted by chance is also planted once in every demo, however small.
    nth = pl.int_range(pl.len()).over("delivery")
    back = dice.chance("paid back", 0.01) | (pl.int_range(pl.len()) == 0)
    fee = pl.col("PRODUCT").replace_strict(_FEES, return_dtype=pl.Int64)
    prefix = pl.when(pl.col("p_prefix") != "").then(pl.col("p_prefix") + " ").otherwise(pl.lit(""))
    first = pl.when((pl.col("delivery") == MAILED) & (nth == 0)).then(pl.lit("Zoë")).otherwise(pl.col("p_first"))
    return frame.with_columns(
        (pl.col("i") + _APPLICATION_BASE).cast(pl.String).alias("AANVRNR"),
        pl.col("p_bsn").alias("BSN"),
        (first + " " + prefix + pl.col("p_surname")).str.head(40).alias("NAAM"),
        compact(pl.col("p_birth")).alias("GEBDAT"),
        compact(day_of(pl.col("day"))).alias("DATAANVR"),
        compact(pl.col("date")).alias("DATUITR"),
        clock(pl.col("issued")).str.head(4).alias("TIJDUITR"),
        pl.when(back).then(-fee).otherwise(fee).alias("cents"),
        dice.pick_of("status", (("U", 97), ("V", 2), ("N", 1))).alias("STATUS"),
        back.alias("_F14"),
    )


def delivery(rows: pl.DataFrame, day: date, number: int, *, stated: int = 0) -> bytes:
    """Return a file.

    Args:
        rows: of `hand_out_rows`, of one delivery.
        day: on which it was made.
        number: of the delivery.
        stated: how much the trailer's sum is beside the truth, in cents.
    """
    details = rows.select(pl.concat_str(_columns()).alias("line"))["line"]
    made = f"000855{day:%Y%m%d}{number:06}"
    total = f"99{rows.height:08}{_signed(int(rows['cents'].sum()) + stated, 12)}"
    lines = [f"{made:<140}", *details, f"{total:<140}"]
    text = "".join(f"{line}\r\n" for line in lines)
    return text.encode("utf-8" if day == MAILED else "cp850")


def _columns() -> list[pl.Expr]:
    digits = pl.col("cents").abs().cast(pl.String).str.zfill(8)
    last = digits.str.tail(1)
    amount = digits.str.head(7) + pl.when(pl.col("cents") < 0).then(last.replace(_OVERPUNCHED)).otherwise(last)
    return [
        pl.lit("10"),
        pl.col("AANVRNR"),
        pl.col("BSN"),
        pl.col("NAAM").str.pad_end(40),
        pl.col("GEBDAT"),
        pl.col("PRODUCT"),
        pl.col("DATAANVR"),
        pl.col("DATUITR"),
        pl.col("TIJDUITR"),
        pl.col("BALIENR").str.pad_end(3),
        pl.col("BONNR").str.pad_end(4),
        pl.col("MEDCODE").str.pad_end(8),
        amount,
        pl.col("ZAAKNR").str.pad_end(15),
        pl.col("STATUS"),
        pl.lit(" " * 9),
    ]


def _signed(cents: int, length: int) -> str:
    digits = f"{abs(cents):0{length}}"
    return digits[:-1] + _OVERPUNCHED[digits[-1]] if cents < 0 else digits


def file_name(day: date) -> str:
    """Return the name of a delivery."""
    return f"UITREIK_{day:%Y%m%d}.TXT"
