"""`rollback`: a run taken back, the newest first, in transactions of which each leaves whole records (promise 7)."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from casemodel import GuardError, Target, UsageError
from migrate.evidence.record import record
from migrate.ledger.lock import hold_lock, one_starts, release_lock, take_lock
from migrate.ledger.store import check_namespace, table
from migrate.ledger.undo import ROLLED_BACK, ROLLING_BACK
from migrate.ledger.waves import FROZEN
from migrate.pipeline.failpoint import failpoint
from migrate.rollback.ledger import finish, note_spared_keys, parts, restore
from migrate.rollback.plan import Undo, collect, spare_all, spare_linked
from migrate.rollback.records import STEPS
from migrate.running.interrupt import patient, stop_here
from migrate.status.rehearsals import taken_back
from migrate.target.database import heads
from migrate.target.opened import refuse_pooler, workspace_target
from migrate.workspace import Workspace

MOST_SHOWN = 1_000
"""So many spared records are listed; all are counted."""


@dataclass(frozen=True)
class Spared:
    """A record that stays as it is; why: edited, settled, linked, part, link-gone, unique-taken, shared."""

    table: str
    id: str
    why: str


@dataclass(frozen=True)
class RolledBack:
    """What was taken back.

    removed, restored, made: records that the run had made, written over, removed.
    spared: the first of the records that stay, by table and id.
    spared_total: how many there are.
    resumed: whether an interrupted rollback was finished.
    already: whether there was nothing to do, since the run was rolled back before.
    """

    run: int
    removed: int = 0
    restored: int = 0
    made: int = 0
    spared: tuple[Spared, ...] = field(default=())
    spared_total: int = 0
    resumed: bool = False
    already: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the document of the command line."""
        names = ("run", "removed", "restored", "made", "spared_total", "resumed", "already")
        spared = [each.__dict__ for each in self.spared]
        return {"state": ROLLED_BACK, **{name: getattr(self, name) for name in names}, "spared": spared}


def roll_back(workspace: Workspace, asked: int | None, reason: str | None = None) -> RolledBack:
    """Take a run back: target, id map, record hashes, contributions, issues, checkpoints.

    Args:
        asked: number of the run; None: the newest of all, while it stands.
        reason: why; kept in the ledger.

    Raises:
        UsageError: RUN-013 there is no such run, UND-001 nothing to roll back.
        GuardError: UND-002 newer runs stand, UND-003 the model is another one, UND-004 another rollback is not
            finished, UND-005 a wave of it is live, UND-006 the target refuses, UND-009 the newest run is rolled back
            already, TGT-026 a pooler stands before it.
        LockedError: LED-007 a run holds the target.
    """
    target = workspace_target(workspace)
    try:
        refuse_pooler(target)
        with target.transaction() as connection:
            one_starts(connection)
            check_namespace(connection, workspace.secrets)
            run_id, state = _chosen(connection, asked)
            if state == ROLLED_BACK:
                return RolledBack(run_id, already=True)
            _refuse(connection, run_id)
            epoch = take_lock(connection, run_id)
        work = _Work(target, run_id, epoch, workspace.secrets.hash_key, workspace.model.run.batch_rows)
        try:
            with patient():
                if state != ROLLING_BACK:
                    work.prepare()
                work.records()
                work.ledger()
                done = work.end(reason, resumed=state == ROLLING_BACK)
                taken_back(workspace, target, run_id)
                return done
        finally:
            with target.transaction() as connection:
                release_lock(connection, epoch)
    finally:
        target.close()


def _chosen(connection: sa.Connection, asked: int | None) -> tuple[int, str]:
    """Return number and state of the run that is to be rolled back.

    Raises:
        UsageError: RUN-013, UND-001.
        GuardError: UND-002 newer runs stand, UND-009 the newest one is rolled back.
    """
    run = table(connection, "run")
    states = {row.id: str(row.state) for row in connection.execute(sa.select(run.c.id, run.c.state).order_by(run.c.id))}
    stand = [number for number, state in states.items() if state != ROLLED_BACK]
    if asked is None:
        if not stand:
            raise UsageError(
                "UND-001", "there is no run to roll back", hint="See `omnicase status` for the runs.", place="run"
            )
        newest = max(states)
        if newest != stand[-1]:
            # Typed a second time in haste, it would take back a run that nobody meant.
            raise GuardError(
                "UND-009",
                f"the last run, {newest}, is rolled back already; run {stand[-1]} is the newest that stands",
                hint="Nothing was done. To take that one back, too, give its number: `omnicase rollback RUN`.",
                place="run",
            )
        return newest, states[newest]
    if asked not in states:
        raise UsageError("RUN-013", f"there is no run {asked}", hint="See `omnicase status` for the runs.", place="run")
    newer = [number for number in stand if number > asked]
    if states[asked] != ROLLED_BACK and newer:
        listed = ", ".join(map(str, reversed(newer)))
        raise GuardError(
            "UND-002",
            f"later runs stand on run {asked}: {listed}",
            hint="Roll those back first, the newest first.",
            place="run",
        )
    return asked, states[asked]


