"""``python -m benchmarks.readers [--rows N] [--times N]``: reading old databases, against the fastest readers known.

A table of 20 columns (numbers, amounts, dates, texts with accents, NULLs) in SQLite and in PostgreSQL is read whole:
by ours in batches of canonical text along its key, by ConnectorX and ADBC into Arrow with their own types, each in a
process of its own; what each takes for a table of ten rows is its start and left out of the ratio.  A reader that is
not installed is left out.  `COPY … (FORMAT BINARY)` without making values of the bytes is shown as the floor of
PostgreSQL.  Nothing here gates.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from benchmarks.measure import Measured, measure, ratio
from benchmarks.postgresql import server
from casemodel import Partition
from connectors import SystemConfig, open_source

_BATCH = 50_000
_KINDS = ("integer", "text", "numeric(12,2)", "date", "varchar(40)")
_COLUMNS = [f"k{number:02}" for number in range(19)]
_ASKED = 1.5
_FEW = 10
"""Rows of the table that tells what the start of a reader costs."""
_PEAK = 450


def main() -> None:
    """Make the tables, read them by every reader and print seconds and memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readers")
    parser.add_argument("--rows", type=int, default=500_000, help="how many rows (default 500,000)")
    parser.add_argument("--times", type=int, default=3, help="how often each reads; the fastest counts (default 3)")
    parser.add_argument("--read", choices=tuple(READERS), help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(READERS[options.read](options.url))
        return
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        file, few = Path(scratch) / "old.db", Path(scratch) / "few.db"
        make_sqlite(file, options.rows)
        make_sqlite(few, _FEW)
        urls = (f"sqlite:///{file}", f"sqlite:///{few}")
        compare("SQLite", urls, options.rows, options.times, ("sqlite", "connectorx", "adbc sqlite"))
        with contextlib.suppress(ModuleNotFoundError), server() as started:
            urls = (started.database("readers"), started.database("few"))
            for url, rows in zip(urls, (options.rows, _FEW), strict=True):
                make_postgresql(url, rows)
            names = ("postgresql", "connectorx", "adbc postgresql", "copy")
            compare("PostgreSQL", urls, options.rows, options.times, names)
            started.drop_all()


def compare(what: str, urls: tuple[str, str], rows: int, times: int, names: tuple[str, ...]) -> None:
    """Read a table by readers, the first of them ours, and print what each took, and for a table of a few rows."""
    print(f"{what}: {rows:,} rows x 20 columns, fastest of {times}")
    url, few = urls
    starts: dict[str, Measured] = {}
    found: dict[str, Measured] = {}
    for name in names:
        if not all(importlib.util.find_spec(each) for each in _NEEDS.get(name, ())):
            print(f"  {name:<18} not installed")
            continue
        try:
            starts[name], found[name] = _fastest(name, few, times), _fastest(name, url, times)
        except SystemExit:
            print(f"  {name:<18} cannot read here")
            continue
        start, each = starts[name], found[name]
        print(
            f"  {name:<18} {each.wall:7.2f} s   {each.processor:7.2f} s processor   {each.memory:6.0f} MB"
            f"   (of it start: {start.wall:.2f} s, {start.processor:.2f} s processor)"
        )
    ours = found[names[0]]
    others = [name for name in found if name not in (names[0], "copy")]
    for how in ("wall", "processor") if others else ():
        took = {name: getattr(found[name], how) - getattr(starts[name], how) for name in (names[0], *others)}
        fastest = max(min(took[name] for name in others), 0.01)
        ratio(f"ours / fastest, {how}", took[names[0]] / fastest, _ASKED, "at most")
    ratio("peak, MB", ours.memory, _PEAK, "at most")


def _fastest(name: str, url: str, times: int) -> Measured:
    found = [measure(["benchmarks.readers", "--read", name, "--url", url]) for _ in range(times)]
    return Measured(min(f.wall for f in found), min(f.processor for f in found), max(f.memory for f in found))


def values(number: int) -> list[object]:
    """Return the values of a row behind its key."""
    made: list[object] = []
    for at in range(len(_COLUMNS)):
        each = (number * 7919 + at * 104_729) % 100_003
        kind = at % len(_KINDS)
        text = (
            f"{each // 100}.{each % 100:02}",
            f"20{each % 20:02}-{each % 12 + 1:02}-{each % 28 + 1:02}",
            f"Naam é {each}",
        )
        made.append(None if each % 50 == 0 else (each, f"omschrijving {each} van de zaak", *text)[kind])
    return made


def _declared() -> str:
    return ", ".join(f"{name} {_KINDS[at % len(_KINDS)]}" for at, name in enumerate(_COLUMNS))


def make_sqlite(file: Path, rows: int) -> None:
    """Make the table in a SQLite file; amounts and dates are texts there, as old systems keep them."""
    with closing(sqlite3.connect(file)) as connection:
        declared = _declared().replace("numeric(12,2)", "text").replace("date", "text")
        connection.execute(f"CREATE TABLE zaak (nr integer primary key, {declared})")
        marks = ", ".join("?" * (len(_COLUMNS) + 1))
        made = ((number, *values(number)) for number in range(1, rows + 1))
        connection.executemany(f"INSERT INTO zaak VALUES ({marks})", made)
        connection.commit()


def make_postgresql(url: str, rows: int) -> None:
    """Make the table in a PostgreSQL database."""
    import psycopg

    with psycopg.connect(_libpq(url)) as connection:
        connection.execute(f"CREATE TABLE zaak (nr bigint primary key, {_declared()})".encode())
        with connection.cursor().copy(b"COPY zaak FROM STDIN") as copy:
            for number in range(1, rows + 1):
                copy.write_row((number, *values(number)))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE zaak")


def ours(kind: str) -> Callable[[str], int]:
    """Return our reader of a kind."""

    def read(url: str) -> int:
        config = SystemConfig("old", kind, {"path": url.removeprefix("sqlite:///")} if kind == "sqlite" else {}, Path())
        if kind != "sqlite":
            config = SystemConfig("old", kind, {}, Path(), url=url)
        with closing(open_source(config)) as source:
            return sum(each.frame.height for each in source.extract(Partition("zaak", _BATCH, order=("nr",))))

    return read


def connectorx(url: str) -> int:
    """Read by ConnectorX into Arrow."""
    import connectorx as cx

    at = url.replace("sqlite:///", "sqlite://", 1) if url.startswith("sqlite") else _by_host(url)
    return int(cx.read_sql(at, "SELECT * FROM zaak", return_type="arrow").num_rows)


def adbc_sqlite(url: str) -> int:
    """Read by ADBC's driver of SQLite, batch by batch."""
    from adbc_driver_sqlite import dbapi

    with dbapi.connect(url.removeprefix("sqlite:///")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM zaak")
        return sum(batch.num_rows for batch in cursor.fetch_record_batch())


def adbc_postgresql(url: str) -> int:
    """Read by ADBC's driver of PostgreSQL, batch by batch: it uses binary COPY."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(_libpq(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM zaak")
        return sum(batch.num_rows for batch in cursor.fetch_record_batch())


def copy(url: str) -> int:
    """Take the bytes of binary COPY and make nothing of them."""
    import psycopg

    query = b"COPY (SELECT * FROM zaak) TO STDOUT (FORMAT BINARY)"
    with psycopg.connect(_libpq(url)) as connection, connection.cursor().copy(query) as rows:
        return sum(len(block) for block in rows)


def _by_host(url: str) -> str:
    """Return a URL that names the folder of a socket as its host, which ConnectorX asks for."""
    parts = sa.make_url(url)
    folder = parts.query.get("host")
    return (
        _libpq(url)
        if folder is None
        else f"postgresql://{parts.username}@{quote(str(folder), safe='')}/{parts.database}"
    )


def _libpq(url: str) -> str:
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


READERS: dict[str, Callable[[str], int]] = {
    "sqlite": ours("sqlite"),
    "postgresql": ours("postgresql"),
    "connectorx": connectorx,
    "adbc sqlite": adbc_sqlite,
    "adbc postgresql": adbc_postgresql,
    "copy": copy,
}
_NEEDS = {
    "connectorx": ("connectorx",),
    "adbc postgresql": ("adbc_driver_postgresql",),
    "postgresql": ("psycopg",),
    "copy": ("psycopg",),
}


if __name__ == "__main__":
    main()
