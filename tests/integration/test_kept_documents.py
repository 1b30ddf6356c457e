"""Documents from the command line: kept by a run, compared by a reconciliation, looked at by a plan."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import CommandLine
from targets import open_read_only, upgrade

WORKSPACE = """
workspace: papers
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems:
  old:
    kind: csv
    folder: files
    relations: {PAPER: {files: PAPER.csv}}
    documents: {PAPER: {path: PATH, folder: docs}}
documents: {store: kept}
run: {batch_rows: 2}
"""
MAPPING = """
mapping: old.actor
owner: test
target: actor
source: {relation: PAPER, key: [ID]}
fields:
  actor_type: {const: medewerker}
  name: {expr: "COALESCE(_doc_ref, _doc_state)"}
  job_title: {from: PATH}
  phone: {expr: "CONCAT_WS(' ', _doc_size, _doc_type)", null_if: [""]}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [email, unit_id, employee_code], reason: not in the old system}]
rules:
  - {name: the document is there, check: "_doc_state <> 'missing'", otherwise: warn}
  - {name: the document can be read, check: "_doc_state NOT IN ('unreadable', 'outside')", otherwise: warn}
  - {name: the document is not empty, check: "_doc_state <> 'empty'", otherwise: warn}
"""


def test_documents_from_the_command_line(tmp_path: Path, omnicase: CommandLine) -> None:
    for name in ("mappings", "files", "docs"):
        (tmp_path / name).mkdir()
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    (tmp_path / "mappings/old.actor.yml").write_text(MAPPING)
    names = ["a.txt", "b.txt", "weg.txt", "leeg.txt", "../workspace.yml"]
    rows = "".join(f"{number},{name}\n" for number, name in enumerate(names))
    (tmp_path / "files/PAPER.csv").write_text("ID,PATH\n" + rows)
    (tmp_path / "docs/a.txt").write_text("een")
    (tmp_path / "docs/b.txt").write_text("een")
    (tmp_path / "docs/leeg.txt").write_text("")
    upgrade(tmp_path)
    assert omnicase("-C", tmp_path, "mapping", "check").status == 0
    planned = omnicase("-C", tmp_path, "--format", "json", "plan")
    assert planned.document["mappings"][0]["inserted"] == 5 and not (tmp_path / "kept").exists()
    ran = omnicase("-C", tmp_path, "--format", "json", "run")
    assert ran.document["mappings"] == planned.document["mappings"] and ran.document["warnings"] == 3

    def records() -> list[tuple[str, ...]]:
        select = "SELECT job_title, name, phone FROM actor ORDER BY job_title"
        return open_read_only(tmp_path / "target.db").execute(select).fetchall()

    digest = hashlib.sha256(b"een").hexdigest()
    kept = f"sha256/{digest[:2]}/{digest}"
    assert records() == [
        ("../workspace.yml", "outside", None),
        ("a.txt", kept, "3 text/plain"),
        ("b.txt", kept, "3 text/plain"),
        ("leeg.txt", "empty", "0"),
        ("weg.txt", "missing", None),
    ]
    assert [path.name for path in (tmp_path / "kept/sha256").rglob("*") if path.is_file()] == [digest]
    again = omnicase("-C", tmp_path, "--format", "json", "run").document["mappings"][0]
    assert again["unchanged"] == 5
    (tmp_path / "docs/b.txt").write_text("twee")
    report = omnicase("-C", tmp_path, "--format", "json", "reconcile")
    moved_on = {each["check"]: each["moved_on"] for each in report.document["checks"] if each["moved_on"]}
    assert (report.document["verdict"], moved_on) == ("in_balance", {"fields.values": 1})
    changed = omnicase("-C", tmp_path, "--format", "json", "run").document["mappings"][0]
    assert (changed["updated"], changed["unchanged"]) == (1, 4)
    assert len([path for path in (tmp_path / "kept/sha256").rglob("*") if path.is_file()]) == 2
    report = omnicase("-C", tmp_path, "--format", "json", "reconcile")
    assert report.document["verdict"] == "in_balance", report.out
    told = omnicase("-C", tmp_path, "--format", "json", "explain", "old.actor", "1").document
    assert (told["source"]["_doc_state"], told["source"]["_doc_size"]) == ("found", "4")
    (tmp_path / "workspace.yml").write_text(WORKSPACE.replace("documents: {PAPER:", "documents: {PAPRE:"))
    misspelt = omnicase("-C", tmp_path, "mapping", "check")
    assert misspelt.status == 4 and "CON-003" in misspelt.err and "PAPER" in misspelt.err
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    (tmp_path / "docs").rename(tmp_path / "docs2")
    doctor = omnicase("-C", tmp_path, "--format", "json", "doctor")
    assert doctor.status == 5 and doctor.out.count("CON-078") == 1
    gone = omnicase("-C", tmp_path, "--format", "json", "run")
    assert (gone.status, gone.document["code"]) == (5, "CON-078")


@pytest.mark.parametrize(
    "system",
    ["kind: sqlite, path: old.db", "kind: csv, folder: files, relations: {PAPER: {files: PAPER.csv}}"],
    ids=["database", "files"],
)
def test_rows_of_a_query_carry_documents(tmp_path: Path, omnicase: CommandLine, system: str) -> None:
    for name in ("mappings", "queries", "files", "docs"):
        (tmp_path / name).mkdir()
    (tmp_path / "files/PAPER.csv").write_text("ID,PATH\n1,a.txt\n2,b.txt\n3,a.txt\n")
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.execute("CREATE TABLE PAPER (ID INTEGER PRIMARY KEY, PATH TEXT)")
        old.executemany("INSERT INTO PAPER VALUES (?, ?)", [(1, "a.txt"), (2, "b.txt"), (3, "a.txt")])
        old.commit()
    settings = WORKSPACE.partition("  old:")[0] + f"  old: {{{system}, documents: {{queries/letter.sql: {{path: SCAN, folder: docs}}}}}}\n"
    (tmp_path / "workspace.yml").write_text(settings + "documents: {store: kept}\nrun: {batch_rows: 2}\n")
    (tmp_path / "queries/letter.sql").write_text("SELECT ID, PATH AS SCAN FROM PAPER WHERE ID <> 2")
    mapping = MAPPING.replace("relation: PAPER, key: [ID]", "query: letter, key: [ID]").replace("from: PATH", "from: SCAN")
    (tmp_path / "mappings/old.actor.yml").write_text(mapping)
    (tmp_path / "docs/a.txt").write_text("een")
    upgrade(tmp_path)
    ran = omnicase("-C", tmp_path, "--format", "json", "run")
    assert ran.status == 0, ran.err
    digest = hashlib.sha256(b"een").hexdigest()
    found = open_read_only(tmp_path / "target.db").execute("SELECT name, phone FROM actor ORDER BY name").fetchall()
    assert found == [(f"sha256/{digest[:2]}/{digest}", "3 text/plain")] * 2
    assert (tmp_path / f"kept/sha256/{digest[:2]}/{digest}").read_text() == "een"
    report = omnicase("-C", tmp_path, "--format", "json", "reconcile")
    assert report.document["verdict"] == "in_balance", report.out


def test_a_store_with_a_password_in_its_url_is_refused(tmp_path: Path, omnicase: CommandLine) -> None:
    settings = WORKSPACE.replace("store: kept", "store: 'sftp://ik:geheim@srv/scans'")
    (tmp_path / "workspace.yml").write_text(settings)
    answer = omnicase("-C", tmp_path, "mapping", "check")
    assert answer.status == 4 and "WSP-005  workspace.yml:11" in answer.err and "geheim" not in answer.err
