"""`omnicase profile` and `omnicase mapping new`, by command line: what they find, and what they never show."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process

from connectors.sources.excel.book import EXTRAS
from connectors.sources.excel.told import SAID
from migrate.dutch import in_dutch

EXAMPLES = Path(__file__).parents[2] / "examples"

SETTINGS = """\
workspace: tiny
namespace: {public: "tiny tests"}
target: {url: "sqlite:///target.db"}
systems:
  oud:
    kind: sqlite
    path: oud.db
    personal: {KLANT: [NAAM, GEBDAT, EMAIL], BRIEF: [], SOORT: []}
  kcc:
    kind: csv
    folder: kcc
    delimiter: ";"
    relations: {CONTACT: {files: "*.csv"}}
"""


def bsn(number: int) -> str:
    """Return the number as a BSN-like text: the last digit makes it pass the test of eleven, or None of ten does."""
    while True:
        digits = f"{number:08d}"
        rest = sum(int(digit) * weight for digit, weight in zip(digits, range(9, 1, -1), strict=False)) % 11
        if rest < 10:
            return f"{digits}{rest}"
        number += 1


BSNS = [bsn(12_345_678 + 37 * n) for n in range(60)]


def table(folder: Path, name: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
    with closing(sqlite3.connect(folder / "oud.db")) as connection:
        connection.execute(f"CREATE TABLE {name} ({columns})")
        rows = list(rows)
        if rows:
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        connection.commit()


@pytest.fixture
def workspace(tmp_path) -> Path:
    """A workspace with customers, letters to them, a table of kinds, an empty table and contacts in a CSV file."""
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "workspace.yml").write_text(SETTINGS)
    table(folder, "SOORT", "CODE TEXT PRIMARY KEY, OMS TEXT", [("KL", "Klacht"), ("VR", "Vraag"), ("BZ", "Bezwaar")])
    table(folder, "KLANT", "KLANTNR INTEGER PRIMARY KEY, NAAM TEXT, SOFINR TEXT, GEBDAT CHAR(8), POSTC TEXT, EMAIL TEXT, "
          "ACTIEF CHAR(1), OUD TEXT, REKENING TEXT", [
        (1000 + n, "Zeldzaam" if n == 3 else "Jansen", BSNS[n], ["19530412", "19800101", "00000000"][n % 3],
         f"{1011 + n} AB", f"iemand{n}@voorbeeld.nl", "JN"[n % 2], None,
         "NL91ABNA0417164300" if n % 2 else "NL20INGB0001234567") for n in range(60)])
    table(folder, "BRIEF", "BRIEFNR INTEGER, KLANT INTEGER, SOORT TEXT, VERZONDEN TEXT, NOOT TEXT, VRIJ TEXT", [
        (n // 2, 1000 + n % 60, ["KL", "VR", "BZ"][n % 3], f"{1 + n % 28:02d}-{1 + n % 12:02d}-2014" if n % 10 else "2014",
         "n.v.t." if n % 2 else f"bsn {BSNS[0]}", "geheim woord" if n < 4 else "gewoon") for n in range(240)])
    table(folder, "LEEG", "A TEXT, B INTEGER", [])
    (folder / "kcc").mkdir()
    (folder / "kcc" / "a.csv").write_text("NR;WANNEER\n" + "".join(f"{n};2014-01-{1 + n % 28:02d} 10:00\n" for n in range(50)))
    return folder


def columns(document, relation: str) -> dict[str, dict]:
    found = next(each for each in document["relations"] if each["relation"] == relation)
    return {column["name"]: column for column in found["columns"]}


def test_a_system_is_measured(workspace):
    answer = in_process("-C", workspace, "--format", "json", "profile", "oud")
    assert answer.status == 0, answer.err
    customers, letters = columns(answer.document, "KLANT"), columns(answer.document, "BRIEF")
    assert customers["KLANTNR"]["unique"] and customers["KLANTNR"]["declared_type"] == "INTEGER"
    assert next(each["kind"] for each in customers["SOFINR"]["kinds"]) == "bsn"
    assert customers["SOFINR"]["personal"]
    assert customers["GEBDAT"]["dates"] == [{"kind": "YYYYMMDD", "share": 1.0}]
    assert customers["GEBDAT"]["null_texts"] == [{"text": "00000000", "count": 20, "share": 20 / 60}]
    assert customers["POSTC"]["kinds"][0] == {"kind": "postcode", "share": 1.0}
    assert customers["EMAIL"]["kinds"][0]["kind"] == "email"
    assert customers["REKENING"]["kinds"][0] == {"kind": "iban", "share": 1.0}
    assert (customers["OUD"]["nulls"], customers["OUD"]["shortest"], customers["OUD"]["patterns"]) == (60, None, [])
    assert customers["ACTIEF"]["distinct"] == 2
    assert letters["VERZONDEN"]["dates"][0] == {"kind": "DD-MM-YYYY", "share": 0.9}
    assert letters["VERZONDEN"]["dates_together"] == 0.9
    assert [(each["text"], each["share"]) for each in letters["VERZONDEN"]["patterns"]] == [("99-99-9999", 0.9), ("9999", 0.1)]
    assert [each["text"] for each in letters["SOORT"]["top"]] == ["BZ", "KL", "VR"]
    assert (letters["VERZONDEN"]["shortest"], letters["VERZONDEN"]["longest"]) == (4, 10)
    assert letters["KLANT"]["foreign_keys"][0] | {"sampled": False} == {
        "relation": "KLANT", "column": "KLANTNR", "share": 1.0, "sampled": False}
    assert letters["SOORT"]["foreign_keys"][0]["relation"] == "SOORT"
    found = next(each for each in answer.document["relations"] if each["relation"] == "BRIEF")
    assert ["BRIEFNR", "KLANT"] in found["candidate_keys"] and found["declared_key"] == []
    assert (workspace / "reports" / "profiles" / "oud.KLANT.json").is_file()


def test_one_relation_knows_the_keys_of_the_others(workspace):
    answer = in_process("-C", workspace, "--format", "json", "profile", "OUD.brief".lower())
    assert answer.status == 0, answer.err
    assert [each["relation"] for each in answer.document["relations"]] == ["BRIEF"]
    assert columns(answer.document, "BRIEF")["KLANT"]["foreign_keys"][0]["column"] == "KLANTNR"


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_no_rare_value_and_no_bsn_leaves(workspace, lang):
    shown = [in_process("-C", workspace, "profile", "oud", "--report", "html", "--lang", lang).out,
             in_process("-C", workspace, "--format", "json", "profile", "oud").out]
    shown += [file.read_text() for file in (workspace / "reports").rglob("*") if file.is_file()]
    assert len(shown) == 7
    for text in shown:
        assert not [number for number in BSNS if number in text]
        for rare in ("Zeldzaam", "geheim woord", "iemand1@", "1011 AB", "19530412", "Jansen", "NL91ABNA"):
            assert rare not in text
    assert "gewoon" in shown[0]       # seen often, and declared not to be personal


def test_the_page_is_whole_and_escapes_everything(workspace):
    table(workspace, '"<b>T&\'"""', '"select" TEXT, "a""b" TEXT, "<script>alert(1)</script>" TEXT, "naam\u202e" TEXT',
          [("<img src=x>", "'", "x", "y")] * 6)
    answer = in_process("-C", workspace, "profile", "oud", "--report", "html")
    assert answer.status == 0, answer.err
    page = (workspace / "reports" / "profiles" / "oud.html").read_text()
    assert "<script" not in page and "<img" not in page and "\u202e" not in page and "\u202e" not in answer.out
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http:" not in page.replace("http-equiv", "") and "https:" not in page
    assert page.count("<svg") > 10 and "verschillende waarden" in page and "different values" in page
    names = set(columns(in_process("-C", workspace, "--format", "json", "profile", 'oud.<b>T&\'"').document,
                                          '<b>T&\'"'))
    assert {"select", 'a"b', "<script>alert(1)</script>"} <= names


