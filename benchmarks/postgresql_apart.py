"""Tools that load the same rows from environments of their own: dlt, and pgloader where it is installed.

    python -m venv /work/bench-env-dlt; …/bin/pip install "dlt[postgres]" sqlalchemy pyarrow
    apt-get install pgloader

As `benchmarks.postgresql_others` they read records that are mapped already, write them into the same table with its
keys, checks, links and indexes, map nothing and keep no ledger.  dlt runs twice: the second time it merges the same
rows by their ids, and finds out nowhere that none of them changed.  pgloader loads a file that was written before it
is measured: it reads no database.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from benchmarks.measure import ROOT, Measured, measured
from casemodel import tables

if TYPE_CHECKING:
    from benchmarks.postgresql import Server

DLT, DLT_AGAIN, PGLOADER = "dlt", "dlt, once more", "pgloader"
"""How they are named in what is printed."""
_LOAD = """LOAD CSV FROM '{file}' ({fields})
INTO {written} TARGET TABLE public.case_file ({columns})
WITH workers = 2, concurrency = 1, batch rows = 50000, prefetch rows = 50000,
     fields terminated by ',', fields optionally enclosed by '"', fields escaped by double-quote
SET client_encoding to 'utf8';
"""


def measured_apart(
    postgres: Server, read: str, empty: str, scratch: Path, environments: Path
) -> Iterator[tuple[str, Measured]]:
    """Yield what each of them took that is there, and say which one is not.

    Args:
        read: the database that holds the rows.
        empty: one with the same tables without these rows, which each gets a copy of.
        environments: the folder with the environments of other tools.
    """
    python = environments / "bench-env-dlt" / "bin" / "python"
    if python.exists():
        written = postgres.database("bench_other", like=empty)
        script = str(ROOT / "benchmarks" / "postgresql_dlt.py")
        for name, way in ((DLT, "first"), (DLT_AGAIN, "again")):
            command = [str(python), "-P", script, way, postgres.of(read), written, str(scratch)]
            yield name, postgres.beside(partial(measured, command))
        postgres.drop("bench_other")
    else:
        print(f"  dlt: not measured, there is no {python} (see benchmarks/postgresql_apart.py)")
    if shutil.which("pgloader") is None:
        print("  pgloader: not measured, it is not installed")
        return
    written = postgres.database("bench_other", like=empty)
    orders = _orders(postgres, postgres.of(read), written, scratch)
    command = ["pgloader", "--quiet", "--root-dir", str(scratch / "pgloader"), str(orders)]
    yield PGLOADER, postgres.beside(partial(measured, command))
    postgres.drop("bench_other")


def _orders(postgres: Server, read: str, written: str, scratch: Path) -> Path:
    """Write the rows to a file and return what pgloader is told: reading this model from PostgreSQL, 3.6 fails."""
    file, orders = scratch / "case_file.csv", scratch / "pgloader.load"
    with file.open("wb") as out:
        ask = [postgres.psql, "-qX", read, "-c", "COPY case_file TO STDOUT (FORMAT csv)"]
        subprocess.run(ask, stdout=out, check=True)
    names = [column.name for column in tables["case_file"].columns]
    fields = ", ".join(f"{name} [null if blanks]" for name in names)
    told = _LOAD.format(file=file, fields=fields, columns=", ".join(names), written=_place(written))
    orders.write_text(told)
    return orders


def versions(environments: Path) -> list[str]:
    """Return name and version of each of them that is there."""
    found = []
    python = environments / "bench-env-dlt" / "bin" / "python"
    if python.exists():
        asked = "from importlib.metadata import version; print('dlt', version('dlt'))"
        found.append(_said([str(python), "-P", "-c", asked]))
    if shutil.which("pgloader"):
        found.append(_said(["pgloader", "--version"]).splitlines()[0])
    return found


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _place(url: str) -> str:
    """Return a URL of PostgreSQL as pgloader writes it, a socket's folder after the user's name."""
    parts = urlsplit(url)
    user = (parts.username or "postgres") + (f":{parts.password}" if parts.password else "")
    host = parts.hostname or "unix:" + parse_qs(parts.query)["host"][0]
    return f"pgsql://{user}@{host}:{parts.port or 5432}/{parts.path.lstrip('/')}"
