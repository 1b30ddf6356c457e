"""A small old system to be moved in waves: parties of four kinds, what is part of them, and people of no wave."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
from command_line import ROOT, Answer, in_process
from targets import upgrade

SETTINGS = """\
workspace: waves
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: 25}
systems: {old: {kind: sqlite, path: old.db, personal: {PARTY: [NAME], MAIL: [ADDRESS], LINE: [], CLERK: [NAME]}}}
"""
WAVES = """\
waves:
  a: {about: The first, where: {old.party: "KIND = 'a'"}}
  b: {where: {old.party: "kind = 'b'"}}
  c: {where: {old.party: "KIND IN ('c', 'd') AND KIND <> 'd'"}}
"""
PARTY = """\
mapping: old.party
owner: test
target: party
source: {relation: PARTY, key: [NR]}
incremental: {deletes: remove, max_deletes: 100%}
values: {called: {from: NAME, null_if: [""]}}
fields:
  party_type: {expr: "CASE WHEN BOSS IS NULL THEN 'organisatie' ELSE 'contactpersoon' END"}
  organisation_name: {from: called, required: true}
  works_for_party_id: {from: BOSS, link: old.party, missing: park}
  is_active: {const: true}
unfilled:
  - {reason: none, columns: [party_number, initials, first_names, surname_prefix, surname, legal_form, gender, birth_date,
     birth_date_text, deceased_on, language, is_secret, internal_note, merged_into_id]}
ignore: [{columns: [KIND], reason: says the wave}]
"""
MAIL = """\
mapping: old.mail
owner: test
target: digital_address
source: {relation: MAIL, key: [ID]}
incremental: {deletes: remove, max_deletes: 100%}
fields:
  party_id: {from: NR, link: old.party, missing: park, required: true}
  address_type: {const: email}
  value: {from: ADDRESS, null_if: [""]}
  is_default: {const: false}
unfilled: [{columns: [contact_id, description, reference, verified_on], reason: none}]
"""
LINE = """\
mapping: old.line
owner: test
target: address
source: {relation: LINE, key: [ID], together: [NR]}
fields:
  party_id: {from: NR, link: old.party, missing: reject}
  address_role: {const: bezoekadres}
  address_kind: {const: binnenlands_adres}
  line1: {expr: "CONCAT_WS(' ', TEXT, ROW_NUMBER() OVER (PARTITION BY NR ORDER BY TEXT))"}
unfilled:
  - {reason: none, columns: [bag_id, street, house_number, house_letter, house_number_addition, postcode, city, line2,
     line3, country_code, valid_from]}
"""
CLERK = """\
mapping: old.clerk
owner: test
target: actor
source: {relation: CLERK, key: [NR]}
fields: {actor_type: {const: medewerker}, name: {from: NAME}, is_active: {const: true}}
unfilled: [{columns: [employee_code, email, phone, job_title, unit_id], reason: none}]
"""
MAPPINGS = {"old.party": PARTY, "old.mail": MAIL, "old.line": LINE, "old.clerk": CLERK}
TABLES = """\
CREATE TABLE PARTY (NR INTEGER PRIMARY KEY, NAME TEXT, KIND TEXT, BOSS INTEGER);
CREATE TABLE MAIL (ID INTEGER PRIMARY KEY, NR INTEGER, ADDRESS TEXT);
CREATE TABLE LINE (ID INTEGER PRIMARY KEY, NR INTEGER, TEXT TEXT);
CREATE TABLE CLERK (NR INTEGER PRIMARY KEY, NAME TEXT);
"""


def make(folder: Path, seed: int = 1, waves: str = WAVES) -> Path:
    """Write a workspace of 40 parties, upgraded and not loaded; some parties have no name and are rejected."""
    (folder / "mappings").mkdir(parents=True)
    (folder / "workspace.yml").write_text(SETTINGS + waves)
    for name, text in MAPPINGS.items():
        (folder / f"mappings/{name}.yml").write_text(text)
    dice = random.Random(seed)
    numbers = range(1, 41)
    with closing(sqlite3.connect(folder / "old.db")) as old:
        old.executescript(TABLES)
        names = {n: "" if dice.random() < 0.1 else f"N{n}" for n in numbers}
        # Nobody works for a party that is rejected: what was loaded without it would be stale then, and not rejected.
        bosses = [n for n in numbers if names[n]]
        parties = [(n, names[n], dice.choice("abcd"), dice.choice([None, dice.choice(bosses)])) for n in numbers]
        parties = [(n, name, kind, None if boss == n else boss) for n, name, kind, boss in parties]
        old.executemany("INSERT INTO PARTY VALUES (?, ?, ?, ?)", parties)
        old.executemany("INSERT INTO MAIL VALUES (?, ?, ?)", [(n, dice.randint(1, 42), f"m{n}@x.nl") for n in range(60)])
        old.executemany("INSERT INTO LINE VALUES (?, ?, ?)", [(n, dice.randint(1, 40), f"L{n}") for n in range(60)])
        old.executemany("INSERT INTO CLERK VALUES (?, ?)", [(n, f"C{n}") for n in range(5)])
        old.commit()
    upgrade(folder)
    return folder


def change(folder: Path, *statements: str) -> None:
    """Change the old system."""
    with closing(sqlite3.connect(folder / "old.db")) as old:
        for sql in statements:
            old.execute(sql)
        old.commit()


def edit(folder: Path, sql: str) -> None:
    """Work in the new system."""
    with closing(sqlite3.connect(folder / "target.db")) as target:
        target.execute(sql)
        target.commit()


def run(folder: Path, *options: str) -> dict[str, dict[str, int]]:
    """Run; return the books by mapping, after seeing that they balance."""
    return _books(in_process("-C", folder, "--format", "json", "run", *options))


def run_as_planned(folder: Path, *options: str) -> dict[str, dict[str, int]]:
    """Plan and run; return the books by mapping, after seeing that the plan was right."""
    planned = in_process("-C", folder, "--format", "json", "plan", *options)
    books = run(folder, *options)
    assert _books(planned) == books
    return books


def _books(answer: Answer) -> dict[str, dict[str, int]]:
    assert answer.status in (0, 3), answer.err
    assert answer.document["balanced"]
    return {each["mapping"]: each for each in answer.document["mappings"]}


def reconciled(folder: Path, *mappings: str) -> dict[str, dict[str, int]]:
    """Reconcile in balance; return by mapping what the level keys explained."""
    answer: Answer = in_process("-C", folder, "--format", "json", "reconcile", *mappings)
    assert answer.document["verdict"] == "in_balance", answer.document["findings"]
    found = [each for each in answer.document["checks"] if each["check"] == "keys.source_to_target"]
    return {each["mapping"]: each["explained"] for each in found}


def journey(folder: Path) -> dict[str, dict[str, Any]]:
    """Return `wave status` by wave."""
    return {each["wave"]: each for each in wave(folder, "status")["waves"]}


def wave(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run a verb of `wave`; return its document, which is as the published schema has it."""
    answer = in_process("-C", folder, "--format", "json", "wave", *arguments)
    assert answer.status in (0, 3), answer.err
    schema = json.loads((ROOT / "migrate/documents/wave.schema.json").read_text())
    jsonschema.validate(answer.document, schema, cls=jsonschema.Draft202012Validator)
    document: dict[str, Any] = answer.document
    return document
