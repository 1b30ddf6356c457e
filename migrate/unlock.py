"""`unlock`: a target released from a run whose machine is gone, recorded (DESIGN.md, section 6)."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from casemodel import LockedError, UsageError
from migrate.evidence.record import record
from migrate.ledger.lock import is_dead, locked_row
from migrate.ledger.store import doer, now, table
from migrate.target.opened import workspace_target
from migrate.workspace import Workspace

_LONGEST_REASON = 500


@dataclass(frozen=True)
class Unlocked:
    """Who held the target until now; all None when nobody did."""

    run: int | None = None
    host: str | None = None
    pid: int | None = None
    taken_at: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {
            "released": self.run is not None,
            "run": self.run,
            "host": self.host,
            "pid": self.pid,
            "taken_at": self.taken_at,
        }


def unlock(workspace: Workspace, reason: str) -> Unlocked:
    """Release the target; the epoch goes on, so that a holder that only slept fails at its next batch.

    Raises:
        UsageError: LED-009 no reason.
        LockedError: LED-008 the holder lives on this machine.
    """
    told = reason.strip()
    if not 0 < len(told) <= _LONGEST_REASON:
        raise UsageError("LED-009", "unlock needs a reason, which is recorded", hint='Add --reason "why".')
    target = workspace_target(workspace)
    try:
        with target.transaction() as connection:
            row = locked_row(connection)
            if row is None or row["run_id"] is None:
                return Unlocked()
            _refuse_living(row)
            _release(connection, row, told)
            return Unlocked(row["run_id"], row["host"], row["pid"], row["taken_at"])
    finally:
        target.close()


def _refuse_living(row: sa.RowMapping) -> None:
    host = socket.gethostname()
    if row["host"] == host and not is_dead(row["host"], row["pid"], host, os.getpid()):
        raise LockedError(
            "LED-008",
            f"process {row['pid']} on this machine holds the target for run {row['run_id']}, and it lives",
            hint=f"Wait until it ends, or end it: kill -INT {row['pid']} stops it after its batch.",
            place="target",
        )


def _release(connection: sa.Connection, row: sa.RowMapping, reason: str) -> None:
    lock, run, released = (table(connection, name) for name in ("lock", "run", "unlock"))
    free = {"run_id": None, "host": None, "pid": None, "images_of": None}
    connection.execute(sa.update(lock).where(lock.c.id == 1).values(epoch=row["epoch"] + 1, **free))
    ended = sa.update(run).where(run.c.id == row["run_id"], run.c.state == "running")
    connection.execute(ended.values(state="interrupted", ended_at=now()))
    connection.execute(
        sa.insert(released).values(
            **doer(),
            run_id=row["run_id"],
            held_host=row["host"],
            held_pid=row["pid"],
            held_since=row["taken_at"],
            reason=reason,
        )
    )
    record(connection, "unlock", {"run": row["run_id"], "host": row["host"], "process": row["pid"]})