def test_an_empty_relation_and_csv(workspace):
    answer = in_process("-C", workspace, "profile", "oud.LEEG")
    assert answer.status == 0 and "Er staat niets in deze relatie." in answer.out
    answer = in_process("-C", workspace, "profile", "kcc", "--lang", "en")
    assert answer.status == 0, answer.err
    assert "YYYY-MM-DD HH:mm 100 %" in answer.out and "candidate keys: NR" in answer.out


def test_the_first_rows_are_said_to_be_that(workspace):
    answer = in_process("-C", workspace, "profile", "oud.BRIEF", "--first", "100", "--lang", "en")
    assert answer.status == 0 and "only the first 100 rows were read" in answer.out
    again = in_process("-C", workspace, "--format", "json", "profile", "oud.BRIEF", "--first", "240").document
    assert again["relations"][0]["whole"] and again["relations"][0]["rows"] == 240


@pytest.mark.parametrize(("asked", "code", "status", "hint"), [
    ("out", "PRF-001", 2, "Did you mean oud?"),
    ("oud.KLNAT", "PRF-002", 2, "Did you mean KLANT?"),
    ("oud.", "PRF-001", 2, "Did you mean oud?"),
])
def test_names_that_do_not_exist(workspace, asked, code, status, hint):
    answer = in_process("-C", workspace, "--format", "json", "profile", asked)
    assert answer.status == status
    error = json.loads(answer.err or answer.out)
    assert (error["code"], error["hint"]) == (code, hint)


