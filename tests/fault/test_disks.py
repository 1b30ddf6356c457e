"""The target's disk is full, again and again: what is committed stays, and in the end all is as undisturbed (R17)."""

from __future__ import annotations

import os
import random
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from fault_rig import Trial
from struck import struck

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

Trials = Callable[[str, str], Trial]


@pytest.mark.sample(0)
@pytest.mark.parametrize(("state", "seed"), [(state, seed) for state in ("first", "second") for seed in range(4)])
def test_r17_disk_full_on_sqlite(state: str, seed: int, trial: Trials) -> None:
    """No file may grow beyond a size, which is a little more each time."""
    found, chance, times = trial("sqlite", state), random.Random(seed), 0
    most = chance.randint(40_000, 160_000)
    for _ in range(12):
        answer = found.run(most_bytes=most)
        if answer.status == 3:
            break
        assert (answer.status, bool(re.search("SYS-00|CON-023", answer.err))) == (5, True), f"{most}: {answer.status}: {answer.err}"
        assert "Traceback" not in answer.err
        most, times = most + chance.randint(20_000, 60_000), times + 1
    assert times > 0
    if answer.status == 3:
        found.assert_undisturbed()
    else:
        found.finish()
    struck("disk full", "sqlite", times)


@contextmanager
def small_disk(server: sa.Engine, folder: Path) -> Iterator[Path]:
    """Have a disk of 64 MB in memory, mounted, as tablespace ``small``."""
    with server.connect() as connection:
        data = str(connection.exec_driver_sql("SHOW data_directory").scalar())
    if os.geteuid() != 0 or not Path(data).exists():
        pytest.skip("only root can mount a disk, on the machine of the server")
    folder.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)], check=True)
    try:
        place = folder / "space"
        place.mkdir()
        owner = Path(data).stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        try:
            yield folder
        finally:
            with server.connect() as connection:
                connection.exec_driver_sql("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


@pytest.mark.sample(0)
@pytest.mark.parametrize(("state", "seed"), [(state, seed) for state in ("first", "second") for seed in range(3)])
def test_r17_disk_full_on_postgresql(state: str, seed: int, trial: Trials, postgres_url: str) -> None:
    """The disk of the target's tablespace is full, and has a little more room each time (SQLSTATE 53100)."""
    found, chance, times = trial("postgresql", state), random.Random(seed), 0
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = sa.make_url(found.url).database
    # The server runs as another user, who gets to no folder of pytest's.
    with small_disk(server, Path(tempfile.mkdtemp(prefix="omnicase-disk-"))) as disk, server.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET TABLESPACE small")
        try:
            ballast = disk / "ballast"
            # The first session of a database that was moved writes down what it found in the catalogue.
            found.execute("SELECT 1")
            for _ in range(6):
                _leave(disk, ballast, chance.randint(32, 160) * 1024)
                answer = found.run()
                if answer.status == 3:
                    break
                assert (answer.status, "TGT-032" in answer.err) == (5, True), f"{answer.status}: {answer.err}"
                assert "53100" in answer.err
                times += 1
            ballast.unlink()
            assert times > 0
            if answer.status == 3:
                found.assert_undisturbed()
            else:
                found.finish()
        finally:
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET TABLESPACE pg_default")
    struck("disk full", "postgresql", times)


def _leave(disk: Path, ballast: Path, room: int) -> None:
    """Fill a disk but for some bytes."""
    ballast.unlink(missing_ok=True)
    ballast.touch()
    state = os.statvfs(disk)
    with ballast.open("wb") as file:
        file.write(b"\0" * (state.f_bavail * state.f_frsize - room))
