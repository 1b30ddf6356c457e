"""Waivers: what was proposed, by whom, and what others did with it; only added to."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Text

from migrate.ledger.builder import Builder


def waivers(builder: Builder) -> None:
    """Differences that somebody proposed to accept, and the approvals and revocations of that."""
    builder.deed(
        "waiver",
        Column("check_name", String(60), nullable=False),
        Column("mapping", Text, nullable=False, comment="a name, or names joined by ' + '"),
        Column("group_id", String(12), comment="of a group of findings; NULL: findings with one of the keys"),
        Column("keys", Text, nullable=False, comment="JSON: keys as they are shown, personal ones as tokens"),
        Column("maximum", Integer, nullable=False, comment="more findings, and it no longer counts"),
        Column("meaning", String(64), nullable=False, comment="digest of the mapping's meaning in that verdict"),
        Column("until", String(10), nullable=False, comment="the last day on which it counts"),
        Column("reason", Text, nullable=False),
        Column("person", String(200), nullable=False, comment="who proposed it, as they named themselves or signed"),
        Column("owner", Text, nullable=False, comment="who owned the mapping then, and may not approve"),
        Column("verdict_id", Integer, builder.ref("verdict"), nullable=False, comment="in which it was found"),
        Column("signature", Text, comment="JSON: key and signature; NULL: nobody had a key"),
        comment="Proposals to accept findings: what, why, until when; only added to",
    )
    builder.deed(
        "waiver_event",
        Column("waiver_id", Integer, builder.ref("waiver"), nullable=False),
        Column("event", String(10), nullable=False, comment="approved, revoked"),
        Column("person", String(200), nullable=False),
        Column("reason", Text, comment="of a revocation"),
        Column("signature", Text, comment="JSON: key and signature; NULL: nobody had a key"),
        comment="What others did with a proposal: who, when; only added to",
    )
