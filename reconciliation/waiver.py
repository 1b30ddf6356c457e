"""A waiver as it was signed, and what it did in one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """What was proposed and approved, as it was signed."""

    number: int
    check: str
    mapping: str
    group: str | None
    """Id of a group of findings; None: every finding of the check with one of the keys."""
    keys: tuple[tuple[str, ...], ...]
    """Source keys as they are shown; none: the whole group."""
    maximum: int
    """More findings than this, and the waiver is no longer what was accepted."""
    meaning: str
    """Digest of the mapping's meaning when it was proposed (`meaning_of`)."""
    until: date
    """The last day on which it counts."""
    reason: str
    proposed_by: str
    approved_by: str = ""
    """Empty: nobody approved it yet."""
    signature: str = ""
    """Of the approval: ``signed``, ``unsigned`` (nobody has a key yet) or ``broken``."""


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """What a waiver did in one verdict."""

    waiver: Waiver
    status: str
    """``counts``, ``unused`` (nothing to accept), or why it does not count: ``proposed``, ``unsigned``, ``broken``,
    ``expired``, ``exceeded``, ``mapping_changed``, ``never`` (what it is about cannot be waived), ``not_asked``."""
    found: int
    """Findings that it is about."""
