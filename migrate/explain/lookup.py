"""`lookup`: from a record in the target back to the source rows that made it."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa

from casemodel import UsageError, tables
from migrate.disclosure import disclose
from migrate.explain.merged import MergedField, merged_fields, merged_lines
from migrate.explain.row import record_now, source_of
from migrate.ledger.renames import ledger_numbers
from migrate.ledger.store import table
from migrate.session import Session
from migrate.shown import Shown
from migrate.target.opened import workspace_target

_MOST_ROWS = 20
"""So many source rows are read back; the others are counted."""


@dataclass(frozen=True)
class Origin:
    """A source row that made the record, or went into it.

    source: column and value, masked; empty when the row is no longer in the source.
    meaning, file_digest: version of the mapping that wrote it; changed: the mapping means something else by now.
    """

    mapping: str
    key: tuple[str, ...]
    state: str
    run: int
    started_at: str
    program: str
    file_digest: str
    meaning: str
    changed: bool
    source: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Looked:
    """A record, and where it comes from.  more: source rows that are not shown."""

    table: str
    id: str
    record: tuple[tuple[str, str], ...]
    origins: tuple[Origin, ...]
    more: int
    merged: tuple[MergedField, ...] = ()
    """Of a record that several systems know: which row each field comes from, and what others said."""

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        origins = [asdict(each) | {"key": list(each.key), "source": dict(each.source)} for each in self.origins]
        merged = [each.as_dict() for each in self.merged]
        answer = {"table": self.table, "id": self.id, "record": dict(self.record), "origins": origins}
        return {**answer, "more": self.more, "merged": merged}


def lookup(session: Session, table_name: str, record_id: str, reason: str | None = None) -> Looked:
    """Find the source rows of a record of the target.

    Args:
        reason: why personal values are to be shown as they are, which is recorded; None masks them.

    Raises:
        UsageError: LKP-001 no such table, LKP-002 not an id, LKP-003 nothing in the target or ledger has this id.
    """
    if table_name not in tables:
        near = difflib.get_close_matches(table_name, tables, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Tables: {', '.join(sorted(tables))}."
        raise UsageError("LKP-001", f"the target has no table '{table_name}'", hint=hint)
    try:
        wanted = str(uuid.UUID(record_id.strip()))
    except ValueError:
        raise UsageError(
            "LKP-002", "this is not an id of the target", hint="Copy the id (a UUID) from the target."
        ) from None
    shown = Shown(session, unmasked=reason is not None)
    names = [column.name for column in tables[table_name].columns if column.name != "id"]
    target = workspace_target(session.workspace)
    try:
        with target.engine.connect() as connection:
            record = record_now(connection, table_name, names, wanted, shown)
            rows = _rows(connection, table_name, wanted)
            merged = _merged(session, connection, rows, wanted, shown)
        if not record and not rows:
            raise UsageError(
                "LKP-003",
                f"no record of {table_name} has this id, nor did omnicase ever write one",
                hint="Check table and id; records that others made in the target have no source row.",
            )
        if reason is not None:
            with target.engine.connect() as connection:
                disclose(connection, "lookup", f"{table_name} {wanted}", reason)
    finally:
        target.close()
    origins = tuple(_origin(session, shown, row) for row in rows[:_MOST_ROWS])
    return Looked(table_name, wanted, record, origins, max(0, len(rows) - _MOST_ROWS), merged)


def _merged(
    session: Session, connection: sa.Connection, rows: list[Any], record_id: str, shown: Shown
) -> tuple[MergedField, ...]:
    names = [row.name for row in rows if row.name in session.files]
    if not names:
        return ()
    numbers = ledger_numbers(connection, (session.mapping(each) for each in session.check.order))
    return merged_fields(session, connection, session.mapping(names[0]), numbers, record_id, shown)


def _rows(connection: sa.Connection, table_name: str, record_id: str) -> list[Any]:
    known, id_map, run, progress = (table(connection, each) for each in ("mapping", "id_map", "run", "progress"))
    return list(
        connection.execute(
            sa.select(
                known.c.name,
                id_map.c.source_key,
                id_map.c.state,
                id_map.c.run_id,
                run.c.started_at,
                run.c.program,
                progress.c.file_digest,
                progress.c.meaning,
            )
            .select_from(id_map)
            .join(known, known.c.id == id_map.c.mapping_id)
            .join(run, run.c.id == id_map.c.run_id, isouter=True)
            .join(
                progress,
                sa.and_(progress.c.run_id == id_map.c.run_id, progress.c.mapping_id == id_map.c.mapping_id),
                isouter=True,
            )
            .where(known.c.target == table_name, id_map.c.target_id == record_id)
            .order_by(known.c.name, id_map.c.source_key)
        )
    )


def _origin(session: Session, shown: Shown, row: Any) -> Origin:
    version = (row.started_at or "", row.program or "", row.file_digest or "", row.meaning or "")
    if row.name not in session.files:
        return Origin(row.name, ("?",), row.state, row.run_id, *version, True, ())
    mapping = session.mapping(row.name)
    try:
        source = source_of(session, mapping, row.source_key, shown)
    except UsageError:  # the row has left the source
        source = ()
    key = shown.key(mapping, row.source_key)
    return Origin(row.name, key, row.state, row.run_id, *version, row.meaning != mapping.meaning, source)


_WORDS: Final[dict[str, tuple[str, str]]] = {
    "gone": ("dit record staat nu niet in het doel", "this record is not in the target now"),
    "none": (
        "geen bronrij: omnicase heeft dit record niet geschreven",
        "no source row: omnicase did not write this record",
    ),
    "from": ("uit {mapping}  {key}  {state}", "from {mapping}  {key}  {state}"),
    "run": (
        "het laatst veranderd door run {run} van {at}, omnicase {program}",
        "last changed by run {run} of {at}, omnicase {program}",
    ),
    "version": ("mappingbestand {file}, betekenis {meaning}", "mapping file {file}, meaning {meaning}"),
    "later": (" (de mapping betekent inmiddels iets anders)", " (the mapping means something else by now)"),
    "left": ("deze rij staat niet meer in de bron", "this row is no longer in the source"),
    "next": ("Verder: omnicase explain {mapping} '{key}'", "Next: omnicase explain {mapping} '{key}'"),
    "more": ("en nog {n} bronrijen", "and {n} more source rows"),
}


def lookup_lines(found: Looked, lang: str) -> Iterator[str]:
    """Return the answer for a terminal."""
    yield f"{found.table} {found.id}"
    if not found.record:
        yield f"  {_word(lang, 'gone')}"
    for name, value in found.record:
        yield f"  {name:<24} {value}"
    if not found.origins:
        yield _word(lang, "none")
    for each in found.origins:
        yield _word(lang, "from", mapping=each.mapping, key="|".join(each.key), state=each.state)
        yield f"  {_word(lang, 'run', run=each.run, at=each.started_at, program=each.program)}"
        version = _word(lang, "version", file=each.file_digest[:12], meaning=each.meaning[:12])
        yield f"  {version}{_word(lang, 'later') if each.changed else ''}"
        for name, value in each.source:
            yield f"  {name:<24} {value}"
        if not each.source:
            yield f"  {_word(lang, 'left')}"
    yield from merged_lines(found.merged, lang)
    if found.origins:
        each = found.origins[0]
        yield _word(lang, "next", mapping=each.mapping, key="|".join(each.key))
    if found.more:
        yield _word(lang, "more", n=found.more)


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
