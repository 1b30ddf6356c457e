"""The demo's generator: the same seed the same town, dirt as the catalogue asks for, a key for every source row."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from math import sqrt
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import openpyxl
import polars as pl
import pytest
from command_line import CommandLine
from dirt_kinds import KINDS
from made_once import made_once
from stdnum.nl import bsn

from migrate.demo import LISTED, World, write_demo

MAPPED = {
    "zaak.case": ("zaak", "ZKN_ZAAK", "ZAAKNR"),
    "zaak.case_result": ("zaak", "ZKN_ZAAK", "ZAAKNR"),
    "zaak.case_status_made": ("zaak", "ZKN_ZAAK", "ZAAKNR"),
    "zaak.case_old_number": ("zaak", "ZKN_ZAAK", "ZAAKNR"),
    "zaak.case_status": ("zaak", "ZKN_STATUS", "STATID"),
    "zaak.case_role": ("zaak", "ZKN_BETROK", "BETRID"),
    "zaak.free_party": ("zaak", "ZKN_BETROK", "BETRID"),
    "zaak.case_property": ("zaak", "ZKN_KENMERK", "KENMID"),
    "zaak.case_relation": ("zaak", "ZKN_RELATIE", "TRIM(ZAAKNR1) || '|' || TRIM(ZAAKNR2)"),
    "zaak.person": ("zaak", "ZKN_PERSOON", "PERSID"),
    "zaak.company": ("zaak", "ZKN_BEDRIJF", "BEDRID"),
    "zaak.person_identifier": ("zaak", "ZKN_PERSOON", "PERSID"),
    "zaak.person_address": ("zaak", "ZKN_PERSOON", "PERSID"),
    "zaak.company_address": ("zaak", "ZKN_BEDRIJF", "BEDRID"),
    "zaak.case_document": ("zaak", "ZKN_DOC", "DOCID"),
    "zaak.actor": ("zaak", "ZKN_MEDEW", "MEDID"),
    "zaak.unit": ("zaak", "ZKN_AFDELING", "AFDCODE"),
    "zaak.case_type": ("zaak", "ZKN_ZAAKTYPE", "TRIM(ZTCODE) || '|' || VERSIE"),
    "zaak.status_type": ("zaak", "ZKN_STATUSTYPE", "TRIM(ZTCODE) || '|' || VERSIE || '|' || FASENR"),
    "balie.party": ("balie", "BLS_KLANT", "KLANTNR"),
    "balie.party_identifier": ("balie", "BLS_KLANT", "KLANTNR"),
    "balie.address": ("balie", "BLS_KLANT", "KLANTNR"),
    "balie.appointment": ("balie", "BLS_AFSPRAAK", "AFSPNR"),
    "balie.queue_ticket": ("balie", "BLS_BON", "BONID"),
    "balie.contact": ("balie", "BLS_BON", "BONID"),
    "balie.actor_name": ("balie", "BLS_BON", "BONID"),
    "balie.actor": ("balie", "BLS_MEDEW", "MEDCODE"),
}
SLOTTED = {
    "zaak.person_digital": ("zaak", "ZKN_PERSOON", "PERSID", ("telefoon", "mobiel", "email")),
    "zaak.company_digital": ("zaak", "ZKN_BEDRIJF", "BEDRID", ("telefoon", "email")),
    "zaak.company_identifier": ("zaak", "ZKN_BEDRIJF", "BEDRID", ("kvk_nummer", "rsin", "vestigingsnummer")),
    "balie.party_digital": ("balie", "BLS_KLANT", "KLANTNR", ("telefoon", "mobiel", "email")),
}
"""Mappings that make a record of each filled column."""
FILE_SYSTEMS = ("kcc", "klachten", "oudwmo", "uitreik")
OUTCOMES = {"loaded", "merged", "rejected", "parked", "out_of_scope"}


def make(folder: Path, cases: int, seed: int = 1, *, answer_key: bool = True) -> Path:
    write_demo(folder, World(cases, seed), answer_key=answer_key, advance=lambda rows: None)
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "demo-2000", lambda folder: make(folder, 2_000))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "demo-20000", lambda folder: make(folder, 20_000, answer_key=False))


def rows(folder: Path, system: str, sql: str) -> list[tuple[object, ...]]:
    with closing(
        sqlite3.connect(f"file:{folder / 'systems' / f'{system}.db'}?mode=ro", uri=True)
    ) as database:
        return database.execute(sql).fetchall()


def tables(folder: Path, system: str) -> dict[str, list[tuple[object, ...]]]:
    names = [
        str(row[0])
        for row in rows(folder, system, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    return {name: rows(folder, system, f"SELECT * FROM {name}") for name in names}


def key(folder: Path, mapping: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "answer_key" / f"{mapping}.parquet")


def files(folder: Path) -> list[Path]:
    return sorted((folder / "systems" / "kcc").iterdir())


def lines(file: Path) -> list[list[str]]:
    data = file.read_bytes()
    text = data.decode("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "cp1252")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


def readable(file: Path) -> list[list[str]]:
    """Return the lines of a file without those that have a quote which nobody escaped (F02)."""
    spoiled = set(re.findall(rb'^(\d+);[^\n]*;bakker "t', file.read_bytes(), re.MULTILINE))
    return [line for line in lines(file) if line[0].encode() not in spoiled]


def test_the_same_seed_gives_the_same_town_and_another_seed_another(tmp_path: Path) -> None:
    first, second, other = (
        make(tmp_path / "a", 300),
        make(tmp_path / "b", 300),
        make(tmp_path / "c", 300, seed=2, answer_key=False),
    )
    assert [f.read_bytes() for f in files(first)] == [f.read_bytes() for f in files(second)]
    assert [(f / "systems/klachten/KLACHTEN_2009-2016.xlsx").read_bytes() for f in (first,)] == [
        (f / "systems/klachten/KLACHTEN_2009-2016.xlsx").read_bytes() for f in (second,)
    ]
    for system in ("balie", "zaak"):
        assert tables(first, system) == tables(second, system)
    for file in (first / "answer_key").glob("*.parquet"):
        assert pl.read_parquet(file).equals(pl.read_parquet(second / "answer_key" / file.name))
    assert tables(first, "zaak")["ZKN_ZAAK"] != tables(other, "zaak")["ZKN_ZAAK"]
    assert [f.read_bytes() for f in files(first)] != [f.read_bytes() for f in files(other)]


def test_at_least_forty_kinds_of_dirt_are_planted_as_often_as_the_catalogue_says(large: Path) -> None:
    books = {
        str(kind): (int(planted), int(of))
        for kind, planted, of in pl.read_csv(large / "answer_key" / "dirt.csv").iter_rows()
    }
    planted = {kind.partition(".")[0] for kind, (count, _) in books.items() if count}
    assert len(planted) >= 45
    assert {kind[0] for kind in planted} == {"B", "Z", "F"}
    wrong = {}
    for kind, rate in LISTED.items():
        count, of = books[kind]
        slack = 0.15 * rate + 4 * sqrt(rate * (1 - rate) / of)
        if not (count and abs(count / of - rate) <= slack):
            wrong[kind] = (count, of, rate)
    assert wrong == {}


def test_the_systems_have_the_proportions_of_a_town_hall(large: Path) -> None:
    size = {name: len(found) for system in ("balie", "zaak") for name, found in tables(large, system).items()}
    assert all(size.values()), "every table of both systems is filled"
    cases = size["ZKN_ZAAK"]
    assert cases == 20_000
    per_case = {"BLS_BON": 3, "ZKN_STATUS": 4, "ZKN_BETROK": 2, "ZKN_KENMERK": 3, "ZKN_DOC": 2.5}
    assert {name: size[name] / cases for name in per_case} == pytest.approx(per_case, rel=0.1)


def test_the_databases_are_closed_sound_and_padded_as_char_columns_are(demo: Path) -> None:
    for system in ("balie", "zaak"):
        assert rows(demo, system, "PRAGMA journal_mode") == [("delete",)]
        assert rows(demo, system, "PRAGMA integrity_check") == [("ok",)]
    assert {file.name for file in (demo / "systems").iterdir()} == {
        "balie.db", "balie_opschoning.csv", "zaak.db", "zaak_docs", "kcc", "klachten", "oudwmo", "uitreik"
    }
    assert rows(demo, "zaak", "SELECT DISTINCT LENGTH(ZAAKNR) FROM ZKN_ZAAK") == [(15,)]
    assert rows(demo, "balie", "SELECT DISTINCT LENGTH(PRODCODE), LENGTH(RIJCODE) FROM BLS_BON") == [(8, 2)]
    assert rows(demo, "zaak", "SELECT DISTINCT typeof(PERSID), typeof(GESLNAAM) FROM ZKN_PERSOON") == [
        ("integer", "text")
    ]


def test_citizen_numbers_pass_the_check_and_few_rows_share_one(demo: Path) -> None:
    numbers = [str(row[0]) for row in rows(demo, "zaak", "SELECT BSN FROM ZKN_PERSOON WHERE BSN <> ''")]
    assert all(bsn.is_valid(number) for number in numbers)
    assert {number[:1] for number in numbers} == {"9", "0"}
    assert 0.90 < len(set(numbers)) / len(numbers) < 0.98, "people stand there twice, or with another's number"
    short = [
        str(row[0]) for row in rows(demo, "balie", "SELECT SOFINR FROM BLS_KLANT WHERE LENGTH(SOFINR) = 8")
    ]
    assert short
    assert all(bsn.is_valid("0" + number) for number in short)


@pytest.mark.parametrize("mapping", MAPPED)
def test_the_key_has_one_row_for_each_source_row(demo: Path, mapping: str) -> None:
    system, relation, column = MAPPED[mapping]
    expected = key(demo, mapping)
    found = [str(row[0]).rstrip() for row in rows(demo, system, f"SELECT {column} FROM {relation}")]
    assert sorted(expected["key"].to_list()) == sorted(found)
    assert set(expected["outcome"].unique()) <= OUTCOMES
    filled = expected.filter(pl.any_horizontal(pl.col("^f_.*$").is_not_null()))
    assert set(filled["outcome"]) == {"loaded"}, "values are told for loaded rows only"
    out = expected.filter(outcome="out_of_scope")
    assert out["reason"].null_count() == 0
    assert out["issues"].list.len().sum() == 0
    assert all(
        issue.startswith("error ") for issue in expected.filter(outcome="rejected")["issues"].explode()
    )
    assert expected.filter(pl.col("outcome") == "rejected", pl.col("issues").list.len() == 0).is_empty()


@pytest.mark.parametrize("mapping", SLOTTED)
def test_the_key_has_one_row_for_each_slot(demo: Path, mapping: str) -> None:
    system, relation, column, slots = SLOTTED[mapping]
    found = [f"{row[0]}|{slot}" for row in rows(demo, system, f"SELECT {column} FROM {relation}") for slot in slots]
    expected = key(demo, mapping)
    assert sorted(expected["key"].to_list()) == sorted(found)
    assert set(expected["outcome"].unique()) <= OUTCOMES
    assert expected.filter(outcome="out_of_scope")["reason"].null_count() == 0
    assert expected.filter(outcome="loaded")["f_value"].null_count() == 0


def test_every_contact_of_the_files_is_in_the_key_once_and_the_newest_file_counts(demo: Path) -> None:
    expected = key(demo, "kcc.contact")
    delivered = {line[0]: line for file in files(demo) for line in readable(file)[1:-1]}
    assert sorted(expected["key"].to_list()) == sorted(delivered)
    assert sum(len(lines(file)) - 2 for file in files(demo)) > len(delivered), "some stand in two files (F11)"
    answers = dict(expected.select("key", "f_response").iter_rows())
    assert {number: line[11] or None for number, line in delivered.items()} == answers
    reached = key(demo, "kcc.contact_digital")
    assert sorted(reached["key"]) == sorted(f"{number}|{slot}" for number in delivered for slot in ("telefoon", "email"))


def test_the_files_of_the_contact_centre_look_like_exports_of_many_computers(demo: Path) -> None:
    months = [f"{year}{month:02d}" for year in (2014, 2015) for month in range(1, 13)]
    # One came twice, one was corrected (F10).
    months.insert(months.index("201508"), "201507_2")
    months.insert(months.index("201511"), "201510_2")
    assert [file.name for file in files(demo)] == [f"KCC_CONTACT_{month}.CSV" for month in months]
    by_month = {file.stem[12:]: file for file in files(demo)}
    assert by_month["201507"].read_bytes() == by_month["201507_2"].read_bytes()
    first, better = lines(by_month["201510"]), lines(by_month["201510_2"])
    assert [line[0] for line in first] == [line[0] for line in better] and first != better
    assert b';bakker "t hoekje";' in by_month["201510"].read_bytes(), "a quote that nobody escaped (F02)"
    assert b';"bakker ""t hoekje""";' in by_month["201510_2"].read_bytes()
    assert [month for month, file in by_month.items() if file.read_bytes().startswith(b"\xef\xbb\xbf")] == [
        "201503"
    ]
    for month, file in by_month.items():
        found = lines(file)
        assert ("Tel.nr" if month < "201501" else "Telefoon") in found[0]
        assert found[-1] == ["Totaal", "", "", str(len(found) - 2)]
        assert {len(line) for line in found[:-1]} == {18}
        assert b"\r\n" in file.read_bytes()
    assert all(
        line[1].startswith("04/") for line in lines(by_month["201404"])[1:-1] if line[0].startswith("1404")
    )


