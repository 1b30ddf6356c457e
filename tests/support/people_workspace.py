"""A workspace of two systems that know the same people, small enough to be made by the hundred."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from command_line import in_process as omnicase
from targets import open_read_only, upgrade

SYSTEMS = ("one", "two")
WORKSPACE = """
workspace: people
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: %d}
systems: {one: {kind: sqlite, path: one.db}, two: {kind: sqlite, path: two.db}}
"""
PERSON = """
mapping: %s.person
owner: test
target: party
source: {relation: PERSON, key: [ID]}
identity:
  by: [{bsn: {from: BSN, do: [trim]}}, {name: SURNAME, born: BORN}]
  rank: %d
  agree: [surname, birth_year]
  newest: CHANGED
  together: [[surname_prefix, surname]]
values:
  birth_year: {expr: "SUBSTR(BORN, 1, 4)"}
fields:
  party_type: {from: KIND, null_if: [""]}
  surname_prefix: {from: PREFIX, null_if: [""]}
  surname: {from: SURNAME, null_if: [""]}
  birth_date: {from: BORN, null_if: [""], date: [YYYYMMDD]}
  internal_note: {from: NOTE, null_if: [""]%s}
  is_active: {const: true}
unfilled:
  - columns: [party_number, initials, first_names, organisation_name, legal_form, gender, birth_date_text, deceased_on,
              language, is_secret, works_for_party_id, merged_into_id]
    reason: not in this story
"""
ADDRESS = """
mapping: %s.address
owner: test
target: digital_address
source: {relation: ADDRESS, key: [ID]}
fields:
  party_id: {from: PERSON, link: %s.person, missing: park}
  address_type: {const: email}
  value: {from: VALUE}
  is_default: {const: false}
unfilled: [{columns: [contact_id, description, reference, verified_on], reason: not in this story}]
"""
CALL = """
mapping: %s.call
owner: test
target: digital_address
source: {relation: CALL, key: [ID]}
fields:
  party_id: {from: BSN, link: {identity: party.bsn}, missing: park}
  address_type: {const: overig}
  value: {from: VALUE}
  is_default: {const: false}
unfilled: [{columns: [contact_id, description, reference, verified_on], reason: not in this story}]
"""
TABLES = """
DROP TABLE IF EXISTS PERSON; DROP TABLE IF EXISTS ADDRESS; DROP TABLE IF EXISTS CALL;
CREATE TABLE PERSON (ID INTEGER PRIMARY KEY, BSN TEXT, KIND TEXT, PREFIX TEXT, SURNAME TEXT, BORN TEXT, NOTE TEXT,
                     CHANGED TEXT);
CREATE TABLE ADDRESS (ID INTEGER PRIMARY KEY, PERSON INTEGER, VALUE TEXT);
CREATE TABLE CALL (ID INTEGER PRIMARY KEY, BSN TEXT, VALUE TEXT);
"""


@dataclass(frozen=True)
class Person:
    """A row of PERSON; every row has an address, and a call when it has a BSN."""

    id: int
    bsn: str | None = None
    surname: str | None = "Jansen"
    born: str | None = "19700101"
    note: str | None = None
    prefix: str | None = None
    kind: str | None = "persoon"
    changed: str | None = None
    address: bool = field(default=True, compare=False)


def people_workspace(
    folder: Path,
    people: Mapping[str, Iterable[Person]],
    *,
    batch_rows: int = 1_000,
    note_rank: str = "",
    ranks: tuple[int, int] = (1, 2),
    calls: bool = True,
) -> Path:
    """Make the workspace, its systems and its empty target.

    Args:
        note_rank: rank of the note in the second system, such as ``, rank: 0``.
    """
    (folder / "mappings").mkdir(parents=True)
    (folder / "codes").mkdir()
    (folder / "workspace.yml").write_text(WORKSPACE % batch_rows)
    for system, rank in zip(SYSTEMS, ranks, strict=True):
        own = note_rank if system == "two" else ""
        (folder / f"mappings/{system}.person.yml").write_text(PERSON % (system, rank, own))
        (folder / f"mappings/{system}.address.yml").write_text(ADDRESS % (system, system))
        (folder / f"mappings/{system}.call.yml").write_text(CALL % system)
    fill(folder, people, calls=calls)
    upgrade(folder)
    return folder


def fill(folder: Path, people: Mapping[str, Iterable[Person]], *, calls: bool = True) -> None:
    """Write the systems anew; what was there goes."""
    for system in SYSTEMS:
        with closing(sqlite3.connect(folder / f"{system}.db")) as old, old:
            old.executescript(TABLES)
            for each in people.get(system, ()):
                row = (each.id, each.bsn, each.kind, each.prefix, each.surname, each.born, each.note, each.changed)
                old.execute("INSERT INTO PERSON VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
                if each.address:
                    old.execute("INSERT INTO ADDRESS VALUES (?, ?, ?)", (each.id, each.id, f"{system}{each.id}@x.nl"))
                if calls and each.bsn and each.bsn.strip():
                    call = (each.id, each.bsn.strip(), f"{system}{each.id}-called")
                    old.execute("INSERT INTO CALL VALUES (?, ?, ?)", call)


def decide(folder: Path, *lines: str) -> None:
    """Write `codes/same_person.csv`."""
    (folder / "codes/same_person.csv").write_text(
        "\n".join(["mapping,key,other_mapping,other_key,same", *lines]) + "\n"
    )


def run(folder: Path, *names: str) -> dict[str, dict[str, Any]]:
    """Load, and return the books by mapping."""
    ran = omnicase("-C", folder, "--format", "json", "run", *names)
    assert ran.status in (0, 3), ran.out + ran.err
    return {each["mapping"]: each for each in ran.document["mappings"]}


def parties(folder: Path) -> list[tuple[Any, ...]]:
    """Return every party, without its id: surname, prefix, birth date, note."""
    with closing(open_read_only(folder / "target.db")) as target:
        sql = "SELECT surname, surname_prefix, birth_date, internal_note FROM party ORDER BY 1, 2, 3, 4"
        return target.execute(sql).fetchall()


def everything(folder: Path) -> list[tuple[Any, ...]]:
    """Return every party and every address, with ids."""
    with closing(open_read_only(folder / "target.db")) as target:
        return [
            *target.execute("SELECT * FROM party ORDER BY id").fetchall(),
            *target.execute("SELECT * FROM digital_address ORDER BY id").fetchall(),
        ]


def owners(folder: Path) -> dict[str, str]:
    """Return by address the surname and note of the party that it belongs to."""
    with closing(open_read_only(folder / "target.db")) as target:
        sql = "SELECT a.value, p.surname || ':' || COALESCE(p.internal_note, '') FROM digital_address a JOIN party p ON p.id = a.party_id"
        return dict(target.execute(sql).fetchall())


def issues(folder: Path) -> list[tuple[Any, ...]]:
    """Return mapping, key, field and code of every issue."""
    with closing(open_read_only(folder / "target.db")) as target:
        sql = (
            "SELECT m.name, i.source_key, i.field, i.code FROM migration_issue i"
            " JOIN migration_mapping m ON m.id = i.mapping_id ORDER BY 1, 2, 3, 4"
        )
        return target.execute(sql).fetchall()


def in_balance(folder: Path) -> bool:
    """Say whether source and target agree."""
    proof = omnicase("-C", folder, "--format", "json", "reconcile").document
    assert proof["verdict"] == "in_balance", proof["findings"]
    return True
