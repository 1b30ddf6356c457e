"""Scratch folders: 0700, under the system's temporary folder, removed at close and at exit."""

from __future__ import annotations

import errno
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from casemodel import SystemFailure


class Scratch:
    """A folder for copies and sorted stores that only this user can enter; made when first asked for."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._finalizer: weakref.finalize[..., Scratch] | None = None

    @property
    def folder(self) -> Path:
        """Return the folder, making it on the first call."""
        if self._folder is None:
            with writing():
                self._folder = Path(tempfile.mkdtemp(prefix="omnicase-"))
            # Also runs at interpreter exit; a killed process leaves the folder, which only its owner can read.
            self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, True)
        return self._folder

    def close(self) -> None:
        """Remove the folder and everything in it."""
        if self._finalizer is not None:
            self._finalizer()
            self._folder = self._finalizer = None


@contextmanager
def writing() -> Iterator[None]:
    """Turn a failed write to the scratch folder into an error that names the remedy."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        # Polars tells the number of the error in its text only.
        found = re.search(r"os error (\d+)", str(error))
        number = int(found[1]) if found else getattr(error, "errno", None)
        cause = "the disk is full" if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "it cannot be written"
        raise SystemFailure(
            "CON-023",
            f"scratch data could not be stored: {cause}",
            hint="Free space in the temporary folder, or name another one in TMPDIR.",
        ) from None
