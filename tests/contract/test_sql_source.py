"""Kind `sql`: any database through SQLAlchemy, tried on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
from postgres_system import execute

from casemodel import OmnicaseError, Partition, Query, RunsQueries, Source, SystemFailure
from connectors import SystemConfig, open_source
from connectors.sources.sql.text import text_of

TABLES = (
    "CREATE TABLE zaak (nr integer NOT NULL PRIMARY KEY, soort char(4), bedrag numeric(9,2), op varchar(10), x integer)",
    "CREATE TABLE soort (code varchar(4) NOT NULL, versie integer NOT NULL, naam text, PRIMARY KEY (code, versie))",
    "CREATE VIEW oud AS SELECT nr, op FROM zaak WHERE nr > 1",
    "INSERT INTO zaak VALUES (1, 'A', 12.5, '2024-01-01', NULL), (2, NULL, 100, '', 7), (10, 'B', 0.1, NULL, 5)",
    "INSERT INTO soort VALUES ('A', 1, 'een'), ('A', 2, 'twee'), ('a', 1, 'klein'), ('B|', 1, '\\'), ('', 1, 'leeg')",
)  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "oud systeem.db")) as connection:
            connection.executescript(";".join(TABLES))
        config = SystemConfig("oud", "sql", {"url": f"sqlite:///{quote('oud systeem.db')}"}, tmp_path)
    else:
        url = request.getfixturevalue("postgres_database")
        execute(url, *TABLES)
        config = SystemConfig("oud", "sql", {}, tmp_path, url=url)
    opened = open_source(config)
    request.addfinalizer(opened.close)
    return opened


def rows(source: Source, relation: str, order: tuple[str, ...] = (), size: int = 2) -> list[tuple[str | None, ...]]:
    frames = [extract.frame for extract in source.extract(Partition(relation, size, order))]
    return pl.concat(frames).drop("_ref").rows()


def test_tables_views_and_queries_arrive_as_canonical_text(source: Source) -> None:
    assert rows(source, "ZAAK", ("NR",)) == [
        ("1", "A", "12.5", "2024-01-01", None), ("2", None, "100", "", "7"), ("10", "B", "0.1", None, "5")
    ]
    assert rows(source, "oud", ("nr",)) in ([("2", ""), ("10", None)], [("10", None), ("2", "")])
    assert sorted(rows(source, "soort", ("code", "versie"), 1)) == sorted(
        [("", "1", "leeg"), ("A", "1", "een"), ("A", "2", "twee"), ("B|", "1", "\\"), ("a", "1", "klein")]
    )
    whole = pl.concat([extract.frame for extract in source.extract(Partition("soort", 9))])
    assert source.fetch("soort", whole["_ref"].reverse()).equals(whole.reverse())
    assert isinstance(source, RunsQueries)
    text = "SELECT NR, soort || ':' AS S, COUNT(*) AS n FROM Zaak WHERE Soort = 'A' GROUP BY 1, 2"
    source.offer(Query("queries/q.sql", text, ("zaak",), base="ZAAK", by=("NR",)))
    found = rows(source, "queries/q.sql", size=9)
    assert [(row[0], row[2], row[3]) for row in sorted(found, key=lambda row: int(row[0] or 0))] == [
        ("1", "1", None), ("2", "", "1"), ("10", "", "1")
    ]
    assert source.count("queries/q.sql") == 3 and source.count("zaak") == 3 and source.content("zaak") is None


def test_r21_a_changed_relation_is_noticed(
    postgres_database: str, tmp_path: Path
) -> None:
    execute(postgres_database, *TABLES)
    with closing(open_source(SystemConfig("oud", "sql", {}, tmp_path, url=postgres_database))) as source:
        before = source.fingerprint("zaak")
        execute(postgres_database, "INSERT INTO zaak VALUES (11)")
        assert source.fingerprint("zaak") == before
        execute(postgres_database, "ALTER TABLE zaak DROP COLUMN x")
        for ask in (lambda: source.fingerprint("zaak"), lambda: rows(source, "zaak", ("nr",))):
            with pytest.raises(SystemFailure) as caught:
                ask()
            assert caught.value.code in ("CON-067", "CON-066")


def test_promise_6_nothing_is_written(source: Source, tmp_path: Path) -> None:
    import sqlalchemy as sa

    from connectors.sources.sql.link import reading

    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    engine = source._engine  # type: ignore[attr-defined]
    with pytest.raises(SystemFailure, match=r"OperationalError|ReadOnly"), reading(engine, "oud") as connection:
        connection.execute(sa.text("INSERT INTO zaak (nr) VALUES (3)"))
    assert len(rows(source, "zaak")) == 3
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_settings_that_cannot_work_are_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "wal.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a)")
    for url, code in (
        ("nonsense", "CON-003"), ("sqlite:///wal.db", "CON-003"), ("sqlite:///missing.db", "CON-010"),
        ("oracle+cx_oracle://ik@host/db", "CON-004"), ("nosuch://host/db", "CON-004"), ("mysql://ik:geheim@host/db", "CON-002"),
        ("postgresql+psycopg://ik@127.0.0.1:1/db", "CON-060"),
    ):  # fmt: skip
        with pytest.raises(OmnicaseError) as caught:
            open_source(SystemConfig("oud", "sql", {"url": url}, tmp_path))
        assert caught.value.code == code, url
        assert "geheim" not in str(caught.value.as_dict())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wal.db"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "1"), (12, "12"), (1.0, "1"), (0.1, "0.1"), (1e22, "1" + "0" * 22), (-0.0, "0"), (Decimal("1.500"), "1.5"),
        (Decimal("1E+3"), "1000"), (Decimal("100"), "100"), (float("inf"), "Infinity"), (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 1, 2, 3, 4, 5, 120000), "2024-01-02 03:04:05.12"),  # noqa: DTZ001
        (datetime(2024, 1, 2), "2024-01-02 00:00:00"),  # noqa: DTZ001
        (datetime(2024, 7, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2024-07-01 10:00:00+00:00"),
        (datetime(2024, 7, 1, 12, 0, 0, 5000, tzinfo=UTC), "2024-07-01 12:00:00.005+00:00"), (b"\xde\xad", "dead"), ("", ""),
        ({"a": [1, None]}, '{"a": [1, null]}'),
    ],
)  # fmt: skip
def test_values_of_drivers_become_canonical_text(value: object, text: str) -> None:
    assert text_of(value) == text