def test_a_missing_file(workspace):
    (workspace / "oud.db").unlink()
    answer = in_process("-C", workspace, "profile", "oud")
    assert answer.status == 5 and re.match(r"CON-\d{3} ", answer.err)


def test_a_wrong_name_under_personal_is_refused(workspace):
    file = workspace / "workspace.yml"
    file.write_text(file.read_text().replace("NAAM,", "NAM,"))
    answer = in_process("-C", workspace, "profile", "oud")
    assert answer.status == 4 and answer.err.startswith("WSP-006")
    assert "Jansen" not in answer.out


# ---- mapping new ----

def new(workspace, relation: str, target: str, *more: str):
    return in_process("-C", workspace, "--format", "json", "mapping", "new", relation, "--target", target, *more)


def check(workspace):
    return in_process("-C", workspace, "--format", "json", "mapping", "check")


def asked_by_check(document) -> set[tuple[str, str]]:
    """Return code and column of the errors: the name is the last of the message that is a column's."""
    found = set()
    for error in document["errors"]:
        name = re.search(r"column (\S+) of", error["message"])
        found.add((error["code"], name.group(1) if name else error["message"]))
    return found


def test_a_first_mapping_leaves_nothing_open_but_what_it_lists(workspace):
    answer = new(workspace, "oud.KLANT", "party", "--owner", "Anna")
    assert answer.status == 3, answer.err
    made = answer.document
    assert made["file"] == "mappings/oud.klant.yml" and made["profiled"]
    text = (workspace / made["file"]).read_text()
    assert text.startswith("# yaml-language-server: $schema=../schemas/mapping.json\n")
    assert "birth_date: {from: GEBDAT, null_if: [\"00000000\"], date: [YYYYMMDD]}" in re.sub(" +", " ", text)
    assert "{from: ACTIEF, boolean: {true: [J], false: [N]}}" in text
    checked = check(workspace)
    assert checked.status == 4
    asked = asked_by_check(checked.document)
    assert asked == {(each["code"], each["about"]) for each in made["decisions"] if each["code"]}
    assert {code for code, _ in asked} == {"MAP-040", "MAP-041", "MAP-044"}
    assert ("MAP-044", "party_type") in asked and ("MAP-040", "SOFINR") in asked


def test_with_its_decisions_made_it_is_checked_and_loads(workspace):
    made = new(workspace, "oud.KLANT", "party", "--owner", "Anna").document
    path = workspace / made["file"]
    text = path.read_text().replace("fields:\n", "fields:\n  party_type: {const: persoon}\n")
    text = re.sub(r"^# (unfilled|ignore):$", r"\1:", text, flags=re.MULTILINE)
    path.write_text(re.sub(r"^#   (- \{columns: .*)$", r"  \1", text, flags=re.MULTILINE))
    checked = check(workspace)
    assert (checked.status, checked.document["errors"]) == (0, [])
    assert in_process("-C", workspace, "db", "upgrade").status == 0
    ran = in_process("-C", workspace, "--format", "json", "run")
    assert ran.document["mappings"][0]["inserted"] == 60, ran.err


def test_links_go_to_the_mapping_of_the_relation_pointed_to(workspace):
    new(workspace, "oud.KLANT", "party")
    made = new(workspace, "oud.BRIEF", "customer_contact").document
    text = (workspace / made["file"]).read_text()
    assert re.search(r"party_id: +\{from: KLANT, link: oud.klant, missing: park\}", text)
    assert {error["code"] for error in check(workspace).document["errors"]} <= {"MAP-040", "MAP-041", "MAP-044"}


