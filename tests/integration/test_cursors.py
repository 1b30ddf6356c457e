"""Reading by a cursor: what changed is read and nothing is lost, at any boundary, after any kill."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from command_line import CommandLine, in_process
from made_once import copy_made
from targets import assert_same_target, copy_workspace, model_rows, open_read_only, upgrade

WORKSPACE = """
workspace: cursors
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: 3}
systems: {old: {kind: sqlite, path: old.db}}
"""
ACTOR = """
mapping: old.actor
owner: test
target: actor
source: {relation: ACTOR, key: [NR]}
incremental: %s
fields:
  actor_type: {const: medewerker}
  name: {from: NAME, null_if: [""]}
  unit_id: {from: UNIT, link: old.unit, missing: park}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, email, phone, job_title], reason: not in the old system}]
ignore: [{columns: [CHANGED], reason: technical}]
"""
UNIT = """
mapping: old.unit
owner: test
target: actor
source: {relation: UNIT, key: [CODE]}
fields:
  actor_type: {const: organisatorische_eenheid}
  name: {from: CODE}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, email, phone, job_title, unit_id], reason: not in the old system}]
"""
BY_MOMENT = "{cursor: {from: CHANGED, datetime: [YYYY-MM-DD HH:mm:ss], timezone: Europe/Amsterdam}, lag: %s}"
ROWS = [
    (1, "A1", "2020-01-01 00:00:00", None),
    (2, "A2", "2020-02-01 00:00:00", None),
    (3, "A3", "2020-02-02 23:00:00", None),
    (4, "A4", "2020-02-03 12:00:00", None),
    (5, "A5", "2020-02-03 12:00:00", None),
    (6, "A6", None, None),
    (7, "A7", "not a moment", None),
    (8, "A8", "2999-01-01 00:00:00", None),
    (9, "", "2020-01-05 00:00:00", None),
    (10, "A10", "2020-01-06 00:00:00", "X"),
]


def make(folder: Path, incremental: str = BY_MOMENT % "2 days") -> Path:
    return copy_made(_make, folder, incremental)


def _make(folder: Path, incremental: str) -> None:
    (folder / "mappings").mkdir(parents=True)
    (folder / "workspace.yml").write_text(WORKSPACE)
    (folder / "mappings/old.actor.yml").write_text(ACTOR % incremental)
    (folder / "mappings/old.unit.yml").write_text(UNIT)
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("CREATE TABLE UNIT (CODE TEXT PRIMARY KEY)")
        old.execute("CREATE TABLE ACTOR (NR INTEGER PRIMARY KEY, NAME TEXT, CHANGED TEXT, UNIT TEXT)")
        old.executemany("INSERT INTO ACTOR VALUES (?, ?, ?, ?)", ROWS)
        old.execute("INSERT INTO UNIT VALUES ('U')")
    upgrade(folder)
    assert run(folder)["read"] == 10


def change(folder: Path, *statements: str) -> None:
    with sqlite3.connect(folder / "old.db") as old:
        for sql in statements:
            old.execute(sql)


def run(folder: Path, *options: str) -> dict[str, int]:
    answer = in_process("-C", folder, "--format", "json", "run", *options)
    assert answer.status in (0, 3), answer.err
    assert answer.document["balanced"]
    return {each["mapping"]: each for each in answer.document["mappings"]}["old.actor"]


def names(folder: Path) -> list[str]:
    rows = open_read_only(folder / "target.db").execute("SELECT name FROM actor WHERE actor_type = 'medewerker'")
    return sorted(row[0] for row in rows)


def fully_loaded(folder: Path, other: Path) -> Path:
    """Load the same source from nothing into another workspace."""
    copy_workspace(folder, other)
    (other / "target.db").unlink()
    upgrade(other)
    run(other)
    return other


def test_only_what_may_have_changed_is_read(tmp_path: Path) -> None:
    folder = make(tmp_path)
    # From two days before the last moment that is not in the future (3 February 12:00): rows 3, 4 and 5; the empty,
    # unreadable and future moments of rows 6, 7 and 8; row 9 (rejected) did not change; row 10 waits, and nothing moved.
    books = run(folder)
    assert (books["read"], books["unchanged"], books["updated"], books["inserted"]) == (6, 6, 0, 0)


def test_r24_r25_rows_at_the_boundary_are_read_and_one_before_it_is_not(tmp_path: Path) -> None:
    folder = make(tmp_path, BY_MOMENT % "0 days")
    assert run(folder)["read"] == 5
    change(
        folder,
        "UPDATE ACTOR SET NAME = 'B4', CHANGED = '2020-02-03 12:00:00' WHERE NR = 4",
        "UPDATE ACTOR SET NAME = 'B3', CHANGED = '2020-02-03 11:59:59' WHERE NR = 3",
        "UPDATE ACTOR SET NAME = 'B6' WHERE NR = 6",
        "UPDATE ACTOR SET NAME = 'B7' WHERE NR = 7",
        "UPDATE ACTOR SET NAME = 'B8' WHERE NR = 8",
    )
    assert run(folder)["updated"] == 4
    assert "B3" not in names(folder)
    # What changed without a later moment is found by a full comparison; `reconcile` says until then that it moved on.
    moved = in_process("-C", folder, "--format", "json", "reconcile", "old.actor", "--level", "fields").document
    assert moved["checks"][0]["moved_on"] == 1
    assert run(folder, "--full")["updated"] == 1
    assert "B3" in names(folder)


def test_late_arrivals_within_the_lag_and_new_keys_with_old_moments_are_read(tmp_path: Path) -> None:
    folder = make(tmp_path)
    change(
        folder,
        "UPDATE ACTOR SET NAME = 'late', CHANGED = '2020-02-01 12:00:00' WHERE NR = 2",
        "INSERT INTO ACTOR VALUES (11, 'new', '2001-01-01 00:00:00', NULL)",
    )
    books = run(folder)
    assert (books["inserted"], books["updated"], books["read"]) == (1, 1, 8)


def test_a_moment_in_the_future_does_not_move_the_high_water(tmp_path: Path) -> None:
    folder = make(tmp_path)
    for number in (1, 2, 3):
        change(folder, f"UPDATE ACTOR SET NAME = 'C{number}', CHANGED = '2020-03-0{number} 00:00:00' WHERE NR = 4")
        assert run(folder)["updated"] == 1
    high = "SELECT cursor_low, cursor_high FROM migration_progress WHERE cursor_by IS NOT NULL ORDER BY run_id DESC"
    low, found = open_read_only(folder / "target.db").execute(high).fetchone()
    assert (int(found) - int(low)) / 86_400_000_000 == 1 + 2


def test_rows_that_wait_or_come_back_are_read_whatever_their_moment(tmp_path: Path) -> None:
    folder = make(tmp_path)
    change(folder, "INSERT INTO UNIT VALUES ('X')", "DELETE FROM ACTOR WHERE NR = 1")
    books = run(folder)
    assert "A10" in names(folder) and books["gone"]["kept"] == 1
    change(folder, "INSERT INTO ACTOR VALUES (1, 'again', '2001-01-01 00:00:00', NULL)")
    assert run(folder)["updated"] == 1


def test_a_changed_meaning_or_cursor_reads_everything(tmp_path: Path) -> None:
    folder = make(tmp_path)
    mapping = folder / "mappings/old.actor.yml"
    mapping.write_text(mapping.read_text().replace("lag: 2 days", "lag: 3 days"))
    assert run(folder)["read"] < 10
    mapping.write_text(mapping.read_text().replace("timezone: Europe/Amsterdam", "timezone: UTC"))
    assert run(folder)["read"] == 10
    mapping.write_text(mapping.read_text().replace("name: {from: NAME", "name: {from: NAME, do: [lower]"))
    assert run(folder)["read"] == 10 and "a1" in names(folder)


@pytest.mark.parametrize(
    ("cursor", "values"),
    [
        ("{cursor: {from: CHANGED, date: [YYYYMMDD]}, lag: 1 day}", ["20200101", "20200102", "20200104", "20200103"]),
        ("{cursor: {from: CHANGED, number: {}}}", ["9", "10", "10.5", "2"]),
        ("{cursor: {from: CHANGED}}", ["2020-01", "2020-02", "2020-04", "2020-03"]),
    ],
    ids=["date", "number", "text"],
)
def test_dates_numbers_and_texts_are_compared_as_what_they_are(tmp_path: Path, cursor: str, values: list[str]) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    (tmp_path / "mappings/old.actor.yml").write_text((ACTOR % cursor).replace("  unit_id: {from: UNIT, link: old.unit, missing: park}\n", "").replace("job_title]", "job_title, unit_id]").replace("[CHANGED]", "[CHANGED, UNIT]"))  # fmt: skip
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.execute("CREATE TABLE ACTOR (NR INTEGER PRIMARY KEY, NAME TEXT, CHANGED TEXT, UNIT TEXT)")
        old.executemany("INSERT INTO ACTOR VALUES (?, ?, ?, NULL)", [(n, f"A{n}", v) for n, v in enumerate(values)])
    upgrade(tmp_path)
    assert run(tmp_path)["read"] == 4
    # The highest is the third; a lag of a day brings the last along.
    assert run(tmp_path)["read"] == (2 if "date" in cursor else 1)


@pytest.mark.sample(1)
@pytest.mark.parametrize("failpoint", ["after-read:1", "before-commit:1", "after-commit:1", "after-commit:2", "after-commit:3", "before-finish:1"])  # fmt: skip
def test_killed_while_reading_by_the_cursor_and_resumed(failpoint: str, tmp_path: Path, omnicase: CommandLine) -> None:
    folder = make(tmp_path / "one")
    change(
        folder,
        "UPDATE ACTOR SET NAME = NAME || 'x' WHERE NR IN (3, 4, 6)",
        "INSERT INTO ACTOR VALUES (11, 'new', '2001-01-01 00:00:00', 'X'), (12, 'newer', '2001-01-01 00:00:00', NULL)",
        "INSERT INTO UNIT VALUES ('X')",
        "DELETE FROM ACTOR WHERE NR = 1",
    )
    calm = copy_workspace(folder, tmp_path / "calm")
    assert omnicase.spawn("-C", folder, "run", env={"OMNICASE_FAILPOINT": failpoint}).status == -9
    assert run(folder) == run(calm)
    assert_same_target(folder / "target.db", calm / "target.db")


def test_by_the_cursor_or_from_nothing_it_is_the_same_target(tmp_path: Path) -> None:
    folder = make(tmp_path / "one")
    change(
        folder,
        "UPDATE ACTOR SET NAME = NAME || 'x', CHANGED = '2021-01-01 00:00:00' WHERE NR IN (1, 3, 9)",
        "INSERT INTO ACTOR VALUES (11, 'new', '2001-01-01 00:00:00', 'U')",
    )
    run(folder)
    assert model_rows(folder / "target.db") == model_rows(fully_loaded(folder, tmp_path / "two") / "target.db")
    assert in_process("-C", folder, "--format", "json", "reconcile").document["verdict"] == "in_balance"


def test_rows_that_cannot_be_read_keep_their_place_in_the_books(tmp_path: Path) -> None:
    folder = make(tmp_path)
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("INSERT INTO ACTOR VALUES (11, ?, '2020-02-03 12:00:00', NULL)", (b"\x00\xff",))
    assert run(folder)["rejected"] == 3
    assert run(folder)["read"] == 11
    listed = in_process("-C", folder, "--format", "json", "rejects", "list").document["rejects"]
    assert "blob-in-text" in {issue["code"] for each in listed for issue in each["issues"]}


def test_plan_predicts_what_a_run_by_the_cursor_does(tmp_path: Path) -> None:
    folder = make(tmp_path)
    change(folder, "UPDATE ACTOR SET NAME = 'late' WHERE NR IN (2, 5)")
    for options, read in (([], 6), (["--full"], 10)):
        planned = in_process("-C", folder, "--format", "json", "plan", *options).document["mappings"]
        assert {each["mapping"]: each for each in planned}["old.actor"]["read"] == read
    assert run(folder)["updated"] == 1


def test_a_cursor_beside_a_look_beside_is_warned_of_and_reads_everything(tmp_path: Path) -> None:
    folder = make(tmp_path)
    mapping = folder / "mappings/old.actor.yml"
    mapping.write_text(
        mapping.read_text()
        .replace("key: [NR]", "key: [NR], with: {unit: {relation: UNIT, by: {CODE: UNIT}}}")
        .replace("name: {from: NAME", 'name: {expr: "COALESCE(unit.CODE, NAME)"')
    )
    answer = in_process("-C", folder, "--format", "json", "mapping", "check")
    assert any("the cursor saves nothing beside 'with'" in each["message"] for each in answer.document["warnings"])
    run(folder)
    change(folder, "UPDATE ACTOR SET NAME = 'seen' WHERE NR = 1")
    assert run(folder)["read"] == 10 and "seen" in names(folder)
