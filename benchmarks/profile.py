"""``python -m benchmarks.profile [--rows N]``: how long `omnicase profile` takes for a wide relation, and its memory.

A SQLite table of 20 columns is generated: keys, names, dates, codes, numbers, texts, numbers that look like BSNs.
Nothing here gates: it prints what it measured beside what is asked.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.measure import omnicase

SETTINGS = """\
workspace: bench
namespace: {public: "profile benchmark"}
target: {url: "sqlite:///target.db"}
systems:
  oud: {kind: sqlite, path: oud.db}
"""

_COLUMNS = {
    "NR": "n",
    "CODE": "'Z' || printf('%07d', n * 7 % 10000000)",
    "NAAM": "'Naam ' || (n * 7919 % 200000)",
    "VOORL": "char(65 + n % 26) || '.' || char(65 + n / 26 % 26) || '.'",
    "GEBDAT": "printf('%04d%02d%02d', 1930 + n % 80, 1 + n % 12, 1 + n % 28)",
    "BSN": "printf('%09d', n * 7919 % 1000000000)",
    "POSTCODE": "printf('%04d', 1000 + n % 9000) || char(65 + n % 26) || char(65 + n / 26 % 26)",
    "HUISNR": "1 + n % 300",
    "PLAATS": "'Plaats ' || (n % 400)",
    "TEL": "'06' || printf('%08d', n * 31 % 100000000)",
    "EMAIL": "'a' || n || '@voorbeeld.nl'",
    "STATUS": "substr('ABCD', 1 + n % 4, 1)",
    "KANAAL": "CASE n % 5 WHEN 0 THEN 'BALIE' WHEN 1 THEN 'TEL' WHEN 2 THEN 'n.v.t.' WHEN 3 THEN '' ELSE 'WEB' END",
    "DATREG": "date('2000-01-01', '+' || (n % 7000) || ' days')",
    "MUTTIJD": "datetime('2000-01-01', '+' || (n * 37) || ' minutes')",
    "BEDRAG": "printf('%d,%02d', n % 1000, n % 100)",
    "VLAG": "CASE WHEN n % 3 = 0 THEN 'J' ELSE 'N' END",
    "LEEG": "NULL",
    "OUDER": "CASE WHEN n > 10 THEN n / 2 END",
    "MEMO": "'Een tekst met wat woorden en het nummer ' || (n * 13)",
}


def main() -> None:
    """Generate the table, profile it and print seconds and memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile")
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many rows (default 1,000,000)")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        folder = Path(scratch)
        (folder / "workspace.yml").write_text(SETTINGS, encoding="utf-8")
        with closing(sqlite3.connect(folder / "oud.db")) as connection:
            connection.execute(
                "CREATE TABLE BREED AS WITH RECURSIVE t(n) AS"
                f" (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {rows})"
                f" SELECT {', '.join(f'{sql} AS {name}' for name, sql in _COLUMNS.items())} FROM t"
            )
            connection.commit()
        found = omnicase(folder, "profile", "oud.BREED")
    print(f"profile of {rows:,} rows x {len(_COLUMNS)} columns, SQLite")
    print(f"  {found.wall:8.1f} s   {found.processor:8.1f} s processor   {found.memory:6.0f} MB   asked: within 30 s")


if __name__ == "__main__":
    main()
