"""Trying again what may be over in a moment: with back-off, a few times, for connections and locks, never for data."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from casemodel import SystemFailure

WAITS = (0.5, 1.0, 2.0)
"""Seconds before each new attempt; then the error stands."""

RETRIED = frozenset({"TGT-031", "TGT-033", "TGT-034"})
"""Codes of a lost connection, a lock held for too long, a deadlock."""


@dataclass
class Patience:
    """How often a run tried something again: in all, and in a row since something succeeded."""

    count: int = 0
    _in_a_row: int = 0

    def wait(self, error: SystemFailure) -> None:
        """Say on standard error what is tried again, and wait before the next attempt.

        Raises:
            SystemFailure: the one given, when it is none that passes, or the attempts are used up.
        """
        if error.code not in RETRIED or self._in_a_row >= len(WAITS):
            raise error
        seconds = WAITS[self._in_a_row]
        self._in_a_row += 1
        self.count += 1
        print(f"{error.code}  {error.message}; trying again in {seconds:g} s.", file=sys.stderr)
        time.sleep(seconds)

    def succeeded(self) -> None:
        """Allow all attempts again."""
        self._in_a_row = 0
