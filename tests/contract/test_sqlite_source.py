"""SQLite systems: the measured traps of the library, and what old databases hold (faults.md, traps 1-3, R20, F34)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import polars as pl
import pytest

from casemodel import FingerprintsAhead, OmnicaseError, Partition, RefusedError, Source, SystemFailure
from connectors import SystemConfig, open_source
from connectors.sources.sqlite import file as sqlite_file
from connectors.sources.sqlite import link as sqlite_link
from connectors.sources.sqlite import read as sqlite_read
from connectors.sources.sqlite import schema as sqlite_schema


@contextmanager
def opened(path: Path | str, root: Path) -> Iterator[Source]:
    with closing(open_source(SystemConfig("oud", "sqlite", {"path": str(path)}, root))) as source:
        yield source


def make(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def failure(path: Path, root: Path) -> OmnicaseError:
    with pytest.raises(OmnicaseError) as caught, opened(path, root) as source:
        for relation in source.relations():
            list(source.extract(Partition(relation, 100)))
    return caught.value


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def wal_database(folder: Path) -> Path:
    """Leave a database with a row that is in its -wal only, as a program leaves it that was killed."""
    path = folder / "oud.db"
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1])\n"
        "c.execute('PRAGMA journal_mode=WAL'); c.execute('PRAGMA wal_autocheckpoint=0')\n"
        "c.execute('CREATE TABLE t (a TEXT)'); c.execute(\"INSERT INTO t VALUES ('een')\"); c.commit()\n"
        "c.execute('PRAGMA wal_checkpoint(TRUNCATE)')\n"
        "c.execute(\"INSERT INTO t VALUES ('twee')\"); c.commit(); os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    path.with_name("oud.db-shm").unlink()
    assert path.with_name("oud.db-wal").stat().st_size > 0
    return path


def test_wal_database_is_read_whole_and_left_alone(tmp_path: Path) -> None:
    path = wal_database(tmp_path)
    before = listing(tmp_path)
    with opened(path, tmp_path) as source:
        rows = [e.frame["a"].to_list() for e in source.extract(Partition("t", 10))]
        first = source.fingerprint("t")
    assert rows == [["een", "twee"]]
    assert listing(tmp_path) == before
    with opened(path, tmp_path) as source:
        assert source.fingerprint("t") == first


def test_wal_database_may_be_written_to_while_its_copy_is_read(tmp_path: Path) -> None:
    path = wal_database(tmp_path)
    with opened(path, tmp_path) as source:
        code = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM t'); c.commit()\n"
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
        assert [row for e in source.extract(Partition("t", 1)) for row in e.frame["a"]] == ["een", "twee"]
        assert source.count("t") == 2


def test_wal_database_without_wal_file_is_left_alone(tmp_path: Path) -> None:
    path = make(
        tmp_path / "oud.db", "PRAGMA journal_mode=WAL", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('een')"
    )
    assert list(listing(tmp_path)) == ["oud.db"]
    before = listing(tmp_path)
    with opened(path, tmp_path) as source:
        assert source.count("t") == 1
    assert listing(tmp_path) == before


def test_wal_database_that_keeps_changing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wal_database(tmp_path)
    copy = shutil.copyfile
    tries = []

    def busy(source: Path, target: Path) -> None:
        tries.append(source)
        with source.with_name("oud.db-wal").open("ab") as wal:
            wal.write(b"x")
        copy(source, target)

    monkeypatch.setattr(sqlite_file.shutil, "copyfile", busy)
    found = failure(path, tmp_path)
    assert (found.code, found.exit_status) == ("CON-017", 5)
    assert len([one for one in tries if one.name == "oud.db"]) == 3


def test_hot_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = make(tmp_path / "oud.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('een')")
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA cache_size=1'); c.execute('BEGIN IMMEDIATE')\n"
        "[c.execute('INSERT INTO t VALUES (?)', ('x' * 1000,)) for _ in range(500)]; os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    before = listing(tmp_path)
    assert len(before["oud.db-journal"]) > 0
    found = failure(path, tmp_path)
    assert (found.code, found.exit_status) == ("CON-014", 5)
    assert listing(tmp_path) == before


def test_locked_database_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "oud.db", "CREATE TABLE t (a TEXT)")
    monkeypatch.setattr(sqlite_link, "BUSY_MILLISECONDS", 100)
    code = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE')\n"
    code += "print('ok', flush=True); input()\n"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"ok\n"
        found = failure(path, tmp_path)
        other.communicate(b"\n")
    assert (found.code, found.exit_status) == ("CON-015", 5)


def test_writer_elsewhere_may_go_on_between_batches(tmp_path: Path) -> None:
    """A reader holds no lock between two batches: the old system is not blocked."""
    path = make(tmp_path / "oud.db", "CREATE TABLE t (a TEXT)", *(f"INSERT INTO t VALUES ('{i}')" for i in range(50)))
    with opened(path, tmp_path) as source:
        extracts = source.extract(Partition("t", 10))
        next(extracts)
        code = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM t'); c.commit()\n"
        assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 0
        with pytest.raises(SystemFailure) as caught:
            list(extracts)
    assert caught.value.code == "CON-018"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "CON-013"), (b"no database at all" * 100, "CON-013"), (b"SQLite format 3\0" + b"\1" * 4000, "CON-016")],
)
def test_what_is_no_database_is_said(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "oud.db").write_bytes(content)
    found = failure(tmp_path / "oud.db", tmp_path)
    assert (found.code, found.exit_status) == (code, 5)


def test_damaged_page_is_an_error_not_a_short_read(tmp_path: Path) -> None:
    path = make(
        tmp_path / "oud.db",
        "CREATE TABLE t (a TEXT)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "INSERT INTO t SELECT 'tekst ' || i FROM n",
    )
    data = bytearray(path.read_bytes())
    data[4096 * 10 : 4096 * 11] = b"\xff" * 4096
    path.write_bytes(data)
    assert failure(path, tmp_path).code == "CON-016"


def test_pipe_and_folder_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "folder.db").mkdir()
    for name in ("pipe.db", "folder.db"):
        assert failure(tmp_path / name, tmp_path).code == "CON-011"


@pytest.mark.parametrize("name", ["[a].db", "a b%20?.db", "a#b&mode=rwc.db", "é\nx.db", "'; drop.db", "-rf"])
def test_odd_names_are_names(tmp_path: Path, name: str) -> None:
    path = make(tmp_path / name, "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('een')")
    with opened(path, tmp_path) as source:
        assert source.count("t") == 1


def test_url_is_a_location_too(tmp_path: Path) -> None:
    make(tmp_path / "oud.db", "CREATE TABLE t (a TEXT)")
    for url in ("sqlite:///oud.db", f"sqlite:///{tmp_path}/oud.db"):
        with closing(open_source(SystemConfig("oud", "sqlite", {"url": url}, tmp_path))) as source:
            assert source.relations() == ("t",)


@pytest.mark.parametrize(
    "options",
    [
        {"path": "oud.db", "password": "geheim"},
        {"url": "postgresql://piet:geheim@host/db"},
        {"url": "sqlite:///x?password=geheim"},
    ],
)
def test_passwords_are_refused(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(RefusedError) as caught:
        open_source(SystemConfig("oud", "sqlite", options, tmp_path))
    assert (caught.value.code, caught.value.exit_status) == ("CON-002", 4)
    assert "geheim" not in str(caught.value.as_dict())


def test_unknown_settings_and_kinds_are_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        open_source(SystemConfig("oud", "sqlite", {"pad": "oud.db"}, tmp_path))
    assert (caught.value.code, "path" in caught.value.hint) == ("CON-003", True)
    with pytest.raises(RefusedError) as caught:
        open_source(SystemConfig("oud", "oracle", {}, tmp_path))
    assert caught.value.code == "CON-001"


VALUES = [
    # declared, SQL value, canonical text
    ("INTEGER", "42", "42"),
    ("INTEGER", "-9223372036854775808", "-9223372036854775808"),
    ("INTEGER", "'lots-of-it'", "lots-of-it"),
    ("INTEGER", "1.5", "1.5"),
    ("INTEGER", "9223372036854775808", "9223372036854776000"),
    ("NUMERIC(9,2)", "73.20", "73.2"),
    ("NUMERIC(9,2)", "3.0", "3"),
    ("NUMERIC(9,2)", "'1.073,20'", "1.073,20"),
    ("NUMERIC(9,2)", "1e16", "10000000000000000"),
    ("REAL", "3", "3"),
    ("REAL", "0.1", "0.1"),
    ("REAL", "0.1 + 0.2", "0.30000000000000004"),
    ("REAL", "1e-7", "0.0000001"),
    ("REAL", "-0.0", "0"),
    ("REAL", "1e22", "10000000000000000000000"),
    ("REAL", "9e999", "Infinity"),
    ("REAL", "-123456789012345.6", "-123456789012345.6"),
    ("REAL", "1/3.0", "0.3333333333333333"),
    ("", "'1e5'", "1e5"),
    ("", "7", "7"),
    ("", "2.0", "2"),
    ("CHAR(8)", "'PASAAN  '", "PASAAN"),
    ("CHAR(8)", "'  x  '", "  x"),
    ("CHARACTER(5)", "'a    '", "a"),
    ("VARCHAR(8)", "'x  '", "x  "),
    ("CHARACTER VARYING(9)", "'x  '", "x  "),
    ("NCHAR(3)", "'y  '", "y"),
    ("TEXT", "''", ""),
    ("CHAR(3)", "'   '", ""),
    ("TEXT", "NULL", None),
    ("TEXT", "'a' || char(0) || 'b'", "a\0b"),
    ("TEXT", "'07'", "07"),
    ("CHAR(4)", "'0363'", "0363"),
    ("DATE", "'20130101'", "20130101"),
    ("TIMESTAMP", "'2013-01-01 10:00:00'", "2013-01-01 10:00:00"),
    ("BLOB", "x'00FF'", "00ff"),
    ("TEXT", "'ĳ 🙂 e' || char(769)", "ĳ 🙂 e\u0301"),
    ("TEXT", "char(8238) || 'x'", "\u202ex"),
]


def test_values_are_canonical_text(tmp_path: Path) -> None:
    columns = ", ".join(f"c{i} {declared}" for i, (declared, _, _) in enumerate(VALUES))
    path = make(
        tmp_path / "oud.db",
        f"CREATE TABLE alone ({columns})",
        f"INSERT INTO alone VALUES ({', '.join(v for _, v, _ in VALUES)})",
    )
    with opened(path, tmp_path) as source:
        (extract,) = source.extract(Partition("alone", 10))
    assert extract.unreadable is None
    assert list(extract.frame.row(0)[:-1]) == [text for _, _, text in VALUES]


@pytest.mark.parametrize("declared", ["INTEGER", "NUMERIC(9,2)", "REAL", "", "TEXT", "CHAR(20)", "BLOB"])
def test_a_value_has_one_text_whatever_stands_beside_it(tmp_path: Path, declared: str) -> None:
    """The driver's type of a column depends on its batch; the text of a value must not."""
    values = ["1", "2.5", "'x '", "NULL", "9007199254740993", "1e20", "1e-9", "'0012'", "-3.0"]
    inserts = [f"INSERT INTO t (v) VALUES ({value})" for value in values]
    path = make(tmp_path / "oud.db", f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {declared})", *inserts)
    with opened(path, tmp_path) as source:
        together = pl.concat([e.frame for e in source.extract(Partition("t", 100))])["v"].to_list()
        alone = pl.concat([e.frame for e in source.extract(Partition("t", 1))])["v"].to_list()
    assert together == alone
    assert together[0] == "1" and together[3] is None


