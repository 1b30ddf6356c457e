"""The last runs beside each other, for the report: rejects, differences and duration of each rehearsal."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from casemodel import Target
from migrate.status.rehearsals import Judged, Rehearsal, judged, read_history
from migrate.waves.status import COUNTS, WaveStatus, read_journey
from migrate.workspace import Workspace
from reconciliation import LEVELS, TrendRun, Verdict, WaveLine

MOST_RUNS: Final = 5
_ZONE: Final = ZoneInfo("Europe/Amsterdam")


def note_verdict(workspace: Workspace, target: Target, run: str, verdict: Verdict, seconds: float) -> None:
    """Add what a reconciliation of the whole found to what the run left in the history."""
    if not run or verdict.sample is not None or set(verdict.levels) != set(LEVELS):
        return
    found = Judged(
        at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        verdict=verdict.verdict,
        differences=verdict.finding_count - verdict.waived_count,
        waived=verdict.waived_count,
        seconds=round(seconds, 1),
    )
    judged(workspace, target, int(run), found)


def last_runs(workspace: Workspace, run: str, started: datetime | None) -> tuple[TrendRun, ...]:
    """Return the last runs of the history, oldest first; runs that were rolled back are left out.

    Args:
        run, started: the run that the report is about; numbers begin again when a target is made anew.
    """
    stand = [each for each in read_history(workspace).rehearsals if each.state != "rolled_back"][-MOST_RUNS:]
    targets = list(dict.fromkeys(each.target for each in stand))
    return tuple(_trend_run(each, targets.index(each.target), run, started) for each in stand)


def _trend_run(found: Rehearsal, target: int, run: str, started: datetime | None) -> TrendRun:
    began = datetime.strptime(found.started_at, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC).astimezone(_ZONE)
    verdict = found.reconciled
    return TrendRun(
        run=str(found.run),
        label=found.label or "",
        started=began,
        seconds=found.seconds,
        target=string.ascii_uppercase[target],
        part=found.part or "",
        read=found.total("read"),
        rejected=found.total("rejected"),
        parked=found.total("parked"),
        differences=None if verdict is None else verdict.differences,
        verdict="" if verdict is None else verdict.verdict,
        here=str(found.run) == run and began == started,
    )


def wave_lines(workspace: Workspace) -> tuple[WaveLine, ...]:
    """Return how every wave of the workspace stands; none without waves."""
    if not workspace.model.waves:
        return ()
    journey = read_journey(workspace)
    return tuple(_wave_line(each) for each in (*journey.waves, *([journey.rest] if journey.rest else [])))


def _wave_line(found: WaveStatus) -> WaveLine:
    since = date.fromisoformat(found.since[:10]) if found.since else None
    counts = {name: found.stand.counts.get(name, 0) for name in COUNTS}
    return WaveLine(found.name, found.state, since, found.stand.rows, counts)
