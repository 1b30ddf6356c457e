"""The top of a chain of parents from the command line: run, plan, explain, reconcile and mapping check agree."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import polars as pl
import pytest
from command_line import CommandLine
from hypothesis import given, settings
from hypothesis import strategies as st
from targets import open_read_only, upgrade

from migrate.pipeline import climbs
from migrate.pipeline.climbs import tops

WORKSPACE = """
workspace: climbs
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems: {old: {kind: sqlite, path: old.db}}
run: {batch_rows: 2}
"""
MAPPING = """
mapping: old.actor
owner: test
target: actor
source:
  relation: TEAM
  key: [NR]
  with: {main: {climb: PARENT, max: 2}}
fields:
  actor_type: {const: organisatorische_eenheid}
  name: {from: NAME}
  job_title: {from: main.NAME}
  unit_id: {expr: "CASE WHEN main.climbed > 0 THEN main.NR END", link: old.actor, missing: park, warn_if: "main.climbed > 1"}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [email, phone, employee_code], reason: not in the old system}]
"""


@pytest.fixture
def workspace(tmp_path: Path, omnicase: CommandLine) -> Path:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    (tmp_path / "mappings/old.actor.yml").write_text(MAPPING)
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.executescript("""
            CREATE TABLE TEAM (NR CHAR(3) PRIMARY KEY, PARENT CHAR(3), NAME TEXT);
            INSERT INTO TEAM VALUES ('3', '2  ', 'lowest'), ('2', '1', 'middle'), ('1', '', 'top'),
                                    ('4', '3', 'too low'), ('5', '6', 'round'), ('6', '5', 'about'), ('7', '99', 'alone');
        """)
    upgrade(tmp_path)
    return tmp_path


@pytest.mark.parametrize("in_memory", [100_000, 0], ids=["in memory", "in files"])
def test_every_verb_agrees(
    workspace: Path, omnicase: CommandLine, in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(climbs, "ROWS_IN_MEMORY", in_memory)
    assert omnicase("-C", workspace, "mapping", "check").status == 0
    planned = omnicase("-C", workspace, "--format", "json", "plan")
    ran = omnicase("-C", workspace, "--format", "json", "run")
    assert ran.status == 3, ran.err
    books = ran.document["mappings"][0]
    assert planned.document["mappings"][0] == books
    assert (books["read"], books["inserted"], books["rejected"]) == (7, 4, 3)
    rows = (
        open_read_only(workspace / "target.db")
        .execute("SELECT a.name, a.job_title, t.name FROM actor a LEFT JOIN actor t ON t.id = a.unit_id ORDER BY 1")
        .fetchall()
    )
    assert rows == [("alone", "alone", None), ("lowest", "top", "top"), ("middle", "top", "top"), ("top", "top", None)]
    rejects = omnicase("-C", workspace, "--format", "json", "rejects", "list").document["rejects"]
    assert [(issue["field"], issue["code"]) for reject in rejects for issue in reject["issues"]] == [
        ("main", "climb-cycle")
    ] * 3
    explained = omnicase("-C", workspace, "--format", "json", "explain", "old.actor", "3").document
    assert explained["state"] == "loaded"
    assert explained["issues"] == [{"severity": "warning", "field": "unit_id", "code": "warn-if"}]
    verdict = omnicase("-C", workspace, "--format", "json", "reconcile")
    assert verdict.status == 0, verdict.err
    assert verdict.document["verdict"] == "in_balance"


def test_a_row_changes_when_the_top_of_its_chain_does(workspace: Path, omnicase: CommandLine) -> None:
    assert omnicase("-C", workspace, "run").status == 3
    with sqlite3.connect(workspace / "old.db") as old:
        old.execute("UPDATE TEAM SET NAME = 'new top' WHERE NR = '1'")
    books = omnicase("-C", workspace, "--format", "json", "run").document["mappings"][0]
    assert (books["updated"], books["unchanged"]) == (3, 1)
    with sqlite3.connect(workspace / "old.db") as old:
        old.execute("UPDATE TEAM SET PARENT = '' WHERE NR = '2'")
    books = omnicase("-C", workspace, "--format", "json", "run").document["mappings"][0]
    assert (books["inserted"], books["updated"], books["rejected"]) == (1, 2, 2)


@settings(deadline=None)
@given(
    above=st.lists(st.none() | st.sampled_from(["", "x", *map(str, range(12))]), max_size=12),
    most=st.integers(1, 9),
)
def test_tops_are_those_found_step_by_step(above: list[str | None], most: int) -> None:
    keys = [str(number) for number in range(len(above))]
    found = tops(pl.Series(keys, dtype=pl.String), pl.Series(above, dtype=pl.String), most).rows()
    for key, top, climbed, cycle in found:
        at, steps = key, 0
        while (up := above[int(at)]) in keys and up != at and steps <= most:
            at, steps = str(up), steps + 1
        assert (top, climbed, cycle) == ((None, None, 1) if steps > most else (at, steps, 0))
    assert len(found) == len(keys)
