"""How fast a run goes: batches, rows per second and remaining time, out of the moments of its commits."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from migrate.ledger.lock import is_dead
from migrate.ledger.store import table


@dataclass(frozen=True)
class Pace:
    """One mapping in a run.

    rows: source rows committed so far; expected: those that there were when it began, None if nobody counted.
    seconds: that its batches took; remaining: seconds until it is read, None when it is, or when nobody can tell.
    """

    mapping: str
    state: str
    batches: int
    rows: int
    expected: int | None
    seconds: float
    remaining: float | None

    @property
    def rate(self) -> float | None:
        """Source rows per second; None when that cannot be told."""
        return round(self.rows / self.seconds, 1) if self.rows and self.seconds >= 0.001 else None

    def as_dict(self) -> dict[str, Any]:
        """Return the pace as JSON values."""
        return {
            "mapping": self.mapping,
            "state": self.state,
            "batches": self.batches,
            "rows": self.rows,
            "expected_rows": self.expected,
            "seconds": round(self.seconds, 3),
            "rows_per_second": self.rate,
            "remaining_seconds": self.remaining,
        }


@dataclass(frozen=True)
class Course:
    """How far a run is.

    to_come: mappings that it has not begun.
    remaining: seconds until all is read, at the pace so far; None when it does not run or nobody can tell.
    unknown: mappings to come of which nobody could count the rows; they are not in ``remaining``.
    """

    paces: tuple[Pace, ...] = ()
    to_come: tuple[str, ...] = ()
    remaining: float | None = None
    unknown: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the course as JSON values."""
        return {
            "pace": [each.as_dict() for each in self.paces],
            "to_come": list(self.to_come),
            "remaining_seconds": self.remaining,
            "not_in_remaining": self.unknown,
        }


@dataclass(frozen=True)
class Holder:
    """Who holds the target; alive is None on another machine, since that cannot be seen from here."""

    run: int
    host: str
    pid: int
    since: str
    alive: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Return the holder as JSON values."""
        return {"run": self.run, "host": self.host, "pid": self.pid, "since": self.since, "alive": self.alive}


def holder(connection: sa.Connection) -> Holder | None:
    """Return who holds the target; None when nobody does."""
    row = connection.execute(sa.select(table(connection, "lock"))).mappings().first()
    if row is None or row["run_id"] is None:
        return None
    here = socket.gethostname()
    alive = not is_dead(row["host"], row["pid"], here, -1) if row["host"] == here else None
    return Holder(row["run_id"], row["host"], row["pid"], row["taken_at"], alive)


def course(connection: sa.Connection, run_id: int) -> Course:
    """Return how far a run is and how fast it goes, as its committed batches tell."""
    run, progress, mapping = (table(connection, name) for name in ("run", "progress", "mapping"))
    facts = connection.execute(sa.select(run).where(run.c.id == run_id)).mappings().one()
    seconds, counts = _times(connection, run_id, facts["started_at"])
    rows = connection.execute(
        sa.select(mapping.c.id, mapping.c.name, progress.c.state)
        .join(mapping, mapping.c.id == progress.c.mapping_id)
        .where(progress.c.run_id == run_id)
    ).all()
    command = json.loads(facts["command"])
    order, counted = list(command.get("order", [])), dict(command.get("expected", {}))
    places = {name: place for place, name in enumerate(order)}
    rows = sorted(rows, key=lambda row: places.get(row.name, len(places)))
    paces = []
    for number, name, state in rows:
        expected = counted.get(name)
        batches, done = counts.get(number, (0, 0))
        took = seconds.get(number, 0.0)
        left = None
        if facts["state"] == "running" and state == "reading" and done and expected is not None:
            left = round(max(0, expected - done) * took / done, 1)
        paces.append(Pace(name, state, batches, done, expected, took, left))
    begun = {each.mapping for each in paces}
    to_come = tuple(name for name in order if name not in begun)
    if facts["state"] != "running":
        return Course(tuple(paces), to_come)
    return _ahead(tuple(paces), to_come, counted)


def _times(
    connection: sa.Connection, run_id: int, started: str
) -> tuple[dict[int, float], dict[int, tuple[int, int]]]:
    """Return by mapping the seconds that its batches took, and how many batches and source rows there are.

    A batch took the time since the one before it, or since the run was taken up again.
    """
    batch, lock = table(connection, "batch"), table(connection, "lock")
    taken = str(connection.scalar(sa.select(lock.c.taken_at)) or started)
    seconds: dict[int, float] = {}
    counts: dict[int, tuple[int, int]] = {}
    before = started
    for row in connection.execute(
        sa.select(batch.c.mapping_id, batch.c.phase, batch.c.source_rows, batch.c.committed_at)
        .where(batch.c.run_id == run_id)
        .order_by(batch.c.id)
    ):
        begun = taken if before < taken < row.committed_at else before
        if row.phase in ("main", "standing"):
            seconds[row.mapping_id] = seconds.get(row.mapping_id, 0.0) + _between(begun, row.committed_at)
            batches, rows = counts.get(row.mapping_id, (0, 0))
            counts[row.mapping_id] = (batches + 1, rows + int(row.source_rows))
        before = row.committed_at
    return seconds, counts


def _ahead(paces: tuple[Pace, ...], to_come: tuple[str, ...], counted: Mapping[str, int | None]) -> Course:
    """Return the course of a run that goes on: what is to come takes what it took so far, row by row."""
    done, took = sum(each.rows for each in paces), sum(each.seconds for each in paces)
    silent = [each.mapping for each in paces if each.state == "reading" and each.remaining is None]
    known = [counted.get(name) for name in (*silent, *to_come)]
    unknown = sum(rows is None for rows in known)
    if not done:
        return Course(paces, to_come, None, unknown)
    left = sum(each.remaining or 0.0 for each in paces) + sum(filter(None, known)) * took / done
    return Course(paces, to_come, round(left, 1), unknown)


def _between(first: str, last: str) -> float:
    form = "%Y-%m-%d %H:%M:%S.%f"
    return max(0.0, (datetime.strptime(last, form) - datetime.strptime(first, form)).total_seconds())  # noqa: DTZ007