def test_a_kept_profile_is_used_and_one_of_other_columns_is_not(workspace):
    in_process("-C", workspace, "profile", "oud.KLANT")
    assert not new(workspace, "oud.KLANT", "party").document["profiled"]
    with closing(sqlite3.connect(workspace / "oud.db")) as connection:
        connection.execute("ALTER TABLE KLANT ADD COLUMN NIEUW TEXT")
        connection.commit()
    made = new(workspace, "oud.KLANT", "party", "--name", "oud.klant_twee").document
    assert made["profiled"] and "NIEUW" in [each["about"] for each in made["decisions"]]


@pytest.mark.parametrize(("relation", "target"), [
    ("oud.LEEG", "channel"), ("oud.SOORT", "case_type"), ("kcc.CONTACT", "customer_contact")])
def test_every_draft_can_be_parsed(workspace, relation, target):
    made = new(workspace, relation, target)
    assert made.status == 3, made.err
    asked = asked_by_check(check(workspace).document)
    assert asked == {(each["code"], each["about"]) for each in made.document["decisions"] if each["code"]}


def test_hostile_names_do_not_break_the_file(workspace):
    table(workspace, '"odd: {t}"', '"select" TEXT, "a""b" TEXT, "# omschrijving" TEXT, "x}, y: [" TEXT, "naam\u202e" TEXT, "null" TEXT, "Ö\\" TEXT, "a.b" TEXT',
          [tuple("abcdefgh")] * 6)
    made = new(workspace, "oud.odd: {t}", "channel")
    assert made.status == 3, made.err
    assert made.document["file"] == "mappings/oud.odd_t.yml"
    assert {error["code"] for error in check(workspace).document["errors"]} <= {"MAP-040", "MAP-041", "MAP-044"}
    assert "\u202e" not in (workspace / "mappings" / "oud.odd_t.yml").read_text()


@pytest.mark.parametrize(("relation", "target", "more", "status", "code"), [
    ("oud.KLANT", "partij", (), 2, "NEW-002"),
    ("oud.KLNT", "party", (), 2, "PRF-002"),
    ("oud", "party", (), 2, "PRF-003"),
    ("uod.KLANT", "party", (), 2, "PRF-001"),
    ("oud.KLANT", "party", ("--name", "Oud.Klant"), 2, "NEW-004"),
])
def test_what_cannot_be_drafted_is_refused(workspace, relation, target, more, status, code):
    answer = new(workspace, relation, target, *more)
    assert answer.status == status and json.loads(answer.err or answer.out)["code"] == code
    assert not (workspace / "mappings").exists()


def test_no_file_is_ever_overwritten(workspace):
    made = new(workspace, "oud.KLANT", "party").document
    path = workspace / made["file"]
    path.write_text(path.read_text() + "# mine\n")
    answer = new(workspace, "oud.KLANT", "party")
    assert answer.status == 4 and json.loads(answer.err or answer.out)["code"] == "NEW-001"
    path.rename(workspace / "mappings" / "elsewhere.yml")
    answer = new(workspace, "oud.KLANT", "party")
    assert answer.status == 4 and json.loads(answer.err or answer.out)["code"] == "NEW-003"
    assert (workspace / "mappings" / "elsewhere.yml").read_text().endswith("# mine\n")
    assert not path.exists()


def test_a_draft_shows_no_value_that_must_not_be_seen(workspace):
    for relation, target in (("oud.KLANT", "party"), ("oud.BRIEF", "customer_contact")):
        answer = new(workspace, relation, target)
        shown = answer.out + (workspace / answer.document["file"]).read_text()
        assert not [number for number in BSNS if number in shown]
        assert not [rare for rare in ("Zeldzaam", "geheim woord", "Jansen", "19530412", "iemand1@") if rare in shown]


def test_check_warns_of_a_format_that_fits_few_values(workspace):
    made = new(workspace, "oud.BRIEF", "customer_contact", "--owner", "Anna").document
    path = workspace / made["file"]
    assert "[DD-MM-YYYY]" not in path.read_text()
    fields = "fields:\n  occurred_at: {from: VERZONDEN, datetime: [%s], timezone: Europe/Amsterdam}\n"
    start = path.read_text()

    def warned(formats: str) -> list[dict]:
        path.write_text(start.replace("fields:\n", fields % formats))
        return [each for each in check(workspace).document["warnings"] if each["code"] == "MAP-091"]

    assert warned("DD-MM-YYYY") == []
    # it reads the same values, though the profile names only the stricter of the two
    assert warned("D-M-YYYY") == warned("DD-MM-YYYY, D-M-YYYY") == []
    (wrong,) = warned("YYYYMMDD")
    assert "fit only 0.0% of the values of VERZONDEN" in wrong["message"] and "DD-MM-YYYY (90.0%)" in wrong["hint"]
    assert path.read_text().splitlines()[wrong["line"] - 1].lstrip().startswith("occurred_at")
    (idle,) = warned("DD-MM-YYYY, YYYY-MM-DD")
    assert "the format YYYY-MM-DD fits hardly any" in idle["message"]
    (workspace / "reports" / "profiles" / "oud.BRIEF.json").write_text("{broken")
    assert warned("YYYYMMDD") == []


