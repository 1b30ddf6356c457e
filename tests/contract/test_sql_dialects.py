"""Kind `sql` on databases that no test can start: the SQL that is made for them, and what their answers mean (F35)."""

from __future__ import annotations

import os
import re
from contextlib import closing
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
import sqlglot
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite

from casemodel import OmnicaseError, Partition, Relation, SourceColumn, SystemFailure
from connectors import SystemConfig, open_source
from connectors.sources.sql import rights as sql_rights
from connectors.sources.sql.link import READ_ONLY, url_with_driver
from connectors.sources.sql.schema import Column, Table
from connectors.sources.sql.source import _values, page
from connectors.sources.sql.text import frame_of, text_of

HOSTILE = 'naam"]`; DROP TABLE zaak;--'
DIALECTS = {
    "mysql": (mysql.dialect(), "mysql", "`"),
    "oracle": (oracle.dialect(), "oracle", '"'),
    "mssql": (mssql.dialect(), "tsql", "["),
    "postgresql": (postgresql.dialect(), "postgres", '"'),
    "sqlite": (sqlite.dialect(), "sqlite", '"'),
}


def table(*names: str, key: tuple[str, ...], schema: str | None = None) -> Table:
    offered = tuple(SourceColumn(name) for name in names)
    columns = tuple(Column(each, exact=int if each.name in key[:1] else str) for each in offered)
    return Table(Relation("oud", "ZKN_ZAAK", offered, key), schema, columns, key)


def compiled(name: str, of: Table, after: list[int | Decimal | str] | None) -> str:
    statement = page(of, of.selectable(), after, 101)
    return str(statement.compile(dialect=DIALECTS[name][0], compile_kwargs={"literal_binds": True}))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_page_behind_a_key_is_sql_of_the_dialect(name: str) -> None:
    of = table("ZAAKNR", "Volg Nr", "order", key=("ZAAKNR", "Volg Nr"), schema="Oud Schema")
    text = compiled(name, of, [12, "O'Brien"])
    tree = sqlglot.parse_one(text, dialect=DIALECTS[name][1])
    # Fewer rows than there are, in the order of the key, and only those behind it.
    bounds = [each for kind in (sqlglot.exp.Limit, sqlglot.exp.Fetch) for each in tree.find_all(kind)]
    assert bounds and "101" in bounds[0].sql(), text
    order = tree.find(sqlglot.exp.Order)
    assert order is not None and [each.this.name for each in order.expressions] == ["ZAAKNR", "Volg Nr"]
    where = tree.find(sqlglot.exp.Where)
    assert where is not None
    assert re.sub(r"\s+", " ", where.this.sql(dialect="postgres", identify=True)).replace('"ZKN_ZAAK"."', '"').replace(
        '"Oud Schema".', ""
    ) == """"ZAAKNR" > 12 OR "ZAAKNR" = 12 AND "Volg Nr" > 'O''Brien'"""
    assert [each.db for each in tree.find_all(sqlglot.exp.Table)] == ["Oud Schema"]


def test_keys_of_national_texts_are_asked_as_such_by_sql_server() -> None:
    offered = (SourceColumn("A", "NVARCHAR(20)"), SourceColumn("B", "VARCHAR(20)"))
    of = Table(Relation("oud", "T", offered), None, tuple(Column(each, exact=str) for each in offered), ("A", "B"))
    asked = page(of, of.selectable(), ["Ż", "é"], 3).compile(dialect=mssql.dialect())
    kinds = {str(bind.value): type(bind.type) for bind in asked.binds.values() if isinstance(bind.value, str)}
    assert kinds == {"Ż": sa.Unicode, "é": sa.String}
    # Literals of SQL Server tell the same.
    assert "N'Ż'" in compiled("mssql", of, ["Ż", "é"]) and "N'é'" not in compiled("mssql", of, ["Ż", "é"])