def test_bytes_and_broken_texts_are_unreadable_and_kept(tmp_path: Path) -> None:
    path = make(
        tmp_path / "oud.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a CHAR(5), b INTEGER, c)",
        "INSERT INTO t VALUES (1, 'goed', 1, NULL), (2, x'00FF', 2, 'q'), (3, CAST(x'41FF' AS TEXT), 3, 1.5)",
        "INSERT INTO t VALUES (4, 'ook', x'31', NULL), (5, 'en', 5, x''), (6, 'goed', 6, 'x')",
    )
    with opened(path, tmp_path) as source:
        extracts = list(source.extract(Partition("t", 2)))
        assert [e.rows for e in extracts] == [2, 2, 2]
        frame = pl.concat([e.frame for e in extracts])
        bad = pl.concat([e.unreadable for e in extracts if e.unreadable is not None])
        assert frame["_ref"].to_list() == ["1", "6"]
        assert bad.select("_ref", "code").rows() == [
            ("2", "blob-in-text"),
            ("3", "encoding-invalid"),
            ("4", "blob-in-text"),
            ("5", "blob-in-text"),
        ]
        assert bad["place"].to_list()[0] == "t row 2"
        assert json.loads(bad["raw"][0]) == {"id": "2", "a": {"blob": "00ff"}, "b": "2", "c": "q"}
        assert json.loads(bad["raw"][1]) == {"id": "3", "a": {"bytes": "41ff"}, "b": "3", "c": "1.5"}
        assert source.fetch("t", pl.Series(["1", "2"]))["_ref"].to_list() == ["1"]
        assert source.count("t") == 6


