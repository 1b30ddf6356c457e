"""Conflicts are listed, shown and settled by name, and every verb says the truth afterwards (promise 5)."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import people_workspace as people
import pytest
from command_line import ROOT, CommandLine, in_process
from people_workspace import Person
from small_demo import loaded_demo
from targets import copy_workspace, model_rows
from tiny_workspace import contact, edit, make_workspace, write_contacts

pytestmark = pytest.mark.no_cover

WHY = ("--reason", "phoned the person, ticket 42")


def answer(folder: Path, *words: str, status: int | None = None) -> Any:
    """Return the document of a verb."""
    found = in_process("-C", folder, "--format", "json", *words)
    assert status is None or found.status == status, found.out + found.err
    return found.document


def sql(folder: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        return target.execute(statement, values).fetchall()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A loaded workspace of which contact 2 was edited by a person and then changed in the source."""
    folder = make_workspace(tmp_path_factory.mktemp("conflicts") / "w", contacts=3)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status == 0
    sql(folder, "UPDATE customer_contact SET subject = 'Bewerkt', content = 'Van een mens' WHERE contact_number = '2'")
    write_contacts(folder, [contact(1), contact(2, ONDERWERP="Uit de bron"), contact(3)])
    assert in_process("-C", folder, "run").status == 3
    return folder


