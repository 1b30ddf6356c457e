"""`conflicts`: records that a run did not write, since people edited them or made them (promise 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import Target, UsageError, column_info
from migrate.conflicts.found import CODES, EDITED, EXISTS, Found
from migrate.conflicts.sides import Sides, sides_of
from migrate.disclosure import disclose
from migrate.ledger.store import table
from migrate.session import Session
from migrate.shown import Shown
from migrate.target.opened import workspace_target
from reconciliation import difference_kind_expr


@dataclass(frozen=True)
class Conflict:
    """A conflict in a list; the key is as it may be shown."""

    mapping: str
    key: tuple[str, ...]
    table: str
    code: str
    columns: tuple[str, ...]
    """Of ``record-exists``: the unique columns of which another record holds our values."""
    target_id: str | None
    """The record in the target."""
    run: int
    settled: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**self.__dict__, "key": list(self.key), "columns": list(self.columns)}


@dataclass(frozen=True)
class Conflicts:
    """The conflicts asked for, and how many there are in all and that nobody settled, by mapping."""

    rows: tuple[Conflict, ...]
    total: int
    open: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return the document of `conflicts list`."""
        return {"conflicts": [each.as_dict() for each in self.rows], "total": self.total, "open": self.open}


@dataclass(frozen=True)
class FieldOfBoth:
    """A field as the source maps to now and as the target holds it, as both may be shown; no difference: they agree."""

    field: str
    source: str
    target: str
    difference: str | None


