"""`mapping test`: the shipped tests pass, a failure shows where the value went astray, wrong tests are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import in_process
from tiny_workspace import edit, make_workspace

TESTS = """\
mapping: kcc.contact
tests:
  - name: a call
    given: {NR: "1", KANAAL: tel, ONDERWERP: Vraag, NAAM: A, WANNEER: 2014-05-06 09:30, MEDEW: m1}
    expect: {channel_id: seed.channel telefoon, occurred_at: "2014-05-06T07:30:00Z", actor_id: oud.actor m1, content: null, is_initiator: "true"}
    becomes: loaded
  - name: an employee who does not exist
    given: {NR: "2", KANAAL: tel, ONDERWERP: Vraag, WANNEER: 2014-05-06 09:30, MEDEW: m9}
    links: {oud.actor: [m1]}
    rejects: {actor_id: orphan}
    becomes: rejected
  - name: an employee who is not there yet
    given: {NR: "3", KANAAL: tel, ONDERWERP: Vraag, WANNEER: 2014-05-06 09:30}
    links: {seed.channel: {waiting: [telefoon]}}
    becomes: parked
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A tiny workspace with tests of one mapping."""
    folder = make_workspace(tmp_path / "w")
    (folder / "mappings/tests").mkdir()
    (folder / "mappings/tests/kcc.contact.yml").write_text(TESTS)
    return folder


def test_tests_pass_and_name_the_mappings_without(workspace: Path) -> None:
    answer = in_process("-C", workspace, "--format", "json", "mapping", "test")
    assert answer.status == 0, answer.out + answer.err
    assert answer.document["tests"] == 3
    assert answer.document["untested"] == ["oud.actor", "seed.channel"]


def test_tests_in_the_mapping_file_run_too(workspace: Path) -> None:
    with (workspace / "mappings/oud.actor.yml").open("a") as file:
        file.write("tests:\n  - {name: retired, given: {CODE: m1, NAAM: A, ACTIEF: '0'}, expect: {is_active: 'false'}}\n")
    answer = in_process("-C", workspace, "mapping", "test", "oud.actor", "--lang", "en")
    assert answer.status == 0, answer.err
    assert "1 tests: 1 passed, 0 failed" in answer.out
    assert in_process("-C", workspace, "mapping", "check").status in (0, 3)


def test_a_failure_shows_every_stage(workspace: Path) -> None:
    edit(workspace / "codes/kanaal.csv", "TEL,telefoon,", "TEL,balie,")
    answer = in_process("-C", workspace, "mapping", "test", "--lang", "en")
    assert answer.status == 3
    assert "channel_id: expected seed.channel telefoon, found seed.channel balie" in answer.out
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["do", "TEL"] in lines or any(line[:1] == ["do"] and line[-1] == "TEL" for line in lines)
    assert any(line[:1] == ["codes"] and line[-1] == "balie" for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "code", "hint"),
    [
        ("KANAAL: tel, ONDERWERP: Vraag, NAAM: A", "KANAL: tel", "MAP-060", "KANAAL"),
        ("{channel_id:", "{chanel_id:", "MAP-014", "channel_id"),
        ("links: {oud.actor", "links: {oud.acter", "MAP-017", "oud.actor"),
        ("mapping: kcc.contact", "mapping: kcc.contakt", "MAP-017", "kcc.contact"),
        ("becomes: parked", "becomes: parket", "MAP-004", ""),
        ("    rejects:", "    reject:", "MAP-001", "rejects"),
        ("mapping: kcc.contact", "mapping: [a", "YML-002", ""),
    ],
)
def test_wrong_tests_are_refused_with_place_and_nearest_name(
    workspace: Path, old: str, new: str, code: str, hint: str
) -> None:
    edit(workspace / "mappings/tests/kcc.contact.yml", old, new)
    answer = in_process("-C", workspace, "--format", "json", "mapping", "test")
    assert answer.status == 4, answer.out
    assert answer.document["code"] == code
    assert answer.document["where"].startswith("mappings/tests/kcc.contact.yml:")
    assert hint in answer.document["hint"]


@pytest.mark.parametrize(
    ("old", "new", "code", "hint"),
    [
        ("KANAAL: tel, ONDERWERP: Vraag, NAAM: A", "KANAL: tel", "MAP-060", "KANAAL"),
        ("{channel_id:", "{chanel_id:", "MAP-014", "channel_id"),
        ("mapping: kcc.contact", "mapping: kcc.contakt", "MAP-017", "kcc.contact"),
    ],
)
def test_the_check_of_the_mappings_checks_their_tests_too(
    workspace: Path, old: str, new: str, code: str, hint: str
) -> None:
    assert in_process("-C", workspace, "mapping", "check").status in (0, 3)
    edit(workspace / "mappings/tests/kcc.contact.yml", old, new)
    answer = in_process("-C", workspace, "--format", "json", "mapping", "check")
    assert answer.status == 4
    assert [each["code"] for each in answer.document["errors"]] == [code]
    assert hint in answer.document["errors"][0]["hint"]
    assert answer.document["errors"][0]["file"] == "mappings/tests/kcc.contact.yml"
    shown = in_process("-C", workspace, "mapping", "check")
    assert f"fout {code}" in shown.out
    assert "Fouten: 1" in shown.out
    assert in_process("-C", workspace, "plan").status != 4, "a wrong test is no reason not to load"


def test_an_unknown_mapping_is_refused_with_the_nearest(workspace: Path) -> None:
    answer = in_process("-C", workspace, "mapping", "test", "kcc.contakt")
    assert answer.status == 2
    assert "kcc.contact" in answer.err


def test_hostile_texts_do_not_steer_the_terminal(workspace: Path) -> None:
    edit(workspace / "mappings/tests/kcc.contact.yml", "name: a call", 'name: "a \\e[2Jcall"')
    edit(workspace / "mappings/tests/kcc.contact.yml", "content: null", 'content: "\\e[2J"')
    answer = in_process("-C", workspace, "mapping", "test")
    assert "\x1b" not in answer.out
