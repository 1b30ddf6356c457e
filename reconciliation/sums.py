"""One line per check over all mappings: what a reader needs before the mappings one by one."""

from __future__ import annotations

from dataclasses import dataclass

from reconciliation.verdict import LEVELS, Check, Verdict


@dataclass(frozen=True, slots=True)
class CheckSum:
    """One check over all mappings."""

    check: str
    outcome: str
    """The worst of its outcomes; ``not_applicable`` only when nothing was compared anywhere."""
    passed: int
    total: int
    """How many had something to compare."""
    compared_source: int
    compared_target: int
    compared_values: int
    moved_on: int
    findings: int
    tolerated: int
    """Values that differ by no more than the mappings allow."""
    seconds: float
    share: float
    """Of the records, how much of them was compared."""
    exceptions: tuple[Check, ...]
    """The checks that did not pass."""


def sums(verdict: Verdict) -> tuple[CheckSum, ...]:
    """Return a sum per check, in the order of the levels."""
    return tuple(
        _sum(name, [check for check in verdict.checks if check.check == name])
        for name in dict.fromkeys(check.check for check in sorted(verdict.checks, key=_place))
    )


@dataclass(frozen=True, slots=True)
class ToleratedLine:
    """What one tolerance of a mapping let pass."""

    mapping: str
    name: str
    """Of the field or the control."""
    is_field: bool
    tolerance: str
    count: int


def tolerated_lines(verdict: Verdict) -> tuple[ToleratedLine, ...]:
    """Return a line per tolerance that was declared, also where it let nothing pass."""
    return tuple(
        ToleratedLine(check.mapping, name, check.level == "fields", tolerance, check.tolerated.get(name, 0))
        for check in verdict.checks
        for name, tolerance in check.tolerances.items()
    )


def _place(check: Check) -> int:
    return LEVELS.index(check.level)


def _sum(name: str, checks: list[Check]) -> CheckSum:
    outcomes = [check.outcome for check in checks]
    return CheckSum(
        check=name,
        outcome=next(each for each in ("failed", "waived", "passed", "not_applicable") if each in outcomes),
        passed=outcomes.count("passed"),
        total=len(checks) - outcomes.count("not_applicable"),
        compared_source=sum(check.compared_source for check in checks),
        compared_target=sum(check.compared_target for check in checks),
        compared_values=sum(check.compared_values for check in checks),
        moved_on=sum(check.moved_on for check in checks),
        findings=sum(check.findings for check in checks),
        tolerated=sum(sum(check.tolerated.values()) for check in checks),
        seconds=sum(check.seconds for check in checks),
        share=min(check.share for check in checks),
        exceptions=tuple(check for check in checks if check.outcome != "passed"),
    )
