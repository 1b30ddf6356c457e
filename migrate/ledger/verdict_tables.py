"""What was judged: the verdicts of `reconcile`, which gates and the declaration go by."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Text

from migrate.ledger.builder import Builder


def verdicts(builder: Builder) -> None:
    """Every verdict that was given, by whom and over what."""
    builder.deed(
        "verdict",
        Column("verdict", String(12), nullable=False, comment="in_balance, findings"),
        Column("run_id", Integer, comment="the newest run that was not rolled back; NULL: none"),
        Column("environment", String(120)),
        Column("levels", Text, nullable=False, comment="JSON: the levels that ran"),
        Column("lacking", Text, nullable=False, comment="JSON: level that balance needs -> why it is not there"),
        Column("sample", String(20), comment="share of the keys that was compared; NULL: all"),
        Column("mappings", Text, nullable=False, comment="JSON: name, digest of the file, meaning"),
        Column("all_mappings", Integer, nullable=False, comment="1 when no mapping of the workspace was left out"),
        Column("checks", Text, nullable=False, comment="JSON: outcome and counts of each check"),
        Column("findings", Integer, nullable=False),
        Column("waived", Integer, nullable=False, comment="how many of them waivers accept"),
        Column("groups", Text, nullable=False, comment="JSON: id, check, mapping, cause and count of like findings"),
        Column("waivers", Text, nullable=False, comment="JSON: number and status of each waiver"),
        Column("reports", Text, nullable=False, comment="JSON: name and SHA-256 of each report file"),
        comment="Verdicts of reconcile; only added to",
    )
