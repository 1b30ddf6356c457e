"""`wave live`, `wave back`, `wave close`: moving a wave, and what people did to it in the new system meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import GuardError, Target, tables
from migrate.ledger.lock import refuse_if_held
from migrate.ledger.store import check_namespace, table
from migrate.ledger.tables import ledger_table
from migrate.ledger.undo import refuse_half_undone
from migrate.ledger.waves import CLOSED, LIVE, REHEARSING, Wave, known_wave, known_waves, move
from migrate.proof.actual import PAGE, TargetAgain
from migrate.session import Session
from migrate.shown import Shown
from migrate.target.opened import workspace_target
from migrate.workspace import Workspace

LATE_SHOWN = 1_000


@dataclass(frozen=True)
class Touched:
    """A record that people edited, made or removed in the new system."""

    table: str
    id: str
    what: str
    """``edited``, ``made`` or ``removed``."""

    def as_dict(self) -> dict[str, str]:
        """Return the record as the published schema has it."""
        return {"table": self.table, "id": self.id, "what": self.what}


@dataclass(frozen=True)
class Moved:
    """A wave in its new state."""

    wave: str
    state: str
    since: str
    back: bool = False
    touched: tuple[Touched, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return {wave, state, since, touched} of the published schema."""
        touched = [each.as_dict() for each in self.touched]
        return {"wave": self.wave, "state": self.state, "since": self.since, "touched": touched}


@dataclass(frozen=True)
class LateRow:
    """A row of a live wave that came or changed in the old system since; its key as it may be shown."""

    mapping: str
    key: tuple[str, ...]
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the row as the published schema has it."""
        return {"mapping": self.mapping, "key": list(self.key), "reason": self.reason}


def go_live(workspace: Workspace, name: str, reason: str | None) -> Moved:
    """Fix the moment of cutover: from now on nothing of the wave is loaded any more.

    Raises:
        UsageError: WAV-001 no such wave.
        GuardError: WAV-002 it is not rehearsed, WAV-006 rows of it are not loaded, WAV-008 the last run did not end.
        LockedError: LED-007 a run holds the target.
    """
    return _moved(workspace, name, (REHEARSING,), LIVE, reason)


def close(workspace: Workspace, name: str, reason: str | None) -> Moved:
    """End the journey of a live wave.

    Raises:
        UsageError: WAV-001 no such wave.
        GuardError: WAV-002 it is not live, WAV-007 rows of it are late and no reason is given.
        LockedError: LED-007 a run holds the target.
    """
    return _moved(workspace, name, (LIVE,), CLOSED, reason)


def _moved(workspace: Workspace, name: str, before: Sequence[str], state: str, reason: str | None) -> Moved:
    target = workspace_target(workspace)
    try:
        with target.transaction() as connection:
            wave = _movable(connection, workspace, name, before, state)
            (_ready_to_go_live if state == LIVE else _ready_to_close)(connection, wave, reason)
            move(connection, name, state, state, reason=reason)
            return Moved(name, state, known_waves(connection)[name].since)
    finally:
        target.close()


def _movable(
    connection: sa.Connection, workspace: Workspace, name: str, before: Sequence[str], state: str
) -> Wave:
    refuse_if_held(connection)
    refuse_half_undone(connection)
    check_namespace(connection, workspace.secrets)
    wave = known_wave(known_waves(connection), name)
    if wave.state not in before:
        raise GuardError(
            "WAV-002",
            f"the wave {name} is {wave.state}, and only a wave that is {before[0]} becomes {state}",
            hint="A wave goes from planned over rehearsing (`run --wave`) and live to closed; `wave back` opens it.",
            place="wave",
        )
    return wave


def _ready_to_go_live(connection: sa.Connection, wave: Wave, _reason: str | None) -> None:
    run = table(connection, "run")
    last = connection.execute(sa.select(run.c.id, run.c.state).order_by(run.c.id.desc()).limit(1)).one()
    if last.state != "completed":
        raise GuardError(
            "WAV-008",
            f"the last run, {last.id}, is {last.state}: what it did not load of {wave.name} would stay late forever",
            hint="Run to the end first, and reconcile.",
            place="wave",
        )
    left = _count(connection, wave, "deferred")
    if left:
        raise GuardError(
            "WAV-006",
            f"{left:,} rows of the wave {wave.name} are not loaded yet, and would stay late forever",
            hint=f"Run `omnicase run --wave {wave.name}` first, and reconcile.",
            place="wave",
        )


def _ready_to_close(connection: sa.Connection, wave: Wave, reason: str | None) -> None:
    late = _count(connection, wave, "late")
    if late and reason is None:
        raise GuardError(
            "WAV-007",
            f"{late:,} rows of the wave {wave.name} are late: new or changed in the old system, and not in the new one",
            hint=f"See `omnicase wave status {wave.name}`; bring them over by hand, and close it with --reason.",
            place="wave",
        )


def _count(connection: sa.Connection, wave: Wave, state: str) -> int:
    id_map = table(connection, "id_map")
    mine = sa.select(sa.func.count()).where(id_map.c.wave == wave.id, id_map.c.state == state)
    return int(connection.scalar(mine) or 0)


def go_back(workspace: Workspace, name: str, reason: str) -> Moved:
    """Let a live wave be rehearsed again, and say what people did to it in the new system.

    Raises:
        UsageError: WAV-001 no such wave.
        GuardError: WAV-002 it is not live.
        LockedError: LED-007 a run holds the target.
    """
    target = workspace_target(workspace)
    try:
        with target.transaction() as connection:
            wave = _movable(connection, workspace, name, (LIVE,), REHEARSING)
            move(connection, name, REHEARSING, "back", reason=reason)
            since = known_waves(connection)[name].since
        return Moved(name, REHEARSING, since, True, tuple(_touched(target, workspace.secrets.hash_key, wave)))
    finally:
        target.close()


def _touched(target: Target, hash_key: bytes, wave: Wave) -> Iterator[Touched]:
    """Yield what people edited or removed of the wave's records, and what they made in the same tables."""
    id_map, mapping = ledger_table(target.dialect, "id_map"), ledger_table(target.dialect, "mapping")
    mine = sa.select(id_map.c.mapping_id).where(id_map.c.wave == wave.id).distinct()
    found = target.query(sa.select(mapping.c.target, mapping.c.id).where(mapping.c.id.in_(mine)), ("table", "number"))
    for name in tables:
        numbers = [int(each) for each in found.filter(pl.col("table") == name)["number"]]
        if not numbers:
            continue
        side = TargetAgain(target, name, hash_key)
        try:
            for number in numbers:
                yield from _changed(side, target, number, wave)
            for page in side.ids():
                made = side.origins(page["id"]).filter(pl.col("mapping").is_null())["id"]
                yield from (Touched(name, each, "made") for each in made)
        finally:
            side.close()


