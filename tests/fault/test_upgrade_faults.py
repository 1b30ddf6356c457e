"""An upgrade is done or not done: whatever dies, the target holds what it held (faults.md, R9)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from casemodel import SystemFailure
from migrate.target.database import COPY_SUFFIX, check, current, heads, is_current, target_engine, upgrade

# Upgrades in a process of its own, which is killed before the given statement.
DIES = """
import os, signal, sys
import sqlalchemy as sa
from migrate.target.database import target_engine, upgrade
engine, left = target_engine(sys.argv[1]), int(sys.argv[2])
@sa.event.listens_for(engine, "before_cursor_execute")
def count(connection, cursor, statement, *rest):
    global left
    if statement.lstrip().startswith(("CREATE", "INSERT", "COMMENT")):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
upgrade(engine)
"""


def dump(file: Path) -> list[str]:
    with sqlite3.connect(file) as database:
        return list(database.iterdump())


def others_table(engine: sa.Engine) -> None:
    """Put a table of somebody else into the target."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE parkeervergunning (id INTEGER PRIMARY KEY, kenteken VARCHAR(8))")
        connection.exec_driver_sql("INSERT INTO parkeervergunning VALUES (1, 'AB-12-CD')")


def others_rows(engine: sa.Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM parkeervergunning")]


@pytest.mark.sample(1)
@pytest.mark.parametrize("statements", [0, 1, 20, 40, 60, 80])
def test_r09_killed_upgrade_leaves_the_target_old_and_can_be_done_again(target_url, project_root, statements):
    engine = target_engine(target_url)
    others_table(engine)
    done = subprocess.run(
        [sys.executable, "-c", DIES, target_url, str(statements)], cwd=project_root, capture_output=True, text=True
    )
    assert done.returncode == -9, done.stderr
    assert current(engine) == {"model": None, "ledger": None}
    assert sa.inspect(engine).get_table_names() == ["parkeervergunning"]
    upgrade(engine)
    assert is_current(engine)
    assert check(engine) == []
    assert others_rows(engine) == [(1, "AB-12-CD")]


def test_a_failing_upgrade_is_undone_whole(target_url):
    """A table of somebody else has the name of one of ours, which shows only when half of the tables are made."""
    engine = target_engine(target_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE queue_ticket (nummer INTEGER)")
        connection.exec_driver_sql("INSERT INTO queue_ticket VALUES (42)")
    with pytest.raises(SystemFailure, match="failed and was undone") as failed:
        upgrade(engine)
    assert failed.value.exit_status == 5
    assert sa.inspect(engine).get_table_names() == ["queue_ticket"]
    assert current(engine) == {"model": None, "ledger": None}
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM queue_ticket").all() == [(42,)]


def test_a_failing_upgrade_of_sqlite_leaves_no_copy_behind(tmp_path):
    file = tmp_path / "target.db"
    engine = target_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE queue_ticket (nummer INTEGER)")
    before = dump(file)
    with pytest.raises(SystemFailure):
        upgrade(engine)
    assert dump(file) == before
    assert [each.name for each in tmp_path.iterdir()] == ["target.db"]


def killed_with_copy(tmp_path: Path, project_root: Path) -> tuple[Path, Path, sa.Engine]:
    """Kill an upgrade of a SQLite target that holds data, so that its copy is left."""
    file = tmp_path / "target.db"
    engine = target_engine(f"sqlite:///{file}")
    others_table(engine)
    subprocess.run([sys.executable, "-c", DIES, f"sqlite:///{file}", "80"], cwd=project_root, capture_output=True)
    copy = Path(str(file) + COPY_SUFFIX)
    assert copy.exists()
    assert copy.stat().st_mode & 0o077 == 0
    return file, copy, engine


def test_the_copy_of_a_killed_upgrade_never_overwrites_what_was_written_since(tmp_path, project_root):
    _, copy, engine = killed_with_copy(tmp_path, project_root)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO parkeervergunning VALUES (2, 'EF-34-GH')")
    upgrade(engine)
    assert others_rows(engine) == [(1, "AB-12-CD"), (2, "EF-34-GH")]
    assert not copy.exists()


def test_r09_the_copy_of_a_killed_upgrade_replaces_a_file_that_is_damaged(tmp_path, project_root):
    file, copy, engine = killed_with_copy(tmp_path, project_root)
    Path(str(file) + "-journal").unlink(missing_ok=True)
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 8192)
    upgrade(engine)
    assert others_rows(engine) == [(1, "AB-12-CD")]
    assert current(engine) == heads()
    assert not copy.exists()


def test_two_upgrades_at_once_both_end_well(target_url, project_root):
    code = "import sys; from migrate.target.database import *; upgrade(target_engine(sys.argv[1]))"
    both = [
        subprocess.Popen([sys.executable, "-c", code, target_url], cwd=project_root, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [(process.wait(), process.stderr.read()) for process in both if process.stderr]
    assert ends == [(0, ""), (0, "")]
    assert check(target_engine(target_url)) == []