@pytest.fixture
def edited(tiny: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return copy_workspace(tiny, tmp_path / "w")


def subject(folder: Path, number: str = "2") -> tuple[Any, ...]:
    return sql(folder, "SELECT subject, content FROM customer_contact WHERE contact_number = ?", number)[0]


def choices(folder: Path) -> list[tuple[Any, ...]]:
    return sql(folder, "SELECT source_key, code, choice, reason FROM migration_resolution ORDER BY id")


def test_a_conflict_is_listed_and_shown_masked(edited: Path) -> None:
    listed = answer(edited, "conflicts", "list", status=3)
    assert (listed["total"], listed["open"]) == (1, {"kcc.contact": 1})
    assert [(each["key"], each["code"]) for each in listed["conflicts"]] == [(["2"], "edited-in-target")]
    assert answer(edited, "conflicts", "list", "oud.actor", status=0)["conflicts"] == []
    assert answer(edited, "conflicts", "list", "--code", "record-exists", status=0)["total"] == 0
    assert answer(edited, "conflicts", "list", "--code", "nonsense", status=2)["code"] == "CNF-001"
    shown = answer(edited, "conflicts", "show", "kcc.contact", "2", status=0)
    differ = {each["field"]: each["difference"] for each in shown["fields"] if each["difference"]}
    assert set(differ) == {"subject", "content"}
    schema = json.loads((ROOT / "migrate/documents/conflicts.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for document in (listed, shown):
        jsonschema.validate(document, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document | {"total": "1", "run": "1"}, schema)
    text = in_process("-C", edited, "conflicts", "show", "kcc.contact", "2").out
    assert "Van een mens" not in text and "Van een mens" not in str(shown)
    seen = answer(edited, "conflicts", "show", "kcc.contact", "2", "--unmasked", *WHY)
    by_name = {each["field"]: each for each in seen["fields"]}
    assert (by_name["subject"]["source"], by_name["subject"]["target"]) == ("Uit de bron", "Bewerkt")
    assert sql(edited, "SELECT command, what FROM migration_disclosure") == [("conflicts", "kcc.contact 2")]


def test_the_targets_values_stay_until_the_source_row_changes(edited: Path) -> None:
    done = answer(edited, "conflicts", "resolve", "kcc.contact", "2", "--keep-target", *WHY, status=0)
    assert done["settled"] == "keep-target"
    jsonschema.validate(done, json.loads((ROOT / "migrate/documents/conflicts.schema.json").read_text()))
    assert choices(edited) == [("2", "edited-in-target", "keep-target", WHY[1])]
    assert answer(edited, "conflicts", "list", status=0)["total"] == 0
    proof = answer(edited, "reconcile", status=0)
    assert proof["verdict"] == "in_balance"
    fields = next(each for each in proof["checks"] if (each["check"], each["mapping"]) == ("fields.values", "kcc.contact"))
    assert fields["explained"] == {"settled: kept in target": 1}
    planned = answer(edited, "plan", "--full", status=0)
    ran = answer(edited, "run", "--full", status=0)
    assert planned["mappings"] == ran["mappings"]
    # A mapping that means something else maps every row again, and still finds nothing to write.
    edit(edited / "mappings/kcc.contact.yml", "response, contact_succeeded", "contact_succeeded, response")
    assert answer(edited, "run", "--full", status=0)["balanced"]
    assert subject(edited) == ("Bewerkt", "Van een mens")
    assert answer(edited, "explain", "kcc.contact", "2")["state"] == "loaded"
    # Edited once more it is an edit like any other; and a source row that changes is a conflict again.
    sql(edited, "UPDATE customer_contact SET subject = 'Nog eens' WHERE contact_number = '2'")
    assert {each["cause"] for each in answer(edited, "reconcile", status=3)["findings"]} == {"edited in target"}
    write_contacts(edited, [contact(1), contact(2, ONDERWERP="Nieuwer"), contact(3)])
    books = {each["mapping"]: each for each in answer(edited, "run", status=3)["mappings"]}
    assert books["kcc.contact"]["conflict"] == 1
    assert subject(edited) == ("Nog eens", "Van een mens")


def test_the_sources_values_are_written_by_the_next_run(edited: Path) -> None:
    before = model_rows(edited / "target.db")
    answer(edited, "conflicts", "resolve", "kcc.contact", "2", "--take-source", *WHY, status=0)
    assert model_rows(edited / "target.db") == before
    assert answer(edited, "conflicts", "list", status=3)["conflicts"][0]["settled"] == "take-source"
    assert answer(edited, "conflicts", "resolve", "kcc.contact", "2", "--keep-target", *WHY, status=6)["code"] == "CNF-005"
    planned, ran = answer(edited, "plan"), answer(edited, "run", status=0)
    assert planned["mappings"] == ran["mappings"]
    assert {each["mapping"]: each["updated"] for each in ran["mappings"]}["kcc.contact"] == 1
    assert subject(edited) == ("Uit de bron", "Hoe laat?")
    assert answer(edited, "conflicts", "list", status=0)["total"] == 0
    assert answer(edited, "reconcile", status=0)["verdict"] == "in_balance"


def test_what_was_edited_between_choice_and_run_is_a_conflict_again(edited: Path) -> None:
    answer(edited, "conflicts", "resolve", "kcc.contact", "2", "--take-source", *WHY, status=0)
    sql(edited, "UPDATE customer_contact SET subject = 'Te laat' WHERE contact_number = '2'")
    answer(edited, "run", status=3)
    assert subject(edited) == ("Te laat", "Van een mens")
    assert answer(edited, "conflicts", "list", status=3)["conflicts"][0]["settled"] is None


def test_a_deleted_record_is_made_again_or_nothing(edited: Path) -> None:
    sql(edited, "DELETE FROM customer_contact WHERE contact_number = '2'")
    answer(edited, "run", status=3)
    assert answer(edited, "conflicts", "show", "kcc.contact", "2")["in_target"] is False
    assert answer(edited, "conflicts", "resolve", "kcc.contact", "2", "--keep-target", *WHY, status=6)["code"] == "CNF-007"
    answer(edited, "conflicts", "resolve", "kcc.contact", "2", "--take-source", *WHY, status=0)
    books = {each["mapping"]: each for each in answer(edited, "run", status=0)["mappings"]}
    assert books["kcc.contact"]["inserted"] == 1
    assert answer(edited, "reconcile", status=0)["verdict"] == "in_balance"


def test_what_is_not_as_it_was_is_refused(edited: Path) -> None:
    def refused(*words: str) -> tuple[int, str]:
        found = in_process("-C", edited, "--format", "json", "conflicts", "resolve", "kcc.contact", *words)
        return found.status, found.document["code"]

    ledger = sql(edited, "SELECT * FROM migration_record ORDER BY 1, 2")
    assert refused("1", "--keep-target", *WHY) == (2, "CNF-002")
    assert refused("2", "--keep-target") == (2, "CNF-003")
    assert refused("2", "--adopt", *WHY) == (2, "CNF-004")
    assert refused("2", *WHY) == (2, "CLI-001")
    assert refused("2", "--keep-target", "--adopt", *WHY) == (2, "CLI-001")
    write_contacts(edited, [contact(1), contact(2, ONDERWERP="Nieuwer"), contact(3)])
    assert answer(edited, "conflicts", "show", "kcc.contact", "2")["moved_on"] is True
    assert refused("2", "--keep-target", *WHY) == (6, "CNF-006")
    write_contacts(edited, [contact(1), contact(2, ONDERWERP="Uit de bron"), contact(3)])
    sql(edited, "UPDATE customer_contact SET subject = 'Nog eens' WHERE contact_number = '2'")
    assert answer(edited, "conflicts", "show", "kcc.contact", "2")["edited_again"] is True
    assert refused("2", "--take-source", *WHY) == (6, "CNF-006")
    assert sql(edited, "SELECT * FROM migration_record ORDER BY 1, 2") == ledger
    assert choices(edited) == []


def test_a_choice_is_written_whole_or_not_at_all(edited: Path) -> None:
    words = ("conflicts", "resolve", "kcc.contact", "2", "--keep-target", *WHY)
    killed = CommandLine().spawn("-C", edited, *words, env={"OMNICASE_FAILPOINT": "before-resolve-commit:1"})
    assert killed.status == -9
    assert choices(edited) == []
    assert answer(edited, "conflicts", "list", status=3)["open"] == {"kcc.contact": 1}
    answer(edited, *words, status=0)


@pytest.mark.parametrize("same_id", [False, True])
def test_a_record_of_others_is_adopted(same_id: bool, tmp_path: Path) -> None:
    """A channel that is in the target already: with an id of its own, or with the one that the mapping gives it."""
    folder = make_workspace(tmp_path / "w", contacts=2)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    known = "00000000-0000-4000-8000-000000000001"
    if same_id:
        assert in_process("-C", folder, "run", "seed.channel").status == 0
        known = sql(folder, "SELECT id FROM channel WHERE code = 'telefoon'")[0][0]
        (folder / "target.db").unlink()
        assert in_process("-C", folder, "db", "upgrade").status == 0
    sql(folder, "INSERT INTO channel (id, code, name, is_active) VALUES (?, 'telefoon', 'Bellen', 1)", known)
    answer(folder, "run", status=3)
    (listed,) = answer(folder, "conflicts", "list", "seed.channel", status=3)["conflicts"]
    assert (listed["code"], listed["target_id"]) == ("record-exists", None if same_id else known)
    shown = answer(folder, "conflicts", "show", "seed.channel", "telefoon")
    assert [each["field"] for each in shown["fields"] if each["difference"]] == ["name"]
    for wrong in ("--keep-target", "--take-source"):
        assert answer(folder, "conflicts", "resolve", "seed.channel", "telefoon", wrong, *WHY, status=2)["code"] == "CNF-004"
    answer(folder, "conflicts", "resolve", "seed.channel", "telefoon", "--adopt", *WHY, status=0)
    assert sql(folder, "SELECT name FROM channel WHERE id = ?", known) == [("Bellen",)]
    planned, ran = answer(folder, "plan"), answer(folder, "run", status=0)
    assert planned["mappings"] == ran["mappings"]
    assert sql(folder, "SELECT name FROM channel WHERE id = ?", known) == [("Telefoon",)]
    assert sql(folder, "SELECT COUNT(*) FROM customer_contact WHERE channel_id = ?", known) == [(2,)]
    assert answer(folder, "reconcile", status=0)["verdict"] == "in_balance"
    assert answer(folder, "run", "--full", status=0)["balanced"]
    edit(folder / "codes/seed/channel.csv", "telefoon,Telefoon,J", "telefoon,Telefonisch,J")
    answer(folder, "run", status=0)
    assert sql(folder, "SELECT name FROM channel WHERE id = ?", known) == [("Telefonisch",)]


def test_what_cannot_be_adopted_is_refused(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w", contacts=2)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    known = "00000000-0000-4000-8000-000000000001"
    sql(folder, "INSERT INTO channel (id, code, name, is_active) VALUES (?, 'telefoon', 'Bellen', 1)", known)
    answer(folder, "run", status=3)
    adopt = ("conflicts", "resolve", "seed.channel", "telefoon", "--adopt", *WHY)
    sql(folder, "UPDATE channel SET code = 'email' WHERE id = ?", known)
    assert answer(folder, *adopt, status=6)["code"] == "CNF-008"
    sql(folder, "DELETE FROM channel WHERE id = ?", known)
    assert answer(folder, *adopt, status=6)["code"] == "CNF-008"
    assert answer(folder, "run", status=0)["balanced"]


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """One person known to two systems, whose note a person changed before the source did."""
    both = {"one": [Person(1, "111", note="een")], "two": [Person(1, "111", prefix="de")]}
    folder = people.people_workspace(tmp_path / "p", both)
    people.run(folder)
    sql(folder, "UPDATE party SET internal_note = 'mens'")
    people.fill(folder, {"one": [Person(1, "111", note="twee")], "two": [Person(1, "111", prefix="de")]})
    people.run(folder)
    return folder


def test_a_shared_record_is_settled_for_all_that_give_to_it(merged: Path) -> None:
    (listed,) = answer(merged, "conflicts", "list", status=3)["conflicts"]
    assert (listed["mapping"], listed["code"]) == ("one.person", "edited-in-target")
    answer(merged, "conflicts", "resolve", "one.person", "1", "--keep-target", *WHY, status=0)
    people.run(merged)
    assert answer(merged, "run", "--full", status=0)["balanced"]
    assert people.parties(merged)[0][3] == "mens"
    assert people.in_balance(merged)
    # The other system changes its row: the record is another one, so somebody has to choose again.
    people.fill(merged, {"one": [Person(1, "111", note="twee")], "two": [Person(1, "111", prefix="van")]})
    people.run(merged)
    answer(merged, "run", "--full")
    assert people.parties(merged)[0][3] == "mens"


def test_the_source_of_a_shared_record_is_written(merged: Path) -> None:
    answer(merged, "conflicts", "resolve", "one.person", "1", "--take-source", *WHY, status=0)
    people.run(merged)
    assert people.parties(merged)[0][3] == "twee"
    assert people.in_balance(merged)
    assert answer(merged, "conflicts", "list", status=0)["total"] == 0


def test_a_shared_record_of_others_is_adopted(tmp_path: Path) -> None:
    """A party that is in the target already under the id that its identity gives."""
    both = {"one": [Person(1, "111", note="een")], "two": [Person(1, "111", prefix="de")]}
    people.run(people.people_workspace(tmp_path / "a", both))
    known = sql(tmp_path / "a", "SELECT id FROM party")[0][0]
    folder = people.people_workspace(tmp_path / "b", both)
    sql(folder, "INSERT INTO party (id, party_type, surname, is_active) VALUES (?, 'persoon', 'Smit', 1)", known)
    people.run(folder)
    listed = answer(folder, "conflicts", "list", status=3)["conflicts"]
    assert {each["code"] for each in listed} == {"record-exists"}
    first = listed[0]
    answer(folder, "conflicts", "resolve", first["mapping"], first["key"][0], "--adopt", *WHY, status=0)
    people.run(folder)
    assert people.everything(folder) == people.everything(tmp_path / "a")
    assert people.in_balance(folder)
    assert answer(folder, "conflicts", "list", status=0)["total"] == 0


def test_promise_5_conflicts_are_settled_by_name(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """On the dirty demo: three cases that people edited and the source changed; one is kept, one taken, one left."""
    folder = copy_workspace(loaded_demo(tmp_path_factory), tmp_path / "demo")
    numbers = [row[0] for row in sql(folder, "SELECT identification FROM case_file ORDER BY identification LIMIT 3")]
    for number in numbers:
        sql(folder, "UPDATE case_file SET explanation = 'Door een mens' WHERE identification = ?", number)
    with closing(sqlite3.connect(folder / "systems/zaak.db")) as zaak, zaak:
        for number in numbers:
            zaak.execute("UPDATE ZKN_ZAAK SET ONDERWERP = 'Uit de bron' WHERE RTRIM(ZAAKNR) = ?", (number,))
    answer(folder, "run", "zaak.case", status=3)
    keys = [each["key"][0] for each in answer(folder, "conflicts", "list", "zaak.case", status=3)["conflicts"]]
    assert len(keys) == 3
    answer(folder, "conflicts", "resolve", "zaak.case", keys[0], "--keep-target", *WHY, status=0)
    answer(folder, "conflicts", "resolve", "zaak.case", keys[1], "--take-source", *WHY, status=0)
    planned, ran = answer(folder, "plan"), answer(folder, "run", status=3)
    assert planned["mappings"] == ran["mappings"]
    (books,) = [each for each in ran["mappings"] if each["mapping"] == "zaak.case"]
    assert (books["updated"], books["conflict"]) == (1, 1)
    found = sql(folder, "SELECT explanation, description FROM case_file WHERE identification IN (?, ?, ?)", *numbers)
    assert sum(each[0] == "Door een mens" for each in found) == 2
    assert sum(each[1] == "Uit de bron" for each in found) == 1
    causes = {each["cause"] for each in answer(folder, "reconcile", "zaak.case", status=3)["findings"]}
    assert causes == {"edited in target"}
