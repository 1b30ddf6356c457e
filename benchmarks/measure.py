"""Measuring a command as a whole process: wall time, processor time and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measured:
    """Seconds of wall and processor time, peak resident memory in MB, and the processor time of a server beside it."""

    wall: float
    processor: float
    memory: float
    server: float = 0


def measure(arguments: Sequence[str], *, good: Sequence[int] = (0,)) -> Measured:
    """Run a Python module in a process of its own and measure it; an unexpected exit status ends the benchmark."""
    return measured([sys.executable, "-P", "-m", *arguments], good=good, path=str(ROOT))


def measured(command: Sequence[str], *, good: Sequence[int] = (0,), path: str = "") -> Measured:
    """Run a command and measure it; an unexpected exit status ends the benchmark.

    Args:
        path: where its Python looks for modules besides.
    """
    environment = os.environ | {"PYTHONPATH": path}
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code not in good:
        raise SystemExit(f"{' '.join(command)} ended with exit status {code}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def omnicase(folder: Path, *arguments: str, good: Sequence[int] = (0, 3)) -> Measured:
    """Run the command line in a workspace and measure it."""
    return measure(["migrate", "-C", str(folder), *arguments], good=good)


def ratio(what: str, found: float, asked: float, sense: str) -> None:
    """Print a figure beside what is asked of it; nothing gates."""
    good = found <= asked if sense == "at most" else found >= asked
    print(f"  {what:<32} {found:8.2f}   asked: {sense} {asked:g}   {'ok' if good else 'MISSED'}")