@pytest.mark.parametrize("seed", [1, 5])
def test_a_quote_that_nobody_escaped_spoils_one_line_of_a_town_of_any_size(tmp_path: Path, seed: int) -> None:
    """A town of 300 once had one in a question of two lines, and the total of its file no longer held."""
    for file in files(make(tmp_path / "demo", 300, seed, answer_key=False)):
        for line in re.findall(rb'[^\n]*;bakker "t hoekje";[^\n]*', file.read_bytes()):
            assert line.count(b";") == 17 and line.count(b'"') == 2


def test_the_files_of_documents_are_what_the_key_says(demo: Path) -> None:
    paths = {str(number): str(path) for number, path in rows(demo, "zaak", "SELECT DOCID, BESTAND FROM ZKN_DOC")}
    told = key(demo, "zaak.case_document").filter(outcome="loaded")
    sums, seen = [], set()
    for number, ref, size, media, issues in told.select(
        "key", "f_content_ref", "f_file_size", "f_media_type", pl.col("issues").list.join(";")
    ).iter_rows():
        path = paths[number].replace("\\", "/")
        file = demo / "systems/zaak_docs" / path.removeprefix("//SRV02/DOCS/")
        if not path.startswith("//SRV02/"):
            assert not file.is_relative_to(demo / "systems/zaak_docs") or not file.exists()
        elif ref is None:
            state = "folder" if file.is_dir() else "empty" if file.exists() else "missing"
            seen.add(state)
            assert {"folder": "te lezen", "empty": "leeg", "missing": "niet meer"}[state] in issues
            assert state != "empty" or file.read_bytes() == b""
        else:
            content = file.read_bytes()
            sums.append(hashlib.sha256(content).hexdigest())
            assert (ref[-64:], size) == (sums[-1], str(len(content)))
            begins = {"%PDF": "application/pdf", "{\\rt": "application/rtf", "\xff\xd8\xff\xe0": "image/jpeg"}
            assert media == begins.get(content[:4].decode("latin-1"), media)
            seen.update({media, *(["cut"] if "zo groot" in issues else [])})
    assert {"folder", "empty", "missing", "cut", "image/jpeg", "text/plain", "application/rtf"} <= seen and len(seen) == 9
    assert len(set(sums)) < len(sums), "some are the same"