def test_nulls_in_the_order_come_first_and_once(tmp_path: Path) -> None:
    inserts = [
        f"INSERT INTO t VALUES ({'NULL' if i % 4 == 0 else i % 5}, {'NULL' if i % 3 == 0 else repr(f'x{i % 7}')})"
        for i in range(300)
    ]
    path = make(tmp_path / "oud.db", "CREATE TABLE t (a INTEGER, b TEXT)", "CREATE INDEX i ON t (a, b)", *inserts)
    with opened(path, tmp_path) as source:
        for order, group in ((("a", "b"), ()), (("a", "b"), ("a",)), (("b",), ()), (("a",), ())):
            extracts = list(source.extract(Partition("t", 20, order, group)))
            refs = pl.concat([e.frame for e in extracts])
            assert sorted(map(int, refs["_ref"])) == list(range(1, 301))
            assert max(e.rows for e in extracts) <= 75
            nulls = refs[order[0]].is_null()
            assert nulls.equals(nulls.sort(descending=True))
            for number, extract in enumerate(extracts, 1):
                rest = source.extract(Partition("t", 20, order, group, after=extract.position))
                assert sum(e.rows for e in rest) == 300 - sum(e.rows for e in extracts[:number])


def test_mixed_kinds_and_uneven_padding_do_not_cut_a_group(tmp_path: Path) -> None:
    """1 and '1', and 'A' and 'A  ', are one group: equal in canonical text though apart in the database's order."""
    values = ["'A'", "'A '", "'A' || char(1)", "'B'", "1", "'1'", "NULL", "'A  '", "1.0"]
    inserts = [f"INSERT INTO t VALUES ({v}, {v})" for v in values]
    path = make(
        tmp_path / "oud.db",
        "CREATE TABLE t (a CHAR(3), b)",
        "CREATE INDEX i ON t (a)",
        "CREATE INDEX j ON t (b)",
        *inserts,
    )
    with opened(path, tmp_path) as source:
        for column in ("a", "b"):
            batches = [
                e.frame[column].drop_nulls().to_list() for e in source.extract(Partition("t", 1, (column,), (column,)))
            ]
            seen = [value for batch in batches for value in set(batch)]
            assert len(seen) == len(set(seen))
            assert sum(map(len, batches)) == len(values) - 1


