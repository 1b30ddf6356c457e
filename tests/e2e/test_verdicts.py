"""Each verdict stays in the ledger, with what it was about, and says when it no longer tells of the target."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from command_line import CommandLine, in_process
from tiny_workspace import make_workspace

from migrate.runbook.facts import gate_facts
from migrate.verdicts import VerdictRecord, last_verdict
from migrate.workspace import load_workspace


def _last(folder: Path) -> VerdictRecord | None:
    engine = sa.create_engine(f"sqlite:///{folder / 'target.db'}")
    with engine.connect() as connection:
        found = last_verdict(connection)
    engine.dispose()
    return found


def test_a_verdict_is_kept_and_outdated_by_what_changes_the_target(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w", contacts=3)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert _last(folder) is None
    assert in_process("-C", folder, "run").status == 0

    told = in_process("-C", folder, "--format", "json", "reconcile", "--report", "json")
    kept = _last(folder)
    assert kept is not None
    assert (kept.verdict, kept.run, kept.findings) == ("in_balance", 1, 0)
    assert kept.verdict == told.document["verdict"]
    assert list(kept.levels) == told.document["levels"]
    assert [(each["check"], each["mapping"], each["outcome"]) for each in kept.checks] == [
        (each["check"], each["mapping"], each["outcome"]) for each in told.document["checks"]
    ]
    (report,) = kept.reports
    assert report["sha256"] == hashlib.sha256((folder / "reports" / report["file"]).read_bytes()).hexdigest()
    assert (kept.whole, kept.outdated) == (True, None)

    name = kept.mappings[0]["mapping"]
    assert in_process("-C", folder, "reconcile", name, "--level", "accounting").status == 0
    part = _last(folder)
    assert part is not None
    assert (part.number, part.whole, part.all_mappings) == (kept.number + 1, False, False)

    assert in_process("-C", folder, "run").status == 0
    assert _last(folder).outdated == "run 2 loaded after it"  # type: ignore[union-attr]
    assert in_process("-C", folder, "reconcile").status == 0
    assert in_process("-C", folder, "rollback", "last", "--reason", "a test of it").status == 0
    assert _last(folder).outdated == "run 2 was rolled back after it"  # type: ignore[union-attr]


def test_a_run_that_begins_and_ends_while_both_sides_are_read_outdates_the_verdict(
    omnicase: CommandLine, tmp_path: Path
) -> None:
    folder = make_workspace(tmp_path / "w", contacts=3)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status == 0
    stopped = omnicase.environment({"OMNICASE_FAILPOINT": "between-proof-batches:1:stop"})
    reading = subprocess.Popen(
        [sys.executable, "-P", "-m", "migrate", "-C", folder, "reconcile"], env=stopped, stdout=subprocess.DEVNULL
    )
    os.waitid(os.P_PID, reading.pid, os.WSTOPPED | os.WNOWAIT)
    assert in_process("-C", folder, "run", "--full").status == 0
    reading.send_signal(signal.SIGCONT)
    assert reading.wait(60) == 0
    kept = _last(folder)
    assert kept is not None
    assert (kept.run, kept.outdated) == (1, "run 2 loaded after it")


def test_a_gate_knows_nothing_by_a_reconciliation_or_a_run_over_a_part(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w", contacts=3)
    for verb in ("db upgrade", "run"):
        assert in_process("-C", folder, *verb.split()).status == 0
    asked = ("reconcile.in_balance", "books.balanced", "rejects.count", "run.finished")

    def facts(*words: str) -> list[object]:
        assert in_process("-C", folder, *words).status in (0, 3)
        known = gate_facts(load_workspace(folder, None))
        return [known[name] for name in asked]

    for part in ("seed.channel", "--sample=50%", "--level=keys"):
        assert facts("reconcile", part) == [None, True, 0, True], part
    assert facts("reconcile") == [True, True, 0, True]
    assert facts("run", "seed.channel") == [None, None, None, True]
    assert facts("run", "--limit", "2") == [None, None, None, True]
    assert facts("run") == [None, True, 0, True]


def test_a_verdict_that_cannot_be_kept_is_an_error_and_not_a_verdict(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w", contacts=3)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status == 0
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        target.execute(
            "CREATE TRIGGER no_verdict BEFORE INSERT ON migration_verdict BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    found = in_process("-C", folder, "--format", "json", "reconcile")
    assert (found.status, found.document["code"]) == (5, "VRD-001")
