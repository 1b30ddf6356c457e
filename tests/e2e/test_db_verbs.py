"""`omnicase db` as a person runs it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from casemodel import tables


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace whose target is a SQLite file that does not exist yet."""
    (tmp_path / "workspace.yml").write_text(
        'workspace: proef\nnamespace: {public: proef}\ntarget: {url: "sqlite:///target.db"}\n', encoding="utf-8"
    )
    return tmp_path


def test_upgrade_current_and_check(omnicase, workspace):
    before = omnicase("-C", workspace, "db", "current")
    assert (before.status, before.err) == (0, "")
    assert "model: not there (this version needs model_" in before.out

    missing = omnicase("-C", workspace, "--format", "json", "db", "check")
    assert missing.status == 5
    assert not (workspace / "target.db").exists()

    upgraded = omnicase("-C", workspace, "--format", "json", "db", "upgrade")
    assert (upgraded.status, upgraded.err) == (0, "")
    assert set(upgraded.document["upgraded"]) == {"model", "ledger"}
    assert (workspace / "target.db").stat().st_mode & 0o077 == 0

    again = omnicase("-C", workspace, "db", "upgrade")
    assert again.status == 0
    assert again.out.count("nothing to do") == 2

    current = omnicase("-C", workspace, "--format", "json", "db", "current")
    assert all(each["revision"] == each["head"] for each in current.document["current"].values())

    clean = omnicase("-C", workspace, "db", "check")
    assert (clean.status, clean.out, clean.err) == (0, "no differences\n", "")


def test_differences_are_listed_and_end_with_exit_5(omnicase, workspace):
    omnicase("-C", workspace, "db", "upgrade")
    with sqlite3.connect(workspace / "target.db") as database:
        database.execute("DROP INDEX ix_case_file_channel_id")
        database.execute("DROP TABLE migration_issue")
    text = omnicase("-C", workspace, "db", "check")
    assert text.status == 5
    assert text.out == (
        "model: index case_file.ix_case_file_channel_id is missing\nledger: table migration_issue is missing\n"
        "2 differences\n"
    )
    document = omnicase("-C", workspace, "--format", "json", "db", "check")
    assert document.status == 5
    assert [each["history"] for each in document.document["differences"]] == ["model", "ledger"]


def test_only_the_ledger(omnicase, workspace):
    done = omnicase("-C", workspace, "db", "upgrade", "--only", "ledger")
    assert done.status == 0
    with sqlite3.connect(workspace / "target.db") as database:
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "migration_id_map" in names
    assert not names & set(tables)


def test_postgresql_through_the_environment(omnicase, workspace, postgres_database):
    environment = {"OMNICASE_TARGET_URL": postgres_database}
    assert omnicase("-C", workspace, "db", "upgrade", env=environment).status == 0
    checked = omnicase("-C", workspace, "db", "check", env=environment)
    assert (checked.status, checked.out) == (0, "no differences\n")
    assert not (workspace / "target.db").exists()


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("sqlite:////nowhere/at/all/target.db", 5, "DBS-001"),
        ("postgresql://user:geheim@/db?host=/nowhere", 5, "DBS-001"),
        ("oracle://host/db", 4, "DBS-005"),
    ],
)
def test_a_target_that_cannot_be_used_gives_one_clear_error(omnicase, workspace, url, status, code):
    failed = omnicase("-C", workspace, "db", "upgrade", env={"OMNICASE_TARGET_URL": url})
    assert (failed.status, failed.out) == (status, "")
    assert failed.err.startswith(code)
    assert "geheim" not in failed.err
    assert "Traceback" not in failed.err


def test_a_file_that_is_no_database_is_left_as_it_is(omnicase, workspace):
    (workspace / "target.db").write_text("geen database, maar een brief\n" * 200, encoding="utf-8")
    failed = omnicase("-C", workspace, "db", "upgrade")
    assert failed.status == 5
    assert "Traceback" not in failed.err
    assert (workspace / "target.db").read_text(encoding="utf-8").startswith("geen database")
    assert sorted(each.name for each in workspace.iterdir()) == ["evidence", "target.db", "workspace.yml"]