def test_order_along_the_primary_key_uses_its_index(tmp_path: Path) -> None:
    path = make(
        tmp_path / "oud.db",
        "CREATE TABLE k (ZAAKNR CHAR(15) NOT NULL PRIMARY KEY, x TEXT)",
        "CREATE TABLE n (id INTEGER PRIMARY KEY, x TEXT)",
        "CREATE TABLE w (a TEXT, b INTEGER, x TEXT, PRIMARY KEY (a, b))",
        "CREATE TABLE c (a TEXT COLLATE NOCASE PRIMARY KEY, x TEXT)",
    )
    file = sqlite_file.DatabaseFile(path, path, -1)
    link = sqlite_link.Link(file, "t", file.state())
    tables = sqlite_schema.read_tables(link, "oud")
    for name, order, along in (
        ("k", ("ZAAKNR",), True),
        ("n", ("id",), True),
        ("w", ("a", "b"), True),
        ("w", ("b",), False),
        ("n", ("x",), False),
        ("n", (), True),
        ("c", ("a",), False),
    ):
        table = tables[name]
        keys = sqlite_read.key_order(table, tuple(table.column(column) for column in order), ())
        assert sqlite_read.uses_index(link, table, keys) is along, (name, order)
        if along:
            position: list[str | None] = ["i1" if c in ('"id"', '"b"', "rowid") else "t41" for c in keys.columns]
            (condition,) = sqlite_read.ranges_after(keys.columns, position)
            plan = link.frame(
                f"EXPLAIN QUERY PLAN SELECT * FROM {table.name} WHERE {condition} ORDER BY {keys.sql} LIMIT 9", 99
            )
            details = " ".join(plan["detail"])
            assert "SEARCH" in details and "TEMP B-TREE" not in details, details
            assert len(keys.columns) == 1 or f"{','.join(c.strip(chr(34)) for c in keys.columns)})>(" in details, (
                details
            )
    link.close()


