"""What a run that goes on asks of its checkpoint before it trusts it."""

from __future__ import annotations

import sqlalchemy as sa

from casemodel import BrokenError
from migrate.ledger.store import table


def refuse_gap(connection: sa.Connection, progress: sa.RowMapping, mapping: str) -> None:
    """Refuse to go on from a checkpoint that does not agree with the batches before it.

    Args:
        progress: the run's row of the mapping.

    Raises:
        BrokenError: RUN-024 batches are missing, or there is a position without batches (exit 8).
    """
    run, batch = progress["run_id"], table(connection, "batch")
    mine = (batch.c.run_id == run, batch.c.mapping_id == progress["mapping_id"], batch.c.phase == "main")
    main = sorted(connection.scalars(sa.select(batch.c.seq).where(*mine)))
    gap = next((place for place, seq in enumerate(main) if seq != place), None)
    if gap is not None:
        raise _broken(f"batch {gap} of run {run} is missing from the ledger, and batch {main[-1]} is there", mapping)
    if progress["position"] is not None and not main:
        raise _broken(f"run {run} has a position in the source, and none of the batches before it", mapping)


def _broken(cause: str, mapping: str) -> BrokenError:
    return BrokenError(
        "RUN-024",
        f"the checkpoint is broken: {cause}",
        hint="Somebody changed the ledger. Restore the target from a backup, or load into an empty one.",
        place=mapping,
    )
