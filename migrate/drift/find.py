"""Finding drift: every mapping's rows and every table's records since a run, counted, the first of them by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from casemodel import GuardError, Target, UsageError
from migrate.drift.source import SourceSide
from migrate.drift.target import target_drift
from migrate.ledger.renames import ledger_numbers
from migrate.ledger.store import UNDONE, table
from migrate.ledger.undo import ROLLED_BACK, refuse_half_undone
from migrate.opening import require_runnable
from migrate.proof.actual import TargetAgain
from migrate.session import Session
from migrate.shown import Shown
from migrate.target.opened import workspace_target

SOURCE_KINDS: Final = ("added", "changed", "removed", "unknown")
TARGET_KINDS: Final = ("edited", "made", "removed")
_UNENDED: Final = ("running", "interrupted", "failed")


@dataclass
class MappingDrift:
    """What the old system did to the rows of a mapping.

    counts: by kind; ``unknown`` are rows that differ, and nobody can say whether by the source or by the mapping.
    waiting: of those, what no later run took over yet.
    keys: by kind the first keys, as they may be shown.
    """

    mapping: str
    target: str
    mapping_changed: bool
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SOURCE_KINDS, 0))
    waiting: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SOURCE_KINDS, 0))
    keys: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: {kind: [] for kind in SOURCE_KINDS})
    without_key: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as the published schema has it."""
        keys = {kind: [list(key) for key in found] for kind, found in self.keys.items()}
        named = {"mapping": self.mapping, "target": self.target, "mapping_changed": self.mapping_changed}
        return {**named, **self.counts, "waiting": self.waiting, "without_key": self.without_key, "keys": keys}


@dataclass(frozen=True)
class DriftedRecord:
    """A record that people edited, made or removed; its key as it may be shown, none when no row made it."""

    id: str
    mapping: str | None
    key: tuple[str, ...]


@dataclass
class TableDrift:
    """What people did to the records of a table of the new system."""

    table: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TARGET_KINDS, 0))
    records: dict[str, list[DriftedRecord]] = field(default_factory=lambda: {kind: [] for kind in TARGET_KINDS})

    def as_dict(self) -> dict[str, Any]:
        """Return it as the published schema has it."""
        records = {
            kind: [{"id": each.id, "mapping": each.mapping, "key": list(each.key)} for each in found]
            for kind, found in self.records.items()
        }
        return {"table": self.table, **self.counts, "records": records}


