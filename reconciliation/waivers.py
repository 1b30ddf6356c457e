"""Waivers: differences that two people accepted for a time, and whether they still may (DESIGN.md, section 8).

Nothing here reads or writes: it gets the waivers as the ledger keeps them, and a verdict, and judges again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from reconciliation.findings import Finding, FindingGroup, Watched
from reconciliation.verdict import Check, Verdict, decide
from reconciliation.waiver import Waiver, WaiverUse

JOINT = " + "
"""Between the names of mappings that answer for one table together."""
NEVER_CHECKS = ("accounting.", "schema.ledger")
"""The books, and the form of the ledger, tell whether the rest of the report may be believed: no person can accept
that they do not hold."""
NEVER_MISSING = ("table", "column")
"""Without them records are not compared at all, and a verdict that accepts it would say less than it seems to."""
NEVER_CAUSES = ("no reason", "record twice", "mapping changed", "group twice")
"""A row that vanished without a reason and two rows that became one are faults of the toolkit or of the mapping; a
mapping that changed after the load and a control that compares nothing say nothing of data that could be accepted."""


@dataclass(frozen=True, slots=True)
class Terms:
    """When and where a verdict is given.

    today: the day that end dates are held against.
    signed_only: approvals without a signature turn nothing green (production).
    """

    today: date
    signed_only: bool


def may_be_waived(check: str, cause: str, difference: str | None = None) -> bool:
    """Return whether people may accept findings of a check with this cause and kind of difference."""
    unread = check.startswith("schema.") and cause == "form missing" and difference in NEVER_MISSING
    return not check.startswith(NEVER_CHECKS) and cause not in NEVER_CAUSES and not unread


def meaning_of(mapping: str, meanings: Mapping[str, str]) -> str | None:
    """Return the digest that a waiver of a mapping is bound to; None when one of its mappings was not asked.

    Args:
        mapping: a name, names joined by `JOINT`, or nothing: no mapping made the records.
        meanings: meaning digest by mapping.
    """
    if not mapping:  # records that no mapping made
        return ""
    names = mapping.split(JOINT)
    if any(name not in meanings for name in names):
        return None
    if len(names) == 1:
        return meanings[mapping]
    return hashlib.sha256("\n".join(meanings[name] for name in names).encode()).hexdigest()


def watched_keys(waivers: Iterable[Waiver]) -> Watched:
    """Return the keys by mapping whose findings must be kept, however many there are."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for waiver in waivers:
        found.setdefault(waiver.mapping, set()).update(waiver.keys)
    return {name: frozenset(keys) for name, keys in found.items() if keys}


def with_waivers(verdict: Verdict, waivers: Sequence[Waiver], meanings: Mapping[str, str], terms: Terms) -> Verdict:
    """Judge again, with the waivers: a check is waived when each of its findings is, else it stays as it was.

    Args:
        verdict: of `judge`, which kept the findings of `watched_keys`.
        waivers: those that were not revoked.
        meanings: meaning digest by mapping, of the mappings that were reconciled.
    """
    uses = tuple(_use(waiver, verdict, meanings, terms) for waiver in waivers)
    counting = [use.waiver for use in uses if use.status == "counts"]
    groups = [replace(group, waived=_waived(group, counting)) for group in verdict.groups]
    checks = [_judged(check, groups) for check in verdict.checks]
    judged = decide(verdict.levels, checks, groups)
    return replace(
        verdict, verdict=judged.verdict, lacking=judged.lacking, checks=judged.checks, groups=judged.groups,
        waivers=uses,
    )  # fmt: skip


def _use(waiver: Waiver, verdict: Verdict, meanings: Mapping[str, str], terms: Terms) -> WaiverUse:
    meaning = meaning_of(waiver.mapping, meanings)
    asked = meaning is not None and waiver.check.partition(".")[0] in verdict.levels
    groups = [group for group in verdict.groups if _is_about(waiver, group)]
    found = sum(len(_named(waiver, group)) if waiver.keys else group.count for group in groups)
    never = any(not may_be_waived(each.check, each.cause, each.difference) for each in groups)
    reasons = {
        "proposed": not waiver.approved_by,
        "broken": waiver.signature == "broken",
        "not_asked": not asked,
        "expired": terms.today > waiver.until,
        "mapping_changed": meaning != waiver.meaning,
        "never": never or not may_be_waived(waiver.check, ""),
        "exceeded": found > waiver.maximum,
        "unsigned": terms.signed_only and waiver.signature != "signed",
        "unused": found == 0,
    }
    return WaiverUse(waiver, next((name for name, holds in reasons.items() if holds), "counts"), found)


def _is_about(waiver: Waiver, group: FindingGroup) -> bool:
    if (waiver.check, waiver.mapping) != (group.check, group.mapping):
        return False
    if waiver.group is None:
        return bool(waiver.keys) and may_be_waived(group.check, group.cause, group.difference)
    return waiver.group == group.id


def _named(waiver: Waiver, group: FindingGroup) -> list[Finding]:
    keys = set(waiver.keys)
    return [finding for finding in group.findings if finding.key in keys]


def _waived(group: FindingGroup, waivers: Sequence[Waiver]) -> int:
    """Return how many findings of a group the waivers accept; one that several accept counts once."""
    about = [waiver for waiver in waivers if _is_about(waiver, group)]
    if not about or not may_be_waived(group.check, group.cause, group.difference):
        return 0
    if any(not waiver.keys for waiver in about):
        return group.count
    keys = {key for waiver in about for key in waiver.keys}
    return sum(finding.key in keys for finding in group.findings)


def _judged(check: Check, groups: Iterable[FindingGroup]) -> Check:
    waived = sum(group.waived for group in groups if _is_of(check, group))
    if not waived or check.outcome != "failed":
        return check
    # Only when every finding is accounted for: what no group tells is not accepted either.
    return replace(check, waived=waived, outcome="waived" if waived == check.findings else "failed")


def _is_of(check: Check, group: FindingGroup) -> bool:
    if (group.check, group.target) != (check.check, check.target):
        return False
    if group.mapping not in ("", check.mapping, *check.mapping.split(JOINT)):
        return False
    return not check.about or group.difference == check.about
