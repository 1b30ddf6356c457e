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
LOOKED_AT = ("zaak.case", "zaak.case_status", "zaak.case_role")


@pytest.fixture
def demo(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small demo with the old case system only: no wave here has rows of the others."""
    folder = copy_workspace(fresh_demo(tmp_path_factory), tmp_path)
    for file in folder.glob("mappings/**/*.yml"):
        if file.stem.partition(".")[0] not in ("zaak", "seed", "defaults"):
            file.unlink()
    defaults = folder / "mappings/defaults.yml"
    defaults.write_text(re.sub(r"(?m)^(?!zaak|seed)[a-z]+:\n(?:[ #].*\n|\n)*", "", defaults.read_text()))
    settings = folder / "workspace.yml"
    settings.write_text(settings.read_text().replace("batch_rows: 97", "batch_rows: 4000") + WAVES)
    return folder


def change(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "systems/zaak.db")) as old:
        for sql in statements:
            assert old.execute(sql).rowcount > 0
        old.commit()


def test_the_journey_of_the_demo(demo: Path):
    books = run(demo, "--wave", "parking")
    waves = journey(demo)
    assert books["zaak.case"]["inserted"] == waves["parking"]["mappings"][0]["over"] > 0
    assert (waves["parking"]["state"], waves["rest"]["state"]) == ("rehearsing", "planned")
    assert waves["rest"]["left"] == sum(books[name]["deferred"] for name in MEMBERS)
    explained = reconciled(demo, *LOOKED_AT)
    assert all(explained[name]["deferred"] == books[name]["deferred"] > 0 for name in LOOKED_AT)

    assert in_process("-C", demo, "wave", "live", "parking").status == 0
    parking = "ZAAKNR IN (SELECT ZAAKNR FROM ZKN_ZAAK WHERE TRIM(ZTCODE) IN ('PARKVERG', 'GEHPARK'))"
    change(demo, f"UPDATE ZKN_ZAAK SET TOELICHT = 'After cutover' WHERE {parking}",
           f"DELETE FROM ZKN_STATUS WHERE STATID IN (SELECT MAX(STATID) FROM ZKN_STATUS WHERE {parking})")
    books = run_as_planned(demo)
    cases = journey(demo)["parking"]["mappings"][0]
    assert books["zaak.case"]["late"] == cases["late"] == cases["rows"]
    assert books["zaak.case_status"]["gone"]["kept"] == 1
    assert [row for name, found in model_rows(demo / "target.db").items() for row in found if "After cutover" in row] == []
    assert reconciled(demo, *LOOKED_AT)["zaak.case"]["late"] == cases["late"]

    assert in_process("-C", demo, "wave", "back", "parking", "--reason", "the printer failed").status == 0
    assert run(demo)["zaak.case"]["updated"] == cases["rows"]
    for verb in ("live", "close"):
        assert in_process("-C", demo, "wave", verb, "parking").status == 0
    shown = in_process("-C", demo, "wave", "status")
    assert shown.status == 0 and "afgesloten" in shown.out