def _refuse(connection: sa.Connection, run_id: int) -> None:
    """Refuse what cannot be taken back.

    Raises:
        GuardError: UND-003, UND-005, UND-008 what it needs was purged.
    """
    purged, done = table(connection, "purged_run"), table(connection, "purge")
    day = connection.scalar(
        sa.select(done.c.at).join(purged, purged.c.purge_id == done.c.id).where(purged.c.run_id == run_id).limit(1)
    )
    if day is not None:
        raise GuardError(
            "UND-008",
            f"how it was before run {run_id} was purged on {day[:10]}",
            hint="Restore a backup of before that day.",
            place="run",
        )
    run, wave, id_map = (table(connection, name) for name in ("run", "wave", "id_map"))
    made_with = connection.scalar(sa.select(run.c.model_revision).where(run.c.id == run_id))
    model = heads("model")["model"]
    if made_with != model:
        raise GuardError(
            "UND-003",
            f"run {run_id} wrote the model at revision {made_with}, and the target is at {model}",
            hint="A run cannot be rolled back across an upgrade of the model; restore the backup of before it.",
            place="target",
        )
    live = connection.scalars(
        sa.select(wave.c.name)
        .where(wave.c.state.in_(FROZEN))
        .where(sa.exists().where(id_map.c.wave == wave.c.id, id_map.c.run_id == run_id))
        .order_by(wave.c.name)
    ).all()
    if live:
        raise GuardError(
            "UND-005",
            f"run {run_id} loaded rows of a wave that is live: {', '.join(live)}",
            hint="People work with them in the new system. Return it first: `omnicase wave back NAME --reason …`.",
            place="wave",
        )


@dataclass(frozen=True)
class _Work:
    """A rollback at work: every step is a transaction, and begins where the last one ended."""

    target: Target
    run_id: int
    epoch: int
    hash_key: bytes
    page: int

    def prepare(self) -> None:
        """Decide what is taken back and what is spared; from here on no run starts until it is done."""
        with self.target.transaction() as connection:
            hold_lock(connection, self.epoch)
            undo, run = Undo(connection, self.run_id, self.page), table(connection, "run")
            collect(undo)
            spare_all(undo, self.hash_key)
            connection.execute(sa.update(run).where(run.c.id == self.run_id).values(state=ROLLING_BACK))
            record(connection, "rollback", {"run": self.run_id})
            failpoint("before-rollback-prepared")
        failpoint("after-rollback-prepared")

    def records(self) -> None:
        """Take the records back, page by page."""
        for step in STEPS:
            while self._page(step):
                failpoint("after-rollback-batch")
                stop_here()

    def _page(self, step: Callable[[Undo, bytes], bool]) -> bool:
        try:
            with self.target.transaction() as connection:
                hold_lock(connection, self.epoch)
                if connection.dialect.name == "sqlite":
                    connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
                more = step(Undo(connection, self.run_id, self.page), self.hash_key)
                failpoint("before-rollback-commit")
                return more
        except IntegrityError:
            # Somebody linked to a record, or took a unique value, since it was decided what is spared.
            with self.target.transaction() as connection:
                hold_lock(connection, self.epoch)
                if spare_linked(Undo(connection, self.run_id, self.page)):
                    return True
            raise GuardError(
                "UND-006",
                f"the target refuses what it held before run {self.run_id}: other records are in the way",
                hint="What was taken back stays. Look with `omnicase status`; report it if nobody changed the target.",
                place="target",
            ) from None

    def ledger(self) -> None:
        """Take the ledger back, a table and a mapping at a time."""
        with self.target.transaction() as connection:
            hold_lock(connection, self.epoch)
            note_spared_keys(connection, self.run_id)
            todo = list(parts(connection))
        for name, number in todo:
            with self.target.transaction() as connection:
                hold_lock(connection, self.epoch)
                restore(connection, self.run_id, name, number)
            failpoint("after-rollback-ledger")
            stop_here()

    def end(self, reason: str | None, *, resumed: bool) -> RolledBack:
        """Say that the run is rolled back and return what was done."""
        with self.target.transaction() as connection:
            hold_lock(connection, self.epoch)
            undo = table(connection, "undo")
            mine = (undo.c.run_id == self.run_id, undo.c.spared.is_(None))
            counted = sa.select(undo.c.action, sa.func.count()).where(*mine).group_by(undo.c.action)
            counts = {str(action): int(count) for action, count in connection.execute(counted)}
            finish(connection, self.run_id, getpass.getuser(), reason)
            failpoint("before-rollback-finish")
            spared = sa.select(undo.c.target, undo.c.target_id, undo.c.spared).where(undo.c.run_id == self.run_id)
            rows = connection.execute(spared.order_by(undo.c.target, undo.c.target_id).limit(MOST_SHOWN)).all()
            total = connection.scalar(sa.select(sa.func.count()).select_from(spared.subquery()))
        return RolledBack(
            self.run_id,
            removed=counts.get("remove", 0),
            restored=counts.get("restore", 0),
            made=counts.get("make", 0),
            spared=tuple(Spared(*tuple(row)) for row in rows),
            spared_total=int(total or 0),
            resumed=resumed,
        )
