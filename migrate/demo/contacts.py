"""The contact centre's monthly CSV files: calls about cases, and everything else."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from casemodel import SystemFailure
from migrate.demo import catalogue, words
from migrate.demo.cases import case_facts
from migrate.demo.dice import Dice, part
from migrate.demo.people import with_person
from migrate.demo.typed import earlier_case, with_typed_number
from migrate.demo.world import World, clock, day_of, working_days

HEADER = (
    "Contactnr",
    "Datum",
    "Begintijd",
    "Eindtijd",
    "Kanaal",
    "Naam",
    "BSN",
    "Telefoon",
    "E-mailadres",
    "Onderwerp",
    "Vraag",
    "Antwoord",
    "Zaaknummer",
    "Terugbellen J/N",
    "Terugbellen door",
    "Teruggebeld op",
    "Medewerker",
    "Bedrag",
)
OLD_PHONE_HEADER = "Tel.nr"
NEW_HEADER_FROM = "201501"
QUOTE_FILES = ("201403", "201510")
"""Months in whose file a record has a quote that nobody escaped (F02): it cannot be read."""
_QUOTE = "\x01"
"""Stands for such a quote until the file is written."""
_CALL_WITHIN = 14
"""Working days after its registration within which somebody asks about a case."""


def month_days(month: str) -> tuple[int, int]:
    """Return the numbers of the first working day of a month ``yyyymm`` and of the day after its last."""
    days = working_days()
    first = date(int(month[:4]), int(month[4:]), 1)
    after = (first + timedelta(days=32)).replace(day=1)
    return sum(day < first for day in days), sum(day < after for day in days)


def contact_rows(world: World, months: Sequence[str]) -> pl.DataFrame:
    """Return the contacts of consecutive months ``yyyymm`` in the order of their files.

    Adds ``month``, ``date``, ``begun`` and ``ended`` (seconds of the day), ``story``, ``question`` and the
    columns of `typed`.
    """
    first, after = month_days(months[0])[0], month_days(months[-1])[1]
    frame = pl.concat([_calls(world, first, after), _others(world, months)], how="diagonal")
    dice = world.dice("contact", "cid")
    frame = frame.with_columns(
        day_of(pl.col("day")).alias("date"), (dice.between("minute", 510, 1_020) * 60).alias("begun")
    )
    frame = frame.with_columns(pl.col("date").dt.strftime("%Y%m").alias("month")).sort("date", "begun", "cid")
    rank = pl.int_range(1, pl.len() + 1).over("month").cast(pl.String).str.zfill(6)
    frame = frame.with_columns((pl.col("month").str.slice(2) + rank).alias("Contactnr"))
    frame = with_person(world, frame)
    frame = with_typed_number(world, frame, dice, inexact=0.15)
    frame = frame.with_columns(*_person(dice), *_talk(dice), *_call_back(dice))
    # Not on the last day, which the next file repeats, nor where a question takes two lines: each would be a record.
    # One is planted in every demo, however small.
    early = pl.col("date") < pl.col("date").max().over("month")
    early &= ~pl.col("Vraag").str.contains("\n", literal=True).fill_null(False)
    planted = pl.col("month").is_in(QUOTE_FILES) & (early.cum_sum().over("month") == 1)
    unescaped = early & (dice.chance("unescaped", 0.001) | planted)
    said = pl.lit("bakker ") + pl.lit(_QUOTE) + pl.lit("t hoekje") + pl.lit(_QUOTE)
    return frame.with_columns(
        unescaped.alias("unescaped"),
        pl.when(early).then(unescaped).alias("_F02_unescaped"),
        pl.when(unescaped).then(said).otherwise("Onderwerp").alias("Onderwerp"),
    )


def rows_a_month(world: World) -> int:
    """Return about how many contacts a month has."""
    return max(3, world.cases * 40 // 100 // len(catalogue.CONTACT_MONTHS))


def _calls(world: World, first: int, after: int) -> pl.DataFrame:
    low, high = world.first_case_of(first - _CALL_WITHIN - 1), world.first_case_of(after)
    facts = case_facts(world, pl.DataFrame({"i": pl.int_range(low, high, dtype=pl.Int64, eager=True)}))
    dice = world.dice("call", "i")
    day = pl.col("day") + dice.between("after", 2, _CALL_WITHIN)
    return facts.filter(
        dice.chance("asks", 0.3) & pl.col("person").is_not_null() & day.is_between(first, after - 1)
    ).select(
        (pl.col("i") * 2).alias("cid"),
        day.alias("day"),
        pl.col("i").alias("case"),
        pl.col("person").alias("t"),
        pl.lit(True).alias("story"),
    )


def _others(world: World, months: Sequence[str]) -> pl.DataFrame:
    spans = [month_days(month) for month in months]
    frame = pl.DataFrame(
        {"base": [int(month) for month in months], "first": [s[0] for s in spans], "days": [s[1] - s[0] for s in spans]}
    )
    frame = frame.with_columns(pl.int_ranges(0, rows_a_month(world)).alias("k")).explode("k")
    frame = frame.select(((pl.col("base") * (1 << 24) + pl.col("k")) * 2 + 1).alias("cid"), "first", "days")
    dice = world.dice("question", "cid")
    frame = frame.select(
        "cid",
        (pl.col("first") + dice.below("day", 1 << 20) % pl.col("days")).alias("day"),
        dice.below("who", world.persons).alias("t"),
        pl.lit(False).alias("story"),
    )
    return frame.with_columns(
        pl.when(dice.chance("about a case", 0.15))
        .then(earlier_case(world, dice, pl.col("day")).cast(pl.Int64))
        .alias("case")
    )


def _person(dice: Dice) -> list[pl.Expr]:
    draw, named = dice.share("bsn"), dice.chance("named", 0.75)
    prefix = pl.when(pl.col("p_prefix") != "").then(pl.col("p_prefix") + " ").otherwise(pl.lit(""))
    name = pl.col("p_initials") + " " + prefix + pl.col("p_surname")
    given, lost, dotted = named & (draw < 400_000), part(draw, 0, 0.4 * 0.004), part(draw, 0.01, 0.4 * 0.02)
    number = pl.col("p_bsn")
    science = number.str.slice(0, 1) + "," + number.str.slice(1, 5) + "E+08"
    points = pl.concat_str([number.str.slice(0, 3), number.str.slice(3, 3), number.str.slice(6, 3)], separator=".")
    return [
        pl.when(named).then(name).alias("Naam"),
        pl.when(given).then(pl.when(lost).then(science).when(dotted).then(points).otherwise(number)).alias("BSN"),
        pl.when(given).then(lost).alias("_F07"),
        pl.when(given).then(dotted).alias("_F08"),
        pl.when(dice.chance("phone", 0.5)).then(pl.col("p_mobile")).alias("Telefoon"),
        pl.when(dice.chance("mail", 0.3)).then(pl.col("p_mail")).alias("E-mailadres"),
    ]


def _talk(dice: Dice) -> list[pl.Expr]:
    odd = dice.chance("odd channel", 0.003)
    question, answer = dice.pick("question", words.QUESTIONS), dice.pick("answer", words.ANSWERS)
    broken, quoted = dice.chance("line break", 0.004), dice.chance("quotes", 0.005)
    text = (
        pl.when(broken)
        .then(question + "\r\n" + pl.lit("Graag terugbellen."))
        .when(quoted)
        .then(pl.lit('Zei: "') + question + '"')
        .otherwise(question)
    )
    return [
        (pl.col("begun") + dice.between("minutes", 1, 25) * 60).alias("ended"),
        pl.when(odd)
        .then(pl.lit(catalogue.CONTACT_STRAY_CHANNEL))
        .otherwise(dice.pick_of("channel", catalogue.CONTACT_CHANNELS))
        .alias("Kanaal"),
        pl.when(dice.chance("subject", 0.97))
        .then(dice.pick("which subject", words.CONTACT_SUBJECTS))
        .alias("Onderwerp"),
        text.alias("Vraag"),
        question.alias("question"),
        broken.alias("_F03"),
        quoted.alias("_F02"),
        pl.when(dice.chance("answered", 0.9)).then(answer).alias("Antwoord"),
        pl.col("typed").alias("Zaaknummer"),
        pl.when(dice.chance("agent", 0.95))
        .then(pl.lit(pl.Series("agents", _agent_names())).gather(dice.below("which agent", 4 * _AGENTS)))
        .alias("Medewerker"),
        pl.when(dice.chance("amount", 0.06))
        .then(dice.pick("which amount", ("€ 12,50", "€ 73,20", "€ 1.073,20", "€ 9,75")))
        .alias("Bedrag"),
        pl.when(dice.chance("amount", 0.06)).then(True).alias("_F04"),
    ]


_AGENTS = 10


def _agent_names() -> list[str]:
    """Return how the agents write themselves: people of the list, now and then somebody hired."""
    known = [
        name for e in catalogue.COUNTER_EMPLOYEES[: _AGENTS - 1] for name in (e.plain, e.inverted, e.nickname, e.plain)
    ]
    return [*known, *(["uitzendkracht 7"] * 4)]


def agent_code(name: pl.Expr) -> pl.Expr:
    """Return the employee code behind an agent's name, NULL for somebody who is not on the list."""
    table = {name: e.code for e in catalogue.COUNTER_EMPLOYEES for name in (e.plain, e.inverted, e.nickname)}
    return name.replace_strict(table, default=None, return_dtype=pl.String)


