"""A run killed at every named place, at random instants, or interrupted, goes on to the same target and ledger (promise 1)."""

from __future__ import annotations

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
ELSEWHERE = ("before-resolve-commit",)
"""Places of other verbs."""
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
def test_killed_at_a_place(target: str, state: str, failpoints: tuple[str, ...], trial: Trials) -> None:
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
