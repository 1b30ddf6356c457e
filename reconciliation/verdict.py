"""The verdict: what was checked, what differs, and whether the books are in balance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciliation.findings import Finding, FindingGroup

if TYPE_CHECKING:
    from reconciliation.waivers import WaiverUse

LEVELS = ("accounting", "keys", "controls", "fields", "children")
"""The levels of this version, cheap to deep."""
MINIMUM = ("accounting", "keys", "fields")
"""The levels that `in_balance` needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question asked of one mapping, and its answer."""

    check: str
    level: str
    mapping: str
    target: str
    about: str = ""
    """Which control, or which mapping of children; empty where a check of a mapping has no parts."""
    outcome: str
    """``passed``, ``failed``, ``waived`` (each of its findings is) or ``not_applicable``."""
    compared_source: int = 0
    compared_target: int = 0
    compared_values: int = 0
    moved_on: int = 0
    """Rows that differ only because the source changed since their load."""
    findings: int = 0
    waived: int = 0
    """How many of the findings people accepted."""
    explained: Mapping[str, int] = field(default_factory=dict)
    """What has a reason: the reason and how many."""
    reason: str | None = None
    """Why a check is not applicable: a code of the texts, or the caller's own words."""
    seconds: float = 0.0
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement over all mappings together."""

    verdict: str
    """``in_balance`` or ``findings``."""
    levels: tuple[str, ...]
    """The levels that ran."""
    lacking: Mapping[str, str]
    """Levels that `in_balance` needs and does not have: ``not_run``, ``failed`` or ``compared_nothing``."""
    checks: tuple[Check, ...]
    groups: tuple[FindingGroup, ...]
    waivers: tuple[WaiverUse, ...] = ()
    """What each waiver that was not revoked did here, or why it does not count."""
    sample: float | None = None
    """The share of the source keys that keys and fields compared; None: all."""

    @property
    def idle(self) -> tuple[str, ...]:
        """The levels that were asked for and compared nothing, since no mapping has anything for them."""
        busy = {check.level for check in self.checks if check.outcome != "not_applicable"}
        return tuple(level for level in self.levels if level not in busy)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding kept, in the order of the groups."""
        return tuple(finding for group in self.groups for finding in group.findings)

    @property
    def finding_count(self) -> int:
        """Every finding counted."""
        return sum(check.findings for check in self.checks)

    @property
    def waived_count(self) -> int:
        """Every finding that people accepted."""
        return sum(check.waived for check in self.checks)

    @property
    def clean(self) -> bool:
        """True when no check that ran failed, whether or not enough ran for `in_balance`: a waived one did not."""
        return not any(check.outcome == "failed" for check in self.checks)


def outcome_of(findings: int, compared: int) -> str:
    """Return the outcome of a check: one that compared nothing is never passed."""
    if findings:
        return "failed"
    return "passed" if compared else "not_applicable"


def decide(levels: tuple[str, ...], checks: Iterable[Check], groups: Iterable[FindingGroup]) -> Verdict:
    """Judge: in balance only when every level of the minimum ran, compared something and found nothing open."""
    done = tuple(checks)
    lacking: dict[str, str] = {}
    for level in MINIMUM:
        outcomes = {check.outcome for check in done if check.level == level}
        if level not in levels:
            lacking[level] = "not_run"
        elif "failed" in outcomes:
            lacking[level] = "failed"
        elif not outcomes & {"passed", "waived"}:
            lacking[level] = "compared_nothing"
    balanced = not lacking and all(check.outcome != "failed" for check in done)
    ordered = sorted(groups, key=lambda g: (LEVELS.index(g.check.split(".")[0]), -g.count, g.mapping, g.id))
    return Verdict("in_balance" if balanced else "findings", levels, lacking, done, tuple(ordered))
