"""The figures behind the drawings: where each bar begins and how wide it is, in percent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from casemodel import OUTCOMES
from reconciliation.report import BookLine, Report, TrendRun

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
    """The outcomes of one mapping or system as parts of a whole."""

    name: str
    segments: tuple[Segment, ...]


def flow_bars(report: Report) -> tuple[Bar, ...]:
    """Return a bar per mapping that read anything; small parts are widened so that they can be seen."""
    return _bars(line for system in report.systems for line in system.lines)


def system_bars(report: Report) -> tuple[Bar, ...]:
    """Return a bar per system that read anything, as `flow_bars` does."""
    return _bars(system.total for system in report.systems)


def _bars(lines: Iterable[BookLine]) -> tuple[Bar, ...]:
    bars = []
    for line in lines:
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


def share_width(count: float, largest: float) -> float:
    """Return the width in percent of a bar next to the largest one."""
    return round(max(count / largest * 100, _LEAST), 2) if largest else 0.0


@dataclass(frozen=True, slots=True)
class TrendCell:
    """One figure of one run: how high its bar is in percent, and how it moved since the last run that compares."""

    value: int | float | None
    height: float
    change: int | None


@dataclass(frozen=True, slots=True)
class TrendLine:
    """One figure over the last runs."""

    name: str
    cells: tuple[TrendCell, ...]


def trend_lines(report: Report) -> tuple[TrendLine, ...]:
    """Return rejects, differences and durations of the last runs; waiting rows where there were any."""
    runs = report.trend
    figures: dict[str, list[int | float | None]] = {
        "rejected": [run.rejected for run in runs],
        "parked": [run.parked for run in runs],
        "differences": [run.differences for run in runs],
        "seconds": [run.seconds for run in runs],
        "read": [run.read for run in runs],
    }
    kept = {name: values for name, values in figures.items() if name != "parked" or any(values)}
    return tuple(TrendLine(name, _trend(values, runs, name)) for name, values in kept.items())


def _trend(values: list[int | float | None], runs: tuple[TrendRun, ...], name: str) -> tuple[TrendCell, ...]:
    largest = max((value for value in values if value), default=0)
    cells: list[TrendCell] = []
    last: int | float | None = None
    for value, run in zip(values, runs, strict=True):
        comparable = value is not None and not run.part and name in ("rejected", "parked", "differences")
        change = int(value - last) if comparable and value is not None and last is not None else None
        cells.append(TrendCell(value, share_width(value, largest) if value else 0.0, change))
        last = value if comparable else last
    return tuple(cells)
