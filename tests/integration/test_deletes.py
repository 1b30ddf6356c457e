"""Rows that left the source or the scope: kept, closed, removed or held, and never more than a mapping allows."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from command_line import CommandLine, in_process
from made_once import copy_made
from targets import assert_same_target, copy_workspace, open_read_only, upgrade

WORKSPACE = """
workspace: deletes
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: 7}
systems: {old: {kind: sqlite, path: old.db}}
"""
UNIT = """
mapping: old.unit
owner: test
target: actor
source: {relation: UNIT, key: [CODE]}
scope: {where: "STATE <> 'X'", reason: struck off}
incremental: {deletes: %s, max_deletes: %s}
fields:
  actor_type: {const: organisatorische_eenheid}
  name: {from: NAME}
  unit_id: {from: UP, link: old.unit, missing: park}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, email, phone, job_title], reason: not in the old system}]
"""
ACTOR = """
mapping: old.actor
owner: test
target: actor
source: {relation: ACTOR, key: [NR]}
incremental: {deletes: %s, max_deletes: %s}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME, null_if: [""]}
  unit_id: {from: UNIT, link: old.unit, missing: "null"}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, email, phone, job_title], reason: not in the old system}]
"""


def make(folder: Path, deletes: str = "remove", most: str = "50%") -> Path:
    """Return a loaded workspace of 10 units (unit 1 above the others) and 20 actors."""
    return copy_made(_make, folder, deletes, most)


def _make(folder: Path, deletes: str, most: str) -> None:
    (folder / "mappings").mkdir(parents=True)
    (folder / "workspace.yml").write_text(WORKSPACE)
    (folder / "mappings/old.unit.yml").write_text(UNIT % (deletes, most))
    (folder / "mappings/old.actor.yml").write_text(ACTOR % (deletes, most))
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("CREATE TABLE UNIT (CODE INTEGER PRIMARY KEY, NAME TEXT, UP INTEGER, STATE TEXT)")
        old.execute("CREATE TABLE ACTOR (NR INTEGER PRIMARY KEY, NAME TEXT, UNIT INTEGER)")
        units = [(n, f"U{n}", None if n == 1 else 1, "A") for n in range(1, 11)]
        old.executemany("INSERT INTO UNIT VALUES (?, ?, ?, ?)", units)
        old.executemany("INSERT INTO ACTOR VALUES (?, ?, ?)", [(n, f"A{n}", 1 + n % 5) for n in range(1, 21)])
    upgrade(folder)
    assert in_process("-C", folder, "run").status == 0


def change(folder: Path, *statements: str) -> None:
    with sqlite3.connect(folder / "old.db") as old:
        for sql in statements:
            old.execute(sql)


def edit(folder: Path, sql: str) -> None:
    with sqlite3.connect(folder / "target.db") as target:
        target.execute(sql)


def gone(folder: Path, status: int, *names: str) -> dict[str, dict[str, int]]:
    answer = in_process("-C", folder, "--format", "json", "run", *names)
    assert answer.status == status, answer.err
    assert answer.document["balanced"]
    return {each["mapping"]: {k: v for k, v in each["gone"].items() if v} for each in answer.document["mappings"]}


def names(folder: Path) -> set[str]:
    return {row[0] for row in open_read_only(folder / "target.db").execute("SELECT name FROM actor")}


def in_balance(folder: Path) -> dict:
    answer = in_process("-C", folder, "--format", "json", "reconcile")
    assert answer.document["verdict"] == "in_balance", answer.document["findings"]
    return answer.document


def test_r26_records_whose_rows_left_are_removed_children_first(tmp_path: Path) -> None:
    folder = make(tmp_path)
    change(folder, "DELETE FROM UNIT WHERE CODE = 5", "DELETE FROM ACTOR WHERE UNIT = 5 OR NR = 1")
    assert gone(folder, 0) == {"old.unit": {"removed": 1}, "old.actor": {"removed": 5}}
    assert len(names(folder)) == 24 and not {"U5", "A1", "A4", "A9", "A14", "A19"} & names(folder)
    in_balance(folder)
    assert gone(folder, 0) == {"old.unit": {}, "old.actor": {}}
    change(folder, "INSERT INTO UNIT VALUES (5, 'U5', 1, 'A')")
    gone(folder, 0)
    assert "U5" in names(folder)
    in_balance(folder)


def test_a_row_that_leaves_the_scope_is_deleted_too(tmp_path: Path) -> None:
    folder = make(tmp_path)
    change(folder, "UPDATE UNIT SET STATE = 'X' WHERE CODE IN (9, 10)")
    assert gone(folder, 0)["old.unit"] == {"removed": 2}
    assert not {"U9", "U10"} & names(folder)
    in_balance(folder)
    assert gone(folder, 0)["old.unit"] == {}
    change(folder, "UPDATE UNIT SET STATE = 'A' WHERE CODE = 9")
    gone(folder, 0)
    assert "U9" in names(folder) and "U10" not in names(folder)


def test_records_that_are_linked_to_go_together_or_stay(tmp_path: Path) -> None:
    folder = make(tmp_path)
    # Unit 1 stands above all others; actors of unit 1 stay, so that it must.
    change(folder, "DELETE FROM UNIT WHERE CODE IN (1, 6)", "UPDATE UNIT SET UP = NULL")
    assert gone(folder, 3)["old.unit"] == {"removed": 1, "held": 1}
    assert "U1" in names(folder) and "U6" not in names(folder)
    issues = "SELECT code, detail, source_key FROM migration_issue"
    assert open_read_only(folder / "target.db").execute(issues).fetchall() == [("delete-held", "linked", "1")]
    # Held records are tried again: now nobody is left below it.
    change(folder, "UPDATE ACTOR SET UNIT = NULL WHERE UNIT = 1")
    assert gone(folder, 0)["old.unit"] == {"removed": 1}
    assert open_read_only(folder / "target.db").execute(issues).fetchall() == []
    assert "U1" not in names(folder)


def test_a_parent_and_its_children_in_one_table_go_at_once(tmp_path: Path) -> None:
    folder = make(tmp_path, most="100%")
    change(folder, "DELETE FROM UNIT", "DELETE FROM ACTOR")
    assert gone(folder, 0) == {"old.unit": {"removed": 10}, "old.actor": {"removed": 20}}
    assert names(folder) == set()


def test_what_people_edited_is_held(tmp_path: Path) -> None:
    folder = make(tmp_path)
    edit(folder, "UPDATE actor SET name = 'Mine' WHERE name = 'A3'")
    edit(folder, "DELETE FROM actor WHERE name = 'A4'")
    change(folder, "DELETE FROM ACTOR WHERE NR IN (3, 4, 5)")
    assert gone(folder, 3)["old.actor"] == {"removed": 2, "held": 1}
    assert "Mine" in names(folder)
    assert gone(folder, 3)["old.actor"] == {"held": 1}
    checks = {each["check"]: each for each in in_balance(folder)["checks"]}
    assert checks["keys.target_to_source"]["explained"] == {"gone, kept": 1}


def test_more_than_max_deletes_deletes_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path, most="20%")
    change(folder, "DELETE FROM ACTOR WHERE NR <= 5", "DELETE FROM UNIT WHERE CODE = 10", "UPDATE ACTOR SET NAME = 'New' WHERE NR = 20")  # fmt: skip
    before = names(folder)
    answer = in_process("-C", folder, "run")
    assert answer.status == 6
    assert "RUN-022" in answer.err and "5 of 20 loaded rows" in answer.err and "old.actor" in answer.err
    assert names(folder) == before - {"A20"} | {"New"}
    status = in_process("-C", folder, "--format", "json", "status").document
    assert {each["mapping"]: each["gone"]["held"] for each in status["mappings"]} == {"old.unit": 1, "old.actor": 5}
    mapping = folder / "mappings/old.actor.yml"
    mapping.write_text(mapping.read_text().replace("20%", "25%"))
    assert gone(folder, 0) == {"old.unit": {"removed": 1}, "old.actor": {"removed": 5}}
    in_balance(folder)


def test_max_deletes_is_two_percent_unless_said(tmp_path: Path) -> None:
    folder = make(tmp_path)
    mapping = folder / "mappings/old.actor.yml"
    mapping.write_text(mapping.read_text().replace(", max_deletes: 50%", ""))
    change(folder, "DELETE FROM ACTOR WHERE NR = 1")
    assert "2%" in in_process("-C", folder, "run").err.replace("0.02 of them", "2%")


def test_r26_records_are_closed_by_setting_columns(tmp_path: Path) -> None:
    folder = make(tmp_path, deletes='{close: {is_active: "false", job_title: weg}}')
    change(folder, "DELETE FROM ACTOR WHERE NR IN (1, 2, 3)", "UPDATE UNIT SET STATE = 'X' WHERE CODE = 10")
    edit(folder, "UPDATE actor SET name = 'Mine' WHERE name = 'A2'")
    assert gone(folder, 3) == {"old.unit": {"closed": 1}, "old.actor": {"closed": 2, "held": 1}}
    closed = "SELECT name FROM actor WHERE is_active = 0 AND job_title = 'weg' ORDER BY 1"
    assert open_read_only(folder / "target.db").execute(closed).fetchall() == [("A1",), ("A3",), ("U10",)]
    # Closed once: a person may open it again, and is not overruled.
    edit(folder, "UPDATE actor SET is_active = 1 WHERE name = 'U10'")
    assert gone(folder, 3) == {"old.unit": {}, "old.actor": {"held": 1}}
    assert open_read_only(folder / "target.db").execute(closed).fetchall() == [("A1",), ("A3",)]
    # A row that comes back opens its record; what the mapping does not fill stays.
    change(folder, "INSERT INTO ACTOR VALUES (1, 'A1', 2)")
    gone(folder, 3)
    assert open_read_only(folder / "target.db").execute("SELECT is_active, job_title FROM actor WHERE name = 'A1'").fetchall() == [(1, "weg")]  # fmt: skip
    change(folder, "DELETE FROM ACTOR WHERE NR = 1")
    assert gone(folder, 3)["old.actor"] == {"closed": 1, "held": 1}


def test_r26_kept_is_what_happens_without_a_word(tmp_path: Path) -> None:
    folder = make(tmp_path, deletes="keep", most="0%")
    change(folder, "DELETE FROM ACTOR WHERE NR = 1", "UPDATE UNIT SET STATE = 'X' WHERE CODE = 10")
    assert gone(folder, 0) == {"old.unit": {"kept": 1}, "old.actor": {"kept": 1}}
    document = in_balance(folder)
    explained = [each["explained"] for each in document["checks"] if each["check"] == "keys.source_to_target"]
    assert {"left the scope, kept": 1} in explained


@pytest.mark.sample(1)
@pytest.mark.parametrize("failpoint", ["before-deletes:1", "before-deletes:2", "before-deletes-commit:1", "before-deletes-commit:2", "before-finish:1"])  # fmt: skip
def test_killed_while_deleting_and_resumed(failpoint: str, tmp_path: Path, omnicase: CommandLine) -> None:
    folder = make(tmp_path / "one")
    change(folder, "DELETE FROM UNIT WHERE CODE IN (1, 5)", "DELETE FROM ACTOR WHERE UNIT = 5 OR NR = 1")
    calm = copy_workspace(folder, tmp_path / "calm")
    assert omnicase.spawn("-C", folder, "run", env={"OMNICASE_FAILPOINT": failpoint}).status == -9
    books = gone(folder, 3)
    assert books == gone(calm, 3) == {"old.unit": {"removed": 1, "held": 1}, "old.actor": {"removed": 5}}
    assert_same_target(folder / "target.db", calm / "target.db")


SHARED = """
mapping: %s.person
owner: test
target: actor
source: {relation: PERSON, key: [ID]}
incremental: {deletes: %s, max_deletes: 100%%}
identity: {by: [{mail: MAIL}], rank: %d}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME}
  email: {from: MAIL}
  phone: {from: PHONE}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, job_title, unit_id], reason: not in the old system}]
