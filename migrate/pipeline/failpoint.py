"""Places where a test can strike the program, where OMNICASE_FAILPOINT names one: ``name:hit`` or ``name:hit:stop``."""

from __future__ import annotations

import os
import signal

NAMES = (
    "before-start",
    "before-start-commit",
    "after-start",
    "before-begin-commit",
    "after-begin",
    "after-read",
    "after-map",
    "after-stage",
    "before-shared",
    "before-transaction",
    "after-lock",
    "after-copy",
    "after-contributions",
    "after-records",
    "after-forget",
    "after-waits",
    "after-id-map",
    "after-issues",
    "after-ledger",
    "after-followers",
    "before-commit",
    "before-apart",
    "after-commit",
    "between-batches",
    "before-gone",
    "before-read-commit",
    "after-read-commit",
    "before-retry",
    "before-leftovers",
    "before-done-commit",
    "before-deletes",
    "before-deletes-commit",
    "after-deletes",
    "before-rebuild",
    "before-finish",
    "before-end-commit",
    "after-end",
    "before-resolve-commit",
    "before-rollback-prepared",
    "after-rollback-prepared",
    "before-rollback-commit",
    "after-rollback-batch",
    "after-rollback-ledger",
    "before-rollback-finish",
)
"""Every failpoint, in the order of a run: around each group of statements of a commit, between batches, in the thread
that maps (after-read, after-map, after-stage), and where a run begins and ends."""

IN_PROOF = ("between-proof-batches", "after-proof")
"""Those of `reconcile`: between two batches of a mapping, and after a mapping was judged and kept."""

ACTIONS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
"""``kill`` is meant where no action is named; ``stop`` lets a test change the world and send SIGCONT."""

_hits: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Kill or stop this process when the environment asks for it at this place and this hit."""
    wanted = os.environ.get("OMNICASE_FAILPOINT")
    if not wanted:
        return
    _hits[name] = _hits.get(name, 0) + 1
    place, _, action = wanted.rpartition(":") if wanted.count(":") > 1 else (wanted, "", "kill")
    if place == f"{name}:{_hits[name]}":
        os.kill(os.getpid(), ACTIONS[action])
