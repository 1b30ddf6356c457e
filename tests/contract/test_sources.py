"""What every source must do, whatever it reads: one suite, run for each kind."""

from __future__ import annotations

import csv
import gzip
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

import polars as pl
import psycopg
import pytest
import xlsxwriter
from postgres_system import plain_url

from casemodel import Extract, Partition, Source, SystemFailure
from connectors import SystemConfig, open_source

COLUMNS = ("NR", "GROEP", "Naam")
# Groups of 1 to 40 rows, one of 700 (larger than a batch), duplicates and empty texts in what is ordered by.
ROWS = [
    (
        f"{number:05}",
        "groot" if number % 3 == 0 else f"g{number * 7919 % 83:03}" if number % 11 else "",
        f"Naam é|\\{number % 17} ",
    )
    for number in range(2100)
]


def write_sqlite(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    path = folder / "oud systeem?.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE KLANT (NR VARCHAR(5), GROEP VARCHAR(9), Naam TEXT)")
        connection.executemany("INSERT INTO KLANT VALUES (?, ?, ?)", rows)
        connection.commit()
    return SystemConfig("oud", "sqlite", {"path": path.name}, folder)


def write_indexed(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    config = write_sqlite(folder, rows)
    with closing(sqlite3.connect(folder / "oud systeem?.db")) as connection:
        connection.execute("CREATE INDEX i ON KLANT (GROEP, NR)")
    return config


def write_view(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    config = write_sqlite(folder, rows)
    with closing(sqlite3.connect(folder / "oud systeem?.db")) as connection:
        connection.execute("ALTER TABLE KLANT RENAME TO BASIS")
        connection.execute("CREATE VIEW KLANT AS SELECT NR, GROEP, Naam FROM BASIS")
    return config


def write_without_rowid(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    path = folder / "oud.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE KLANT (NR TEXT, GROEP TEXT, Naam TEXT, PRIMARY KEY (GROEP, NR)) WITHOUT ROWID")
        connection.executemany("INSERT INTO KLANT VALUES (?, ?, ?)", rows)
        connection.commit()
    return SystemConfig("oud", "sqlite", {"path": path.name}, folder)


def write_csv(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        with (folder / f"KLANT_{number}.CSV").open("w", encoding="cp1252", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(COLUMNS)
            writer.writerows(part)
    relations = {"KLANT": {"files": "KLANT_*.CSV", "key": ["NR"]}}
    return SystemConfig("oud", "csv", {"encoding": "cp1252", "delimiter": ";", "relations": relations}, folder)


def write_ticketlog(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        with (folder / f"KLANT_{number}.CSV").open("w", encoding="cp1252", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow((*COLUMNS, "ACTIE", "TIJD"))
            writer.writerows((*row, action, f"2019040109{action}") for action in ("00", "05") for row in part)
    log = {
        "ticket": ["NR"],
        "event": "ACTIE",
        "moment": {"column": "TIJD", "format": "YYYYMMDDHHmm"},
        "events": {"00": "printed", "05": "called"},
        "keep": ["GROEP", "Naam"],
    }
    relations = {"KLANT": {"files": "KLANT_*.CSV", "log": log}}
    options = {"encoding": "cp1252", "delimiter": ";", "relations": relations}
    return SystemConfig("oud", "ticketlog", options, folder)


def write_fixed(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        lines = "".join(f"{nr:5}{group:9}{name:20}\r\n" for nr, group, name in part)
        (folder / f"KLANT_{number}.CSV").write_bytes(lines.encode("cp850"))
    fields = {"NR": ["1", "5"], "GROEP": ["6", "9"], "Naam": ["15", "20"]}
    records = {"1": {"relation": "KLANT", "key": ["NR"], "fields": fields}}
    layouts = {"KLANTEN": {"files": "KLANT_*.CSV", "records": records}}
    return SystemConfig("oud", "fixed", {"encoding": "cp850", "layouts": layouts}, folder)
def write_excel(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        with xlsxwriter.Workbook(folder / f"KLANT_{number}.xlsx") as book:
            book.set_properties({"created": datetime(2026, 1, 1, tzinfo=UTC)})
            sheet = book.add_worksheet("lijst")
            for row, cells in enumerate((COLUMNS, *part)):
                for column, text in enumerate(cells):
                    sheet.write_string(row, column, text)
    relations = {"KLANT": {"files": "KLANT_*.xlsx", "key": ["NR"]}}
    return SystemConfig("oud", "excel", {"relations": relations}, folder)


def write_packed(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    config = write_csv(folder, rows)
    for path in folder.glob("*.CSV"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    return config


def write_xml(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        records = (f'<k:klant nr="{nr}"><groep>{group}</groep><naam>{name}</naam></k:klant>\n' for nr, group, name in part)
        text = f'<?xml version="1.0"?>\n<klanten xmlns:k="urn:k">\n{"".join(records)}</klanten>\n'
        (folder / f"KLANT_{number}.xml").write_text(text)
    fields = {"NR": "@nr", "GROEP": "groep", "Naam": "naam"}
    relation = {"files": "KLANT_*.xml", "record": "/klanten/x:klant", "fields": fields, "key": ["NR"]}
    return SystemConfig("oud", "xml", {"namespaces": {"x": "urn:k"}, "relations": {"KLANT": relation}}, folder)


def write_json(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        found = [{"nr": int(nr), "groep": group, "n": {"naam": name}} for nr, group, name in part]
        text = json.dumps({"count": len(found), "results": found}, indent=1)
        # Numbers reach the mapping as they are written.
        (folder / f"KLANT_{number}.json").write_text(re.sub(r'"nr": (\d+)', lambda m: f'"nr": "{m[1]:0>5}"', text))
    fields = {"NR": "nr", "GROEP": "groep", "Naam": "n/naam"}
    relation = {"files": "KLANT_*.json", "record": "/results", "fields": fields, "key": ["NR"]}
    return SystemConfig("oud", "json", {"relations": {"KLANT": relation}}, folder)


def write_sql(folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    config = write_sqlite(folder, rows)
    return SystemConfig("oud", "sql", {"url": f"sqlite:///{quote(config.options['path'])}"}, folder)


KINDS: dict[str, Callable[[Path, list[tuple[str, str, str]]], SystemConfig]] = {
    "sqlite": write_sqlite,
    "sqlite with an index": write_indexed,
    "sqlite view": write_view,
    "sqlite without rowid": write_without_rowid,
    "csv": write_csv,
    "json": write_json,
    "xml": write_xml,
    "fixed": write_fixed,
    "ticketlog": write_ticketlog,
    "excel": write_excel,
    "csv compressed": write_packed,
    "sql": write_sql,
}


TABLES = {
    "postgresql": "CREATE TABLE klant ({}, PRIMARY KEY (\"NR\"))",
    "postgresql by its key": "CREATE TABLE klant ({}, PRIMARY KEY (\"GROEP\", \"NR\"))",
    "postgresql view": "CREATE TABLE basis ({}); CREATE VIEW klant AS SELECT * FROM basis",
}


def write_postgres(kind: str, url: str, folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    columns = '"NR" varchar(5), "GROEP" varchar(9), "Naam" text'
    with psycopg.connect(plain_url(url)) as connection:
        connection.execute("DROP SCHEMA IF EXISTS oud CASCADE; CREATE SCHEMA oud; SET search_path = oud")
        connection.execute(TABLES[kind].format(columns).replace("klant", '"KLANT"').encode())
        table = "basis" if "view" in kind else '"KLANT"'
        with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
    return SystemConfig("oud", "postgresql", {"schema": "oud"}, folder, url=url)


def write_sql_postgres(url: str, folder: Path, rows: list[tuple[str, str, str]]) -> SystemConfig:
    return replace(write_postgres("postgresql", url, folder, rows), kind="sql")


Write = Callable[[Path, list[tuple[str, str, str]]], SystemConfig]


@pytest.fixture(scope="module")
def postgres_system(new_postgres_database: Callable[[], str]) -> str:
    return new_postgres_database()


@pytest.fixture(params=[*KINDS, *TABLES, "sql on postgresql"])
def write(request: pytest.FixtureRequest) -> Write:
    if request.param in TABLES:
        return partial(write_postgres, request.param, request.getfixturevalue("postgres_system"))
    if request.param == "sql on postgresql":
        return partial(write_sql_postgres, request.getfixturevalue("postgres_system"))
    return KINDS[request.param]


@pytest.fixture(params=[kind for kind in KINDS if kind != "sql"])
def write_file(request: pytest.FixtureRequest) -> Write:
    return KINDS[request.param]


@pytest.fixture
def config(write: Write, tmp_path: Path) -> SystemConfig:
    return write(tmp_path, ROWS)


@pytest.fixture
def file_config(write_file: Write, tmp_path: Path) -> SystemConfig:
    return write_file(tmp_path, ROWS)


@pytest.fixture
def source(config: SystemConfig) -> Iterator[Source]:
    opened = open_source(config)
    yield opened
    opened.close()


def values(extracts: list[Extract]) -> list[tuple[str, ...]]:
    return [row for extract in extracts for row in extract.frame.select(COLUMNS).rows()]


def expected(source: Source) -> list[tuple[str, str, str]]:
    """Return the rows as the kind can hold them: behind a field of fixed length spaces fill it, and are not of it."""
    return [(nr, group, name.rstrip(" ") if source.kind == "fixed" else name) for nr, group, name in ROWS]


def test_relation_is_found_in_any_case(source: Source) -> None:
    assert "KLANT" in source.relations()
    relation = source.relation("klant")
    assert (relation.system, relation.name) == ("oud", "KLANT")
    assert relation.column_names()[: len(COLUMNS)] == COLUMNS
    assert relation.column_names() == COLUMNS or source.kind == "ticketlog"


def test_unknown_names_are_refused_with_the_nearest(source: Source) -> None:
    with pytest.raises(SystemFailure, match="no relation KLANTEN") as caught:
        source.relation("KLANTEN")
    assert (caught.value.code, caught.value.exit_status) == ("CON-020", 5)
    assert "KLANT" in caught.value.hint
    with pytest.raises(SystemFailure, match="no column GROEPEN") as caught:
        source.extract(Partition("KLANT", 100, order=("GROEPEN",)))
    assert caught.value.code == "CON-021"
    assert "GROEP" in caught.value.hint


def test_every_row_comes_once(source: Source) -> None:
    extracts = list(source.extract(Partition("klant", 400)))
    assert sorted(values(extracts)) == sorted(expected(source))
    assert [extract.rows for extract in extracts] == [400, 400, 400, 400, 400, 100]
    assert all(extract.unreadable is None for extract in extracts)
    assert all(dtype == pl.String for extract in extracts for dtype in extract.frame.dtypes)
    refs = pl.concat([extract.frame["_ref"] for extract in extracts])
    assert refs.n_unique() == len(ROWS) and refs.null_count() == 0


def test_count_agrees(source: Source) -> None:
    assert source.count("KLANT") == len(ROWS)


@pytest.mark.parametrize("group", [(), ("groep",)])
def test_order_is_kept_and_no_group_is_cut(source: Source, group: tuple[str, ...]) -> None:
    extracts = list(source.extract(Partition("KLANT", 100, order=("GROEP", "NR"), group=group)))
    found = values(extracts)
    assert found == sorted(expected(source), key=lambda row: (row[1], row[0]))
    groups = [{(row[1] if group else row[:2]) for row in values([extract])} for extract in extracts]
    assert sum(map(len, groups)) == len(set().union(*groups)), "a group is in two batches"
    if group:
        assert max(extract.rows for extract in extracts) >= 700
    assert sum(extract.rows <= 100 for extract in extracts) >= len(extracts) - 2


def test_order_with_many_equal_rows(source: Source) -> None:
    extracts = list(source.extract(Partition("KLANT", 50, order=("Naam",))))
    assert sorted(values(extracts)) == sorted(expected(source))
    assert [row[2] for row in values(extracts)] == sorted(row[2] for row in expected(source))
    assert len(extracts) == len({row[2] for row in ROWS}), "rows with equal order stay together"


@pytest.mark.parametrize(
    ("order", "group"), [((), ()), (("GROEP", "NR"), ("GROEP",)), (("NR",), ()), (("Naam", "NR"), ())]
)
def test_reading_goes_on_behind_every_position(
    config: SystemConfig, order: tuple[str, ...], group: tuple[str, ...]
) -> None:
    with closing(open_source(config)) as first:
        whole = list(first.extract(Partition("KLANT", 300, order, group)))
    for number, extract in enumerate(whole):
        with closing(open_source(config)) as again:
            rest = list(again.extract(Partition("KLANT", 300, order, group, after=extract.position)))
        assert values(rest) == values(whole[number + 1 :])


def test_foreign_positions_are_refused(source: Source) -> None:
    for position in ("", "nonsense", "[]", '["t41","t42","t43","t44","t45"]', '{"digest":"x","row":1,"order":[]}'):
        with pytest.raises(SystemFailure) as caught:
            list(source.extract(Partition("KLANT", 100, after=position)))
        assert caught.value.code == "CON-019"


def test_columns_gives_only_what_is_asked(source: Source) -> None:
    frames = list(source.columns("KLANT", ["naam", "NR"], 500))
    assert all(frame.columns == ["Naam", "NR"] for frame in frames)
    assert sorted(pl.concat(frames).rows()) == sorted((row[2], row[0]) for row in expected(source))
    whole = list(source.extract(Partition("KLANT", 1000)))
    assert sorted(values(whole)) == sorted(expected(source)), "whoever asks for more after that gets it"


def test_fetch_gives_rows_again_in_the_order_asked(source: Source) -> None:
    whole = pl.concat([extract.frame for extract in source.extract(Partition("KLANT", 1000))])
    wanted = whole.sample(50, shuffle=True, seed=4)
    assert source.fetch("klant", wanted["_ref"]).equals(wanted)
    assert source.fetch("klant", pl.Series([], dtype=pl.String)).columns == whole.columns


def test_fetch_leaves_out_what_is_gone(source: Source) -> None:
    first = next(iter(source.extract(Partition("KLANT", 1)))).frame
    ref = first["_ref"][0]
    gone = {"1": "999999", "1:1": "9:1", "00000": "zz"}.get(ref, 'zz|zz' if "|" in ref else '["t7A7A","t7A7A"]')
    assert source.fetch("KLANT", pl.Series([gone, ref])).equals(first)


def test_fingerprint_follows_the_content(write_file: Write, tmp_path: Path) -> None:
    found = []
    for rows in (ROWS, ROWS, ROWS[:-1]):
        with closing(open_source(write_file(tmp_path, rows))) as source:
            found.append(source.fingerprint("KLANT"))
            assert source.content("KLANT") == found[-1]
    assert found[0] == found[1] != found[2]


def test_a_change_during_the_run_stops_it(file_config: SystemConfig, tmp_path: Path) -> None:
    with closing(open_source(file_config)) as source:
        extracts = source.extract(Partition("KLANT", 100))
        next(extracts)
        change(tmp_path)
        with pytest.raises(SystemFailure) as caught:
            list(extracts)
    assert (caught.value.code, caught.value.exit_status) == ("CON-018", 5)


def change(folder: Path) -> None:
    """Write to the source as the old system does: from another process."""
    code = (
        "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n"
        "name = 'BASIS' if c.execute(\"SELECT 1 FROM sqlite_master WHERE name = 'BASIS'\").fetchone() else 'KLANT'\n"
        "c.execute(f\"UPDATE {name} SET Naam = 'anders' WHERE NR = '02099'\"); c.commit()\n"
    )
    for path in folder.iterdir():
        if path.suffix == ".db":
            subprocess.run([sys.executable, "-c", code, str(path)], check=True)
        elif path.name == "KLANT_1.xlsx":
            path.write_bytes(path.read_bytes() + b" ")
        elif path.stem == "KLANT_1":
            path.write_bytes(path.read_bytes().replace(b"02099", b"02098"))


def test_the_source_stays_as_it_is_and_nothing_is_left_behind(
    file_config: SystemConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path.parent / f"{tmp_path.name}-scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    with closing(open_source(file_config)) as source:
        list(source.extract(Partition("KLANT", 100, order=("Naam", "NR"))))
        for folder in scratch.iterdir():
            assert folder.stat().st_mode & 0o077 == 0, "others may look into the scratch folder"
        source.count("KLANT")
        source.fingerprint("KLANT")
        source.fetch("KLANT", next(iter(source.extract(Partition("KLANT", 3)))).frame["_ref"])
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before
    assert list(scratch.iterdir()) == []


def test_a_read_only_folder_is_enough(file_config: SystemConfig, tmp_path: Path) -> None:
    for path in tmp_path.iterdir():
        path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with closing(open_source(file_config)) as source:
            assert len(values(list(source.extract(Partition("KLANT", 1000))))) == len(ROWS)
    finally:
        tmp_path.chmod(0o700)


def test_a_missing_source_is_said_and_not_made(file_config: SystemConfig, tmp_path: Path) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(SystemFailure) as caught, closing(open_source(file_config)) as source:
        source.relation("KLANT")
    assert caught.value.exit_status == 5
    assert caught.value.code in ("CON-010", "CON-030")
    assert list(tmp_path.iterdir()) == []


def test_a_consumer_that_stops_leaves_no_thread(source: Source) -> None:
    before = threading.active_count()
    extracts = source.extract(Partition("KLANT", 10))
    next(extracts)
    extracts.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_two_readers_at_once_do_not_disturb_each_other(source: Source) -> None:
    one = source.extract(Partition("KLANT", 100, order=("GROEP", "NR")))
    two = source.extract(Partition("KLANT", 100, order=("GROEP", "NR")))
    pairs = [(a.frame, b.frame) for a, b in zip(one, two, strict=True)]
    assert sum(a.height for a, _ in pairs) == len(ROWS)
    assert all(a.equals(b) for a, b in pairs)


def test_an_error_shows_no_value_of_the_source(file_config: SystemConfig, tmp_path: Path) -> None:
    path = max(tmp_path.iterdir())
    data = path.read_bytes()
    # A database with garbage in front; a delivery that lacks its header, so that its first record is taken for one, or
    # of which most records are of another kind.
    first = b"999993653;9;J\r\n" * (3_000 if file_config.kind == "fixed" else 1)
    path.write_bytes(first + (data.split(b"\n", 1)[1] if path.suffix == ".CSV" else data))
    with pytest.raises(SystemFailure) as caught, closing(open_source(file_config)) as source:
        list(source.extract(Partition("KLANT", 100)))
    assert "999993653" not in f"{caught.value} {caught.value.as_dict()}"
