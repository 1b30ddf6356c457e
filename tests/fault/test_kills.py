"""A run killed at every named place, at random instants, or interrupted, goes on to the same target and ledger (promise 1)."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable

import pytest
from fault_rig import Trial
from struck import struck

from migrate.pipeline.failpoint import NAMES

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

Trials = Callable[[str, str], Trial]
TARGETS = ("sqlite", "postgresql")

ONCE = ("before-start", "before-start-commit", "after-start", "before-retry", "before-leftovers", "before-done-commit",
        "before-deletes", "before-deletes-commit", "after-deletes", "before-finish", "before-end-commit", "after-end")
"""Places that a run passes once or at its end: killed there one after the other, it passes the next of them again."""
SHARED = ("before-shared", "after-contributions", "after-followers")
"""Places of the mappings whose records several systems know: they come first."""
PER_MAPPING = ("before-begin-commit", "after-begin", "before-gone", "before-read-commit", "after-read-commit")
ELSEWHERE = ("before-apart", "before-resolve-commit", "before-rebuild", *(name for name in NAMES if "rollback" in name))
"""Places of other verbs, and of a bulk load."""
PER_BATCH = tuple(name for name in NAMES if name not in (*ONCE, *SHARED, *PER_MAPPING, *ELSEWHERE))
ENDED = ("after-end:1",)


def chains() -> list[tuple[str, tuple[str, ...]]]:
    """Return (state, failpoints): a run is killed at the first, resumed and killed at the next, and so on."""
    names = (*SHARED, *PER_MAPPING, *PER_BATCH)
    first = [f"{name}:{hit}" for name in names for hit in (1, 3)]
    again = [f"{name}:2" for name in names]
    once = [f"{name}:1" for name in ONCE[:-1]]
    return [*_dealt("first", first), *_dealt("second", again),
            *((state, tuple(once[part:part + 6])) for state in ("first", "second") for part in (0, 6)), ("second", ENDED)]


def _dealt(state: str, failpoints: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Deal failpoints to chains of five, so that each has some of the beginning and of the end of the list."""
    chains = -(-len(failpoints) // 5)
    return [(state, tuple(failpoints[chain::chains])) for chain in range(chains)]


@pytest.mark.sample(1)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("state", "failpoints"), chains(), ids=lambda each: each if isinstance(each, str) else each[0])
def test_r01_to_r05_killed_at_a_place(target: str, state: str, failpoints: tuple[str, ...], trial: Trials) -> None:
    found = trial(target, state)
    for failpoint in failpoints:
        killed = found.run(failpoint=failpoint)
        assert killed.status == -signal.SIGKILL, f"{failpoint} was never reached: {killed.status} {killed.err}"
    if failpoints == ENDED:
        found.assert_undisturbed()
    else:
        resumed = found.finish()
        assert failpoints[0].startswith("before-start") or "was resumed" in resumed.err
    struck("killed at a named place", target, len(failpoints))


@pytest.mark.sample(0)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("state", "seed"), [(state, seed) for state in ("first", "second") for seed in range(3)])
def test_r35_killed_at_random_instants(target: str, state: str, seed: int, trial: Trials) -> None:
    """Let run for a random time from a random batch on, and killed; three times."""
    found, chance, kills = trial(target, state), random.Random(seed), 0
    for _ in range(3):
        running = found.start(failpoint=f"after-commit:{chance.randint(1, 4)}:stop")
        assert running.stopped()
        running.go_on()
        running.kill_after(chance.uniform(0, 0.2))
        answer = running.answer()
        if answer.status == 3:
            break    # it ended before
        assert answer.status == -signal.SIGKILL, f"{answer.status}: {answer.err}"
        kills += 1
    assert kills > 0
    if answer.status == 3:
        found.assert_undisturbed()
    else:
        found.finish()
    struck("killed at a random instant", target, kills)


@pytest.mark.sample(0)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("state", ["first", "second"])
@pytest.mark.parametrize(("place", "times"), [("after-records:3", 1), ("between-batches:5", 1), ("after-id-map:4", 2), ("after-map:6", 2)])
def test_r10_interrupted(target: str, state: str, place: str, times: int, trial: Trials) -> None:
    """Asked once to end, it finishes the batch; asked twice, it drops it; both times it can be resumed."""
    found = trial(target, state)
    running = found.start(failpoint=f"{place}:stop")
    assert running.stopped(), f"{place} was never reached"
    os.kill(running.pid, signal.SIGTERM if state == "first" else signal.SIGINT)
    running.go_on()
    if times == 2:
        running.told("once more stops at once")
        os.kill(running.pid, signal.SIGINT)
    answer = running.answer()
    assert answer.status == 130, f"{answer.status}: {answer.err}"
    assert "the same command goes on from there" in answer.err
    assert "was resumed" in found.finish().err
    struck("interrupted", target)
