"""The StUF messages of an old Wmo system: cases, their changes and documents, in a zip a year and single files."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

import polars as pl

from migrate.demo.dice import Dice
from migrate.demo.people import with_person
from migrate.demo.world import World

PHASES = {1: "Ontvangen", 6: "Afgehandeld"}
"""The phases of a case that the old system knew, with the names of its case type."""
OFFICERS = ("BROUWERI", "JACOBSE")
_SUBJECTS = ("Traplift", "Scootmobiel", "Hulp bij het huishouden", "Woningaanpassing", "Vervoer op maat")
_CHANNELS = {"BALIE": "balie", "TEL": "telefoon", "POST": "post", "WEB": "webformulier"}
_RESULTS = ("Verleend", "Afgewezen", "Ingetrokken")
_DELIVERIES = 5
_SPACES = (
    'xmlns:ZKN="http://www.egem.nl/StUF/sector/zkn/0310" xmlns:BG="http://www.egem.nl/StUF/sector/bg/0310" '
    'xmlns:StUF="http://www.egem.nl/StUF/StUF0301" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
_NONE = 'xsi:nil="true" StUF:noValue="geenWaarde"'
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def case_rows(world: World) -> pl.DataFrame:
    """Return the cases with what is true of them, and the flags of the dirt in their messages."""
    frame = pl.DataFrame({"i": pl.int_range(max(30, min(200, world.cases // 400)), eager=True)})
    dice = world.dice("message", "i")
    frame = frame.with_columns(
        (pl.lit(date(2015, 1, 5)) + pl.duration(days=dice.below("day", 1_300))).alias("start"),
        # People whom no other system knows.
        (pl.lit(world.persons) + pl.col("i")).alias("t"),
        *(dice.pick(name, said).alias(name) for name, said in (("subject", _SUBJECTS), ("result", _RESULTS))),
        dice.pick("channel", tuple(_CHANNELS)).alias("channel_code"),
        dice.pick("officer", OFFICERS).alias("officer"),
        dice.between("took", 10, 60).alias("took"),
        (dice.chance("closed", 0.7) | pl.col("i").is_between(2, 6)).alias("closed"),
        (dice.chance("paper", 0.5) | (pl.col("i") == 1)).alias("has_paper"),
    ).sort("start", "i")
    frame = frame.with_columns(pl.int_range(pl.len()).alias("n"))
    return with_person(world, frame).with_columns(*_true()).with_columns(*_dirt(dice))


def _true() -> list[pl.Expr]:
    end = pl.when("closed").then(pl.col("start") + pl.duration(days=pl.col("took")))
    serial = (pl.col("n") + 1).cast(pl.String)
    return [
        pl.format("WMO{}-{}", pl.col("start").dt.year(), serial.str.zfill(6)).alias("number"),
        end.alias("end"),
        (pl.col("start") + pl.duration(days=56)).alias("planned"),
        pl.col("channel_code").replace_strict(_CHANNELS).alias("channel"),
        (pl.col("n") * (_DELIVERIES - 1) // pl.len()).alias("delivery"),
    ]


def _dirt(dice: Dice) -> list[pl.Expr]:
    closed, i = pl.col("closed"), pl.col("i")
    kind = dice.share("order")
    return [
        pl.when(closed).then(dice.chance("cleared", 0.5) | (i == 2)).alias("_F15"),
        (dice.chance("incomplete", 0.03) | i.is_between(7, 9)).alias("_F16"),
        pl.when(closed).then((kind < 15_000) | i.is_between(3, 5)).alias("_F17"),
        pl.when(i.is_between(3, 5)).then(i - 3).otherwise(dice.below("which", 3)).alias("which"),
        closed.alias("_F18"),
        (dice.chance("extra", 0.8) & (i != 0)).alias("_F19"),
        pl.when(i.is_between(7, 9)).then(i - 7).otherwise(dice.below("part", 3)).alias("unknown"),
        dice.below("written", 3).alias("written"),
    ]


BEFORE, LATE, OTHER = range(3)
"""F17: the change is delivered before the case; the case is told of after its change; was is not what was told."""


def files(rows: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of every file that is delivered."""
    cases: dict[int, list[str]] = {delivery: [] for delivery in range(_DELIVERIES)}
    papers: dict[int, list[str]] = {delivery: [] for delivery in range(_DELIVERIES)}
    for row in rows.iter_rows(named=True):
        first, then = row["delivery"], row["delivery"] + 1
        disorder = row["which"] if row["_F17"] else None
        if disorder == BEFORE:
            first, then = then, first
        cases[first].append(_created(row, late=disorder == LATE))
        if row["closed"]:
            cases[then].append(_closed(row, other=disorder == OTHER))
        if row["has_paper"]:
            papers[first].append(_paper(row))
    last = _DELIVERIES - 1
    for delivery in range(last):
        members = {"zakLk01.xml": cases[delivery], "edcLk01.xml": papers[delivery]}
        yield f"OUDWMO_{delivery + 1:04}.zip", _zip({name: told for name, told in members.items() if told})
    for number, told in enumerate((*cases[last], *papers[last]), 1):
        yield f"OUDWMO_{last + 1:04}-{number:03}.xml", (_HEAD + told).encode()


