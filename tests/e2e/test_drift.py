"""`drift --since RUN`: what changed on either side, also when later runs took some of it over."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import jsonschema
from command_line import Answer, in_process
from tiny_workspace import contact, edit, make_workspace, write_contacts

from migrate.drift import drift_schema


def _answer(folder: Path, *arguments: str) -> Answer:
    return in_process("-C", folder, "--format", "json", *arguments)


def _drift(folder: Path, since: str, status: int = 3) -> dict[str, dict]:
    found = _answer(folder, "drift", "--since", since)
    assert found.status == status, found.err + found.out
    jsonschema.validate(found.document, drift_schema(), cls=jsonschema.Draft202012Validator)
    document = found.document
    return {"document": document} | {each["mapping"]: each for each in document["mappings"]} | {
        each["table"]: each for each in document["tables"]
    }  # fmt: skip


def _loaded(folder: Path) -> Path:
    folder = make_workspace(folder, contacts=8)
    for verb in ("db upgrade", "run"):
        assert in_process("-C", folder, *verb.split()).status == 0
    return folder


def _source(folder: Path, *numbers: int, **changed: str) -> None:
    write_contacts(folder, [contact(each, **(changed if each == 2 else {})) for each in numbers])


def _target(folder: Path, do: Callable[[sqlite3.Connection], object]) -> None:
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        do(target)


def test_both_sides_are_followed_over_several_runs(tmp_path: Path) -> None:
    folder = _loaded(tmp_path / "w")
    nothing = _drift(folder, "1", status=0)
    assert nothing["document"]["total"] == 0

    _source(folder, 2, 3, 4, 5, 6, 7, 8, 9, ONDERWERP="Iets anders")
    found = _drift(folder, "last")["kcc.contact"]
    assert [found[kind] for kind in ("added", "changed", "removed", "unknown")] == [1, 1, 1, 0]
    assert (found["keys"]["added"], found["keys"]["changed"], found["keys"]["removed"]) == ([["9"]], [["2"]], [["1"]])
    assert found["waiting"] == {"added": 1, "changed": 1, "removed": 1, "unknown": 0}

    assert in_process("-C", folder, "run").status in (0, 3)
    taken = _drift(folder, "1")["kcc.contact"]
    assert [taken[kind] for kind in ("added", "changed", "removed")] == [1, 1, 1], "as run 1 left it, not as run 2 did"
    assert taken["waiting"] == {"added": 0, "changed": 0, "removed": 0, "unknown": 0}
    _drift(folder, "2", status=0)

    _source(folder, 2, 3, 4, 5, 6, 7, 8, 9)
    back = _drift(folder, "1")["kcc.contact"]
    assert (back["changed"], _drift(folder, "2")["kcc.contact"]["changed"]) == (0, 1), "it is again what run 1 saw"
    assert in_process("-C", folder, "run").status in (0, 3)
    taken = _drift(folder, "1")["kcc.contact"]
    assert [taken[kind] for kind in ("added", "changed", "removed")] == [1, 0, 1], "two later runs changed the row"
    _source(folder, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    assert _drift(folder, "3")["kcc.contact"]["keys"]["added"] == [["1"]], "it was gone, and is back"


def test_what_people_did_in_the_new_system_is_told_by_record(tmp_path: Path) -> None:
    folder = _loaded(tmp_path / "w")
    _target(folder, lambda target: target.execute("UPDATE actor SET name = 'X' WHERE employee_code = 'm2'"))
    _target(folder, lambda target: target.execute("DELETE FROM customer_contact WHERE contact_number = '3'"))
    _target(
        folder,
        lambda target: target.execute(
            "INSERT INTO channel (id, code, name, is_active)"
            " VALUES ('00000000-0000-4000-8000-000000000001', 'post', 'Post', 1)"
        ),
    )
    found = _drift(folder, "1")
    assert (found["actor"]["edited"], found["customer_contact"]["removed"], found["channel"]["made"]) == (1, 1, 1)
    assert found["customer_contact"]["records"]["removed"][0]["key"] == ["3"]
    assert found["channel"]["records"]["made"][0]["mapping"] is None
    said = in_process("-C", folder, "drift", "--since", "1").out
    assert "bewerkt 1" in said and "verwijderd 1" in said and "geen rij is erbij gekomen" in said


def test_a_mapping_that_changed_makes_rows_unknown_and_not_changed(tmp_path: Path) -> None:
    folder = _loaded(tmp_path / "w")
    edit(folder / "mappings/kcc.contact.yml", "language:         {const: nld}", "language:         {const: fry}")
    found = _drift(folder, "1")["kcc.contact"]
    assert (found["mapping_changed"], found["changed"], found["unknown"]) == (True, 0, 8)
    assert in_process("-C", folder, "run").status in (0, 3)
    found = _drift(folder, "1")["kcc.contact"]
    assert (found["mapping_changed"], found["changed"], found["unknown"]) == (True, 0, 8), "it meant this in run 2 only"


def test_runs_that_tell_nothing_are_refused(tmp_path: Path) -> None:
    empty = make_workspace(tmp_path / "e")
    assert in_process("-C", empty, "db", "upgrade").status == 0
    assert _answer(empty, "drift").document["message"] == "there is no run yet"
    folder = _loaded(tmp_path / "w")
    refused = _answer(folder, "drift", "--since", "7")
    assert (refused.status, refused.document["code"]) == (2, "RUN-013")
    assert _answer(folder, "drift", "--since", "-1; x").status == 2
    assert in_process("-C", folder, "rollback", "last", "--reason", "een test").status == 0
    undone = _answer(folder, "drift", "--since", "1")
    assert (undone.status, undone.document["code"]) == (6, "REC-041")
