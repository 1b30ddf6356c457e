"""The receipt workspace when something is wrong or changes: planted mapping errors, code tables, a log that drifts."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Answer, CommandLine
from receipt_log import EXAMPLE, SMALL, Log, case_records_of

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory, omnicase: CommandLine) -> Path:
    """The example on the small log, its target upgraded and empty."""
    folder = tmp_path_factory.mktemp("upgraded") / "workspace"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.db*", "reports", "evidence"))
    assert omnicase("-C", folder, "db", "upgrade").status == 0
    return folder


@pytest.fixture
def workspace(tmp_path: Path, upgraded: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(upgraded, tmp_path / "workspace"))


@pytest.fixture
def log() -> Log:
    return Log.read(SMALL)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def books(answer: Answer) -> dict[str, dict[str, int]]:
    return {entry["mapping"]: entry for entry in answer.document["mappings"]}


def all_rows(workspace: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table of the case model."""
    with closing(sqlite3.connect(f"file:{workspace / 'target.db'}?mode=ro", uri=True)) as target:
        names = [name for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {
            name: target.execute(f'SELECT * FROM "{name}" ORDER BY id').fetchall()
            for name in names if not name.startswith(("migration_", "alembic", "sqlite"))
        }


def test_days_in_utc_instead_of_amsterdam_are_found(workspace: Path, omnicase: CommandLine, log: Log) -> None:
    change(workspace / "mappings" / "defaults.yml", "timezone: Europe/Amsterdam", "timezone: UTC")
    omnicase("-C", workspace, "run")
    wrong = case_records_of(workspace / "target.db") ^ log.case_records()
    assert {row[0] for row in wrong} >= {"case-21011", "case-21733"}


def test_a_date_without_a_time_zone_is_refused(workspace: Path, omnicase: CommandLine) -> None:
    change(workspace / "mappings" / "defaults.yml", "  timezone: Europe/Amsterdam\n", "")
    answer = omnicase("-C", workspace, "--format", "json", "mapping", "check")
    assert answer.status == 4
    assert {error["code"] for error in answer.document["errors"]} == {"MAP-034"}


def test_empty_as_a_group_would_be_seen(workspace: Path, omnicase: CommandLine, log: Log) -> None:
    change(workspace / "mappings" / "receipt.unit.yml", "UNIT <> 'EMPTY'", "UNIT <> 'NONE'")
    found = books(omnicase("-C", workspace, "--format", "json", "run"))["receipt.unit"]
    assert found["inserted"] == log.books()["receipt.unit"]["inserted"] + 1


def test_a_column_forgotten_is_refused(workspace: Path, omnicase: CommandLine) -> None:
    change(workspace / "mappings" / "receipt.status.yml", "  set_at:         {expr: \"moment\"}\n", "")
    answer = omnicase("-C", workspace, "--format", "json", "mapping", "check")
    assert answer.status == 4
    assert "MAP-044" in {error["code"] for error in answer.document["errors"]}
    assert omnicase("-C", workspace, "run").status == 4
    assert not any(all_rows(workspace).values())


def test_a_changed_code_table_changes_only_what_depends_on_it(workspace: Path, omnicase: CommandLine) -> None:
    assert books(omnicase("-C", workspace, "--format", "json", "run"))["receipt.case"]["inserted"] == 13
    change(workspace / "codes" / "receipt_channel.csv", "Intern,onbekend", "Intern,post")
    found = books(omnicase("-C", workspace, "--format", "json", "run"))
    assert {name: entry["updated"] for name, entry in found.items() if entry["updated"]} == {"receipt.case": 1, "receipt.contact": 1}
    assert all(entry["inserted"] == entry["rejected"] == 0 for entry in found.values())


def test_a_rejected_case_comes_back_whole(workspace: Path, omnicase: CommandLine, log: Log, tmp_path: Path) -> None:
    other = tmp_path / "undisturbed"
    shutil.copytree(workspace, other)
    omnicase("-C", other, "run")

    table = workspace / "codes" / "receipt_channel.csv"
    change(table, "Post,post,\n", "")
    first = omnicase("-C", workspace, "--format", "json", "run")
    assert first.status == 3
    found = books(first)
    by_post = [event for event in log.events if event["case:channel"] == "Post"]
    assert found["receipt.case"]["rejected"] == found["receipt.contact"]["rejected"] == len(by_post)
    assert found["receipt.status"]["rejected"] == len(by_post)
    rejects = omnicase("-C", workspace, "--format", "json", "rejects", "list").document["rejects"]
    assert {(issue["field"], issue["code"]) for reject in rejects for issue in reject["issues"]} >= {
        ("channel_id", "code-unknown"), ("case_id", "link-waiting"),
    }

    table.write_text(table.read_text() + "Post,post,\n")
    second = books(omnicase("-C", workspace, "--format", "json", "run"))
    assert second["receipt.case"]["inserted"] == 1
    assert second["receipt.status"]["inserted"] == len(by_post)
    assert all(entry["rejected"] == entry["parked"] == 0 for entry in second.values())
    assert all_rows(workspace) == all_rows(other)


def test_a_log_without_a_column_is_refused_before_a_row_is_read(workspace: Path, omnicase: CommandLine) -> None:
    change(workspace / "log" / "receipt_small.csv", "case:deadline", "case:due")
    answer = omnicase("-C", workspace, "--format", "json", "run")
    assert answer.status == 5
    assert not any(all_rows(workspace).values())


def test_a_log_that_is_not_there_is_said_so(workspace: Path, omnicase: CommandLine) -> None:
    answer = omnicase("-C", workspace, "--format", "json", "run", env={"OMNICASE_RECEIPT_FILE": str(workspace / "no.csv")})
    assert answer.status == 5
    assert answer.document["hint"]
    assert not any(all_rows(workspace).values())


def test_a_new_column_lets_the_run_finish_and_is_a_finding(workspace: Path, omnicase: CommandLine) -> None:
    omnicase("-C", workspace, "run")
    log = workspace / "log" / "receipt_small.csv"
    first, *others = log.read_text().splitlines()
    log.write_text("\n".join([f"{first},case:colour", *(f"{line},blue" for line in others)]) + "\n")
    assert omnicase("-C", workspace, "mapping", "check").status == 4
    again = omnicase("-C", workspace, "--format", "json", "run")
    assert again.status == 3
    assert "case:colour" in again.err
    assert all(entry["inserted"] == entry["updated"] == 0 for entry in books(again).values())
