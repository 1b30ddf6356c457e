"""The tools around mapping files, from the command line: coverage and its kin."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from command_line import ROOT, in_process
from jsonschema import Draft202012Validator
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


def _loaded(file: Path) -> object:
    """Read YAML as an editor does: keys are texts, and days too."""
    return json.loads(json.dumps(yaml.safe_load(file.read_text()), default=str))


def test_schemas_accept_what_is_shipped_and_refuse_bad_forms(tmp_path: Path) -> None:
    answer = in_process("mapping", "schema", "--out", tmp_path)
    assert answer.status == 0, answer.err
    mapping, workspace, tests, defaults = (
        Draft202012Validator(json.loads((tmp_path / f"{kind}.json").read_text()))
        for kind in ("mapping", "workspace", "tests", "defaults")
    )
    sets = [ROOT / "mappings/library/demo", ROOT / "mappings/library/start", ROOT / "examples/receipt"]
    for folder in sets:
        for file in folder.glob("mappings/*.yml"):
            if file.name != "defaults.yml":
                assert [error.message for error in mapping.iter_errors(_loaded(file))] == [], file.name
        assert workspace.is_valid(_loaded(folder / "workspace.yml")), folder
        for file in folder.glob("mappings/tests/*.yml"):
            assert [error.message for error in tests.iter_errors(_loaded(file))] == [], file.name
        for file in folder.glob("mappings/defaults.yml"):
            assert [error.message for error in defaults.iter_errors(_loaded(file))] == [], file.name
    assert not tests.is_valid({"mapping": "a.b", "tests": [{"name": "no row given"}]})
    assert not tests.is_valid({"mapping": "a.b", "tests": [{"name": "x", "given": {}, "expects": {}}]})
    assert not defaults.is_valid({"zaak": {"timezones": "Europe/Amsterdam"}})
    for name in (
        "unknown_key", "missing_key", "missing_target", "not_a_choice", "not_a_number",
        "bad_mapping_name", "list_instead_of_keys", "unknown_keys_everywhere",
    ):  # fmt: skip
        assert not mapping.is_valid(_loaded(ROOT / f"tests/cases_bad/mappings/{name}.yml")), name


def test_every_property_of_the_schemas_is_described() -> None:
    def bare(node: object) -> list[str]:
        if isinstance(node, list):
            return [name for item in node for name in bare(item)]
        if not isinstance(node, dict):
            return []
        found = node["properties"].items() if isinstance(node.get("properties"), dict) else ()
        mine = [name for name, each in found if isinstance(each, dict) and not each.get("description")]
        return mine + [name for item in node.values() for name in bare(item)]

    for kind in ("mapping", "workspace", "tests", "defaults"):
        answer = in_process("mapping", "schema", kind)
        Draft202012Validator.check_schema(answer.document)
        assert bare(answer.document) == []


def test_workspaces_carry_the_schemas_and_name_them(tmp_path: Path) -> None:
    assert in_process("init", tmp_path / "new").status == 0
    assert in_process("demo", tmp_path / "demo", "--cases", "10", "--no-answer-key").status == 0
    for folder in (tmp_path / "new", tmp_path / "demo", ROOT / "examples/receipt"):
        for kind in ("mapping", "workspace", "tests", "defaults"):
            assert (folder / f"schemas/{kind}.json").is_file()
        assert (folder / "workspace.yml").read_text().startswith("# yaml-language-server: $schema=schemas/workspace.json")
        named = [file.read_text().splitlines()[0] for file in folder.glob("mappings/*.yml")]
        assert "# yaml-language-server: $schema=../schemas/mapping.json" in named


def test_the_schemas_of_the_example_are_those_of_the_models(tmp_path: Path) -> None:
    assert in_process("mapping", "schema", "--out", tmp_path).status == 0
    kept = ROOT / "examples/receipt/schemas"
    assert sorted(file.name for file in kept.iterdir()) == sorted(file.name for file in tmp_path.iterdir())
    for file in tmp_path.iterdir():
        assert (kept / file.name).read_text() == file.read_text(), f"omnicase mapping schema --out {kept}"


def test_a_schema_that_does_not_exist_or_cannot_be_written_is_refused(tmp_path: Path) -> None:
    assert in_process("mapping", "schema", "mappings").status == 2
    (tmp_path / "file").write_text("")
    answer = in_process("mapping", "schema", "--out", tmp_path / "file")
    assert answer.status == 4
    assert "OUT-001" in answer.err
