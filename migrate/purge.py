"""`purge`: the ledger's copies of personal data, removed when their time is over (DESIGN.md, section 6).

Rejected rows lose what was read, and keep key, issues and a keyed digest; before-images go, and with them the rollback
of their runs.  What was removed is counted, digested and recorded, all in one transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from casemodel import GuardError, UsageError
from migrate.evidence.record import record
from migrate.ledger.lock import locked_row, refuse_if_held
from migrate.ledger.store import doer, new_id, table
from migrate.ledger.undo import ROLLING_BACK, refuse_half_undone
from migrate.ledger.undo_tables import TWINS, UNDO_RUN
from migrate.ledger.waves import CLOSED, known_wave, known_waves
from migrate.target.opened import workspace_target
from migrate.workspace import Workspace

PURGED = "_purged"
_OPEN = ("running", "interrupted", "failed", ROLLING_BACK)
_PAGE = 1_000


@dataclass(frozen=True)
class Purge:
    """What is purged, or would be.

    removed: by table how many rows.
    runs: those that can no longer be rolled back.
    done: whether it was done.
    """

    before: str | None
    wave: str | None
    removed: dict[str, int]
    runs: tuple[int, ...]
    done: bool

    @property
    def total(self) -> int:
        """Rows of all tables."""
        return sum(self.removed.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {
            "before": self.before,
            "wave": self.wave,
            "removed": self.removed,
            "no_rollback_of": list(self.runs),
            "done": self.done,
        }


def look(workspace: Workspace, before: str | None, wave: str | None) -> Purge:
    """Return what would be purged; nothing is changed.

    Raises:
        UsageError: PRG-001 neither or both of day and wave, WAV-001 there is no such wave.
        GuardError: PRG-002 the wave is not closed.
    """
    target = workspace_target(workspace)
    try:
        with target.engine.connect() as connection:
            scope = _scope(connection, before, wave)
            removed = {name: _count(connection, rows, where) for name, rows, where in scope}
            return Purge(before, wave, removed, _runs(connection, scope), False)
    finally:
        target.close()


def purge(workspace: Workspace, before: str | None, wave: str | None) -> Purge:
    """Purge, and record it.

    Raises:
        UsageError: PRG-001, WAV-001.
        GuardError: PRG-002, UND-004 a rollback is not finished.
        LockedError: LED-007 a run holds the target.
    """
    target = workspace_target(workspace)
    try:
        with target.transaction() as connection:
            locked_row(connection)
            row = refuse_if_held(connection)
            refuse_half_undone(connection)
            scope = _scope(connection, before, wave)
            runs = _runs(connection, scope)
            lock = table(connection, "lock")
            # The triggers would keep what is purged as before-images of a run that died.
            connection.execute(sa.update(lock).values(images_of=None))
            removed = {}
            for name, rows, where in scope:
                removed[name] = _remove(connection, workspace.secrets.hash_key, name, rows, where)
            if row is not None:
                connection.execute(sa.update(lock).values(images_of=row["images_of"]))
            if any(each["rows"] for each in removed.values()):
                _record(connection, before, wave, removed, runs)
        return Purge(before, wave, {name: each["rows"] for name, each in removed.items()}, runs, True)
    finally:
        target.close()


_Scope = list[tuple[str, sa.Table, sa.ColumnElement[bool]]]


def _scope(connection: sa.Connection, before: str | None, wave: str | None) -> _Scope:
    """Return the tables with the condition for the rows that go, those of which only the row as read goes first."""
    if (before is None) == (wave is None):
        raise UsageError(
            "PRG-001", "purge needs --before DATE or --wave NAME, one of them", hint="See `omnicase purge --help`."
        )
    which = _of_runs(connection, before) if before is not None else _of_wave(connection, str(wave))
    scope: _Scope = []
    for name in ("reject", "before_reject"):
        kept = table(connection, name)
        scope.append((name, kept, sa.and_(which(kept, "run_id"), ~kept.c.row.like(f'{{"{PURGED}"%'))))
    for name in (*TWINS, "row"):
        kept = table(connection, f"before_{name}")
        scope.append((f"before_{name}", kept, which(kept, UNDO_RUN)))
    # Of before-images of rejected rows, those that go whole need not be emptied before.
    return [each for place, each in enumerate(scope) if place != 1] if wave is not None else _apart(scope)


def _apart(scope: _Scope) -> _Scope:
    """Leave out of the rows that are emptied those that go whole."""
    gone = next(where for name, _, where in scope[2:] if name == "before_reject")
    name, kept, where = scope[1]
    return [scope[0], (f"{name} (row as read)", kept, sa.and_(where, ~gone)), *scope[2:]]


def _of_runs(connection: sa.Connection, before: str) -> Any:
    run = table(connection, "run")
    ended = sa.select(run.c.id).where(run.c.ended_at < before, run.c.state.not_in(_OPEN))
    return lambda kept, column: kept.c[column].in_(ended)


def _of_wave(connection: sa.Connection, name: str) -> Any:
    wave = known_wave(known_waves(connection), name)
    if wave.state != CLOSED:
        raise GuardError(
            "PRG-002",
            f"the wave {name} is {wave.state}, and only what belongs to a closed one is purged",
            hint="Close it first: `omnicase wave close NAME`.",
            place="wave",
        )
    id_map = table(connection, "id_map")

    def which(kept: sa.Table, _column: str) -> sa.ColumnElement[bool]:
        if "source_key" not in kept.c:
            return kept.c.target_id.in_(sa.select(id_map.c.target_id).where(id_map.c.wave == wave.id))
        same = sa.and_(id_map.c.mapping_id == kept.c.mapping_id, id_map.c.source_key == kept.c.source_key)
        return sa.exists().where(same, id_map.c.wave == wave.id)

    return which


def _count(connection: sa.Connection, rows: sa.Table, where: sa.ColumnElement[bool]) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(rows).where(where)) or 0)


def _runs(connection: sa.Connection, scope: _Scope) -> tuple[int, ...]:
    """Return the runs whose before-images go."""
    found: set[int] = set()
    for name, rows, where in scope:
        if name.startswith("before_") and " " not in name:
            found.update(connection.scalars(sa.select(rows.c[UNDO_RUN]).where(where).distinct()))
    return tuple(sorted(found))


def _remove(
    connection: sa.Connection, key: bytes, name: str, rows: sa.Table, where: sa.ColumnElement[bool]
) -> dict[str, Any]:
    """Remove rows, or empty them, and return how many they were with a digest of them in the order of their keys."""
    digest, count = hmac.new(key, digestmod=hashlib.sha256), 0
    empties = name == "reject" or " " in name
    mine = [each == sa.bindparam(f"key_{each.name}") for each in rows.primary_key.columns]
    for page in _pages(connection, rows, where):
        changes: list[dict[str, Any]] = []
        for row in page:
            text = json.dumps(list(row.values()), ensure_ascii=False, default=str).encode()
            digest.update(text + b"\n")
            if empties:
                told = hmac.new(key, str(row["row"]).encode(), hashlib.sha256).hexdigest()[:32]
                changes.append({f"key_{each.name}": row[each.name] for each in rows.primary_key.columns})
                changes[-1]["told"] = _emptied(told)
        count += len(page)
        if empties:
            connection.execute(sa.update(rows).where(*mine).values(row=sa.bindparam("told")), changes)
    if count and not empties:
        connection.execute(sa.delete(rows).where(where))
    return {"rows": count, "digest": digest.hexdigest()}


def _emptied(digest: str) -> str:
    return json.dumps({PURGED: digest})


def _pages(
    connection: sa.Connection, rows: sa.Table, where: sa.ColumnElement[bool]
) -> Iterator[Sequence[sa.RowMapping]]:
    """Give rows in the order of their keys, page by page; those of a page may be changed before the next."""
    primary = list(rows.primary_key.columns)
    chosen = sa.select(rows).where(where).order_by(*primary).limit(_PAGE)
    page = connection.execute(chosen).mappings().all()
    while page:
        last = sa.tuple_(*(sa.literal(page[-1][each.name], each.type) for each in primary))
        yield page
        page = connection.execute(chosen.where(sa.tuple_(*primary) > last)).mappings().all()


def _record(
    connection: sa.Connection, before: str | None, wave: str | None, removed: dict[str, Any], runs: tuple[int, ...]
) -> None:
    recorded = connection.execute(
        sa.insert(table(connection, "purge")).values(
            **doer(),
            before=before,
            wave=wave,
            removed=json.dumps(removed),
        )
    )
    if runs:
        number = new_id(recorded)
        of_runs = [{"run_id": run, "purge_id": number} for run in runs]
        connection.execute(sa.insert(table(connection, "purged_run")), of_runs)
    record(connection, "purge", {"before": before, "wave": wave, "removed": removed, "runs": list(runs)})