def test_the_key_says_how_each_kind_of_dirt_is_treated(demo: Path) -> None:
    listed = [*(f"B{n:02}" for n in range(1, 33)), *(f"Z{n:02}" for n in range(1, 40))]
    assert list(KINDS) == [*listed, *(f"F{n:02}" for n in range(1, 9)), "F11", *(f"F{n}" for n in range(20, 26)), "F10", "F12", "F14", *(f"F{n}" for n in range(15, 20))]
    keys: dict[str, pl.DataFrame] = {}
    untreated = {}
    with closing(_files(demo)) as delivered:
        _add_hand_outs(demo, delivered)
        _add_messages(demo, delivered)
        for name, kind in KINDS.items():
            system = kind.mapping.partition(".")[0]
            found = delivered.execute(kind.keys).fetchall() if system in FILE_SYSTEMS else rows(demo, system, kind.keys)
            if kind.mapping not in keys:
                keys[kind.mapping] = key(demo, kind.mapping).with_columns(pl.col("issues").list.join("; ").alias("said"))
            told = keys[kind.mapping].filter(pl.col("key").is_in([str(row[0]).strip() for row in found]))
            treated = told.filter(pl.sql_expr(kind.treated)).height
            if not treated:
                untreated[name] = (len(found), told.height)
    assert untreated == {}


