"""What a run says and keeps of the files it read: encodings, what was skipped, and a delivery that is too small."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from command_line import CommandLine
from targets import open_read_only, upgrade

WORKSPACE = """
workspace: deliveries
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems:
  old:
    kind: csv
    folder: files
    relations:
      PERSON: {files: "PERSON*", %s}
"""
MAPPING = """
mapping: old.actor
owner: test
target: actor
source: {relation: PERSON, key: [ID]}
incremental: {max_deletes: 100%}
fields:
  actor_type: {const: medewerker}
  name: {from: NAME}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [email, phone, employee_code, job_title, unit_id], reason: not in the old system}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("mappings", "files"):
        (tmp_path / name).mkdir()
    (tmp_path / "mappings/old.actor.yml").write_text(MAPPING)
    upgraded = WORKSPACE % "key: [ID]"
    (tmp_path / "workspace.yml").write_text(upgraded)
    upgrade(tmp_path)
    return tmp_path


def configure(folder: Path, options: str) -> None:
    (folder / "workspace.yml").write_text(WORKSPACE % options)


def deliver(folder: Path, rows: int) -> None:
    lines = "".join(f"{number},Persoon {number}\n" for number in range(rows))
    (folder / "files/PERSON.csv").write_text("ID,NAME\n" + lines)


def test_a_delivery_that_is_too_small_is_refused_until_it_is_confirmed(folder: Path, omnicase: CommandLine) -> None:
    configure(folder, "min_share: 50%")
    deliver(folder, 10)
    assert omnicase("-C", folder, "run").status == 0
    deliver(folder, 5)
    assert omnicase("-C", folder, "--format", "json", "run").document["mappings"][0]["read"] == 5
    deliver(folder, 2)
    for verb in ("plan", "run"):
        refused = omnicase("-C", folder, "--format", "json", verb)
        assert (refused.status, refused.document["code"]) == (5, "CON-075")
        assert "2 records" in refused.document["message"] and "held 5" in refused.document["message"]
    # What was read of a part, or by a run that was refused, is no delivery.
    assert omnicase("-C", folder, "run", "--limit", "1").status == 0
    assert omnicase("-C", folder, "run").status == 5
    digest = refused.document["hint"].split("confirmed: ")[1].split()[0]
    configure(folder, f"min_share: 50%, confirmed: {digest}")
    assert omnicase("-C", folder, "run").status == 0
    deliver(folder, 0)
    configure(folder, f"min_share: 50%, allow_empty: true, confirmed: {digest}")
    assert omnicase("-C", folder, "run").status == 5, "another delivery was confirmed"


LINES = {
    "fixed": """
    layouts:
      PERSON:
        files: PERSON.csv
        encoding: utf-8
        positions: characters
        records: {"": {relation: PERSON, key: [ID], fields: {ID: [1, 3], NAME: [4, 10]}}}
""",
    "ticketlog": """
    delimiter: ","
""",
}
VOLUMES = {
    "fixed": "PERSON: {min_share: 50%}",
    "ticketlog": "PERSON: {files: PERSON.csv, min_share: 50%, log: {ticket: [ID], event: WHAT, events: {P: printed}, "
    "keep: [NAME], moment: {column: AT, format: YYYY-MM-DD HH:mm}}}",
}


@pytest.mark.parametrize("kind", VOLUMES)
def test_the_guard_on_volume_holds_for_every_kind_of_file(kind: str, folder: Path, omnicase: CommandLine) -> None:
    before = WORKSPACE.partition("    kind: csv\n")[0]
    settings = f"{before}    kind: {kind}\n    folder: files{LINES[kind]}    relations: {{{VOLUMES[kind]}}}\n"
    (folder / "workspace.yml").write_text(settings)
    mapping = folder / "mappings/old.actor.yml"
    told = "ignore: [{columns: [printed_at, printed_last_at, printed_count, events, state, order_issues], reason: no}]\n"
    mapping.write_text(MAPPING + (told if kind == "ticketlog" else ""))

    def lines(rows: int) -> None:
        made = {
            "fixed": [f"{number:03}{'Persoon ' + str(number):<10}" for number in range(rows)],
            "ticketlog": ["ID,WHAT,AT,NAME", *(f"{number},P,2019-01-02 10:00,Persoon {number}" for number in range(rows))],
        }
        (folder / "files/PERSON.csv").write_text("\n".join(made[kind]) + "\n")

    lines(10)
    first = omnicase("-C", folder, "--format", "json", "run")
    assert first.status == 0 and first.document["mappings"][0]["read"] == 10, first.out
    lines(4)
    refused = omnicase("-C", folder, "--format", "json", "run")
    assert (refused.status, refused.document["code"]) == (5, "CON-075")


