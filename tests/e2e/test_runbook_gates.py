"""Gates that nobody opens alone: E9 to E14, E16 to E19 of the faults, each by the command line."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from command_line import Answer
from key_circle import countersign_all
from made_once import made_once
from runbook_workspace import RUNBOOK, People, code, people, write
from targets import copy_workspace


@pytest.fixture
def team(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> People:
    """A workspace with a run that waits at its gate, and keys of two people who may approve."""
    copy_workspace(made_once(tmp_path_factory, "runbook-at-its-gate", _make), tmp_path)
    return People(tmp_path / "workspace", tmp_path / "private")


def _make(folder: Path) -> None:
    made = people(folder)
    made.key("f.beheer", "administrator")
    made.key("p.eigenaar", "owner")
    at_gate(made)


def at_gate(team: People) -> None:
    assert code(team.run()) == "RBK-020"
    assert team.confirm("tell", "f.beheer").status == 0
    assert code(team.run()) == "RBK-023"


def refused(answer: Answer, expected: str) -> None:
    assert (code(answer), answer.status) == (expected, 6), answer.err + answer.out


def approvals(team: People) -> list[tuple[str, bool, str | None]]:
    gate = team.status()["next"]["gate"]
    return [(each["person"], each["counts"], each["why_not"]) for each in gate["approvals"]]


def test_two_people_open_a_gate(team: People):
    assert team.approve("go", "f.beheer").status == 0
    refused(team.run(), "RBK-023")
    assert team.approve("go", "p.eigenaar").status == 0
    assert team.run().status == 0
    assert team.steps() == {"tell": "done", "go": "done", "live": "done"}
    assert team.entries("switch-1", "gate-passed")[0]["approved_by"] == ["f.beheer", "p.eigenaar"]


def test_e9_nobody_approves_what_they_run(team: People):
    team.key("m.engineer", "administrator")
    write(team.folder, RUNBOOK.replace("[f.beheer, g.beheer]", "[f.beheer, g.beheer, m.engineer]"))
    assert team("runbook", "end", "last", "--by", "m.engineer", "--reason", "begin anew").status == 0
    at_gate(team)
    refused(team.approve("go", "m.engineer"), "KEY-011")
    assert approvals(team) == []


def test_e9_whoever_went_on_with_the_run_is_a_runner_too(team: People):
    assert team.approve("go", "f.beheer").status == 0
    refused(team.run("switch", "p.eigenaar"), "RBK-023")
    refused(team.approve("go", "p.eigenaar"), "KEY-011")


def test_e10_one_person_with_two_keys_counts_once(team: People):
    assert team.approve("go", "f.beheer").status == 0
    team.key("f.beheer", "administrator", "owner")
    refused(team.approve("go", "f.beheer"), "RBK-042")
    refused(team.run(), "RBK-023")


@pytest.mark.parametrize("name", ["switch-2", "switch-1"], ids=["another run", "a run of the same name"])
def test_e11_an_approval_of_another_run_counts_for_nothing(team: People, name: str):
    for person in ("f.beheer", "p.eigenaar"):
        assert team.approve("go", person).status == 0
    given = team.entries("switch-1", "approved")
    assert team("runbook", "end", "last", "--by", "m.engineer", "--reason", "begin anew").status == 0
    if name == "switch-1":
        shutil.rmtree(team.journal(name).parent)
    at_gate(team)
    replay(team, name, given)
    refused(team.run(), "RBK-023")
    assert {why for _, _, why in approvals(team)} == {"it was given for another run"}


def replay(team: People, run: str, bodies: list[dict]) -> None:
    """Write entries into a journal as somebody who can write the file would, with a chain that fits."""
    from runbooks import Journal

    for body in bodies:
        Journal(team.journal(run).parent).add("approved", body, str(body["document"]["person"]))


@pytest.mark.parametrize("change", ["facts", "gate", "person", "at", "runbook", "evidence_head"])
def test_e11_e13_an_approval_that_was_changed_counts_for_nothing(team: People, change: str):
    assert team.approve("go", "f.beheer").status == 0
    body = team.entries("switch-1", "approved")[0]
    values = {"facts": body["document"]["facts"] | {"waves.open": 2}, "person": "p.eigenaar", "gate": "go",
              "at": "2026-01-01T00:00:00Z", "runbook": "other", "evidence_head": "0" * 64}
    changed = {**body, "document": body["document"] | {change: values[change], "approval": "1" * 16}}
    if change == "gate":
        changed["document"]["condition"] = "true"
    assert team("runbook", "withdraw", "last", "go", "--by", "f.beheer", "--reason", "only the copy").status == 0
    replay(team, "switch-1", [changed])
    refused(team.run(), "RBK-023")
    assert [counts for _, counts, _ in approvals(team)] in ([False], [False, False])


def test_e12_a_key_that_was_revoked_or_ended_opens_nothing(team: People):
    key = next(iter(team.folder.glob("keys/f.beheer-*.json")))
    assert team.approve("go", "f.beheer").status == 0
    assert team.approve("go", "p.eigenaar").status == 0
    name = json.loads(key.read_text())["key"]
    assert team("key", "revoke", name, "--reason", "lost on the train", "--by", "p.eigenaar").status == 0
    refused(team.run(), "RBK-023")
    assert "is revoked since" in {person: why for person, _, why in approvals(team)}["f.beheer"]
    refused(team.approve("go", "f.beheer"), "KEY-005")


def test_e12_an_approval_expires(team: People):
    text = RUNBOOK.replace("timeout=1h\nwaves", "timeout=1s\nwaves")
    assert text != RUNBOOK
    assert team("runbook", "end", "last", "--by", "m.engineer", "--reason", "begin anew").status == 0
    write(team.folder, text)
    at_gate(team)
    assert team.approve("go", "f.beheer").status == 0
    time.sleep(2.1)
    refused(team.run(), "RBK-023")
    assert "it expired" in str(approvals(team)[0][2])


@pytest.mark.parametrize("signed", [
    {"key": "f" * 16, "signature": "A" * 86 + "=="}, {"key": None, "signature": ""}, {"signature": "!!!"},
    {"key": "same", "signature": ""}, {"key": "same", "signature": "A" * 86 + "=="}, {"key": "same", "alg": "none"},
])  # fmt: skip
def test_e13_a_bad_signature_counts_for_nothing(team: People, signed: dict):
    assert team.approve("go", "f.beheer").status == 0
    body = team.entries("switch-1", "approved")[0]
    given = dict(signed)
    if given.get("key") == "same":
        given["key"] = body["signed"]["key"]
    replay(team, "switch-1", [{"document": body["document"] | {"person": "g.beheer"}, "signed": given}])
    refused(team.run(), "RBK-023")
    assert [(who, counts) for who, counts, _ in approvals(team)] == [("f.beheer", True), ("g.beheer", False)]


def test_e14_without_the_role_nobody_approves(team: People):
    team.key("g.beheer", "engineer")
    refused(team.approve("go", "g.beheer"), "KEY-010")
    team.key("x.ander", "administrator")
    refused(team.approve("go", "x.ander"), "RBK-043")
    refused(team.approve("go", "n.niemand"), "KEY-008")


def test_e16_a_withdrawn_approval_closes_the_gate(team: People):
    for person in ("f.beheer", "p.eigenaar"):
        assert team.approve("go", person).status == 0
    refused(team("--format", "json", "runbook", "withdraw", "last", "go", "--by", "g.beheer", "--reason", "not mine"), "RBK-044")
    assert team("runbook", "withdraw", "last", "go", "--by", "f.beheer", "--reason", "the printer failed").status == 0
    refused(team.run(), "RBK-023")
    assert team.approve("go", "f.beheer").status == 0
    assert team.run().status == 0
    refused(team("--format", "json", "runbook", "withdraw", "last", "go", "--by", "f.beheer", "--reason", "too late"), "RBK-029")


def test_e16_a_gate_that_opened_is_looked_at_again_before_the_step_behind_it(team: People):
    """The runner died between gate and step, and meanwhile an approval was withdrawn."""
    for person in ("f.beheer", "p.eigenaar"):
        assert team.approve("go", person).status == 0
    from runbooks import Journal

    Journal(team.journal("switch-1").parent).add("gate-passed", {"step": "go"}, "m.engineer")
    assert team("runbook", "withdraw", "last", "go", "--by", "f.beheer", "--reason", "the printer failed").status == 0
    refused(team.run(), "RBK-023")
    assert team.steps() == {"tell": "done", "go": "waiting", "live": "waiting"}


def test_e17_a_private_key_that_others_can_read_signs_nothing(team: People):
    for file in team.keys.iterdir():
        file.chmod(0o644)
    refused(team.approve("go", "f.beheer"), "KEY-003")


def test_e18_a_new_key_after_a_lost_one(team: People):
    lost = json.loads(next(iter(team.folder.glob("keys/f.beheer-*.json"))).read_text())["key"]
    refused(team("--format", "json", "key", "revoke", lost, "--reason", "lost on the train"), "KEY-020")
    (chain,) = team.folder.glob("evidence/*.jsonl")
    chain.rename(team.folder / "aside")
    chain.mkdir()
    unread = team("--format", "json", "key", "revoke", lost, "--reason", "lost on the train")
    assert (unread.status, code(unread)) == (5, "EVI-005"), "who cannot read which keys count revokes none"
    chain.rmdir()
    (team.folder / "aside").rename(chain)
    own = ("--reason", "lost on the train", "--by", "f.beheer")
    refused(team("--format", "json", "key", "revoke", lost, *own), "KEY-011")
    assert team("key", "revoke", lost, "--reason", "lost on the train", "--by", "p.eigenaar").status == 0
    team.key("f.beheer", "administrator")
    assert team.approve("go", "f.beheer").status == 0
    assert team.approve("go", "p.eigenaar").status == 0
    assert team.run().status == 0


def test_e19_a_step_out_of_its_order_is_refused(tmp_path: Path):
    team = people(tmp_path)
    team.key("f.beheer", "administrator")
    assert code(team.run()) == "RBK-020"
    refused(team.approve("go", "f.beheer"), "RBK-028")
    refused(team.confirm("untell", "f.beheer"), "RBK-028")
    refused(team.confirm("tell", "m.engineer"), "RBK-024")
    answer = team("--format", "json", "runbook", "skip", "last", "live", "--by", "m.engineer", "--reason", "no time")
    refused(answer, "RBK-028")


def test_e19_a_step_is_left_out_only_when_somebody_else_signs_for_it(tmp_path: Path):
    team = people(tmp_path)
    for person, role in (("f.beheer", "administrator"), ("p.eigenaar", "owner"), ("m.engineer", "owner")):
        team.key(person, role)
    assert code(team.run()) == "RBK-020"
    said = "everybody was told by telephone"
    assert team("runbook", "skip", "last", "tell", "--by", "m.engineer", "--reason", said).status == 0
    refused(team.run(), "RBK-020")
    assert team.approve("tell", "m.engineer").status == 6
    assert team.approve("tell", "f.beheer").status == 0
    refused(team.run(), "RBK-023")
    first = team.status()["deviations"]
    assert [(each["kind"], each["approved_by"]) for each in first] == [("skip-asked", []), ("skipped", ["f.beheer"])]
    text = team("runbook", "status", "--lang", "en").out
    assert text.index("Deviations") < text.index("Now:") and said in text
    assert team.steps()["tell"] == "skipped"


def test_a_fact_that_changes_voids_an_approval(team: People):
    for person in ("f.beheer", "p.eigenaar"):
        assert team.approve("go", person).status == 0
    assert team("run", "--wave", "b").status in (0, 3)
    refused(team.run(), "RBK-023")
    assert {why for _, _, why in approvals(team)} == {"a fact changed since: run.last was not known and is 1"}


def test_a_runbook_changed_in_the_midst_of_its_run_is_refused(team: People):
    write(team.folder, RUNBOOK.replace("approvals=2", "approvals=1"))
    refused(team.run(), "RBK-022")
    write(team.folder, RUNBOOK)
    refused(team.run(), "RBK-023")
    copy = team.folder / "reports/runbooks/switch-1/runbook.md"
    copy.write_text(RUNBOOK.replace("approvals=2", "approvals=1"))
    refused(team.approve("go", "f.beheer"), "RBK-022")


def test_a_journal_that_was_edited_is_broken(team: People):
    journal = team.journal("switch-1")
    lines = journal.read_bytes().splitlines(keepends=True)
    for wrong in (
        [lines[0].replace(b"m.engineer", b"m.engineel"), *lines[1:]],
        [*lines[:1], *lines[2:]],
        [lines[1], lines[0], *lines[2:]],
        [*lines, lines[-1]],
    ):
        journal.write_bytes(b"".join(wrong))
        answer = team("--format", "json", "runbook", "status")
        assert (code(answer), answer.status) == ("RBK-030", 8)
    journal.write_bytes(b"".join(lines) + b'{"at":"half a li')
    assert team.steps()["tell"] == "done"
    refused(team.run(), "RBK-023")
    shutil.rmtree(journal.parent)


def test_e15_a_key_that_nobody_countersigned_opens_nothing(team: People):
    """Somebody with access to keys/ lays a key of their own there, under a new name or in the place of another's."""
    assert team.approve("go", "f.beheer").status == 0
    made = team("--format", "json", "key", "new", "--person", "g.beheer", "--role", "administrator")
    name = made.document["key"]["key"]
    refused(team.approve("go", "g.beheer"), "KEY-019")
    refused(team("--format", "json", "key", "countersign", name, "--by", "g.beheer"), "KEY-011")
    assert team("evidence", "seal", "--person", "g.beheer").status == 8
    assert team("evidence", "verify").status == 8
    assert "uncountersigned-key" in team("evidence", "verify").out
    listed = {each["person"]: each for each in team("--format", "json", "key", "list").document["keys"]}
    assert (listed["g.beheer"]["counts"], listed["g.beheer"]["countersigned_by"]) == (False, [])
    answer = team("key", "countersign", name, "--by", "p.eigenaar")
    assert (answer.status, "telt vanaf nu" in answer.out) == (0, True)
    assert team("evidence", "verify").status == 0
    assert team.approve("go", "g.beheer").status == 0
    assert team.run().status == 0