_CASES = tuple(f"oudwmo.{name}" for name in ("ZAAK", "STATUS", "AANVRAGER", "BEHANDELAAR"))
_FAULT = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode>'
    "<faultstring>Zaak onbekend</faultstring></s:Fault></s:Body></s:Envelope>\n"
)


def refused() -> Iterator[tuple[str, bytes, str, tuple[str, ...]]]:
    """Yield files of one message that cannot be read, its place, and the relations that have to refuse it.

    An answer of the server that stands for a message, an older version of the standard, a change of which one half is
    missing, a declaration that is not at the beginning.
    """
    row: dict[str, Any] = {"n": 99_998, "number": "WMO2019-099999"}
    whole = _message(row, "T", "1", "20190102021500", _object(row["number"], "T", ""))
    half = _message(row, "W", "2", "20190102021500", _object(row["number"], "W", ""))
    everywhere = (*_CASES, "oudwmo.DOCUMENT")
    told = (
        (_HEAD + _FAULT, everywhere),
        (_HEAD + whole.replace("/zkn/0310", "/zkn/0204"), everywhere),
        (_HEAD + half, _CASES),
        ("\n" + _HEAD + whole, _CASES),
    )
    for number, (text, relations) in enumerate(told, 1):
        name = f"OUDWMO_{_DELIVERIES + 1:04}-{number:03}.xml"
        yield name, text.encode(), f"{name}:{text.count(chr(10))}", relations


def _zip(members: dict[str, list[str]]) -> bytes:
    """Return an archive of messages one after another: the same bytes for the same messages."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, told in members.items():
            member = zipfile.ZipInfo(name, (2019, 1, 2, 0, 0, 0))
            archive.writestr(member, "".join(_HEAD + each for each in told), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _created(row: dict[str, Any], *, late: bool) -> str:
    known = f"{row['p_birth']:%Y%m%d}"
    day, kind = {None: (known, "V"), 0: (known[:6] + "00", "D"), 1: (known[:4] + "0000", "M"), 2: ("00000000", "J")}[
        row["unknown"] if row["_F16"] else None
    ]
    extra = (
        f'<StUF:extraElementen><StUF:extraElement naam="kanaalcode">{row["channel_code"]}</StUF:extraElement>'
        "</StUF:extraElementen>"
        if row["_F19"]
        else ""
    )
    body = (
        f"<ZKN:omschrijving>{row['subject']}</ZKN:omschrijving><ZKN:startdatum>{row['start']:%Y%m%d}</ZKN:startdatum>"
        f"<ZKN:registratiedatum>{row['start']:%Y%m%d}</ZKN:registratiedatum>"
        f"<ZKN:einddatumGepland>{row['planned']:%Y%m%d}</ZKN:einddatumGepland>"
        f"<ZKN:archiefnominatie>J</ZKN:archiefnominatie>{extra}"
        '<ZKN:heeftAlsInitiator StUF:entiteittype="ZAKBTRINI" StUF:verwerkingssoort="T"><ZKN:gerelateerde>'
        '<ZKN:natuurlijkPersoon StUF:entiteittype="NPS" StUF:verwerkingssoort="T">'
        f"<BG:inp.bsn>{row['p_bsn']}</BG:inp.bsn>"
        f"<BG:geslachtsnaam>{escape(row['p_surname'])}</BG:geslachtsnaam>"
        + (
            f"<BG:voorvoegselGeslachtsnaam>{row['p_prefix']}</BG:voorvoegselGeslachtsnaam>"
            if row["p_prefix"]
            else f"<BG:voorvoegselGeslachtsnaam {_NONE}/>"
        )
        + f"<BG:voorletters>{row['p_initials']}</BG:voorletters>"
        f"<BG:geslachtsaanduiding>{row['p_gender'].upper()}</BG:geslachtsaanduiding>"
        f'<BG:geboortedatum StUF:indOnvolledigeDatum="{kind}">{day}</BG:geboortedatum>'
        f"</ZKN:natuurlijkPersoon></ZKN:gerelateerde></ZKN:heeftAlsInitiator>{_status(row['start'], 1, 0)}"
    )
    told = row["end"] if late else row["start"]
    time = f"{told:%Y%m%d}" + ("235900" if late else "0215")
    return _message(row, "T", "1", time, _object(row["number"], "T", body))


def _closed(row: dict[str, Any], *, other: bool) -> str:
    was = f"<ZKN:omschrijving>{'Onbekend' if other else row['subject']}</ZKN:omschrijving><ZKN:einddatum {_NONE}/>"
    cleared = f"<ZKN:einddatumGepland {_NONE}/>" if row["_F15"] else ""
    now = (
        f"<ZKN:omschrijving>{row['subject']}</ZKN:omschrijving>"
        f"<ZKN:resultaat><ZKN:omschrijving>{row['result']}</ZKN:omschrijving></ZKN:resultaat>"
        f"<ZKN:einddatum>{row['end']:%Y%m%d}</ZKN:einddatum>{cleared}"
        '<ZKN:heeftAlsUitvoerende StUF:entiteittype="ZAKBTRUTV" StUF:verwerkingssoort="T"><ZKN:gerelateerde>'
        '<ZKN:medewerker StUF:entiteittype="MDW" StUF:verwerkingssoort="I">'
        f"<ZKN:identificatie>{officer_id(row['officer'])}</ZKN:identificatie></ZKN:medewerker></ZKN:gerelateerde>"
        f"</ZKN:heeftAlsUitvoerende>{_status(row['end'], 6, row['written'])}"
    )
    objects = _object(row["number"], "W", was) + _object(row["number"], "W", now)
    return _message(row, "W", "2", f"{row['end']:%Y%m%d}160312120", objects)


def officer_id(code: str) -> str:
    """Return the identification of an employee: the municipality, the system and a code, 24 characters (F18)."""
    return "0855WMO" + code.rjust(17, "0")


def _status(day: date, phase: int, written: int) -> str:
    """Write a status; its moment has 8, 14 or 16 digits (F16)."""
    time = ("", "160312", "16031200")[written]
    return (
        '<ZKN:heeft StUF:entiteittype="ZAKSTT" StUF:verwerkingssoort="T"><ZKN:gerelateerde StUF:entiteittype="STT" '
        f'StUF:verwerkingssoort="T"><ZKN:volgnummer>{phase:04}</ZKN:volgnummer>'
        f"<ZKN:omschrijving>{PHASES[phase]}</ZKN:omschrijving></ZKN:gerelateerde>"
        f"<ZKN:datumStatusGezet>{day:%Y%m%d}{time}</ZKN:datumStatusGezet></ZKN:heeft>"
    )


def paper_number(n: int) -> str:
    """Return the number of a case's document."""
    return f"WMODOC-{n + 1:07}"


