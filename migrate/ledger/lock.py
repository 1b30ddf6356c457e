"""One run at a time per target: a lock row with an epoch that every batch checks (DESIGN.md, section 6)."""

from __future__ import annotations

import os
import socket

import sqlalchemy as sa

from casemodel import LockedError
from migrate.ledger.store import now, table

_STARTING = 0x6F6D6E69
"""Number of PostgreSQL's advisory lock for runs that start ("omni")."""


def one_starts(connection: sa.Connection) -> None:
    """Let runs that start at once do so one after the other; on SQLite writing transactions do so by themselves."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_STARTING)))


def take_lock(connection: sa.Connection, run_id: int, *, images_of: int | None = None) -> int:
    """Take the lock for a run and return its epoch; a dead holder on this host is taken over.

    Args:
        run_id: the run that others are told of.
        images_of: the run whose before-images the triggers of the ledger keep; None: of no run.

    Raises:
        LockedError: LED-007 another run holds it.
    """
    lock = table(connection, "lock")
    locked_row(connection)
    row = refuse_if_held(connection)
    host, pid = socket.gethostname(), os.getpid()
    epoch = (row["epoch"] if row is not None else 0) + 1
    values = {"epoch": epoch, "run_id": run_id, "host": host, "pid": pid, "taken_at": now(), "images_of": images_of}
    if row is None:
        connection.execute(sa.insert(lock).values(id=1, **values))
    else:
        connection.execute(sa.update(lock).where(lock.c.id == 1).values(**values))
    return epoch


def locked_row(connection: sa.Connection) -> sa.RowMapping | None:
    """Return the row of the lock, which nobody else changes until the transaction ends."""
    if connection.dialect.name == "postgresql":
        # Two that begin at once: the second looks when the first has committed.  On SQLite transactions do so anyway.
        connection.execute(sa.text("LOCK TABLE migration.lock IN SHARE ROW EXCLUSIVE MODE"))
    lock = table(connection, "lock")
    return connection.execute(sa.select(lock).where(lock.c.id == 1)).mappings().first()


def refuse_if_held(connection: sa.Connection) -> sa.RowMapping | None:
    """Return the row of the lock, if there is one; whoever holds it is dead.

    Raises:
        LockedError: LED-007 a run that may live holds it.
    """
    lock = table(connection, "lock")
    row = connection.execute(sa.select(lock).where(lock.c.id == 1)).mappings().first()
    if row is None or row["run_id"] is None or is_dead(row["host"], row["pid"], socket.gethostname(), os.getpid()):
        return row
    raise LockedError(
        "LED-007",
        f"run {row['run_id']} (process {row['pid']} on {row['host']}) holds the target since {row['taken_at']} UTC",
        hint="Wait until it ends, or end that process; a dead run on this machine is taken over by itself,"
        " one on another machine after `omnicase unlock`.",
        place="target",
    )


def hold_lock(connection: sa.Connection, epoch: int) -> None:
    """Check, in a batch's own transaction, that the lock is still ours.

    Raises:
        LockedError: LED-007 another run took it over (this process slept or its machine was thought dead).
    """
    lock = table(connection, "lock")
    held = connection.execute(sa.update(lock).where(lock.c.id == 1, lock.c.epoch == epoch).values(epoch=epoch))
    if held.rowcount != 1:
        raise LockedError(
            "LED-007",
            "another run took this target over while this one stood still",
            place="target",
            hint="Nothing of the open batch was written. See `omnicase status`.",
        )


def release_lock(connection: sa.Connection, epoch: int) -> bool:
    """Give the lock back and return whether it was still ours."""
    lock = table(connection, "lock")
    free = {"run_id": None, "host": None, "pid": None, "images_of": None}
    given = connection.execute(sa.update(lock).where(lock.c.id == 1, lock.c.epoch == epoch).values(**free))
    return given.rowcount == 1


def is_dead(host: str, pid: int, our_host: str, our_pid: int) -> bool:
    """Return whether a holder is known to be dead: on this machine, and no such process runs, or it is ourselves."""
    if host != our_host:
        return False
    if pid == our_pid:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