"""


@pytest.mark.parametrize("deletes", ["keep", "remove", '{close: {is_active: "false"}}'])
def test_a_record_of_two_systems_goes_with_the_last_of_its_rows(tmp_path: Path, deletes: str) -> None:
    (tmp_path / "mappings").mkdir()
    systems = "systems: {one: {kind: sqlite, path: one.db}, two: {kind: sqlite, path: two.db}}"
    (tmp_path / "workspace.yml").write_text(WORKSPACE.replace("systems: {old: {kind: sqlite, path: old.db}}", systems))
    for rank, name in enumerate(("one", "two"), start=1):
        (tmp_path / f"mappings/{name}.person.yml").write_text(SHARED % (name, deletes, rank))
        with sqlite3.connect(tmp_path / f"{name}.db") as old:
            old.execute("CREATE TABLE PERSON (ID INTEGER PRIMARY KEY, NAME TEXT, MAIL TEXT, PHONE TEXT)")
            old.executemany(
                "INSERT INTO PERSON VALUES (?, ?, ?, ?)",
                [(n, f"{name}{n}", f"{n}@x.nl", f"0{rank}{n}") for n in range(1, 4 if name == "one" else 3)],
            )
    upgrade(tmp_path)
    gone(tmp_path, 0)
    assert names(tmp_path) == {"one1", "one2", "one3"}
    with sqlite3.connect(tmp_path / "one.db") as old:
        old.execute("DELETE FROM PERSON WHERE ID IN (1, 3)")
    books = gone(tmp_path, 0)["one.person"]
    assert names(tmp_path) == {"two1", "one2", *([] if deletes == "remove" else ["one3"])}
    closed = {row[0] for row in open_read_only(tmp_path / "target.db").execute("SELECT name FROM actor WHERE is_active = 0")}  # fmt: skip
    assert closed == ({"one3"} if "close" in deletes else set())
    fate = {"keep": {"kept": 2}, "remove": {"kept": 1, "removed": 1}}.get(deletes, {"kept": 1, "closed": 1})
    assert books == fate
    in_balance(tmp_path)
    with sqlite3.connect(tmp_path / "two.db") as old:
        old.execute("DELETE FROM PERSON WHERE ID = 1")
    gone(tmp_path, 0)
    assert ("two1" in names(tmp_path)) == (deletes != "remove")
    in_balance(tmp_path)
    with sqlite3.connect(tmp_path / "one.db") as old:
        old.execute("INSERT INTO PERSON VALUES (1, 'again', '1@x.nl', '099')")
    gone(tmp_path, 0)
    assert "again" in names(tmp_path)
    in_balance(tmp_path)
