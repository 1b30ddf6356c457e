"""What was purged: who, when, how much, with a keyed digest of what is gone."""

from __future__ import annotations

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, Text

from migrate.ledger.builder import Builder


def purges(builder: Builder) -> None:
    """Add what was purged, and the runs that can no longer be rolled back because of it."""
    builder.deed(
        "purge",
        Column("before", String(10), comment="runs that ended before this day, UTC"),
        Column("wave", String(40)),
        Column("removed", Text, nullable=False, comment="JSON: by table how many rows, and a keyed digest of them"),
        comment="Personal data that the ledger no longer holds; only added to",
    )
    builder.table(
        "purged_run",
        Column("run_id", Integer, builder.ref("run"), nullable=False),
        Column("purge_id", Integer, builder.ref("purge"), nullable=False),
        PrimaryKeyConstraint("run_id", "purge_id"),
        comment="Runs whose before-images are gone: they cannot be rolled back",
    )
