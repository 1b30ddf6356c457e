"""Write docs/faults.md: what struck in the last `make test-faults`, and which test holds each case R1 to R42.

    make test-faults && python tools/count_faults.py
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COUNT = ROOT / ".faults.json"
PAGE = ROOT / "docs" / "faults.md"
DATABASES = ("sqlite", "postgresql")

ELSEWHERE = {
    18: "an entry is a row of the transaction it tells of; for files see `tests/fault/test_disks.py` and R8",
    23: "`tests/contract/test_postgresql_source.py` (one exported snapshot for all readers)",
    27: "with an identity; without one a key names one row, whatever it says, and the record follows it",
}
NAMED = re.compile(r"^\s*def (test_(?:\w+_)?r\d+_\w+)\(", re.MULTILINE)
INTRODUCTION = """\
# Faults that really struck

A fault counts when a process really died by it, a connection was really cut, a disk was really full, or a source really
changed; and when the whole target and the whole ledger were compared afterwards, row for row and column for column,
with those of a run that nothing disturbed. Left out of the comparison are run ids, times, batch numbers and the numbers
that a database gives out. What is struck is a slice of the dirty demo (80 cases, nine mappings with records of two
systems, cases that wait for later ones, deletes, conflicts, rejected rows, 31 rows a
batch), at its first load and at a second one after changes, moves, deletes and edits in the target. A fault
that does not strike fails its test.

    make test-faults                 # all of them, and the other expensive tests; ends with this count
    python tools/count_faults.py     # writes this page

`make test` runs a seeded sample of each family (`SEED=…` draws another). The page adds up what struck in the last run
of each test (`.faults.json`).
"""


def page() -> str:
    """Return the page as Markdown."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for family, database, times in json.loads(COUNT.read_text()).values():
        counts[family][database] += times
    lines = [INTRODUCTION, "| family | SQLite | PostgreSQL |", "| --- | ---: | ---: |"]
    for family, found in sorted(counts.items()):
        lines.append(f"| {family} | " + " | ".join(str(found.get(name, "")) for name in DATABASES) + " |")
    sums = [sum(found.get(name, 0) for found in counts.values()) for name in DATABASES]
    lines.append("| **in all** | " + " | ".join(f"**{number}**" for number in sums) + " |")
    lines += ["", "## The cases R1 to R42", "", "| case | test |", "| --- | --- |"]
    tests = named_tests()
    for number in range(1, 43):
        found = [f"`{file}::{name}`" for name, file, numbers in tests if number in numbers]
        lines.append(f"| R{number} | {'<br>'.join([*found, *([ELSEWHERE[number]] if number in ELSEWHERE else [])])} |")
    return "\n".join(lines) + "\n"


def named_tests() -> list[tuple[str, str, set[int]]]:
    """Return name, file and case numbers of every test that is named by a case."""
    found = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in NAMED.findall(file.read_text()):
            numbers = {int(number) for number in re.findall(r"(?<=_r)\d+(?=_)", name)}
            if "_to_" in name:
                numbers = set(range(min(numbers), max(numbers) + 1))
            found.append((name, file.relative_to(ROOT).as_posix(), numbers))
    return found


if __name__ == "__main__":
    missing = set(range(1, 43)) - set(ELSEWHERE) - {number for *_, numbers in named_tests() for number in numbers}
    assert not missing, f"no test is named by the cases {sorted(missing)}"
    PAGE.write_text(page())
    print(f"wrote {PAGE.relative_to(ROOT)}")
