"""The level keys by itself reads only keys, and says what it says beside the values; sets of hashes hold any number."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from command_line import in_process
from small_demo import loaded_demo
from targets import copy_workspace

from casemodel import record_id
from migrate.workspace import load_workspace
from reconciliation.hashes import Hashes, distinct, without

ASKED = ("zaak.person_address", "zaak.case_property", "balie.address")
"""Of each a row makes a record of its own, so that its keys can be followed by themselves; one rejects rows."""


def test_keys_alone_say_of_a_damaged_target_what_they_say_beside_the_values(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = copy_workspace(loaded_demo(tmp_path_factory), tmp_path / "demo")
    _damage(folder / "target.db", load_workspace(folder).secrets.namespace)
    alone, beside = _judged(folder, "accounting,keys"), _judged(folder, "accounting,keys,fields")
    assert alone == beside
    causes = {finding["cause"] for finding in alone[1] if finding["check"].startswith("keys.")}
    assert causes == {"record missing", "not loaded", "should have loaded", "made in target", "record without a reason"}


def _judged(folder: Path, levels: str) -> tuple[dict[tuple[str, str], Any], list[dict[str, Any]]]:
    """Return the checks and findings of accounting and keys."""
    document = in_process("-C", folder, "--format", "json", "reconcile", *ASKED, "--level", levels).document
    checks = {
        (each["check"], each["mapping"]): each | {"seconds": 0, "id": ""}
        for each in document["checks"]
        if each["level"] != "fields"
    }
    found = [each for each in document["findings"] if not each["check"].startswith("fields.")]
    return checks, sorted(found, key=lambda finding: str(finding["id"]))


def _damage(target: Path, namespace: str) -> None:
    """Lose records that the ledger calls loaded, rejected, or does not know; make some, one of a row that is rejected."""
    of = "FROM migration_id_map WHERE mapping_id = (SELECT id FROM migration_mapping WHERE name = ?) AND state = ?"
    with closing(sqlite3.connect(target)) as database:
        wanted = f"SELECT target_id {of} ORDER BY source_key LIMIT 5"
        found = database.execute(wanted, ("zaak.person_address", "loaded"))
        lost, rejected, forgotten, doubled, moved = (each for (each,) in found)
        database.executemany("DELETE FROM address WHERE id = ?", [(lost,), (rejected,), (forgotten,)])
        database.execute("UPDATE migration_id_map SET state = 'rejected' WHERE target_id = ?", (rejected,))
        database.execute("DELETE FROM migration_id_map WHERE target_id = ?", (forgotten,))
        _copied(database, "address", doubled, str(uuid4()))
        assert database.execute("UPDATE address SET id = ? WHERE id = ?", (str(uuid4()), moved)).rowcount == 1
        [key] = database.execute(f"SELECT source_key {of}", ("zaak.case_property", "rejected")).fetchone()
        made = pl.select(record_id(namespace, "case_property", "zaak.case_property", pl.lit(key))).item()
        _copied(database, "case_property", database.execute("SELECT id FROM case_property").fetchone()[0], made)
        database.commit()


def _copied(database: sqlite3.Connection, table: str, record: str, made: str) -> None:
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
    names = ", ".join(columns)
    copied = f"INSERT INTO {table} (id, {names}) SELECT ?, {names} FROM {table} WHERE id = ?"
    assert database.execute(copied, (made, record)).rowcount == 1


@pytest.mark.parametrize("most", [7, 10_000])
def test_sets_of_hashes_are_the_same_in_memory_and_in_a_file(most: int) -> None:
    draw = random.Random(7)
    first = [draw.getrandbits(64) for _ in range(900)] + [0, (1 << 64) - 1, (1 << 56) - 1, 1 << 56]
    second = draw.sample(first, 500) + [draw.getrandbits(64) for _ in range(50)]
    one, other = Hashes(most), Hashes(most)
    for hashes, values in ((one, [*first, *first[:100]]), (other, second)):
        for start in range(0, len(values), 6):
            hashes.add(pl.Series(values[start : start + 6], dtype=pl.UInt64))
    assert (one.all_in_memory, len(one)) == (most > 900, len(first) + 100)
    assert distinct(one) == len(set(first))
    assert sorted(without(one, other)) == sorted(set(first) - set(second))
    assert sorted(without(other, one)) == sorted(set(second) - set(first))
    assert sorted(each for piece in one.pieces() for each in piece) == sorted([*first, *first[:100]])
