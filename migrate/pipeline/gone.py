"""Keys that left their relation, and rows without a key of earlier runs: what the end of a reading says of them."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from connectors import id_list
from migrate.ledger.store import now, table
from migrate.pipeline.context import LoadContext
from migrate.pipeline.part import Part


def mark_gone(connection: sa.Connection, context: LoadContext, number: int, gone: list[pl.Series]) -> int:
    """Mark keys as gone, since this run, and return how many; deletes come at the end of the run."""
    id_map = table(connection, "id_map")
    kept = 0
    for keys in gone:
        left = sa.select(id_list(connection, "keys_gone", keys.to_list()).c.id)
        kept += connection.execute(
            sa.update(id_map)
            .where(id_map.c.mapping_id == number, id_map.c.source_key.in_(left))
            .values(state="gone", source_hash=None, run_id=context.run_id)
        ).rowcount
        for name in ("wait", "issue", "reject"):
            ledger = table(connection, name)
            connection.execute(
                sa.delete(ledger).where(ledger.c.mapping_id == number, ledger.c.source_key.in_(left))
            )
    return kept


def drop_old_keyless(connection: sa.Connection, context: LoadContext, number: int, part: Part | None) -> None:
    """Replace rows without a key of earlier runs: every run reads them anew, of a part those that lie in it."""
    for name in ("issue", "reject"):
        ledger = table(connection, name)
        anew = ledger.alias("anew")
        keyless = sa.and_(ledger.c.mapping_id == number, ledger.c.source_key.is_(None))
        old = sa.and_(keyless, ledger.c.run_id != context.run_id)
        if part is not None:
            mine = (anew.c.mapping_id == number, anew.c.run_id == context.run_id)
            read = sa.select(anew.c.row_ref).where(*mine, anew.c.source_key.is_(None))
            old = sa.and_(old, ledger.c.row_ref.in_(read))
        connection.execute(sa.delete(ledger).where(old))


def note_gone(connection: sa.Connection, context: LoadContext, number: int, kept: int) -> None:
    """Write the batch that counts the keys that left the source."""
    batch = table(connection, "batch")
    zeros = {
        column.name: 0
        for column in batch.c
        if column.name
        not in ("id", "run_id", "mapping_id", "phase", "seq", "counters", "committed_at", "gone_kept")
    }
    connection.execute(
        sa.insert(batch).values(
            run_id=context.run_id,
            mapping_id=number,
            phase="gone",
            seq=0,
            gone_kept=kept,
            counters="{}",
            committed_at=now(),
            **zeros,
        )
    )