def test_order_is_the_same_with_and_without_an_index(tmp_path: Path) -> None:
    values = ["10", "9", "NULL", "-3", "2.5", "'x'", "9007199254740993", "9007199254740992", "'10 '", "1e20", "'X'"]
    inserts = [f"INSERT INTO t (n, k) VALUES ({v}, {i % 4})" for i, v in enumerate(values * 30)]
    path = make(tmp_path / "oud.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, n NUMERIC, k TEXT)", *inserts)
    partition = Partition("t", 7, ("k", "n"), ("k",))
    with opened(path, tmp_path) as source:
        without = pl.concat([e.frame for e in source.extract(partition)])
    make(path, "CREATE INDEX i ON t (k, n)")
    with opened(path, tmp_path) as source:
        along = pl.concat([e.frame for e in source.extract(partition)])
    assert without.equals(along)
    assert along.filter(pl.col("k") == "1")["n"].unique(maintain_order=True).to_list()[:4] == [None, "-3", "2.5", "9"]


def test_bytes_in_a_view_are_unreadable(tmp_path: Path) -> None:
    path = make(
        tmp_path / "oud.db",
        "CREATE TABLE t (a, b TEXT)",
        "INSERT INTO t VALUES ('x', 'y'), (x'ff', 'z')",
        "CREATE VIEW v AS SELECT a, b || '!' AS c FROM t",
    )
    with opened(path, tmp_path) as source:
        (extract,) = source.extract(Partition("v", 5))
    assert extract.frame.rows() == [("x", "y!", "1")]
    assert extract.unreadable is not None
    assert json.loads(extract.unreadable["raw"][0]) == {"a": {"blob": "ff"}, "c": "z!"}


def test_case_insensitive_columns_lose_no_row(tmp_path: Path) -> None:
    inserts = [f"INSERT INTO t VALUES ('{'aA'[i % 2]}{i % 10}', '{i}')" for i in range(40)]
    path = make(
        tmp_path / "oud.db", "CREATE TABLE t (a TEXT COLLATE NOCASE, x TEXT)", "CREATE INDEX i ON t (a)", *inserts
    )
    with opened(path, tmp_path) as source:
        extracts = list(source.extract(Partition("t", 3, ("a",), ("a",))))
        assert sorted(map(int, pl.concat([e.frame for e in extracts])["x"])) == list(range(40))
        assert all(e.frame["a"].n_unique() == 1 for e in extracts)


