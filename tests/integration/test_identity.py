"""`identity` from the command line: one person known to two systems becomes one record."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process as omnicase
from targets import open_read_only, upgrade

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

WORKSPACE = """
workspace: identity
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: %d}
systems: {one: {kind: sqlite, path: one.db}, two: {kind: sqlite, path: two.db}}
"""
MAPPING = """
mapping: %s.person
owner: test
target: actor
source: {relation: PERSON, key: [ID]}
identity: {by: [{bsn: {from: BSN, do: [trim]}}, {name: NAME, mail: MAIL}], rank: %d}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME}
  email: {from: MAIL}
  phone: {from: PHONE}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, job_title, unit_id], reason: not in the old system}]
"""
PEOPLE = {
    "one": [
        (1, "111", "Anna", None, "0101"),
        (2, None, "Bram", "b@x.nl", None),
        (3, "333", "Cor", None, None),
        (4, None, "Dirk", None, None),
        (5, " 111 ", "Anna B", "a@x.nl", None),
    ],
    "two": [
        (1, "111", "A. Anna", "anna@x.nl", "0202"),
        (2, None, "Bram", "b@x.nl", "0303"),
        (3, None, "Dirk", None, None),
    ],
}
MERGED = [
    ("Anna", "a@x.nl", "0101"),
    ("Bram", "b@x.nl", "0303"),
    ("Cor", None, None),
    ("Dirk", None, None),
    ("Dirk", None, None),
]


def workspace(folder: Path, batch_rows: int = 1_000) -> Path:
    (folder / "mappings").mkdir(parents=True)
    (folder / "workspace.yml").write_text(WORKSPACE % batch_rows)
    for rank, (name, rows) in enumerate(PEOPLE.items(), start=1):
        (folder / f"mappings/{name}.person.yml").write_text(MAPPING % (name, rank))
        with closing(sqlite3.connect(folder / f"{name}.db")) as old, old:
            old.execute("CREATE TABLE PERSON (ID INTEGER PRIMARY KEY, BSN TEXT, NAME TEXT, MAIL TEXT, PHONE TEXT)")
            old.executemany("INSERT INTO PERSON VALUES (?, ?, ?, ?, ?)", rows)
    upgrade(folder)
    return folder


def rows(folder: Path) -> list[tuple[str, ...]]:
    statement = "SELECT name, email, phone, id FROM actor ORDER BY 1, 2, 4"
    return open_read_only(folder / "target.db").execute(statement).fetchall()


def run(folder: Path, *names: str) -> dict[str, dict[str, int]]:
    ran = omnicase("-C", folder, "--format", "json", "run", *names)
    assert ran.status == 0, ran.err
    return {each["mapping"]: each for each in ran.document["mappings"]}


def test_one_person_of_two_systems_is_one_record(tmp_path: Path) -> None:
    folder = workspace(tmp_path)
    books = run(folder)
    assert [row[:3] for row in rows(folder)] == MERGED
    assert (books["one.person"]["inserted"], books["one.person"]["merged"]) == (4, 1)
    assert (books["two.person"]["inserted"], books["two.person"]["merged"]) == (1, 2)
    again = run(folder)
    assert [again[name]["unchanged"] for name in ("one.person", "two.person")] == [5, 3]
    proof = omnicase("-C", folder, "--format", "json", "reconcile").document
    assert proof["verdict"] == "in_balance", proof


@pytest.mark.parametrize(
    ("order", "batch_rows"),
    [
        (order, batch_rows)
        for order in (("one.person", "two.person"), ("two.person", "one.person"))
        for batch_rows in (1, 1_000)
    ],
)
def test_order_and_batch_size_do_not_matter(
    tmp_path: Path, order: tuple[str, str], batch_rows: int
) -> None:
    first, second = workspace(tmp_path / "a"), workspace(tmp_path / "b", batch_rows)
    run(first)
    for name in order:
        run(second, name)
    assert rows(first) == rows(second)


def test_a_row_that_changes_identity_moves(tmp_path: Path) -> None:
    folder = workspace(tmp_path)
    run(folder)
    with closing(sqlite3.connect(folder / "two.db")) as old, old:
        old.execute("UPDATE PERSON SET BSN = '333', PHONE = '0404' WHERE ID = 3")
    books = run(folder)["two.person"]
    assert (books["merged"], books["unchanged"]) == (1, 2)
    assert [row[:3] for row in rows(folder)] == [*MERGED[:2], ("Cor", None, "0404"), MERGED[3]]
    assert omnicase("-C", folder, "--format", "json", "reconcile").document["verdict"] == "in_balance"


def test_an_edited_record_is_left_alone(tmp_path: Path) -> None:
    folder = workspace(tmp_path)
    run(folder)
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        target.execute("UPDATE actor SET phone = '9' WHERE name = 'Anna'")
    with closing(sqlite3.connect(folder / "two.db")) as old, old:
        old.execute("UPDATE PERSON SET MAIL = 'new@x.nl' WHERE ID = 1")
    assert omnicase("-C", folder, "--format", "json", "run").document["mappings"]
    assert ("Anna", "a@x.nl", "9") in [row[:3] for row in rows(folder)]
