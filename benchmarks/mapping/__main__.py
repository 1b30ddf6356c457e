"""``python -m benchmarks.mapping [--rows N] [--keep DEMO]``: mapping ZKN_ZAAK to case_file, against the alternatives.

All fields, links and code tables; rows as read lie in memory, nothing is committed.  Every competitor is a process of
its own and makes the same records and issues, which is checked.  petl and pandas (extra ``benchmarks``) get a part of
the rows; their time is proportional to them.  Nothing here gates: it prints what it measured beside what is asked.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.mapping.given import library, workspace, write_given
from benchmarks.measure import ROOT, measure, ratio

BATCH_ROWS = 50_000
PART = 50_000
"""petl and pandas get so many rows."""


def main() -> None:
    """Run every competitor and print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mapping")
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many rows (default 1,000,000)")
    parser.add_argument("--batch-rows", type=int, default=BATCH_ROWS, help=f"rows of a batch (default {BATCH_ROWS:,})")
    parser.add_argument("--keep", type=Path, help="a demo with enough cases; its systems are read, nothing is written")
    options = parser.parse_args()
    library("petl"), library("pandas")
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        systems = options.keep / "systems" if options.keep else _made(Path(scratch), options.rows)
        folder = workspace(systems, Path(scratch))
        compare(folder, Path(scratch), options.rows, options.batch_rows)


def _made(scratch: Path, rows: int) -> Path:
    measure(["migrate", "demo", str(scratch / "demo"), "--cases", str(rows), "--no-answer-key"])
    return scratch / "demo" / "systems"


def compare(folder: Path, scratch: Path, rows: int, batch_rows: int) -> None:
    """Measure the toolkit and its competitors on the rows of a workspace, and print the figures."""
    whole, part = scratch / "whole", scratch / "part"
    for each in (whole, part, whole / "out", part / "out"):
        each.mkdir()
    rows = write_given(folder, whole, rows, batch_rows)
    some = write_given(folder, part, min(rows, PART), batch_rows)
    ours, by_hand = (_process(name, folder, whole) for name in ("ours", "by_hand"))
    _same(whole, "by_hand")
    few = {name: _process(name, folder, part) for name in ("ours", "by_petl", "by_pandas")}
    for name in ("by_petl", "by_pandas"):
        _same(part, name)
    share = _process("ours", folder, part, "--profile")["in_polars"]
    print(f"\nmapping {rows:,} rows of ZKN_ZAAK to case_file in batches of {batch_rows:,}, no commit")
    print(f"  the toolkit              {ours['mapping']:8.1f} s   {ours['processor']:8.1f} s processor")
    print(f"  by hand in Polars        {by_hand['mapping']:8.1f} s   {by_hand['processor']:8.1f} s processor")
    for name, shown in (("by_pandas", "pandas"), ("by_petl", "petl")):
        scaled = few[name]["mapping"] * rows / some
        print(f"  {shown:<24} {scaled:8.1f} s   (measured on {some:,} rows: {few[name]['mapping']:.1f} s)")
    print(f"  keys and hashes of the rows, beside the mapping  {ours['preparing']:.1f} s")
    print(f"  share of the mapping's time spent inside Polars  {share:.0%}")
    ratio("mapping, s", ours["mapping"] * 1_000_000 / rows, 5, "at most")
    ratio("mapping / by hand (processor)", ours["processor"] / by_hand["processor"], 1.3, "at most")
    ratio("petl / mapping (processor)", few["by_petl"]["processor"] / few["ours"]["processor"], 10, "at least")


def _process(name: str, folder: Path, given: Path, *more: str) -> dict[str, float]:
    command = [sys.executable, "-P", "-m", f"benchmarks.mapping.{name}", str(folder), str(given)]
    out = ["--out", str(given / "out")]
    done = subprocess.run([*command, *out, *more], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _same(given: Path, name: str) -> None:
    """End the benchmark when a competitor makes other records or issues than the toolkit."""
    names = ["_key", "field", "code"]
    for part in ("records", "issues"):
        ours = pl.read_ipc(given / "out" / f"ours.{part}.ipc")
        theirs = pl.read_ipc(given / "out" / f"{name}.{part}.ipc")
        if part == "issues":
            ours, theirs = ours.select(names).sort(names), theirs.select(names).sort(names)
        else:
            ours, theirs = ours.sort("_key"), theirs.select(ours.columns).cast(ours.schema).sort("_key")
        if not ours.equals(theirs, null_equal=True):
            raise SystemExit(f"{name} makes other {part} than the toolkit")


if __name__ == "__main__":
    main()
