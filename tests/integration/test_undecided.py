"""A condition that a NULL leaves undecided lets the row pass, and is counted (LANGUAGE.md)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from command_line import in_process
from targets import upgrade

MAPPING = """
mapping: old.actor
owner: test
target: actor
source: {relation: ACTOR, key: [NR]}
scope: {where: "STATE <> 'X'", reason: struck off}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME}
  is_active: {const: true}
unfilled: [{columns: [employee_code, email, phone, job_title, unit_id], reason: not in the old system}]
rules:
  - {name: short, check: "TRY_CAST(SIZE AS INTEGER) < 10", otherwise: reject}
"""


def test_rows_that_pass_undecided_are_counted(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "workspace.yml").write_text(
        "workspace: undecided\nnamespace: {public: test}\ntarget: {url: 'sqlite:///target.db'}\n"
        "run: {batch_rows: 2}\nsystems: {old: {kind: sqlite, path: old.db}}\n"
    )
    (tmp_path / "mappings/old.actor.yml").write_text(MAPPING)
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.execute("CREATE TABLE ACTOR (NR INTEGER PRIMARY KEY, NAME TEXT, STATE TEXT, SIZE TEXT)")
        rows = [(1, "a", "A", "1"), (2, "b", None, "2"), (3, "c", None, None), (4, "d", "A", "12"), (5, "e", "X", "1")]
        old.executemany("INSERT INTO ACTOR VALUES (?, ?, ?, ?)", rows)
    upgrade(tmp_path)
    books = in_process("-C", tmp_path, "--format", "json", "run").document["mappings"][0]
    assert (books["inserted"], books["rejected"], books["out_of_scope"]) == (3, 1, 1)
    status = in_process("-C", tmp_path, "--format", "json", "status").document
    assert status["undecided"] == [
        {"mapping": "old.actor", "condition": "scope", "rows": 2},
        {"mapping": "old.actor", "condition": "short", "rows": 1},
    ]
    assert "neither true nor false" in in_process("-C", tmp_path, "status").out
