"""The dirty demo in two waves, by the command line: parking permits first, then the rest."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process
from small_demo import fresh_demo
from targets import copy_workspace, model_rows
from waves_workspace import journey, reconciled, run, run_as_planned

WAVES = """
waves:
  parking:
    about: Parking permits
    where: {zaak.case: "ZTCODE IN ('PARKVERG', 'GEHPARK')"}
  rest:
    where: {zaak.case: "ZTCODE NOT IN ('PARKVERG', 'GEHPARK')"}
"""
PART_OF_CASES = (
    "zaak.case_document", "zaak.case_old_number", "zaak.case_property", "zaak.case_relation", "zaak.case_result",
    "zaak.case_role", "zaak.case_status", "zaak.case_status_made",
)  # fmt: skip
MEMBERS = ("zaak.case", *PART_OF_CASES)


@pytest.fixture
def demo(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small demo without the counter and the contact centre, which no wave here has rows of."""
    folder = copy_workspace(fresh_demo(tmp_path_factory), tmp_path)
    for file in [*folder.glob("mappings/**/balie.*"), *folder.glob("mappings/**/kcc.*")]:
        file.unlink()
    defaults = folder / "mappings/defaults.yml"
    defaults.write_text(re.sub(r"(?m)^(balie|kcc):\n(?:[ #].*\n|\n)*", "", defaults.read_text()))
    settings = folder / "workspace.yml"
    settings.write_text(settings.read_text().replace("batch_rows: 97", "batch_rows: 400"))
    return folder


def change(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "systems/zaak.db")) as old:
        for sql in statements:
            assert old.execute(sql).rowcount > 0
        old.commit()


def test_the_journey_of_the_demo(demo: Path, tmp_path_factory: pytest.TempPathFactory):
    at_once = copy_workspace(demo, tmp_path_factory.mktemp("at_once"))
    run(at_once)
    with (demo / "workspace.yml").open("a") as settings:
        settings.write(WAVES)

    books = run(demo)
    assert books["zaak.case"]["inserted"] == 0 < books["zaak.case"]["deferred"]
    assert all(books[name]["inserted"] == 0 for name in PART_OF_CASES) and books["zaak.person"]["inserted"] > 0
    assert set(reconciled(demo, *MEMBERS, "zaak.unit")["zaak.case"]) == {"deferred", "out_of_scope"}

    books = run_as_planned(demo, "--wave", "parking")
    waves = journey(demo)
    assert books["zaak.case"]["inserted"] == waves["parking"]["mappings"][0]["over"] > 0
    assert (waves["parking"]["state"], waves["rest"]["state"]) == ("rehearsing", "planned")
    assert waves["rest"]["left"] == sum(books[name]["deferred"] for name in MEMBERS)
    assert all("deferred" in explained for name, explained in reconciled(demo, *MEMBERS).items() if books[name]["deferred"])

    assert in_process("-C", demo, "wave", "live", "parking").status == 0
    run(demo, "--wave", "rest")
    assert model_rows(demo / "target.db") == model_rows(at_once / "target.db")

    parking = "ZAAKNR IN (SELECT ZAAKNR FROM ZKN_ZAAK WHERE TRIM(ZTCODE) IN ('PARKVERG', 'GEHPARK'))"
    change(demo, f"UPDATE ZKN_ZAAK SET TOELICHT = 'After cutover' WHERE {parking}",
           f"DELETE FROM ZKN_STATUS WHERE STATID IN (SELECT MAX(STATID) FROM ZKN_STATUS WHERE {parking})")
    books = run_as_planned(demo)
    cases = journey(demo)["parking"]["mappings"][0]
    assert books["zaak.case"]["late"] == cases["late"] == cases["rows"]
    assert books["zaak.case_status"]["gone"]["kept"] == 1
    assert [row for name, found in model_rows(demo / "target.db").items() for row in found if "After cutover" in row] == []
    assert reconciled(demo, *MEMBERS)["zaak.case"]["late"] == cases["late"]

    assert in_process("-C", demo, "wave", "back", "parking", "--reason", "the printer failed").status == 0
    assert run(demo)["zaak.case"]["updated"] == cases["rows"]
    assert in_process("-C", demo, "wave", "live", "parking").status == 0
    assert in_process("-C", demo, "wave", "close", "parking").status == 0
    shown = in_process("-C", demo, "wave", "status")
    assert shown.status == 0 and "afgesloten" in shown.out
    reconciled(demo, *MEMBERS)
