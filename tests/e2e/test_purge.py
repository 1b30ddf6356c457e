"""`purge`: raw rows and before-images go, counts and digests stay, and what can no longer be done is said."""

from __future__ import annotations

import json
import signal
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from command_line import CommandLine, in_process
from tiny_workspace import contact, edit, make_workspace, write_contacts

from migrate.ledger.store import table
from migrate.target.opened import workspace_target
from migrate.workspace import load_workspace

BEFORE = ("purge", "--before", "2099-01-01")


@pytest.fixture(params=["sqlite", "postgresql"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A workspace after two runs: two rows rejected, then one record written over and one of the rejects mended."""
    folder = make_workspace(tmp_path / "w")
    if request.param == "postgresql":
        new: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        edit(folder / "workspace.yml", "sqlite:///target.db", new().replace("+psycopg", ""))
    assert in_process("-C", folder, "db", "upgrade").status == 0
    wrong = [contact(number, WANNEER="gisteren", NAAM="P. Geheim") for number in (1, 2)]
    write_contacts(folder, [*wrong, *(contact(number) for number in range(3, 21))])
    assert in_process("-C", folder, "run").status == 3
    write_contacts(folder, [contact(1), wrong[1], contact(3, ONDERWERP="anders"), *(contact(number) for number in range(4, 21))])
    assert in_process("-C", folder, "run").status == 3
    return folder


def rows(folder: Path, name: str) -> list[sa.RowMapping]:
    with closing(workspace_target(load_workspace(folder, None))) as target, target.engine.connect() as connection:
        return list(connection.execute(sa.select(table(connection, name))).mappings())


def test_what_was_read_goes_and_the_books_stay(workspace: Path) -> None:
    assert "Geheim" in rows(workspace, "reject")[0]["row"]
    assert "Geheim" in rows(workspace, "before_reject")[0]["row"]
    asked = in_process("-C", workspace, *BEFORE)
    assert (asked.status, asked.err.splitlines()[-2][:7]) == (6, "PRG-003")
    assert "these runs can no longer be rolled back: 2." in asked.err
    assert len(rows(workspace, "before_row")) == 1
    done = in_process("-C", workspace, "--format", "json", *BEFORE, "--yes").document
    assert (done["done"], done["no_rollback_of"], done["removed"]["reject"]) == (True, [2], 1)
    assert done["removed"]["before_row"] == done["removed"]["before_reject"] == 1
    (reject,) = rows(workspace, "reject")
    assert list(json.loads(reject["row"])) == ["_purged"]
    assert rows(workspace, "before_row") == rows(workspace, "before_reject") == []
    (kept,) = rows(workspace, "purge")
    removed = json.loads(kept["removed"])
    assert (removed["before_row"]["rows"], len(removed["before_row"]["digest"])) == (1, 64)
    assert "Geheim" not in kept["removed"]
    refused = in_process("-C", workspace, "--format", "json", "rollback", "last")
    assert (refused.status, refused.document["code"]) == (6, "UND-008")
    assert in_process("-C", workspace, "rejects", "list").out.startswith("kcc.contact")
    assert in_process("-C", workspace, "rejects", "show", "kcc.contact", "2").status == 0
    assert in_process("-C", workspace, *BEFORE).out == "There is nothing to purge.\n"
    again = in_process("-C", workspace, "--format", "json", "run", "--full")
    assert [each["rejected"] for each in again.document["mappings"] if each["mapping"] == "kcc.contact"] == [1]
    assert in_process("-C", workspace, "rollback", "last").status == 0


def test_what_goes_is_not_kept_for_the_rollback_of_a_run_that_died(workspace: Path, omnicase: CommandLine) -> None:
    write_contacts(workspace, [contact(2, WANNEER="gisteren", NAAM="P. Geheim"), *(contact(number) for number in range(3, 21))])
    died = omnicase.spawn("-C", workspace, "run", "--full", env={"OMNICASE_FAILPOINT": "after-begin:1"})
    assert died.status == -signal.SIGKILL
    done = in_process("-C", workspace, "--format", "json", *BEFORE, "--yes").document
    assert done["done"]
    assert rows(workspace, "before_reject") == []
    assert not [each for each in rows(workspace, "reject") if "Geheim" in each["row"]]


def test_memory_does_not_grow_with_what_is_purged(workspace: Path) -> None:
    """A long rehearsal leaves many rejected rows: a page of them is in memory at a time."""
    count = 40_000
    with closing(workspace_target(load_workspace(workspace, None))) as target, target.transaction() as connection:
        kept = table(connection, "reject")
        one = dict(connection.execute(sa.select(kept)).mappings().first() or {})
        del one["id"]
        connection.execute(sa.insert(kept), [one] * count)
    tracemalloc.start()
    try:
        done = in_process("-C", workspace, "--format", "json", *BEFORE, "--yes").document
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done["removed"]["reject"] == count + 1
    assert all(list(json.loads(each["row"])) == ["_purged"] for each in rows(workspace, "reject"))
    assert most < 12 << 20, f"{most >> 20} MB"


def test_what_cannot_be_meant(workspace: Path) -> None:
    for words, status, code in (
        (["purge", "--yes"], 2, "PRG-001"),
        (["purge", *BEFORE[1:], "--wave", "x"], 2, "PRG-001"),
        (["purge", "--wave", "x", "--yes"], 2, "WAV-001"),
    ):
        answer = in_process("-C", workspace, "--format", "json", *words)
        assert (answer.status, answer.document["code"]) == (status, code)
    assert in_process("-C", workspace, "purge", "--before", "2001-01-01").out == "There is nothing to purge.\n"
