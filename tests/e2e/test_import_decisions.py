"""The work list back as proposed waivers, and what a workbook may not do."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest
import xlsxwriter
from command_line import Answer, in_process
from tiny_workspace import make_workspace

from migrate.waivers.schemas import imported_schema

DECISION = {"besluit": "accepteren", "besloten door": "bea", "geldig tot": "31-12-2099", "opmerking": "Zo afgesproken"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a loaded workspace with two kinds of differences."""
    folder = make_workspace(tmp_path / "w", contacts=5)
    for verb in ("db upgrade", "run"):
        assert in_process("-C", folder, *verb.split()).status == 0
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        target.execute("UPDATE customer_contact SET subject = 'anders' WHERE contact_number IN ('1', '2', '3')")
        target.execute("UPDATE actor SET job_title = 'chef' WHERE employee_code = 'm2'")
    return folder


def _answer(folder: Path, *arguments: str | Path) -> Answer:
    return in_process("-C", folder, "--format", "json", *arguments)


def _work_list(folder: Path) -> dict[str, list[dict[str, Any]]]:
    found = _answer(folder, "reconcile", "--report", "xlsx")
    (book,) = found.document["reports"]
    sheets = pl.read_excel(book, sheet_id=0, infer_schema_length=0)
    return {name: frame.to_dicts() for name, frame in sheets.items()}


def _write(path: Path, sheets: dict[str, list[dict[str, Any]]], formula: str | None = None) -> Path:
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for column, head in enumerate(rows[0] if rows else ()):
                page.write_string(0, column, head)
                for line, row in enumerate(rows, 1):
                    value = row[head]
                    if formula and value == formula:
                        page.write_formula(line, column, '=HYPERLINK("http://example.org","x")', None, "")
                    elif value is not None:
                        page.write_string(line, column, str(value))
    return path


def test_what_people_accepted_is_proposed_once_and_approved_by_another(folder: Path, tmp_path: Path) -> None:
    sheets = _work_list(folder)
    of_actor = next(row for row in sheets["Werklijst"] if row["mapping"] == "oud.actor")
    of_actor.update(DECISION)
    lines = [row for row in sheets["Verschillen"] if row["mapping"] == "kcc.contact"]
    for row in lines[:2]:
        row.update(DECISION | {"geldig tot": "2099-06-30"})
    lines[2].update(DECISION | {"besluit": "nader onderzoeken"})
    file = _write(tmp_path / "lijst.xlsx", sheets)
    done = _answer(folder, "reconcile", "import-decisions", file, "--by", "an")
    assert (done.status, done.document["refused"]) == (0, []), done.out + done.err
    jsonschema.validate(done.document, imported_schema(), cls=jsonschema.Draft202012Validator)
    waivers = {each["mapping"]: each for each in done.document["proposed"]}
    assert waivers["oud.actor"]["keys"] == [] and waivers["oud.actor"]["until"] == "2099-12-31"
    assert sorted(waivers["kcc.contact"]["keys"]) == [["1"], ["2"]] and waivers["kcc.contact"]["max"] == 2
    assert waivers["kcc.contact"]["proposed_by"] == "an" and "bea" in waivers["kcc.contact"]["reason"]

    again = _answer(folder, "reconcile", "import-decisions", file, "--by", "an")
    assert (again.status, again.document["proposed"], again.document["known"]) == (0, [], 3)
    for number in ("1", "2"):
        assert _answer(folder, "waiver", "approve", number, "--by", "bea").status == 0
    found = _answer(folder, "reconcile", "--level", "fields")
    outcomes = {each["mapping"]: (each["outcome"], each["waived"]) for each in found.document["checks"]}
    assert (outcomes["oud.actor"], outcomes["kcc.contact"]) == (("waived", 1), ("failed", 2))


def test_a_line_that_somebody_bent_proposes_nothing(folder: Path, tmp_path: Path) -> None:
    sheets = _work_list(folder)
    first = next(row for row in sheets["Werklijst"] if row["mapping"] == "kcc.contact")
    finding = next(row for row in sheets["Verschillen"] if row["mapping"] == "kcc.contact")
    bent = [
        ("Werklijst", {"kenmerk": "0" * 12}, "WAI-015"),
        ("Werklijst", {"mapping": "oud.actor"}, "WAI-015"),
        ("Werklijst", {"kenmerk": "' OR 1=1 --"}, "WAI-015"),
        ("Werklijst", {"geldig tot": "ooit"}, "WAI-004"),
        ("Werklijst", {"opmerking": ""}, "WAI-003"),
        ("Werklijst", {"opmerking": "FORMULA", "besloten door": None}, "WAI-003"),
        ("Werklijst", {"opmerking": "van 123456782 zelf"}, "WAI-003"),
        ("Verschillen", {"sleutel": "4"}, "WAI-016"),
        ("Verschillen", {"soort": "0" * 12}, "WAI-015"),
    ]
    for number, (sheet, bend, code) in enumerate(bent):
        line = (first if sheet == "Werklijst" else finding) | DECISION | bend
        file = _write(tmp_path / f"{number}.xlsx", sheets | {sheet: [line]}, formula="FORMULA")
        done = _answer(folder, "reconcile", "import-decisions", file, "--by", "an")
        assert (done.status, [each["code"] for each in done.document["refused"]]) == (3, [code]), (number, done.out)
        assert "123456782" not in done.out
    assert _answer(folder, "waiver", "list").document == {"waivers": []}


def test_a_file_that_is_no_work_list_is_refused(folder: Path, tmp_path: Path) -> None:
    assert _answer(folder, "reconcile").status == 3
    other = _write(tmp_path / "other.xlsx", {"Blad1": [{"a": "1"}]})
    renamed = _write(tmp_path / "renamed.xlsx", {"Werklijst": [{"kenmerk": "1", "mapping": "m", "beslissing": "ja"}]})
    text = tmp_path / "text.xlsx"
    text.write_text("kenmerk;besluit\n")
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(other) as good, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name))
        bad.writestr("xl/media/image1.png", bytes(50_000_000))
    refusals = {other: "WAI-014", renamed: "WAI-014", text: "CON-090", bomb: "CON-091", tmp_path / "none.xlsx": "WAI-017"}
    for file, code in refusals.items():
        refused = _answer(folder, "reconcile", "import-decisions", file)
        assert refused.document["code"] == code, (file.name, refused.out)
        assert refused.status in (4, 5)
