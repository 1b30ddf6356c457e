"""Controls and children from the command line: what is lost, moved or counted wrongly is found and named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from command_line import CommandLine, in_process
from targets import upgrade

WORKSPACE = """
workspace: controls
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: 3}
systems: {old: {kind: sqlite, path: old.db, personal: {UNIT: [], ACTOR: [NAME]}}}
"""
UNIT = """
mapping: old.unit
owner: test
target: actor
source: {relation: UNIT, key: [{from: CODE, do: [upper]}]}
fields:
  employee_code: {from: CODE, do: [upper]}
  actor_type: {const: organisatorische_eenheid}
  name: {from: NAME}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [unit_id, email, phone, job_title], reason: not in the old system}]
controls:
  - name: units
    source: "SELECT 'all' AS g, COUNT(*) AS n FROM UNIT"
    target: "SELECT 'all' AS g, COUNT(*) AS n FROM actor WHERE actor_type <> 'medewerker'"
  - name: "actors: per unit"
    source: "SELECT UPPER(UNIT) AS g, COUNT(*) AS n FROM ACTOR WHERE NAME <> 'x:y' AND UNIT NOT IN ('none', 'Z') GROUP BY 1"
    target: >-
      SELECT u.employee_code AS g, COUNT(*) AS n FROM actor a JOIN actor u ON u.id = a.unit_id WHERE a.name <> 'x:y' GROUP BY 1
children:
  - {mapping: old.actor, by: UNIT}
"""
ACTOR = """
mapping: old.actor
owner: test
target: actor
source: {relation: ACTOR, key: [NR]}
scope: {where: "UNIT <> 'none'", reason: has no unit}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME, null_if: [""]}
  unit_id: {from: UNIT, link: old.unit, missing: "null"}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, email, phone, job_title], reason: not in the old system}]
controls:
  - name: names
    source: "SELECT NAME AS g, COUNT(*) AS n FROM ACTOR WHERE UNIT <> 'none' AND NAME <> '' GROUP BY 1"
    target: "SELECT name AS g, COUNT(*) AS n FROM actor WHERE actor_type = 'medewerker' GROUP BY 1"
