"""A run is taken back: target and ledger are what they were, people's work is spared (promise 7, R7, R36, R37)."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import people_workspace as people
import pytest
from command_line import ROOT, CommandLine, in_process
from made_once import made_once
from people_workspace import Person
from small_demo import loaded_demo
from target_content import content, differences
from targets import assert_same_target, copy_workspace, ledger_rows, model_rows, open_read_only
from tiny_workspace import contact, edit, make_workspace, write_contacts

from migrate.ledger.undo_tables import TWINS

pytestmark = pytest.mark.no_cover

WHOLE = ("zaak.case_property", "zaak.case_status", "zaak.person")


def answer(folder: Path, *words: str, status: int | None = None) -> Any:
    """Return the document of a verb."""
    found = in_process("-C", folder, "--format", "json", *words)
    assert status is None or found.status == status, found.out + found.err
    return found.document


def sql(folder: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        return target.execute(statement, values).fetchall()


def whole_ledger(folder: Path) -> dict[str, list[str]]:
    """Return every table that a rollback restores, with every column but numbers of rows and runs."""
    with closing(open_read_only(folder / "target.db")) as target:
        found = {}
        for name in TWINS:
            columns = [row[1] for row in target.execute(f"PRAGMA table_info(migration_{name})")]
            kept = ", ".join(f'"{each}"' for each in columns if each not in ("id", "run_id"))
            found[name] = sorted(map(repr, target.execute(f"SELECT {kept} FROM migration_{name}")))
        return found


def images(folder: Path) -> int:
    """Count the before-images."""
    return sum(sql(folder, f"SELECT COUNT(*) FROM migration_before_{name}")[0][0] for name in (*TWINS, "row"))


def change_sources(folder: Path) -> None:
    """Insert, update and delete rows, let people become one and part again, and let deletes remove and close."""
    with closing(sqlite3.connect(folder / "systems/zaak.db")) as zaak, zaak:
        zaak.execute("UPDATE ZKN_ZAAK SET ONDERWERP = 'Nieuw onderwerp' WHERE rowid % 3 = 0")
        zaak.execute("DELETE FROM ZKN_KENMERK WHERE KENMID % 5 = 0")
        zaak.execute("DELETE FROM ZKN_STATUS WHERE rowid % 7 = 0")
        zaak.execute("DELETE FROM ZKN_PERSOON WHERE PERSID % 11 = 0")
        zaak.execute("UPDATE ZKN_PERSOON SET BSN = NULL WHERE PERSID % 4 = 0")
        zaak.execute(
            "UPDATE ZKN_PERSOON SET BSN = (SELECT BSN FROM ZKN_PERSOON p WHERE p.PERSID < ZKN_PERSOON.PERSID"
            " AND p.BSN IS NOT NULL LIMIT 1) WHERE PERSID % 9 = 1"
        )
        columns = [row[1] for row in zaak.execute("PRAGMA table_info(ZKN_KENMERK)")]
        rest = ", ".join(each for each in columns if each != "KENMID")
        zaak.execute(f"INSERT INTO ZKN_KENMERK (KENMID, {rest}) SELECT KENMID + 900000, {rest} FROM ZKN_KENMERK LIMIT 20")
    for name in WHOLE:
        file = folder / f"mappings/{name}.yml"
        text, count = re.subn(r"incremental: \{.*\}", "incremental: {deletes: remove, max_deletes: 100%}", file.read_text())
        if not count:
            text = text.replace("\nsource:", "\nincremental: {deletes: remove, max_deletes: 100%}\nsource:", 1)
        file.write_text(text)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dirty demo after a first run, changes in its sources, and a second run."""

    def make(folder: Path) -> None:
        copy_workspace(loaded_demo(tmp_path_factory), folder)
        change_sources(folder)
        answer(folder, "run", status=3)

    return made_once(tmp_path_factory, "changed-demo", make)


