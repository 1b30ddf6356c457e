"""Runs that were rolled back, or half so."""

from __future__ import annotations

import sqlalchemy as sa

from casemodel import GuardError
from migrate.ledger.store import table

ROLLING_BACK, ROLLED_BACK = "rolling_back", "rolled_back"


def refuse_half_undone(connection: sa.Connection) -> None:
    """Refuse to go on where a rollback was interrupted: target and ledger say two different things till it is done.

    Raises:
        GuardError: UND-004.
    """
    run = table(connection, "run")
    half = connection.scalar(sa.select(run.c.id).where(run.c.state == ROLLING_BACK))
    if half is not None:
        raise GuardError(
            "UND-004",
            f"run {half} is half rolled back",
            hint=f"Finish it first: `omnicase rollback {half}`; it goes on where it was interrupted.",
            place="target",
        )