def test_a_key_of_oracle_may_have_a_fraction() -> None:
    of = table("NR", "SOORT", key=("NR",))
    assert _values(of, ["12.5"]) == [Decimal("12.5")] and _values(of, ["9" * 38]) == [int("9" * 38)]
    assert '"NR" > 12.5' in compiled("oracle", of, [Decimal("12.5")])
    with pytest.raises(SystemFailure):
        _values(of, ["1.x"])


def test_oracle_orders_texts_as_it_compares_them() -> None:
    first, *others = READ_ONLY["oracle"]
    assert "NLS_SORT = BINARY" in first and "NLS_COMP = BINARY" in first
    # Nothing may stand before it in its transaction but what begins none.
    assert others == ["SET TRANSACTION READ ONLY"]


@pytest.mark.parametrize("name", DIALECTS)
def test_c6_names_are_quoted_and_never_sql(name: str) -> None:
    text = compiled(name, table("nr", HOSTILE, key=("nr",)), None)
    assert len(sqlglot.parse(text, dialect=DIALECTS[name][1])) == 1
    columns = sqlglot.parse_one(text, dialect=DIALECTS[name][1]).selects
    assert [each.alias_or_name for each in columns] == ["nr", HOSTILE]


@pytest.mark.parametrize("name", READ_ONLY)
def test_every_database_is_told_to_read_only_as_it_understands(name: str) -> None:
    said = " ".join(READ_ONLY[name])
    assert "READ ONLY" in said or "query_only" in said or "SNAPSHOT" in said
    for statement in READ_ONLY[name]:
        assert ";" not in statement


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("mysql://ik@h/d", "mysql+pymysql"), ("mariadb://ik@h/d", "mariadb+pymysql"), ("oracle://ik@h/d", "oracle+oracledb"),
        ("mssql://ik@h/d?driver=x", "mssql+pyodbc"), ("postgresql://ik@h/d", "postgresql+psycopg"),
        ("mysql+mysqldb://ik@h/d", "mysql+mysqldb"),
    ],
)  # fmt: skip
def test_a_url_without_a_driver_gets_one(given: str, driver: str) -> None:
    url = url_with_driver(sa.make_url(given))
    assert url.drivername == driver
    assert url.query.get("ApplicationIntent") == ("ReadOnly" if "mssql" in driver else None)


