"""Places where a test can kill the program: honoured only when OMNICASE_FAILPOINT names one (``name:hit``)."""

from __future__ import annotations

import os
import signal

NAMES = (
    "after-read",
    "after-map",
    "before-transaction",
    "after-records",
    "before-commit",
    "after-commit",
    "before-retry",
    "before-deletes",
    "before-deletes-commit",
    "before-finish",
    "before-resolve-commit",
    "before-rollback-prepared",
    "after-rollback-prepared",
    "before-rollback-commit",
    "after-rollback-batch",
    "after-rollback-ledger",
    "before-rollback-finish",
)
"""Every failpoint; the fault tests kill the program at each."""

_hits: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Kill this process with SIGKILL when the environment asks for it at this place and this hit."""
    wanted = os.environ.get("OMNICASE_FAILPOINT")
    if not wanted:
        return
    _hits[name] = _hits.get(name, 0) + 1
    if wanted == f"{name}:{_hits[name]}":
        os.kill(os.getpid(), signal.SIGKILL)
