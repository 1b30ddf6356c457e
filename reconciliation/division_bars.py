"""The divisions of records as bars: what the sources give beside what the new system holds, so that a gap is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciliation.report import Report
from reconciliation.verdict import Distribution, DistributionGroup

MOST_GROUPS = 40
"""Groups drawn in one chart; those that differ come first, all count."""
_LEAST = 0.8
"""Percent: what exists must be seen."""


@dataclass(frozen=True, slots=True)
class PairOfBars:
    """One group: both counts, and how long their bars are in percent.

    kind: ``value``, ``small`` (the groups under five, as one) or ``empty`` (records without a value).
    """

    kind: str
    label: str
    expected: int
    found: int
    expected_width: float
    found_width: float


@dataclass(frozen=True, slots=True)
class Division:
    """One chart: the records of a table divided in one way."""

    target: str
    label: str
    """What the table is called, as the case model says; the name of the table where it has none."""
    by: str
    groups: int
    differing: int
    rows: tuple[PairOfBars, ...]
    left_out: int
    """Groups that are not drawn; they are equal, as long as fewer differ than are drawn."""
    apart: int


def divisions(report: Report) -> tuple[Division, ...]:
    """Return a chart for each division, those of one table after each other."""
    labels = {facts.target: facts.target_label for facts in report.facts}
    return tuple(
        _division(each, (labels.get(each.target) or each.target).partition(" (")[0])
        for each in sorted(report.distributions, key=lambda made: made.target)
    )


def _division(made: Distribution, label: str) -> Division:
    groups = [("value", group) for group in made.groups]
    groups += [("small", made.small)] if made.small is not None else []
    groups += [("empty", made.empty)] if made.empty is not None else []
    drawn = _drawn(groups)
    largest = max((max(group.expected, group.found) for _, group in drawn), default=0)
    rows = tuple(_pair(kind, group, largest) for kind, group in drawn)
    return Division(
        target=made.target, label=label, by=made.by, groups=len(groups), differing=made.differing, rows=rows,
        left_out=len(groups) - len(drawn), apart=made.apart,
    )  # fmt: skip


def _drawn(groups: Sequence[tuple[str, DistributionGroup]]) -> list[tuple[str, DistributionGroup]]:
    """Keep the order; of too many, keep those that differ and then the largest."""
    weight = [(each.expected == each.found, -max(each.expected, each.found)) for _, each in groups]
    kept = set(sorted(range(len(groups)), key=weight.__getitem__)[:MOST_GROUPS])
    return [group for place, group in enumerate(groups) if place in kept]


def _pair(kind: str, group: DistributionGroup, largest: int) -> PairOfBars:
    wide = (_wide(group.expected, largest), _wide(group.found, largest))
    return PairOfBars(kind, group.label, group.expected, group.found, *wide)


def _wide(count: int, largest: int) -> float:
    return round(max(count / largest * 100, _LEAST), 2) if count and largest else 0.0
