"""`rejects`: the rows that were not loaded, with what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from casemodel import ISSUE_CODES, UsageError
from migrate.disclosure import disclose
from migrate.ledger.store import table
from migrate.session import Session
from migrate.shown import Shown
from migrate.target.opened import workspace_target


@dataclass(frozen=True)
class RowIssue:
    """One issue of one row."""

    code: str
    field: str
    severity: str
    detail: str | None


@dataclass(frozen=True)
class RejectedRow:
    """A row that was not loaded; key and values are as they may be shown."""

    mapping: str
    key: tuple[str, ...]
    state: str
    issues: tuple[RowIssue, ...]
    values: tuple[tuple[str, str], ...] = ()
    waits_for: tuple[str, ...] = ()
    unmasked: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the row as the command-line contract has it."""
        issues = [
            {"code": each.code, "field": each.field, "severity": each.severity, "detail": each.detail}
            for each in self.issues
        ]
        document: dict[str, Any] = {
            "mapping": self.mapping,
            "key": list(self.key),
            "state": self.state,
            "issues": issues,
        }
        if self.values:
            document["row"] = dict(self.values)
        if self.waits_for:
            document["waits_for"] = list(self.waits_for)
        return document


@dataclass(frozen=True)
class Rejects:
    """The rejected rows asked for, and how many there are in all."""

    rows: tuple[RejectedRow, ...]
    total: int

    def as_dict(self) -> dict[str, Any]:
        """Return {rejects: […]} of the command-line contract."""
        return {"rejects": [each.as_dict() for each in self.rows], "total": self.total}


def _known_code(code: str | None) -> None:
    if code is not None and code not in ISSUE_CODES:
        raise UsageError("REJ-001", f"there is no issue code '{code}'", hint=f"Known: {', '.join(ISSUE_CODES)}.")


def list_rejects(session: Session, mappings: Sequence[str], code: str | None, limit: int) -> Rejects:
    """List rows that were not loaded, by mapping and key.

    Raises:
        UsageError: RUN-011 unknown mapping, REJ-001 unknown issue code.
    """
    _known_code(code)
    names = session.selected(mappings)
    with _Ledger(session) as ledger:
        found = ledger.rows(names, code, limit)
        return Rejects(tuple(ledger.row(*each, whole=False) for each in found), ledger.count(names, code))


def export_keys(session: Session, mapping: str, code: str | None) -> tuple[tuple[str, ...], ...]:
    """Return the keys of the rows of a mapping that were not loaded, as `run --keys` accepts them.

    A personal key is its token; rows without a key have none.

    Raises:
        UsageError: RUN-011 unknown mapping, REJ-001 unknown issue code.
    """
    _known_code(code)
    (name,) = session.selected([mapping])
    compiled, shown = session.mapping(name), Shown(session)
    with _Ledger(session) as ledger:
        keys = dict.fromkeys(key for _, key, _, _ in ledger.rows([name], code, None) if key is not None)
    return tuple(shown.key(compiled, key) for key in keys)


def show_reject(session: Session, mapping: str, key_text: str, reason: str | None = None) -> RejectedRow:
    """Return one row that was not loaded, with its values.

    Args:
        key_text: the key as shown by `rejects list`: its parts joined by ``|``; a token for a personal key.
        reason: why personal values are to be shown as they are, which is recorded; None masks them.

    Raises:
        UsageError: REJ-002 there is no such row.
    """
    (name,) = session.selected([mapping])
    with _Ledger(session, unmasked=reason is not None) as ledger:
        for key, ref, state in ledger.candidates(name, key_text):
            if reason is not None:
                ledger.disclose(f"{name} {Shown(session).key_text(session.mapping(name), key)}", reason)
            return ledger.row(name, key, ref, state, whole=True)
    raise UsageError(
        "REJ-002",
        "there is no such row among those that were not loaded",
        place=name,
        hint="Copy the key from `omnicase rejects list`; parts are joined by |.",
    )


