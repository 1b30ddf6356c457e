"""`conflicts resolve`: what people choose for one record, in one transaction, with who, when and why (promise 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from casemodel import GuardError, UsageError, partial_unique_keys, tables, unique_keys
from connectors import as_text
from migrate.conflicts.found import EDITED, EXISTS, Found
from migrate.conflicts.listed import Conflict, conflict_of, find_conflict, still_open
from migrate.conflicts.sides import Sides, edited_again, hash_of, read_record, sides_of, written_columns
from migrate.evidence.record import record
from migrate.ledger.lock import one_starts, release_lock, take_lock
from migrate.ledger.store import column_set_id, doer, table
from migrate.ledger.undo import refuse_half_undone
from migrate.pipeline.conflicts import ours
from migrate.pipeline.failpoint import failpoint
from migrate.session import Session
from migrate.shown import Shown
from migrate.target.opened import workspace_target
from migrate.target.values import read_for_update

KEEP, TAKE, ADOPT = "keep-target", "take-source", "adopt"
_FITS: Final = {KEEP: EDITED, TAKE: EDITED, ADOPT: EXISTS}
_SHORTEST_REASON, _LONGEST_REASON = 5, 500


@dataclass(frozen=True)
class Resolved:
    """A conflict that was settled."""

    conflict: Conflict
    choice: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the document of `conflicts resolve`."""
        return {**self.conflict.as_dict(), "settled": self.choice, "reason": self.reason}


def resolve(session: Session, mapping: str, key_text: str, choice: str, reason: str | None) -> Resolved:
    """Settle one conflict.

    With ``keep-target`` the values of the target stay until the source row changes again; with ``take-source`` the next
    run writes the source's values over them; with ``adopt`` a record that we did not make becomes ours, and the next
    run writes the source's values into it.

    Args:
        choice: ``keep-target``, ``take-source`` or ``adopt``.

    Raises:
        UsageError: CNF-002 the row is not in conflict, CNF-003 no reason, CNF-004 the choice means nothing for it.
        GuardError: CNF-005 settled already, CNF-006 row or record are no longer what the run found, CNF-007 the record
            was deleted, CNF-008 the record cannot be adopted.
        LockedError: LED-007 a run holds the target.
    """
    why = _checked(reason)
    target = workspace_target(session.workspace)
    try:
        found = find_conflict(session, target, mapping, key_text)
        _fits(found, choice)
        sides = sides_of(session, target, found)
        if sides.moved_on:
            raise _moved(found, "the source row is no longer the one that the run mapped, or no longer loads")
        work = _Work(session, found, sides)
        steps: dict[str, Callable[[sa.Connection], str]] = {KEEP: work.keep, TAKE: work.take, ADOPT: work.adopt}
        with target.transaction() as connection:
            one_starts(connection)
            refuse_half_undone(connection)
            epoch = take_lock(connection, found.run)
            if not still_open(connection, found):
                raise _moved(found, "somebody settled it, or a run dealt with it, at the same time")
            record_id = steps[choice](connection)
            work.note(connection, choice, why, record_id)
            failpoint("before-resolve-commit")
            release_lock(connection, epoch)
    finally:
        target.close()
    return Resolved(conflict_of(session, Shown(session), found), choice, why)


def _checked(reason: str | None) -> str:
    told = (reason or "").strip()
    if not _SHORTEST_REASON <= len(told) <= _LONGEST_REASON:
        raise UsageError(
            "CNF-003",
            "a conflict is settled only with a reason, which is kept with your name",
            hint=f'Add --reason "why these values hold" ({_SHORTEST_REASON} to {_LONGEST_REASON} characters).',
        )
    return told


