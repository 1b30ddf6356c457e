"""What the ledger keeps of people: who saw what, who chose what, and who released the target."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Text

from migrate.ledger.builder import KEY, Builder


def disclosures(builder: Builder) -> None:
    """Who saw personal values as they are."""
    builder.deed(
        "disclosure",
        Column("command", String(20), nullable=False, comment="explain, lookup, rejects, conflicts"),
        Column("what", Text, nullable=False, comment="the row or record, its key masked as elsewhere"),
        Column("reason", Text, nullable=False),
        comment="Personal values that were shown unmasked: who, when, what and why; only added to",
    )


def choices(builder: Builder) -> None:
    """What people chose for records that were in conflict."""
    builder.deed(
        "resolution",
        Column("mapping_id", Integer, builder.ref("mapping"), nullable=False),
        Column("source_key", KEY, nullable=False),
        Column("run_id", Integer, nullable=False, comment="the run that found the conflict"),
        Column("code", String(40), nullable=False, comment="edited-in-target, record-exists"),
        Column("choice", String(12), nullable=False, comment="keep-target, take-source, adopt"),
        Column("reason", Text, nullable=False),
        Column("target_id", String(36), nullable=False, comment="the record that the choice is about"),
        Column("record_hash", String(32), comment="keep-target: of the source's values that are not written"),
        Column("kept_hash", String(32), comment="keep-target: of the values that stay, over the same columns"),
        Index(None, "mapping_id", "source_key"),
        Index(None, "target_id"),
        comment="Conflicts that people settled: who, when, which way and why; only added to",
    )
    builder.table(
        "adopted",
        Column("made_id", String(36), primary_key=True, comment="id that the mapping gives the record"),
        Column("target_id", String(36), nullable=False, comment="id that the record has in the target"),
        Column("target", String(60), nullable=False),
        comment="Records that we did not make and that people made ours",
    )


def releases(builder: Builder) -> None:
    """Who released the target from a run that was thought dead."""
    builder.deed(
        "unlock",
        Column("run_id", Integer, nullable=False, comment="the run that held the target"),
        Column("held_host", String(200), nullable=False),
        Column("held_pid", Integer, nullable=False),
        Column("held_since", String(26), nullable=False, comment="UTC"),
        Column("reason", Text, nullable=False),
        comment="Targets released by hand: who, when, from which run and why; only added to",
    )