def _call_back(dice: Dice) -> list[pl.Expr]:
    wanted = dice.chance("call back", 0.12)
    yes, no = dice.pick("yes", ("J", "J", "ja")), dice.pick("no", ("N", "N", "nee", "", ""))
    return [
        wanted.alias("call_back"),
        pl.when(wanted).then(yes).otherwise(pl.when(no != "").then(no)).alias("Terugbellen J/N"),
        pl.when(wanted).then(dice.pick("by", [e.plain for e in catalogue.COUNTER_EMPLOYEES])).alias("Terugbellen door"),
        pl.when(wanted & dice.chance("called back", 0.8))
        .then(_plain_day(pl.col("date") + pl.duration(days=1)) + " " + _short_time(pl.col("begun")))
        .alias("Teruggebeld op"),
    ]


def _plain_day(day: pl.Expr) -> pl.Expr:
    return pl.concat_str(
        [day.dt.day().cast(pl.String), day.dt.month().cast(pl.String), day.dt.strftime("%Y")], separator="-"
    )


def _short_time(second: pl.Expr) -> pl.Expr:
    digits = clock(second)
    return digits.str.slice(0, 2).str.replace(r"^0", "") + ":" + digits.str.slice(2, 2)


def repeated(world: World, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the contacts of a month's last day as the next file repeats them (F11), a few with another answer."""
    dice = world.dice("repeat", "cid")
    changed = dice.chance("answered later", 0.05)
    return rows.filter(pl.col("date") == pl.col("date").max()).with_columns(
        pl.when(changed)
        .then(pl.lit("Afgehandeld: teruggebeld en opgelost"))
        .otherwise(pl.col("Antwoord"))
        .alias("Antwoord")
    )


def corrected(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the contacts of a month as a second delivery of its file has them (F10): every tenth is better."""
    better, answer = pl.int_range(pl.len()) % 10 == 0, pl.lit("Gecorrigeerd: klacht is doorgezet")
    return rows.with_columns(
        pl.when(better).then(answer).otherwise("Antwoord").alias("Antwoord"),
        pl.when("unescaped").then(pl.lit('bakker "t hoekje"')).otherwise("Onderwerp").alias("Onderwerp"),
        pl.lit(False).alias("unescaped"),
    )


def file_name(month: str) -> str:
    """Return the name of a month's file."""
    return f"KCC_CONTACT_{month}.CSV"


def file_bytes(month: str, rows: pl.DataFrame) -> tuple[bytes, list[int]]:
    """Return a month's file: cp1252 but for one, dates as that month's computer wrote them, a total at the end.

    Beside it the numbers of the lines whose record cannot be read.

    Raises:
        SystemFailure: never for rows of `contact_rows`; a text outside cp1252 would be a mistake in the lists of words.
    """
    if month in catalogue.US_ORDER_FILES:
        day = pl.col("date").dt.strftime("%m/%d/%Y")
    elif month in catalogue.ISO_ORDER_FILES:
        day = pl.col("date").dt.strftime("%Y-%m-%d")
    else:
        day = _plain_day(pl.col("date"))
    frame = rows.with_columns(
        day.alias("Datum"),
        _short_time(pl.col("begun")).alias("Begintijd"),
        _short_time(pl.col("ended")).alias("Eindtijd"),
    )
    frame = frame.select(HEADER)
    if month < NEW_HEADER_FROM:
        frame = frame.rename({"Telefoon": OLD_PHONE_HEADER})
    buffer = io.BytesIO()
    frame.write_csv(buffer, separator=";", quote_style="necessary", line_terminator="\r\n", null_value="")
    # The last line of some files has no line end (F03).
    text = buffer.getvalue().decode() + f"Totaal;;;{rows.height}" + ("" if month.endswith(("03", "08")) else "\r\n")
    lines = [number for number, line in enumerate(text.split("\n"), 1) if _QUOTE in line]
    try:
        return text.replace(_QUOTE, '"').encode("utf-8-sig" if month in catalogue.UTF8_FILES else "cp1252"), lines
    except UnicodeEncodeError as error:
        raise SystemFailure(
            "SYS-022",
            f"a text of the demo does not fit the character set of {file_name(month)}",
            hint="Report this with the output of `omnicase doctor`.",
        ) from error
