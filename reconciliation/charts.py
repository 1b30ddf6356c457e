"""The figures behind the drawings: where each bar begins and how wide it is, in percent."""

from __future__ import annotations

from dataclasses import dataclass

from casemodel import OUTCOMES
from reconciliation.report import Report

_LEAST = 0.6
"""Percent: what exists must be seen."""
_ORDER = ("inserted", "updated", "unchanged", "merged", *(name for name in OUTCOMES if name not in
          ("inserted", "updated", "unchanged", "merged")))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar."""

    name: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """The outcomes of one mapping as parts of a whole."""

    mapping: str
    segments: tuple[Segment, ...]


def flow_bars(report: Report) -> tuple[Bar, ...]:
    """Return a bar per mapping that read anything; small parts are widened so that they can be seen."""
    bars = []
    for system in report.systems:
        for line in system.lines:
            total = sum(line.amounts[name] for name in OUTCOMES)
            if total:
                wide = {name: max(line.amounts[name] / total * 100, _LEAST) for name in _ORDER if line.amounts[name]}
                bars.append(Bar(line.name, _segments(wide)))
    return tuple(bars)


def _segments(wide: dict[str, float]) -> tuple[Segment, ...]:
    whole, start, parts = sum(wide.values()), 0.0, []
    for name, width in wide.items():
        part = width / whole * 100
        parts.append(Segment(name, round(start, 2), round(part, 2)))
        start += part
    return tuple(parts)


def share_width(count: int, largest: int) -> float:
    """Return the width in percent of a bar next to the largest one."""
    return round(max(count / largest * 100, _LEAST), 2) if largest else 0.0
