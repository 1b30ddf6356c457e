"""Runs over an old system on PostgreSQL that somebody else writes to, changes or stops meanwhile."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from command_line import Answer, CommandLine, in_process
from postgres_system import execute, plain_url
from targets import upgrade

WORKSPACE = """
workspace: postgres
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: 5}
systems: {old: {kind: postgresql, url: "${OLD_SYSTEM:-postgresql:///nowhere?host=/nowhere}"}}
"""
UNIT = """
mapping: old.unit
owner: test
target: actor
source: {relation: unit, key: [code]}
fields:
  actor_type: {const: organisatorische_eenheid}
  name: {from: NAME}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, email, phone, job_title, unit_id], reason: not in the old system}]
"""
ACTOR = """
mapping: old.actor
owner: test
target: actor
source: {relation: actor, key: [nr]}
incremental: {cursor: {from: changed, datetime: [YYYY-MM-DD HH:mm:ss.fff], timezone: Europe/Amsterdam}, lag: 1 day}
fields:
  actor_type: {const: medewerker}
  name: {from: name}
  unit_id: {from: unit, link: old.unit, missing: park}
  is_active: {from: active, boolean: {true: ["1"], false: ["0"]}}
unfilled: [{columns: [employee_code, email, phone, job_title], reason: not in the old system}]
ignore: [{columns: [changed], reason: technical}]
"""
TABLES = (
    "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
    "CREATE TABLE unit (code char(6) PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE actor (nr bigint PRIMARY KEY, name text, unit char(6), active boolean, changed timestamp)",
)


@pytest.fixture(scope="module")
def url(new_postgres_database: Callable[[], str]) -> str:
    return new_postgres_database()


def make(folder: Path, url: str, *, units: int, actors: int) -> Path:
    (folder / "mappings").mkdir(parents=True)
    (folder / "workspace.yml").write_text(WORKSPACE)
    (folder / "mappings/old.unit.yml").write_text(UNIT)
    (folder / "mappings/old.actor.yml").write_text(ACTOR)
    upgrade(folder)
    execute(
        url,
        *TABLES,
        f"INSERT INTO unit SELECT 'U' || i, 'v0' FROM generate_series(1, {units}) AS i",
        "INSERT INTO actor SELECT i, 'A' || i, 'U1', true, timestamp '2020-01-01 00:00' + i * interval '1 day'"
        f" FROM generate_series(1, {actors}) AS i",
    )
    return folder


def run(folder: Path, url: str, *options: str) -> Answer:
    return in_process("-C", folder, "--format", "json", "run", *options, env={"OLD_SYSTEM": url})


def books(answer: Answer, mapping: str = "old.actor") -> dict[str, int]:
    (found,) = [each for each in answer.document["mappings"] if each["mapping"] == mapping]
    return {name: count for name, count in found.items() if type(count) is int and count and name != "from_rows"}


def target(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"{(folder / 'target.db').as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def start(folder: Path, url: str) -> subprocess.Popen[str]:
    """Start a run in a process of its own and return when it has committed its first batches."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "migrate", "-C", str(folder), "--format", "json", "run"],
        env=CommandLine.environment({"OLD_SYSTEM": url}), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    until = time.monotonic() + 60
    while target(folder, "SELECT count(*) FROM migration_batch")[0][0] < 3:
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.02)
    return process


def test_only_what_changed_is_written_and_a_quiet_database_is_not_read_again(tmp_path: Path, url: str) -> None:
    folder = make(tmp_path / "w", url, units=2, actors=12)
    execute(url, "ALTER TABLE unit SET (autovacuum_enabled = off)", "ALTER TABLE actor SET (autovacuum_enabled = off)")
    first = run(folder, url)
    assert books(first) == {"read": 12, "inserted": 12}, first.err
    second = run(folder, url)
    assert books(second, "old.unit") == {"read": 2, "unchanged": 2}
    assert second.out.count('"standing": true') == 1, "the cursor reads on, the other one stands"
    execute(
        url,
        "UPDATE actor SET name = 'anders', changed = '2020-06-01 12:00:00.5' WHERE nr = 3",
        "UPDATE actor SET name = 'ongemerkt' WHERE nr = 2",
        "INSERT INTO actor VALUES (13, 'later', 'U2', false, '2999-01-01'), (14, 'parked', 'U9', NULL, NULL)",
    )
    third = run(folder, url)
    assert books(third) == {"read": 5, "inserted": 1, "updated": 1, "unchanged": 2, "rejected": 1}, "12 and what is new"
    (high,) = target(folder, "SELECT cursor_high FROM migration_progress p JOIN migration_mapping m ON m.id = p.mapping_id"
                             " WHERE m.name = 'old.actor' ORDER BY p.run_id DESC LIMIT 1")[0]
    assert str(high).startswith("1591"), "a moment in the future does not move the high water"
    names = dict(target(folder, "SELECT i.source_key, a.name FROM actor a JOIN migration_id_map i ON i.target_id = a.id"))
    assert (names["3"], names["2"], names["13"]) == ("anders", "A2", "later")
    assert books(run(folder, url, "--full"))["updated"] == 1, "what changed without its stamp"


def test_r22_a_new_column_is_a_finding(tmp_path: Path, url: str) -> None:
    folder = make(tmp_path / "w", url, units=1, actors=1)
    assert run(folder, url).status == 0
    execute(url, "ALTER TABLE actor ADD extra text")
    answer = run(folder, url)
    assert answer.status == 3 and "extra" in answer.out + answer.err and "MAP-040" in answer.out + answer.err


