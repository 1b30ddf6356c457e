"""The dirty demo with its two old databases on PostgreSQL: the same records as from SQLite, whatever happens meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from command_line import Answer, CommandLine
from postgres_system import copy_to_postgres, execute, plain_url
from small_demo import fresh_demo, loaded_demo
from targets import copy_workspace, ledger_rows, model_rows, open_read_only

pytestmark = pytest.mark.no_cover  # traced line by line it takes a quarter longer

CUT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'omnicase' AND datname = current_database()"""
WITHOUT_LOCATORS = ("id_map", "record", "wait", "contribution", "linked")
"""What the ledger holds of rows; issues and rejects also hold the source's own locator, which is another one."""


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory, new_postgres_database: Callable[[], str]) -> dict[str, str]:
    """The URLs of the two old databases."""
    urls = {}
    for name in ("zaak", "balie"):
        urls[name] = new_postgres_database()
        copy_to_postgres(fresh_demo(tmp_path_factory) / f"systems/{name}.db", urls[name])
    return urls


def on_postgres(demo: Path, folder: Path, systems: dict[str, str]) -> Path:
    copy_workspace(demo, folder)
    settings = folder / "workspace.yml"
    text = settings.read_text()
    for name, url in systems.items():
        old = f"    kind: sqlite\n    path: systems/{name}.db\n"
        assert old in text
        text = text.replace(old, f"    kind: postgresql\n    url: {plain_url(url).replace('postgres:@', 'postgres@')}\n")
        (folder / f"systems/{name}.db").unlink()
    # Larger batches than those of the run from SQLite: it takes half the time and must make no difference.
    settings.write_text(text.replace("batch_rows: 97", "batch_rows: 150"))
    return folder


def digests(url: str) -> list[tuple[object, ...]]:
    """Return a digest of every table of an old database (promise 6)."""
    with psycopg.connect(plain_url(url)) as connection:
        names = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        ask = "SELECT '{0}', count(*), md5(string_agg(x::text, '|' ORDER BY x::text)) FROM \"{0}\" AS x"
        return [row for name in sorted(names) for row in connection.execute(ask.format(name).encode())]


def test_r19_the_server_is_cut_in_the_midst_and_the_records_are_those_from_sqlite(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, systems: dict[str, str], omnicase: CommandLine
) -> None:
    folder = on_postgres(fresh_demo(tmp_path_factory), tmp_path / "pg", systems)
    before = [digests(url) for url in systems.values()]
    cut = _cut_while_reading(folder, systems["zaak"])
    assert cut.status == 5, cut.err
    assert ("CON-061" in cut.err or "CON-062" in cut.err) and "FATAL" not in cut.err + cut.out
    connection = open_read_only(folder / "target.db")
    assert connection.execute("SELECT state FROM migration_run").fetchall() == [("failed",)]
    assert connection.execute("SELECT count(*) FROM migration_batch").fetchone()[0] > 0
    connection.close()
    again = omnicase("-C", folder, "run")
    assert again.status == 3 and "was resumed" in again.err, again.err
    loaded = loaded_demo(tmp_path_factory)
    found, wanted = model_rows(folder / "target.db"), model_rows(loaded / "target.db")
    assert {name: len(rows) for name, rows in found.items()} == {name: len(rows) for name, rows in wanted.items()}
    assert found == wanted
    mine, theirs = ledger_rows(folder / "target.db"), ledger_rows(loaded / "target.db")
    for name in WITHOUT_LOCATORS:
        assert mine[name] == theirs[name], name
    assert len(mine["issue"]) == len(theirs["issue"]) and len(mine["reject"]) == len(theirs["reject"])
    assert [digests(url) for url in systems.values()] == before


def _cut_while_reading(folder: Path, url: str) -> Answer:
    """Start a run, and end every connection of it to an old database while a mapping of that one is loaded."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "migrate", "-C", str(folder), "run"],
        env=CommandLine.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    asked = ("SELECT count(*) FROM migration_batch b JOIN migration_mapping m ON m.id = b.mapping_id"
             " WHERE m.name = 'zaak.person'")
    until = time.monotonic() + 120
    while True:
        connection = open_read_only(folder / "target.db")
        batches = connection.execute(asked).fetchone()[0]
        connection.close()
        if batches:
            break
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.01)
    execute(url, CUT)
    out, err = process.communicate(timeout=120)
    return Answer(process.returncode, out, err)