def test_what_is_offered_and_what_identifies_it(tmp_path: Path) -> None:
    path = make(
        tmp_path / "oud.db",
        "CREATE TABLE a (ID INTEGER PRIMARY KEY, x)",
        "CREATE TABLE b (ID INT PRIMARY KEY)",
        "CREATE TABLE c (q, p, PRIMARY KEY (p, q))",
        "CREATE TABLE d (ID INTEGER PRIMARY KEY DESC)",
        "CREATE VIEW v AS SELECT ID, x || '!' AS y FROM a",
        'CREATE TABLE "e ""é""" (rowid, _rowid_, oid)',
        "CREATE TABLE g (a INTEGER, b AS (a * 2), c AS (a + 1) STORED)",
        "INSERT INTO g (a) VALUES (4)",
        "INSERT INTO a VALUES (7, 'x')",
        "INSERT INTO \"e \"\"é\"\"\" VALUES ('r', 's', 't')",
    )
    with opened(path, tmp_path) as source:
        assert source.relations() == ("a", "b", "c", "d", 'e "é"', "g", "v")
        keys = {
            name: (source.relation(name).primary_key, source.relation(name).key_is_unique)
            for name in source.relations()
        }
        assert keys == {
            "a": (("ID",), True),
            "b": (("ID",), False),
            "c": (("p", "q"), False),
            "d": (("ID",), False),
            'e "é"': ((), False),
            "g": ((), False),
            "v": ((), False),
        }
        rows = {
            name: [r for e in source.extract(Partition(name, 5)) for r in e.frame.rows()]
            for name in ("g", "v", 'e "é"')
        }
        assert rows == {"g": [("4", "8", "5", "1")], "v": [("7", "x!", "1")], 'e "é"': [("r", "s", "t", "1")]}


def test_reserved_column_name_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "oud.db", "CREATE TABLE t (a, _REF)")
    assert failure(path, tmp_path).code == "CON-022"


def test_wide_table_is_read(tmp_path: Path) -> None:
    columns = [f"c{i}" for i in range(1500)]
    path = make(
        tmp_path / "oud.db", f"CREATE TABLE t ({', '.join(columns)})", "INSERT INTO t (c0, c1499) VALUES (1, 'x')"
    )
    with opened(path, tmp_path) as source:
        (extract,) = source.extract(Partition("t", 5))
    assert extract.frame.select("c0", "c1499").row(0) == ("1", "x")


def test_replaced_file_is_noticed(tmp_path: Path) -> None:
    path = make(tmp_path / "oud.db", "CREATE TABLE t (a)", *(f"INSERT INTO t VALUES ({i})" for i in range(50)))
    make(tmp_path / "new.db", "CREATE TABLE t (a)", *(f"INSERT INTO t VALUES ({i + 1})" for i in range(50)))
    with opened(path, tmp_path) as source:
        extracts = source.extract(Partition("t", 5))
        next(extracts)
        (tmp_path / "new.db").replace(path)
        with pytest.raises(SystemFailure) as caught:
            list(extracts)
    assert caught.value.code == "CON-018"


def test_a_fingerprint_begun_ahead_is_that_of_every_byte(tmp_path: Path) -> None:
    path = make(tmp_path / "oud.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('een')")
    with opened(path, tmp_path) as source:
        assert isinstance(source, FingerprintsAhead)
        source.begin_fingerprint()
        assert source.count("t") == 1
        assert source.fingerprint("t") == hashlib.sha256(path.read_bytes()).hexdigest()


def test_who_goes_away_does_not_wait_for_a_fingerprint(tmp_path: Path) -> None:
    path = make(tmp_path / "oud.db", "CREATE TABLE t (a TEXT)")
    os.truncate(path, 64 << 30)  # a hole: a minute of reading, no room on the disk
    with opened(path, tmp_path) as source:
        assert isinstance(source, FingerprintsAhead)
        source.begin_fingerprint()
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