def test_r21_a_column_that_is_dropped_in_the_midst_ends_the_run(tmp_path: Path, url: str) -> None:
    folder = make(tmp_path / "w", url, units=400, actors=3)
    process = start(folder, url)
    execute(url, "SET lock_timeout = '5s'; ALTER TABLE actor DROP COLUMN name")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 5, (out, err)
    assert json.loads(out)["code"] == "CON-067" and "the column name is gone" in json.loads(out)["message"]
    assert target(folder, "SELECT state FROM migration_run") == [("failed",)]
    assert target(folder, "SELECT count(*) FROM actor") == [(400,)], "what is committed stays"
    again = run(folder, url)
    assert again.status == 5 and again.document["code"] == "RUN-001"


def test_r19_what_changes_before_a_run_goes_on_is_said_and_comes_with_the_next_one(tmp_path: Path, url: str) -> None:
    folder = make(tmp_path / "w", url, units=300, actors=3)
    process = start(folder, url)
    execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'omnicase'"
                 " AND datname = current_database()")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 5 and json.loads(out)["code"] in ("CON-061", "CON-062"), (out, err)
    execute(url, "UPDATE unit SET name = 'v1'; DELETE FROM unit WHERE code = 'U1'; INSERT INTO unit VALUES ('A', 'v1')")
    second = run(folder, url)
    assert second.status in (0, 3) and "was resumed" in second.err and "comes with the next run" in second.err, second.err
    third = run(folder, url)
    assert "old was read as it was 0." in third.err
    assert "comes with" not in third.err and books(third, "old.unit")["inserted"] == 1
    found = target(folder, "SELECT i.source_key, a.name FROM actor a JOIN migration_id_map i ON i.target_id = a.id"
                           " WHERE actor_type = 'organisatorische_eenheid' AND i.state = 'loaded'")
    assert sorted(found) == sorted([("A", "v1"), *((f"U{number}", "v1") for number in range(2, 301))])


def test_r23_a_run_reads_one_moment_while_others_write(tmp_path: Path, url: str) -> None:
    """All names change together, in one transaction: read at one moment they are all the same."""
    folder = make(tmp_path / "w", url, units=120, actors=1)
    ended = threading.Event()

    def write() -> None:
        with psycopg.connect(plain_url(url), autocommit=True) as connection:
            version = 0
            while not ended.is_set():
                version += 1
                connection.execute("UPDATE unit SET name = 'v' || %s", (version,))
                connection.execute("INSERT INTO unit SELECT 'N' || %s, name FROM unit LIMIT 1", (version,))
                connection.execute("DELETE FROM unit WHERE code = 'U' || %s", (1 + version,))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        first = run(folder, url)
    finally:
        ended.set()
        writer.join()
    assert first.status in (0, 3), first.err
    loaded = target(folder, "SELECT DISTINCT name FROM actor WHERE actor_type = 'organisatorische_eenheid'")
    assert len(loaded) == 1
    count = books(first, "old.unit")
    assert count["read"] == count["inserted"]
    run(folder, url)
    with psycopg.connect(plain_url(url)) as connection:
        truth = dict(connection.execute("SELECT trim(code), name FROM unit").fetchall())
    assert loaded != [(next(iter(truth.values())),)], "nobody wrote during the run"
    found = target(folder, "SELECT i.source_key, a.name FROM actor a JOIN migration_id_map i ON i.target_id = a.id"
                           " WHERE actor_type = 'organisatorische_eenheid' AND i.state = 'loaded'")
    assert dict(found) == truth


def test_promise_9_a_row_without_a_key_is_not_shown_by_its_primary_key(tmp_path: Path, url: str) -> None:
    folder = make(tmp_path / "w", url, units=1, actors=1)
    execute(url, "ALTER TABLE unit DROP CONSTRAINT unit_pkey", "ALTER TABLE unit ALTER code DROP NOT NULL",
            "ALTER TABLE unit ADD bsn text; UPDATE unit SET bsn = '1'; ALTER TABLE unit ADD PRIMARY KEY (bsn)",
            "INSERT INTO unit VALUES (NULL, 'x', '999993653')")
    assert books(run(folder, url), "old.unit") == {"read": 2, "inserted": 1, "rejected": 1}
    listed = in_process("-C", folder, "rejects", "list", "old.unit", env={"OLD_SYSTEM": url})
    assert "key-missing" in listed.out and "row #" in listed.out and "999993653" not in listed.out + listed.err


def test_passwords_come_from_the_environment_only(tmp_path: Path, url: str) -> None:
    folder = make(tmp_path / "w", url, units=1, actors=1)
    secret = url.replace("//postgres:@", "//postgres:geheim@")
    assert secret != url
    for env in ({"OLD_SYSTEM": secret}, {"OMNICASE_OLD_URL": secret}):
        answer = in_process("-C", folder, "run", env=env)
        assert answer.status == 0, answer.err
    settings = folder / "workspace.yml"
    settings.write_text(settings.read_text().replace("${OLD_SYSTEM:-postgresql:///", "${OLD_SYSTEM:-postgresql://ik:geheim@host/"))
    for env in ({}, {"OLD_SYSTEM": secret}):
        answer = in_process("-C", folder, "run", env=env)
        assert answer.status == 4 and "CON-002" in answer.err and "geheim" not in answer.err


