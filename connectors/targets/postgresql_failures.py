"""Errors of PostgreSQL as errors of ours: by their SQLSTATE only, since texts of the driver quote cells (promise 9)."""

from __future__ import annotations

from casemodel import OmnicaseError, SystemFailure

_UNREACHABLE = ("08", "57P", "28", "3D")
"""Classes of SQLSTATE (and codes) of a connection that is not there: lost, shut down, refused, no such database."""
_CAUSES = {
    "53100": ("TGT-032", "its disk is full", "Free space on the server of the target; the open batch was rolled back."),
    "53": ("TGT-032", "it lacks resources", "Look at memory, disk and connections of the server of the target."),
    "55P03": ("TGT-033", "another session held a lock for too long", "End that session, or wait, and run again."),
    "57014": ("TGT-033", "a statement took longer than the server allows", "Raise statement_timeout for this role."),
    "40": ("TGT-034", "another session was in the way (deadlock or serialization)", "Run again."),
    "42501": ("TGT-035", "the role may not do this", "Give the role the rights of docs/engineer.md; see doctor."),
    "25006": ("TGT-036", "it is read-only now", "It may be a replica: name the primary in target.url."),
}


def postgresql_failure(error: BaseException | None) -> OmnicaseError | None:
    """Return what an error of the driver means for the user, or None when it is none of the machine's.

    Args:
        error: of psycopg; a unique or foreign key that does not hold is for the caller to judge.
    """
    state = getattr(error, "sqlstate", None)
    if state is None:
        return _lost("no answer") if type(error).__name__ in ("OperationalError", "ConnectionTimeout") else None
    if state.startswith(_UNREACHABLE):
        return _lost(state)
    for prefix in (state, state[:2]):
        if prefix in _CAUSES:
            code, cause, hint = _CAUSES[prefix]
            return SystemFailure(code, f"the target refused: {cause} (SQLSTATE {state})", hint=hint, place="target")
    return None


def _lost(state: str) -> SystemFailure:
    return SystemFailure(
        "TGT-031",
        f"the target cannot be reached, or the connection to it was lost ({state})",
        hint="See whether it is up and what target.url says; then run again: it goes on after the last batch.",
        place="target",
    )
