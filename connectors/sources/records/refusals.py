"""What is refused of an XML or JSON file as a whole."""

from __future__ import annotations

from casemodel import Place, SystemFailure


def beyond(name: str, line: int, what: str, limit: str) -> SystemFailure:
    """Return the error for a record beyond a limit."""
    return SystemFailure(
        "CON-081",
        f"the record at line {line} is beyond a limit: {what}",
        hint=f"Check the delivery; if it is right, set a higher limits.{limit} for the relation.",
        place=Place(name, line),
    )
