"""A reconciliation that was killed goes on with the mappings that were not done, when nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Answer, CommandLine, in_process
from tiny_workspace import contact, make_workspace, write_actors, write_contacts

CORE = ("verdict", "levels", "lacking", "checks", "findings", "groups", "distributions", "rules", "signals")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a loaded workspace with differences in two of its three tables."""
    folder = make_workspace(tmp_path / "w", contacts=12)
    for verb in ("db upgrade", "run"):
        assert in_process("-C", folder, *verb.split()).status == 0
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        target.execute("UPDATE customer_contact SET subject = 'anders' WHERE contact_number IN ('1', '2', '3')")
        target.execute("UPDATE actor SET job_title = 'chef' WHERE employee_code = 'm2'")
    return folder


def _resumed(folder: Path, *options: str) -> Answer:
    return in_process("-C", folder, "--format", "json", "reconcile", "--resume", *options)


def _killed(omnicase: CommandLine, folder: Path, place: str, *options: str) -> None:
    env = {"OMNICASE_FAILPOINT": place}
    killed = omnicase.spawn("-C", folder, "--format", "json", "reconcile", *options, env=env)
    assert killed.status == -signal.SIGKILL, killed.err


def _core(answer: Answer) -> str:
    """Return what two reconciliations of the same must share: all but how long it took."""
    known = {name: answer.document[name] for name in CORE if name in answer.document}
    checks = [{name: value for name, value in each.items() if name != "seconds"} for each in known["checks"]]
    return json.dumps(known | {"checks": sorted(checks, key=json.dumps)}, sort_keys=True)


@pytest.mark.parametrize(("place", "done"), [("after-proof:2", 2), ("between-proof-batches:3", 2)])
def test_a_killed_reconciliation_goes_on(omnicase: CommandLine, folder: Path, place: str, done: int) -> None:
    whole = in_process("-C", folder, "--format", "json", "reconcile")
    assert whole.status == 3 and not list((folder / "reports/unfinished").glob("*/manifest.json"))
    _killed(omnicase, folder, place)
    resumed = _resumed(folder)
    assert resumed.status == 3, resumed.err
    assert len(resumed.document["taken_over"]) == done
    assert _core(resumed) == _core(whole)
    again = _resumed(folder)
    assert (again.status, again.document["code"]) == (6, "REC-043"), "it ended, so nothing is left to resume"


def test_people_write_while_it_is_at_work(omnicase: CommandLine, folder: Path) -> None:
    command = [sys.executable, "-P", "-m", "migrate", "-C", str(folder), "reconcile"]
    stopping = omnicase.environment({"OMNICASE_FAILPOINT": "between-proof-batches:2:stop"})
    with subprocess.Popen(command, env=stopping, stdout=subprocess.DEVNULL) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        try:
            with closing(sqlite3.connect(folder / "target.db", timeout=0)) as target:
                target.execute("UPDATE customer_contact SET subject = 'nu' WHERE contact_number = '9'")
                target.commit()
                # The log can be emptied only when nobody is in the midst of a transaction that reads.
                assert target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        finally:
            process.send_signal(signal.SIGCONT)
        assert process.wait() == 3


def test_what_changed_or_was_bent_is_compared_anew(omnicase: CommandLine, folder: Path) -> None:
    _killed(omnicase, folder, "after-proof:3")
    kept = folder / "reports/unfinished"

    def taken(*options: str) -> list[str]:
        stored = {each: each.read_bytes() for each in kept.rglob("*") if each.is_file()}
        found = _resumed(folder, *options)
        assert found.status == 3, found.err + found.out
        for each, content in stored.items():
            each.parent.mkdir(exist_ok=True)
            each.write_bytes(content)
        return sorted(found.document["taken_over"])

    everything = ["kcc.contact", "oud.actor", "seed.channel"]
    assert taken() == everything
    assert taken("--level", "accounting,keys,fields") == [], "another question"
    assert taken("--sample", "90%") == [], "another question"

    write_contacts(folder, [contact(number) for number in range(1, 14)])
    assert taken() == ["oud.actor", "seed.channel"], "its source changed"
    write_contacts(folder, [contact(number) for number in range(1, 13)])
    write_actors(folder, [(f"m{number}", f"Medewerker {number}", "balie", 1) for number in range(1, 6)])

    for file in kept.glob("*/judged.json"):
        file.write_text(file.read_text().replace('"outcome": "failed"', '"outcome": "passed"'))
    bent = taken()
    assert "kcc.contact" not in bent, "a judgement that somebody bent"
    for file in kept.glob("*/judged.json"):
        manifest = file.with_name("manifest.json")
        told = json.loads(manifest.read_text())
        told["files"]["judged.json"] = hashlib.sha256(file.read_bytes()).hexdigest()
        manifest.write_text(json.dumps(told))
    assert "kcc.contact" not in taken(), "nor when the digest of it is bent, too"
    assert in_process("-C", folder, "run").status in (0, 3)
    assert taken() == [], "a run loaded since"