@pytest.mark.parametrize("module", ["pymysql", "oracledb", "pyodbc"])
def test_a_missing_driver_names_its_extra(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dialect, extra = {"pymysql": ("mysql", "mysql"), "oracledb": ("oracle", "oracle"), "pyodbc": ("mssql", "sqlserver")}[module]
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(OmnicaseError) as caught:
        open_source(SystemConfig("oud", "sql", {"url": f"{dialect}://ik@127.0.0.1:1/db"}, tmp_path))
    assert (caught.value.code, caught.value.hint) == ("CON-004", f"Install omnicase[{extra}].")


@pytest.mark.parametrize("dialect", ["mysql", "oracle"])
def test_s5_an_unreachable_server_shows_no_url(dialect: str, tmp_path: Path) -> None:
    with pytest.raises(OmnicaseError) as caught:
        open_source(SystemConfig("oud", "sql", {}, tmp_path, url=f"{dialect}://gebruiker7:Geh3im@127.0.0.1:1/db"))
    assert caught.value.code == "CON-060"
    assert not re.search("gebruiker7|Geh3im|127.0.0.1", str(caught.value.as_dict()))


READERS = {
    "mysql": [["GRANT USAGE ON *.* TO `ik`@`%` IDENTIFIED BY PASSWORD '*X'", "GRANT SELECT (`a`, `b`), SHOW VIEW ON `oud`.* TO `ik`@`%`"]],
    "oracle": [["CREATE SESSION", "SELECT ANY TABLE"], [], []],
    "mssql": [["CONNECT", "SELECT", "VIEW DEFINITION", "VIEW ANY COLUMN MASTER KEY DEFINITION"], []],
    "postgresql": [[], []],
}
WRITERS = {
    "mysql": (
        [["GRANT ALL PRIVILEGES ON `oud`.* TO `ik`@`%` WITH GRANT OPTION", "GRANT `beheer`@`%` TO `ik`@`%`"]],
        ("it has ALL PRIVILEGES ON `oud`.*, GRANT OPTION ON `oud`.*", "it has roles whose rights are not told: a role"),
    ),
    "oracle": (
        [["CREATE SESSION", "CREATE TABLE"], ["UPDATE ON ZKN_ZAAK"], ["OWNS ZKN_MEMO"]],
        ("it has CREATE TABLE", "it has UPDATE ON ZKN_ZAAK", "it owns ZKN_MEMO"),
    ),
    "mssql": ([["CONNECT", "ALTER"], ["INSERT ON ZKN_ZAAK"]], ("it has ALTER", "it has INSERT ON ZKN_ZAAK")),
    "postgresql": ([["SUPERUSER"], ["DELETE ON zaak"]], ("it is a superuser", "it has DELETE ON zaak")),
}


@pytest.mark.parametrize("name", READERS)
def test_s12_the_answers_of_a_database_say_who_may_write(name: str) -> None:
    assert sql_rights.EXCESS[name](*READERS[name]) == ()
    answers, excess = WRITERS[name]
    assert sql_rights.EXCESS[name](*answers) == excess
    assert len(sql_rights.ASKED[name]) - 1 == len(READERS[name])
    for question in sql_rights.ASKED[name]:
        if question != "SHOW GRANTS":
            assert len(sqlglot.parse(question, dialect=DIALECTS[name][1])) == 1


def test_f35_values_of_drivers_arrive_whole() -> None:
    rows = [
        # NUMBER(38); money; DATE of Oracle with its time; datetime of SQL Server, rounded by itself; CHAR(4); astral.
        (Decimal("9" * 38), Decimal("12.5000"), datetime(2024, 1, 2), datetime(2024, 1, 2, 3, 4, 5, 3000), "A   ", "\U0001f600"),  # noqa: DTZ001
        (None, Decimal("-0.0001"), None, None, None, None),
    ]
    frame = frame_of(rows, ["nummer", "bedrag", "dag", "tijd", "soort", "naam"], frozenset({"soort"}))
    assert frame.rows() == [
        ("9" * 38, "12.5", "2024-01-02 00:00:00", "2024-01-02 03:04:05.003", "A", "\U0001f600"),
        (None, "-0.0001", None, None, None, None),
    ]


MYSQL = os.environ.get("OMNICASE_TEST_MYSQL_URL")


@pytest.mark.skipif(not MYSQL, reason="no MariaDB or MySQL: OMNICASE_TEST_MYSQL_URL names none, and no wheel brings a server")
def test_rows_of_a_real_mysql_arrive_in_pages(tmp_path: Path) -> None:
    engine = sa.create_engine(url_with_driver(sa.make_url(str(MYSQL))))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS omnicase_zaak")
        connection.exec_driver_sql(
            "CREATE TABLE omnicase_zaak (nr bigint NOT NULL PRIMARY KEY, soort char(4), bedrag decimal(38, 4), op datetime)"
        )
        connection.exec_driver_sql(
            "INSERT INTO omnicase_zaak VALUES (1, 'A', 12.5, '2024-01-02 03:04:05'), (2, NULL, NULL, NULL), (3, '', -1, NULL)"
        )
    with closing(open_source(SystemConfig("oud", "sql", {}, tmp_path, url=MYSQL))) as source:
        extracts = list(source.extract(Partition("omnicase_zaak", 2)))
        frame = pl.concat([extract.frame for extract in extracts]).drop("_ref")
        assert [extract.rows for extract in extracts] == [2, 1]
        assert frame.rows() == [
            ("1", "A", "12.5", "2024-01-02 03:04:05"), ("2", None, None, None), ("3", "", "-1", None)
        ]  # fmt: skip
        assert source.count("omnicase_zaak") == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(hours=-838, minutes=-59, seconds=-59, milliseconds=-999), "-838:59:59.999"),
        (timedelta(hours=25), "25:00:00"),
        (timedelta(0), "00:00:00"),
        (timedelta(microseconds=-10), "-00:00:00.00001"),
        (time(9, 30, 0, 500_000), "09:30:00.5"),
        (time(23, 59), "23:59:00"),
    ],
)
def test_times_are_written_as_databases_write_them(value: time | timedelta, text: str) -> None:
    assert text_of(value) == text


