"""The whole of a target as text, on any database: every row of the model, and the ledger but for what a run alone decides."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

import psycopg
import sqlalchemy as sa

from casemodel import OUTCOMES, metadata
from migrate.ledger.tables import ledger_metadata
from migrate.ledger.undo_tables import TWINS

Content = dict[str, list[str]]

OF_A_RUN = {
    "run": ["id", "started_at", "ended_at", "host", "pid", "retries"],
    "lock": ["epoch", "run_id", "host", "pid", "taken_at"],
    "progress": ["run_id"],
    "mapping": ["id"],
    "column_set": ["id"],
    "wave": ["id", "since"],
    "wave_event": ["id", "at", "run_id", "host"],
    "id_map": ["run_id"],
    "record": ["run_id"],
    "issue": ["id", "run_id"],
    "reject": ["id", "run_id"],
    "wait": ["id", "run_id"],
    "linked": ["run_id"],
    "contribution": ["run_id"],
    "leftover": ["run_id"],
    "other_key": ["run_id"],
    "resolution": ["id", "at", "run_id"],
    "before_row": ["undo_run"],
    **{f"before_{name}": ["id", "run_id", "undo_run"] for name in TWINS},
    "disclosure": ["id", "at"],
    "verdict": ["id", "at", "run_id", "checks", "reports"],
    "waiver": ["id", "at", "verdict_id"],
    "waiver_event": ["id", "at", "waiver_id"],
}
"""Columns of the ledger that hold run ids, times, batch numbers, or numbers that the database gave out (promise 1)."""

NAMES = {"mapping_id": "mapping", "on_mapping_id": "mapping", "column_set_id": "column_set"}
"""Columns that hold a number given out, and what is compared in its place."""

PER_RUN = ("run", "progress", "batch", "before_row", *(f"before_{name}" for name in TWINS))
EVIDENCE = ("evidence", "evidence_head")
"""Tables about runs, times and batches through and through."""

_OUTCOME = re.compile(r"'outcome': '\w+', |, 'outcome': '\w+'")
"""What the ledger says of each run; the rest it says of keys and records."""


def content(url: str) -> Content:
    """Return every row of a target, sorted, by ``model.TABLE`` and ``ledger.TABLE``; batches are summed by mapping."""
    kind = sa.make_url(url).get_backend_name()
    ledger = ledger_metadata(kind)
    with closing(_connect(url)) as connection:
        found = {f"model.{each.name}": sorted(map(repr, _rows(connection, each))) for each in metadata.sorted_tables}
        compared = [each for each in ledger.sorted_tables if _plain(each) not in EVIDENCE]
        plain = {_plain(each): _rows(connection, each) for each in compared}
    names = {
        "mapping": {row["id"]: row["name"] for row in plain["mapping"]},
        "column_set": {row["id"]: row["columns"] for row in plain["column_set"]},
    }
    for name, rows in plain.items():
        found[f"ledger.{name}"] = _books(rows, names) if name == "batch" else sorted(_facts(name, rows, names))
    return found


def differences(found: Content, wanted: Content, *, runs: bool = True) -> str:
    """Say how two targets differ, in a few rows of the first table that does; an empty text when they do not.

    Args:
        runs: compare too what the ledger says of each run: that it ended, its plan, how far it came, its books.
    """
    assert found.keys() == wanted.keys()
    for name, rows in found.items():
        if name.startswith("ledger.") and not runs and name.partition(".")[2] in PER_RUN:
            continue
        others = wanted[name]
        if not runs:
            rows, others = ([_OUTCOME.sub("", row) for row in each] for each in (rows, others))
        if rows != others:
            extra, missing = (list((Counter(a) - Counter(b)).elements())[:3] for a, b in ((rows, others), (others, rows)))
            return f"{name}: {len(rows)} rows, {len(others)} wanted\nextra {extra}\nmissing {missing}"
    return ""


def _connect(url: str) -> Any:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        import sqlite3

        return sqlite3.connect(f"file:{parsed.database}?mode=ro", uri=True)
    return psycopg.connect(parsed.set(drivername="postgresql").render_as_string(hide_password=False))


def _plain(table: sa.Table) -> str:
    return table.name.removeprefix("migration_")


def _rows(connection: Any, table: sa.Table) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    schema = f'"{table.schema}".' if table.schema else ""
    cursor = connection.cursor()
    cursor.execute(f'SELECT {quoted} FROM {schema}"{table.name}"')
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _facts(name: str, rows: Iterable[Mapping[str, Any]], names: Mapping[str, Mapping[int, str]]) -> Iterable[str]:
    left_out = OF_A_RUN.get(name, [])
    for row in rows:
        kept = {key: value for key, value in row.items() if key not in left_out}
        for key, table in NAMES.items():
            if key in kept:
                kept[key] = names[table][kept[key]]
        if "closed" in kept:
            kept["closed"] = kept["closed"] is not None
        yield repr(kept)


def _books(rows: Iterable[Mapping[str, Any]], names: Mapping[str, Mapping[int, str]]) -> list[str]:
    """Return the sums of each mapping over the batches of all runs: a killed run has other batches, but the same books."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    figures = ["source_rows", "read", *OUTCOMES, "gone_kept", "gone_closed", "gone_removed", "gone_held",
               "key_missing", "key_beyond_first"]
    for row in rows:
        of_mapping = sums[names["mapping"][row["mapping_id"]]]
        for name in figures:
            of_mapping[name] += row[name]
        _add(of_mapping, "counters", json.loads(row["counters"]))
    return sorted(f"{name}: {sorted((key, n) for key, n in of_mapping.items() if n)}" for name, of_mapping in sums.items())


def _add(into: Counter[str], path: str, value: Any) -> None:
    if isinstance(value, dict):
        for name, each in value.items():
            _add(into, f"{path}/{name}", each)
    elif isinstance(value, int):
        into[path] += value
    elif isinstance(value, list) and value and all(isinstance(each, list) and type(each[-1]) is int for each in value):
        for *names, number in value:
            into[f"{path}/{json.dumps(names)}"] += number
    elif not path.startswith("counters/examples"):    # of each batch the first few, and a retry is another batch
        into[f"{path}={json.dumps(value)}"] += 1