def test_an_approval_over_the_evidence_of_another_target_opens_nothing(team: People, tmp_path: Path):
    other = People(team.folder, team.keys, {"OMNICASE_TARGET_URL": f"sqlite:///{tmp_path / 'other.db'}"})
    assert other("db", "upgrade").status == 0
    countersign_all(other)
    assert team.approve("go", "f.beheer").status == 0
    assert approvals(other) == [("f.beheer", False, "it was given over the evidence of another target")]
    assert approvals(team) == [("f.beheer", True, None)]


def test_e15_an_engineer_countersigns_no_key(team: People):
    team.key("m.engineer", "engineer")
    name = team("--format", "json", "key", "new", "--person", "x", "--role", "owner").document["key"]["key"]
    refused(team("--format", "json", "key", "countersign", name, "--by", "m.engineer"), "KEY-010")


@pytest.mark.parametrize("way", ["put in front", "worked out anew"])
def test_e15_who_writes_two_keys_of_invented_people_into_the_file_is_refused(team: People, tmp_path: Path, way: str):
    """Somebody who can write the workspace, not the ledger, founds a circle of their own before that of the ceremony."""
    from made_evidence import World, write_evidence

    file = team.folder / "evidence/target.jsonl"
    whole = file.read_bytes()
    false = World(json.loads(whole.splitlines()[0])["project"])
    for person, role in (("x", "owner"), ("y", "administrator")):
        false.key(person, role)
    false.add("genesis", {"keys": [each.as_dict() for each in false.public.values()]})
    false.add("key", false.countersign("x", "y"))
    false.add("key", false.countersign("y", "x"))
    for key in false.public.values():
        (team.folder / f"keys/{key.person}-{key.id}.json").write_text(json.dumps(key.as_dict()))
    made, _ = write_evidence(tmp_path / "made", false.lines, [])
    lines = whole.splitlines(keepends=True)
    file.write_bytes(made.read_bytes() + (lines[-1] if way == "worked out anew" else whole))
    for answer in (team.approve("go", "f.beheer"), team("--format", "json", "key", "list")):
        assert (answer.status, code(answer)) == (8, "EVI-008"), answer.out + answer.err
    file.write_bytes(whole)
    for each in (team.folder / "keys").glob("[xy]-*.json"):
        each.unlink()
    assert team.approve("go", "f.beheer").status == 0


@pytest.mark.parametrize("change", [{"roles": ["engineer", "owner"]}, {"person": "g.beheer"}, {"until": None}, {"revoked": None, "revoked_reason": None}],
                         ids=["another role", "another person", "longer", "no longer revoked"])
def test_e15_a_key_whose_file_was_changed_counts_for_nothing(team: People, change: dict):
    """The engineer's countersigned key is made an owner's in its file, or one that was revoked is put back."""
    name = team.key("x.engineer", "engineer", until="2099-01-01")
    if "revoked" in change:
        assert team("key", "revoke", name, "--reason", "left us", "--by", "p.eigenaar").status == 0
    (file,) = (team.folder / "keys").glob(f"*-{name}.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    refused(team.approve("go", change.get("person", "x.engineer")), "KEY-019")
    listed = {each["key"]: each["counts"] for each in team("--format", "json", "key", "list").document["keys"]}
    assert listed[name] is False
    assert "unannounced-key" in team("evidence", "verify").out
