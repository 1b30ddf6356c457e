"""PostgreSQL as target: what SQLite shows of the promises, it shows too; the dirty demo, whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from command_line import ROOT
from command_line import in_process as omnicase
from pg_pooler import pooler
from small_demo import fresh_demo, loaded_demo
from targets import assert_same_target, copy_workspace
from tiny_workspace import edit

from connectors import open_target
from migrate.target.copy import copy_target

pytestmark = pytest.mark.no_cover  # the same lines as with SQLite, but for one module


class Loaded:
    """A workspace whose target is a PostgreSQL database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        settings = folder / "workspace.yml"
        settings.write_text(settings.read_text().replace("sqlite:///target.db", url.replace("+psycopg", "")))

    def run(self, *arguments: str) -> dict[str, dict[str, int]]:
        """Run, or do what else is asked, and return the books by mapping."""
        answer = omnicase("-C", self.folder, "--format", "json", *(arguments or ("run",)))
        assert answer.status in (0, 3), answer.err
        return {books["mapping"]: books for books in answer.document["mappings"]}

    def write(self, sql: str, **values: str) -> int:
        """Change the target by hand."""
        with self.engine.begin() as connection:
            return connection.execute(sa.text(sql), values).rowcount

    def one(self, sql: str, **values: str) -> sa.Row[tuple[str, ...]]:
        """Ask the target for one row."""
        with self.engine.connect() as connection:
            return connection.execute(sa.text(sql), values).one()

    def written(self) -> dict[str, set[tuple[str, str]]]:
        """Return, of every table of the model, which transaction wrote each record last."""
        with self.engine.connect() as connection:
            names = sa.inspect(connection).get_table_names(schema="public")
            return {
                name: {tuple(row) for row in connection.execute(sa.text(f'SELECT id::text, xmin::text FROM "{name}"'))}
                for name in names if not name.startswith("alembic")
            }

    def change_source(self, sql: str, *values: str) -> None:
        """Change the old system."""
        with sqlite3.connect(self.folder / "systems/zaak.db") as zaak:
            assert zaak.execute(sql, values).rowcount == 1


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, new_postgres_database: Callable[[], str]) -> Loaded:
    """The small demo, loaded into PostgreSQL once; the tests change it in the order in which they stand."""
    found = Loaded(copy_workspace(fresh_demo(tmp_path_factory), tmp_path_factory.mktemp("pg") / "demo"), new_postgres_database())
    assert omnicase("-C", found.folder, "db", "upgrade").status == 0
    found.run()
    return found


