"""Positions that are values: those of the key of the last row that was read, as canonical texts."""

from __future__ import annotations

import json
from collections.abc import Sequence

from casemodel import SystemFailure


def write_position(values: Sequence[str | None]) -> str:
    """Return a position, the values of the last row's key, as its opaque text."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def read_position(text: str, length: int) -> list[str]:
    """Read a position; one that was not made for this order is refused."""
    found = [each for each in read_values(text, length) if each is not None]
    if len(found) != length:
        raise foreign_position()
    return found


def read_values(text: str, length: int) -> list[str | None]:
    """Read a position of which a value may be NULL; one that was not made for this order is refused."""
    try:
        found = json.loads(text)
    except ValueError:
        raise foreign_position() from None
    if not isinstance(found, list) or len(found) != length:
        raise foreign_position()
    if not all(each is None or isinstance(each, str) for each in found):
        raise foreign_position()
    return found


def foreign_position() -> SystemFailure:
    """Return the error for a position or reference that this relation cannot have given."""
    return SystemFailure(
        "CON-019",
        "a position or row reference was not made for this relation and order",
        hint="Start the run anew; if this happens again, check whether the source was replaced.",
    )
