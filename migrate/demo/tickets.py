"""A day at the counter: tickets of stories (application, hand-out), of people who walk in, of those sent on."""

from __future__ import annotations

from datetime import date

import polars as pl

from migrate.demo import catalogue
from migrate.demo.cases import case_facts
from migrate.demo.dice import part
from migrate.demo.nights import night_tickets
from migrate.demo.world import CUSTOMER_BASE, HAND_OUT_AFTER, World, compact, counter_span, day_of, working_days

WALK_IN, OPENING, HAND_OUT, SENT_ON = 0, 1, 2, 3
"""Why somebody took a ticket; the last digit of the number of a ticket in base 4."""
_DAY_ROOM = 1 << 24
_RESET_ON = date(2016, 5, 17)
"""On this day the counter of the first place was reset in every demo, however small (B05)."""


def counter_day(world: World, first: int, after: int) -> pl.DataFrame:
    """Return the tickets of the working days from ``first`` up to, but not including, ``after``.

    Adds ``tid`` (the ticket's number in the demo), ``kind``, ``case`` and its ``nr`` (of a story), ``t`` (person or
    NULL), ``day``, ``date``, ``LOCCODE``, ``product``, ``issued`` (second of the day), ``before`` (``tid`` of the
    ticket sent on).
    """
    cases = _stories(world, first, after)
    walk = _walk_ins(world, first, after, cases)
    frame = pl.concat([cases, walk], how="diagonal")
    dice = world.dice("ticket", "tid")
    frame = frame.with_columns(
        day_of(pl.col("day")).alias("date"),
        dice.pick_of("place", catalogue.LOCATION_WEIGHTS).alias("LOCCODE"),
        pl.col("product").fill_null(dice.pick_of("product", catalogue.PRODUCT_WEIGHTS)),
        dice.between("issued", 30_700, 59_400).alias("issued"),
        pl.lit(None, dtype=pl.Int64).alias("before"),
    )
    nights = night_tickets(first, after, _DAY_ROOM - 1).with_columns(
        ((pl.col("day") * _DAY_ROOM + pl.col("k")) * 4 + WALK_IN).alias("tid"),
        pl.lit(WALK_IN).alias("kind"),
        pl.lit(catalogue.LOCATION_WEIGHTS[0][0]).alias("LOCCODE"),
        pl.lit("INFO").alias("product"),
    )
    resets = _around_the_reset(first, after)
    rows = pl.concat([frame, _sent_on(world, frame), nights.drop("k"), resets], how="diagonal")
    return rows.sort("day", "issued", "tid")


def _around_the_reset(first: int, after: int) -> pl.DataFrame:
    """Return two tickets of one queue, one before and one after the counter was reset on `_RESET_ON`."""
    day = working_days().index(_RESET_ON)
    tickets = pl.DataFrame({"k": [_DAY_ROOM - 2, _DAY_ROOM - 3], "issued": [33_000, 48_600]}).select(
        ((day * _DAY_ROOM + pl.col("k")) * 4 + WALK_IN).alias("tid"),
        pl.lit(WALK_IN).alias("kind"),
        pl.lit(day).cast(pl.Int64).alias("day"),
        pl.lit(_RESET_ON).alias("date"),
        pl.lit(catalogue.LOCATION_WEIGHTS[0][0]).alias("LOCCODE"),
        pl.lit("INFO").alias("product"),
        pl.col("issued").cast(pl.Int64),
    )
    return tickets if first <= day < after else tickets.clear()


