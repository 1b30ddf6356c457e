"""Looks beside (`with`) from the command line: only, first, last, count, `where`, and rows that nobody answers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from command_line import CommandLine
from targets import open_read_only, upgrade

from migrate.pipeline import sides

WORKSPACE = """
workspace: beside
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
  relation: PERSON
  key: [ID]
  with:
    unit: {relation: CODE, by: {CODE: UNIT}, where: "KIND = 'UNIT'"}
    last: {relation: JOB, by: {PERSON: ID}, take: last, order: [SINCE]}
    jobs: {relation: JOB, by: {PERSON: ID}, take: count, where: "SINCE >= '2010'"}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME}
  employee_code: {expr: "CONCAT(TRY_CAST(jobs.count AS TEXT), '/', COALESCE(last.TITLE, '-'))"}
  job_title: {from: unit.LABEL}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [email, phone, unit_id], reason: not in the old system}]
"""


@pytest.mark.parametrize("read_rows", [50_000, 2], ids=["a side in one file", "a side in many files"])
def test_looks_beside(tmp_path: Path, omnicase: CommandLine, read_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "READ_ROWS", read_rows)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    (tmp_path / "mappings/old.actor.yml").write_text(MAPPING)
    old = sqlite3.connect(tmp_path / "old.db")
    old.executescript("""
        CREATE TABLE PERSON (ID INTEGER PRIMARY KEY, NAME TEXT, UNIT CHAR(4));
        CREATE TABLE CODE (KIND TEXT, CODE CHAR(4), LABEL TEXT);
        CREATE TABLE JOB (PERSON INTEGER, SINCE TEXT, TITLE TEXT);
        INSERT INTO PERSON VALUES (1, 'Een', 'A   '), (2, 'Twee', 'B'), (3, 'Drie', NULL), (4, 'Vier', 'X'), (5, 'Vijf', 'D');
        INSERT INTO CODE VALUES ('UNIT', 'A', 'Burgerzaken'), ('ROOM', 'A', 'Kamer'), ('UNIT', 'B   ', 'Balie'), (NULL, 'X', 'niets'),
                                ('UNIT', 'D', 'dubbel'), ('UNIT', 'D', 'dubbel');
        INSERT INTO JOB VALUES (1, '2008', 'klerk'), (1, '2012', 'hoofd'), (2, '2009', 'balie'), (9, '2011', 'niemand');
    """)
    old.commit()
    old.close()
    upgrade(tmp_path)
    answer = omnicase("-C", tmp_path, "--format", "json", "run")
    assert answer.status == 3, answer.err + answer.out
    books = answer.document["mappings"][0]
    assert (books["read"], books["inserted"], books["rejected"]) == (5, 4, 1)
    target = open_read_only(tmp_path / "target.db")
    rows = target.execute("SELECT name, employee_code, job_title FROM actor ORDER BY name").fetchall()
    assert rows == [
        ("Drie", "0/-", None),
        ("Een", "1/hoofd", "Burgerzaken"),
        ("Twee", "0/balie", "Balie"),
        ("Vier", "0/-", None),
    ]
    rejects = omnicase("-C", tmp_path, "--format", "json", "rejects", "list").document["rejects"]
    assert [issue["code"] for issue in rejects[0]["issues"]] == ["side-ambiguous"]


def test_numbers_are_ordered_as_numbers_and_ties_do_not_depend_on_the_order_of_reading(
    tmp_path: Path, omnicase: CommandLine
) -> None:
    """As text 10 comes before 9; a column that rows are looked up by may be one to order by, too."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    beside = "    last: {relation: JOB, by: {PERSON: ID}, take: last, order: [NR, PERSON]}\n"
    text = MAPPING[: MAPPING.index("    unit:")] + beside + MAPPING[MAPPING.index("fields:") :]
    text = text.replace("CONCAT(TRY_CAST(jobs.count AS TEXT), '/', COALESCE(last.TITLE, '-'))", "last.TITLE")
    (tmp_path / "mappings/old.actor.yml").write_text(text.replace("unit.LABEL", "last.NR"))
    lead = text.replace("old.actor", "old.lead").replace("relation: PERSON", "relation: JOB").replace("[ID]", "[TITLE]")
    lead = lead.replace("  with:\n" + beside, "  one_per: {by: [PERSON], order: [NR DESC], differ: ignore}\n")
    lead = lead.replace("from: NAME", "from: TITLE").replace("expr: \"last.TITLE\"", "from: NR").replace("unit.LABEL", "PERSON")
    (tmp_path / "mappings/old.lead.yml").write_text(lead)
    old = sqlite3.connect(tmp_path / "old.db")
    old.executescript("""
        CREATE TABLE PERSON (ID INTEGER PRIMARY KEY, NAME TEXT);
        CREATE TABLE JOB (PERSON INTEGER, NR INTEGER, TITLE TEXT);
        INSERT INTO PERSON VALUES (1, 'Een'), (2, 'Twee'), (3, 'Drie');
        INSERT INTO JOB VALUES (1, 9, 'negen'), (1, 10, 'tien'), (2, 10, 'tien-2'), (2, 9, 'negen-2'), (3, 1, 'b'), (3, 1, 'a');
    """)
    old.commit()
    old.close()
    upgrade(tmp_path)
    answer = omnicase("-C", tmp_path, "--format", "json", "run")
    assert answer.status == 0, answer.err + answer.out
    target = open_read_only(tmp_path / "target.db")
    found = dict(target.execute("SELECT name, employee_code FROM actor").fetchall())
    assert {name: found[name] for name in ("Een", "Twee", "Drie")} == {"Een": "tien", "Twee": "tien-2", "Drie": "b"}
    assert {name for name in found if name not in ("Een", "Twee", "Drie")} == {"tien", "tien-2", "a"}