class _Ledger:
    """Reads rejects for a session; open while used."""

    def __init__(self, session: Session, *, unmasked: bool = False) -> None:
        self._session, self._shown = session, Shown(session, unmasked=unmasked)
        self._target = workspace_target(session.workspace)
        self._connection = self._target.engine.connect()
        self._reject, self._issue, self._mapping, self._id_map, self._wait = (
            table(self._connection, name) for name in ("reject", "issue", "mapping", "id_map", "wait")
        )

    def __enter__(self) -> _Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._target.close()

    def disclose(self, what: str, reason: str) -> None:
        """Record that somebody sees a row unmasked (see `migrate.disclosure`)."""
        self._connection.commit()
        disclose(self._connection, "rejects", what, reason)

    def _selected(self, names: Sequence[str], code: str | None) -> sa.Select[Any]:
        reject, issue = self._reject, self._issue
        same = sa.and_(
            issue.c.mapping_id == reject.c.mapping_id,
            sa.or_(
                issue.c.source_key == reject.c.source_key,
                sa.and_(issue.c.source_key.is_(None), issue.c.row_ref == reject.c.row_ref),
            ),
        )
        state = (
            sa.select(self._id_map.c.state)
            .where(self._id_map.c.mapping_id == reject.c.mapping_id, self._id_map.c.source_key == reject.c.source_key)
            .scalar_subquery()
        )
        statement = (
            sa.select(
                self._mapping.c.name,
                reject.c.source_key,
                reject.c.row_ref,
                sa.func.coalesce(state, "rejected").label("state"),
            )
            .join(self._mapping, self._mapping.c.id == reject.c.mapping_id)
            .where(self._mapping.c.name.in_(names))
        )
        return statement if code is None else statement.where(sa.exists().where(same, issue.c.code == code))

    def rows(self, names: Sequence[str], code: str | None, limit: int | None) -> list[tuple[str, str | None, str, str]]:
        """Return mapping, key, locator and state of the first rows; without a limit of all."""
        statement = self._selected(names, code).order_by(
            self._mapping.c.id, self._reject.c.source_key, self._reject.c.id
        )
        return [(row[0], row[1], row[2], row[3]) for row in self._connection.execute(statement.limit(limit))]

    def count(self, names: Sequence[str], code: str | None) -> int:
        """Count all such rows."""
        return int(
            self._connection.scalar(sa.select(sa.func.count()).select_from(self._selected(names, code).subquery())) or 0
        )

    def candidates(self, name: str, key_text: str) -> list[tuple[str | None, str, str]]:
        """Return the rows whose key is shown as `key_text`, or is it; a row without a key by where it lies."""
        mapping = self._session.mapping(name)
        rows = self._connection.execute(self._selected([name], None).order_by(self._reject.c.id))
        return [
            (row[1], row[2], row[3])
            for row in rows
            if (
                self._shown.is_key(mapping, row[1], key_text)
                if row[1] is not None
                else self._shown.locator(mapping, row[2]) == key_text
            )
        ]

    def row(self, name: str, key: str | None, ref: str, state: str, *, whole: bool) -> RejectedRow:
        """Return a row with its issues; with its masked values when `whole`."""
        mapping = self._session.mapping(name)
        number = sa.select(self._mapping.c.id).where(self._mapping.c.name == name).scalar_subquery()

        def of_row(kept: sa.Table) -> sa.ColumnElement[bool]:
            mine = (
                kept.c.source_key == key
                if key is not None
                else sa.and_(kept.c.source_key.is_(None), kept.c.row_ref == ref)
            )
            return sa.and_(kept.c.mapping_id == number, mine)

        issue, wait = self._issue, self._wait
        issues = self._connection.execute(
            sa.select(issue.c.code, issue.c.field, issue.c.severity, issue.c.detail)
            .where(of_row(issue))
            .order_by(issue.c.id)
        )
        values: tuple[tuple[str, str], ...] = ()
        waits: tuple[str, ...] = ()
        if whole:
            values = self._shown.row(
                mapping, self._connection.scalar(sa.select(self._reject.c.row).where(of_row(self._reject)))
            )
            on = self._mapping.alias("parent")
            found = self._connection.execute(
                sa.select(on.c.name, wait.c.on_key)
                .join(on, on.c.id == wait.c.on_mapping_id)
                .where(of_row(wait))
                .order_by(wait.c.id)
            )
            waits = tuple(
                f"{parent} {self._shown.key_text(self._session.mapping(parent), on_key)}" for parent, on_key in found
            )
        shown = self._shown.key(mapping, key) if key is not None else (self._shown.locator(mapping, ref),)
        return RejectedRow(
            name, shown, state, tuple(RowIssue(*row) for row in issues), values, waits, self._shown.unmasked
        )