def _stories(world: World, first: int, after: int) -> pl.DataFrame:
    """Return the tickets of cases: the application on the day of registration, the hand-out ten working days later."""
    low, high = world.first_case_of(first - HAND_OUT_AFTER), world.first_case_of(after)
    facts = case_facts(world, pl.DataFrame({"i": pl.int_range(low, high, dtype=pl.Int64, eager=True)})).filter("story")
    product = pl.col("ZTCODE").replace_strict(catalogue.APPLY_FOR, return_dtype=pl.String)
    opening = facts.filter(pl.col("day") >= first).select(
        (pl.col("i") * 4 + OPENING).alias("tid"),
        pl.lit(OPENING).alias("kind"),
        pl.col("i").alias("case"),
        pl.col("ZAAKNR").alias("nr"),
        pl.col("person").alias("t"),
        "day",
        product.alias("product"),
        "deleted",
        "rejected",
        "parent",
    )
    given = facts.filter(
        pl.col("ZTCODE").is_in(list(catalogue.HAND_OUT))
        & pl.col("closed")
        & (pl.col("day") + HAND_OUT_AFTER).is_between(first, after - 1)
    )
    hand_out = given.select(
        (pl.col("i") * 4 + HAND_OUT).alias("tid"),
        pl.lit(HAND_OUT).alias("kind"),
        pl.col("i").alias("case"),
        pl.col("ZAAKNR").alias("nr"),
        pl.col("person").alias("t"),
        pl.col("day") + HAND_OUT_AFTER,
        pl.col("ZTCODE").replace_strict(catalogue.HAND_OUT, default=None, return_dtype=pl.String).alias("product"),
        "deleted",
        "rejected",
        "parent",
    )
    return pl.concat([opening, hand_out])


def _walk_ins(world: World, first: int, after: int, stories: pl.DataFrame) -> pl.DataFrame:
    """Return tickets without a story, so many that there are about three tickets for each case in all."""
    start = counter_span()[0]
    days = pl.DataFrame({"day": pl.int_range(first, after, dtype=pl.Int64, eager=True)})
    taken = stories.group_by("day").len("taken")
    quota = world.tickets_until(pl.col("day") - start + 1) - world.tickets_until(pl.col("day") - start)
    days = days.join(taken, on="day", how="left", maintain_order="left").with_columns(
        (quota - pl.col("taken").fill_null(0)).clip(0).alias("n")
    )
    frame = days.select("day", pl.int_ranges(0, pl.col("n")).alias("k")).explode("k").drop_nulls("k")
    frame = frame.with_columns(((pl.col("day") * _DAY_ROOM + pl.col("k")) * 4 + WALK_IN).alias("tid"))
    dice = world.dice("walk-in", "tid")
    known = dice.chance("known", 0.27)
    person = dice.below("who", world.persons - world.first_customer) + world.first_customer
    return frame.select("tid", pl.lit(WALK_IN).alias("kind"), "day", pl.when(known).then(person).alias("t"))


