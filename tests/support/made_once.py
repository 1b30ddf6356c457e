"""Workspaces that cost seconds, made once for all tests that only read or copy them, whatever worker runs these."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from coverage import Coverage


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first who asks for it makes; nobody may change what is in it.

    Args:
        name: of the folder, one for all tests of this session.
        make: given a folder that does not exist yet.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / f"once-{name}"
    with (base / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = base / f"draft-{name}"
            shutil.rmtree(draft, ignore_errors=True)  # of one that failed
            with _untraced():
                make(draft)
            draft.rename(folder)
    return folder


def copy_made(make: Callable[..., object], folder: Path, *arguments: str) -> Path:
    """Fill a folder with what ``make(folder, *arguments)`` makes; this process makes it once, the rest are copies."""
    shutil.copytree(_made(make, *arguments), folder, dirs_exist_ok=True)
    return folder


@cache
def _made(make: Callable[..., object], *arguments: str) -> Path:
    kept = tempfile.TemporaryDirectory()
    _KEPT.append(kept)
    with _untraced():
        make(Path(kept.name), *arguments)
    return Path(kept.name)


@contextmanager
def _untraced() -> Iterator[None]:
    """Leave the making of workspaces out of the coverage: tracing doubles its time, and shows what tests show anyway."""
    tracing = Coverage.current()
    if tracing is None:
        yield
        return
    tracing.stop()
    try:
        yield
    finally:
        tracing.start()


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
"""What was made goes when the process ends."""
