"""`plan`: what a run would do, found by doing it on a copy of the target that is thrown away."""

from __future__ import annotations

from connectors import Scratch, open_target
from migrate.opening import require_runnable
from migrate.running.options import RunOptions, RunResult
from migrate.running.run import load
from migrate.session import Session
from migrate.target.copy import copy_target
from migrate.target.database import require_current


def predict(session: Session, options: RunOptions) -> RunResult:
    """Return what `run` would report, changing nothing: the whole pipeline runs against a copy of the target.

    Raises:
        the errors of `migrate.running.run.load`.
    """
    require_runnable(session)
    target = open_target(session.workspace.target_url)
    scratch = Scratch()
    try:
        require_current(target.engine)
        copy = scratch.folder / "target.db"
        copy_target(target, copy)
        return load(session, options, target_url=f"sqlite:///{copy}")
    finally:
        target.close()
        scratch.close()
