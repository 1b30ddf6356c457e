"""The tools around mapping files, from the command line: coverage and its kin."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process
from tiny_workspace import edit, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A tiny workspace; its target is not made."""
    return make_workspace(tmp_path / "w")


def test_coverage_is_complete_and_names_the_users(workspace: Path) -> None:
    answer = in_process("-C", workspace, "--format", "json", "mapping", "coverage")
    assert answer.status == 0, answer.out + answer.err
    assert answer.document["complete"] is True
    part = next(each for each in answer.document["relations"] if each["name"] == "oud.MEDEW")
    assert {each["column"]: each["state"] for each in part["columns"]} == dict.fromkeys(
        ("CODE", "NAAM", "FUNCTIE", "ACTIEF"), "used"
    )
    actor = next(each for each in answer.document["targets"] if each["mapping"] == "oud.actor")
    assert next(each for each in actor["columns"] if each["column"] == "email") == {
        "column": "email", "state": "unfilled", "mappings": [], "reason": "Not in the old system", "approved_by": "",
        "evidence": "",
    }  # fmt: skip


def test_a_column_that_appears_later_turns_up_by_name(workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "systems/oud.db")) as connection:
        connection.execute("ALTER TABLE MEDEW ADD COLUMN PASNR TEXT")
        connection.execute("CREATE TABLE NIEUW (A TEXT)")
    answer = in_process("-C", workspace, "mapping", "coverage", "--lang", "en")
    assert answer.status == 3
    assert "oud.MEDEW.PASNR" in answer.out
    assert "Read by no mapping: oud.NIEUW" in answer.out


def test_coverage_shows_who_decided_on_what_evidence_and_escapes_it(workspace: Path, tmp_path: Path) -> None:
    edit(workspace / "mappings/oud.actor.yml", "  job_title:     {from: FUNCTIE, null_if: [\"\"]}\n", "")
    edit(workspace / "mappings/oud.actor.yml", "[email,", "[job_title, email,")
    with (workspace / "mappings/oud.actor.yml").open("a") as file:
        file.write(
            "ignore:\n  - {columns: [FUNCTIE], reason: '<script>alert(1)</script>', approved_by: FB, evidence: DEC-7}\n"
        )
    page = tmp_path / "out/coverage.html"
    answer = in_process("-C", workspace, "mapping", "coverage", "--html", page)
    assert answer.status == 0, answer.out + answer.err
    assert "DEC-7" in answer.out
    text = page.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "genegeerd" in text
    assert "DEC-7" in text


def test_coverage_refuses_a_wrong_mapping_and_a_page_that_cannot_be_written(workspace: Path) -> None:
    answer = in_process("-C", workspace, "mapping", "coverage", "--html", workspace)
    assert answer.status == 4
    assert "OUT-001" in answer.err
    edit(workspace / "mappings/oud.actor.yml", "{from: NAAM}", "{from: NAM}")
    answer = in_process("-C", workspace, "mapping", "coverage")
    assert answer.status == 4
    assert "NAAM" in answer.err
