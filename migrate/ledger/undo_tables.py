"""What `rollback` needs: how rows were before a run changed them, and how far a rollback is (docs/decisions/019).

A row that a run makes names the run and has no before-image; a row of an earlier run is kept, by a trigger of the
database, the first time that a run changes or removes it.  A first load keeps nothing.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from migrate.ledger.builder import KEY, Builder

TWINS = ("id_map", "record", "contribution", "linked", "leftover", "other_key", "issue", "reject", "wait")
"""The tables of the ledger that a rollback restores; each has a twin, ``before_<name>``."""
UNDO_RUN = "undo_run"


def before_images(builder: Builder, originals: dict[str, Table]) -> None:
    """Add the twins, and the images of records of the target.

    Args:
        originals: the tables of `TWINS` by name.
    """
    for name in TWINS:
        original = originals[name]
        twin = builder.table(
            f"before_{name}",
            Column(UNDO_RUN, Integer, nullable=False, comment="the run that changed or removed the row first"),
            *(Column(each.name, each.type, nullable=each.nullable) for each in original.columns),
            PrimaryKeyConstraint(UNDO_RUN, *(each.name for each in original.primary_key.columns)),
            rowid=False,
            comment=f"Rows of {name} as they were before a run",
        )
        if name in ("id_map", "record"):
            Index(None, twin.c.undo_run, twin.c.target_id)
    builder.table(
        "before_row",
        Column(UNDO_RUN, Integer, nullable=False),
        Column("target", String(60), nullable=False),
        Column("target_id", String(36), nullable=False),
        Column("kind", String(8), nullable=False, comment="write: the whole record; close: the closing columns"),
        Column("row", Text, nullable=False, comment="JSON: columns as text; personal data"),
        PrimaryKeyConstraint(UNDO_RUN, "target", "target_id", "kind"),
        rowid=False,
        comment="Records of the target as they were before a run",
    )


def rollbacks(builder: Builder) -> None:
    """Add what a rollback has to do, does, and spares."""
    builder.table(
        "undo",
        Column("run_id", Integer, builder.ref("run"), nullable=False),
        Column("target", String(60), nullable=False),
        Column("target_id", String(36), nullable=False),
        Column("action", String(8), nullable=False, comment="remove, restore, make"),
        Column("mapping_id", Integer, builder.ref("mapping"), nullable=False),
        Column("record_key", KEY, nullable=False),
        Column("root", String(36), comment="the case, contact or ticket that it belongs to; NULL: none"),
        Column("spared", String(12), comment="why it stays as it is; NULL: it does not"),
        Column("done", Integer, nullable=False),
        PrimaryKeyConstraint("run_id", "target", "target_id"),
        Index(None, "run_id", "root"),
        Index(None, "target_id"),
        rowid=False,
        comment="Records that a rollback takes back or spares; those spared stay listed",
    )
    builder.table(
        "undo_key",
        Column("run_id", Integer, builder.ref("run"), nullable=False),
        Column("mapping_id", Integer, builder.ref("mapping"), nullable=False),
        Column("source_key", KEY, nullable=False),
        PrimaryKeyConstraint("run_id", "mapping_id", "source_key"),
        rowid=False,
        comment="Source keys of spared records: the ledger keeps what the run made of them",
    )