def test_promise_7_undo(changed: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The second run taken back, target and ledger are those of the first one; that taken back, nothing is left."""
    before, folder = loaded_demo(tmp_path_factory), copy_workspace(changed, tmp_path / "demo")
    assert images(before) == 0, "a first load keeps no before-images"
    assert model_rows(folder / "target.db") != model_rows(before / "target.db")
    edit(folder / "workspace.yml", "batch_rows: 97", "batch_rows: 1000")  # fewer pages; kills are tried with more
    refused = answer(folder, "rollback", "1", status=6)
    assert refused["code"] == "UND-002" and ": 2" in refused["message"]
    done = answer(folder, "rollback", "last", "--reason", "wrong sources", status=0)
    assert min(done[name] for name in ("removed", "restored", "made")) > 0
    assert_same_target(folder / "target.db", before / "target.db")
    assert whole_ledger(folder) == whole_ledger(before)
    assert images(folder) == 0
    assert [run["state"] for run in answer(folder, "status")["runs"]] == ["completed", "rolled_back"]
    assert answer(folder, "status", "2")["state"] == "rolled_back"
    assert answer(folder, "rollback", "2", status=0)["already"] is True
    # What the second run would do is done again, as if it had never been.
    again = copy_workspace(folder, tmp_path / "again")
    answer(again, "run", status=3)
    assert_same_target(again / "target.db", changed / "target.db")
    assert answer(folder, "rollback", "1", status=0)["removed"] > 3_000
    assert not any(model_rows(folder / "target.db").values())
    assert not any(whole_ledger(folder).values()) and not any(ledger_rows(folder / "target.db").values())
    assert answer(folder, "rollback", "last", status=2)["code"] == "UND-001"


KILLS = [("before-rollback-prepared", 1), ("after-rollback-prepared", 1), ("before-rollback-commit", 1),
         ("before-rollback-commit", 2), ("after-rollback-batch", 1), ("after-rollback-batch", 3), ("after-rollback-batch", 6),
         ("after-rollback-ledger", 1), ("after-rollback-ledger", 40), ("before-rollback-finish", 1)]


@pytest.mark.sample(2)
@pytest.mark.parametrize("failpoint", [f"{name}:{hit}" for name, hit in KILLS])
def test_r7_killed_during_rollback(
    failpoint: str, changed: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed in the middle, a rollback keeps runs out, leaves no half case, and ends where it would have ended."""
    folder, before = copy_workspace(changed, tmp_path / "killed"), loaded_demo(tmp_path_factory)
    killed = CommandLine().spawn("-C", folder, "rollback", "last", env={"OMNICASE_FAILPOINT": failpoint})
    assert killed.status == -9, f"{failpoint} was never reached: {killed.err}"
    half = sql(folder, "SELECT state FROM migration_run WHERE id = 2")[0][0] == "rolling_back"
    if half:
        assert answer(folder, "run", status=6)["code"] == "UND-004"
    for table in ("case_property", "case_status", "case_role"):
        lost = f"SELECT COUNT(*) FROM {table} WHERE case_id NOT IN (SELECT id FROM case_file)"
        assert sql(folder, lost) == [(0,)]
    assert answer(folder, "rollback", "2", status=0)["resumed"] is half
    assert_same_target(folder / "target.db", before / "target.db")
    assert whole_ledger(folder) == whole_ledger(before)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A first run of three contacts; a second one changed contact 2 and made contact 4 and actor m9."""
    folder = make_workspace(tmp_path / "w", contacts=3)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    answer(folder, "run", status=0)
    with closing(sqlite3.connect(folder / "systems/oud.db")) as old, old:
        old.execute("INSERT INTO MEDEW VALUES ('m9', 'Medewerker 9', 'balie', 1)")
    write_contacts(folder, [contact(1), contact(2, ONDERWERP="Uit de bron"), contact(3), contact(4, MEDEW="m9")])
    answer(folder, "run", status=0)
    return folder


def subjects(folder: Path) -> dict[str, str]:
    return dict(sql(folder, "SELECT contact_number, subject FROM customer_contact"))


def test_r36_what_people_edited_or_link_to_is_spared_and_listed(tiny: Path) -> None:
    sql(tiny, "UPDATE customer_contact SET subject = 'Van een mens' WHERE contact_number IN ('2', '4')")
    done = answer(tiny, "rollback", "last", status=3)
    assert sorted((each["table"], each["why"]) for each in done["spared"]) == [
        ("actor", "linked"), ("customer_contact", "edited"), ("customer_contact", "edited")
    ]
    assert subjects(tiny) == {"1": "Vraag 1", "2": "Van een mens", "3": "Vraag 3", "4": "Van een mens"}
    # They are ours still: the next run finds the edits, writes over nothing, and makes nothing twice.
    books = {each["mapping"]: each for each in answer(tiny, "run")["mappings"]}
    assert (books["kcc.contact"]["inserted"], books["oud.actor"]["inserted"]) == (0, 0)
    assert {each["cause"] for each in answer(tiny, "reconcile", status=3)["findings"]} == {"edited in target"}


def test_r36_a_case_that_was_edited_stays_whole(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """On the dirty demo: of all cases only the one that a person edited stays, with its parts and what it links to."""
    folder = copy_workspace(loaded_demo(tmp_path_factory), tmp_path / "demo")
    edit(folder / "workspace.yml", "batch_rows: 97", "batch_rows: 1000")
    case, = sql(folder, "SELECT case_id FROM case_status GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1")[0]
    was, = sql(folder, "SELECT explanation FROM case_file WHERE id = ?", case)[0]
    sql(folder, "UPDATE case_file SET explanation = 'Van een mens' WHERE id = ?", case)
    parts = {table: sql(folder, f"SELECT * FROM {table} WHERE case_id = ? ORDER BY id", case)
             for table in ("case_status", "case_role", "case_property", "case_document", "case_result")}
    done = answer(folder, "rollback", "last", status=3)
    assert {"edited", "linked", "part"} == {each["why"] for each in done["spared"]}
    assert sql(folder, "SELECT id, explanation FROM case_file") == [(case, "Van een mens")]
    assert parts["case_status"] and parts["case_role"]
    for table, rows in parts.items():
        assert sql(folder, f"SELECT * FROM {table} ORDER BY id") == rows
    assert sql(folder, "PRAGMA foreign_key_check") == []
    # All of it is loaded again around the case, and only the edit is a difference.
    answer(folder, "run", status=3)
    sql(folder, "UPDATE case_file SET explanation = ? WHERE id = ?", was, case)
    assert_same_target(folder / "target.db", loaded_demo(tmp_path_factory) / "target.db")


def test_what_is_linked_to_by_records_of_others_is_spared(tiny: Path) -> None:
    actor = sql(tiny, "SELECT id FROM actor WHERE employee_code = 'm9'")[0][0]
    sql(tiny, "INSERT INTO actor (id, actor_type, name, unit_id, is_active) VALUES"
              " ('00000000-0000-4000-8000-000000000001', 'medewerker', 'Nieuw', ?, 1)", actor)
    done = answer(tiny, "rollback", "last", status=3)
    assert [(each["id"], each["why"]) for each in done["spared"]] == [(actor, "linked")]
    assert subjects(tiny) == {"1": "Vraag 1", "2": "Vraag 2", "3": "Vraag 3"}
    assert (done["removed"], done["restored"]) == (1, 1)


def test_what_people_chose_to_keep_is_spared(tiny: Path) -> None:
    sql(tiny, "UPDATE customer_contact SET subject = 'Van een mens' WHERE contact_number = '2'")
    write_contacts(tiny, [contact(1), contact(2, ONDERWERP="Nieuwer"), contact(3), contact(4, MEDEW="m9")])
    answer(tiny, "run", status=3)
    answer(tiny, "conflicts", "resolve", "kcc.contact", "2", "--keep-target", "--reason", "it is right", status=0)
    assert answer(tiny, "rollback", "last", status=0)["spared"] == []
    assert [each["why"] for each in answer(tiny, "rollback", "2", status=3)["spared"]] == ["settled"]
    assert subjects(tiny)["2"] == "Van een mens"


def test_r37_only_the_newest_and_across_no_model(tiny: Path) -> None:
    assert answer(tiny, "rollback", "1", status=6)["code"] == "UND-002"
    assert answer(tiny, "rollback", "7", status=2)["code"] == "RUN-013"
    assert answer(tiny, "rollback", "newest", status=2)["code"] == "CLI-001"
    sql(tiny, "UPDATE migration_run SET model_revision = 'model_0000'")
    assert answer(tiny, "rollback", "last", status=6)["code"] == "UND-003"
    assert subjects(tiny)["2"] == "Uit de bron"


def test_the_answer_follows_its_published_schema(tiny: Path) -> None:
    schema = json.loads((ROOT / "migrate/documents/rollback.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    sql(tiny, "UPDATE customer_contact SET subject = 'Van een mens' WHERE contact_number = '2'")
    document = answer(tiny, "rollback", "last", status=3)
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document | {"state": "done"}, schema)


def test_an_interrupted_run_is_rolled_back_too(tiny: Path) -> None:
    before = model_rows(tiny / "target.db"), whole_ledger(tiny)
    write_contacts(tiny, [contact(number, VRAAG="anders") for number in range(1, 200)])
    killed = CommandLine().spawn("-C", tiny, "run", env={"OMNICASE_FAILPOINT": "after-commit:4"})
    assert killed.status == -9
    assert model_rows(tiny / "target.db") != before[0]
    answer(tiny, "rollback", "last", status=0)
    assert (model_rows(tiny / "target.db"), whole_ledger(tiny)) == before


def test_merged_people_come_apart_again(tmp_path: Path) -> None:
    """People who became one in the second run, parted, and changed: with their addresses they are who they were."""
    first = {"one": [Person(1, "111", note="een"), Person(2, "222"), Person(3, None, surname="Smit")],
             "two": [Person(1, "111", prefix="de"), Person(2, "333")]}
    second = {"one": [Person(1, "111", note="twee"), Person(2, "333"), Person(3, "222", surname="Smit")],
              "two": [Person(1, None, prefix="de"), Person(4, "222")]}
    folder = people.people_workspace(tmp_path / "p", first)
    people.run(folder)
    before = people.everything(folder), whole_ledger(folder)
    people.fill(folder, second)
    people.run(folder)
    assert people.everything(folder) != before[0]
    answer(folder, "rollback", "last", status=0)
    assert (people.everything(folder), whole_ledger(folder)) == before
    people.run(folder)
    answer(folder, "rollback", "last", status=0)
    twice = answer(folder, "rollback", "last", status=6)
    assert (twice["code"], "run 1 is" in twice["message"]) == ("UND-009", True), "typed twice, it takes one run back"
    assert people.everything(folder) == before[0]
    answer(folder, "rollback", "1", status=0)
    assert people.everything(folder) == []


def test_a_record_that_was_closed_is_open_again(tiny: Path) -> None:
    edit(tiny / "mappings/oud.actor.yml", "\nsource:", '\nincremental: {deletes: {close: {is_active: "false"}}, max_deletes: 100%}\nsource:')
    with closing(sqlite3.connect(tiny / "systems/oud.db")) as old, old:
        old.execute("DELETE FROM MEDEW WHERE CODE = 'm3'")
    before = model_rows(tiny / "target.db"), whole_ledger(tiny)
    answer(tiny, "run")
    assert sql(tiny, "SELECT is_active FROM actor WHERE employee_code = 'm3'") == [(0,)]
    answer(tiny, "rollback", "last", status=0)
    assert (model_rows(tiny / "target.db"), whole_ledger(tiny)) == before


def test_the_triggers_of_the_ledger_are_checked(tiny: Path) -> None:
    sql(tiny, "DROP TRIGGER migration_keep_id_map_update")
    found = in_process("-C", tiny, "db", "check")
    assert found.status == 5 and "migration_keep_id_map_update is missing" in found.out + found.err


def test_promise_7_undo_on_postgresql(tmp_path: Path, postgres_database: str) -> None:
    """On PostgreSQL triggers keep whole statements: updates, conflicts, merges and removals go back there too."""
    both = {"one": [Person(1, "111", note="een"), Person(2, "222")], "two": [Person(1, "111", prefix="de"), Person(2, "333")]}
    other = {"one": [Person(1, "111", note="twee"), Person(2, "333")], "two": [Person(1, None, prefix="de"), Person(4, "222")]}
    folder, env = people.people_workspace(tmp_path / "p", both), {"OMNICASE_TARGET_URL": postgres_database}

    def verb(*words: str, status: tuple[int, ...] = (0, 3)) -> Any:
        found = in_process("-C", folder, "--format", "json", *words, env=env)
        assert found.status in status, found.out + found.err
        return found.document

    assert in_process("-C", folder, "db", "upgrade", env=env).status == 0
    verb("run")
    before = content(postgres_database)
    people.fill(folder, other)
    verb("run")
    assert differences(content(postgres_database), before, runs=False)
    done = verb("rollback", "last", status=(0,))
    assert done["removed"] and done["restored"]
    assert verb("rollback", "last", status=(6,))["code"] == "UND-009"
    assert not differences(content(postgres_database), before, runs=False)
    verb("rollback", "1", status=(0,))
    assert not any(rows for name, rows in content(postgres_database).items() if name.startswith("model."))
    assert in_process("-C", folder, "db", "check", env=env).status == 0


def test_who_shares_a_row_with_somebody_who_is_spared_is_spared_too(tmp_path: Path) -> None:
    """A row went over to another person, who was edited since: its former person is not made again without it."""
    first = {"one": [Person(1, "111"), Person(2, "222")], "two": [Person(1, "333")]}
    folder = people.people_workspace(tmp_path / "p", first)
    people.run(folder)
    people.fill(folder, {"one": [Person(1, "111"), Person(2, "333", note="twee")], "two": [Person(1, "333")]})
    people.run(folder)
    known = "SELECT i.target_id FROM migration_id_map i JOIN migration_mapping m ON m.id = i.mapping_id WHERE m.name = 'two.person'"
    ((stays,),) = sql(folder, known)
    sql(folder, "UPDATE party SET internal_note = 'Van een mens' WHERE id = ?", stays)
    found = answer(folder, "rollback", "last", status=3)
    why = sorted((each["table"], each["why"], each["id"] == stays) for each in found["spared"])
    links = [("digital_address", "link-gone", False)] * 2
    assert why == [*links, ("party", "edited", True), ("party", "shared", False)]
    verdict = in_process("-C", folder, "--format", "json", "reconcile", "--level", "keys")
    assert [each["cause"] for each in verdict.document["groups"] if each["check"] == "keys.target_to_source"] == []