def _changed(side: TargetAgain, target: Target, number: int, wave: Wave) -> Iterator[Touched]:
    id_map = ledger_table(target.dialect, "id_map")
    after = ""
    while True:
        statement = (
            sa.select(id_map.c.source_key, id_map.c.target_id)
            .where(id_map.c.mapping_id == number, id_map.c.wave == wave.id, id_map.c.source_key > after)
            .where(id_map.c.target_id.is_not(None))
            .order_by(id_map.c.source_key)
            .limit(PAGE)
        )
        page = target.query(statement, ("key", "id"))
        if page.is_empty():
            return
        there = side.records(page["id"], ())
        gone = page.filter(~pl.col("id").is_in(there["id"].implode()))["id"].unique(maintain_order=True)
        yield from (Touched(side.table, each, "removed") for each in gone)
        edited = side.edits(page["id"]).filter("edited")["id"]
        yield from (Touched(side.table, each, "edited") for each in edited)
        after = str(page["key"][-1])


def late_rows(session: Session, name: str) -> tuple[list[LateRow], int]:
    """Return the late rows of a wave, at most `LATE_SHOWN`, with masked keys; and how many there are."""
    target = workspace_target(session.workspace)
    try:
        with target.engine.connect() as connection:
            wave = known_waves(connection).get(name)
            if wave is None:
                return [], 0
            id_map, mapping = table(connection, "id_map"), table(connection, "mapping")
            rows = connection.execute(
                sa.select(mapping.c.name, id_map.c.source_key, id_map.c.reason)
                .join(mapping, mapping.c.id == id_map.c.mapping_id)
                .where(id_map.c.wave == wave.id, id_map.c.state == "late")
                .order_by(mapping.c.id, id_map.c.source_key)
                .limit(LATE_SHOWN)
            ).all()
            total = _count(connection, wave, "late")
    finally:
        target.close()
    shown = Shown(session)
    known = [row for row in rows if row[0] in session.files]
    return [LateRow(row[0], shown.key(session.mapping(row[0]), row[1]), row[2] or "") for row in known], total