def test_what_stays_to_be_decided_is_said_in_dutch_and_english(workspace):
    said = {}
    for lang in ("nl", "en"):
        answer = in_process("-C", workspace, "mapping", "new", "oud.BRIEF", "--target", "customer_contact",
                            "--name", f"oud.brief_{lang}", "--lang", lang)
        assert answer.status == 3, answer.err
        said[lang] = answer.out
    assert "beslis MAP-041" in said["nl"]
    assert "vul hem, of geef een reden: " in said["nl"]
    assert "decide MAP-041" in said["en"]
    for english in ("fill it", "use it", "must be filled", "different values", "one of", "a link to", "Next:", "would be"):
        assert english not in said["nl"], english


def test_what_lies_beside_the_values_is_told(tmp_path):
    shutil.copytree(EXAMPLES / "stuf", tmp_path / "stuf")
    settings = tmp_path / "stuf/workspace.yml"
    left_out = settings.read_text().replace("          overleden: BG:overlijdensdatum\n", "")
    settings.write_text(left_out.replace("[@naam='wijkcode']", "[@naam='buurt']"))
    answer = in_process("-C", tmp_path / "stuf", "--format", "json", "profile", "makelaar.PERSOON")
    found = {each["text"]: each["count"] for each in answer.document["relations"][0]["unread"]}
    wanted = {"BG:overlijdensdatum": 1, "StUF:extraElementen/StUF:extraElement[@naam='wijkcode']": 1}
    assert {path: found.get(path) for path in wanted} == wanted
    assert "geen veld leest: BG:overlijdensdatum (1 keer)" in in_process(
        "-C", tmp_path / "stuf", "profile", "makelaar.PERSOON"
    ).out
    shutil.copytree(EXAMPLES / "rest", tmp_path / "rest")
    settings = tmp_path / "rest/workspace.yml"
    settings.write_text(settings.read_text().replace(", saldo: saldo", ""))
    export = tmp_path / "rest/export/organisaties_1.json"
    export.write_text(export.read_text().replace('"emails": []', '"emails": [], "tel": [{"nr": "010"}, {"nr": ""}, {"nr": "011"}]'))
    answer = in_process("-C", tmp_path / "rest", "--format", "json", "profile", "relatie.ORGANISATIE")
    found = {each["text"]: each["count"] for each in answer.document["relations"][0]["unread"]}
    assert found == {"saldo": 2, "contact/tel/nr": 2}, "the addresses are read by the relation EMAIL"
    shutil.copytree(EXAMPLES / "excel", tmp_path / "excel")
    answer = in_process("-C", tmp_path / "excel", "profile", "lijst")
    assert "naast de waarden: PERSONEEL.xlsx:2015: 1 verborgen rijen, die gewoon worden gelezen" in answer.out
    answer = in_process("-C", tmp_path / "excel", "profile", "lijst", "--lang", "en")
    assert "beside the values: PERSONEEL.xlsx:2015: 1 hidden rows, which are read like any other" in answer.out


SENTENCES = [
    *(f"L.xlsx:2010: {text.format('1,200')}" for text in SAID.values()),
    "a.zip!map/L.xlsx:Blad 1: 3 comments, which are not migrated",
    "L.xlsx:2010: the sheet is hidden, and read like any other",
    "L.xlsx: 2 sheets that the relation does not read: Lijst (hidden), Oud",
    *(f"L.xlsx: it holds {said}, which are left aside" for _, said in EXTRAS),
    "1,200 extra elements named wijkcode, which no field reads",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_it_is_told_in_dutch(text):
    said = in_dutch(text)
    assert said and not re.search(r"\b(which|the|holds|hidden rows|read as|links|pictures)\b", said.replace("(hidden)", ""))
    assert text.partition(": ")[0] in said or text.startswith("1,200 extra")
