"""`db upgrade`, `db current` and `db check`, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from casemodel import GuardError, RefusedError, SystemFailure, tables
from migrate.history import HISTORIES
from migrate.target.database import check, current, heads, is_current, require_current, target_engine, upgrade

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

BEHIND = {"model": None, "ledger": None}


@pytest.fixture
def engine(target_url: str) -> sa.Engine:
    """An engine on an empty target."""
    return target_engine(target_url)


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_an_empty_target_is_upgraded_and_then_is_as_it_should_be(engine):
    assert current(engine) == BEHIND
    assert not is_current(engine)
    assert upgrade(engine) == {name: (None, head) for name, head in heads().items()}
    assert current(engine) == heads()
    assert is_current(engine)
    require_current(engine)
    assert check(engine) == []
    assert upgrade(engine) == {name: (head, head) for name, head in heads().items()}


def test_a_look_at_a_target_that_does_not_exist_makes_no_file(tmp_path):
    engine = target_engine(f"sqlite:///{tmp_path / 'target.db'}")
    assert current(engine) == BEHIND
    with pytest.raises(SystemFailure, match="does not exist"):
        check(engine)
    assert list(tmp_path.iterdir()) == []


def test_the_ledger_alone_can_be_upgraded_where_somebody_else_owns_the_model(engine):
    assert upgrade(engine, only="ledger") == {"ledger": (None, heads()["ledger"])}
    assert current(engine) == {"model": None, "ledger": heads()["ledger"]}
    with pytest.raises(GuardError, match="model is not at the revision") as refused:
        require_current(engine)
    assert refused.value.exit_status == 6
    assert {difference.history for difference in check(engine)} == {"model"}
    assert {difference.kind for difference in check(engine)} == {"missing"}
    assert len(check(engine)) == len(tables)


def test_on_postgresql_the_ledger_has_its_own_schema_and_every_column_a_comment(postgres_database):
    engine = target_engine(postgres_database)
    upgrade(engine)
    inspector = sa.inspect(engine)
    assert set(inspector.get_table_names()) == {*tables, "alembic_version_model"}
    assert {"run", "batch", "id_map", "alembic_version_ledger"} <= set(inspector.get_table_names(schema="migration"))
    for name, table in tables.items():
        assert inspector.get_table_comment(name)["text"] == table.comment
        for column in inspector.get_columns(name):
            assert column["comment"] == table.c[column["name"]].comment != ""


def test_on_sqlite_the_ledger_has_a_prefix(tmp_path):
    engine = target_engine(f"sqlite:///{tmp_path / 'target.db'}")
    upgrade(engine)
    others = set(sa.inspect(engine).get_table_names()) - set(tables)
    others -= {"alembic_version_model", "alembic_version_ledger"}
    assert all(name.startswith("migration_") for name in others)
    assert "migration_id_map" in others


DAMAGE = [
    (["DROP INDEX ix_case_file_channel_id"], ["missing index case_file ix_case_file_channel_id"]),
    (["CREATE INDEX ix_own ON case_file (start_date)"], ["unexpected index case_file ix_own"]),
    (["DROP TABLE journey_link"], ["missing table journey_link journey_link"]),
    (["ALTER TABLE address RENAME COLUMN city TO place"],
     ["missing column address city", "unexpected column address place"]),
    (["ALTER TABLE address ADD COLUMN line4 VARCHAR(80)"], ["unexpected column address line4"]),
    (["DROP INDEX ux_digital_address_party_id_address_type",
      "CREATE UNIQUE INDEX ux_digital_address_party_id_address_type ON digital_address (party_id, address_type)"
      " WHERE address_type = 'email'"],
     ["differs condition digital_address ux_digital_address_party_id_address_type"]),
]
DAMAGE_ON_POSTGRESQL = [
    (["ALTER TABLE case_file ALTER COLUMN description TYPE VARCHAR(60)"], ["differs type case_file description"]),
    (["ALTER TABLE case_file ALTER COLUMN end_date TYPE TIMESTAMP"], ["differs type case_file end_date"]),
    (["ALTER TABLE case_file ALTER COLUMN start_date DROP NOT NULL"], ["differs nullable case_file start_date"]),
    (["ALTER TABLE case_file DROP CONSTRAINT uq_case_file_source_org_identification"],
     ["missing unique key case_file uq_case_file_source_org_identification"]),
    (["ALTER TABLE case_file DROP CONSTRAINT fk_case_file_channel_id"],
     ["missing link case_file fk_case_file_channel_id"]),
    (["ALTER TABLE address DROP COLUMN line3"], ["missing column address line3"]),
    (["ALTER TABLE case_file DROP CONSTRAINT ck_case_file_parent_is_other"],
     ["missing check case_file ck_case_file_parent_is_other"]),
    (["ALTER TABLE case_object DROP CONSTRAINT pk_case_object"], ["differs primary key case_object case_object"]),
    (["ALTER TABLE status_type DROP CONSTRAINT ck_status_type_sequence_range",
      "ALTER TABLE status_type ADD CONSTRAINT ck_status_type_sequence_range CHECK (sequence >= 1 AND sequence <= 99)"],
     ["differs check status_type ck_status_type_sequence_range"]),
    (["ALTER TABLE case_role DROP CONSTRAINT ck_case_role_mandate_values",
      "ALTER TABLE case_role ADD CONSTRAINT ck_case_role_mandate_values CHECK (mandate = 'gemachtigde')"],
     ["differs check case_role ck_case_role_mandate_values"]),
    (["COMMENT ON TABLE party IS 'iets anders'"], ["differs comment party party"]),
    (["COMMENT ON COLUMN party.surname IS NULL"], ["differs comment party surname"]),
    (["ALTER TABLE migration.run DROP COLUMN label"], ["missing column run label"]),
]


def brief(engine: sa.Engine) -> set[str]:
    return {f"{each.kind} {each.what} {each.table} {each.name}" for each in check(engine)}


class Damaged:
    """A target that is damaged more and more."""

    def __init__(self, url: str) -> None:
        self.engine = target_engine(url)
        upgrade(self.engine)
        self.known: set[str] = set()

    def news(self) -> set[str]:
        """Return what `check` says now and did not say before."""
        now = brief(self.engine)
        assert self.known <= now
        news, self.known = now - self.known, now
        return news


@pytest.fixture(scope="module")
def damaged_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    return Damaged(f"sqlite:///{tmp_path_factory.mktemp('damaged') / 'target.db'}")


@pytest.fixture(scope="module")
def damaged_postgres(new_postgres_database: Callable[[], str]) -> Damaged:
    return Damaged(new_postgres_database())


@pytest.mark.parametrize(("statements", "found"), DAMAGE)
@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_damage_is_found_and_named(dialect, statements, found, request):
    damaged = request.getfixturevalue(f"damaged_{dialect}")
    run(damaged.engine, *statements)
    # The check of the length on SQLite is renamed with its column, and so differs too.
    assert damaged.news() - {"differs check address ck_address_city_length"} == set(found)
    assert all(str(difference) for difference in check(damaged.engine))


@pytest.mark.parametrize(("statements", "found"), DAMAGE_ON_POSTGRESQL)
def test_damage_on_postgresql_is_found_and_named(damaged_postgres, statements, found):
    run(damaged_postgres.engine, *statements)
    assert damaged_postgres.news() == set(found)


@pytest.mark.parametrize(
    ("was", "becomes", "found"),
    [
        ("length(description) <= 80)", "length(description) <= 60)",
         "differs check case_file ck_case_file_description_length"),
        ("description VARCHAR(80)", "description VARCHAR(60)", "differs type case_file description"),
        ("start_date TEXT NOT NULL", "start_date TEXT", "differs nullable case_file start_date"),
        ("parent_case_id <> id", "parent_case_id <> case_type_id",
         "differs check case_file ck_case_file_parent_is_other"),
    ],
)
def test_damage_in_a_table_of_sqlite_is_found_and_named(damaged_sqlite, was, becomes, found):
    with sqlite3.connect(str(damaged_sqlite.engine.url.database)) as database:
        database.execute("PRAGMA writable_schema = ON")
        changed = database.execute(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = 'case_file' AND instr(sql, ?) > 0",
            (was, becomes, was),
        ).rowcount
    assert changed == 1
    assert damaged_sqlite.news() == {found}


def test_tables_of_others_are_not_looked_at(engine):
    upgrade(engine)
    run(engine, "CREATE TABLE parkeervergunning (id INTEGER PRIMARY KEY, kenteken VARCHAR(8))")
    assert check(engine) == []


def test_check_changes_nothing(tmp_path):
    engine = target_engine(f"sqlite:///{tmp_path / 'target.db'}")
    upgrade(engine)
    run(engine, "DROP INDEX ix_case_file_channel_id")
    before = (tmp_path / "target.db").read_bytes()
    assert len(check(engine)) == 1
    assert (tmp_path / "target.db").read_bytes() == before


def test_a_target_of_a_later_version_is_refused(engine):
    upgrade(engine)
    run(engine, "UPDATE alembic_version_model SET version_num = 'model_9999'")
    assert not is_current(engine)
    with pytest.raises(GuardError, match="model_9999, which this version does not know"):
        upgrade(engine)


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "postgresql+nosuchdriver://host/db"])
def test_a_url_that_cannot_be_used_is_refused(url):
    with pytest.raises(RefusedError, match="the URL of the target cannot be used"):
        target_engine(url)


def test_a_target_that_cannot_be_reached_is_named_without_its_password(tmp_path):
    engine = target_engine(f"postgresql://user:geheim@/db?host={tmp_path}&sslpassword=geheim2")
    with pytest.raises(SystemFailure, match="cannot be reached") as failed:
        current(engine)
    assert failed.value.exit_status == 5
    assert "geheim" not in str(failed.value.as_dict())
    with pytest.raises(SystemFailure, match="cannot be reached"):
        upgrade(target_engine(f"sqlite:///{tmp_path / 'nowhere' / 'target.db'}"))


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
def test_each_history_has_one_line_that_ends_at_the_head_we_name(history):
    script = ScriptDirectory(str(history.folder))
    assert script.get_heads() == [history.head]


def test_the_first_revisions_are_as_the_tables_are(project_root: Path):
    done = subprocess.run(
        [sys.executable, project_root / "tools" / "write_first_revisions.py", "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "nothing to do\n")
