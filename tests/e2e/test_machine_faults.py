"""Full disks, closed streams, two runs at once, dead holders of the lock, interrupts: real processes, compared afterwards."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
from command_line import Answer, CommandLine, in_process
from targets import assert_same_target, copy_workspace, file_states, model_rows
from tiny_workspace import edit, make_workspace

from migrate.cli.failures import describe
from migrate.ledger.store import table
from migrate.status.schemas import status_schema
from migrate.target.opened import workspace_target
from migrate.workspace import load_workspace

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

SETTINGS = "workspace.yml"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace that was loaded whole."""
    folder = make_workspace(tmp_path_factory.mktemp("bad") / "loaded")
    assert in_process("-C", folder, "db", "upgrade").status == 0
    answer = in_process("-C", folder, "run")
    assert answer.status == 0, answer.err
    return folder


@pytest.fixture
def workspace(loaded: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    return copy_workspace(loaded, tmp_path / "w")


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_r08_no_half_report_on_a_full_disk(workspace: Path) -> None:
    with files_at_most(40_000):
        answer = in_process("-C", workspace, "reconcile", "--report", "html")
    assert (answer.status, answer.err[:7]) == (5, "REC-003"), answer.err
    assert {file.name for file in (workspace / "reports").iterdir()} == {"history", "unfinished"}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of many small batches, upgraded and not loaded."""
    folder = make_workspace(tmp_path_factory.mktemp("bad") / "many", actors=20, contacts=500)
    edit(folder / SETTINGS, "batch_rows: 50", "batch_rows: 10")
    assert in_process("-C", folder, "db", "upgrade").status == 0
    return folder


@pytest.fixture(scope="module")
def undisturbed(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_workspace(many, tmp_path_factory.mktemp("bad") / "undisturbed")
    assert in_process("-C", folder, "run").status == 0
    return folder / "target.db"


def program(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "migrate", "-C", str(folder), *words]


def test_r17_a_full_disk_keeps_what_is_committed_and_the_next_run_completes(many: Path, undisturbed: Path, tmp_path: Path) -> None:
    folder = copy_workspace(many, tmp_path / "full")
    limit = (folder / "target.db").stat().st_size + 120_000
    done = subprocess.run(
        program(folder, "run"), env=CommandLine.environment(), capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 5, done.stderr
    assert done.stderr.splitlines()[-2].startswith("SYS-002  A SQLite database failed")
    assert "Free space" in done.stderr
    assert "Traceback" not in done.stderr
    status = in_process("-C", folder, "--format", "json", "status").document
    assert (status["state"], status["balanced"]) == ("failed", True)
    committed = sum(books["inserted"] for books in status["mappings"])
    assert 0 < committed < 522
    assert committed == sum(len(rows) for rows in model_rows(folder / "target.db").values())
    again = in_process("-C", folder, "run")
    assert again.status == 0
    assert "was resumed" in again.err
    assert_same_target(folder / "target.db", undisturbed)


def test_r18_no_room_for_the_evidence_file(many: Path, tmp_path: Path, new_postgres_database: Callable[[], str]) -> None:
    """Each batch commits with its entry, so the load need not stop: the file is brought up to date when there is room."""
    folder = copy_workspace(many, tmp_path / "no room")
    edit(folder / SETTINGS, "sqlite:///target.db", new_postgres_database().replace("+psycopg", ""))
    old = set((folder / "evidence").glob("*.jsonl"))
    assert in_process("-C", folder, "db", "upgrade").status == 0
    (file,) = set((folder / "evidence").glob("*.jsonl")) - old
    with files_at_most(file.stat().st_size):
        answer = in_process("-C", folder, "run")
    assert answer.status == 0, answer.err
    assert re.search(r"evidence/\S+ is not what the ledger holds", answer.err), answer.err
    before = file.read_text().splitlines()
    assert not any('"kind":"batch"' in line for line in before)
    assert in_process("-C", folder, "db", "check").status == 0
    lines = file.read_text().splitlines()
    assert lines[:len(before)] == before
    assert sum('"kind":"batch"' in line for line in lines) > 50
    assert in_process("-C", folder, "--format", "json", "evidence", "verify").document["current"] is True


@pytest.fixture(scope="module")
def two_runs(many: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, Answer, Answer]:
    """A run, a second one beside it, then SIGINT to the first: folder, process, what the second and the first said."""
    folder = copy_workspace(many, tmp_path_factory.mktemp("bad") / "two")
    first = subprocess.Popen(
        program(folder, "run"), env=CommandLine.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    deadline = time.monotonic() + 60
    while len(model_rows(folder / "target.db")["customer_contact"]) < 10 and time.monotonic() < deadline:
        time.sleep(0.05)
    # It is refused before it opens a source: here the source is not there.
    second = in_process("-C", folder, "--format", "json", "run", env={"OMNICASE_OUD_URL": "sqlite:///nergens.db"})
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=60)
    return folder, first.pid, second, Answer(first.returncode, out, err)


def test_r28_a_second_run_is_refused_and_told_who_holds_the_target(two_runs: tuple[Path, int, Answer, Answer]) -> None:
    _, pid, second, _ = two_runs
    assert second.status == 7, second.out + second.err
    assert (second.document["code"], second.document["class"]) == ("LED-007", "locked")
    since = rf"run 1 \(process {pid} on {re.escape(socket.gethostname())}\) holds the target since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.match(since, second.document["message"])
    assert second.document["hint"]


def test_r10_an_interrupted_run_is_resumed_to_the_same_target(two_runs: tuple[Path, int, Answer, Answer], undisturbed: Path) -> None:
    folder, _, _, first = two_runs
    assert first.status == 130, first.out + first.err
    assert first.err.splitlines() == [
        "Stopping after this batch; once more stops at once.",
        "Interrupted. What was committed is kept; the same command goes on from there.",
    ]
    assert 0 < len(model_rows(folder / "target.db")["customer_contact"]) < 500
    assert in_process("-C", folder, "--format", "json", "status").document["state"] == "interrupted"
    again = in_process("-C", folder, "run")
    assert again.status == 0
    assert "was resumed" in again.err
    assert_same_target(folder / "target.db", undisturbed)


@pytest.mark.parametrize(("host", "status"), [(socket.gethostname(), 0), ("een-andere-machine", 7)])
def test_r29_a_dead_holder_is_taken_over_on_this_machine_only(host: str, status: int, workspace: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with closing(sqlite3.connect(workspace / "target.db")) as target:
        target.execute("UPDATE migration_lock SET run_id = 1, host = ?, pid = ?, taken_at = '2026-01-01 00:00:00.000000'", (host, dead.pid))
        target.commit()
    answer = in_process("-C", workspace, "run")
    assert answer.status == status, answer.err
    if status == 7:
        assert "een-andere-machine" in answer.err
        assert "LED-007" in answer.err


@pytest.fixture(params=["sqlite", "postgresql"])
def asleep(request: pytest.FixtureRequest, many: Path, tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A run that stands still between two batches, on a machine that is not this one, as far as others can tell."""
    folder = copy_workspace(many, tmp_path / "asleep")
    if request.param == "postgresql":
        new: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        edit(folder / SETTINGS, "sqlite:///target.db", new().replace("+psycopg", ""))
        assert in_process("-C", folder, "db", "upgrade").status == 0
    stop = CommandLine.environment({"OMNICASE_FAILPOINT": "between-batches:5:stop"})
    run = subprocess.Popen(program(folder, "run"), env=stop, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.waitpid(run.pid, os.WUNTRACED)
    yield folder, run
    run.kill()
    run.communicate()


def facts(folder: Path) -> tuple[Any, ...]:
    """Return the rows of the contacts, and how many batches the ledger has, of a workspace's target."""
    with closing(workspace_target(load_workspace(folder, None))) as target, target.engine.connect() as connection:
        contacts = connection.execute(sa.text("SELECT id, subject FROM customer_contact ORDER BY id")).all()
        return contacts, connection.scalar(sa.select(sa.func.max(table(connection, "batch").c.id)))


def while_it_runs(status: dict[str, Any], pid: int) -> None:
    """Another process sees who holds the target, how far the run is, and about how long it takes."""
    jsonschema.validate(status, status_schema(), cls=jsonschema.Draft202012Validator)
    assert (status["state"], status["lock"]["pid"], status["lock"]["alive"]) == ("running", pid, True)
    (at_work,) = [each for each in status["pace"] if each["state"] == "reading"]
    assert (at_work["rows"], at_work["batches"]) == (10 * at_work["batches"], at_work["batches"])
    assert at_work["expected_rows"] in (20, 500)
    assert 0 < at_work["remaining_seconds"] <= status["remaining_seconds"]
    assert status["not_in_remaining"] == 0


def test_r29_a_sleeper_of_another_machine_is_released_by_hand_and_writes_nothing_when_it_wakes(
    asleep: tuple[Path, subprocess.Popen[str]],
) -> None:
    folder, run = asleep
    while_it_runs(in_process("-C", folder, "--format", "json", "status").document, run.pid)
    here = in_process("-C", folder, "--format", "json", "unlock", "--reason", "it seems dead")
    assert (here.status, here.document["code"]) == (7, "LED-008")
    with closing(workspace_target(load_workspace(folder, None))) as target, target.transaction() as connection:
        connection.execute(sa.update(table(connection, "lock")).values(host="een-andere-machine"))
    assert in_process("-C", folder, "run").status == 7
    assert in_process("-C", folder, "unlock").status == 2
    answer = in_process("-C", folder, "--format", "json", "unlock", "--reason", "switched off, says Jan")
    assert (answer.status, answer.document["released"], answer.document["host"]) == (0, True, "een-andere-machine")
    assert in_process("-C", folder, "unlock", "--reason", "again").out == "Nobody holds the target.\n"
    with closing(workspace_target(load_workspace(folder, None))) as target, target.engine.connect() as connection:
        (kept,) = connection.execute(sa.select(table(connection, "unlock"))).mappings().all()
    assert (kept["run_id"], kept["held_pid"], kept["reason"]) == (1, run.pid, "switched off, says Jan")
    before = facts(folder)
    run.send_signal(signal.SIGCONT)
    _, err = run.communicate(timeout=60)
    assert (run.returncode, "LED-007" in err) == (7, True), err
    assert facts(folder) == before
    assert in_process("-C", folder, "--format", "json", "status").document["state"] == "interrupted"
    again = in_process("-C", folder, "run")
    assert (again.status, "was resumed" in again.err) == (0, True)
    assert len(facts(folder)[0]) == 500


def test_r41_a_reader_that_went_away_before_the_answer(workspace: Path, loaded: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(program(workspace, "status"), env=CommandLine.environment(), stdout=writer, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (5, "")


def test_too_little_memory_is_said_and_is_no_bug() -> None:
    with pytest.raises(MemoryError) as raised:
        bytearray(2**62)
    (told,), status = describe(raised.value)
    assert (told["code"], status) == ("SYS-003", 5)
    assert "run.batch_rows" in told["hint"]


@pytest.mark.parametrize(("streams", "status", "error"), [(">&-", 0, ""), ("2>&- >&- <&-", 0, ""), ("> /dev/full", 5, "SYS-001")])
def test_r41_streams_that_are_closed_or_full(streams: str, status: int, error: str, workspace: Path) -> None:
    command = " ".join(program(workspace, "status"))
    before = file_states(workspace / "mappings")
    done = subprocess.run(["bash", "-c", f"{command} {streams}"], env=CommandLine.environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr[:7]) == (status, error)
    assert file_states(workspace / "mappings") == before