def _paper(row: dict[str, Any]) -> str:
    body = (
        "<ZKN:dct.omschrijving>Medische verklaring</ZKN:dct.omschrijving>"
        f"<ZKN:creatiedatum>{row['start']:%Y%m%d}</ZKN:creatiedatum>"
        f"<ZKN:ontvangstdatum>{row['start']:%Y%m%d}</ZKN:ontvangstdatum>"
        f"<ZKN:titel>Verklaring {row['subject']}</ZKN:titel>"
        "<ZKN:formaat>txt</ZKN:formaat><ZKN:taal>nld</ZKN:taal><ZKN:status>Definitief</ZKN:status>"
        f"<ZKN:auteur {_NONE}/>"
        f'<ZKN:inhoud StUF:bestandsnaam="verklaring.txt">{_coded(row)}</ZKN:inhoud>'
        '<ZKN:isRelevantVoor StUF:entiteittype="EDCZAK" StUF:verwerkingssoort="T"><ZKN:gerelateerde '
        f'StUF:entiteittype="ZAK" StUF:verwerkingssoort="I"><ZKN:identificatie>{row["number"]}</ZKN:identificatie>'
        "</ZKN:gerelateerde></ZKN:isRelevantVoor>"
    )
    time = f"{row['start']:%Y%m%d}093000"
    return _message(row, "T", "3", time, _object(paper_number(row["n"]), "T", body), root="edcLk01", kind="EDC")


BROKEN = 1
"""The document of this case came with a content that is no base64 any more."""


def paper(row: dict[str, Any]) -> bytes:
    """Return the content of a case's document."""
    return f"Medische verklaring voor {row['subject'].lower()}, zaak {row['number']}\r\n".encode()


def _coded(row: dict[str, Any]) -> str:
    text = base64.b64encode(paper(row)).decode()
    return text[:-5] + "*" if row["i"] == BROKEN else text


def _object(number: str, processing: str, body: str) -> str:
    return (
        f'<ZKN:object StUF:verwerkingssoort="{processing}"><ZKN:identificatie>{number}</ZKN:identificatie>'
        f"{body}</ZKN:object>"
    )


def _message(
    row: dict[str, Any], mutation: str, serial: str, time: str, objects: str, root: str = "zakLk01", kind: str = "ZAK"
) -> str:
    return (
        f"<ZKN:{root} {_SPACES}><ZKN:stuurgegevens><StUF:berichtcode>Lk01</StUF:berichtcode>"
        f"<StUF:referentienummer>OUDWMO-{row['n'] + 1:05}-{serial}</StUF:referentienummer>"
        f"<StUF:tijdstipBericht>{time}</StUF:tijdstipBericht><StUF:entiteittype>{kind}</StUF:entiteittype>"
        f"</ZKN:stuurgegevens><ZKN:parameters><StUF:mutatiesoort>{mutation}</StUF:mutatiesoort></ZKN:parameters>"
        f"{objects}</ZKN:{root}>\n"
    )
