"""The new system's side of drift: records that people edited, made or removed."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import sqlalchemy as sa

from migrate.ledger.tables import ledger_table
from migrate.proof.actual import PAGE, TargetAgain


def target_drift(side: TargetAgain) -> Iterator[pl.DataFrame]:
    """Yield ``id``, ``kind`` (``edited``, ``made`` or ``removed``), ``mapping`` and ``key`` (NULL: no id map knows it).

    Edited are records whose values are no longer what the last run that wrote them wrote; what people chose to keep
    (`conflicts resolve --keep-target`) is not.
    """
    for ids in side.ids():
        page = side.origins(ids["id"])
        made = page.filter(pl.col("mapping").is_null())
        yield made.select("id", pl.lit("made").alias("kind"), "mapping", "key")
        ours = page.filter(pl.col("mapping").is_not_null())
        edited = side.edits(ours["id"]).filter(pl.col("edited")).select("id")
        yield ours.join(edited, on="id", how="semi", maintain_order="left").select(
            "id", pl.lit("edited").alias("kind"), "mapping", "key"
        )
    yield from _removed(side)


def _removed(side: TargetAgain) -> Iterator[pl.DataFrame]:
    record, mapping = (ledger_table(side.target.dialect, name) for name in ("record", "mapping"))
    known = sa.select(mapping.c.id, mapping.c.name).where(mapping.c.target == side.table)
    for number, name in side.target.query(known, ("number", "name")).rows():
        after = ""
        while True:
            statement = (
                sa.select(record.c.record_key, record.c.target_id)
                .where(record.c.mapping_id == int(number), record.c.record_key > after)
                .order_by(record.c.record_key)
                .limit(PAGE)
            )
            page = side.target.query(statement, ("key", "id"))
            if page.is_empty():
                break
            there = side.records(page["id"], ())
            gone = page.join(there, on="id", how="anti", maintain_order="left")
            yield gone.select("id", pl.lit("removed").alias("kind"), pl.lit(name).alias("mapping"), "key")
            after = str(page["key"][-1])
