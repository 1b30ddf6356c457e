"""``python -m benchmarks.whole [--cases N] [--target URL] [--keep FOLDER]``: the whole demo, and where its time goes.

Runs the load in this process with a clock around each stage of a batch; stages of the mapping thread and of the thread
that commits overlap, so their shares are of the sum, and the wall time stands beside it.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

from benchmarks.__main__ import demo_in, fresh
from benchmarks.measure import omnicase
from connectors import PostgresTarget, SqliteTarget
from mappings import CompiledMapping
from migrate.cli import main as command_line
from migrate.pipeline import commit, load, reading
from migrate.pipeline.batch import Gate
from migrate.pipeline.change_filter import ChangeFilter

_spent: Counter[str] = Counter()


def _timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def inner(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            _spent[stage] += time.perf_counter() - started  # type: ignore[assignment]

    return inner


def _timed_steps(stage: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    @wraps(function)
    def inner(*arguments: Any, **named: Any) -> Iterator[Any]:
        steps = function(*arguments, **named)
        while True:
            started = time.perf_counter()
            found = next(steps, None)
            _spent[stage] += time.perf_counter() - started  # type: ignore[assignment]
            if found is None:
                return
            yield found

    return inner


_STAGES: tuple[tuple[object, str, str], ...] = (
    (reading.StraightReading, "batches", "read and prepare"),
    (load, "scan_keys", "keys-only pass"),
    (ChangeFilter, "split", "change filter"),
    (CompiledMapping, "apply", "map"),
    (Gate, "pass_through", "contract and hash"),
    (SqliteTarget, "stage", "stage"),
    (PostgresTarget, "stage", "stage"),
    (commit, "prepare_shared", "merge contributions"),
    (commit, "write_shared", "commit: records"),
    (commit, "_write_records", "commit: records"),
    (commit, "write_ledger", "commit: ledger"),
)
"""Where each stage of DESIGN.md, section 3, is called."""


def _watch() -> None:
    """Put a clock around the stages."""
    for place, name, stage in _STAGES:
        timed = _timed_steps if stage == "read and prepare" else _timed
        setattr(place, name, timed(stage, getattr(place, name)))


def main() -> None:
    """Make the demo, load all of it, and print rows per second, memory and the share of each stage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--target", help="URL of an empty target; without, a SQLite file")
    parser.add_argument("--keep", type=Path, help="keep the generated workspace in this folder and use it again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        folder = options.keep or Path(scratch) / "demo"
        demo_in(folder, options.cases)
        if options.target:
            os.environ["OMNICASE_TARGET_URL"] = options.target
        workspace = fresh(folder, "work", Path(scratch))
        if options.target:
            omnicase(workspace, "db", "upgrade")
        _watch()
        started = time.perf_counter()
        status = command_line(["-C", str(workspace), "run"])
        wall = time.perf_counter() - started
        rows = _rows(workspace)
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss / 1024
    print(f"\n{rows:,} rows in {wall:.0f} s: {rows / wall:,.0f} a second, at most {peak:.0f} MB; exit {status}")
    for stage, seconds in _spent.most_common():
        print(f"  {stage:<24} {seconds:8.1f} s  {seconds / sum(_spent.values()):6.1%}")


def _rows(workspace: Path) -> int:
    from migrate.status.runs import read_status
    from migrate.workspace import load_workspace

    document = read_status(load_workspace(workspace, None), None).as_dict()
    return sum(int(books["read"]) for books in document["mappings"])


if __name__ == "__main__":
    main()
