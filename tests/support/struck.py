"""The count of faults that struck: a process that a fault ended, a connection that was cut, a disk that was full."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from pathlib import Path

FILE = "OMNICASE_FAULTS_STRUCK"
"""Names the file to which every test process adds a line per fault; the session's start makes it."""

RESULT = ".faults.json"
"""File in the clone with the count of the last whole session, for `tools/count_faults.py`."""


def struck(family: str, database: str, times: int = 1) -> None:
    """Count faults that struck, of which everything was compared afterwards."""
    with Path(os.environ[FILE]).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps([family, database, times]) + "\n")


def counted(file: Path) -> dict[str, Counter[str]]:
    """Return the faults that struck, by family and database."""
    found: dict[str, Counter[str]] = {}
    for line in file.read_text().splitlines() if file.exists() else ():
        family, database, times = json.loads(line)
        found.setdefault(family, Counter())[database] += times
    return found
