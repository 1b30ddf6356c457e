"""``python -m benchmarks.reconcile [--rows N] [--keys N]``: comparing against reading both sides, on PostgreSQL.

The limit is what it takes to read both tables by ranges of their key, as ``COPY … TO STDOUT`` in CSV, into frames, with
the driver's own loop.  The old table has as many fields as `party` takes without links.  Compared besides: a plain
table with another, of which one row in a hundred differs, by ours and by others in environments of their own:

    python -m venv /work/bench-env-datacompy; …/bin/pip install datacompy psycopg[binary] pyarrow
    python -m venv /work/bench-env-reladiff; …/bin/pip install reladiff[postgresql] setuptools

Nothing here gates: it prints what it measured beside what is asked.
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

from benchmarks.measure import ROOT, Measured, measured, omnicase, ratio
from benchmarks.postgresql import Server, server
from benchmarks.reconcile_keys import fill

_WORKSPACE = """
workspace: bench
namespace: {public: bench}
target: {url: "sqlite:///unused.db"}
run: {batch_rows: 50000}
systems: {old: {kind: postgresql}, twin: {kind: postgresql}}
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


def _fields(workspace: Path, old: str, new: str, options: argparse.Namespace) -> None:
    """Compare by levels, beside reading both sides; print the turn in the middle."""
    turns = []
    for _ in range(options.times):
        limit = _limit(old, new, options.rows)
        fields = omnicase(workspace, "reconcile", "--level", "accounting,keys,fields")
        keys = omnicase(workspace, "reconcile", "--level", "keys")
        turns.append((fields.wall / limit, limit, fields, keys))
        print(f"  read both {limit:.1f} s, fields {fields.wall:.1f} s, keys {keys.wall:.1f} s", flush=True)
    share, limit, fields, keys = sorted(turns, key=lambda turn: turn[0])[len(turns) // 2]
    print(f"the turn in the middle: reading both sides {limit:.1f} s")
    print(f"  accounting, keys and fields {_said(fields)} (asked: 450 MB)")
    print(f"  keys {_said(keys)}")
    ratio("fields / reading both sides", share, 3.0, "at most")
    with psycopg.connect(new) as connection:
        connection.execute("UPDATE party SET surname = surname || 'x' WHERE party_number::int % 100 = 0")
    print(f"  the same, a value edited in one record of a hundred: {_said(_levels(workspace))}")


def _levels(workspace: Path) -> Measured:
    return omnicase(workspace, "reconcile", "--level", "accounting,keys,fields")


def _pairs(postgres: Server, workspace: Path, old: str, options: argparse.Namespace) -> None:
    """Compare a plain table with a twin of which one row in a hundred differs, by ours and by others."""
    twin = postgres.database("bench_twin", like="bench_old")
    with psycopg.connect(twin, autocommit=True) as connection:
        connection.execute("UPDATE person SET surname = surname || 'x' WHERE id % 100 = 0")
        connection.execute("VACUUM ANALYZE person")
    os.environ["OMNICASE_TWIN_URL"] = twin
    started = time.perf_counter()
    numbers = [str(at) for at in range(0, options.rows + _RANGE, _RANGE)]
    for url in (old, twin):
        assert _read(url, "person", ("id", *_FIELDS), numbers) == options.rows
    limit = time.perf_counter() - started
    pair = omnicase(workspace, "reconcile", "pairs", "old.person", "twin.person", "--key", "id")
    print(f"a table with another: reading both {limit:.1f} s, `reconcile pairs` {_said(pair)}")
    ratio("pairs / reading both", pair.wall / limit, 1.2, "at most")
    for tool in ("datacompy", "reladiff"):
        python = options.environments / f"bench-env-{tool}" / "bin" / "python"
        if not python.exists():
            print(f"  {tool}: not compared, there is no {python} (see the top of this file)")
            continue
        script = ROOT / "benchmarks" / "reconcile_others.py"
        found = measured([str(python), "-P", str(script), tool, old, twin, ",".join(_FIELDS)])
        print(f"  {tool} {_said(found)}: {found.wall / pair.wall:.1f} times ours (asked: more than 1)")


def _said(measured: Measured) -> str:
    return f"{measured.wall:.1f} s, {measured.processor:.1f} s of processor, {measured.memory:.0f} MB"


def _keys(workspace: Path, old: str, new: str, options: argparse.Namespace) -> None:
    """Follow many keys."""
    fill(workspace, old, new, options.rows + 1, options.keys)
    found = omnicase(workspace, "reconcile", "--level", "keys")
    print(f"keys, {options.keys:,} on both sides: {_said(found)} (asked: 60 s for 10,000,000, 450 MB)")


def main() -> None:
    """Load once, and compare in the ways asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reconcile")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows that are loaded and compared by values")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--keys", type=int, default=0, help="follow so many keys besides, such as 10000000")
    parser.add_argument("--environments", type=Path, default=Path("/work"), help="folder with those of other tools")
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
        if options.times:
            _fields(workspace, old, new, options)
            _pairs(postgres, workspace, old, options)
        if options.keys:
            _keys(workspace, old, new, options)


if __name__ == "__main__":
    main()