def test_text_that_was_converted_twice_is_warned_of_until_a_mapping_repairs_it(
    folder: Path, omnicase: CommandLine
) -> None:
    (folder / "files/PERSON_1.csv").write_text("ID,NAME\n1,JosÃ©\n2,José\n3,SÃO\n")
    (folder / "files/PERSON_2.csv").write_text("ID,NAME\n4,Zoë\n")
    ran = omnicase("-C", folder, "--format", "json", "run")
    assert ran.status == 3 and "CON-097  old.PERSON: 1 lines seem to be UTF-8" in ran.err
    repairing = MAPPING.replace("{from: NAME}", "{from: NAME, do: [fix_mojibake]}")
    (folder / "mappings/old.actor.yml").write_text(repairing)
    repaired = omnicase("-C", folder, "--format", "json", "run")
    assert "CON-097" not in repaired.err and repaired.document["mappings"][0]["updated"] == 1
    (folder / "mappings/old.actor.yml").write_text(MAPPING)
    configure(folder, "encoding: cp1252")
    wrong = omnicase("-C", folder, "--format", "json", "run")
    assert wrong.status == 3 and "CON-097  old.PERSON: 2 lines seem to be UTF-8" in wrong.err


def test_a_file_named_as_the_pattern_hides_no_other(folder: Path, omnicase: CommandLine) -> None:
    (folder / "files/PERSON*").write_text("ID,NAME\n1,Jan\n")
    (folder / "files/PERSON_2.csv").write_text("ID,NAME\n2,Piet\n")
    ran = omnicase("-C", folder, "--format", "json", "run")
    assert ran.document["mappings"][0]["inserted"] == 2


def test_what_the_files_were_is_said_and_kept(folder: Path, omnicase: CommandLine) -> None:
    (folder / "files/PERSON_1.csv").write_bytes("ID,NAME\n1,Zoë\n# opmerking\n".encode())
    (folder / "files/PERSON_2.csv").write_bytes(gzip.compress("ID,NAME\n2,Zoë\nID,NAME\n3,é\n".encode("cp1252")))
    configure(folder, 'encoding: detect, comment: "#", repeated_header: skip')
    strict = omnicase("-C", folder, "--format", "json", "run", "--strict")
    assert (strict.status, strict.document["code"]) == (6, "RUN-053") and "CON-076" in strict.document["message"]
    ran = omnicase("-C", folder, "--format", "json", "run")
    assert ran.status == 3 and ran.document["mappings"][0]["inserted"] == 3
    assert "CON-076  old.PERSON: the encoding of 2 of 2 files was detected: cp1252 in 1, utf-8 in 1" in ran.err
    assert "old.PERSON: beside the rows of 2 files: comment 1, repeated header 1." in ran.err
    command = open_read_only(folder / "target.db").execute("SELECT command FROM migration_run ORDER BY id DESC")
    files = json.loads(command.fetchone()[0])["files"]["old.PERSON"]
    assert [(file["name"], file["encoding"], file["records"]) for file in files] == [
        ("PERSON_1.csv", "utf-8", 1),
        ("PERSON_2.csv", "cp1252", 2),
    ]
    names = open_read_only(folder / "target.db").execute("SELECT name FROM actor ORDER BY 1")
    assert [row[0] for row in names] == ["Zoë", "Zoë", "é"]
    configure(folder, 'encoding: [utf-8, cp1252], comment: "#", repeated_header: skip')
    again = omnicase("-C", folder, "run")
    assert again.status == 0 and "lines in cp1252 2" in again.err
