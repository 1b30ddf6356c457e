"""A question to the target that took longer than it may."""

from __future__ import annotations

from casemodel import TimeIsUp


def time_is_up(seconds: float) -> TimeIsUp:
    """Return the error of a SELECT that was ended after so many seconds."""
    return TimeIsUp(
        "REC-045",
        f"the target did not answer within {seconds:.0f} seconds, and the question was ended",
        hint="Let the SELECT use an index, or raise reconcile.rule_seconds in workspace.yml.",
        place="target",
    )
