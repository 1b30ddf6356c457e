"""Any number of workers gives the same target and the same ledger (promise 3), on both databases; a dead one is survived."""

from __future__ import annotations

import pickle
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from command_line import ROOT, CommandLine
from small_demo import fresh_demo, loaded_demo
from targets import assert_same_target, copy_workspace, open_read_only
from tiny_workspace import edit

from casemodel import GuardError, OmnicaseError, Place, RefusedError, RefusedMany, SystemFailure
from connectors import open_target
from migrate.target.copy import copy_target

pytestmark = pytest.mark.no_cover
SOME = ("seed.channel", "zaak.case_type", "zaak.unit", "zaak.actor", "zaak.case", "balie.party")
"""Mappings with links to their own rows, with an identity, and with parents of both kinds."""


def spawn(folder: Path, *arguments: str, **env: str) -> tuple[int, str]:
    """Run omnicase in a process of its own, which spawns others."""
    answer = CommandLine().spawn("-C", folder, *arguments, env=env)
    return answer.status, answer.err


@pytest.fixture(scope="module")
def by_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The target that one process made of the mappings of `SOME`."""
    folder = _fresh(tmp_path_factory, tmp_path_factory.mktemp("one") / "demo")
    assert spawn(folder, "run", *SOME)[0] == 3
    return folder / "target.db"


def _fresh(factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Return the small demo with batches so small that cases link to cases of the batch before."""
    edit(copy_workspace(fresh_demo(factory), folder) / "workspace.yml", "batch_rows: 97", "batch_rows: 13")
    return folder


def _batches(target: Path) -> list[tuple[object, ...]]:
    """Return every batch with its books: a row that a worker maps too early would be tried again in one more."""
    names = "mapping_id, phase, seq, source_rows, read, inserted, merged, rejected, parked, out_of_scope, counters"
    with closing(open_read_only(target)) as opened:
        return opened.execute(f"SELECT {names} FROM migration_batch ORDER BY 1, 2, 3").fetchall()


@pytest.mark.sample(1)
@pytest.mark.parametrize("workers", [2, 4])
def test_promise_3_any_number_of_workers_gives_the_same_target(
    workers: int, by_one: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = _fresh(tmp_path_factory, tmp_path / "demo")
    status, err = spawn(folder, "run", *SOME, "--workers", str(workers))
    assert status == 3, err
    assert_same_target(folder / "target.db", by_one)
    assert _batches(folder / "target.db") == _batches(by_one)


@pytest.mark.sample(0)
def test_promise_3_the_whole_demo_by_three_workers(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = copy_workspace(fresh_demo(tmp_path_factory), tmp_path / "demo")
    status, err = spawn(folder, "run", "--workers", "3")
    assert status == 3, err
    assert_same_target(folder / "target.db", loaded_demo(tmp_path_factory) / "target.db")


def test_promise_3_two_workers_on_postgresql(
    by_one: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, postgres_database: str
) -> None:
    folder = _fresh(tmp_path_factory, tmp_path / "demo")
    url = {"OMNICASE_TARGET_URL": postgres_database}
    assert spawn(folder, "db", "upgrade", **url)[0] == 0
    status, err = spawn(folder, "run", *SOME, "--workers", "2", **url)
    assert status == 3, err
    target = open_target(postgres_database)
    copy_target(target, tmp_path / "copy.db")
    target.close()
    assert_same_target(tmp_path / "copy.db", by_one)


@pytest.mark.sample(1)
@pytest.mark.parametrize("failpoint", ["after-read:3", "after-map:4", "after-map:9"])
def test_promise_1_a_worker_that_dies_is_an_error_and_the_next_run_goes_on(
    failpoint: str, by_one: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The failpoint counts in each process: a worker is the one that reaches it."""
    folder = _fresh(tmp_path_factory, tmp_path / "demo")
    status, err = spawn(folder, "run", *SOME, "--workers", "2", OMNICASE_FAILPOINT=failpoint)
    assert status == 5 and "RUN-030" in err, err
    status, err = spawn(folder, "run", *SOME)
    assert status == 3 and "was resumed" in err, err
    assert_same_target(folder / "target.db", by_one)


def _recipe() -> list[list[str]]:
    """Return the commands that docs/workers.md shows for a cluster on one machine."""
    block = re.search(r"```console\n(.*?)```", (ROOT / "docs/workers.md").read_text(), re.DOTALL)
    assert block is not None
    return [shlex.split(line.removesuffix(" &")) for line in block[1].splitlines() if line.strip()]


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[None]:
    program = Path(sys.executable).with_name(command[0])
    with log.open("w") as out:
        process = subprocess.Popen([program, *command[1:]], stdout=out, stderr=out, env=CommandLine.environment(), cwd=log.parent)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def _until(found: Callable[[], bool]) -> None:
    for _ in range(300):
        if found():
            return
        time.sleep(0.1)
    raise AssertionError("it did not begin within half a minute")


def test_the_recipe_of_a_dask_cluster(by_one: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A scheduler and two workers, as docs/workers.md says, and no other target than one process makes."""
    folder = _fresh(tmp_path_factory, tmp_path / "demo")
    scheduler, worker, run = _recipe()
    logs = tmp_path / "scheduler.log", tmp_path / "worker.log"
    with _running(scheduler, logs[0]):
        _until(lambda: "Scheduler at" in logs[0].read_text())
        with _running(worker, logs[1]):
            _until(lambda: logs[0].read_text().count("Register worker") == 2)
            status, err = spawn(folder, *run[1:], *SOME)
    assert status == 3, err
    assert_same_target(folder / "target.db", by_one)


def test_a_scheduler_that_does_not_answer_is_exit_5(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = _fresh(tmp_path_factory, tmp_path / "demo")
    for address in ("tcp://127.0.0.1:1", "nothing", "http://127.0.0.1:80"):
        status, err = spawn(folder, "run", "seed.channel", "--scheduler", address)
        assert status == 5 and "RUN-033" in err and "Traceback" not in err, err
    runs = open_read_only(folder / "target.db").execute("SELECT COUNT(*) FROM migration_run").fetchall()
    assert runs == [(0,)], "refused before a run is opened"


@pytest.mark.parametrize("kind", [SystemFailure, RefusedError, GuardError])
def test_an_error_comes_out_of_a_worker_as_it_is(kind: type[OmnicaseError]) -> None:
    error = kind("RUN-999", "found this", hint="do that", place=Place("a.yml", 3, 4))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and again.as_dict() == error.as_dict() and str(again) == str(error)
    many = pickle.loads(pickle.dumps(RefusedMany([RefusedError("MAP-001", "a", hint="b")])))
    assert [each.code for each in many.errors] == ["MAP-001"]