def complaints(folder: Path) -> pl.DataFrame:
    """Return the rows of the workbook with complaints, read by another program than ours."""
    book = openpyxl.load_workbook(folder / "systems/klachten/KLACHTEN_2009-2016.xlsx", data_only=True)
    found = []
    for sheet in book.worksheets[:8]:
        lines = [[None if cell in (None, "#N/A", "") else str(cell) for cell in row] for row in sheet.values]
        top = 5 if sheet.title == "2012" else 3
        assert lines[top][0] == "Nr" and lines[-1][:2] == ["Totaal", str(len(lines) - top - 3)]
        found += [[sheet.title, *line] for line in lines[top + 1 : -2]]
    return pl.DataFrame(found, schema=dict.fromkeys(("_sheet", *lines[3]), pl.String), orient="row")


def test_every_complaint_of_the_workbook_is_in_the_key_once(demo: Path) -> None:
    found = complaints(demo)
    assert found.height == 8 * 5
    keys = found.select(pl.concat_str("_sheet", "Nr", separator="|")).to_series()
    assert sorted(key(demo, "klachten.contact")["key"]) == sorted(keys)


def _files(folder: Path) -> sqlite3.Connection:
    """Return what files deliver as tables of a database in memory."""
    database = sqlite3.connect(":memory:")
    names = ", ".join(f'"{name}"' for name in ("_file", *lines(files(folder)[-1])[0]))
    database.execute(f"CREATE TABLE KCC_CONTACT ({names})")
    for file in files(folder):
        told = [(file.name, *line) for line in lines(file)[1:-1]]
        database.executemany(f"INSERT INTO KCC_CONTACT VALUES ({', '.join('?' * 19)})", told)
    listed = complaints(folder)
    names = ", ".join(f'"{name}"' for name in listed.columns)
    database.execute(f"CREATE TABLE KLACHT ({names})")
    database.executemany(f"INSERT INTO KLACHT VALUES ({', '.join('?' * 11)})", listed.rows())
    return database


