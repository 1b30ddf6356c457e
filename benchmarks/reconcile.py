"""``python -m benchmarks.reconcile [--rows N]``: comparing every value against reading both sides, on PostgreSQL.

The limit is what it takes to read both tables by ranges of their key, as ``COPY … TO STDOUT`` in CSV, into frames.  The
old table has as many fields as `party` takes without links.  Nothing here gates: it prints what it measured beside
what is asked.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import polars as pl
import psycopg

from benchmarks.measure import omnicase, ratio
from benchmarks.postgresql import server

_WORKSPACE = """
workspace: bench
namespace: {public: bench}
target: {url: "sqlite:///unused.db"}
run: {batch_rows: 50000}
systems: {old: {kind: postgresql}}
"""
_NAMES = ("initials", "first_names", "surname_prefix", "surname", "organisation_name")
_TEXTS = (*_NAMES, "birth_date_text", "internal_note")
_DATES = ("birth_date", "deceased_on")
_FIELDS = ("party_type", "party_number", *_TEXTS, *_DATES, "gender", "language", "is_secret", "is_active")
_OLD = f"""
CREATE TABLE person (id bigint PRIMARY KEY, {", ".join(f"{name} text" for name in _FIELDS)});
INSERT INTO person SELECT n, 'persoon', n, {", ".join(f"'{name[:6]} ' || n %% 9973" for name in _TEXTS)},
    {", ".join("to_char(date '1950-01-01' + (n %% 20000)::int, 'YYYY-MM-DD')" for _ in _DATES)},
    'v', 'nld', '0', '1' FROM generate_series(1, %d) n;
ANALYZE person;
"""
_RANGE = 50_000


def _mapping() -> str:
    lines = ["mapping: old.person", "owner: bench", "target: party"]
    lines += ["source: {relation: person, key: [id]}", "fields:"]
    lines += [f"  {name}: {{from: {name}}}" for name in ("party_type", "party_number", *_TEXTS, "gender", "language")]
    lines += [f"  {name}: {{from: {name}, date: [YYYY-MM-DD]}}" for name in _DATES]
    truth = "boolean: {true: ['1'], false: ['0']}"
    lines += [f"  {name}: {{from: {name}, {truth}}}" for name in ("is_secret", "is_active")]
    lines += ["unfilled: [{columns: [legal_form, works_for_party_id, merged_into_id], reason: none}]"]
    return "\n".join(lines) + "\n"


def _read(url: str, table: str, columns: tuple[str, ...], bounds: list[str]) -> int:
    """Read a table by ranges of its key into frames; return its rows."""
    rows = 0
    with psycopg.connect(url) as connection:
        for low, high in pairwise(bounds):
            query = f"SELECT {', '.join(columns)} FROM {table} WHERE id > '{low}' AND id <= '{high}' ORDER BY id"
            with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copied:
                content = b"".join(copied)
            if content:
                rows += pl.read_csv(io.BytesIO(content), has_header=False, infer_schema=False).height
    return rows


def _limit(old: str, new: str, rows: int) -> float:
    started = time.perf_counter()
    numbers = [str(at) for at in range(0, rows + _RANGE, _RANGE)]
    uuids = ["00000000-0000-0000-0000-000000000000"]
    with psycopg.connect(new) as connection:
        found = connection.execute(
            "SELECT id::text FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM party) t"
            " WHERE n %% %s = 0 ORDER BY id",
            (_RANGE,),
        )
        uuids += [record for (record,) in found]
    uuids.append("ffffffff-ffff-ffff-ffff-ffffffffffff")
    assert _read(old, "person", ("id", *_FIELDS), numbers) == rows
    assert _read(new, "party", ("id", *_FIELDS), uuids) == rows
    return time.perf_counter() - started


def main() -> None:
    """Load once, read both sides, and compare by levels; print the turn in the middle."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reconcile")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch, server() as postgres:
        old, new = postgres.database("bench_old"), postgres.database("bench_new")
        with psycopg.connect(old) as connection:
            connection.execute((_OLD % options.rows).encode())
        workspace = Path(scratch)
        (workspace / "mappings").mkdir()
        (workspace / "workspace.yml").write_text(_WORKSPACE)
        (workspace / "mappings/old.person.yml").write_text(_mapping())
        os.environ |= {"OMNICASE_OLD_URL": old, "OMNICASE_TARGET_URL": new}
        omnicase(workspace, "db", "upgrade")
        loaded = omnicase(workspace, "run")
        print(f"{options.rows:,} rows x {len(_FIELDS)} fields: loaded in {loaded.wall:.1f} s", flush=True)
        turns = []
        for _ in range(options.times):
            limit = _limit(old, new, options.rows)
            fields = omnicase(workspace, "reconcile", "--level", "accounting,keys,fields")
            keys = omnicase(workspace, "reconcile", "--level", "keys")
            turns.append((fields.wall / limit, limit, fields, keys))
            print(f"  read both {limit:.1f} s, fields {fields.wall:.1f} s, keys {keys.wall:.1f} s", flush=True)
        share, limit, fields, keys = sorted(turns, key=lambda turn: turn[0])[len(turns) // 2]
        print(f"the turn in the middle: reading both sides {limit:.1f} s")
        print(f"  accounting, keys and fields {fields.wall:.1f} s, {fields.memory:.0f} MB (asked: 450 MB)")
        print(f"  keys {keys.wall:.1f} s, {keys.memory:.0f} MB (asked: 60 s for 10,000,000 keys)")
        ratio("fields / reading both sides", share, 3.0, "at most")


if __name__ == "__main__":
    main()