def _fits(found: Found, choice: str) -> None:
    if found.settled is not None:
        raise GuardError(
            "CNF-005",
            f"this conflict is settled already ({found.settled}); the next run does what was chosen",
            hint="Run `omnicase run`; a conflict that is still there after it can be settled again.",
            place=found.mapping,
        )
    if _FITS[choice] == found.code:
        return
    if found.code == EXISTS:
        raise UsageError(
            "CNF-004",
            f"--{choice} means nothing for a record that we did not make: it is not ours to keep or to overwrite",
            hint="Use --adopt to make it ours; or correct one of the two records, and run again.",
            place=found.mapping,
        )
    raise UsageError(
        "CNF-004",
        "--adopt means nothing for a record that is ours already and that people edited",
        hint="Use --keep-target or --take-source.",
        place=found.mapping,
    )


def _moved(found: Found, cause: str) -> GuardError:
    return GuardError(
        "CNF-006",
        f"the conflict is not what it was when run {found.run} found it: {cause}",
        hint="Run `omnicase run` again, look with `omnicase conflicts show`, then settle what is there then.",
        place=found.mapping,
    )


@dataclass(frozen=True)
class _Work:
    """What each choice does to the ledger; the target is written by the next run only."""

    session: Session
    found: Found
    sides: Sides

    @property
    def _table(self) -> str:
        return self.session.mapping(self.found.mapping).target

    @property
    def _hash_key(self) -> bytes:
        return self.session.workspace.secrets.hash_key

    def keep(self, connection: sa.Connection) -> str:
        """Let the ledger say that the source's values were dealt with: nothing is written until the row changes."""
        self._unchanged(connection)
        sides, record = self.sides, table(connection, "record")
        if sides.target is None:
            raise GuardError(
                "CNF-007",
                "the record was deleted in the target, so there is nothing to keep",
                hint="Use --take-source to have it made again, or leave the row out in the mapping (where:).",
                place=self.found.mapping,
            )
        connection.execute(
            sa.update(record)
            .where(record.c.mapping_id.in_(sides.writers), record.c.record_key == sides.record_key)
            .values(record_hash=sides.source_hash, column_set_id=column_set_id(connection, sides.columns))
        )
        id_map = table(connection, "id_map")
        for name in ("issue", "reject"):
            kept = table(connection, name)
            keys = sa.select(id_map.c.source_key).where(id_map.c.mapping_id == kept.c.mapping_id, *self._rows(id_map))
            of_error = [kept.c.severity == "error"] if name == "issue" else []
            connection.execute(
                sa.delete(kept).where(kept.c.mapping_id.in_(sides.writers), kept.c.source_key.in_(keys), *of_error)
            )
        lead = sa.case((id_map.c.source_key.in_(sides.merged), "merged"), else_="loaded")
        connection.execute(sa.update(id_map).where(*self._rows(id_map)).values(state=lead))
        return str(sides.record_id)

    def take(self, connection: sa.Connection) -> str:
        """Let the ledger say that what is there now is what was written, so that the next run writes over it."""
        self._unchanged(connection)
        sides, record, id_map = self.sides, table(connection, "record"), table(connection, "id_map")
        mine = (record.c.mapping_id.in_(sides.writers), record.c.record_key == sides.record_key)
        names = written_columns(connection, sides.writers, sides.record_key)
        values = read_record(connection, self._table, names, sides.record_id, read=read_for_update)
        there = hash_of(names, values, self._hash_key)
        if there is None:
            connection.execute(sa.delete(record).where(*mine))
            connection.execute(sa.update(id_map).where(*self._rows(id_map)).values(target_id=None))
        else:
            connection.execute(sa.update(record).where(*mine).values(record_hash=there))
        return str(sides.record_id)

    def adopt(self, connection: sa.Connection) -> str:
        """Make a record ours: the ledger knows it, and the mapping gives it the id that it has."""
        sides, found = self.sides, self.found
        holder, made = self._adoptable(connection)
        values = read_record(connection, self._table, sides.columns, holder, read=read_for_update)
        connection.execute(
            sa.insert(table(connection, "record")).values(
                mapping_id=found.number,
                record_key=sides.record_key,
                target_id=holder,
                record_hash=hash_of(sides.columns, values, self._hash_key),
                column_set_id=column_set_id(connection, sides.columns),
                run_id=found.run,
            )
        )
        if made != holder:
            adopted = table(connection, "adopted")
            connection.execute(sa.insert(adopted).values(made_id=made, target_id=holder, target=self._table))
        id_map = table(connection, "id_map")
        connection.execute(sa.update(id_map).where(*self._rows(id_map)).values(target_id=holder))
        return holder

    def _adoptable(self, connection: sa.Connection) -> tuple[str, str]:
        """Return id in the target and id by the mapping of the one record that is in the way.

        Raises:
            GuardError: CNF-008.
        """
        sides, target = self.sides, tables[self._table]
        cause = None
        if sides.source is None or sides.made_id is None or sides.record_id is None or sides.target is None:
            raise self._cannot_adopt("it is no longer there")
        if ours(connection, self._table, {sides.record_id}):
            cause = "another source row made it by now"
        same_key = sides.record_id == sides.made_id
        for columns in [*unique_keys(self._table), *(tuple(key.columns) for key in partial_unique_keys(self._table))]:
            values = [sides.source.get(name) for name in columns]
            if None in values or not set(columns) <= set(sides.columns):
                continue
            dialect = connection.dialect.name
            equal = [as_text(dialect, target.c[name]) == value for name, value in zip(columns, values, strict=True)]
            holders = set(connection.scalars(sa.select(as_text(dialect, target.c.id)).where(*equal)))
            same_key = same_key or sides.record_id in holders
            if holders - {sides.record_id}:
                cause = f"yet another record has the same {', '.join(columns)}"
        if cause is None and not same_key:
            cause = "it no longer has a unique value in common with the source row"
        if cause is not None:
            raise self._cannot_adopt(cause)
        return sides.record_id, sides.made_id

    def _cannot_adopt(self, cause: str) -> GuardError:
        return GuardError(
            "CNF-008",
            f"the record in the target cannot be adopted: {cause}",
            hint="Correct what is wrong in the target or the source, and run again.",
            place=self.found.mapping,
        )

    def _unchanged(self, connection: sa.Connection) -> None:
        known = (self.sides.writers, self.sides.record_key)
        if edited_again(connection, self._table, self.found, known, self._hash_key):
            raise _moved(self.found, "the record was edited again")
        if self.sides.source is None:
            raise _moved(self.found, "the source row does not load as it stands")

    def _rows(self, id_map: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
        """Return the condition for the rows that are in conflict about the record."""
        found = self.found
        mine = id_map.c.source_key == found.key
        if found.record_key is not None:
            mine = id_map.c.record_key == found.record_key
        of_row = sa.and_(id_map.c.mapping_id == found.number, mine)
        if len(self.sides.writers) > 1 and found.target_id is not None:
            shared = sa.and_(id_map.c.mapping_id.in_(self.sides.writers), id_map.c.target_id == found.target_id)
            of_row = sa.or_(of_row, shared)
        return (id_map.c.state == "conflict", of_row)

    def note(self, connection: sa.Connection, choice: str, reason: str, record_id: str) -> None:
        """Keep who chose what, when and why."""
        sides, kept = self.sides, choice == KEEP
        connection.execute(
            sa.insert(table(connection, "resolution")).values(
                **doer(),
                mapping_id=self.found.number,
                source_key=self.found.key,
                run_id=self.found.run,
                code=self.found.code,
                choice=choice,
                reason=reason,
                target_id=record_id,
                record_hash=sides.source_hash if kept else None,
                kept_hash=self._kept_hash(connection) if kept else None,
            )
        )
        told = {"mapping": self.found.mapping, "code": self.found.code, "choice": choice, "record": record_id}
        record(connection, "conflict", told)

    def _kept_hash(self, connection: sa.Connection) -> str | None:
        columns, record_id = self.sides.columns, self.sides.record_id
        values = read_record(connection, self._table, columns, record_id, read=read_for_update)
        return hash_of(self.sides.columns, values, self._hash_key)