"""
UNITS = [("a", "Burgerzaken"), ("B", "Vergunningen"), ("C", "Leeg")]
ACTORS = [
    (1, "Anna", "A"),
    (2, "Bram", "a"),
    (3, "Cor", "B"),
    (4, "Dirk", "B"),
    (5, "Els", "none"),
    (6, "", "A"),
    (7, "Fia", "Z"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    (tmp_path / "mappings/old.unit.yml").write_text(UNIT)
    (tmp_path / "mappings/old.actor.yml").write_text(ACTOR)
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.execute("CREATE TABLE UNIT (CODE CHAR(4) PRIMARY KEY, NAME TEXT)")
        old.execute("CREATE TABLE ACTOR (NR INTEGER PRIMARY KEY, NAME TEXT, UNIT TEXT)")
        old.executemany("INSERT INTO UNIT VALUES (?, ?)", [(f"{code:4}", name) for code, name in UNITS])
        old.executemany("INSERT INTO ACTOR VALUES (?, ?, ?)", ACTORS)
    upgrade(tmp_path)
    assert in_process("-C", tmp_path, "run").status == 3
    return tmp_path


def reconcile(folder: Path, *arguments: str) -> tuple[int, dict]:
    answer = in_process("-C", folder, "--format", "json", "reconcile", *arguments)
    return answer.status, answer.document


def found(document: dict) -> list[tuple]:
    """Return the findings; groups that are personal are tokens, which say no more here than that they are there."""
    return [
        (
            each["check"],
            each["mapping"],
            each["difference"],
            each["cause"],
            ["…" if part.startswith("‹") else part for part in each["key"]],
            each["expected"],
            each["found"],
        )
        for each in document["findings"]
    ]


def damage(folder: Path, sql: str) -> None:
    with sqlite3.connect(folder / "target.db") as target:
        target.execute(sql)


def test_an_undamaged_target_says_what_was_compared(folder: Path) -> None:
    status, document = reconcile(folder, "--level", "controls,children")
    # Row 6 is rejected (no name): a control that counts it says so.
    assert found(document) == [("controls.totals", "old.unit", "actors: per unit", "total differs", ["…"], "3", "2")]
    assert status == 3
    checks = {(each["mapping"], each["about"]): each for each in document["checks"]}
    assert checks["old.unit", "units"]["outcome"] == "passed"
    children = checks["old.unit", "old.actor"]
    assert (children["outcome"], children["compared_source"], children["compared_target"]) == ("passed", 4, 4)
    assert children["explained"] == {"out_of_scope": 1, "rejected": 1, "without a parent": 1}
    assert document["levels"] == ["controls", "children"]
    assert document["lacking"] == {"accounting": "not_run", "keys": "not_run", "fields": "not_run"}


LOST = "DELETE FROM actor WHERE name = 'Cor'"
MOVED = "UPDATE actor SET unit_id = (SELECT id FROM actor WHERE employee_code = 'C') WHERE name = 'Cor'"
SWAPPED = (
    "UPDATE actor SET unit_id = (SELECT id FROM actor u WHERE u.id <> actor.unit_id AND u.employee_code IN ('A', 'B'))"
    " WHERE name IN ('Anna', 'Cor')"
)


@pytest.mark.parametrize(
    ("sql", "children", "totals"),
    [
        (LOST, [("child missing", ["B"], "2", "1")], [("3", "2"), ("2", "1")]),
        (MOVED, [("child missing", ["B"], "2", "1"), ("child too many", ["C"], "0", "1")], [("3", "2"), ("2", "1"), (None, "1")]),
        (SWAPPED, [("other children", ["A"], "2", "2"), ("other children", ["B"], "2", "2")], [("3", "2")]),
    ],
    ids=["lost", "moved", "swapped"],
)  # fmt: skip
def test_planted_damage_is_found_and_named(folder: Path, sql: str, children: list, totals: list) -> None:
    damage(folder, sql)
    status, document = reconcile(folder, "old.unit", "--level", "controls,children")
    assert status == 3
    rows = found(document)
    assert sorted(row[3:4] + row[4:] for row in rows if row[0] == "children.records") == sorted(
        (cause, key, expected, got) for cause, key, expected, got in children
    )
    assert {row[5:] for row in rows if row[0] == "controls.totals"} == set(totals)


def test_a_record_that_is_missing_or_too_many_changes_a_total(folder: Path) -> None:
    damage(folder, "INSERT INTO actor (id, employee_code, name, actor_type, is_active) VALUES ('00000000-0000-4000-8000-000000000001', 'X', 'X', 'organisatorische_eenheid', 1)")  # fmt: skip
    _, document = reconcile(folder, "old.unit", "--level", "controls")
    assert ("controls.totals", "old.unit", "units", "total differs", ["all"], "3", "4") in found(document)


def test_a_group_that_comes_twice_has_no_total_to_compare(folder: Path) -> None:
    mapping = folder / "mappings/old.unit.yml"
    mapping.write_text(mapping.read_text().replace("'all' AS g, COUNT(*) AS n FROM UNIT", "'all' AS g, 3 AS n FROM UNIT"))
    status, document = reconcile(folder, "old.unit", "--level", "controls")
    assert status == 3
    assert [each["cause"] for each in document["findings"] if each["difference"] == "units"] == ["group twice"]


def test_what_people_make_and_what_moved_on_is_counted_apart(folder: Path) -> None:
    damage(folder, "INSERT INTO actor (id, actor_type, name, is_active, unit_id) SELECT '00000000-0000-4000-8000-000000000002', 'medewerker', 'New', 1, id FROM actor WHERE employee_code = 'A'")  # fmt: skip
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("UPDATE ACTOR SET UNIT = 'B' WHERE NR = 1")
    status, document = reconcile(folder, "old.unit", "--level", "children")
    (check,) = document["checks"]
    assert (status, check["outcome"], check["moved_on"]) == (0, "passed", 1)
    assert check["explained"]["made in target"] == 1


def test_groups_of_personal_columns_are_tokens(folder: Path) -> None:
    damage(folder, "UPDATE actor SET name = 'Geheim' WHERE name = 'Anna'")
    answer = in_process("-C", folder, "--format", "json", "reconcile", "old.actor", "--level", "controls")
    assert answer.status == 3
    assert {each["cause"] for each in answer.document["findings"]} == {"group missing", "group too many"}
    assert "Anna" not in answer.out and "Geheim" not in answer.out


def test_the_report_says_it_in_dutch_and_english(folder: Path) -> None:
    damage(folder, LOST)
    dutch = in_process("-C", folder, "reconcile", "--report", "html,json")
    assert dutch.status == 3
    assert "Telling ‘actors: per unit’: een ander aantal of bedrag" in dutch.out
    assert "old.actor: er ontbreken onderdelen" in dutch.out
    assert "✘ Elk record heeft de onderdelen die de bron geeft" in dutch.out
    english = in_process("-C", folder, "reconcile", "--lang", "en")
    assert "Control ‘actors: per unit’: another number or amount" in english.out
    assert "old.actor: children are missing" in english.out
    page = next((folder / "reports").glob("*.html")).read_text()
    assert "Telling ‘actors: per unit’" in page and "old.actor: children are missing" in page


def test_controls_over_files_are_asked_in_the_same_sql(tmp_path: Path, omnicase: CommandLine) -> None:
    from tiny_workspace import edit, make_workspace

    folder = make_workspace(tmp_path)
    mapping = folder / "mappings/seed.channel.yml"
    mapping.write_text(
        mapping.read_text()
        + "controls:\n"
        + '  - {name: channels, source: "SELECT active AS g, COUNT(*) AS n FROM channel GROUP BY 1",'
        + " target: \"SELECT CASE is_active WHEN 1 THEN 'J' ELSE 'N' END AS g, COUNT(*) AS n FROM channel GROUP BY 1\"}\n"
    )
    upgrade(folder)
    assert omnicase("-C", folder, "run").status == 0
    assert omnicase("-C", folder, "reconcile", "--level", "controls").status == 0
    edit(folder / "codes/seed/channel.csv", "balie,Balie,J", "balie,Balie,N")
    answer = omnicase("-C", folder, "--format", "json", "reconcile", "seed.channel", "--level", "controls")
    assert answer.status == 3
    causes = {(*each["key"], each["cause"]) for each in answer.document["findings"]}
    assert {cause for _, cause in causes} == {"total differs", "group missing"}
