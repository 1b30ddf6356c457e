"""What is refused of files of every kind."""

from __future__ import annotations

from casemodel import BugError, SystemFailure


def empty(name: str) -> SystemFailure:
    """Return the error for a file without a record."""
    return SystemFailure(
        "CON-039",
        "the delivery is empty: no record was found",
        hint="Ask for it again, or set allow_empty: true if this is right.",
        place=name,
    )


def miscounted(name: str, counted: int, read: int) -> BugError:
    """Return the error for two ways of counting that do not agree."""
    return BugError(
        "BUG-020",
        f"two ways of counting the records of a file disagree: {counted:,} and {read:,}",
        hint="Report this with the settings of the relation; the last batch was not loaded.",
        place=name,
    )
