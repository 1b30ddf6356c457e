"""Queries of the workspace (`source: {query: name}`) from the command line: of databases, of files, and their refusals."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from command_line import Answer, CommandLine
from targets import open_read_only, upgrade

WORKSPACE = """
workspace: queries
namespace: {{public: test}}
target: {{url: "sqlite:///target.db"}}
systems: {{old: {system}}}
run: {{batch_rows: 2}}
"""
DATABASE = "{kind: sqlite, path: old.db}"
FILES = (
    "{kind: csv, folder: files, encoding: utf-8, delimiter: ',', "
    "relations: {PERSON: {files: PERSON_*.csv}, JOB: {files: JOB.csv}}}"
)
MAPPING = """
mapping: old.actor
owner: test
target: actor
source:
  query: workers
  key: [ID]
  accounts: {relation: PERSON, by: [ID]%s}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME}
  job_title: {from: TITLE}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [email, phone, employee_code, unit_id], reason: not in the old system}]
"""
QUERY = """
-- who has or had a job, with the last title
SELECT p.ID, p.NAME, MAX(j.TITLE) AS TITLE
FROM PERSON p JOIN JOB j ON j.PERSON = p.ID
GROUP BY p.ID, p.NAME;
"""
PERSONS = [("1", "Een"), ("2", "Twee"), ("3", "Drie"), ("4", "Vier")]
JOBS = [("1", "klerk"), ("1", "hoofd"), ("3", "balie"), ("9", "niemand")]


def make(folder: Path, system: str, reason: str = ", reason: no job}"[:-1]) -> Path:
    for name in ("mappings", "queries", "files"):
        (folder / name).mkdir()
    (folder / "workspace.yml").write_text(WORKSPACE.format(system=system))
    (folder / "mappings/old.actor.yml").write_text(MAPPING % reason)
    (folder / "queries/workers.sql").write_text(QUERY)
    with sqlite3.connect(folder / "old.db") as old:
        old.executescript("CREATE TABLE PERSON (ID CHAR(3) PRIMARY KEY, NAME TEXT); CREATE TABLE JOB (PERSON, TITLE);")
        old.executemany("INSERT INTO PERSON VALUES (?, ?)", PERSONS)
        old.executemany("INSERT INTO JOB VALUES (?, ?)", JOBS)
    for number, rows in enumerate((PERSONS[:3], PERSONS[3:])):
        lines = ["ID,NAME", *(",".join(row) for row in rows)]
        (folder / f"files/PERSON_{number}.csv").write_text("\n".join(lines) + "\n")
    (folder / "files/JOB.csv").write_text("\n".join(["PERSON,TITLE", *(",".join(row) for row in JOBS)]) + "\n")
    return folder


@pytest.mark.parametrize("system", [DATABASE, FILES], ids=["database", "files"])
def test_every_verb_agrees(system: str, tmp_path: Path, omnicase: CommandLine) -> None:
    folder = make(tmp_path, system)
    upgrade(folder)
    check = omnicase("-C", folder, "mapping", "check")
    assert check.status == 0, check.err + check.out
    planned = omnicase("-C", folder, "--format", "json", "plan").document["mappings"][0]
    ran = omnicase("-C", folder, "--format", "json", "run")
    assert ran.status == 0, ran.err
    books = ran.document["mappings"][0]
    assert books == planned
    assert (books["read"], books["inserted"], books["out_of_scope"]) == (4, 2, 2)
    rows = open_read_only(folder / "target.db").execute("SELECT name, job_title FROM actor ORDER BY 1").fetchall()
    assert rows == [("Drie", "balie"), ("Een", "klerk")]
    reasons = open_read_only(folder / "target.db").execute(
        "SELECT source_key, reason FROM migration_id_map WHERE state = 'out_of_scope' ORDER BY 1"
    )
    assert reasons.fetchall() == [("2", "no job"), ("4", "no job")]
    explained = omnicase("-C", folder, "--format", "json", "explain", "old.actor", "3")
    assert explained.document["state"] == "loaded", explained.err
    report = omnicase("-C", folder, "--format", "json", "reconcile")
    assert report.status == 0, report.err + report.out
    assert report.document["verdict"] == "in_balance"
    again = omnicase("-C", folder, "--format", "json", "run").document["mappings"][0]
    assert (again["unchanged"], again["out_of_scope"]) == (2, 2)


@pytest.mark.parametrize("system", [DATABASE, FILES], ids=["database", "files"])
def test_a_killed_run_goes_on(system: str, tmp_path: Path, omnicase: CommandLine) -> None:
    folder = make(tmp_path, system)
    upgrade(folder)
    assert omnicase.spawn("-C", folder, "run", env={"OMNICASE_FAILPOINT": "after-commit:1"}).status < 0
    ran = omnicase("-C", folder, "--format", "json", "run", "--resume")
    assert ran.status == 0, ran.err
    books = ran.document["mappings"][0]
    assert (books["read"], books["inserted"], books["out_of_scope"]) == (4, 2, 2)
    assert omnicase("-C", folder, "--format", "json", "reconcile").document["verdict"] == "in_balance"


def test_what_the_query_says_is_part_of_the_meaning(tmp_path: Path, omnicase: CommandLine) -> None:
    folder = make(tmp_path, DATABASE)
    upgrade(folder)
    assert omnicase("-C", folder, "run").status == 0
    (folder / "queries/workers.sql").write_text(QUERY.replace("MAX", "MIN"))
    books = omnicase("-C", folder, "--format", "json", "run").document["mappings"][0]
    assert (books["updated"], books["unchanged"]) == (1, 1)
    (folder / "queries/workers.sql").write_text(QUERY.replace("MAX", "MIN").replace("GROUP", "WHERE p.ID <> '3' GROUP"))
    books = omnicase("-C", folder, "--format", "json", "run").document["mappings"][0]
    assert (books["read"], books["out_of_scope"]) == (4, 3)


def test_a_row_that_is_not_returned_without_a_reason_is_a_finding(tmp_path: Path, omnicase: CommandLine) -> None:
    folder = make(tmp_path, DATABASE, reason="")
    upgrade(folder)
    ran = omnicase("-C", folder, "--format", "json", "run")
    assert (ran.status, ran.document["mappings"][0]["rejected"]) == (3, 2)
    rejects = omnicase("-C", folder, "--format", "json", "rejects", "list").document["rejects"]
    assert [issue["code"] for reject in rejects for issue in reject["issues"]] == ["query-omits", "query-omits"]


BAD = {
    "no file": (None, "MAP-070"),
    "two statements": ("SELECT ID, NAME, 1 AS TITLE FROM PERSON; SELECT 2", "MAP-071"),
    "pragma": ("PRAGMA table_list", "MAP-071"),
    "attach": ("ATTACH 'x.db' AS x", "MAP-071"),
    "insert": ("INSERT INTO PERSON VALUES (5, 'x')", "MAP-071"),
    "delete that returns": ("DELETE FROM PERSON RETURNING ID, NAME, 1 AS TITLE", "MAP-071"),
    "create": ("CREATE TABLE x AS SELECT 1", "MAP-071"),
    "empty": ("-- nothing\n", "MAP-071"),
    "no SQL": ("SELEC ID FROM", "MAP-071"),
    "recursive": ("WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM r", "MAP-071"),
    "clock": ("SELECT ID, NAME, DATE('now') AS TITLE FROM PERSON", "MAP-071"),
    "extension": ("SELECT ID, NAME, LOAD_EXTENSION('x') AS TITLE FROM PERSON", "MAP-071"),
    "table function": ("SELECT ID, NAME, value AS TITLE FROM PERSON, json_each('[1]')", "MAP-071"),
    "schema": ("SELECT ID, NAME, name AS TITLE FROM PERSON, main.sqlite_master", "MAP-071"),
    "unknown relation": ("SELECT ID, NAME, 1 AS TITLE FROM PERSONS", "MAP-071"),
    "itself": ('SELECT ID, NAME, 1 AS TITLE FROM "queries/workers.sql"', "MAP-071"),
    "unknown column": ("SELECT ID, NAMES AS NAME, 1 AS TITLE FROM PERSON", "MAP-071"),
    "a column twice": ("SELECT ID, NAME, NAME, 1 AS TITLE FROM PERSON", "MAP-071"),
    "a column twice, through a star": ("SELECT *, 1 AS TITLE FROM PERSON a JOIN PERSON b ON a.ID = b.ID", "MAP-071"),
    "our name": ("SELECT ID, NAME, 1 AS TITLE, 2 AS _row FROM PERSON", "MAP-071"),
    "no accounts column": ("SELECT ID AS NR, NAME, 1 AS TITLE FROM PERSON", "MAP-071"),
}


def refused(folder: Path, omnicase: CommandLine) -> tuple[Answer, list[str]]:
    answer = omnicase("-C", folder, "mapping", "check")
    return answer, re.findall(r"MAP-\d+", answer.out + answer.err)


OF_FILES = ("no file", "unknown relation", "unknown column", "a column twice", "no accounts column")


@pytest.mark.parametrize(
    ("system", "name"), [*((DATABASE, name) for name in BAD), *((FILES, name) for name in OF_FILES)]
)
def test_bad_queries_are_refused(system: str, name: str, tmp_path: Path, omnicase: CommandLine) -> None:
    folder = make(tmp_path, system)
    before = (folder / "old.db").read_bytes()
    text, code = BAD[name]
    (folder / "queries/workers.sql").unlink() if text is None else (folder / "queries/workers.sql").write_text(text)
    answer, codes = refused(folder, omnicase)
    assert (answer.status, codes) == (4, [code]), answer.err + answer.out
    assert (folder / "old.db").read_bytes() == before


def test_a_query_outside_the_workspace_is_refused(tmp_path: Path, omnicase: CommandLine) -> None:
    (tmp_path / "ws").mkdir()
    folder = make(tmp_path / "ws", DATABASE)
    (tmp_path / "other.sql").write_text(QUERY)
    path = folder / "mappings/old.actor.yml"
    path.write_text(path.read_text().replace("query: workers", "query: ../../other"))
    assert refused(folder, omnicase)[1] == ["MAP-070"]


def test_a_query_without_the_key_is_refused(tmp_path: Path, omnicase: CommandLine) -> None:
    folder = make(tmp_path, DATABASE)
    path = folder / "mappings/old.actor.yml"
    path.write_text(path.read_text().replace("key: [ID]", "key: [NR]"))
    assert "MAP-060" in refused(folder, omnicase)[1]
