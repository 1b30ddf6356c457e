"""The server counts tables of ours anew when it is asked: `Target.count_anew`."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from connectors import PostgresTarget

KNOWN = sa.text("SELECT reltuples::int FROM pg_class WHERE relname = 'counted'")


@pytest.fixture
def target(postgres_database: str) -> Iterator[PostgresTarget]:
    """A target with a table of which the server has counted nothing."""
    found = PostgresTarget(postgres_database)
    with found.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE counted (n int) WITH (autovacuum_enabled = off)")
        connection.exec_driver_sql("INSERT INTO counted SELECT generate_series(1, 3000)")
    yield found
    found.close()


def known(target: PostgresTarget) -> int:
    """Return how many rows the server takes the table to have; -1 when it never looked."""
    with target.engine.connect() as connection:
        return int(connection.scalar(KNOWN) or 0)


def test_it_knows_at_once_how_many_rows_there_are(target: PostgresTarget) -> None:
    assert known(target) == -1
    target.count_anew(sa.Table("counted", sa.MetaData()))
    assert known(target) == 3000


def test_a_table_that_somebody_holds_stops_nothing(target: PostgresTarget, postgres_database: str) -> None:
    other = sa.create_engine(postgres_database, poolclass=sa.NullPool)
    asked = threading.Thread(target=target.count_anew, args=(sa.Table("counted", sa.MetaData()),), daemon=True)
    with other.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE counted IN ACCESS EXCLUSIVE MODE")
        asked.start()
        asked.join(20)
        assert not asked.is_alive(), "it waits for who holds the table"
    assert known(target) == -1
