"""Taking the ledger back: every row of an earlier run as it was, every row of this run away, but for what is spared."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa

from migrate.evidence.record import record
from migrate.ledger.store import UNDONE, now, table, upsert
from migrate.ledger.undo import ROLLED_BACK
from migrate.ledger.undo_tables import TWINS, UNDO_RUN


def note_spared_keys(connection: sa.Connection, run_id: int) -> None:
    """Write down the source rows of spared records: the ledger keeps what the run made of them."""
    undo, kept, id_map = (table(connection, name) for name in ("undo", "undo_key", "id_map"))
    spared = sa.select(undo.c.target_id).where(undo.c.run_id == run_id, undo.c.spared.is_not(None))
    known = sa.exists().where(
        kept.c.run_id == run_id, kept.c.mapping_id == id_map.c.mapping_id, kept.c.source_key == id_map.c.source_key
    )
    if connection.scalar(spared.limit(1)) is None:
        return
    keys = sa.select(sa.literal(run_id), id_map.c.mapping_id, id_map.c.source_key)
    select = keys.where(id_map.c.target_id.in_(spared), ~known)
    connection.execute(sa.insert(kept).from_select(["run_id", "mapping_id", "source_key"], select))


def parts(connection: sa.Connection) -> Iterator[tuple[str, int]]:
    """Yield the parts in which the ledger is restored, table and mapping; each is one transaction."""
    numbers = connection.scalars(sa.select(table(connection, "mapping").c.id).order_by("id")).all()
    for name in TWINS:
        for number in numbers:
            yield name, number


def restore(connection: sa.Connection, run_id: int, name: str, number: int) -> None:
    """Restore the rows that a table has of a mapping; doing it twice does nothing more."""
    kept, before = table(connection, name), table(connection, f"before_{name}")
    stays = _stays(connection, run_id, kept)
    connection.execute(sa.delete(kept).where(kept.c.mapping_id == number, kept.c.run_id == run_id, ~stays))
    names = [column.name for column in kept.columns]
    of_spared = _stays(connection, run_id, before)
    if name == "contribution":
        now_there = kept.alias("now_there")
        same = sa.and_(now_there.c.mapping_id == before.c.mapping_id, now_there.c.source_key == before.c.source_key)
        of_spared = sa.or_(of_spared, sa.exists().where(same, _stays(connection, run_id, now_there)))
    select = sa.select(*(before.c[column] for column in names)).where(
        before.c[UNDO_RUN] == run_id, before.c.mapping_id == number, ~of_spared
    )
    upsert(connection, kept, names, select)


def _stays(connection: sa.Connection, run_id: int, rows: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition for rows that stay with what is spared: with its record, or with its source rows."""
    if "source_key" not in rows.c or "lead_key" in rows.c:
        undo = table(connection, "undo")
        spared = sa.select(undo.c.target_id).where(undo.c.run_id == run_id, undo.c.spared.is_not(None))
        return rows.c.target_id.in_(spared)
    kept = table(connection, "undo_key")
    same = sa.and_(kept.c.mapping_id == rows.c.mapping_id, kept.c.source_key == rows.c.source_key)
    return sa.exists().where(kept.c.run_id == run_id, same)


def finish(connection: sa.Connection, run_id: int, os_user: str, reason: str | None) -> None:
    """Say that the run is rolled back, and drop what was kept for that."""
    run, progress, mapping, undo = (table(connection, name) for name in ("run", "progress", "mapping", "undo"))
    values = {"state": UNDONE, "full_read": 0, "position": None}
    connection.execute(sa.update(progress).where(progress.c.run_id == run_id).values(**values))
    _meanings_of_before(connection, run_id)
    command = json.loads(connection.scalar(sa.select(run.c.command).where(run.c.id == run_id)) or "{}")
    for old, new in command.get("renamed", []):
        connection.execute(sa.update(mapping).where(mapping.c.name == new).values(name=old))
    for name in (*TWINS, "row"):
        before = table(connection, f"before_{name}")
        connection.execute(sa.delete(before).where(before.c[UNDO_RUN] == run_id))
    connection.execute(sa.delete(undo).where(undo.c.run_id == run_id, undo.c.spared.is_(None)))
    keys = table(connection, "undo_key")
    connection.execute(sa.delete(keys).where(keys.c.run_id == run_id))
    done = {"state": ROLLED_BACK, "undone_at": now(), "undone_by": os_user, "undone_reason": reason}
    connection.execute(sa.update(run).where(run.c.id == run_id).values(**done))
    record(connection, "rolled-back", {"run": run_id})


def _meanings_of_before(connection: sa.Connection, run_id: int) -> None:
    """Let the ledger say of each mapping what it meant in the last run that stands."""
    progress, mapping = table(connection, "progress"), table(connection, "mapping")
    of_run = sa.select(progress.c.mapping_id).where(progress.c.run_id == run_id)
    meaning = (
        sa.select(progress.c.meaning)
        .where(progress.c.mapping_id == mapping.c.id, progress.c.state != UNDONE)
        .order_by(progress.c.run_id.desc())
        .limit(1)
        .correlate(mapping)
        .scalar_subquery()
    )
    values = {"meaning": sa.func.coalesce(meaning, mapping.c.meaning)}
    connection.execute(sa.update(mapping).where(mapping.c.id.in_(of_run)).values(values))
