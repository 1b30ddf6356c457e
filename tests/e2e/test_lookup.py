"""`lookup`: a record of the target leads back to its source row, masked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process
from tiny_workspace import make_workspace


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace that was loaded."""
    folder = make_workspace(tmp_path_factory.mktemp("lookup") / "w", contacts=3)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status in (0, 3)
    return folder


def _id(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "target.db")) as connection:
        return str(connection.execute("SELECT id FROM actor WHERE employee_code = 'm2'").fetchone()[0])


def test_a_record_leads_back_to_its_row_and_version(loaded: Path) -> None:
    answer = in_process("-C", loaded, "--format", "json", "lookup", "actor", _id(loaded))
    assert answer.status == 0, answer.err
    (origin,) = answer.document["origins"]
    assert (origin["mapping"], origin["key"], origin["state"], origin["run"]) == ("oud.actor", ["m2"], "loaded", 1)
    assert origin["source"]["CODE"] == "m2"
    assert "Medewerker 2" not in answer.out
    assert len(origin["meaning"]) == 64
    assert origin["changed"] is False
    assert answer.document["record"]["actor_type"] == "medewerker"


def test_text_names_the_next_step(loaded: Path) -> None:
    answer = in_process("-C", loaded, "lookup", "actor", _id(loaded).upper())
    assert answer.status == 0, answer.err
    assert "uit oud.actor  m2  loaded" in answer.out
    english = in_process("-C", loaded, "lookup", "actor", _id(loaded), "--lang", "en")
    assert "from oud.actor  m2  loaded" in english.out
    assert "omnicase explain oud.actor 'm2'" in answer.out


@pytest.mark.parametrize(
    ("table", "record", "code", "said"),
    [
        ("acter", "00000000-0000-0000-0000-000000000000", "LKP-001", "actor"),
        ("actor; DROP TABLE actor", "00000000-0000-0000-0000-000000000000", "LKP-001", "actor"),
        ("actor", "m2", "LKP-002", "UUID"),
        ("actor", "' OR 1=1 --", "LKP-002", "UUID"),
        ("actor", "00000000-0000-0000-0000-000000000000", "LKP-003", "Check table and id"),
    ],
)
def test_what_is_not_there_is_refused(loaded: Path, table: str, record: str, code: str, said: str) -> None:
    answer = in_process("-C", loaded, "lookup", table, record)
    assert answer.status == 2
    assert code in answer.err
    assert said in answer.err