def test_the_target_and_the_ledger_are_those_of_sqlite(
    loaded: Loaded, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = open_target(loaded.url)
    copy_target(target, tmp_path / "copy.db")
    target.close()
    assert_same_target(tmp_path / "copy.db", loaded_demo(tmp_path_factory) / "target.db")


def test_it_reconciles_and_can_be_asked(loaded: Loaded) -> None:
    """Every level of reconcile passes; status, rejects, explain and lookup read it."""
    report = omnicase("-C", loaded.folder, "--format", "json", "reconcile")
    assert report.document["verdict"] == "in_balance", report.err
    assert {check["outcome"] for check in report.document["checks"]} <= {"passed", "not_applicable"}
    key, record = loaded.one("SELECT source_key, target_id FROM migration.id_map JOIN migration.mapping m ON m.id = mapping_id"
                             " WHERE m.name = 'zaak.case' AND state = 'loaded' ORDER BY 1 LIMIT 1")
    for asked in (["status"], ["rejects", "list"], ["explain", "zaak.case", key], ["lookup", "case_file", record]):
        answer = omnicase("-C", loaded.folder, "--format", "json", *asked)
        assert answer.status in (0, 3), answer.err


def test_promise_4_r38_a_second_run_writes_nothing(loaded: Loaded) -> None:
    before = loaded.written()
    for options in ((), ("--full",)):
        books = loaded.run("run", *options)
        assert all(each["inserted"] == each["updated"] == 0 for each in books.values())
    assert loaded.written() == before


def _roles(loaded: Loaded) -> list[str]:
    """Return the SQL that docs/engineer.md shows for the roles of a target, for roles of this test."""
    guide = (ROOT / "docs/engineer.md").read_text()
    block = guide[guide.index("CREATE ROLE omnicase_owner"):].partition("```")[0]
    block = block.replace("DATABASE omnichannel", f"DATABASE {sa.make_url(loaded.url).database}")
    lines = [line for line in block.splitlines() if not line.startswith("--")]
    return [each.strip() for each in " ".join(lines).split(";") if each.strip()]


def test_the_roles_of_the_guide_suffice_and_no_more(loaded: Loaded) -> None:
    """The loader runs, the reader looks; the reader cannot run, and doctor says what is lacking."""
    made = ("omnicase_owner", "omnicase_loader", "omnicase_reader")
    for sql in _roles(loaded):
        loaded.write(sql)
    try:
        answers = {}
        key, record = loaded.one("SELECT source_key, target_id FROM migration.id_map JOIN migration.mapping m ON m.id = mapping_id"
                                 " WHERE m.name = 'zaak.case' AND state = 'loaded' ORDER BY 1 LIMIT 1")
        for role in made[1:]:
            url = sa.make_url(loaded.url).set(username=role).render_as_string(hide_password=False)
            env = {"OMNICASE_TARGET_URL": url}
            asked = (["doctor"], ["run", "seed.channel", "--full"], ["status"], ["reconcile", "seed.channel"])
            looks = (["explain", "zaak.case", key], ["lookup", "case_file", record], ["conflicts", "list"], ["wave", "list"])
            answers[role] = [omnicase("-C", loaded.folder, "--format", "json", *each, env=env) for each in (*asked, *looks)]
        lacks = {}
        for right, given in (("USAGE ON ALL SEQUENCES IN SCHEMA migration", "USAGE on migration."), ("TEMPORARY ON DATABASE {}", "TEMPORARY on")):
            right = right.format(sa.make_url(loaded.url).database)
            loaded.write(f"REVOKE {right} FROM omnicase_loader, PUBLIC")
            url = sa.make_url(loaded.url).set(username=made[1]).render_as_string(hide_password=False)
            said = omnicase("-C", loaded.folder, "--format", "json", "doctor", env={"OMNICASE_TARGET_URL": url})
            lacks[given] = next(each["message"] for each in said.document["checks"] if each["code"] == "DOC-027")
            loaded.write(f"GRANT {right} TO omnicase_loader")
        env = {"OMNICASE_TARGET_URL": sa.make_url(loaded.url).set(username=made[1]).render_as_string(hide_password=False)}
        runs = loaded.one("SELECT count(*) FROM migration.run")
        bulk = [omnicase("-C", loaded.folder, "--format", "json", "run", "seed.channel", "--bulk", env=env)]
        loaded.write("INSERT INTO migration.meta (name, value) VALUES ('bulk', '[\"channel\"]')")
        bulk += [omnicase("-C", loaded.folder, "--format", "json", *each, env=env) for each in (["run", "seed.channel"], ["doctor"])]
        loaded.write("DELETE FROM migration.meta WHERE name = 'bulk'")
        assert loaded.one("SELECT count(*) FROM migration.run") == runs, "refused before a run is opened"
    finally:
        for role in made:
            loaded.write(f"DROP OWNED BY {role}")
            loaded.write(f"DROP ROLE {role}")
    assert [each.status for each in answers["omnicase_loader"]] == [3, 0, 0, 0, 0, 0, 0, 0], answers["omnicase_loader"]
    # The server of the tests need not survive a power cut.
    findings = [each["code"] for each in answers["omnicase_loader"][0].document["checks"] if each["check"].startswith("target") and each.get("code")]
    assert findings == ["DOC-026"]
    rights = next(each for each in answers["omnicase_loader"][0].document["checks"] if each["check"] == "target rights")
    assert "`run --bulk` needs a role that owns the tables" in rights["message"]
    assert [(each.status, each.document["code"]) for each in bulk[:2]] == [(6, "RUN-043")] * 2
    assert "DOC-033" in bulk[2].out
    assert [each.status for each in answers["omnicase_reader"]] == [5, 5, 0, 0, 0, 0, 0, 0], answers["omnicase_reader"]
    assert answers["omnicase_reader"][1].document["code"] == "TGT-035"
    assert "DOC-027" in answers["omnicase_reader"][0].out
    assert [name in message for name, message in lacks.items()] == [True, True], lacks


def test_promise_5_and_a_plan_that_predicts_the_run(loaded: Loaded) -> None:
    """One row changes, another changes whose record a person edited: one update, one conflict, nothing else."""
    numbers = [row[0] for row in loaded.engine.connect().execute(
        sa.text("SELECT identification FROM case_file WHERE NOT suspended ORDER BY 1 LIMIT 2"))]
    loaded.write("UPDATE case_file SET explanation = 'Door een mens' WHERE identification = :number", number=numbers[0])
    for number in numbers:
        loaded.change_source("UPDATE ZKN_ZAAK SET ONDERWERP = 'Nieuw' WHERE RTRIM(ZAAKNR) = ?", number)
    before = loaded.written()
    planned = loaded.run("plan")
    assert loaded.written() == before, "plan wrote to the target"
    assert loaded.run() == planned
    assert (planned["zaak.case"]["updated"], planned["zaak.case"]["conflict"]) == (1, 1)
    found = [loaded.one("SELECT description, explanation FROM case_file WHERE identification = :n", n=each) for each in numbers]
    assert found[0][0] != "Nieuw" and found[0][1] == "Door een mens" and found[1][0] == "Nieuw"


def test_promise_5_a_record_we_did_not_make_is_a_conflict(loaded: Loaded, postgres_database: str, tmp_path: Path) -> None:
    """The COPY of a whole batch is refused for one record; the others are loaded."""
    other = Loaded(copy_workspace(loaded.folder, tmp_path / "other"), loaded.url)
    settings = other.folder / "workspace.yml"
    settings.write_text(settings.read_text().replace(sa.make_url(loaded.url).database or "?", sa.make_url(postgres_database).database or "?"))
    other = Loaded(other.folder, postgres_database)
    assert omnicase("-C", other.folder, "db", "upgrade").status == 0
    other.write("INSERT INTO channel (id, code, name, is_active) VALUES ('00000000-0000-4000-8000-000000000001', 'balie', 'Balie', true)")
    books = other.run("run", "seed.channel")["seed.channel"]
    assert (books["conflict"], books["inserted"]) == (1, 11)


def test_a_row_that_leaves_is_gone(loaded: Loaded) -> None:
    loaded.change_source("DELETE FROM ZKN_ZAAK WHERE ZAAKNR = (SELECT MAX(ZAAKNR) FROM ZKN_ZAAK)")
    assert loaded.run()["zaak.case"]["gone"]["kept"] == 1


def test_r28_a_second_run_is_refused_while_one_holds_the_target(loaded: Loaded) -> None:
    """The lock is a row: here one that a run on another machine holds."""
    loaded.write("UPDATE migration.lock SET run_id = 1, host = 'elders', pid = 1, taken_at = '2026-01-01 00:00:00.000000'")
    answer = omnicase("-C", loaded.folder, "--format", "json", "run")
    loaded.write("UPDATE migration.lock SET run_id = NULL, host = NULL, pid = NULL")
    assert answer.status == 7 and "elders" in answer.document["message"]


def test_a_target_that_is_not_there_is_exit_5_without_the_drivers_text(loaded: Loaded) -> None:
    answer = omnicase("-C", loaded.folder, "run", env={"OMNICASE_TARGET_URL": "postgresql://geheim@127.0.0.1:1/nergens"})
    assert answer.status == 5 and "geheim" not in answer.err


def test_r39_a_pooler_that_lends_for_a_transaction_is_refused(loaded: Loaded, tmp_path: Path) -> None:
    before, folder = loaded.written(), copy_workspace(loaded.folder, tmp_path / "pooled")
    with pooler(loaded.url, tmp_path / "pooler") as (standing, url):
        edit(folder / "workspace.yml", loaded.url.replace("+psycopg", ""), url.replace("+psycopg", ""))
        for words, status, code in ((("run",), 6, "TGT-026"), (("rollback", "last"), 6, "TGT-026"), (("doctor",), 5, "DOC-029")):
            answer = omnicase("-C", folder, *words)
            assert (answer.status, code in answer.out + answer.err) == (status, True), answer.out + answer.err
        assert omnicase("-C", folder, "status").status in (0, 3), "who only reads may do so through it"
        assert standing.transactions > 0
    assert loaded.written() == before
