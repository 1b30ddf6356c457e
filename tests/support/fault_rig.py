"""A slice of the dirty demo that faults strike: on either database, before its first load and before a second one.

The slice has records of two systems that merge, cases that wait for later ones, children, rejected rows, and at the second load
changed, moved, new and deleted rows and records that people edited.  Everything is compared with an undisturbed run.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import sqlalchemy as sa
from command_line import Answer, in_process
from fork_server import ForkServer, Running
from target_content import Content, content, differences

MAPPINGS = ("seed.channel", "zaak.case_type", "zaak.unit", "zaak.actor", "zaak.case", "zaak.case_property",
            "zaak.person", "balie.party", "zaak.person_identifier")
OTHER_CHILDREN = tuple(f"  - {{mapping: zaak.{name}," for name in ("case_status", "case_role", "case_result"))
BATCH_ROWS = 31
DELETES = {
    "zaak.case_property": "incremental: {deletes: remove, max_deletes: 50%}\n",
    "zaak.person_identifier": "incremental: {deletes: remove, max_deletes: 50%}\n",
}
CHANGES = {
    "zaak": [
        "UPDATE ZKN_ZAAK SET ONDERWERP = 'Gewijzigd ' || ONDERWERP WHERE CAST(SUBSTR(ZAAKNR, 6, 5) AS INTEGER) % 3 = 0",
        # A new case, the last one of all, becomes the main case of an old one.
        "CREATE TEMP TABLE made AS SELECT * FROM ZKN_ZAAK WHERE ZAAKNR = (SELECT MAX(ZAAKNR) FROM ZKN_ZAAK)",
        "UPDATE made SET ZAAKNR = 'Z2029-00000001 ', ZAAKID_OUD = NULL, HOOFDZAAK = NULL",
        "INSERT INTO ZKN_ZAAK SELECT * FROM made",
        "UPDATE ZKN_ZAAK SET HOOFDZAAK = 'Z2029-00000001 ' WHERE ZAAKNR IN (SELECT MIN(ZAAKNR) FROM ZKN_ZAAK)",
        "INSERT INTO ZKN_KENMERK SELECT KENMID + 100000, ZAAKNR, NAAM || '2', WAARDE, TYPE FROM ZKN_KENMERK WHERE KENMID % 4 = 0",
        "UPDATE ZKN_KENMERK SET WAARDE = 'geen getal' WHERE TYPE = 'BD' AND KENMID % 2 = 0",
        "UPDATE ZKN_KENMERK SET WAARDE = WAARDE || '!' WHERE TYPE = 'TX' AND KENMID % 3 = 0",
        # One person gets the number of another, one gets a number of nobody's, and names change.
        "UPDATE ZKN_PERSOON SET BSN = (SELECT MAX(BSN) FROM ZKN_PERSOON), GESLNAAM = (SELECT GESLNAAM FROM ZKN_PERSOON"
        " ORDER BY BSN DESC LIMIT 1) WHERE PERSID = (SELECT MIN(PERSID) FROM ZKN_PERSOON)",
        "UPDATE ZKN_PERSOON SET BSN = NULL WHERE PERSID % 10 = 2",
        "UPDATE ZKN_PERSOON SET VOORNAMEN = 'Nieuw ' || VOORNAMEN WHERE PERSID % 5 = 0",
    ],
    "balie": ["UPDATE BLS_KLANT SET NAAM = NAAM || 's' WHERE KLANTNR % 6 = 0"],
}
DELETED = {
    "zaak": ["DELETE FROM ZKN_KENMERK WHERE KENMID % 7 = 0", "DELETE FROM ZKN_PERSOON WHERE PERSID % 17 = 0"],
    "balie": ["DELETE FROM BLS_KLANT WHERE KLANTNR IN (SELECT KLANTNR FROM BLS_KLANT ORDER BY KLANTNR LIMIT 2)"],
}
EDITS = "UPDATE case_file SET explanation = 'Door een mens bijgewerkt' WHERE identification LIKE '%3'"


def _slice(demo: Path, folder: Path) -> None:
    """Copy the demo with only the mappings of the slice, and nothing that only others need."""
    shutil.copytree(demo, folder, ignore=shutil.ignore_patterns("target.db*", "answer_key", "kcc", "tests", "runbooks"))
    (folder / "systems/kcc").mkdir()
    for file in (folder / "mappings").glob("*.yml"):
        if file.stem not in (*MAPPINGS, "defaults"):
            file.unlink()
    with closing(sqlite3.connect(folder / "systems/zaak.db")) as source:
        # The first of all is a sub-case of the last, which lies in another batch: it waits and is tried again.
        source.execute("UPDATE ZKN_ZAAK SET HOOFDZAAK = (SELECT MAX(ZAAKNR) FROM ZKN_ZAAK)"
                       " WHERE ZAAKNR = (SELECT MIN(ZAAKNR) FROM ZKN_ZAAK)")
        source.commit()
    shared = folder / "mappings/defaults.yml"
    read = {name.partition(".")[0] for name in MAPPINGS}
    parts = re.split(r"(?m)^(?=[a-z]+:)", shared.read_text())
    shared.write_text(parts[0] + "".join(part for part in parts[1:] if part.partition(":")[0] in read))
    case = folder / "mappings/zaak.case.yml"
    # Only children of the slice can be counted.
    lines = case.read_text().splitlines(keepends=True)
    case.write_text("".join(line for line in lines if not line.startswith(OTHER_CHILDREN)))
    for name, rule in DELETES.items():
        file = folder / f"mappings/{name}.yml"
        file.write_text("".join(line for line in file.read_text().splitlines(keepends=True)
                                if not line.startswith("incremental:")) + rule)
    _edit(folder / "workspace.yml", "batch_rows: 97", f"batch_rows: {BATCH_ROWS}")


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} in {file.name}"
    file.write_text(text.replace(old, new))


def change_sources(folder: Path, *, deletes: bool = False) -> None:
    """Change the old systems as people do who still work in them."""
    for system in ("zaak", "balie"):
        with closing(sqlite3.connect(folder / f"systems/{system}.db")) as source:
            for sql in CHANGES[system] + (DELETED[system] if deletes else []):
                source.execute(sql)
            source.commit()
    with (folder / "codes/seed/channel.csv").open("a") as file:
        file.write("robot,Robot,N\n")


@dataclass
class Trial:
    """A copy of a state that faults may strike."""

    rig: Rig
    state: str
    folder: Path
    url: str

    def start(self, *more: str, words: tuple[str, ...] = (), failpoint: str = "", url: str = "", most_bytes: int = 0) -> Running:
        """Start `omnicase run` in a process of its own.

        Args:
            more: options before the verb.
            words: options of the verb.
            url: of the target, when it is reached by another way.
        """
        env = {"OMNICASE_TARGET_URL": url or self.url} | ({"OMNICASE_FAILPOINT": failpoint} if failpoint else {})
        return self.rig.server.start("-C", self.folder, *more, "run", *words, env=env, most_bytes=most_bytes)

    def run(self, *more: str, words: tuple[str, ...] = (), failpoint: str = "", url: str = "", most_bytes: int = 0) -> Answer:
        """Run it and wait for its end."""
        return self.start(*more, words=words, failpoint=failpoint, url=url, most_bytes=most_bytes).answer()

    def execute(self, sql: str) -> None:
        """Write to the target as somebody else does."""
        with self.rig.connection(self.url) as connection:
            connection.execute(sql)
            connection.commit()

    def assert_undisturbed(self, *, like: str = "", runs: bool = True) -> None:
        """Compare the whole target and the whole ledger with those of an undisturbed run.

        Args:
            like: the state from which that run started; this one's.
            runs: whether what the ledger says of the run is the same, too.
        """
        wanted = self.rig.undisturbed(like or self.state)
        found = differences(content(self.url), wanted, runs=runs)
        assert found == "", found

    def finish(self) -> Answer:
        """Run until the end, which must be that of an undisturbed run."""
        answer = self.run()
        assert answer.status == 3, f"{answer.status}: {answer.err}"
        self.assert_undisturbed()
        return answer


@dataclass
class Rig:
    """Makes states of the slice on one kind of target, and copies of them.

    Args:
        kind: sqlite or postgresql.
        base: the small demo.
        folder: where it may write.
        new_database: makes an empty PostgreSQL database, given the name of one to copy, and returns its URL.
    """

    kind: str
    base: Path
    folder: Path
    server: ForkServer
    new_database: Callable[[str], str]
    _states: dict[str, Trial] = field(default_factory=dict)
    _contents: dict[str, Content] = field(default_factory=dict)

    def trial(self, state: str, folder: Path) -> Trial:
        """Return a copy of a state: ``first`` (nothing loaded), ``second`` (loaded; changed, deleted and edited since),
        ``later`` (nothing loaded from the changed sources), ``changed`` (loaded, then the same change)."""
        made = self._state(state)
        shutil.copytree(made.folder, folder)
        return Trial(self, state, folder, self._copied(made.url, folder))

    def undisturbed(self, state: str) -> Content:
        """Return what is in the target after an undisturbed run from a state."""
        if state not in self._contents:
            trial = self.trial(state, self.folder / f"undisturbed-{state}")
            answer = trial.run()
            assert answer.status == 3, answer.err
            self._contents[state] = content(trial.url)
        return self._contents[state]

    def _state(self, state: str) -> Trial:
        if state not in self._states:
            folder = self.folder / state
            if state == "first":
                _slice(self.base, folder)
                trial = Trial(self, state, folder, self._empty(folder))
            elif state == "later":
                trial = self.trial("first", folder)
                change_sources(folder)
            else:
                trial = self.trial("first", folder)
                answer = trial.run()
                assert answer.status == 3, answer.err
                change_sources(folder, deletes=state == "second")
                if state == "second":
                    trial.execute(EDITS)
            self._states[state] = trial
        return self._states[state]

    def _empty(self, folder: Path) -> str:
        url = f"sqlite:///{folder}/target.db" if self.kind == "sqlite" else self.new_database("template0")
        answer = in_process("-C", folder, "db", "upgrade", env={"OMNICASE_TARGET_URL": url})
        assert answer.status == 0, answer.err
        return url

    def _copied(self, url: str, folder: Path) -> str:
        if self.kind == "sqlite":
            return f"sqlite:///{folder}/target.db"
        return self.new_database(str(sa.make_url(url).database))

    @contextmanager
    def connection(self, url: str) -> Iterator[sqlite3.Connection | psycopg.Connection]:
        """Open a connection of somebody else to a target."""
        parsed = sa.make_url(url)
        opened: sqlite3.Connection | psycopg.Connection
        if self.kind == "sqlite":
            opened = sqlite3.connect(str(parsed.database))
        else:
            opened = psycopg.connect(parsed.set(drivername="postgresql").render_as_string(hide_password=False))
        with closing(opened):
            yield opened
