"""The count of faults that struck: a process that a fault ended, a connection that was cut, a disk that was full."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

FILE = "OMNICASE_FAULTS_STRUCK"
"""Names the file to which every test process adds a line per fault; the session's start makes it."""

RESULT = ".faults.json"
"""File in the clone with what struck in each test of the last whole sessions, for `tools/count_faults.py`."""


def struck(family: str, database: str, times: int = 1) -> None:
    """Count faults that struck, of which everything was compared afterwards."""
    with Path(os.environ[FILE]).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps([os.environ["PYTEST_CURRENT_TEST"].split()[0], family, database, times]) + "\n")


def by_test(file: Path) -> dict[str, tuple[str, str, int]]:
    """Return family, database and number of the faults that struck, by test."""
    lines = file.read_text().splitlines() if file.exists() else ()
    return {test: (family, database, times) for test, family, database, times in map(json.loads, lines)}


def counted(of_tests: Mapping[str, tuple[str, str, int]]) -> dict[str, Counter[str]]:
    """Return the faults that struck, by family and database."""
    found: dict[str, Counter[str]] = {}
    for family, database, times in of_tests.values():
        found.setdefault(family, Counter())[database] += times
    return found
