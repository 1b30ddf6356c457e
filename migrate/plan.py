"""`plan`: what a run would do, found by doing it on a copy of the target that is thrown away."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from connectors import Scratch, open_target
from migrate.database import require_current
from migrate.run import RunOptions, RunResult, load
from migrate.session import Session, require_runnable


def predict(session: Session, options: RunOptions) -> RunResult:
    """Return what `run` would report, changing nothing: the whole pipeline runs against a copy of the target.

    Raises:
        the errors of `migrate.run.load`.
    """
    require_runnable(session)
    target = open_target(session.workspace.target_url)
    scratch = Scratch()
    try:
        require_current(target.engine)
        copy = scratch.folder / "target.db"
        copy_target(target.path, copy)
        return load(session, options, target_url=f"sqlite:///{copy}")
    finally:
        target.close()
        scratch.close()


def copy_target(source: Path, destination: Path) -> None:
    """Copy a database as its last commit left it, by SQLite's own backup."""
    reading = sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)
    writing = sqlite3.connect(destination)
    try:
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()
