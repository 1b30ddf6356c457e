"""The outbox of the evidence: entries in the order of the chain, in the transaction of what they tell of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Text

from migrate.ledger.builder import Builder

OUTBOX = "evidence"
HEAD = "evidence_head"


def evidence(builder: Builder) -> None:
    """Add the outbox and the row that whoever appends locks."""
    builder.table(
        OUTBOX,
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("entry_id", String(32), nullable=False, unique=True, comment="what waited elsewhere is chained once"),
        Column("kind", String(32), nullable=False),
        Column("hash", String(64), nullable=False, comment="SHA-256 of the line, which the next entry holds"),
        Column("line", Text, nullable=False, comment="canonical JSON (RFC 8785), without the end of line"),
        comment="Evidence: entries that hold each other's hashes; triggers refuse to change or remove one",
    )
    builder.table(
        HEAD,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("seq", BigInteger, nullable=False),
        Column("hash", String(64), nullable=False),
        Column("at", String(27), nullable=False, comment="UTC; of the last entry"),
        Column("project", String(100), nullable=False, comment="name of the chain, which its first entry made"),
        comment="One row: the end of the chain; it is locked by whoever appends, so that nobody forks the chain",
    )


def evidence_statements(dialect: str) -> list[str]:
    """Return the SQL that makes the outbox append-only, and the row of the head of an empty chain."""
    empty = f"(id, seq, hash, at, project) VALUES (1, 0, '{'0' * 64}', '', '')"
    if dialect == "sqlite":
        return [
            *(
                f"CREATE TRIGGER migration_keep_{OUTBOX}_{event.lower()} BEFORE {event} ON migration_{OUTBOX}"
                f" FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'evidence is only added to'); END"
                for event in ("UPDATE", "DELETE")
            ),
            # INSERT OR REPLACE would delete the row that stands there without asking the trigger.
            f"CREATE TRIGGER migration_keep_{OUTBOX}_insert BEFORE INSERT ON migration_{OUTBOX} FOR EACH ROW"
            f" WHEN EXISTS (SELECT 1 FROM migration_{OUTBOX} WHERE seq = NEW.seq OR entry_id = NEW.entry_id)"
            " BEGIN SELECT RAISE(ABORT, 'evidence is only added to'); END",
            f"INSERT INTO migration_{HEAD} {empty}",
        ]
    refuse = "RAISE EXCEPTION 'evidence is only added to'"
    return [
        f"CREATE FUNCTION migration.keep_{OUTBOX}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse}; END $$",
        *(
            f"CREATE TRIGGER keep_{OUTBOX}_{event.lower()} BEFORE {event} ON migration.{OUTBOX}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION migration.keep_{OUTBOX}()"
            for event in ("UPDATE", "DELETE", "TRUNCATE")
        ),
        f"INSERT INTO migration.{HEAD} {empty}",
    ]


def evidence_triggers(prefix: str) -> list[str]:
    """Return the names of the triggers that every database has."""
    return [f"{prefix}keep_{OUTBOX}_{event}" for event in ("update", "delete")]
