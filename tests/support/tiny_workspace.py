"""A tiny workspace: an old SQLite system, an old CSV system, three mappings and a target; small enough to break in many ways."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

SETTINGS = """\
workspace: tiny
namespace: {public: "tiny tests"}
target: {url: "sqlite:///target.db"}
systems:
  oud:
    kind: sqlite
    path: systems/oud.db
    personal: {MEDEW: [NAAM]}
  kcc:
    kind: csv
    folder: systems/kcc
    encoding: utf-8
    delimiter: ";"
    personal: {CONTACT: [NAAM, VRAAG]}
    relations: {CONTACT: {files: contact.csv}}
  seed:
    kind: csv
    folder: codes/seed
    personal: {channel: []}
    relations: {channel: {files: channel.csv}}
run: {batch_rows: 50}
environments:
  productie: {production: true}
"""

CHANNEL = """\
mapping: seed.channel
owner: tests
target: channel
source: {relation: channel, key: [code]}
fields:
  code:      {from: code}
  name:      {from: name}
  is_active: {from: active, boolean: {true: [J], false: [N]}}
"""

ACTOR = """\
mapping: oud.actor
owner: tests
target: actor
source: {relation: MEDEW, key: [CODE]}
fields:
  actor_type:    {const: medewerker}
  name:          {from: NAAM}
  employee_code: {from: CODE}
  job_title:     {from: FUNCTIE, null_if: [""]}
  is_active:     {from: ACTIEF, boolean: {true: ["1"], false: ["0"]}}
unfilled:
  - {columns: [email, phone, unit_id], reason: Not in the old system}
"""

CONTACT = """\
mapping: kcc.contact
owner: tests
target: customer_contact
source: {relation: CONTACT, key: [NR]}
fields:
  contact_number:   {from: NR}
  channel_id:       {from: KANAAL, do: [upper], codes: kanaal.csv, link: seed.channel, missing: park}
  subject:          {from: ONDERWERP}
  content:          {from: VRAAG, null_if: [""]}
  further_action:   {const: "false", boolean: {true: ["true"], false: ["false"]}}
  language:         {const: nld}
  is_confidential:  {const: "false", boolean: {true: ["true"], false: ["false"]}}
  occurred_at:      {from: WANNEER, datetime: ["YYYY-MM-DD HH:mm"], timezone: Europe/Amsterdam}
  contact_name:     {from: NAAM}
  participant_role: {const: klant}
  is_initiator:     {const: "true", boolean: {true: ["true"], false: ["false"]}}
  actor_id:         {from: MEDEW, null_if: [""], link: oud.actor, missing: reject}
unfilled:
  - {columns: [response, contact_succeeded, ended_at, party_id, organisation_name, metadata], reason: Not in the old system}
"""

CONTACT_HEADER = ("NR", "KANAAL", "ONDERWERP", "VRAAG", "NAAM", "WANNEER", "MEDEW")


def contact(number: int | str, **changed: str) -> list[str]:
    """Return the fields of a good contact, some of them replaced."""
    good = {
        "NR": str(number), "KANAAL": "tel", "ONDERWERP": f"Vraag {number}", "VRAAG": "Hoe laat?", "NAAM": "A. Jansen",
        "WANNEER": "2014-05-06 09:30", "MEDEW": "m1",
    }
    return list((good | changed).values())


def write_contacts(folder: Path, rows: Iterable[Sequence[str]], encoding: str = "utf-8") -> Path:
    """Write the CSV of the contact centre, every field in quotes, and return its path."""
    path = folder / "systems/kcc/contact.csv"
    lines = [";".join('"' + field.replace('"', '""') + '"' for field in row) for row in [CONTACT_HEADER, *rows]]
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path


def write_actors(folder: Path, rows: Iterable[Sequence[object]]) -> Path:
    """Write the old database, with rows (CODE, NAAM, FUNCTIE, ACTIEF) of any SQLite type, and return its path."""
    path = folder / "systems/oud.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE MEDEW (CODE TEXT PRIMARY KEY, NAAM TEXT, FUNCTIE TEXT, ACTIEF INTEGER)")
        connection.executemany("INSERT INTO MEDEW VALUES (?, ?, ?, ?)", rows)
        connection.commit()
    return path


def make_workspace(folder: Path, *, actors: int = 5, contacts: int = 20) -> Path:
    """Write a workspace whose rows are all good; its target is not made yet."""
    for name in ("mappings", "codes/seed", "systems/kcc"):
        (folder / name).mkdir(parents=True)
    (folder / "workspace.yml").write_text(SETTINGS)
    for name, text in (("seed.channel", CHANNEL), ("oud.actor", ACTOR), ("kcc.contact", CONTACT)):
        (folder / f"mappings/{name}.yml").write_text(text)
    (folder / "codes/kanaal.csv").write_text("from,to,note\nTEL,telefoon,\nBALIE,balie,\n")
    (folder / "codes/seed/channel.csv").write_text("code,name,active\ntelefoon,Telefoon,J\nbalie,Balie,J\n")
    write_actors(folder, [(f"m{number}", f"Medewerker {number}", "balie", 1) for number in range(1, actors + 1)])
    write_contacts(folder, [contact(number) for number in range(1, contacts + 1)])
    return folder


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that stands exactly once in a file."""
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new))
