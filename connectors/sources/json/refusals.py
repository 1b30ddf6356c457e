"""What is refused of a JSON file as a whole."""

from __future__ import annotations

from casemodel import Place, SystemFailure


def cut_off(name: str) -> SystemFailure:
    """Return the error for a file that ends too early."""
    return SystemFailure(
        "CON-082",
        "the file ends before its last bracket is closed: it is cut off, or a bracket is missing",
        hint="Ask for the delivery again.",
        place=name,
    )


def no_document(name: str, line: int, why: str) -> SystemFailure:
    """Return the error for a file that cannot be parted into records."""
    return SystemFailure(
        "CON-083",
        f"the file is not one JSON document: {why}",
        hint="Check the settings files, record and lines, and how the delivery was written.",
        place=Place(name, line),
    )


def no_list(name: str) -> SystemFailure:
    """Return the error for a file without a list where the records should be."""
    return SystemFailure(
        "CON-083",
        "the file has no list at the path of the records",
        hint="Check the setting record; it is / where the file itself is the list.",
        place=name,
    )