def messages(folder: Path) -> Iterator[Element]:
    """Yield the messages about cases of the old Wmo system that are to be read, by another parser than ours."""
    with (folder / "answer_key" / "unreadable.csv").open() as told:
        refused = {line["place"].partition(":")[0] for line in csv.DictReader(told)}
    for file in sorted((folder / "systems" / "oudwmo").iterdir()):
        if file.name in refused:
            continue
        if file.suffix == ".xml":
            texts = [file.read_text()]
        else:
            with zipfile.ZipFile(file) as archive:
                texts = [archive.read(name).decode() for name in archive.namelist()]
        for text in texts:
            parts = text.split('<?xml version="1.0" encoding="UTF-8"?>')
            yield from (fromstring(part) for part in parts if "zakLk01" in part)


def _add_messages(folder: Path, database: sqlite3.Connection) -> None:
    """Add what the messages of the old Wmo system say to a database in memory."""
    database.execute("CREATE TABLE BERICHT (zaaknr, soort, tijd, gepland, kanaalcode, onvolledig, medewerker)")
    zkn, bg = "{http://www.egem.nl/StUF/sector/zkn/0310}", "{http://www.egem.nl/StUF/sector/bg/0310}"
    stuf = "{http://www.egem.nl/StUF/StUF0301}"
    for message in messages(folder):
        told = message.findall(f"{zkn}object")[-1]
        planned, born = told.find(f"{zkn}einddatumGepland"), told.find(f".//{bg}geboortedatum")
        database.execute(
            "INSERT INTO BERICHT VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                told.findtext(f"{zkn}identificatie"),
                message.findtext(f".//{stuf}mutatiesoort"),
                message.findtext(f".//{stuf}tijdstipBericht", "").ljust(17, "0"),
                None if planned is None else planned.get(f"{stuf}noValue"),
                told.findtext(f".//{stuf}extraElement"),
                None if born is None else born.get(f"{stuf}indOnvolledigeDatum"),
                told.findtext(f".//{zkn}medewerker/{zkn}identificatie"),
            ),
        )


