"""What `reconcile --report` leaves: a work list to decide in, JUnit XML, the way of a value, a history that goes on."""

from __future__ import annotations

import json
import sqlite3
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from tiny_workspace import make_workspace

FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
def told(omnicase, tmp_path_factory):
    """Two runs, each reconciled; before the last time a formula and another value were put in the target."""
    folder = tmp_path_factory.mktemp("reports") / "tiny"
    make_workspace(folder)
    assert omnicase("-C", folder, "db", "upgrade").status == 0
    for label in ("proef 1", "proef 2"):
        assert omnicase("-C", folder, "run", "--label", label).status in (0, 3)
        assert omnicase("-C", folder, "reconcile").status == 0
    with sqlite3.connect(folder / "target.db") as target:
        target.execute("UPDATE channel SET name = ? WHERE code = (SELECT min(code) FROM channel)", (FORMULA,))
        target.execute("UPDATE actor SET is_active = 1 - is_active")
    target.close()
    done = omnicase("-C", folder, "--format", "json", "reconcile", "--report", "html,json,junit,xlsx", "--lang", "nl")
    assert done.status == 3
    return folder, done.document, {path.suffix: path for path in (folder / "reports").iterdir() if path.is_file()}


def test_the_history_holds_what_was_found_and_the_page_shows_the_runs_beside_each_other(told, omnicase):
    folder, document, files = told
    history = omnicase("-C", folder, "--format", "json", "status", "--history").document["history"]
    found = [(each["label"], each["reconciled"]["verdict"], each["reconciled"]["differences"]) for each in history]
    total = sum(group["count"] for group in document["groups"])
    assert found == [("proef 1", "in_balance", 0), ("proef 2", "findings", total)] and total > 1
    assert "verschillen na aansluiten" in omnicase("-C", folder, "status", "--history").out
    page = files[".html"].read_text()
    assert page.index('id="trend"') < page.index("proef 1") < page.index('id="losses"')
    assert f"▲ {total} meer" in page


def test_a_part_is_no_verdict_of_the_whole(told, omnicase):
    folder, document, _ = told
    omnicase("-C", folder, "reconcile", "seed.channel", "--level", "accounting")
    history = omnicase("-C", folder, "--format", "json", "status", "--history").document["history"]
    assert history[-1]["reconciled"]["differences"] == sum(group["count"] for group in document["groups"])


def test_the_way_of_a_value_is_on_the_page(told):
    page = told[2][".html"].read_text()
    assert "kolom ACTIEF in de bron" in page and "column ACTIEF of the source" in page
    assert "zo weggeschreven" in page


def test_the_work_list_is_there_to_decide_in(told):
    _, document, files = told
    book = openpyxl.load_workbook(files[".xlsx"])
    for name, rows in (("Werklijst", document["groups"]), ("Verschillen", document["findings"])):
        sheet = book[name]
        heads = [cell.value for cell in sheet[1]]
        assert {"eigenaar", "besluit", "opmerking", "wat verschilt", "volgens de bron"} <= set(heads)
        assert [cell.value for cell in sheet["A"]][1:] == [each["id"] for each in rows]
        assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref.startswith("A1:")
        (choice,) = [each for each in sheet.data_validations.dataValidation if each.type == "list"]
        decision = sheet.cell(1, heads.index("besluit") + 1).column_letter
        assert str(choice.sqref) == f"{decision}2:{decision}{len(rows) + 1}" and "accepteren" in choice.formula1
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}, "nothing is a formula"
    assert f"'{FORMULA}" in {cell.value for row in book["Verschillen"].iter_rows() for cell in row}


def test_junit_counts_as_the_document_does(told):
    _, document, files = told
    root = ET.fromstring(files[".xml"].read_text())
    outcomes = [check["outcome"] for check in document["checks"]]
    assert int(root.get("tests")) == len(root.findall(".//testcase")) == len(outcomes)
    assert int(root.get("failures")) == len(root.findall(".//failure")) == outcomes.count("failed") > 0
    assert len(root.findall(".//skipped")) == outcomes.count("not_applicable") + outcomes.count("waived")
    assert [suite.get("name") for suite in root] == document["levels"]


def test_the_file_of_all_findings_is_what_was_answered(told):
    _, document, files = told
    assert json.loads(files[".json"].read_text())["findings"] == document["findings"]
