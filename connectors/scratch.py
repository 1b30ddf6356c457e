"""Scratch folders: 0700, under the system's temporary folder, removed at close and at exit."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from casemodel import SystemFailure

_PREFIX, _LOCK = "omnicase-", "lock"


class Scratch:
    """A folder for copies and sorted stores that only this user can enter; made when first asked for.

    A lock tells that its owner lives; what a killed process left behind is removed by the next one.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._finalizer: weakref.finalize[..., Scratch] | None = None

    @property
    def folder(self) -> Path:
        """Return the folder, making it on the first call."""
        if self._folder is None:
            with writing():
                self._folder, lock = _make(Path(tempfile.gettempdir()))
            # Also runs at interpreter exit.
            self._finalizer = weakref.finalize(self, _remove, self._folder, lock)
        return self._folder

    def close(self) -> None:
        """Remove the folder and everything in it."""
        if self._finalizer is not None:
            self._finalizer()
            self._folder = self._finalizer = None


def _make(parent: Path) -> tuple[Path, int]:
    for left in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        _remove_if_left(left)
    # Under another name until it is locked, lest another process takes it for left behind.
    unlocked = Path(tempfile.mkdtemp(prefix="new-" + _PREFIX, dir=parent))
    lock = os.open(unlocked / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return unlocked.rename(unlocked.with_name(unlocked.name.removeprefix("new-"))), lock


def _remove(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def _remove_if_left(path: Path) -> None:
    """Remove a folder of this user whose owner is dead: then nobody holds its lock."""
    with suppress(OSError):
        if path.stat(follow_symlinks=False).st_uid != os.getuid():
            return
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent, ignore_errors=True)
        finally:
            os.close(lock)


@contextmanager
def writing() -> Iterator[None]:
    """Turn a failed write to the scratch folder into an error that names the remedy."""
    try:
        yield
    except Exception as error:
        cause = _cause(error)
        if cause is None:
            raise
        raise SystemFailure(
            "CON-023",
            f"scratch data could not be stored: {cause}",
            hint="Free space in the temporary folder, or name another one in TMPDIR.",
        ) from None


def _cause(error: Exception) -> str | None:
    """Return why a write failed, or None when it is no fault of the disk."""
    if type(error).__module__.startswith("adbc_driver_manager"):
        # The driver of SQLite has one class for all that SQLite says.
        full, failed = "disk is full" in str(error), "disk I/O error" in str(error)
        return "the disk is full" if full else "the disk gave an error" if failed else None
    if not isinstance(error, OSError | pl.exceptions.ComputeError):
        return None
    # Polars tells the number of the error in its text only.
    found = re.search(r"os error (\d+)", str(error))
    number = int(found[1]) if found else getattr(error, "errno", None)
    return "the disk is full" if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "it cannot be written"