@dataclass(frozen=True)
class Drift:
    """Both sides since a run."""

    since: int
    since_at: str
    mappings: tuple[MappingDrift, ...]
    tables: tuple[TableDrift, ...]

    @property
    def total(self) -> int:
        """Everything that changed."""
        of_mappings = sum(sum(each.counts.values()) for each in self.mappings)
        return of_mappings + sum(sum(each.counts.values()) for each in self.tables)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer of `drift`."""
        return {
            "since": self.since,
            "since_at": self.since_at,
            "total": self.total,
            "mappings": [each.as_dict() for each in self.mappings],
            "tables": [each.as_dict() for each in self.tables],
        }


def find_drift(session: Session, since: int | None, mappings: Sequence[str], listed: int) -> Drift:
    """Return what changed on either side since a run.

    Args:
        since: the run; None: the last.
        mappings: those to look at; none means all.
        listed: keys that are kept of each kind of each mapping and table; all are counted.

    Raises:
        UsageError: RUN-011 unknown mapping, RUN-013 there is no such run.
        GuardError: REC-041 the run did not end or was rolled back, REC-042 a later run was purged.
    """
    require_runnable(session)
    names = session.selected(mappings)
    target = workspace_target(session.workspace)
    try:
        with target.engine.connect() as connection:
            refuse_half_undone(connection)
            run, at = _since(connection, since)
            numbers = ledger_numbers(connection, (session.mapping(name) for name in session.check.order))
            meanings = _meanings(connection, run)
        shown = Shown(session)
        of_mappings = [
            _of_mapping(session, target, name, numbers.get(name, -1), run, meanings, shown, listed) for name in names
        ]
        filled = dict.fromkeys(session.mapping(name).target for name in names)
        of_tables = [_of_table(session, target, name, shown, listed) for name in filled]
    finally:
        target.close()
    return Drift(run, at, tuple(of_mappings), tuple(of_tables))


def _since(connection: sa.Connection, asked: int | None) -> tuple[int, str]:
    run, purged = table(connection, "run"), table(connection, "purged_run")
    rows = connection.execute(sa.select(run.c.id, run.c.state, run.c.started_at).order_by(run.c.id)).all()
    wanted = [row for row in rows if (row.id == asked if asked is not None else row.state != ROLLED_BACK)]
    found = wanted[-1] if wanted else None
    if found is None:
        which = "run yet" if asked is None else f"run {asked}"
        raise UsageError("RUN-013", f"there is no {which}", hint="See `omnicase status` for the runs.", place="run")
    if found.state in (ROLLED_BACK, *_UNENDED):
        raise GuardError(
            "REC-041",
            f"run {found.id} is {found.state}, so nothing can be said of what changed since",
            hint="Name a run that ended; see `omnicase status`. `omnicase run` goes on with one that was interrupted.",
            place="--since",
        )
    gone = connection.scalar(sa.select(sa.func.max(purged.c.run_id)).where(purged.c.run_id > found.id))
    if gone is not None:
        raise GuardError(
            "REC-042",
            f"the before-images of run {gone} were purged, so how run {found.id} left the ledger is no longer known",
            hint=f"Name run {gone} or a later one.",
            place="--since",
        )
    return int(found.id), str(found.started_at)


def _meanings(connection: sa.Connection, run: int) -> dict[int, str]:
    """Return by mapping number what it meant in the last run up to this one that read it."""
    progress = table(connection, "progress")
    rows = connection.execute(
        sa.select(progress.c.mapping_id, progress.c.meaning)
        .where(progress.c.run_id <= run, progress.c.state != UNDONE)
        .order_by(progress.c.run_id)
    )
    return {int(number): str(meaning) for number, meaning in rows}


def _of_mapping(
    session: Session, target: Target, name: str, number: int, run: int, meanings: dict[int, str], shown: Shown,
    listed: int,
) -> MappingDrift:  # fmt: skip
    mapping = session.mapping(name)
    comparable = meanings.get(number) in (None, mapping.meaning)
    side = SourceSide(
        target, mapping, session.source(mapping.system), session.workspace.model.run.batch_rows, number, run, comparable
    )
    found = MappingDrift(name, mapping.target, not comparable)
    for part in side.drift():
        found.without_key += part.without_key
        for (kind,), rows in part.frame.group_by("kind", maintain_order=True):
            found.counts[str(kind)] += rows.height
            found.waiting[str(kind)] += int(rows["waits"].sum())
            room = listed - len(found.keys[str(kind)])
            found.keys[str(kind)] += [shown.key(mapping, key) for key in rows["key"].head(max(0, room))]
    return found


def _of_table(session: Session, target: Target, name: str, shown: Shown, listed: int) -> TableDrift:
    found = TableDrift(name)
    side = TargetAgain(target, name, session.workspace.secrets.hash_key)
    try:
        for page in target_drift(side):
            for (kind,), rows in page.group_by("kind", maintain_order=True):
                found.counts[str(kind)] += rows.height
                room = max(0, listed - len(found.records[str(kind)]))
                found.records[str(kind)] += [
                    DriftedRecord(each, made, _shown_key(session, shown, made, key))
                    for each, made, key in rows.select("id", "mapping", "key").head(room).rows()
                ]
    finally:
        side.close()
    return found


def _shown_key(session: Session, shown: Shown, mapping: str | None, key: str | None) -> tuple[str, ...]:
    if mapping is None or key is None or mapping not in session.files:
        return ()
    return shown.key(session.mapping(mapping), key)
