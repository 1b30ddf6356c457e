"""The connection to a PostgreSQL target is cut, or the answer to COMMIT is lost: the same run goes on by itself (promise 1)."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from command_line import Answer
from fault_rig import Trial
from pg_proxy import proxy, some
from struck import struck

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

Trials = Callable[[str, str], Trial]


def assert_went_on(found: Trial, answer: Answer, strikes: int) -> None:
    """It ended by itself in the same target, told of each strike, and counted it."""
    assert answer.status == 3, f"{answer.status}: {answer.err}"
    assert "Traceback" not in answer.err
    told = len(re.findall(r"trying again in ", answer.err))
    assert told >= 1
    with psycopg.connect(sa.make_url(found.url).set(drivername="postgresql").render_as_string(hide_password=False)) as look:
        retries, state = look.execute("SELECT retries, state FROM migration.run ORDER BY id DESC LIMIT 1").fetchone() or (0, "")
    # One may come when the count is already written: in the transaction that ends the run, or after it.
    assert (told - retries in (0, 1), state) == (True, "completed")
    found.assert_undisturbed()


def assert_resumable(found: Trial, answer: Answer) -> None:
    """Where it gave up, it said so, kept what was committed, and the next run ends in the same target."""
    assert (answer.status, "TGT-031" in answer.err) == (5, True), f"{answer.status}: {answer.err}"
    assert "run again" in answer.err
    assert "Traceback" not in answer.err
    found.finish()


CUTS = [(state, seed) for state in ("first", "second") for seed in range(4)]


@pytest.mark.sample(0)
@pytest.mark.parametrize(("state", "seed"), CUTS)
def test_r11_cut_after_some_bytes(state: str, seed: int, trial: Trials, tmp_path: Path) -> None:
    """Each connection is cut after so many bytes, in the midst of whatever it does then, and so is the next one."""
    found = trial("postgresql", state)
    with proxy(found.url, tmp_path / "proxy", cut_after=some(seed, 120_000, 400_000)) as (between, url):
        answer = found.run(url=url)
    assert between.cuts > 0
    if answer.status == 5:
        assert_resumable(found, answer)
    else:
        assert_went_on(found, answer, between.cuts)
    struck("connection cut after some bytes", "postgresql", between.cuts)


@pytest.mark.sample(0)
@pytest.mark.parametrize(("every", "first"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (5, 0), (5, 2)])
@pytest.mark.parametrize("state", ["first", "second"])
def test_r12_the_answer_to_commit_is_lost(state: str, every: int, first: int, trial: Trials, tmp_path: Path) -> None:
    """Every second, third or fifth COMMIT is done, and the program never hears of it: nothing is loaded twice."""
    found, count = trial("postgresql", state), itertools.count(1)
    with proxy(found.url, tmp_path / "proxy", drop_answer=lambda: next(count) % every == first) as (between, url):
        answer = found.run(url=url)
    assert between.dropped > 0
    if answer.status == 5:
        assert_resumable(found, answer)
    else:
        assert_went_on(found, answer, between.dropped)
    struck("answer to COMMIT lost", "postgresql", between.dropped)


@pytest.mark.sample(0)
@pytest.mark.parametrize("state", ["first", "second"])
def test_r12_the_answer_to_commit_is_lost_while_workers_map(state: str, trial: Trials, tmp_path: Path) -> None:
    found, count = trial("postgresql", state), itertools.count(1)
    with proxy(found.url, tmp_path / "proxy", drop_answer=lambda: next(count) % 4 == 1) as (between, url):
        answer = found.run(words=("--workers", "2"), url=url)
    assert between.dropped > 0
    if answer.status == 5:
        assert_resumable(found, answer)
    else:
        assert_went_on(found, answer, between.dropped)
    struck("answer to COMMIT lost", "postgresql", between.dropped)


PLACES = [f"{name}:{hit}" for name in ("after-begin", "after-read", "after-map", "before-transaction", "after-copy",
                                      "after-id-map", "before-commit", "between-batches", "before-gone", "before-read-commit")
          for hit in (3,)] + ["before-retry:1", "before-leftovers:1", "before-done-commit:1", "before-deletes:1",
                                "before-deletes-commit:1", "before-finish:1", "before-end-commit:1"]


@pytest.mark.sample(0)
@pytest.mark.parametrize("place", PLACES)
def test_r11_terminated_by_the_server(place: str, trial: Trials) -> None:
    """The server ends all sessions of the run at a place; the run connects again and goes on."""
    found = trial("postgresql", "second")
    running = found.start(failpoint=f"{place}:stop")
    assert running.stopped(), f"{place} was never reached"
    database = sa.make_url(found.url).database
    with found.rig.connection(found.url) as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", (database,)
        ).fetchall()
    assert ended
    running.go_on()
    assert_went_on(found, running.answer(), len(ended))
    struck("sessions terminated by the server", "postgresql")


@pytest.mark.sample(0)
def test_r11_a_server_that_stays_away_ends_the_run_and_keeps_what_is_committed(trial: Trials, tmp_path: Path) -> None:
    """After three attempts it gives up with exit 5; the next run goes on after the last batch."""
    found, lives = trial("postgresql", "first"), iter([10_000_000, 250_000, 10_000_000, 10_000_000])
    # The first connection looks who holds the target; the second commits batches until it is cut; two look whether there is a
    # pooler between, and later ones die at once.
    with proxy(found.url, tmp_path / "proxy", cut_after=lambda: next(lives, 1)) as (between, url):
        answer = found.run("--format", "json", url=url)
    assert answer.status == 5, answer.err
    assert json.loads(answer.out)["code"] == "TGT-031"
    assert answer.err.count("trying again in 0.5 s") == answer.err.count("trying again in 2 s") == 1
    assert "SELECT" not in answer.out + answer.err
    found.finish()
    struck("connection cut after some bytes", "postgresql", between.cuts)
