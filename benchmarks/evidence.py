"""``python -m benchmarks.evidence [--entries N]``: how long verifying a chain takes, and in how much memory.

The entries are those of batches, unsigned, as a long run writes them.  Nothing here gates.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.measure import measure
from runbooks import Happening, Head, Origin, entry_line, line_hash

_AT = "2026-11-30T12:00:00.000000Z"
_BATCH = {"run": 1, "mapping": "zaak.case_status", "phase": "main", "read": 10_000, "inserted": 9_990, "rejected": 10}


def write_chain(file: Path, entries: int) -> Head:
    """Write a chain of so many entries; return its head."""
    origin = Origin(
        "bench 0123456789abcdef", {"user": "bench"}, {"host": "bench", "workspace": "bench", "target": "target"}
    )
    head = Head(project=origin.project)
    with file.open("wb") as out:
        for number in range(entries):
            told = Happening("batch", _BATCH | {"seq": number}, at=_AT, id=f"{number:032x}")
            line = entry_line(head, origin, told, at=_AT)
            out.write(line + b"\n")
            head = Head(number + 1, line_hash(line), origin.project)
    return head


def main() -> None:
    """Write, verify, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence")
    parser.add_argument("--entries", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        file, keys = Path(scratch) / "chain.jsonl", Path(scratch) / "keys"
        keys.mkdir()
        write_chain(file, options.entries)
        size = file.stat().st_size / 1e6
        found = measure(["migrate", "evidence", "verify", str(file), "--keys", str(keys)], good=(0, 8))
        print(f"{options.entries:,} entries, {size:.0f} MB: verified in {found.wall:.1f} s (asked: 30 s for 1,000,000)")
        print(f"  {found.processor:.1f} s of processor time, {found.memory:.0f} MB (asked: 200 MB)")


if __name__ == "__main__":
    main()
