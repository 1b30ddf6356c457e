"""The shipped cutover, from start to end: two people's keys, a failed step and its way back, every command a process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from command_line import ROOT
from key_circle import countersign_all
from runbook_workspace import People, code
from small_demo import fresh_demo
from targets import copy_workspace, model_rows
from waves_workspace import edit, journey, make

from migrate.new_workspace import write_runbooks
from runbooks import shipped_runbooks

STRANGER = "6f6f6f6f-0000-4000-8000-000000000001"
SPARED = ("doctor", "record", "sealed", "mappings", "plan", "books", "last-look")
"""Steps that only look, and cost a process for each command."""


@pytest.mark.sample(0)
@pytest.mark.parametrize("name", ["overgang", "cutover"])
def test_the_shipped_cutovers(tmp_path: Path, name: str):
    team = People(make(tmp_path / "workspace"), tmp_path / "private")
    write_runbooks(team.folder)
    cut_over(team, name)


@pytest.mark.sample(0)
def test_a_cutover_fails_goes_back_and_succeeds(tmp_path: Path):
    team = People(make(tmp_path / "workspace"), tmp_path / "private")
    text = shipped_runbooks()["nl/overgang.md"]
    for step in SPARED:
        text, found = re.subn(rf"```console id={step} .*?```\n", "", text, flags=re.DOTALL)
        assert found == 1
    (team.folder / "runbooks").mkdir()
    (team.folder / "runbooks/overgang.md").write_text(text)
    cut_over(team, "overgang")


@pytest.mark.sample(0)
def test_the_cutover_of_the_demo(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory):
    """The waves that its workspace.yml holds as comments; at the end a bag that two independent verifiers accept."""
    team = People(copy_workspace(fresh_demo(tmp_path_factory), tmp_path), tmp_path / "private")
    uncomment_waves(team.folder / "workspace.yml")
    cut_over(team, "overgang", "parking")
    assert journey(team.folder)["rest"]["state"] == "planned"

    bag = tmp_path / "bag"
    assert team("evidence", "export", bag).status == 0
    assert subprocess.run([sys.executable, "-m", "bagit", "--quiet", "--validate", bag], check=False).returncode == 0
    twin = subprocess.run(
        [sys.executable, bag / "data/verify_evidence.py", bag / "data/evidence/target.jsonl", bag / "data/keys"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert json.loads(twin.stdout)["valid"], twin.stdout


def uncomment_waves(settings: Path) -> None:
    written = settings.read_text()
    start = written.index("# waves:")
    settings.write_text(written[:start] + re.sub(r"(?m)^# ", "", written[start:]))


def cut_over(team: People, name: str, wave: str = "a") -> None:
    # Its own target: the one that tests copy has the evidence of another workspace.
    (team.folder / "target.db").unlink()
    assert team("db", "upgrade").status == 0
    for person, role in (("m.engineer", "engineer"), ("f.beheer", "administrator"), ("p.eigenaar", "owner")):
        team.key(person, role)
    assert team("key", "new", "--machine").status == 0
    countersign_all(team)

    go_on(team, name, "announce", "f.beheer", "--wave", wave)
    go_on(team, name, "backup", "m.engineer")
    go_on(team, name, "freeze", "f.beheer")
    edit(team.folder, f"INSERT INTO actor (id, actor_type, name, is_active) VALUES ('{STRANGER}', 'medewerker', 'X', 1)")
    failed = team.run(name)
    assert (failed.status, code(failed)) == (6, "RBK-021")
    assert team.steps()["reconcile"] == "failed" and team.status()["state"] == "stopped"

    edit(team.folder, f"DELETE FROM actor WHERE id = '{STRANGER}'")
    assert code(team.run(name, "m.engineer", "--rollback")) == "RBK-020"
    way = [(each["step"], each["status"]) for each in team.status()["steps"] if each["way"] == "back"]
    assert way == [("undo-delta", "done"), ("unfreeze", "running")]
    assert "omnicase rollback 1 " in (team.journal(f"{name}-1").parent / "undo-delta.log").read_text()
    assert team.confirm("unfreeze", "f.beheer").status == 0
    ended = team.run(name)
    assert (ended.status, ended.document["state"]) == (0, "rolled back")
    assert [rows for rows in model_rows(team.folder / "target.db").values() if rows] == []

    go_on(team, name, "announce", "f.beheer", "--wave", wave)
    go_on(team, name, "backup", "m.engineer")
    go_on(team, name, "freeze", "f.beheer")
    go_on(team, name, "sample", "f.beheer")
    assert code(team.run(name)) == "RBK-023"
    for person in ("f.beheer", "p.eigenaar"):
        assert team.approve("go", person).status == 0
    go_on(team, name, "open", "f.beheer")
    assert journey(team.folder)[wave]["state"] == "live"
    go_on(team, name, "watch", "f.beheer")
    assert code(team.run(name)) == "RBK-023"
    for person in ("f.beheer", "p.eigenaar"):
        assert team.approve("end", person).status == 0
    ended = team.run(name)
    assert (ended.status, ended.document["state"]) == (0, "completed"), ended.err
    schema = json.loads((ROOT / "migrate/documents/runbook.schema.json").read_text())
    jsonschema.validate(ended.document, schema, cls=jsonschema.Draft202012Validator)
    assert journey(team.folder)[wave]["state"] == "closed"
    assert set(team.steps().values()) == {"done"}
    verified = team("--format", "json", "evidence", "verify")
    assert verified.document["valid"], verified.document["problems"]


def go_on(team: People, name: str, step: str, person: str, *options: str) -> None:
    """Run until a step that somebody does by hand, and confirm it."""
    answer = team.run(name, "m.engineer", *options)
    assert (code(answer), team.status()["next"]["step"]) == ("RBK-020", step), answer.err[-2000:]
    assert team.confirm(step, person).status == 0
