"""`explain`: a source row's way to its record, stage by stage (promise 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import Target, UsageError, column_info, tables
from mappings import CompiledMapping, StageValue, stage_values, tolerances_of
from migrate.disclosure import disclose
from migrate.explain.merged import MergedField, merged_fields
from migrate.ledger.renames import ledger_numbers
from migrate.ledger.store import fully_read, table
from migrate.pipeline.links import LedgerLinks
from migrate.pipeline.reading import open_reading
from migrate.session import Session
from migrate.shown import Shown
from migrate.target.opened import workspace_target
from migrate.target.values import read_canonical


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
    unmasked: bool = False
    waits: tuple[str, ...] = ()
    tolerances: tuple[tuple[str, str], ...] = ()
    """Fields whose values may differ when reconciling, and by how much."""
    """Mapping and key of each record that the row waits for."""

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
            "unmasked": self.unmasked,
            "waits_for": list(self.waits),
            "tolerances": dict(self.tolerances),
        }


def explain(session: Session, name: str, key_text: str, reason: str | None = None) -> Explained:
    """Explain one source row: raw values, each stage, the record now.

    Args:
        key_text: the key, its parts joined by ``|``, or as shown by other commands (a token for a personal key).
        reason: why personal values are to be shown as they are, which is recorded; None masks them.

    Raises:
        UsageError: RUN-011 unknown mapping, EXP-001 the source has no such row.
    """
    (name,) = session.selected([name])
    mapping = session.mapping(name)
    target = workspace_target(session.workspace)
    try:
        prepared = _row(session, mapping, Shown(session), key_text)
        key = str(prepared["_key"][0])
        if reason is not None:
            with target.engine.connect() as connection:
                disclose(connection, "explain", f"{name} {Shown(session).key_text(mapping, key)}", reason)
        return _explained(session, mapping, target, prepared, Shown(session, unmasked=reason is not None))
    finally:
        target.close()


def _explained(
    session: Session, mapping: CompiledMapping, target: Target, prepared: pl.DataFrame, shown: Shown
) -> Explained:
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
        waits = _waits(session, connection, number, key, shown)
        target_id = state.target_id if state else None
        record = record_now(connection, mapping.target, mapping.fields, target_id, shown)
        merged = merged_fields(session, connection, mapping, numbers, target_id, shown)
        full = fully_read(connection)
    by_record = frozenset(each for each in session.check.order if session.mapping(each).records_by_group)
    links = LedgerLinks(target, numbers, by_record, full)
    return Explained(
        mapping.name,
        shown.key(mapping, key),
        state.state if state else "not loaded yet",
        mapping.target,
        target_id,
        state.run_id if state else None,
        mapping.file_digest,
        mapping.meaning,
        _source(mapping, prepared, shown),
        stages_of(mapping, prepared, links, shown),
        record,
        tuple((row.severity, row.field, row.code) for row in issues),
        merged,
        shown.unmasked,
        waits,
        tuple((name, each.text) for name, each in tolerances_of(session.files[mapping.name]).items()),
    )


def _waits(session: Session, connection: sa.Connection, number: int, key: str, shown: Shown) -> tuple[str, ...]:
    wait, on = table(connection, "wait"), table(connection, "mapping")
    rows = connection.execute(
        sa.select(on.c.name, wait.c.on_key)
        .join(on, on.c.id == wait.c.on_mapping_id)
        .where(wait.c.mapping_id == number, wait.c.source_key == key)
        .order_by(wait.c.id)
    )
    there = [(row.name, row.on_key) for row in rows if row.name in session.files]
    return tuple(f"{name} {shown.key_text(session.mapping(name), on_key)}" for name, on_key in there)


def source_of(session: Session, mapping: CompiledMapping, key: str, shown: Shown) -> tuple[tuple[str, str], ...]:
    """Return the source row of a key, as it may be shown.

    Raises:
        UsageError: EXP-001 the source has no such row.
    """
    return _source(mapping, _row(session, mapping, shown, key), shown)


def _row(session: Session, mapping: CompiledMapping, shown: Shown, key_text: str) -> pl.DataFrame:
    """Find the row by its key as it is shown, with the other rows of its group behind it."""
    source = session.source(mapping.system)
    wanted = key_text
    if shown.key_is_personal(mapping):
        for frame in source.columns(mapping.relation, mapping.key_columns, 200_000):
            keys = mapping.keys_only(frame)["_key"].drop_nulls().unique()
            found = next((key for key in keys if shown.is_key(mapping, key, key_text)), None)
            if found is not None:
                wanted = found
                break
    row = row_of(session, mapping, wanted)
    if row is None:
        raise UsageError(
            "EXP-001",
            "the source has no row with this key",
            place=mapping.name,
            hint="Copy the key from `omnicase rejects list` or the report; parts are joined by |.",
        )
    return row


def row_of(session: Session, mapping: CompiledMapping, key: str) -> pl.DataFrame | None:
    """Return the row of a canonical key, with the other rows of its group behind it; None when the source has none."""
    reading = open_reading(session.source(mapping.system), mapping, 50_000)
    try:
        for batch in reading.batches():
            hit = batch.prepared.filter(pl.col("_key") == key)
            if hit.height:
                first = hit.head(1)
                if first["_group"][0] is None:
                    return first
                same = pl.col("_group") == first["_group"][0]
                others = batch.prepared.filter(same & (pl.col("_row") != first["_row"][0]))
                return pl.concat([first, others])
    finally:
        reading.close()
    return None


def record_now(
    connection: sa.Connection, table_name: str, fields: Sequence[str], target_id: str | None, shown: Shown
) -> tuple[tuple[str, str], ...]:
    """Return the fields of a record of the target as they may be shown; nothing when it is not there."""
    if target_id is None:
        return ()
    found = read_canonical(connection, table_name, list(fields), tables[table_name].c.id == target_id)
    if found.is_empty():
        return ()
    return tuple(
        (name, shown.value(value, personal=bool(column_info(table_name, name)["personal"])))
        for name, value in found.row(0, named=True).items()
        if name != "id"
    )


def stages_of(mapping: CompiledMapping, prepared: pl.DataFrame, links: LedgerLinks, shown: Shown) -> tuple[Stage, ...]:
    """Return every stage of the first row of a frame as it may be shown."""
    personal = _personal_values(mapping, prepared, shown)
    return tuple(_stage(mapping, personal, each, shown) for each in stage_values(mapping, prepared, links))


def _source(mapping: CompiledMapping, prepared: pl.DataFrame, shown: Shown) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, shown.value(value, personal=shown.personal(mapping, name)))
        for name, value in prepared.row(0, named=True).items()
        if (name.startswith("_doc_") or not name.startswith("_")) and isinstance(value, str)
    )


def _stage(mapping: CompiledMapping, personal: frozenset[str], stage: StageValue, shown: Shown) -> Stage:
    """Mask a stage's value unless it may be shown.

    What is made of columns that may be shown may be shown, but for personal columns of the model; so may other fields
    of the model in which there is no personal value of the row.
    """
    is_field = stage.field in mapping.fields
    bare = _bare(stage.value or "")
    sources = mapping.fine().made_of.get(stage.field)
    harmless = sources is not None and not any(shown.personal(mapping, name) for name in sources)
    taken = any(value in bare or (len(bare) >= _TELLING and bare in value) for value in personal)
    secret = is_field and bool(column_info(mapping.target, stage.field)["personal"])
    value = shown.value(stage.value, personal=secret or not (harmless or (is_field and not taken)))
    return Stage(stage.field, stage.stage, value, stage.issue)


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