def _sent_on(world: World, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the tickets of people who were sent on to another desk: they take a new ticket there."""
    dice = world.dice("sent on", "tid")
    return frame.filter((pl.col("kind") == WALK_IN) & dice.chance("is", 0.05)).with_columns(
        pl.col("tid").alias("before"),
        (pl.col("tid") + SENT_ON).alias("tid"),
        pl.lit(SENT_ON).alias("kind"),
        pl.lit("INFO").alias("product"),
        (pl.col("issued") + dice.between("after", 1_600, 3_200)).alias("issued"),
    )


def ticket_rows(world: World, frame: pl.DataFrame, first_number: int) -> pl.DataFrame:
    """Return BLS_BON for the tickets of `counter_day`, numbered from ``first_number`` on.

    Adds ``series``, ``test``, ``called``, ``begun`` and ``ended`` (seconds or NULL), ``coded`` (code of the
    employee) and ``clock_behind``.
    """
    dice = world.dice("ticket", "tid")
    frame = frame.with_row_index("n").with_columns((pl.col("n").cast(pl.Int64) + first_number).alias("BONID"))
    sent = frame.filter(pl.col("before").is_not_null()).select(
        pl.col("before").alias("tid"), pl.lit(True).alias("sends_on")
    )
    earlier = frame.select(pl.col("tid").alias("before"), pl.col("BONID").alias("previous"))
    frame = frame.join(sent, on="tid", how="left", maintain_order="left").join(
        earlier, on="before", how="left", maintain_order="left"
    )
    frame = frame.with_columns(*_state(world), *_product(world))
    frame = _numbers(world, frame)
    frame = frame.with_columns(*_times(world)).with_columns(*_people(world))
    return frame.with_columns(
        compact(pl.col("date")).alias("DATUM"),
        pl.col("previous").alias("BONID_VORIG"),
        pl.when(pl.col("test") & dice.chance("test text", 0.5) | (pl.col("test") & (pl.col("date").dt.year() < 2014)))
        .then(pl.lit("TEST"))
        .otherwise(pl.col("note"))
        .alias("OPM"),
        dice.pick("priority", ("0", "0", "0", "0", "1", "")).alias("PRIO"),
        pl.when(pl.col("t").is_not_null())
        .then(
            pl.when(pl.col("no_customer"))
            .then(90_000_000 + pl.col("n").cast(pl.Int64))
            .otherwise(pl.col("t") + CUSTOMER_BASE)
        )
        .when(dice.chance("zero customer", 0.5))
        .then(0)
        .alias("KLANTNR"),
        pl.col("t").is_null().alias("_B03"),
        pl.lit(True).alias("_B04"),
    )


def _state(world: World) -> list[pl.Expr]:
    dice = world.dice("ticket", "tid")
    draw, plain = dice.share("status"), (pl.col("kind") == WALK_IN) & pl.col("sends_on").is_null()
    status = (
        pl.when(pl.col("sends_on"))
        .then(pl.lit("DV"))
        .when(~plain)
        .then(pl.lit("AF"))
        .when(part(draw, 0, 0.078))
        .then(pl.lit("NV"))
        .when(part(draw, 0.078, 0.025))
        .then(pl.lit("AN"))
        .when(part(draw, 0.11, 0.027))
        .then(pl.lit("SY"))
        .otherwise(pl.lit("AF"))
    )
    night = pl.col("issued_utc").is_not_null()
    status = pl.when(night).then(pl.lit("SY")).otherwise(status)
    test = plain & part(draw, 0.2, 0.0027) & ~night
    return [
        status.alias("STATUS"),
        night.alias("_B10"),
        test.alias("test"),
        (status == "SY").alias("_B09"),
        test.alias("_B29"),
        pl.when(pl.col("t").is_not_null())
        .then((pl.col("kind") == WALK_IN) & dice.chance("dangling customer", 0.006))
        .otherwise(False)
        .alias("no_customer"),
    ]


def _product(world: World) -> list[pl.Expr]:
    dice = world.dice("ticket", "tid")
    retired = (pl.col("kind") == WALK_IN) & dice.chance("retired", 0.009)
    empty = (pl.col("kind") == WALK_IN) & dice.chance("no product", 0.02)
    queues = {p.code: p.queue for p in catalogue.PRODUCTS}
    return [
        pl.when(retired)
        .then(dice.pick("which retired", catalogue.RETIRED_PRODUCTS))
        .when(empty)
        .then(pl.lit(""))
        .otherwise(pl.col("product"))
        .alias("PRODCODE"),
        retired.alias("_B21"),
        pl.col("product").replace_strict(queues, return_dtype=pl.String).alias("RIJCODE"),
    ]


def _numbers(world: World, frame: pl.DataFrame) -> pl.DataFrame:
    """Number the tickets per day, place and queue; where the counter was reset at one o'clock it starts again (B05)."""
    place = pl.col("LOCCODE").replace_strict(
        {code: n for n, (code, _) in enumerate(catalogue.LOCATION_WEIGHTS)}, return_dtype=pl.Int64
    )
    frame = frame.with_columns((pl.col("day") * 8 + place).alias("_place_day"))
    known = (pl.col("date") == _RESET_ON) & (pl.col("LOCCODE") == catalogue.LOCATION_WEIGHTS[0][0])
    reset = world.dice("counter", "_place_day").chance("reset", 0.003) | known
    frame = frame.with_columns((reset & (pl.col("issued") >= 13 * 3600)).alias("_after"), reset.alias("_reset"))
    rank = pl.int_range(pl.len()).over("day", "LOCCODE", "RIJCODE", "_after")
    frame = frame.with_columns((pl.col("RIJCODE") + (rank % 999 + 1).cast(pl.String).str.zfill(3)).alias("BONNR"))
    place_days = pl.col("n").rank("ordinal").over("_place_day") == 1
    return frame.with_columns(
        pl.int_range(pl.len()).over("day", "LOCCODE", "BONNR").alias("series"),
        pl.when(place_days).then(pl.col("_reset")).alias("_B05"),
    )


def _times(world: World) -> list[pl.Expr]:
    dice = world.dice("ticket", "tid")
    status = pl.col("STATUS")
    called = pl.col("issued") + dice.between("wait", 60, 1_500)
    begun = called + dice.between("walk", 8, 70)
    never_served = status.is_in(["NV", "AN"])
    night = pl.col("issued_utc").is_not_null()
    served = ~never_served & ~((status == "SY") & dice.chance("left", 0.5)) & ~night
    behind = status.is_in(["AF", "DV"]) & dice.chance("clock behind", 0.0088)
    ended = begun + pl.when(behind).then(-dice.between("behind by", 2, 50)).otherwise(
        dice.between("service", 60, 1_200)
    )
    return [
        pl.when(night).then("called_at_night").when(status != "AN").then(called).alias("called"),
        pl.when(served).then(begun).alias("begun"),
        pl.when(served & (status != "SY")).then(ended).alias("ended"),
        behind.alias("_B08"),
        behind.alias("clock_behind"),
        pl.when(status == "AN")
        .then(0)
        .when(status == "NV")
        .then(dice.between("calls", 2, 3))
        .otherwise(1)
        .alias("AANTOPR"),
        (never_served | ~served).alias("_B07"),
        pl.when(served).then(dice.pick("desk", catalogue.DESKS)).otherwise(pl.lit("")).alias("BALIENR"),
        pl.when(dice.chance("note", 0.05))
        .then(
            dice.pick("which note", ("pasfoto opnieuw", "klant komt terug", "spoed", "kind meegekomen", "tolk nodig"))
        )
        .when(dice.chance("empty note", 0.5))
        .then(pl.lit(""))
        .alias("note"),
    ]


def _people(world: World) -> list[pl.Expr]:
    """Return the employee: a typed name before 2014 (B24), a code after, on a quarter of the older tickets both."""
    dice = world.dice("ticket", "tid")
    who = dice.below("employee", len(catalogue.COUNTER_EMPLOYEES))
    code = pl.lit(pl.Series("code", catalogue.WORKING_CODES)).gather(who)
    forms = [[e.nickname, e.plain, e.plain + " (stag.)", e.nickname.upper()] for e in catalogue.COUNTER_EMPLOYEES]
    typed = pl.lit(pl.Series("typed", [name for names in forms for name in names])).gather(
        who * 4 + dice.below("form", 4)
    )
    stray = dice.chance("stray", 0.03)
    old = pl.col("date").dt.year() < 2014
    both = old & dice.chance("both", 0.25)
    gone = ~old & dice.chance("code of nobody", 0.002)
    test_code = pl.col("test") & ~old
    return [
        pl.when(test_code)
        .then(pl.lit(catalogue.TEST_USER))
        .when(gone)
        .then(pl.lit("GAST01"))
        .when(~old | both)
        .then(code)
        .otherwise(pl.lit(""))
        .alias("MEDCODE"),
        pl.when(~old)
        .then(None)
        .when(stray)
        .then(dice.pick("stray name", catalogue.STRAY_NAMES))
        .otherwise(typed)
        .alias("MEDNAAM"),
        pl.when(old & ~both & stray).then(True).otherwise(False).alias("stray"),
        who.alias("_who"),
        gone.alias("code_gone"),
        pl.when(old).then(True).alias("_B24"),
        pl.when((~old | both) & ~test_code & ~gone).then(code).alias("coded"),
        pl.when((pl.col("date") < pl.date(2012, 3, 1)) & both)
        .then(code.is_in(list(catalogue.REISSUED)))
        .alias("former"),
        pl.when((pl.col("date") < pl.date(2012, 3, 1)) & both)
        .then(code.is_in(list(catalogue.REISSUED)) & ~test_code & ~gone)
        .alias("_B25"),
    ]