@dataclass(frozen=True)
class ShownConflict:
    """Both sides of a conflict.

    moved_on: the source row is no longer the one that the run mapped.
    edited_again: the target is no longer as the run found it.
    """

    conflict: Conflict
    fields: tuple[FieldOfBoth, ...]
    source_loads: bool
    in_target: bool
    moved_on: bool
    edited_again: bool
    unmasked: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the document of `conflicts show`."""
        names = ("source_loads", "in_target", "moved_on", "edited_again", "unmasked")
        known = {name: getattr(self, name) for name in names}
        return {**self.conflict.as_dict(), **known, "fields": [each.__dict__ for each in self.fields]}


def list_conflicts(session: Session, mappings: Sequence[str], code: str | None, limit: int) -> Conflicts:
    """List conflicts by mapping and key.

    Raises:
        UsageError: RUN-011 unknown mapping, CNF-001 no code of conflicts.
    """
    if code is not None and code not in CODES:
        raise UsageError("CNF-001", f"there is no conflict with the code '{code}'", hint=f"Known: {', '.join(CODES)}.")
    names, shown = session.selected(mappings), Shown(session)
    target = workspace_target(session.workspace)
    try:
        with target.engine.connect() as connection:
            mapping, id_map, issue, choice = _tables(connection)
            some = _selected(connection, names, () if code is None else (issue.c.code == code,))
            ordered = some.order_by(mapping.c.id, id_map.c.source_key).limit(limit)
            rows = [_found(row) for row in connection.execute(ordered)]
            counted = some.with_only_columns(mapping.c.name, choice.is_(None), sa.func.count())
            counts = connection.execute(counted.group_by(mapping.c.name, choice.is_(None)).order_by(mapping.c.name))
            found = [(str(name), bool(is_open), int(count)) for name, is_open, count in counts]
    finally:
        target.close()
    unsettled = {name: count for name, is_open, count in found if is_open}
    shown_rows = tuple(conflict_of(session, shown, each) for each in rows)
    return Conflicts(shown_rows, sum(count for *_, count in found), unsettled)


def show_conflict(session: Session, mapping: str, key_text: str, reason: str | None = None) -> ShownConflict:
    """Return both sides of a conflict, field by field.

    Args:
        key_text: the key as `conflicts list` shows it: its parts joined by ``|``; a token for a personal key.
        reason: why personal values are to be shown as they are, which is recorded; None masks them.

    Raises:
        UsageError: RUN-011 unknown mapping, CNF-002 the row is not in conflict.
    """
    target = workspace_target(session.workspace)
    try:
        found = find_conflict(session, target, mapping, key_text)
        if reason is not None:
            what = f"{found.mapping} {Shown(session).key_text(session.mapping(found.mapping), found.key)}"
            with target.engine.connect() as connection:
                disclose(connection, "conflicts", what, reason)
        sides = sides_of(session, target, found)
    finally:
        target.close()
    shown = Shown(session, unmasked=reason is not None)
    conflict = conflict_of(session, shown, found)
    fields = tuple(_fields(sides, conflict.table, shown))
    return ShownConflict(
        conflict,
        fields,
        source_loads=sides.source is not None,
        in_target=sides.target is not None,
        moved_on=sides.moved_on,
        edited_again=sides.edited_again,
        unmasked=shown.unmasked,
    )


def _fields(sides: Sides, table_name: str, shown: Shown) -> list[FieldOfBoth]:
    source, target = (dict.fromkeys(sides.columns) | dict(each or {}) for each in (sides.source, sides.target))
    both = pl.DataFrame(
        [(name, source[name], target[name]) for name in sides.columns],
        schema={"field": pl.String, "source": pl.String, "target": pl.String},
        orient="row",
    )
    kind = pl.when(pl.col("source").ne_missing(pl.col("target"))).then(difference_kind_expr("source", "target"))
    found = []
    for name, ours, theirs, difference in both.with_columns(kind.alias("kind")).rows():
        personal = bool(column_info(table_name, name)["personal"])
        left, right = (shown.value(value, personal=personal) for value in (ours, theirs))
        found.append(FieldOfBoth(name, left, right, difference))
    return found


def find_conflict(session: Session, target: Target, mapping: str, key_text: str) -> Found:
    """Return the conflict of a row.

    Raises:
        UsageError: RUN-011 unknown mapping, CNF-002 the row is not in conflict.
    """
    (name,) = session.selected([mapping])
    compiled, shown = session.mapping(name), Shown(session)
    with target.engine.connect() as connection:
        rows = [_found(row) for row in connection.execute(_selected(connection, [name], ()))]
    for each in rows:
        if shown.is_key(compiled, each.key, key_text):
            return each
    raise UsageError(
        "CNF-002",
        "there is no row with this key that is in conflict",
        place=name,
        hint="Copy the key from `omnicase conflicts list`; see `omnicase rejects list` for other rows.",
    )


def conflict_of(session: Session, shown: Shown, found: Found) -> Conflict:
    """Return a conflict as it may be shown."""
    mapping = session.mapping(found.mapping)
    columns = found.detail.partition(":")[0].split(", ") if found.code == EXISTS and found.detail else []
    record = found.target_id if found.code == EDITED else found.holder
    key = shown.key(mapping, found.key)
    return Conflict(found.mapping, key, mapping.target, found.code, tuple(columns), record, found.run, found.settled)


def still_open(connection: sa.Connection, found: Found) -> bool:
    """Return whether a conflict is in the ledger as it was found, and nobody settled it."""
    mapping, id_map, _, _ = _tables(connection)
    same = (mapping.c.id == found.number, id_map.c.source_key == found.key)
    rows = [_found(row) for row in connection.execute(_selected(connection, [found.mapping], same))]
    return rows == [found] and found.settled is None


def _tables(connection: sa.Connection) -> tuple[sa.Table, sa.Table, sa.Table, sa.ScalarSelect[str]]:
    mapping, id_map, issue, kept = (table(connection, name) for name in ("mapping", "id_map", "issue", "resolution"))
    of_row = sa.and_(kept.c.mapping_id == issue.c.mapping_id, kept.c.source_key == issue.c.source_key)
    # What was chosen for a conflict that an earlier run found says nothing of this one.
    settled = sa.select(sa.func.max(kept.c.choice)).where(of_row, kept.c.run_id == issue.c.run_id)
    return mapping, id_map, issue, settled.correlate(issue).scalar_subquery()


def _selected(
    connection: sa.Connection, names: Sequence[str], where: Sequence[sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    mapping, id_map, issue, settled = _tables(connection)
    of_row = sa.and_(issue.c.mapping_id == id_map.c.mapping_id, issue.c.source_key == id_map.c.source_key)
    return (
        sa.select(
            mapping.c.name,
            mapping.c.id,
            id_map.c.source_key,
            id_map.c.record_key,
            id_map.c.target_id,
            id_map.c.source_hash,
            issue.c.code,
            sa.func.coalesce(issue.c.detail, ""),
            issue.c.run_id,
            settled,
        )
        .select_from(id_map)
        .join(mapping, mapping.c.id == id_map.c.mapping_id)
        .join(issue, of_row)
        .where(mapping.c.name.in_(names), id_map.c.state == "conflict", issue.c.code.in_(CODES), *where)
    )


def _found(row: sa.Row[Any, Any, Any]) -> Found:
    return Found(*tuple(row))
