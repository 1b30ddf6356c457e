"""Rows that wait for each other in a circle are loaded without the link, and then filled; what waits otherwise, waits."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from command_line import CommandLine
from targets import ledger_rows, model_rows, upgrade

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

WORKSPACE = """
workspace: rings
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems: {old: {kind: sqlite, path: old.db}}
run: {batch_rows: %d}
"""
MAPPING = """
mapping: old.%(name)s
owner: test
target: party
source: {relation: %(name)s, %(key)s}
fields:
  party_type: {const: contactpersoon}
  internal_note: {from: NR}
  merged_into_id: {from: %(on)s, null_if: [""], link: %(link)s, missing: park}
  is_active: {const: true}
rules:
  - {name: apart, check: "internal_note NOT LIKE 'x%%' OR merged_into_id IS NULL", otherwise: reject}
unfilled:
  - columns: [initials, first_names, surname_prefix, surname, legal_form, gender, birth_date, birth_date_text, deceased_on,
              language, is_secret, party_number, organisation_name, works_for_party_id]
    reason: not in the old system
"""
OWN = {"party": MAPPING % {"name": "party", "key": "key: [NR]", "on": "ON_NR", "link": "old.party"}}
ROWS = {
    "party": [
        *(("1", "3"), ("2", "1"), ("3", "2")),              # a ring
        *(("4", "1"), ("5", "4")),                          # below it
        *(("x1", "x2"), ("x2", "x3"), ("x3", "x1")),        # a ring that must not be linked
        ("6", "nobody"),                                    # rejected
        *(("7", "6"), ("8", "7")),                          # wait for it
        *(("9", "10"), ("10", "9")),                        # a ring
    ]
}  # fmt: skip
TWO = {
    "a": MAPPING % {"name": "a", "key": "key: [NR], other_keys: [[OLD_NR]]", "on": "ON_NR", "link": "old.b"},
    "b": MAPPING % {"name": "b", "key": "one_per: {by: [GROEP], order: [NR]}, key: [NR]", "on": "ON_NR", "link": "{mapping: old.a, key: OLD_NR}"},
}


COLUMNS = {"a": ("NR", "ON_NR", "OLD_NR"), "b": ("NR", "ON_NR", "GROEP")}


def make(folder: Path, batch_rows: int, mappings: dict[str, str], rows: dict[str, list[tuple[str, ...]]]) -> Path:
    (folder / "mappings").mkdir(parents=True)
    (folder / "workspace.yml").write_text(WORKSPACE % batch_rows)
    for name, text in mappings.items():
        (folder / f"mappings/old.{name}.yml").write_text(text)
    with sqlite3.connect(folder / "old.db") as old:
        for name, found in rows.items():
            columns = COLUMNS.get(name, ("NR", "ON_NR"))
            old.execute(f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY (NR))")
            old.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(found[0]))})", found)
    upgrade(folder)
    return folder


def links(folder: Path) -> dict[str, str | None]:
    with sqlite3.connect(folder / "target.db") as target:
        found = "SELECT c.internal_note, a.internal_note FROM party c LEFT JOIN party a ON a.id = c.merged_into_id"
        return dict(target.execute(found).fetchall())


def test_the_size_of_a_batch_changes_nothing(tmp_path: Path, omnicase: CommandLine) -> None:
    made = {}
    for batch_rows in (1, 2, 3, 100):
        folder = make(tmp_path / str(batch_rows), batch_rows, OWN, ROWS)
        assert omnicase("-C", folder, "run").status == 3
        made[batch_rows] = (model_rows(folder / "target.db"), ledger_rows(folder / "target.db"))
        again = omnicase("-C", folder, "--format", "json", "run", "--full").document["mappings"][0]
        assert (again["inserted"], again["updated"]) == (0, 0)
    assert all(each == made[100] for each in made.values())
    ring = {"1": "3", "2": "1", "3": "2", "4": "1", "5": "4", "9": "10", "10": "9"}
    assert links(folder) == ring | dict.fromkeys(["x1", "x2", "x3"])
    with sqlite3.connect(folder / "target.db") as target:
        states = dict(target.execute("SELECT source_key, state FROM migration_id_map").fetchall())
    assert {key: states[key] for key in ("6", "7", "8", "x1", "x2", "x3")} == {
        "6": "rejected", "7": "parked", "8": "parked", "x1": "stale", "x2": "stale", "x3": "stale",
    }  # fmt: skip


@pytest.mark.parametrize("batch_rows", [1, 100])
def test_two_mappings_that_link_to_each_other(batch_rows: int, tmp_path: Path, omnicase: CommandLine) -> None:
    """The second makes one record of several rows, and links by another key of the first."""
    rows = {
        "a": [("a1", "g1", "o1"), ("a2", "", "o2"), ("a3", "g3", "o3")],
        "b": [("b1", "o1", "g1"), ("b2", "o1", "g1"), ("b3", "o2", "g3")],
    }
    folder = make(tmp_path / "w", batch_rows, TWO, rows)
    answer = omnicase("-C", folder, "run")
    assert (answer.status, answer.err) == (0, "")
    assert links(folder) == {"a1": "b1", "a2": None, "a3": "b3", "b1": "a1", "b3": "a2"}