KINDS = {
    "nr": ("int unsigned NOT NULL", [1, 2, 3], ["1", "2", "3"]),
    "deel": ("varchar(9) NOT NULL", ["a", "A", "à"], ["a", "A", "à"]),
    "groot": ("bigint unsigned", [2**64 - 1, 0, None], ["18446744073709551615", "0", None]),
    "bedrag": ("decimal(65, 30)", ["1" * 35 + "." + "3" * 30, "0." + "0" * 29 + "1", None], ["1" * 35 + "." + "3" * 30, "0." + "0" * 29 + "1", None]),
    "dag": ("date", ["0000-00-00", "2019-02-00", "9999-12-31"], ["0000-00-00", "2019-02-00", "9999-12-31"]),
    "op": ("datetime(6)", ["2024-03-31 02:30:00.12", "0000-00-00", None], ["2024-03-31 02:30:00.12", "0000-00-00 00:00:00.000000", None]),
    "duur": ("time(3)", ["-838:59:59.999", "25:00:00", "00:00:00"], ["-838:59:59.999", "25:00:00", "00:00:00"]),
    "soort": ("char(6)", ["ab", "", None], ["ab", "", None]),
    "naam": ("varchar(20)", ["Zoë \U0001f600 ", "", None], ["Zoë \U0001f600 ", "", None]),
    "keuze": ("enum('a', 'ç')", ["ç", "a", None], ["ç", "a", None]),
    "bits": ("bit(9)", [257, 0, None], ["0101", "0000", None]),
    "stuk": ("blob", [b"\x00\xff", b"", None], ["00ff", "", None]),
    'a `b"': ("int", [7, None, 0], ["7", None, "0"]),
}


@pytest.mark.skipif(not MYSQL, reason="no MariaDB or MySQL: OMNICASE_TEST_MYSQL_URL names none")
def test_what_a_real_mysql_holds_arrives_as_it_is(tmp_path: Path) -> None:
    quoted = {name: "`" + name.replace("`", "``") + "`" for name in KINDS}
    declared = ", ".join(f"{quoted[name]} {kind}" for name, (kind, _, _) in KINDS.items())
    engine = sa.create_engine(url_with_driver(sa.make_url(str(MYSQL))))
    with engine.begin() as connection:
        connection.exec_driver_sql("SET sql_mode = 'ALLOW_INVALID_DATES'")
        connection.exec_driver_sql("DROP TABLE IF EXISTS omnicase_soorten")
        connection.exec_driver_sql(
            f"CREATE TABLE omnicase_soorten ({declared}, PRIMARY KEY (deel, nr)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
        )
        columns, holes = ", ".join(quoted.values()).replace("%", "%%"), ", ".join(["%s"] * len(KINDS))
        for row in zip(*(given for _, given, _ in KINDS.values()), strict=True):
            connection.exec_driver_sql(f"INSERT INTO omnicase_soorten ({columns}) VALUES ({holes})", row)
    wanted = list(zip(*(text for _, _, text in KINDS.values()), strict=True))
    with closing(open_source(SystemConfig("oud", "sql", {}, tmp_path, url=MYSQL))) as source:
        for rows in (1, 2, 3):
            extracts = list(source.extract(Partition("omnicase_soorten", rows)))
            assert pl.concat([each.frame for each in extracts]).select(list(KINDS)).rows() == wanted
        whole = extracts[0].frame
        assert source.fetch("omnicase_soorten", whole["_ref"]).equals(whole)
