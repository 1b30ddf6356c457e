"""Showing personal values as they are: asked for, with a reason, and recorded before anything is shown (promise 9)."""

from __future__ import annotations

import sqlalchemy as sa

from casemodel import SystemFailure, UsageError
from migrate.evidence.record import record
from migrate.ledger.store import doer, table

_SHORTEST_REASON = 5
_LONGEST_REASON = 500


def checked_reason(unmasked: bool, reason: str | None) -> str | None:
    """Return the reason for showing raw values; None when they stay masked.

    Raises:
        UsageError: UNM-001 no reason, or none that says something; UNM-002 a reason although nothing is unmasked.
    """
    if not unmasked:
        if reason is not None:
            raise UsageError(
                "UNM-002", "a reason is only asked for with --unmasked", hint="Add --unmasked, or leave --reason out."
            )
        return None
    told = (reason or "").strip()
    if not _SHORTEST_REASON <= len(told) <= _LONGEST_REASON:
        raise UsageError(
            "UNM-001",
            "personal values are shown only with a reason, which is recorded with your name",
            hint=f'Add --reason "why you need to see them" ({_SHORTEST_REASON} to {_LONGEST_REASON} characters).',
        )
    return told


def disclose(connection: sa.Connection, command: str, what: str, reason: str) -> None:
    """Record who sees what unmasked, when and why; it is committed before anything is shown.

    Args:
        connection: to the target, without a transaction that writes.
        command: the verb.
        what: the row or record, as it may be shown to everybody.
        reason: what `checked_reason` returned.

    Raises:
        SystemFailure: UNM-003 the ledger cannot be written; then nothing may be shown.
    """
    try:
        connection.execute(
            sa.insert(table(connection, "disclosure")).values(
                **doer(),
                command=command,
                what=what,
                reason=reason,
            )
        )
        record(connection, "disclosure", {"verb": command, "what": what})
        connection.commit()
    except sa.exc.DBAPIError:
        raise SystemFailure(
            "UNM-003",
            "it could not be recorded that personal values are shown, so they are not shown",
            hint="Look whether the target can be written, and by whom; a run may hold it.",
            place="ledger",
        ) from None
