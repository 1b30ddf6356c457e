"""`explain`: a source row's way to its record, stage by stage (promise 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import UsageError, column_info, show, split_key, tables
from connectors import SqliteTarget
from mappings import CompiledMapping, StageValue
from migrate.ledger.renames import ledger_numbers
from migrate.ledger.store import fully_read, table
from migrate.merged import MergedField, merged_fields
from migrate.pipeline.links import LedgerLinks
from migrate.pipeline.reading import open_reading
from migrate.run import workspace_target
from migrate.session import Session
from migrate.shown import Shown
from migrate.target_values import read_canonical


@dataclass(frozen=True)
class Stage:
    """One stage of a value or field, shown as it may be shown."""

    field: str
    stage: str
    value: str
    issue: str | None


@dataclass(frozen=True)
class Explained:
    """The way of one row."""

    mapping: str
    key: tuple[str, ...]
    state: str
    target: str
    target_id: str | None
    run: int | None
    mapping_digest: str
    meaning: str
    source: tuple[tuple[str, str], ...]
    stages: tuple[Stage, ...]
    record: tuple[tuple[str, str], ...]
    issues: tuple[tuple[str, str, str], ...]
    merged: tuple[MergedField, ...] = ()
    """Of a record that several systems know: which row each field comes from, and what others said."""

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {
            "mapping": self.mapping,
            "key": list(self.key),
            "state": self.state,
            "target": self.target,
            "target_id": self.target_id,
            "run": self.run,
            "mapping_digest": self.mapping_digest,
            "meaning": self.meaning,
            "source": dict(self.source),
            "stages": [{"field": s.field, "stage": s.stage, "value": s.value, "issue": s.issue} for s in self.stages],
            "record": dict(self.record),
            "issues": [{"severity": severity, "field": field, "code": code} for severity, field, code in self.issues],
            "merged": [each.as_dict() for each in self.merged],
        }


def explain(session: Session, name: str, key_text: str) -> Explained:
    """Explain one source row: raw values, each stage, the record now.

    Args:
        key_text: the key, its parts joined by ``|``, or as shown by other commands (a token for a personal key).

    Raises:
        UsageError: RUN-011 unknown mapping, EXP-001 the source has no such row.
    """
    (name,) = session.selected([name])
    mapping = session.mapping(name)
    target = workspace_target(session.workspace)
    try:
        return _explained(session, mapping, target, key_text)
    finally:
        target.close()


def _explained(session: Session, mapping: CompiledMapping, target: SqliteTarget, key_text: str) -> Explained:
    shown = Shown(session)
    prepared = _row(session, mapping, shown, key_text)
    key = str(prepared["_key"][0])
    with target.engine.connect() as connection:
        id_map, issue = (table(connection, each) for each in ("id_map", "issue"))
        numbers = ledger_numbers(connection, (session.mapping(each) for each in session.check.order))
        number = numbers.get(mapping.name, -1)
        state = connection.execute(
            sa.select(id_map.c.state, id_map.c.target_id, id_map.c.run_id).where(
                id_map.c.mapping_id == number, id_map.c.source_key == key
            )
        ).first()
        issues = connection.execute(
            sa.select(issue.c.severity, issue.c.field, issue.c.code)
            .where(issue.c.mapping_id == number, issue.c.source_key == key)
            .order_by(issue.c.id)
        ).all()
        target_id = state.target_id if state else None
        record = _record(session, connection, mapping, target_id)
        merged = merged_fields(session, connection, mapping, numbers, target_id)
        full = fully_read(connection)
    by_record = frozenset(each for each in session.check.order if session.mapping(each).records_by_group)
    personal = _personal_values(mapping, prepared, shown)
    stages = mapping.explain(prepared, LedgerLinks(target, numbers, by_record, full))
    return Explained(
        mapping.name,
        shown.key(mapping, key),
        state.state if state else "not loaded yet",
        mapping.target,
        target_id,
        state.run_id if state else None,
        mapping.file_digest,
        mapping.meaning,
        _source(session, mapping, prepared, shown),
        tuple(_stage(session, mapping, personal, each) for each in stages),
        record,
        tuple((row.severity, row.field, row.code) for row in issues),
        merged,
    )


def _row(session: Session, mapping: CompiledMapping, shown: Shown, key_text: str) -> pl.DataFrame:
    """Find the row by its key, with the other rows of its group behind it."""
    source = session.source(mapping.system)
    wanted = key_text
    if shown.key_is_personal(mapping):
        tokens = tuple(split_key(key_text))
        for frame in source.columns(mapping.relation, mapping.key_columns, 200_000):
            keys = mapping.keys_only(frame)["_key"].drop_nulls().unique()
            found = next((key for key in keys if key == key_text or shown.key(mapping, key) == tokens), None)
            if found is not None:
                wanted = found
                break
    reading = open_reading(source, mapping, 50_000)
    try:
        for batch in reading.batches():
            hit = batch.prepared.filter(pl.col("_key") == wanted)
            if hit.height:
                first = hit.head(1)
                if first["_group"][0] is None:
                    return first
                same = pl.col("_group") == first["_group"][0]
                others = batch.prepared.filter(same & (pl.col("_row") != first["_row"][0]))
                return pl.concat([first, others])
    finally:
        reading.close()
    raise UsageError(
        "EXP-001",
        "the source has no row with this key",
        place=mapping.name,
        hint="Copy the key from `omnicase rejects list` or the report; parts are joined by |.",
    )


def _record(
    session: Session, connection: sa.Connection, mapping: CompiledMapping, target_id: str | None
) -> tuple[tuple[str, str], ...]:
    if target_id is None:
        return ()
    found = read_canonical(connection, mapping.target, list(mapping.fields), tables[mapping.target].c.id == target_id)
    if found.is_empty():
        return ()
    key = session.workspace.secrets.mask_key
    return tuple(
        (name, show(value, personal=bool(column_info(mapping.target, name)["personal"]), key=key))
        for name, value in found.row(0, named=True).items()
        if name != "id"
    )


def _source(
    session: Session, mapping: CompiledMapping, prepared: pl.DataFrame, shown: Shown
) -> tuple[tuple[str, str], ...]:
    key = session.workspace.secrets.mask_key
    return tuple(
        (name, show(value, personal=shown.personal(mapping, name), key=key))
        for name, value in prepared.row(0, named=True).items()
        if not name.startswith("_") and isinstance(value, str)
    )


def _stage(session: Session, mapping: CompiledMapping, personal: frozenset[str], stage: StageValue) -> Stage:
    """Mask a stage's value unless its column of the model may be shown and no personal value of the row is in it."""
    key = session.workspace.secrets.mask_key
    open_column = stage.field in mapping.fields and not column_info(mapping.target, stage.field)["personal"]
    bare = _bare(stage.value or "")
    taken = any(value in bare or (len(bare) >= _TELLING and bare in value) for value in personal)
    return Stage(stage.field, stage.stage, show(stage.value, personal=not open_column or taken, key=key), stage.issue)


_TELLING = 3
"""Shorter texts say nothing of a person, and would be found in everything."""


def _personal_values(mapping: CompiledMapping, prepared: pl.DataFrame, shown: Shown) -> frozenset[str]:
    """Return the row's personal values, bare: stages may have taken signs out or changed their case."""
    values = [
        _bare(value)
        for name, value in prepared.row(0, named=True).items()
        if not name.startswith("_") and isinstance(value, str) and shown.personal(mapping, name)
    ]
    return frozenset(value for value in values if len(value) >= _TELLING)


def _bare(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
