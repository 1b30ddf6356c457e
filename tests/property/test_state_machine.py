"""Anything that can happen, in any order: the target and the books are what a model of a few lines says (promises 1 to 5, 7).

The model knows no batches, hashes or transactions: a record holds what was last written, unless a person changed it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from command_line import CommandLine, in_process
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tiny_workspace import contact, edit, make_workspace, write_contacts

CODES = [f"m{number}" for number in range(1, 6)]
NUMBERS = [str(number) for number in range(1, 9)]
TITLES = ["balie", "telefoon", "baliehoofd"]
KILLS = ["after-read:1", "after-records:1", "before-commit:1", "after-commit:1", "after-commit:2", "before-finish:1"]
OUTCOMES = ("out_of_scope", "deferred", "late", "inserted", "updated", "unchanged", "rejected", "parked", "conflict", "merged")

CHANGES_DRAW: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "write_actor": {
        "code": st.sampled_from(CODES), "title": st.sampled_from(TITLES), "active": st.sampled_from(["1", "0", "1", "7"])
    },
    "delete_actor": {"code": st.sampled_from(CODES)},
    "write_contact": {
        "number": st.sampled_from(NUMBERS), "subject": st.sampled_from(["Vraag", "Klacht", "Afspraak"]), "code": st.sampled_from(CODES)
    },
    "delete_contact": {"number": st.sampled_from(NUMBERS)},
    "edit_record": {
        "which": st.integers(0, 4), "title": st.sampled_from(["door een mens", "ook door een mens"]), "both": st.booleans()
    },
    "change_the_mapping": {},
}
"""What can happen between two runs, and with what."""
CHANGES = list(CHANGES_DRAW)

Records = dict[str, tuple[str, ...]]


class World(RuleBasedStateMachine):
    """A tiny workspace and its model.  ``actors`` and ``contacts`` are the old systems; ``there`` and ``written`` the target."""

    folder: Path
    url: str

    @initialize()
    def begin(self) -> None:
        World.folder = folder = self.new_folder()
        make_workspace(folder, actors=2, contacts=3)
        edit(folder / "workspace.yml", "batch_rows: 50", "batch_rows: 2")
        edit(folder / "workspace.yml", "sqlite:///target.db", self.new_target(folder))
        self.actors: dict[str, tuple[str, str]] = dict.fromkeys(CODES[:2], ("balie", "1"))
        self.contacts: dict[str, tuple[str, str]] = {number: (f"Vraag {number}", "m1") for number in NUMBERS[:3]}
        self.deleted: set[str] = set()
        self.upper = False
        self.there: dict[str, Records] = {"actor": {}, "contact": {}}
        self.written: dict[str, Records] = {"actor": {}, "contact": {}}
        self.before: list[Any] = []
        self.edited_since_run = False
        self.ran = False
        assert in_process("-C", folder, "db", "upgrade").status == 0
        self.run()

    new_folder: Callable[[], Path]
    new_target: Callable[[Path], str]

    @rule(data=st.data())
    def day(self, data: st.DataObject) -> None:
        """A few things happen, then the toolkit is used, as a rule.

        One rule, since Hypothesis leaves out some rules of each history: without a run there is nothing to see.
        """
        for change in data.draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=4)):
            arguments = {name: data.draw(values) for name, values in CHANGES_DRAW[change].items()}
            getattr(self, change)(**arguments)
        match data.draw(st.sampled_from(["run", "run", "run", "killed", "rollback", "nothing"])):
            case "run":
                self.run()
            case "killed":
                self.run_killed(data.draw(st.sampled_from(KILLS)))
            case "rollback" if self.ran and not self.edited_since_run:
                self.rollback()

    # ---- the old systems change

    def write_actor(self, code: str, title: str, active: str) -> None:
        with closing(sqlite3.connect(self.folder / "systems/oud.db")) as old:
            old.execute("INSERT OR REPLACE INTO MEDEW VALUES (?, ?, ?, ?)", (code, f"Medewerker {code[1:]}", title, int(active)))
            old.commit()
        self.actors[code] = (title, active)

    def delete_actor(self, code: str) -> None:
        if code not in self.actors or any(actor == code for _, actor in self.contacts.values()):
            return
        with closing(sqlite3.connect(self.folder / "systems/oud.db")) as old:
            old.execute("DELETE FROM MEDEW WHERE CODE = ?", (code,))
            old.commit()
        del self.actors[code]
        self.deleted.add(code)

    def write_contact(self, number: str, subject: str, code: str) -> None:
        if code not in self.deleted:
            self.contacts[number] = (subject, code)
            self._write_contacts()

    def delete_contact(self, number: str) -> None:
        if number in self.contacts and len(self.contacts) > 1:  # an empty delivery is refused
            del self.contacts[number]
            self._write_contacts()

    def _write_contacts(self) -> None:
        rows = [contact(number, ONDERWERP=subject, MEDEW=code) for number, (subject, code) in sorted(self.contacts.items())]
        write_contacts(self.folder, rows)

    # ---- people

    def edit_record(self, which: int, title: str, both: bool) -> None:
        """A person edits a record; now and then its row changes as well, which is a conflict."""
        there = sorted(self.there["actor"])
        if not there:
            return
        code = there[which % len(there)]
        if both and code in self.actors:
            self.write_actor(code, next(each for each in TITLES if each != self.actors[code][0]), "1")
        self.do("UPDATE actor SET job_title = :title WHERE employee_code = :code", title=title, code=code)
        self.there["actor"][code] = (title, self.there["actor"][code][1])
        self.edited_since_run = True

    def change_the_mapping(self) -> None:
        file = self.folder / "mappings/oud.actor.yml"
        plain, upper = '{from: FUNCTIE, null_if: [""]}', '{from: FUNCTIE, null_if: [""], do: [upper]}'
        edit(file, *((upper, plain) if self.upper else (plain, upper)))
        self.upper = not self.upper

    # ---- the toolkit

    def run(self) -> None:
        planned = self.books("plan")
        assert self.books("run") == planned, "plan said something else"
        self._ran()
        again = self.books("run")
        assert all(books["inserted"] == books["updated"] == 0 for books in again.values()), "the second run wrote"
        self._remember()  # it is a run, too

    def run_killed(self, place: str) -> None:
        CommandLine().spawn("-C", self.folder, "run", env={"OMNICASE_FAILPOINT": place})
        self.books("run")
        self._ran()

    def _ran(self) -> None:
        self._remember()
        for code, (title, active) in self.actors.items():
            if active in ("0", "1"):
                self._written("actor", code, (title.upper() if self.upper else title, active))
        for number, (subject, code) in self.contacts.items():
            if code in self.there["actor"]:
                self._written("contact", number, (subject, code))
        self.edited_since_run, self.ran = False, True

    def _remember(self) -> None:
        self.before.append(({kind: dict(each) for kind, each in self.there.items()}, {kind: dict(each) for kind, each in self.written.items()}))

    def _written(self, kind: str, key: str, wanted: tuple[str, ...]) -> None:
        there, written = self.there[kind], self.written[kind]
        if key not in there or (written[key] != wanted and there[key] == written[key]):
            there[key] = written[key] = wanted

    def rollback(self) -> None:
        runs = in_process("-C", self.folder, "--format", "json", "status").document["runs"]
        newest = max(each["id"] for each in runs if each["state"] != "rolled_back")
        answer = in_process("-C", self.folder, "rollback", str(newest), "--reason", "test")
        assert answer.status == 0, answer.err
        self.there, self.written = self.before.pop()
        self.ran = bool(self.before)

    # ---- what must hold

    @invariant()
    def the_target_is_as_the_model_says(self) -> None:
        if not hasattr(self, "there"):
            return
        actors = {row[0]: tuple(row[1:]) for row in self.ask("SELECT employee_code, job_title, is_active FROM actor")}
        assert {code: (title, str(int(active))) for code, (title, active) in actors.items()} == self.there["actor"]
        contacts = self.ask("SELECT c.contact_number, c.subject, a.employee_code FROM customer_contact c JOIN actor a ON a.id = c.actor_id")
        assert {row[0]: tuple(row[1:]) for row in contacts} == self.there["contact"]

    def books(self, verb: str) -> dict[str, dict[str, Any]]:
        """Run or plan, and return books that balance."""
        answer = in_process("-C", self.folder, "--format", "json", verb)
        assert answer.status in (0, 3), answer.err + answer.out
        assert answer.document["balanced"]
        found = {books["mapping"]: books for books in answer.document["mappings"]}
        for books in found.values():
            assert books["read"] == sum(books[name] for name in OUTCOMES)
        assert found["oud.actor"]["read"] == len(self.actors) and found["kcc.contact"]["read"] == len(self.contacts)
        return found

    def ask(self, sql: str) -> list[Any]:
        """Ask the target."""
        engine = sa.create_engine(self._url(), poolclass=sa.NullPool)
        with engine.connect() as connection:
            return list(connection.execute(sa.text(sql)))

    def do(self, sql: str, **values: str) -> None:
        """Change the target as a person does."""
        engine = sa.create_engine(self._url(), poolclass=sa.NullPool)
        with engine.begin() as connection:
            assert connection.execute(sa.text(sql), values).rowcount == 1

    def _url(self) -> str:
        return World.url.replace("sqlite:///target.db", f"sqlite:///{self.folder / 'target.db'}")


@pytest.mark.sample(1)
@pytest.mark.no_cover
@pytest.mark.parametrize("part", range(12))
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_any_history_ends_where_the_model_says(
    part: int, database: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    """Random histories of changes, edits, runs, kills and rollbacks; each part another seed."""

    def new_target(_folder: Path) -> str:
        World.url = "sqlite:///target.db"
        if database == "postgresql":
            World.url = str(request.getfixturevalue("new_postgres_database")())
        return World.url.replace("+psycopg", "")

    World.new_target = staticmethod(new_target)  # type: ignore[assignment]
    World.new_folder = staticmethod(lambda: tmp_path_factory.mktemp("world"))  # type: ignore[assignment]
    few = settings(max_examples=5, stateful_step_count=7, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(seed(part)(World), settings=few)
