"""``python -m benchmarks.postgresql [--cases N] [--times N]``: loading into PostgreSQL against ``COPY | COPY``.

The limit is what the database itself needs for the same rows: ``COPY … TO STDOUT | COPY … FROM STDIN`` by psql, of the
table with its keys, checks, links and indexes, and of its id map.  Settings of the server are as they are: durable.
Nothing here gates: it prints what it measured beside what is asked.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from benchmarks.__main__ import PARENTS, demo_in, fresh
from benchmarks.measure import Measured, measure, omnicase, ratio
from benchmarks.postgresql_apart import DLT, DLT_AGAIN, measured_apart, versions

_CHANGED = "UPDATE ZKN_ZAAK SET ONDERWERP = ONDERWERP || '.' WHERE rowid % 100 = 0"
_DELETED = "DELETE FROM ZKN_ZAAK WHERE rowid % 1000 = 7"


@dataclass
class Server:
    """A PostgreSQL server on which databases may be made."""

    url: str
    psql: str
    postmaster: int | None = None
    """Its process, where it runs on this machine and is ours."""
    _made: list[str] = field(default_factory=list)

    def database(self, name: str, *, like: str = "template0") -> str:
        """Make a database anew and return its URL."""
        self.drop(name)
        self._do(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY file_copy")
        self._made.append(name)
        # What making it left to be written would be written during the next measurement.
        self._do("CHECKPOINT")
        return self.of(name)

    def of(self, name: str) -> str:
        """Return the URL of a database."""
        return sa.make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        """Drop a database if it is there."""
        self._do(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def processor(self) -> float:
        """Return the processor time of the server's processes until now; 0 where they are not known."""
        if self.postmaster is None:
            return 0.0
        time.sleep(_REAPED)
        ticks = sum(_ticks(self.postmaster))
        for child in Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children").read_text().split():
            with contextlib.suppress(OSError):
                ticks += sum(_ticks(int(child))[:2])
        return ticks / os.sysconf("SC_CLK_TCK")

    def beside(self, measured: Callable[[], Measured]) -> Measured:
        """Measure something with what the server uses meanwhile."""
        before = self.processor()
        found = measured()
        return replace(found, server=self.processor() - before)

    def drop_all(self) -> None:
        """Drop what was made."""
        for name in self._made:
            self.drop(name)

    def _do(self, sql: str) -> None:
        engine = sa.create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(sql)
        engine.dispose()


_REAPED = 0.5
"""Seconds until the server has counted the time of a connection that ended."""


def _ticks(process: int) -> list[int]:
    """Return the processor time of a process, by itself and in the kernel, and of its children that ended."""
    told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return [int(each) for each in told[11:15]]


@contextmanager
def server() -> Iterator[Server]:
    """Give the server of OMNICASE_TEST_POSTGRES_URL, or one from the wheel, started for this."""
    given = os.environ.get("OMNICASE_TEST_POSTGRES_URL")
    if given:
        found = Server(given, shutil.which("psql") or "psql")
        yield found
        found.drop_all()
        return
    import pgserver

    running = pgserver.postgres_server.get_server(tempfile.mkdtemp(prefix="omnicase-bench-pg-"), cleanup_mode="delete")
    try:
        psql = Path(pgserver.__file__).parent / "pginstall" / "bin" / "psql"
        yield Server(running.get_uri(), str(psql), running.get_pid())
    finally:
        running.cleanup()


def piped(psql: str, read: str, written: str, tables: list[tuple[str, str]]) -> float:
    """Copy the answers of queries from one database into tables of another, in one transaction; return seconds."""
    started = time.perf_counter()
    for query, into in tables:
        out = subprocess.Popen([psql, "-qX", read, "-c", f"COPY ({query}) TO STDOUT"], stdout=subprocess.PIPE)
        subprocess.run([psql, "-qX", written, "-c", f"COPY {into} FROM STDIN"], stdin=out.stdout, check=True)
        out.wait()
    return time.perf_counter() - started


