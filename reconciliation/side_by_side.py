"""Examples of a kind of difference side by side: what the source holds, each stage, what is expected and found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from reconciliation.findings import Finding, FindingGroup

_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class WayRow:
    """One stage of all examples; the value is None where the way of an example has no such stage."""

    stage: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A few examples, each a column."""

    examples: tuple[Finding, ...]
    rows: tuple[WayRow, ...]


@dataclass(frozen=True, slots=True)
class CauseOfDifferences:
    """The groups of differences with one cause, and how many there are together."""

    cause: str
    count: int
    groups: tuple[FindingGroup, ...]


def side_by_side(group: FindingGroup) -> SideBySide | None:
    """Return the examples whose way is known; None when there is none, as where no value is compared."""
    shown = tuple(finding for finding in group.findings[:_COLUMNS] if finding.stages)
    if not shown:
        return None
    ways = [_numbered(finding.stages) for finding in shown]
    order = dict.fromkeys(name for way in ways for name in way)
    return SideBySide(shown, tuple(WayRow(name[0], tuple(way.get(name) for way in ways)) for name in order))


def _numbered(stages: Iterable[tuple[str, str]]) -> dict[tuple[str, int], str]:
    """Tell stages of one name apart: a way may go through a step twice."""
    met: Counter[str] = Counter()
    found = {}
    for name, value in stages:
        met[name] += 1
        found[name, met[name]] = value
    return found


def by_cause(groups: Iterable[FindingGroup]) -> tuple[CauseOfDifferences, ...]:
    """Gather groups by their cause, the largest first."""
    return _gathered((group.cause, group) for group in groups)


def by_rule(groups: Iterable[FindingGroup]) -> tuple[CauseOfDifferences, ...]:
    """Gather what rules point out by the rule, which then is the cause, the largest first."""
    return _gathered((group.difference or "", group) for group in groups)


def _gathered(named: Iterable[tuple[str, FindingGroup]]) -> tuple[CauseOfDifferences, ...]:
    gathered: dict[str, list[FindingGroup]] = {}
    for name, group in named:
        gathered.setdefault(name, []).append(group)
    causes = [CauseOfDifferences(cause, sum(g.count for g in of), tuple(of)) for cause, of in gathered.items()]
    return tuple(sorted(causes, key=lambda each: (-each.count, each.cause)))
