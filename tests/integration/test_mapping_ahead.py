"""The next batch is mapped before the one before it is committed: what the target then refuses is not linked to."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from command_line import CommandLine
from targets import upgrade

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

WORKSPACE = """
workspace: ahead
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems: {old: {kind: sqlite, path: old.db}}
run: {batch_rows: %d}
"""
MAPPING = """
mapping: old.actor
owner: test
target: actor
source: {relation: TEAM, key: [NR]}
fields:
  actor_type: {const: organisatorische_eenheid}
  name: {from: NAME}
  unit_id: {from: PARENT, link: old.actor, missing: park}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [email, phone, employee_code, job_title], reason: not in the old system}]
"""
TEAMS = [("1", None, "top"), ("2", "1", "taken"), ("3", "2", "below"), ("4", "1", "beside"), ("5", "3", "lowest")]


def make(folder: Path, omnicase: CommandLine, batch_rows: int) -> Path:
    (folder / "mappings").mkdir(parents=True)
    (folder / "workspace.yml").write_text(WORKSPACE % batch_rows)
    (folder / "mappings/old.actor.yml").write_text(MAPPING)
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("CREATE TABLE TEAM (NR TEXT PRIMARY KEY, PARENT TEXT, NAME TEXT)")
        old.executemany("INSERT INTO TEAM VALUES (?, ?, ?)", TEAMS)
    upgrade(folder)
    return folder


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_a_link_to_a_record_that_the_target_refused(tmp_path: Path, omnicase: CommandLine, batch_rows: int) -> None:
    undisturbed = make(tmp_path / "undisturbed", omnicase, 1)
    assert omnicase("-C", undisturbed, "run").status == 0
    with sqlite3.connect(undisturbed / "target.db") as target:
        target.row_factory = sqlite3.Row
        taken = dict(target.execute("SELECT * FROM actor WHERE name = 'taken'").fetchone())
    workspace = make(tmp_path / "w", omnicase, batch_rows)
    with sqlite3.connect(workspace / "target.db") as target:
        values = taken | {"name": "somebody else's", "unit_id": None}
        marks = ", ".join("?" * len(values))
        target.execute(f"INSERT INTO actor ({', '.join(values)}) VALUES ({marks})", [*values.values()])
    books = omnicase("-C", workspace, "--format", "json", "run").document["mappings"][0]
    assert (books["read"], books["inserted"], books["conflict"]) == (5, 4, 1)
    with sqlite3.connect(workspace / "target.db") as target:
        units = target.execute("SELECT a.name, t.name FROM actor a LEFT JOIN actor t ON t.id = a.unit_id ORDER BY 1")
        assert units.fetchall() == [
            ("below", None),
            ("beside", "top"),
            ("lowest", "below"),
            ("somebody else's", None),
            ("top", None),
        ]
        states = dict(target.execute("SELECT source_key, state FROM migration_id_map"))
    assert states == {"1": "loaded", "2": "conflict", "3": "loaded", "4": "loaded", "5": "loaded"}
