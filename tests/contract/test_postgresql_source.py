"""What is true of PostgreSQL sources only: types, the snapshot, the server's faults, that nothing is written."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl
import psycopg
import pytest
from postgres_system import execute, plain_url
from psycopg import sql

from casemodel import KeyRanges, OmnicaseError, Partition, Query, RefusedError, Source, SystemFailure
from connectors import SystemConfig, open_source
from connectors.sources.postgresql.link import Access, Link

HOSTILE = (
    "\ufeffstart", "", " ", "\\N", "\\.", '"', '""', ",", "a,b", "'", "\t", "\n", "\r\n", "\r", "regel\nvan\r\ntwee",
    "é", "e\u0301", "\U0001f600", "\u202eomgekeerd", "\u200b", "NULL", "null", "#", "a\x01b", "x" * 70_000, "\\x00", " eind ",
)


@pytest.fixture
def url(new_postgres_database: Callable[[], str], request: pytest.FixtureRequest) -> str:
    """A database of the module, with an empty schema for each test."""
    made = request.session.stash.setdefault(_DATABASE, "") or new_postgres_database()
    request.session.stash[_DATABASE] = made
    execute(made, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return made


_DATABASE = pytest.StashKey[str]()


def config(url: str, **options: str) -> SystemConfig:
    return SystemConfig("oud", "postgresql", options, Path(), url=url)


@pytest.fixture
def opened(url: str) -> Iterator[Callable[..., Source]]:
    sources: list[Source] = []

    def make(*statements: str, **options: str) -> Source:
        execute(url, *statements)
        sources.append(open_source(config(url, **options)))
        return sources[-1]

    yield make
    for source in sources:
        source.close()


def read(source: Source, relation: str, order: tuple[str, ...] = (), rows: int = 1000) -> pl.DataFrame:
    names = [*(column.name for column in source.relation(relation).columns), "_ref"]
    frames = [extract.frame for extract in source.extract(Partition(relation, rows, order))]
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(names, pl.String)), *frames])


def refused(source: Source, ask: Callable[[], object]) -> SystemFailure:
    with pytest.raises(SystemFailure) as caught:
        ask()
    assert caught.value.exit_status == 5
    return caught.value


TYPES = {
    "smallint": ("-3", "-3"), "bigint": ("9223372036854775807", "9223372036854775807"),
    "numeric": ("12345678901234567890.123456789012345678900", "12345678901234567890.1234567890123456789"),
    "numeric(9,2)": ("1200.50", "1200.5"), "numeric(5,0)": ("100", "100"), "real": ("0.1", "0.1"),
    "double precision": ("1e300", "1" + "0" * 300), "float8": ("-0", "0"), "boolean": ("true", "1"),
    "char(6)": ("'ab'", "ab"), "varchar(6)": ("'ab  '", "ab  "), "text": ("''", ""), "date": ("'2024-02-29'", "2024-02-29"),
    "timestamp": ("'2024-03-31 02:30:00.1'", "2024-03-31 02:30:00.1"), "time": ("'09:05'", "09:05:00"),
    "timestamptz": ("'2024-07-01 12:00+02'", "2024-07-01 10:00:00+00:00"), "interval": ("'1 day 2 hours'", "P1DT2H"),
    "bytea": ("'\\xDEADbeef'", "deadbeef"), "uuid": ("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "money": ("1234.50", "1234.5"), "jsonb": ("'{\"b\": [1, null]}'", '{"b": [1, null]}'), "text[]": ("'{a,\"b c\",NULL}'", '{a,"b c",NULL}'),
    "bsn": ("'012345672'", "012345672"), "kleur": ("'rood'", "rood"), "inet": ("'10.0.0.1'", "10.0.0.1"),
}  # fmt: skip


def test_every_type_arrives_as_canonical_text(opened: Callable[..., Source]) -> None:
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(TYPES))
    values = ", ".join(f"{literal}" for literal, _ in TYPES.values())
    source = opened(
        "CREATE DOMAIN bsn AS char(9); CREATE TYPE kleur AS ENUM ('rood', 'geel')",
        f"CREATE TABLE t (nr int PRIMARY KEY, {columns})",
        f"INSERT INTO t VALUES (1, {values}); INSERT INTO t VALUES (2)",
    )
    found = read(source, "t").select(f"c{number}" for number in range(len(TYPES)))
    assert dict(zip(TYPES, found.row(0), strict=True)) == {kind: text for kind, (_, text) in TYPES.items()}
    assert set(found.row(1)) == {None}
    for number, kind in enumerate(TYPES):
        one = pl.concat(list(source.columns("T", [f"C{number}"], 10)))
        assert one.rows() == [(TYPES[kind][1],), (None,)], kind


def test_f33_hostile_texts_survive_copy(opened: Callable[..., Source], url: str) -> None:
    execute(url, "CREATE TABLE t (tekst text, nr int PRIMARY KEY, leeg text)")
    with psycopg.connect(plain_url(url)) as connection:
        rows = [(text, number, None) for number, text in enumerate(HOSTILE)]
        connection.cursor().executemany("INSERT INTO t VALUES (%s, %s, %s)", rows)
    source = opened()
    assert read(source, "t", ("nr",)).select("tekst", "leeg").rows() == [(text, None) for text in HOSTILE]
    assert read(source, "t", ("tekst",))["tekst"].to_list() == sorted(HOSTILE)
    found = pl.concat(list(source.columns("t", ["tekst", "_ref"], 4)))
    assert found.rows() == [(text, str(number)) for number, text in enumerate(HOSTILE)]
    assert source.fetch("t", found["_ref"].reverse())["tekst"].to_list() == list(HOSTILE[::-1])


KEYS = {
    "n": ("numeric(8,2)", "(i * 7919 % 500) / 4.0"), "c": ("char(8)", "'K' || i % 13"), "d": ("date", "date '2020-01-01' + i % 40"),
    "t": ("timestamptz", "timestamptz '2020-01-01 00:00+00' + i % 9 * interval '1 hour'"), "b": ("bytea", "decode(lpad(to_hex(i % 50), 4, '0'), 'hex')"),
    "u": ("uuid", "md5((i % 30)::text)::uuid"), "o": ("boolean", "i % 2 = 0"),
}  # fmt: skip


@pytest.mark.parametrize("first", KEYS)
def test_ranges_of_any_key_hold_every_row_once_and_cut_no_group(first: str, opened: Callable[..., Source]) -> None:
    kind, value = KEYS[first]
    source = opened(
        f"CREATE TABLE t (k {kind} NOT NULL, i int NOT NULL, x text, PRIMARY KEY (k, i))",
        f"INSERT INTO t SELECT {value}, i, 'x' FROM generate_series(1, 400) AS i",
    )
    assert isinstance(source, KeyRanges)
    whole = Partition("t", 33, ("k", "i"), ("k",))
    read_whole = pl.concat([extract.frame for extract in source.extract(whole)])
    assert sorted(map(int, read_whole["i"])) == list(range(1, 401))
    bounds = (None, *source.key_ranges(whole, 4), None)
    assert first == "o" or len(bounds) > 3
    parts = []
    for after, until in pairwise(bounds):
        extracts = list(source.extract(replace(whole, after=after, until=until)))
        parts += [extract.frame for extract in extracts]
    assert pl.concat(parts).sort("k", "i").equals(read_whole.sort("k", "i"))
    groups = [set(part["k"]) for part in parts]
    assert sum(map(len, groups)) == len(set().union(*groups)), "a group is in two batches"
    assert source.fetch("t", read_whole["_ref"].head(50)).equals(read_whole.head(50))


def test_rows_without_a_value_are_read_on_after_any_position(opened: Callable[..., Source]) -> None:
    source = opened(
        "CREATE TABLE t (nr int PRIMARY KEY, k text, n int)",
        "INSERT INTO t SELECT i, nullif('k' || i % 7, 'k0'), nullif(i % 5, 0) FROM generate_series(1, 100) AS i",
    )
    for order in (("k",), ("n", "k"), ("k", "nr")):
        whole = list(source.extract(Partition("t", 4, order)))
        rows = [row for extract in whole for row in extract.frame.rows()]
        assert len(rows) == len(set(rows)) == 100
        for number, extract in enumerate(whole):
            rest = list(source.extract(Partition("t", 4, order, after=extract.position)))
            assert [row for each in rest for row in each.frame.rows()] == [
                row for each in whole[number + 1 :] for row in each.frame.rows()
            ]


def test_relations_and_what_identifies_their_rows(opened: Callable[..., Source], url: str) -> None:
    source = opened(
        "CREATE TABLE a (\"ID\" int PRIMARY KEY, x text)",
        "CREATE TABLE b (p text, q text, UNIQUE (p))",
        "CREATE TABLE c (p text NOT NULL, q float8 NOT NULL, PRIMARY KEY (p, q))",
        "CREATE TABLE g (p text PRIMARY KEY) PARTITION BY RANGE (p)",
        "CREATE TABLE g1 PARTITION OF g FOR VALUES FROM ('a') TO ('m')",
        "CREATE VIEW v AS SELECT \"ID\", x || '!' AS y FROM a",
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM a",
        "INSERT INTO a VALUES (7, 'x'); INSERT INTO g VALUES ('b')",
    )
    assert source.relations() == ("a", "b", "c", "g", "g1", "m", "v")
    keys = {name: (source.relation(name).primary_key, source.relation(name).key_is_unique) for name in source.relations()}
    assert keys["a"] == (("ID",), True) and keys["c"] == (("p", "q"), False) and keys["v"] == ((), False)
    assert [read(source, name).width for name in source.relations()] == [3, 3, 3, 2, 2, 3, 3]
    assert read(source, "g")["p"].to_list() == ["b"] and read(source, "v")["y"].to_list() == ["x!"]
    assert source.content("v") is None and source.content("a") is not None
    execute(url, 'CREATE TABLE z (_REF text)')
    with pytest.raises(SystemFailure) as caught:
        open_source(config(url))
    assert caught.value.code == "CON-022"


def test_keys_that_a_collation_takes_for_equal_are_all_read(opened: Callable[..., Source], url: str) -> None:
    try:
        execute(url, "CREATE COLLATION los (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this PostgreSQL was built without ICU, so it has no such collation")
    source = opened(
        "CREATE TABLE l (p text COLLATE los, nr int, PRIMARY KEY (p, nr)); INSERT INTO l VALUES ('a', 1), ('A', 2), ('B', 3)",
    )
    assert sorted(read(source, "l", ("p",), rows=1)["p"]) == ["A", "B", "a"]


def test_promise_6_the_database_refuses_to_be_written_to(opened: Callable[..., Source], url: str) -> None:
    source = opened("CREATE TABLE t (nr int PRIMARY KEY); INSERT INTO t VALUES (1)")
    access = Access(plain_url(url), "oud")
    for live in (False, True):
        with closing(Link(access, live=live)) as link:
            for statement in ("INSERT INTO t VALUES (2)", "CREATE TABLE u ()", "DELETE FROM t", "SELECT nextval('s')"):
                execute(url, "CREATE SEQUENCE IF NOT EXISTS s")
                with pytest.raises(SystemFailure, match=r"SQLSTATE (25006|25P02)"):
                    link.do(sql.SQL(statement))
    written = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_all_tables WHERE schemaname <> 'pg_toast'"
    before = _one(url, "SELECT pg_stat_force_next_flush()", written, "SELECT txid_current_snapshot()::text")
    read(source, "t")
    source.fetch("t", pl.Series(["1"]))
    source.close()
    assert _one(url, "SELECT pg_stat_force_next_flush()", written, "SELECT txid_current_snapshot()::text") == before


def _one(url: str, *statements: str) -> list[object]:
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        return [row[0] for statement in statements for row in connection.execute(statement.encode()).fetchall()][1:]


def test_r23_what_is_written_during_the_reading_is_not_in_the_snapshot(opened: Callable[..., Source], url: str) -> None:
    source = opened(
        "CREATE TABLE t (nr int PRIMARY KEY, x text)", "INSERT INTO t SELECT i, 'oud' FROM generate_series(1, 500) AS i",
        "CREATE VIEW v AS SELECT * FROM t",
    )
    extracts = source.extract(Partition("t", 50, ("nr",)))
    frames = [next(extracts).frame]
    execute(url, "UPDATE t SET x = 'nieuw'; INSERT INTO t SELECT i, 'nieuw' FROM generate_series(501, 600) AS i; DELETE FROM t WHERE nr = 400")
    frames += [extract.frame for extract in extracts]
    assert pl.concat(frames)["x"].to_list() == ["oud"] * 500
    assert source.count("t") == 500 and set(read(source, "v")["x"]) == {"oud"}
    assert source.fetch("t", pl.Series(["400", "550"]))["x"].to_list() == ["oud"]
    assert isinstance(source, KeyRanges)
    code = (
        "import sys, polars as pl\nfrom casemodel import Partition\nfrom connectors import SystemConfig, open_source\n"
        "source = open_source(SystemConfig('oud', 'postgresql', {}, url=sys.argv[1], snapshot=sys.argv[2]))\n"
        "print(sorted({x for e in source.extract(Partition('t', 50, ('nr',))) for x in e.frame['x']}), source.count('t'))"
    )
    other = subprocess.run([sys.executable, "-c", code, url, source.snapshot], capture_output=True, text=True)
    assert other.stdout == "['oud'] 500\n", other.stderr
    with closing(open_source(config(url))) as later:
        assert later.count("t") == 599 and set(read(later, "t")["x"]) == {"nieuw"}
        assert later.fingerprint("t") == source.fingerprint("t")


def test_content_is_said_to_be_the_same_only_when_nothing_was_committed(opened: Callable[..., Source], url: str) -> None:
    opened("CREATE TABLE t (nr int PRIMARY KEY, x text)", "ALTER TABLE t SET (autovacuum_enabled = off)")

    def content() -> tuple[str, str | None]:
        with closing(open_source(config(url))) as source:
            read(source, "t")
            return source.fingerprint("t"), source.content("t")

    first = content()
    assert first[1] is not None and content() == first
    execute(url, "INSERT INTO t VALUES (1)")
    second = content()
    assert second[0] == first[0] and second[1] != first[1], "what was committed makes another content"
    execute(url, "ALTER TABLE t ADD y text")
    assert content()[0] != first[0]


def test_r19_a_reader_that_is_cut_goes_on_and_without_the_snapshot_it_ends(opened: Callable[..., Source], url: str) -> None:
    source = opened("CREATE TABLE t (nr int PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 3000)")
    copying = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND pid <> pg_backend_pid()"
    extracts = source.extract(Partition("t", 100, ("nr",)))
    found = list(next(extracts).frame["nr"])
    for extract in extracts:
        execute(url, copying)
        found += list(extract.frame["nr"])
    assert found == [str(number) for number in range(1, 3001)]
    extracts = source.extract(Partition("t", 100, ("nr",)))
    next(extracts)
    execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'omnicase' AND datname = current_database()")
    error = refused(source, lambda: list(extracts))
    assert error.code in ("CON-061", "CON-062") and "run again" in error.hint


def test_r21_a_relation_that_is_changed_after_the_snapshot_is_refused(opened: Callable[..., Source], url: str) -> None:
    changes = {
        "ALTER TABLE t DROP COLUMN x": "the column x is gone", "ALTER TABLE t ADD y int": "the column y is new",
        "ALTER TABLE t ALTER x TYPE varchar(9)": "the column x is character varying(9), it was text",
        "TRUNCATE t; INSERT INTO t VALUES (1, 'weer')": "it was truncated or written anew", "DROP TABLE t": "it is gone",
    }  # fmt: skip
    for change, said in changes.items():
        source = opened("DROP TABLE IF EXISTS t", "CREATE TABLE t (nr int PRIMARY KEY, x text)", "INSERT INTO t VALUES (1, 'x')")
        execute(url, *change.split("; "))
        for ask in (lambda s=source: read(s, "t"), lambda s=source: list(s.columns("t", ["nr"], 5)), lambda s=source: s.fingerprint("t")):
            error = refused(source, ask)
            assert error.code == "CON-067" and said in error.message, (change, error)
        source.close()
    source = opened("CREATE TABLE t (nr int PRIMARY KEY, x text)", "INSERT INTO t SELECT i, 'x' FROM generate_series(1, 90) AS i")
    extracts = source.extract(Partition("t", 10, ("nr",)))
    next(extracts)
    with pytest.raises(psycopg.errors.LockNotAvailable):
        execute(url, "SET lock_timeout = '100ms'", "SET lock_timeout = '100ms'; ALTER TABLE t DROP COLUMN x")
    assert sum(extract.rows for extract in extracts) == 80
    source.count("t")
    execute(url, "SET lock_timeout = '100ms'; ALTER TABLE t DROP COLUMN x")


def test_errors_show_nothing_of_rows_or_passwords(opened: Callable[..., Source], url: str) -> None:
    source = opened("CREATE TABLE t (bsn text); INSERT INTO t VALUES ('999993653')", "CREATE VIEW v AS SELECT bsn::date FROM t")
    error = refused(source, lambda: read(source, "v"))
    assert error.code == "CON-066" and "22008" in error.message
    down = SystemConfig("oud", "postgresql", {}, Path(), url="postgresql://ik:geheim@127.0.0.1:1/oud")
    with pytest.raises(SystemFailure) as caught:
        open_source(down)
    assert caught.value.code == "CON-060"
    for shown in (error, caught.value, down):
        assert not any(word in f"{shown!r} {getattr(shown, 'as_dict', dict)()}" for word in ("999993653", "geheim", "ik:"))


def test_what_may_not_be_read_is_not_offered_and_hidden_rows_are_an_error(opened: Callable[..., Source], url: str) -> None:
    role = f"lezer_{threading.get_ident() % 100_000}"
    execute(
        url,
        "CREATE TABLE t (nr int PRIMARY KEY, x text, geheim text); CREATE TABLE u (nr int PRIMARY KEY); CREATE TABLE w ()",
        "INSERT INTO u VALUES (1); ALTER TABLE u ENABLE ROW LEVEL SECURITY",
        f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT (nr, x) ON t TO {role}; GRANT SELECT ON u TO {role}",
    )
    reader = url.replace("//postgres:", f"//{role}:")
    assert reader != url
    try:
        with closing(open_source(config(reader))) as source:
            assert source.relations() == ("t", "u")
            assert source.relation("t").column_names() == ("nr", "x")
            assert read(source, "t").is_empty()
            assert refused(source, lambda: read(source, "u")).code == "CON-064"
    finally:
        execute(url, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_queries_run_whatever_the_case_of_names(opened: Callable[..., Source]) -> None:
    source = opened(
        'CREATE TABLE "ZAAK" ("NR" char(4) PRIMARY KEY, "Van" int); INSERT INTO "ZAAK" VALUES (\'a\', 1), (\'b\', 2), (\'c\', NULL)',
        "CREATE TABLE soort (code int PRIMARY KEY, naam text); INSERT INTO soort VALUES (1, 'een')",
    )
    text = (
        "WITH Eerst AS (SELECT z.nr AS Zaak, SOORT.Naam AS Naam FROM zaak AS z JOIN Soort ON soort.CODE = Z.van)"
        " SELECT e.zaak AS nr, IFNULL(NAAM, 'x') || '!' AS naam, COUNT(*) AS n FROM eerst AS E GROUP BY 1, 2"
    )
    source.offer(Query("queries/q.sql", text, ("zaak", "Soort"), base="Zaak", by=("nr",)))  # type: ignore[attr-defined]
    assert read(source, "queries/q.sql").drop("_ref").rows() == [
        ("a", "een!", "1", None), ("b", "", "", "1"), ("c", "", "", "1")
    ]
    assert source.count("queries/q.sql") == 3
    source.offer(Query("queries/r.sql", "SELECT NR + 1 AS x FROM ZAAK", ("ZAAK",)))  # type: ignore[attr-defined]
    assert refused(source, lambda: source.relation("queries/r.sql")).code == "CON-025"
    source.offer(Query("queries/s.sql", "SELECT NR, van AS nr FROM ZAAK", ("ZAAK",)))  # type: ignore[attr-defined]
    assert refused(source, lambda: source.relation("queries/s.sql")).code == "CON-026"


def test_settings_are_checked_and_passwords_refused() -> None:
    for options, code in (
        ({"url": "postgresql://ik:geheim@host/oud"}, "CON-002"), ({"url": "mysql://host/oud"}, "CON-003"),
        ({}, "CON-003"), ({"url": "postgresql://host/oud", "shema": "x"}, "CON-003"),
        ({"url": "postgresql://host/oud", "lock_seconds": "kort"}, "CON-003"),
    ):  # fmt: skip
        with pytest.raises(RefusedError) as caught:
            open_source(SystemConfig("oud", "postgresql", options, Path()))
        assert caught.value.code == code and "geheim" not in str(caught.value.as_dict())


def test_an_old_snapshot_is_given_up(opened: Callable[..., Source], monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened("CREATE TABLE t (nr int PRIMARY KEY); INSERT INTO t VALUES (1)", max_snapshot_hours="2")
    clock = __import__("time").monotonic
    monkeypatch.setattr("time.monotonic", lambda: clock() + 2 * 3600 + 1)
    with pytest.raises(OmnicaseError) as caught:
        read(source, "t")
    assert caught.value.code == "CON-065"
