"""``python -m benchmarks.sweep WORKSPACE MAPPING``: seconds that the sweep of all keys takes in a run of a mapping.

The sweep is what finds rows that left the source: all keys are read, and those of the id map that are not among them
are looked for.  It is timed within a run, since it has no command of its own.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import polars as pl

from casemodel import Relation, Source
from mappings import CompiledMapping
from migrate.cli import main as command_line
from migrate.pipeline import load
from migrate.pipeline.context import LoadContext
from migrate.pipeline.keys import Keys, find_gone, scan_keys

_spent: list[float] = []


def _scan(source: Source, relation: Relation, mapping: CompiledMapping, *, known: bool) -> Keys:
    started = time.perf_counter()
    found = scan_keys(source, relation, mapping, known=known)
    _spent.append(time.perf_counter() - started)
    return found


def _gone(context: LoadContext, mapping: str, keys: Keys) -> Iterator[pl.Series]:
    started = time.perf_counter()
    yield from list(find_gone(context, mapping, keys))
    _spent.append(time.perf_counter() - started)


def main() -> None:
    """Run, and print the seconds."""
    vars(load).update(scan_keys=_scan, find_gone=_gone)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        command_line(["-C", sys.argv[1], "run", sys.argv[2], "--full"])
    assert len(_spent) == 2, "all keys were read and looked up"
    print(sum(_spent))


if __name__ == "__main__":
    main()