def main() -> None:
    """Measure first load, second runs and the limit, interleaved, and print medians and ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.postgresql")
    parser.add_argument("--cases", type=int, default=1_000_000, help="how many cases (default 1,000,000)")
    parser.add_argument("--times", type=int, default=3, help="so often each is measured; medians are printed")
    parser.add_argument("--batch-rows", type=int, default=10_000, help="as a workspace has it: 10,000")
    parser.add_argument("--alone", action="store_true", help="leave the other tools out")
    parser.add_argument("--keep", type=Path, help="keep the generated workspace in this folder and use it again")
    parser.add_argument("--environments", type=Path, default=Path("/work"), help="folder with those of other tools")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch, server() as postgres:
        folder = options.keep or Path(scratch) / "demo"
        demo_in(folder, options.cases)
        found: dict[str, list[Measured]] = {}
        for turn in range(options.times):
            place, first = Path(scratch) / f"turn{turn}", turn == 0 and not options.alone
            others = options.environments if first else None
            for name, measured in _turn(postgres, folder, place, options.batch_rows, others):
                found.setdefault(name, []).append(measured)
                print(f"  turn {turn + 1}: {name:<24} {measured.wall:8.1f} s", flush=True)
        _say(found, options.cases, options.batch_rows)


OTHERS = ("core", "petl", "pandas")
_ASKED = (
    ("core", "first load", 1.6),
    ("petl", "first load", 1.15),
    ("pandas", "first load", 3),
    (DLT, "first load, --bulk", 1.5),
    (DLT_AGAIN, "unchanged", 5),
    (DLT_AGAIN, "unchanged, --full", 5),
)
"""Another tool, what of ours it is compared with, and how many times as long it should take."""


def _turn(
    postgres: Server, folder: Path, scratch: Path, batch_rows: int, others: Path | None
) -> Iterator[tuple[str, Measured]]:
    """Yield what each step took: the limit, the first load, and the runs after it.

    Args:
        others: the folder with the environments of other tools; None: they are left out.
    """
    scratch.mkdir()
    workspace = fresh(folder, "work", scratch)
    settings = workspace / "workspace.yml"
    settings.write_text(settings.read_text().replace("batch_rows: 10000", f"batch_rows: {batch_rows}"))
    run = _runs(postgres, workspace, postgres.database("bench"))
    run("db", "upgrade")
    run("run", *PARENTS)
    for name in ("bench_limit", "bench_bulk", "bench_empty"):
        postgres.database(name, like="bench")
    yield "first load", run("run", "zaak.case")
    number = "(SELECT id FROM migration.mapping WHERE name = 'zaak.case')"
    tables = [
        ("SELECT * FROM case_file", "case_file"),
        (f"SELECT * FROM migration.id_map WHERE mapping_id = {number}", "migration.id_map"),
    ]
    places = postgres.psql, postgres.of("bench"), postgres.of("bench_limit")
    yield "limit, COPY | COPY", postgres.beside(lambda: Measured(piped(*places, tables), 0, 0))
    postgres.drop("bench_limit")
    yield "first load, --bulk", _runs(postgres, workspace, postgres.of("bench_bulk"))("run", "zaak.case", "--bulk")
    postgres.drop("bench_bulk")
    if others is not None:
        print(f"  other tools: {', '.join([*_versions(), *versions(others)])}")
    for name in OTHERS if others is not None else ():
        postgres.database("bench_other", like="bench_empty")
        with contextlib.suppress(SystemExit):  # one that is not installed is left out
            other = ["benchmarks.postgresql_others", name, postgres.of("bench"), postgres.of("bench_other")]
            yield f"{name}, no ledger", postgres.beside(partial(measure, other))
        postgres.drop("bench_other")
    if others is not None:
        for name, found in measured_apart(postgres, "bench", "bench_empty", scratch, others):
            yield f"{name}, no ledger", found
    postgres.drop("bench_empty")
    run = _runs(postgres, workspace, postgres.of("bench"))
    yield "unchanged", run("run", "zaak.case")
    yield "unchanged, --full", run("run", "zaak.case", "--full")
    systems = workspace / "systems"
    systems.unlink()
    shutil.copytree(folder / "systems", systems)
    _change(systems, _CHANGED)
    yield "1 % changed", run("run", "zaak.case")
    _change(systems, _DELETED)
    command = [sys.executable, "-m", "benchmarks.sweep", str(workspace), "zaak.case"]
    swept = subprocess.run(command, capture_output=True, text=True, check=True)
    yield "delete sweep", Measured(float(swept.stdout), 0, 0)


def _versions() -> Iterator[str]:
    for name in ("sqlalchemy", "petl", "pandas"):
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} is not installed"


def _runs(postgres: Server, workspace: Path, url: str) -> Callable[..., Measured]:
    os.environ["OMNICASE_TARGET_URL"] = url
    return lambda *arguments: postgres.beside(lambda: omnicase(workspace, *arguments))


def _change(systems: Path, statement: str) -> None:
    """Change the copy of the old system."""
    connection = sqlite3.connect(systems / "zaak.db")
    connection.execute(statement)
    connection.commit()
    connection.close()


def _say(found: dict[str, list[Measured]], cases: int, batch_rows: int) -> None:
    medians = {name: statistics.median(each.wall for each in all_of) for name, all_of in found.items()}
    times = max(len(each) for each in found.values())
    print(f"\nSQLite to PostgreSQL, {cases:,} cases into case_file, {batch_rows:,} a batch; medians of {times}")
    for name, wall in medians.items():
        best = min(found[name], key=lambda each: each.wall)
        used = f"{best.processor:8.1f} s own processor   {best.server:8.1f} s the server's"
        print(f"  {name:<24} {wall:8.1f} s   {used}   {best.memory:6.0f} MB")
    first = medians["first load"]
    ratio("first load / limit", first / medians["limit, COPY | COPY"], 1.6, "at most")
    ratio("first load, --bulk / limit", medians["first load, --bulk"] / medians["limit, COPY | COPY"], 1.1, "at most")
    ratio("unchanged / first load", medians["unchanged"] / first, 0.2, "at most")
    ratio("unchanged --full / first load", medians["unchanged, --full"] / first, 0.2, "at most")
    ratio("1 % changed / first load", medians["1 % changed"] / first, 0.25, "at most")
    ratio("delete sweep / first load", medians["delete sweep"] / first, 0.1, "at most")
    for name, beside, asked in _ASKED:
        if f"{name}, no ledger" in medians:
            ratio(f"{name} / {beside}", medians[f"{name}, no ledger"] / medians[beside], asked, "at least")
    ours = [each for name, all_of in found.items() if "ledger" not in name for each in all_of]
    ratio("peak memory, MB", max(each.memory for each in ours), 400, "at most")


if __name__ == "__main__":
    main()
