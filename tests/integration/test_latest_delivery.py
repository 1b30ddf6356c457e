"""`on_duplicate: latest_delivery` from the command line: deliveries that overlap, and one that comes later."""

from __future__ import annotations

from pathlib import Path

from command_line import CommandLine
from targets import open_read_only, upgrade

WORKSPACE = """
workspace: overlap
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems:
  old: {kind: csv, folder: files, encoding: utf-8, delimiter: ",", relations: {PERSON: {files: PERSON_*.csv}}}
run: {batch_rows: 2}
"""
MAPPING = """
mapping: old.actor
owner: test
target: actor
source: {relation: PERSON, key: [ID], on_duplicate: latest_delivery}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [email, phone, employee_code, job_title, unit_id], reason: not in the old system}]
"""


def deliver(folder: Path, month: str, *rows: str) -> None:
    (folder / f"files/PERSON_{month}.csv").write_text("\n".join(["ID,NAME", *rows]) + "\n")


def test_the_last_delivery_counts(tmp_path: Path, omnicase: CommandLine) -> None:
    for name in ("mappings", "files"):
        (tmp_path / name).mkdir()
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    (tmp_path / "mappings/old.actor.yml").write_text(MAPPING)
    deliver(tmp_path, "201401", "1,Een", "2,Twee", "3,Drie")
    deliver(tmp_path, "201402", "3,Drie", "2,Twee-Bos", "4,Vier")
    upgrade(tmp_path)
    planned = omnicase("-C", tmp_path, "--format", "json", "plan").document["mappings"][0]
    ran = omnicase("-C", tmp_path, "--format", "json", "run")
    assert ran.status == 0, ran.err
    books = ran.document["mappings"][0]
    assert books == planned
    assert (books["read"], books["inserted"], books["out_of_scope"]) == (6, 4, 2)

    def names() -> list[str]:
        rows = open_read_only(tmp_path / "target.db").execute("SELECT name FROM actor ORDER BY 1")
        return [row[0] for row in rows]

    def states() -> list[tuple[str, str]]:
        rows = open_read_only(tmp_path / "target.db").execute(
            "SELECT source_key, state FROM migration_id_map ORDER BY 1"
        )
        return rows.fetchall()

    assert names() == ["Drie", "Een", "Twee-Bos", "Vier"]
    assert states() == [(key, "loaded") for key in "1234"]
    report = omnicase("-C", tmp_path, "--format", "json", "reconcile")
    assert report.document["verdict"] == "in_balance", report.out
    again = omnicase("-C", tmp_path, "--format", "json", "run").document["mappings"][0]
    assert (again["unchanged"], again["out_of_scope"]) == (4, 2)
    assert sum(again["gone"].values()) == 0
    deliver(tmp_path, "201403", "4,Vier-Smit", "1,Een")
    later = omnicase("-C", tmp_path, "--format", "json", "run").document["mappings"][0]
    assert (later["updated"], later["unchanged"], later["out_of_scope"]) == (1, 3, 4)
    assert sum(later["gone"].values()) == 0
    assert names() == ["Drie", "Een", "Twee-Bos", "Vier-Smit"]
    report = omnicase("-C", tmp_path, "--format", "json", "reconcile")
    assert report.document["verdict"] == "in_balance", report.out
    explained = omnicase("-C", tmp_path, "--format", "json", "explain", "old.actor", "4")
    assert explained.document["state"] == "loaded", explained.err


def test_a_row_that_came_twice_counts_once(tmp_path: Path, omnicase: CommandLine) -> None:
    for name in ("mappings", "files"):
        (tmp_path / name).mkdir()
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    (tmp_path / "mappings/old.actor.yml").write_text(MAPPING.replace("latest_delivery", "same_content"))
    deliver(tmp_path, "201401", "1,Een", "2,Twee", "1,Een")
    upgrade(tmp_path)
    books = omnicase("-C", tmp_path, "--format", "json", "run").document["mappings"][0]
    assert (books["read"], books["inserted"], books["out_of_scope"]) == (3, 2, 1)
    rows = open_read_only(tmp_path / "target.db").execute("SELECT source_key, state FROM migration_id_map ORDER BY 1")
    assert rows.fetchall() == [("1", "loaded"), ("2", "loaded")]
    report = omnicase("-C", tmp_path, "--format", "json", "reconcile")
    assert report.document["verdict"] == "in_balance", report.out
    again = omnicase("-C", tmp_path, "--format", "json", "run").document["mappings"][0]
    assert (again["unchanged"], again["out_of_scope"]) == (2, 1)