def test_every_case_of_the_messages_is_in_the_key_once(demo: Path) -> None:
    told = {found for message in messages(demo) for found in message.itertext() if found.startswith("WMO2")}
    assert sorted(key(demo, "oudwmo.case")["key"]) == sorted(told)


def _add_hand_outs(folder: Path, database: sqlite3.Connection) -> None:
    """Add what the files of hand-outs hold, cut as their description says, to a database in memory."""
    database.execute("CREATE TABLE UITREIKING (_file, AANVRNR, NAAM, LEGES)")
    for file in sorted((folder / "systems" / "uitreik").glob("*.TXT")):
        text = file.read_bytes().decode("utf-8" if "20170630" in file.name else "cp850")
        details = [line for line in text.split("\r\n") if line.startswith("10")]
        told = [(file.name, line[2:12], line[21:61].rstrip(), line[107:115]) for line in details]
        database.executemany("INSERT INTO UITREIKING VALUES (?, ?, ?, ?)", told)


def test_a_delivery_of_hand_outs_with_a_wrong_trailer_is_blocked_until_it_is_explained(
    omnicase: CommandLine, demo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(demo, folder)
    blocked = folder / "systems" / "uitreik" / "blocked" / "UITREIK_20190331.TXT"
    blocked.rename(blocked.parents[1] / blocked.name)
    assert omnicase("-C", folder, "db", "upgrade").status == 0
    refused = omnicase("-C", folder, "run", "uitreik.case_property")
    assert refused.status == 5
    assert "CON-162" in refused.err and blocked.name in refused.err
    explained = re.search(r"add to explained: ({.*?), reason", refused.err.replace("\n", " "))
    assert explained, refused.err
    settings = (folder / "workspace.yml").read_text()
    line = f"        explained: [{explained[1]}, reason: test, by: test}}]\n        exceptions:\n"
    (folder / "workspace.yml").write_text(settings.replace("        exceptions:\n", line))
    assert omnicase("-C", folder, "run", "uitreik.case_property").status in (0, 3)


def test_target_records_of_the_key_are_unique_where_the_model_says_so(demo: Path) -> None:
    statuses = pl.concat(
        [
            key(demo, name).select("f_case_id", "f_set_at")
            for name in ("zaak.case_status", "zaak.case_status_made")
        ]
    ).drop_nulls()
    assert statuses.n_unique() == statuses.height
    tickets = (
        key(demo, "balie.queue_ticket")
        .filter(outcome="loaded")
        .select("^f_(location_code|ticket_date|ticket_number|series)$")
    )
    assert tickets.n_unique() == tickets.height
    roles = key(demo, "zaak.case_role").filter(outcome="loaded")
    assert roles.filter(pl.col("f_party_id").is_null() == pl.col("f_actor_id").is_null()).is_empty()


def test_links_of_the_key_lead_to_loaded_records(demo: Path) -> None:
    loaded = {}
    for file in (demo / "answer_key").glob("*.*.parquet"):
        expected = pl.read_parquet(file).filter(outcome="loaded")
        names = expected["f_name"] if file.stem == "balie.actor_name" else expected["key"]
        loaded[file.stem] = set(names)
    loaded["channel"] = loaded.pop("seed.channel")
    for file in (demo / "answer_key").glob("*.*.parquet"):
        expected = pl.read_parquet(file)
        for column in (name for name in expected.columns if name.endswith("_id") and name != "f_bag_id"):
            for target in expected[column].drop_nulls().unique():
                mapping, _, wanted = target.partition(":")
                assert wanted in loaded[mapping], f"{file.stem} {column}"


def test_the_key_tells_of_people_who_are_one_party(demo: Path) -> None:
    parties = pl.concat([key(demo, name).select("record", "issues") for name in ("zaak.person", "balie.party")])
    several = parties.group_by("record").len()["len"]
    assert 0.2 < (several > 1).mean() < 0.6
    assert several.max() > 2
    disputed = parties.filter(pl.col("issues").list.contains("warning identity identity-disputed"))
    assert 0 < disputed.height < 20
    assert disputed["record"].n_unique() == disputed.height


def test_the_true_links_tell_stories_across_the_systems(demo: Path) -> None:
    links = pl.read_parquet(demo / "answer_key" / "links.parquet")
    assert set(links["kind"]) == {"person", "application", "hand_out", "appointment", "visitor", "call"}
    cases = {
        str(number).strip(): day for number, day in rows(demo, "zaak", "SELECT ZAAKNR, DATREG FROM ZKN_ZAAK")
    }
    ticket_days = dict(rows(demo, "balie", "SELECT CAST(BONID AS TEXT), DATUM FROM BLS_BON"))
    for kind, ticket, case in (
        links.filter(pl.col("kind").is_in(["application", "hand_out"]))
        .select("kind", "left_key", "right_key")
        .iter_rows()
    ):
        same_day = ticket_days[ticket] == cases[case]
        assert same_day if kind == "application" else ticket_days[ticket] > cases[case]
    numbers = dict(rows(demo, "zaak", "SELECT CAST(PERSID AS TEXT), BSN FROM ZKN_PERSOON WHERE BSN <> ''"))
    at_counter = dict(
        rows(demo, "balie", "SELECT CAST(KLANTNR AS TEXT), SOFINR FROM BLS_KLANT WHERE LENGTH(SOFINR) = 9")
    )
    both = [
        (at_counter[left], numbers[right])
        for left, right in links.filter(kind="person").select("left_key", "right_key").iter_rows()
        if left in at_counter and right in numbers
    ]
    assert sum(left == right for left, right in both) / len(both) > 0.95, (
        "but for numbers that were typed wrong"
    )


def test_without_an_answer_key_only_the_books_and_the_links_are_written(large: Path) -> None:
    assert {file.name for file in (large / "answer_key").iterdir()} == {"dirt.csv", "links.parquet"}


def test_a_folder_that_holds_something_is_refused_and_left_alone(omnicase, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    answer = omnicase("demo", tmp_path, "--cases", "10")
    assert answer.status == 4
    assert "DEM-001" in answer.err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
    assert omnicase("demo", tmp_path / "mine.txt", "--cases", "10").status == 4


def test_the_command_makes_a_workspace_in_an_empty_folder(omnicase, tmp_path: Path) -> None:
    folder = tmp_path / "town"
    folder.mkdir()
    answer = omnicase("demo", folder, "--cases", "40", "--seed", "3", "--format", "json")
    assert (answer.status, answer.err) == (0, "")
    assert answer.document["cases"] == 40
    assert {"workspace.yml", "mappings", "codes", "systems", "answer_key", "README.md"} <= {
        file.name for file in folder.iterdir()
    }


def test_the_generator_does_not_know_the_mappings(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from migrate.demo import World, write_demo\n"
        f"write_demo(Path({str(tmp_path / 'demo')!r}), World(20, 1), answer_key=True, advance=lambda rows: None)\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'mappings'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        check=True,
    )
    assert done.stdout.strip() == "[]"
