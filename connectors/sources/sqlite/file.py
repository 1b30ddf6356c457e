"""The file of a SQLite database: looked at before it is opened, copied when reading it in place would write.

Opening a WAL database read-only creates ``-wal`` and ``-shm`` beside it, and ``immutable`` ignores what is in the
``-wal``; so such a database is copied together with its ``-wal`` and the copy is read (faults.md, traps 1 and 2).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from casemodel import SystemFailure
from connectors.scratch import Scratch, writing
from connectors.sources.sqlite.digest import file_digest

_MAGIC = b"SQLite format 3\0"
_COPY_TRIES = 3


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """A database file that can be read without writing beside it.

    ``path`` is what to open (the source or its copy), ``source`` what the user named, ``digest`` the digest of a
    copied source.
    """

    source: Path
    path: Path
    header_fd: int
    digest: str | None = None

    @property
    def uri(self) -> str:
        """Return the read-only URI; every character that means something in a URI is quoted."""
        return "file:" + quote(os.fsencode(self.path)) + "?mode=ro"

    def state(self) -> tuple[int, ...]:
        """Return what changes when the source is written to, without opening it."""
        try:
            found = self.source.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a side file such as ``-wal``."""
    return path.with_name(path.name + suffix)


def look_at(source: Path, shown: str, scratch: Scratch) -> DatabaseFile:
    """Check a database file and prepare it for reading.

    Args:
        source: absolute path of the database.
        shown: how errors name it.
        scratch: where a WAL database is copied to.

    Raises:
        SystemFailure: CON-010 missing, CON-011 no regular file, CON-012 no right to read, CON-013 no database,
        CON-017 unstable.
    """
    fd = _open_regular(source, shown)
    header = os.pread(fd, 100, 0)
    if header[:16] != _MAGIC:
        os.close(fd)
        raise SystemFailure(
            "CON-013",
            "the file is empty" if not header else "the file is not a SQLite 3 database (its header is another one)",
            hint="Check the path; an encrypted database must be exported first.",
            place=shown,
        )
    wal = beside(source, "-wal")
    if header[18] == 2 or header[19] == 2 or (wal.exists() and wal.stat().st_size > 0):
        try:
            copy, digest = _copy_with_wal(source, shown, scratch)
        except SystemFailure:
            os.close(fd)
            raise
        return DatabaseFile(source, copy, fd, digest)
    return DatabaseFile(source, source, fd)


def _open_regular(source: Path, shown: str) -> int:
    try:
        if not stat.S_ISREG(source.stat().st_mode):
            raise SystemFailure(
                "CON-011",
                "the source is a folder, pipe or device, not a file",
                hint="Name a regular file.",
                place=shown,
            )
        # The descriptor stays open as long as the source does: closing any descriptor of a database file drops the
        # locks that this process holds on it.
        return os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise SystemFailure(
            "CON-010", "no such source: the file does not exist", hint="Check the path.", place=shown
        ) from None
    except OSError:
        raise SystemFailure(
            "CON-012", "the file may not be read", hint="Ask for the right to read it.", place=shown
        ) from None


def _digests(paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            found.append("-")
            continue
        try:
            found.append(file_digest(fd))
        finally:
            os.close(fd)
    return found


def _copy_with_wal(source: Path, shown: str, scratch: Scratch) -> tuple[Path, str]:
    sources = [source, beside(source, "-wal")]
    for attempt in range(_COPY_TRIES):
        with writing():
            folder = scratch.folder / f"copy{attempt}"
            folder.mkdir(mode=0o700)
        copies = [folder / "source.db", folder / "source.db-wal"]
        try:
            before = _digests(sources)
            for path, copy in zip(sources, copies, strict=True):
                if path.exists():
                    with writing():
                        shutil.copyfile(path, copy)
            stable = before == _digests(copies) == _digests(sources)
        except FileNotFoundError:
            stable = False
        except OSError:
            raise SystemFailure(
                "CON-012", "the file may not be read", hint="Ask for the right to read it.", place=shown
            ) from None
        if stable:
            _settle(copies[0], shown)
            return copies[0], hashlib.sha256("\n".join(before).encode()).hexdigest()
        shutil.rmtree(folder)
    raise SystemFailure(
        "CON-017",
        f"the database changed during each of {_COPY_TRIES} copies of it and its -wal file",
        hint="Run when the old system is quiet, or from a backup of it.",
        place=shown,
    )


def _settle(copy: Path, shown: str) -> None:
    """Bring the copied -wal into the copied database and leave WAL mode, so that readers need no side files."""
    try:
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    except sqlite3.Error:
        mode = ""
    if mode != "delete":
        raise SystemFailure(
            "CON-016",
            "the database and its -wal file cannot be joined",
            hint="Run an integrity check in the old system.",
            place=shown,
        )
