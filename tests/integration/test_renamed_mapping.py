"""`formerly` from the command line: a renamed mapping keeps its ids, once and twice; what cannot be is refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import CommandLine
from targets import open_read_only, upgrade

WORKSPACE = """
workspace: renamed
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems: {old: {kind: sqlite, path: old.db}}
"""
MAPPING = """
mapping: %s
owner: test
%s
target: actor
source: {relation: PERSON, key: [ID]}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [email, phone, employee_code, job_title, unit_id], reason: not in the old system}]
"""


def write(folder: Path, name: str, formerly: str = "") -> None:
    for file in (folder / "mappings").glob("*.yml"):
        file.unlink()
    (folder / f"mappings/{name}.yml").write_text(MAPPING % (name, formerly))


def ids(folder: Path) -> list[tuple[str, str]]:
    with closing(open_read_only(folder / "target.db")) as target:
        return target.execute("SELECT name, id FROM actor ORDER BY 1").fetchall()


@pytest.fixture
def loaded(tmp_path: Path, omnicase: CommandLine) -> Path:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    with closing(sqlite3.connect(tmp_path / "old.db")) as old, old:
        old.executescript("CREATE TABLE PERSON (ID INTEGER PRIMARY KEY, NAME TEXT);")
        old.executemany("INSERT INTO PERSON VALUES (?, ?)", [(1, "Een"), (2, "Twee")])
    write(tmp_path, "old.person")
    upgrade(tmp_path)
    assert omnicase("-C", tmp_path, "run").status == 0
    return tmp_path


def test_ids_stay_when_a_mapping_is_renamed_twice(loaded: Path, omnicase: CommandLine) -> None:
    before = ids(loaded)
    write(loaded, "old.actor", "formerly: old.person")
    assert omnicase("-C", loaded, "mapping", "check").status == 0
    assert omnicase("-C", loaded, "--format", "json", "reconcile").document["verdict"] == "in_balance"
    assert omnicase("-C", loaded, "--format", "json", "explain", "old.actor", "1").document["state"] == "loaded"
    planned = omnicase("-C", loaded, "--format", "json", "plan").document["mappings"][0]
    ran = omnicase("-C", loaded, "--format", "json", "run")
    assert ran.status == 0, ran.err
    assert ran.document["mappings"] == [planned]
    assert (planned["mapping"], planned["unchanged"], planned["inserted"]) == ("old.actor", 2, 0)
    write(loaded, "old.worker", "formerly: [old.person, old.actor]")
    with closing(sqlite3.connect(loaded / "old.db")) as old, old:
        old.execute("INSERT INTO PERSON VALUES (3, 'Zes')")
    books = omnicase("-C", loaded, "--format", "json", "run").document["mappings"][0]
    assert (books["mapping"], books["unchanged"], books["inserted"]) == ("old.worker", 2, 1)
    assert [row for row in ids(loaded) if row[0] != "Zes"] == before
    assert omnicase("-C", loaded, "--format", "json", "reconcile").document["verdict"] == "in_balance"
    commands = open_read_only(loaded / "target.db").execute("SELECT command FROM migration_run ORDER BY id").fetchall()
    assert [json.loads(command).get("renamed") for (command,) in commands] == [
        None,
        [["old.person", "old.actor"]],
        [["old.actor", "old.worker"]],
    ]


@pytest.mark.parametrize(
    ("name", "formerly", "code"),
    [
        ("old.person", "formerly: old.actor", "LED-003"),
        ("old.actor", "formerly: [old.worker, old.person]", "LED-003"),
    ],
)
def test_other_ids_are_refused(loaded: Path, omnicase: CommandLine, name: str, formerly: str, code: str) -> None:
    before = ids(loaded)
    write(loaded, name, formerly)
    answer = omnicase("-C", loaded, "--format", "json", "run")
    assert (answer.status, answer.document["code"]) == (6, code), answer.err
    assert ids(loaded) == before


def test_two_mappings_of_the_target_do_not_become_one(loaded: Path, omnicase: CommandLine) -> None:
    write(loaded, "old.actor")
    assert omnicase("-C", loaded, "run").status == 0
    write(loaded, "old.actor", "formerly: old.person")
    answer = omnicase("-C", loaded, "--format", "json", "run")
    assert (answer.status, answer.document["code"]) == (6, "LED-002"), answer.err


def test_a_former_name_of_another_table_is_refused(loaded: Path, omnicase: CommandLine) -> None:
    write(loaded, "old.unit", "formerly: old.person")
    path = loaded / "mappings/old.unit.yml"
    text = path.read_text().replace("target: actor", "target: channel").replace("  actor_type: {const: medewerker}\n", "")
    text = text.replace("  name: {from: NAME}", "  code: {from: NAME}\n  name: {from: NAME}").split("unfilled")[0]
    path.write_text(text)
    answer = omnicase("-C", loaded, "--format", "json", "run")
    assert (answer.status, answer.document["code"]) == (6, "LED-004"), answer.err + answer.out
