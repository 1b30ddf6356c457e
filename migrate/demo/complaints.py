"""The complaints that an office listed in a workbook, a sheet a year: what was complained of, and how it looks."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from migrate.demo import catalogue
from migrate.demo.contacts import month_days
from migrate.demo.dice import Dice
from migrate.demo.people import with_person
from migrate.demo.typed import earlier_case, with_typed_number
from migrate.demo.world import World, day_of

FILE_NAME = "KLACHTEN_2009-2016.xlsx"
YEARS = tuple(range(2009, 2017))
HEADER = (
    "Nr",
    "Ontvangen",
    "Klager",
    "Hoe binnengekomen",
    "Omschrijving",
    "Afdeling",
    "Behandelaar",
    "Afgehandeld",
    "Resultaat",
    "Zaaknr",
)
_NUMBERED_IN_TEXT = (2010, 2015)
"""Years in which the number was typed with a letter, so that it is a text."""
_COLOURED = 2013
"""F22: in this year a red row was one that is done with."""
_MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november",
    "december",
)  # fmt: skip
_CHANNELS = {
    "telefoon": ("tel.", "TEL", "telefonisch", "Telefoon "),
    "balie": ("mondeling balie", "aan de balie", "Balie"),
    "post": ("brief", "Per brief", "post"),
    "email": ("mail", "e-mail", "per e-mail"),
    "onbekend": ("via de wethouder",),
}
"""F24: a channel in the words of who noted it."""
_RESULTS = {
    "gegrond": ("gegrond", "Gegrond", "GEGROND"),
    "ongegrond": ("ongegrond", "Ongegr.", "niet gegrond"),
    "deels gegrond": ("deels", "deels gegrond"),
    "ingetrokken": ("ingetrokken", "ingetr."),
    "opgelost in een gesprek": ("opgelost in een gesprek",),
}
_COMPLAINTS = (
    "Lang gewacht aan de balie", "Onheus bejegend", "Brief niet beantwoord", "Verkeerde inlichtingen gekregen",
    "Drie keer doorverbonden", "Afspraak ging niet door",
)  # fmt: skip
_DEPARTMENTS = ("Burgerzaken", "Vergunningen", "Belastingen", "Openbare werken")


def complaint_rows(world: World) -> pl.DataFrame:
    """Return all complaints in the order of the list.

    Adds ``year``, ``k`` (from 0), ``date``, ``channel``, ``result``, ``closed`` (NULL: not known) and ``name`` to what
    the sheets hold, and the flags of their dirt.
    """
    spans = [(month_days(f"{year}01")[0], month_days(f"{year}12")[1]) for year in YEARS]
    frame = pl.DataFrame({"year": YEARS, "first": [s[0] for s in spans], "days": [s[1] - s[0] for s in spans]})
    frame = frame.with_columns(pl.int_ranges(0, max(4, world.cases // 400)).alias("k")).explode("k")
    frame = frame.with_columns((pl.col("year").cast(pl.Int64) * (1 << 20) + pl.col("k")).alias("id"))
    dice = world.dice("complaint", "id")
    frame = frame.with_columns(
        (pl.col("first") + dice.below("day", 1 << 20) % pl.col("days")).alias("day"),
        dice.below("who", world.persons).alias("t"),
    )
    frame = frame.with_columns(
        day_of(pl.col("day")).alias("date"),
        pl.when(dice.chance("about a case", 0.6))
        .then(earlier_case(world, dice, pl.col("day")).cast(pl.Int64))
        .alias("case"),
    )
    frame = with_typed_number(world, with_person(world, frame), dice, inexact=0)
    return frame.with_columns(*_what(dice)).with_columns(*_how(dice)).with_columns(*_cells())


def _what(dice: Dice) -> list[pl.Expr]:
    prefix = pl.when(pl.col("p_prefix") != "").then(pl.col("p_prefix") + " ").otherwise(pl.lit(""))
    # One row at least is done with in colour only.
    in_colour = (pl.col("year") == _COLOURED) & (pl.col("k") == 3)
    closing = pl.when(in_colour).then(750_000).otherwise(dice.share("closed"))
    return [
        (pl.col("p_initials") + " " + prefix + pl.col("p_surname")).alias("name"),
        pl.concat_str([pl.col("p_street"), pl.col("p_number").cast(pl.String)], separator=" ").alias("street"),
        _drawn(dice, "channel", _CHANNELS),
        _drawn(dice, "result", _RESULTS),
        dice.pick("complaint", _COMPLAINTS).alias("Omschrijving"),
        dice.pick("department", _DEPARTMENTS).alias("Afdeling"),
        dice.pick("handler", [e.plain for e in catalogue.COUNTER_EMPLOYEES[:6]]).alias("Behandelaar"),
        pl.when(closing < 700_000)
        .then(pl.col("date") + pl.duration(days=dice.between("after", 3, 60)))
        .alias("closed"),
        (closing >= 850_000).alias("said_yes"),
        (dice.chance("date in words", 0.1) | (pl.col("k") == 0)).alias("_F21"),
        pl.lit(True).alias("_F24"),
    ]


def _drawn(dice: Dice, name: str, forms: dict[str, tuple[str, ...]]) -> pl.Expr:
    pairs = [f"{true}|{form}" for true, said in forms.items() for form in said]
    return dice.pick(name, pairs).alias(f"_{name}")


def _how(dice: Dice) -> list[pl.Expr]:
    known = pl.col("typed").is_not_null()
    broken = (dice.chance("error", 0.005) | ((pl.col("k") == 1) & (pl.col("year") == 2010))) & known
    two = (dice.chance("two cases", 0.01) | ((pl.col("k") == 2) & (pl.col("year") == 2011))) & known & ~broken
    second = pl.lit(" + ") + dice.between("second", 100, 999).cast(pl.String)
    return [
        *(pl.col(f"_{name}").str.extract(r"^(.*)\|", 1).alias(name) for name in ("channel", "result")),
        pl.col("_channel").str.extract(r"\|(.*)$", 1).alias("Hoe binnengekomen"),
        pl.col("_result").str.extract(r"\|(.*)$", 1).alias("Resultaat"),
        pl.when(known).then(broken).alias("_F23"),
        pl.when(known).then(two).alias("_F25"),
        pl.when(broken).then(None).when(two).then(pl.col("typed") + second).otherwise(pl.col("typed")).alias("Zaaknr"),
        pl.when(pl.col("year") == _COLOURED).then(pl.col("closed").is_null() & ~pl.col("said_yes")).alias("_F22"),
        pl.concat_str([pl.col("name"), pl.col("street"), pl.col("p_city")], separator=", ").alias("Klager"),
    ]


def _cells() -> list[pl.Expr]:
    month = (
        pl.col("date")
        .dt.month()
        .cast(pl.String)
        .replace_strict({str(number): name for number, name in enumerate(_MONTHS, 1)}, return_dtype=pl.String)
    )
    words = pl.concat_str(
        [pl.col("date").dt.day().cast(pl.String), month, pl.col("date").dt.year().cast(pl.String)], separator=" "
    )
    number = (pl.col("k") + 1).cast(pl.String)
    return [
        pl.when(pl.col("year").is_in(_NUMBERED_IN_TEXT)).then(pl.lit("K") + number).otherwise(number).alias("Nr"),
        pl.when(pl.col("_F21")).then(words).alias("in words"),
    ]


def workbook(rows: pl.DataFrame) -> bytes:
    """Return the workbook with all complaints: the same bytes for the same rows."""
    buffer = io.BytesIO()
    # Made on an Apple computer, whose days count from 1904 (F21).
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "date_1904": True}) as book:
        book.set_properties({"created": datetime(2017, 1, 9, tzinfo=UTC)})
        formats = {
            "date": book.add_format({"num_format": "d-m-yyyy"}),
            "red": book.add_format({"bg_color": "#FF0000"}),
            "title": book.add_format({"bold": True}),
        }
        for year in YEARS:
            _write_sheet(book.add_worksheet(str(year)), year, rows.filter(year=year), formats)
        lists = book.add_worksheet("Lijsten")
        lists.write_column(0, 0, list(_RESULTS))
        lists.hide()
    return buffer.getvalue()


def _write_sheet(sheet: Worksheet, year: int, rows: pl.DataFrame, formats: dict[str, Format]) -> None:
    """Write a year: titles, the header in row 4 (6 in 2012), the complaints, a total (F09, F20)."""
    sheet.merge_range(0, 0, 0, len(HEADER) - 1, f"Klachtenregister {year}", formats["title"])
    sheet.write_string(1, 0, "Bijgehouden door de klachtencoördinator")
    top = 5 if year == 2012 else 3
    sheet.write_row(top, 0, HEADER)
    for line, row in enumerate(rows.iter_rows(named=True), top + 1):
        _write_row(sheet, line, row, formats)
    if year == 2014:
        sheet.write_comment(top + 1, 4, "Nog bellen!", {"author": "FB"})
    if year == 2016:
        sheet.set_row(top + 2, None, None, {"hidden": True})
    end = top + rows.height + 2
    sheet.write_string(end, 0, "Totaal")
    sheet.write_number(end, 1, rows.height)


def _write_row(sheet: Worksheet, line: int, row: dict[str, object], formats: dict[str, Format]) -> None:
    red = formats["red"] if row["_F22"] else None
    number = str(row["Nr"])
    if number.isdecimal():
        sheet.write_number(line, 0, int(number), red)
    else:
        sheet.write_string(line, 0, number, red)
    _write_day(sheet, line, 1, row["in words"] or row["date"], formats)
    for column in (2, 3, 4, 5, 6, 8):
        sheet.write_string(line, column, str(row[HEADER[column]]), red)
    _write_day(sheet, line, 7, row["closed"] or ("ja" if row["said_yes"] else None), formats)
    if row["_F23"]:
        # F23: an error, or a formula whose value nobody stored.
        sheet.write_formula(line, 9, "VLOOKUP(A1,Zaken!A:B,2,0)", None, "#N/A" if line % 2 else "")
    elif row["Zaaknr"] is not None:
        sheet.write_string(line, 9, str(row["Zaaknr"]))


def _write_day(sheet: Worksheet, line: int, column: int, said: object, formats: dict[str, Format]) -> None:
    if isinstance(said, date):
        sheet.write_datetime(line, column, datetime(said.year, said.month, said.day), formats["date"])  # noqa: DTZ001
    elif said is not None:
        sheet.write_string(line, column, str(said))
