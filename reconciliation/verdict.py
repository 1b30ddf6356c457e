"""The verdict: what was checked, what differs, and whether the books are in balance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciliation.findings import Finding, FindingGroup
from reconciliation.waiver import WaiverUse

LEVELS = ("schema", "accounting", "keys", "controls", "fields", "children", "rules", "distribution")
"""All levels, in the order of the report."""
MINIMUM = ("accounting", "keys", "fields")
"""The levels that `in_balance` needs."""
SAMPLED = ("keys", "fields", "children", "distribution")
"""The levels that can be asked of a sample; the others count or ask all in any case."""


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
    signals: int = 0
    """Records that a rule points out to people, and that fail nothing."""
    waived: int = 0
    """How many of the findings people accepted."""
    explained: Mapping[str, int] = field(default_factory=dict)
    """What has a reason: the reason and how many."""
    tolerances: Mapping[str, str] = field(default_factory=dict)
    """What may differ by how much, as the mapping says it: fields by name, the numbers of a control under its own."""
    tolerated: Mapping[str, int] = field(default_factory=dict)
    """How many values differ by no more than that; they count as equal."""
    reason: str | None = None
    """Why a check is not applicable: a code of the texts, or the caller's own words."""
    seconds: float = 0.0
    share: float = 1.0
    """Of the records, how much of them was compared: 1 is all."""
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """What became of one rule."""

    id: str
    """Such as ``CA-05 result``; the check of it has it as ``about``."""
    severity: str
    """``error``: broken, it is a difference; ``signal``: broken, people judge it."""
    target: str
    dutch: str
    english: str
    own: bool
    """Of the municipality (``checks/*.yml``)."""
    compared: int
    broken: int
    answered: bool = True
    """False: it took longer than it may, so nobody knows whether it is broken."""


@dataclass(frozen=True, slots=True)
class DistributionGroup:
    """The records of a table with one value: how many the sources give, and how many there are."""

    label: str
    expected: int
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The records of a table divided in one way, source against target, as a chart shows it."""

    target: str
    by: str
    """``year``, ``month``, ``type``, ``channel``, ``status``, ``department`` or ``location``."""
    column: str
    groups: tuple[DistributionGroup, ...]
    """Years and months in their order, other values the largest first."""
    folded: int = 0
    """Groups under five records, which are shown as one (``small``)."""
    small: DistributionGroup | None = None
    small_differing: int = 0
    """How many of the folded groups are not equal; together they may be."""
    empty: DistributionGroup | None = None
    """Records without a value."""
    apart: int = 0
    """Records that are left out on both sides, since the source moved on, people decided, or they wait."""

    @property
    def differing(self) -> int:
        """How many groups are not equal."""
        more = () if self.empty is None else (self.empty,)
        return sum(int(group.expected != group.found) for group in (*self.groups, *more)) + self.small_differing


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
    signals: tuple[FindingGroup, ...] = ()
    """What rules point out to people: counted and listed like findings, and failing nothing."""
    rules: tuple[RuleResult, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    waivers: tuple[WaiverUse, ...] = ()
    """What each waiver that was not revoked did here, or why it does not count."""
    sample: float | None = None
    """The share of the records that the levels of `SAMPLED` compared; None: all."""
    taken_over: tuple[str, ...] = ()
    """Mappings that were compared before an interruption, and not again."""

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
    def signal_count(self) -> int:
        """Every signal counted."""
        return sum(check.signals for check in self.checks)

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


def decide(
    levels: tuple[str, ...],
    checks: Iterable[Check],
    groups: Iterable[FindingGroup],
    *,
    signals: Iterable[FindingGroup] = (),
    rules: Iterable[RuleResult] = (),
    distributions: Iterable[Distribution] = (),
) -> Verdict:
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
    pointed_out = sorted(signals, key=lambda g: (-g.count, g.difference or "", g.mapping))
    return Verdict(
        "in_balance" if balanced else "findings", levels, lacking, done, tuple(ordered), tuple(pointed_out),
        tuple(rules), tuple(distributions),
    )  # fmt: skip
