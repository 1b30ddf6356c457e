"""Promise 8: every value can be explained; every column is used, filled, or left out with a reason."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from small_demo import loaded_demo

pytestmark = pytest.mark.no_cover  # traced line by line it takes a quarter longer

# One of each kind: a plain row, links, several rows together, one row into many, one record out of many rows.
MAPPINGS = ("seed.channel", "zaak.case", "zaak.case_status", "seed.role_type", "kcc.contact", "balie.queue_ticket")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo workspace after one run."""
    return loaded_demo(tmp_path_factory)


def ask(folder: Path, statement: str, *values: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"file:{folder / 'target.db'}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(statement, values).fetchall()


KEYS = """
    SELECT m.name, m.target, i.source_key, i.target_id
    FROM migration_id_map i JOIN migration_mapping m ON m.id = i.mapping_id
    WHERE i.state = ? ORDER BY m.name, i.source_key
"""


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_promise_8_what_explain_says_was_written_stands_in_the_target(mapping, loaded, omnicase):
    row = next(row for row in ask(loaded, KEYS, "loaded") if row["name"] == mapping)
    answer = omnicase("-C", loaded, "explain", mapping, row["source_key"], "--format", "json")
    assert answer.status == 0, answer.err
    told = answer.document
    assert (told["state"], told["target"], told["target_id"]) == ("loaded", row["target"], row["target_id"])
    assert told["run"] == 1
    assert len(told["mapping_digest"]) == 64
    [record] = ask(loaded, f"SELECT * FROM {row['target']} WHERE id = ?", row["target_id"])
    written = {stage["field"]: stage["value"] for stage in told["stages"] if stage["stage"] == "written"}
    assert written.keys() <= set(record.keys())
    shown = {field: value for field, value in written.items() if not value.startswith(("‹", "∅"))}
    assert len(shown) >= 2
    assert {field: str(record[field]) for field in shown} == shown


def test_promise_8_a_row_that_was_not_loaded_is_explained_too(loaded, omnicase):
    rejected = ask(loaded, KEYS, "rejected")
    assert rejected
    for row in rejected[:3]:
        answer = omnicase("-C", loaded, "explain", row["name"], row["source_key"], "--format", "json")
        assert answer.status == 0, answer.err
        assert answer.document["state"] == "rejected"
        assert any(stage["issue"] for stage in answer.document["stages"]) or answer.document.get("issues")


def test_promise_8_a_column_without_use_or_reason_is_refused(loaded, omnicase, tmp_path):
    folder = tmp_path / "w"
    shutil.copytree(loaded, folder)
    file = folder / "mappings" / "balie.queue_ticket.yml"
    text = file.read_text()
    start = text.index("ignore:\n")
    stop = text.index("\nrules:", start)
    file.write_text(text[:start] + text[stop + 1 :])
    answer = omnicase("-C", folder, "mapping", "check", "--format", "json")
    assert answer.status == 4
    assert any("DATMUT" in error["message"] for error in answer.document["errors"])
