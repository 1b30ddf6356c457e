"""``python -m benchmarks [--cases N] [--keep FOLDER]``: the figures of the speed and memory promises, in one run.

Nothing here gates: it prints what it measured beside what is asked.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tempfile
from pathlib import Path

from benchmarks.measure import Measured, measure, omnicase, ratio

PARENTS = ("seed.channel", "zaak.case_type", "zaak.unit", "zaak.actor")
ORM_SHARE = 20
"""The ORM loader gets this fraction of the rows; its time is proportional to them."""


def main() -> None:
    """Run all benchmarks and print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--cases", type=int, default=1_000_000, help="how many cases (default 1,000,000)")
    parser.add_argument("--keep", type=Path, help="keep the generated workspace in this folder and use it again")
    parser.add_argument(
        "--no-memory", action="store_true", help="leave out the runs with a tenth and with twice the rows"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        folder = options.keep or Path(scratch) / "demo"
        demo_in(folder, options.cases)
        first = speed(folder, Path(scratch), options.cases)
        if not options.no_memory:
            memory(folder, Path(scratch), options.cases, first)
        start()


def demo_in(folder: Path, cases: int) -> None:
    """Make the demo that is loaded, unless the folder is there."""
    if folder.exists():
        print(f"using {folder}")
        return
    made = measure(["migrate", "demo", str(folder), "--cases", str(cases), "--no-answer-key"])
    print(f"demo of {cases:,} cases made in {made.wall:.0f} s, at most {made.memory:.0f} MB")


def fresh(folder: Path, name: str, scratch: Path) -> Path:
    """Return a workspace that shares the sources and has a target of its own, upgraded and empty."""
    copy = scratch / name
    copy.mkdir()
    for item in folder.iterdir():
        if item.name == "systems":
            (copy / "systems").symlink_to(item.resolve())
        elif not item.name.startswith("target.db"):
            (shutil.copytree if item.is_dir() else shutil.copy)(item, copy / item.name)
    omnicase(copy, "db", "upgrade")
    return copy


def speed(folder: Path, scratch: Path, cases: int) -> Measured:
    """Time the first load of case_file against INSERT … SELECT and the ORM, and the second run against the first."""
    loaded = fresh(folder, "speed", scratch)
    omnicase(loaded, "run", *PARENTS)
    targets = [scratch / "orm.db", scratch / "orm-bare.db"]
    for target in targets:
        shutil.copy(loaded / "target.db", target)
    first = omnicase(loaded, "run", "zaak.case")
    second = omnicase(loaded, "run", "zaak.case")
    compared = omnicase(loaded, "run", "zaak.case", "--full")
    _finished(loaded / "target.db")
    plain = fresh(folder, "baseline", scratch)
    baseline = measure(["benchmarks.baseline", str(loaded / "target.db"), str(plain / "target.db")])
    rows = max(1_000, cases // ORM_SHARE)
    orm = measure(["benchmarks.orm_loader", str(folder), str(targets[0]), str(rows)])
    bare = measure(["benchmarks.orm_loader", str(folder), str(targets[1]), str(rows), "--bare"])
    scaled = orm.wall * cases / rows
    print(f"\nSQLite to SQLite, {cases:,} cases into case_file")
    print(f"  first load           {first.wall:8.1f} s   {first.processor:8.1f} s processor   {first.memory:6.0f} MB")
    print(
        f"  second run           {second.wall:8.1f} s   {second.processor:8.1f} s processor   {second.memory:6.0f} MB"
    )
    print(
        f"  the same, --full     {compared.wall:8.1f} s   {compared.processor:8.1f} s processor"
        f"   {compared.memory:6.0f} MB   (every row read and compared)"
    )
    print(f"  INSERT … SELECT      {baseline.wall:8.1f} s   {baseline.processor:8.1f} s processor")
    print(f"  ORM, row by row      {scaled:8.1f} s   (measured on {rows:,} rows: {orm.wall:.1f} s)")
    print(f"  the same, no ledger  {bare.wall * cases / rows:8.1f} s   (records and id map only: {bare.wall:.1f} s)")
    ratio("first load / INSERT … SELECT", first.wall / baseline.wall, 3.5, "at most")
    ratio("ORM / first load", scaled / first.wall, 8, "at least")
    ratio("second run / first load", second.wall / first.wall, 0.25, "at most")
    ratio("second run --full / first load", compared.wall / first.wall, 0.25, "at most")
    return first


def _finished(target: Path) -> None:
    """Fold the write-ahead log into the database, so that the baseline reads one file."""
    connection = sqlite3.connect(target)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def memory(folder: Path, scratch: Path, cases: int, first: Measured) -> None:
    """Load a tenth of the rows and twice the rows: the peak must be the same."""
    small = _multiplied(folder, scratch, "small", cases // 10, 0)
    large = _multiplied(folder, scratch, "large", cases, 1)
    few, many = (omnicase(each, "run", "zaak.case") for each in (small, large))
    print("\npeak memory of the first load")
    for rows, found in ((cases // 10, few), (cases, first), (2 * cases, many)):
        print(f"  {rows:>10,} rows   {found.memory:6.0f} MB   {found.wall:8.1f} s")
    ratio("largest peak, MB", max(few.memory, many.memory, first.memory), 450, "at most")


def _multiplied(folder: Path, scratch: Path, name: str, keep: int, copies: int) -> Path:
    """Return a workspace with the first `keep` cases, and `copies` more of each under other numbers."""
    workspace = fresh(folder, name, scratch)
    systems = workspace / "systems"
    systems.unlink()
    shutil.copytree(folder / "systems", systems)
    connection = sqlite3.connect(systems / "zaak.db")
    last = connection.execute("SELECT ZAAKNR FROM ZKN_ZAAK ORDER BY ZAAKNR LIMIT 1 OFFSET ?", (keep,)).fetchone()
    if last is not None:
        connection.execute("DELETE FROM ZKN_ZAAK WHERE ZAAKNR >= ?", last)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(ZKN_ZAAK)")]
    for number in range(copies):
        other = ", ".join(f"'{number}' || SUBSTR(ZAAKNR, 2)" if name == "ZAAKNR" else name for name in columns)
        connection.execute(f"INSERT INTO ZKN_ZAAK SELECT {other} FROM ZKN_ZAAK WHERE ZAAKNR > 'A' OR ZAAKNR >= '1'")
    connection.commit()
    connection.close()
    omnicase(workspace, "run", *PARENTS)
    return workspace


def start() -> None:
    """Time ``omnicase --help``."""
    best = min(measure(["migrate", "--help"]).wall for _ in range(5))
    print()
    ratio("omnicase --help, s", best, 0.3, "at most")


if __name__ == "__main__":
    main()
