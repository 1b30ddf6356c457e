"""A workspace with two targets: each has a chain of its own, in which a key counts for nothing until somebody says so there."""

from __future__ import annotations

import importlib.util
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Answer, in_process
from key_circle import countersign_all
from made_once import made_once
from tiny_workspace import make_workspace

from connectors import open_target
from migrate.evidence.outbox import append
from migrate.evidence.recorder import Recorder
from migrate.workspace import load_workspace
from runbooks import Happening, load_trust, verify_file

ROOT = Path(__file__).resolve().parents[2]
SECOND = 'environments:\n  other: {target: {url: "sqlite:///elsewhere/target.db"}}\n'


class Team:
    """The command line in a workspace with everybody's keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "workspace"
        self.env = {"OMNICASE_KEYS": str(folder / "private"), "OMNICASE_PASSPHRASE": "vier woorden en een"}

    def __call__(self, *words: str) -> Answer:
        return in_process("-C", self.folder, "--format", "json", *words, env=self.env)

    def other(self, *words: str) -> Answer:
        return self("--env", "other", *words)

    def entries(self, name: str) -> list[dict]:
        return [json.loads(line) for line in (self.folder / f"evidence/{name}.jsonl").read_bytes().splitlines()]


@pytest.fixture
def team(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """Two targets, upgraded; two people whose keys count in the first."""

    def make(folder: Path) -> None:
        workspace = make_workspace(folder / "workspace", contacts=2)
        settings = workspace / "workspace.yml"
        settings.write_text(settings.read_text().replace("environments:\n", SECOND, 1))
        (workspace / "elsewhere").mkdir()
        made = Team(folder)
        assert made("db", "upgrade").status == 0
        for person, role in (("an", "administrator"), ("bea", "owner")):
            assert made("key", "new", "--person", person, "--role", role).status == 0
        countersign_all(made)
        assert made.other("db", "upgrade").status == 0

    shutil.copytree(made_once(tmp_path_factory, "two-targets", make), tmp_path / "made")
    return Team(tmp_path / "made")


def counting(answer: Answer) -> dict[str, bool]:
    return {each["person"]: each["counts"] for each in answer.document["keys"]}


def test_a_key_that_counts_for_one_target_counts_for_nothing_for_another(team: Team, tmp_path: Path) -> None:
    assert counting(team("key", "list")) == {"an": True, "bea": True}
    assert counting(team.other("key", "list")) == {"an": False, "bea": False}
    assert team("evidence", "seal", "--person", "an").status == 0
    refused = team.other("evidence", "seal", "--person", "an")
    assert (refused.status, refused.document["code"]) == (8, "EVI-003"), "as long as nobody vouched for them there"
    assert {each["kind"] for each in team.other("evidence", "verify").document["problems"]} == {"uncountersigned-key"}

    countersign_all(team.other)
    assert counting(team.other("key", "list")) == {"an": True, "bea": True}
    assert team.other("evidence", "seal", "--person", "an").status == 0
    assert (team("evidence", "verify").status, team.other("evidence", "verify").status) == (0, 0)
    assert {each.name for each in (team.folder / "evidence").glob("*.jsonl")} == {"target.jsonl", "other.target.jsonl"}
    assert team.entries("target")[0]["project"] != team.entries("other.target")[0]["project"]

    # What an auditor has of both, judged apart.
    spec = importlib.util.spec_from_file_location("verify_evidence", ROOT / "docs/verify_evidence.py")
    twin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(twin)
    assert team("evidence", "export", str(tmp_path / "bag")).status in (0, 3)
    data = tmp_path / "bag/data"
    for name in ("target", "other.target"):
        file = data / f"evidence/{name}.jsonl"
        assert (verify_file(file, load_trust(data / "keys")).problems, twin.verify(file, data / "keys")["problems"]) == ((), [])


def test_countersignatures_of_one_chain_open_nothing_in_another(team: Team) -> None:
    """Who may add entries to the second target brings them over from the first."""
    workspace = load_workspace(team.folder, "other")
    brought = [each["what"] for each in team.entries("target") if each["kind"] == "key" and "document" in each["what"]]
    assert len(brought) == 2
    with closing(open_target(workspace.target_url)) as target, target.transaction() as connection:
        for what in brought:
            append(connection, Recorder(workspace), Happening("key", what))
    refused = team.other("evidence", "seal", "--person", "an")
    assert (refused.status, refused.document["code"]) == (8, "EVI-003")
    refused = team.other("key", "list")
    assert (refused.status, refused.document["code"]) == (8, "EVI-008"), "none of them counts"
    kinds = {each["kind"] for each in team.other("evidence", "verify").document["problems"]}
    assert kinds & {"rewritten", "cut-off"}, kinds
    assert counting(team("key", "list")) == {"an": True, "bea": True}, "the first is as it was"


def test_a_revocation_for_one_target_is_asked_for_in_the_other(team: Team) -> None:
    countersign_all(team.other)
    assert team("key", "new", "--person", "carl", "--role", "owner").status == 0
    countersign_all(team)
    lost = next(each["key"] for each in team("key", "list").document["keys"] if each["person"] == "carl")
    countersign_all(team.other)
    assert team("key", "revoke", lost, "--by", "an", "--reason", "telefoon verloren").status == 0
    assert team("evidence", "verify").status == 0
    told = team.other("evidence", "verify")
    assert (told.status, [each["kind"] for each in told.document["problems"]]) == (8, ["unannounced-key"])
    assert counting(team.other("key", "list"))["carl"] is False, "a file that says otherwise than the chain counts for nothing"
    assert team.other("key", "revoke", lost, "--by", "an", "--reason", "telefoon verloren").status == 0
    assert (team("evidence", "verify").status, team.other("evidence", "verify").status) == (0, 0)
