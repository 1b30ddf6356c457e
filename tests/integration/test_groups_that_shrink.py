"""Rows that belong together are all mapped again when one of them is new, changed or gone (LANGUAGE.md)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from command_line import in_process
from targets import open_read_only, upgrade

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

WORKSPACE = """
workspace: groups
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: %d}
systems: {old: {kind: sqlite, path: old.db}}
"""
MAPPING = """
mapping: old.actor
owner: test
target: actor
source: {relation: STEP, key: [ID], %s}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME%s}
  job_title: {%s}
  is_active: {const: true}
unfilled: [{columns: [employee_code, email, phone, unit_id], reason: not in the old system}]
"""
TOGETHER = MAPPING % (
    "together: [NR]",
    "",
    'expr: "TRY_CAST(ROW_NUMBER() OVER (PARTITION BY NR ORDER BY TRY_CAST(ID AS INTEGER)) AS TEXT)"',
)
ONE_PER = MAPPING % ("one_per: {by: [NR], order: [ID], differ: ignore}", ", take: max", "from: ID, take: count")


def make(folder: Path, mapping: str, batch_rows: int) -> Path:
    (folder / "mappings").mkdir(parents=True)
    (folder / "workspace.yml").write_text(WORKSPACE % batch_rows)
    (folder / "mappings/old.actor.yml").write_text(mapping)
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("CREATE TABLE STEP (ID INTEGER PRIMARY KEY, NR INTEGER, NAME TEXT)")
        rows = [(1, 7, "a"), (2, 7, "b"), (3, 7, "c"), (4, 8, "d"), (5, None, "alone"), (6, None, "too")]
        old.executemany("INSERT INTO STEP VALUES (?, ?, ?)", rows)
    upgrade(folder)
    return folder


def run(folder: Path) -> dict[str, int]:
    answer = in_process("-C", folder, "--format", "json", "run")
    assert answer.status in (0, 3), answer.err
    return answer.document["mappings"][0]


def rows(folder: Path) -> list[tuple[str, str]]:
    sql = "SELECT name, job_title FROM actor ORDER BY 1"
    return open_read_only(folder / "target.db").execute(sql).fetchall()


@pytest.mark.parametrize("batch_rows", [2, 1000])
def test_a_window_is_reckoned_again_when_a_row_of_its_group_is_gone(tmp_path: Path, batch_rows: int) -> None:
    folder = make(tmp_path, TOGETHER, batch_rows)
    run(folder)
    assert rows(folder) == [("a", "1"), ("alone", "1"), ("b", "2"), ("c", "3"), ("d", "1"), ("too", "1")]
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("DELETE FROM STEP WHERE ID = 1")
    books = run(folder)
    assert (books["updated"], books["unchanged"], books["gone"]["kept"]) == (2, 3, 1)
    assert rows(folder) == [("a", "1"), ("alone", "1"), ("b", "1"), ("c", "2"), ("d", "1"), ("too", "1")]
    assert in_process("-C", folder, "--format", "json", "reconcile").document["verdict"] == "in_balance"
    assert run(folder)["unchanged"] == 5


@pytest.mark.parametrize("batch_rows", [2, 1000])
def test_a_record_of_many_rows_is_made_again_when_one_is_gone(tmp_path: Path, batch_rows: int) -> None:
    folder = make(tmp_path, ONE_PER, batch_rows)
    run(folder)
    assert rows(folder) == [("c", "3"), ("d", "1")]
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("DELETE FROM STEP WHERE ID = 3")
    assert run(folder)["updated"] == 1
    assert rows(folder) == [("b", "2"), ("d", "1")]
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("DELETE FROM STEP WHERE ID = 1")
    assert run(folder)["updated"] == 1
    assert rows(folder) == [("b", "1"), ("d", "1")]
    assert in_process("-C", folder, "--format", "json", "reconcile").document["verdict"] == "in_balance"
