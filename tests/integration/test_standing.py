"""A relation that did not change is not read again; whatever could change the answer for one row makes it be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from targets import ledger_rows, model_rows, upgrade
from tiny_workspace import contact, edit, make_workspace, write_actors, write_contacts


@pytest.fixture
def loaded(tmp_path: Path, omnicase: CommandLine) -> Path:
    folder = make_workspace(tmp_path / "w")
    upgrade(folder)
    assert omnicase("-C", folder, "run").status == 0
    return folder


@pytest.fixture
def run(omnicase: CommandLine) -> Callable[..., dict[str, dict[str, Any]]]:
    def books(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
        answer = omnicase("-C", folder, "--format", "json", "run", *options)
        assert answer.status in (0, 3), answer.err
        return {each["mapping"]: each for each in answer.document["mappings"]}

    return books


def standing(books: dict[str, dict[str, Any]]) -> set[str]:
    return {name for name, each in books.items() if each["standing"]}


EVERY = {"seed.channel", "oud.actor", "kcc.contact"}


def test_an_unchanged_source_is_not_read(loaded: Path, omnicase: CommandLine, run: Any) -> None:
    before = model_rows(loaded / "target.db"), ledger_rows(loaded / "target.db")
    answer = omnicase("-C", loaded, "run")
    assert "Not read again, since their sources did not change by a byte: 3 of 3 mappings (--full reads them)." in answer.out
    again, compared = run(loaded), run(loaded, "--full")
    assert (standing(again), standing(compared)) == (EVERY, set())
    assert {name: each | {"standing": True} for name, each in compared.items()} == again
    assert (model_rows(loaded / "target.db"), ledger_rows(loaded / "target.db")) == before
    assert omnicase("-C", loaded, "reconcile").status == 0


def test_plan_says_the_same(loaded: Path, omnicase: CommandLine) -> None:
    plan = omnicase("-C", loaded, "--format", "json", "plan").document["mappings"]
    assert plan == omnicase("-C", loaded, "--format", "json", "run").document["mappings"]


def _contact_changed(folder: Path) -> None:
    write_contacts(folder, [*(contact(number) for number in range(1, 20)), contact(20, ONDERWERP="Iets anders")])


def _other_table_changed(folder: Path) -> None:
    # The digest is that of the whole database: what it says of one table is not known.
    with closing(sqlite3.connect(folder / "systems/oud.db")) as old:
        old.execute("CREATE TABLE OTHER (NR INTEGER)")
        old.commit()


def _codes_changed(folder: Path) -> None:
    edit(folder / "codes/kanaal.csv", "TEL,telefoon", "TEL,balie")


def _mapping_changed(folder: Path) -> None:
    edit(folder / "mappings/oud.actor.yml", "{from: NAAM}", "{from: NAAM, do: [upper]}")


def _comment_added(folder: Path) -> None:
    edit(folder / "mappings/oud.actor.yml", "mapping: oud.actor", "# which version of the file wrote it\nmapping: oud.actor")


@pytest.mark.parametrize(
    ("change", "read"),
    [
        (_contact_changed, {"kcc.contact"}),
        (_other_table_changed, {"oud.actor"}),
        (_codes_changed, {"kcc.contact"}),
        (_mapping_changed, {"oud.actor"}),
        (_comment_added, {"oud.actor"}),
    ],
)
def test_what_changed_is_read_and_nothing_else(
    change: Callable[[Path], None], read: set[str], loaded: Path, run: Any
) -> None:
    change(loaded)
    assert EVERY - standing(run(loaded)) == read
    assert standing(run(loaded)) == EVERY


def test_rows_that_cannot_be_read_or_share_a_key_are_read_each_time(loaded: Path, run: Any) -> None:
    for rows in ([contact(1), [*contact(2), "too many"]], [contact(1), contact(1, ONDERWERP="twee")]):
        write_contacts(loaded, rows)
        books = run(loaded)
        assert books["kcc.contact"]["rejected"] > 0
        again = run(loaded)
        assert standing(again) == EVERY - {"kcc.contact"}
        assert again["kcc.contact"]["rejected"] == books["kcc.contact"]["rejected"]


def test_a_record_in_conflict_is_compared_each_time(loaded: Path, run: Any) -> None:
    with closing(sqlite3.connect(loaded / "target.db")) as target:
        target.execute("UPDATE actor SET job_title = 'door een mens' WHERE employee_code = 'm1'")
        target.commit()
    assert standing(run(loaded)) == EVERY
    write_actors(loaded, [("m1", "Een ander", "", 1)])
    for _ in range(2):
        books = run(loaded)
        assert books["oud.actor"]["conflict"] == 1
        assert "oud.actor" not in standing(books)


def test_rows_that_wait_are_tried_when_what_they_wait_for_arrives(tmp_path: Path, run: Any) -> None:
    folder = make_workspace(tmp_path / "w")
    upgrade(folder)
    run(folder, "seed.channel")
    waiting = run(folder, "kcc.contact")["kcc.contact"]
    assert waiting["inserted"] == 0
    # Nothing of its source changed, and nothing arrived: its rows stand as they are, waiting.
    assert standing(run(folder, "kcc.contact")) == {"kcc.contact"}
    run(folder, "oud.actor")
    books = run(folder, "kcc.contact")
    assert not standing(books)
    assert books["kcc.contact"]["inserted"] == books["kcc.contact"]["read"]
    # In one run: what stands is settled when what it waits for is loaded after it.
    assert model_rows(folder / "target.db") == model_rows(_loaded_at_once(tmp_path / "at-once", run) / "target.db")


def _loaded_at_once(folder: Path, run: Any) -> Path:
    make_workspace(folder)
    upgrade(folder)
    run(folder)
    return folder


def test_a_reading_that_was_not_finished_is_not_trusted(loaded: Path, omnicase: CommandLine, run: Any) -> None:
    _contact_changed(loaded)
    changed = (loaded / "systems/kcc/contact.csv").read_bytes()
    killed = omnicase.spawn("-C", loaded, "run", "kcc.contact", env={"OMNICASE_FAILPOINT": "before-finish:1"})
    assert killed.status < 0
    write_contacts(loaded, [contact(number) for number in range(1, 21)])
    killed = omnicase.spawn("-C", loaded, "run", "kcc.contact", env={"OMNICASE_FAILPOINT": "before-commit:1"})
    assert killed.status < 0
    # Back to what was read to its end by the run before that: what the run in between committed is not known here.
    (loaded / "systems/kcc/contact.csv").write_bytes(changed)
    assert "kcc.contact" not in standing(run(loaded))
    assert "kcc.contact" in standing(run(loaded))


@pytest.mark.parametrize("moment", ["before-commit", "after-commit"])
def test_killed_while_counting_what_stands(moment: str, loaded: Path, omnicase: CommandLine, run: Any) -> None:
    whole = run(loaded)
    for number in (1, 2, 3):
        assert omnicase.spawn("-C", loaded, "run", env={"OMNICASE_FAILPOINT": f"{moment}:{number}"}).status < 0
        assert run(loaded) == whole
