"""The entry of a batch in the evidence, written in the batch's own transaction."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from migrate.evidence.record import record
from migrate.pipeline.context import LoadContext


def record_batch(
    connection: sa.Connection, context: LoadContext, number: int, phase: str, seq: int, counts: Mapping[str, int]
) -> None:
    """Add the entry of a batch: which it is, and its books without the zeros."""
    name = next(name for name, known in context.mapping_ids.items() if known == number)
    books = {column: count for column, count in counts.items() if count}
    record(connection, "batch", {"run": context.run_id, "mapping": name, "phase": phase, "batch": seq, "books": books})
