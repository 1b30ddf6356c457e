"""The ledger: all state about runs, kept in the target database so that it commits with the data.

On PostgreSQL the tables stand in the schema ``migration``; on SQLite they are named ``migration_…``.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from casemodel import OUTCOMES
from migrate.ledger.builder import KEY, NAMING, Builder
from migrate.ledger.evidence_tables import evidence
from migrate.ledger.people_tables import choices, disclosures, releases
from migrate.ledger.purge_tables import purges
from migrate.ledger.undo_tables import TWINS, before_images, rollbacks
from migrate.ledger.verdict_tables import verdicts
from migrate.ledger.waiver_tables import waivers

ROW_TABLES = ("id_map", "record", "contribution", "linked", "other_key", "issue", "reject", "wait")
"""The tables that hold as many rows as the sources do."""


@cache
def ledger_metadata(dialect: str) -> MetaData:
    """Build the ledger's tables for a dialect (``sqlite`` or ``postgresql``)."""
    schema = "migration" if dialect == "postgresql" else None
    builder = Builder(MetaData(schema=schema, naming_convention=NAMING), "" if schema else "migration_")
    _runs(builder)
    _progress(builder)
    _waves(builder)
    _keys(builder)
    _shared(builder)
    _other_keys(builder)
    _exceptions(builder)
    disclosures(builder)
    choices(builder)
    releases(builder)
    originals = {name: ledger_named(builder.metadata, name) for name in TWINS}
    before_images(builder, originals)
    rollbacks(builder)
    purges(builder)
    evidence(builder)
    verdicts(builder)
    waivers(builder)
    return builder.metadata


def _runs(builder: Builder) -> None:
    """Facts of the ledger, runs and the lock."""
    builder.table(
        "meta",
        Column("name", String(40), primary_key=True),
        Column("value", Text, nullable=False),
        comment="Facts of the whole ledger: fingerprint of the namespace",
    )
    builder.table(
        "run",
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column(
            "state",
            String(12),
            nullable=False,
            comment="running, completed, interrupted, failed, stopped, abandoned, rolling_back, rolled_back",
        ),
        Column("started_at", String(26), nullable=False, comment="UTC"),
        Column("ended_at", String(26), comment="UTC"),
        Column("as_of", String(10), nullable=False, comment="what 'today' is in mappings"),
        Column("label", Text),
        Column("reason", Text),
        Column("program", String(40), nullable=False),
        Column(
            "plan_digest",
            String(64),
            nullable=False,
            comment="digest of what is run: mappings, meaning, target revision",
        ),
        Column("command", Text, nullable=False, comment="JSON: mappings asked for and options"),
        Column("host", String(200), nullable=False),
        Column("pid", Integer, nullable=False),
        Column("os_user", String(200), nullable=False),
        Column("model_revision", String(32), nullable=False, comment="of the target when the run began"),
        Column("undone_at", String(26), comment="UTC: when it was rolled back"),
        Column("undone_by", String(200)),
        Column("undone_reason", Text),
        Column("retries", Integer, nullable=False, default=0, comment="what was tried again after a lost connection"),
        comment="One invocation that loads",
    )
    builder.table(
        "lock",
        Column("id", Integer, primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("run_id", Integer),
        Column("host", String(200)),
        Column("pid", Integer),
        Column("taken_at", String(26)),
        Column("images_of", Integer, comment="the run whose before-images the triggers keep; NULL: none"),
        comment="One row: who may write; every batch checks its epoch",
    )


def _progress(builder: Builder) -> None:
    """How far runs are, and their books."""
    builder.table(
        "mapping",
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("name", String(120), nullable=False, unique=True),
        Column("id_name", String(120), nullable=False, comment="name it had first, which stays in the target ids"),
        Column("target", String(60), nullable=False),
        Column("meaning", String(64), nullable=False),
        comment="Numbers for mappings, so that the id map stays small",
    )
    builder.table(
        "progress",
        Column("run_id", Integer, builder.ref("run"), nullable=False),
        Column("mapping_id", Integer, builder.ref("mapping"), nullable=False),
        Column("state", String(8), nullable=False, comment="reading, read, done, undone"),
        Column("file_digest", String(64), nullable=False),
        Column("meaning", String(64), nullable=False),
        Column(
            "fingerprint", String(200), nullable=False, comment="of the source relation when the run began to read it"
        ),
        Column("form", Text, nullable=False, comment="JSON: relation -> [column, type], as the run found them"),
        Column("content", String(64), comment="digest of all its rows then; NULL: unknown, or others when it went on"),
        Column("position", Text, comment="checkpoint: the source's position after the last committed batch"),
        Column("full_read", Integer, nullable=False, comment="1 when every key of the relation is read"),
        Column("cursor_by", String(64), comment="digest of how the cursor is declared"),
        Column("cursor_low", Text, comment="first value of the cursor that is read; NULL: all rows are"),
        Column("cursor_high", Text, comment="last value of the cursor that is not in the future"),
        PrimaryKeyConstraint("run_id", "mapping_id"),
        comment="How far a run is with a mapping",
    )
    builder.table(
        "batch",
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("run_id", Integer, builder.ref("run"), nullable=False),
        Column("mapping_id", Integer, builder.ref("mapping"), nullable=False),
        Column("phase", String(12), nullable=False, comment="main, retry, gone, deletes or standing"),
        Column("seq", Integer, nullable=False),
        Column("source_rows", BigInteger, nullable=False, comment="physical rows; read counts rows x slots"),
        Column("read", BigInteger, nullable=False),
        *(Column(name, BigInteger, nullable=False) for name in OUTCOMES),
        Column("gone_kept", BigInteger, nullable=False),
        Column("gone_closed", BigInteger, nullable=False, default=0),
        Column("gone_removed", BigInteger, nullable=False, default=0),
        Column("gone_held", BigInteger, nullable=False, default=0),
        Column("key_missing", BigInteger, nullable=False),
        Column("key_beyond_first", BigInteger, nullable=False),
        Column("counters", Text, nullable=False, comment="JSON: repaired values per field, use of code tables"),
        Column("committed_at", String(26), nullable=False, comment="UTC"),
        UniqueConstraint("run_id", "mapping_id", "phase", "seq"),
        comment="One committed transaction with its books; a retry moves rows, so its books may hold negative figures",
    )


def _waves(builder: Builder) -> None:
    """The slices of the old systems that move together, and their journey."""
    builder.table(
        "wave",
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("name", String(40), nullable=False, unique=True),
        Column("state", String(12), nullable=False, comment="planned, rehearsing, live, closed"),
        Column("since", String(26), nullable=False, comment="UTC; of a live wave the moment of cutover"),
        Column("definition", Text, nullable=False, comment="JSON: mapping -> condition, as rows were divided"),
        comment="Waves: named slices of the old systems; their rows are named in the id map",
    )
    builder.table(
        "wave_event",
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("at", String(26), nullable=False, comment="UTC"),
        Column("wave", String(40), nullable=False, comment="its name; a wave that was removed keeps its history"),
        Column("event", String(12), nullable=False, comment="a state, back, changed or removed"),
        Column("reason", Text),
        Column("run_id", Integer, comment="the run that began it or met the change"),
        Column("os_user", String(200), nullable=False),
        Column("host", String(200), nullable=False),
        comment="The journey of every wave: who moved it, when and why; only added to",
    )


def _keys(builder: Builder) -> None:
    """What became of every source key and record.

    Tables of a row per source row have no links to those of a handful of rows: only the commit writes them, and on
    PostgreSQL each link costs as much as a column.
    """
    builder.table(
        "column_set",
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("columns", Text, nullable=False, unique=True, comment="JSON list of target columns"),
        comment="Over which columns a record hash was taken",
    )
    id_map = builder.table(
        "id_map",
        Column("mapping_id", Integer, nullable=False),
        Column("source_key", KEY, nullable=False),
        Column("record_key", KEY, comment="key of the record the row is part of, when it is another"),
        Column("target_id", String(36)),
        Column("state", String(12), nullable=False),
        Column("reason", Text),
        Column("source_hash", String(32), comment="of the row the state was made from; NULL: map again"),
        Column("run_id", Integer, nullable=False),
        Column("wave", Integer, comment="id of the wave that the row belongs to; NULL: none"),
        PrimaryKeyConstraint("mapping_id", "source_key"),
        rowid=False,
        comment="One state per mapping and source key",
    )
    Index(
        None,
        id_map.c.mapping_id,
        id_map.c.record_key,
        sqlite_where=id_map.c.record_key.is_not(None),
        postgresql_where=id_map.c.record_key.is_not(None),
    )
    builder.table(
        "record",
        Column("mapping_id", Integer, nullable=False),
        Column(
            "record_key", KEY, nullable=False, comment="source key of the record; ids are random, keys come in order"
        ),
        Column("target_id", String(36), nullable=False),
        Column("record_hash", String(32), nullable=False),
        Column("column_set_id", Integer, nullable=False),
        Column("run_id", Integer, nullable=False),
        Column("closed", Integer, comment="the run that closed the record, since its row left; NULL: open"),
        PrimaryKeyConstraint("mapping_id", "record_key"),
        rowid=False,
        comment="Once per target record: the hash of what was last written to it",
    )


def _shared(builder: Builder) -> None:
    """What makes rows of several systems one record, and what follows when it moves."""
    contribution = builder.table(
        "contribution",
        Column("mapping_id", Integer, nullable=False),
        Column("source_key", KEY, nullable=False, comment="of the row, or of the record with one_per"),
        Column("lead_key", KEY, nullable=False, comment="source key of the row that leads"),
        Column("row_ref", Text, nullable=False, comment="the source's locator of that row"),
        Column("identity_id", String(36), nullable=False, comment="what it has in common with other rows"),
        Column("own_id", String(36), nullable=False, comment="of the record that it is on its own"),
        Column("target_id", String(36), nullable=False, comment="of the record it is part of"),
        Column("rank", Integer, nullable=False, comment="the lowest wins"),
        Column("newest", Text, comment="the highest wins among those of one rank"),
        Column("agree", Text, comment="JSON: folded texts; personal data"),
        Column("probable", String(36), comment="what it has in common with rows that are probably the same"),
        Column("fields", Text, nullable=False, comment="JSON: target columns as canonical text; personal data"),
        Column("apart", String(8), comment="why it is on its own: disputed, decided"),
        Column("problem", Text, comment="why the record cannot be written: code and field"),
        Column("outcome", String(12), nullable=False, comment="of the row, in the run that mapped it last"),
        Column("run_id", Integer, nullable=False, comment="the run that made the row"),
        PrimaryKeyConstraint("mapping_id", "source_key"),
        rowid=False,
        comment="What each source row gives to a record that several systems may know",
    )
    Index(None, contribution.c.identity_id)
    Index(None, contribution.c.target_id)
    Index(
        None,
        contribution.c.probable,
        sqlite_where=contribution.c.probable.is_not(None),
        postgresql_where=contribution.c.probable.is_not(None),
    )
    linked = builder.table(
        "linked",
        Column("mapping_id", Integer, nullable=False),
        Column("source_key", KEY, nullable=False),
        Column("row_ref", Text, nullable=False),
        Column("on_mapping_id", Integer, nullable=False),
        Column("on_other_key", Text, nullable=False, comment="columns of another declared key, an identity, or empty"),
        Column("on_key", KEY, nullable=False),
        Column("outcome", String(12), nullable=False, comment="of the linking row, in the run that mapped it last"),
        Column("run_id", Integer, nullable=False, comment="the run that made the row"),
        PrimaryKeyConstraint("mapping_id", "source_key", "on_mapping_id", "on_other_key", "on_key"),
        rowid=False,
        comment="Rows that link to records that several systems know: they follow when such a record moves",
    )
    Index(None, linked.c.on_mapping_id, linked.c.on_other_key, linked.c.on_key)
    builder.table(
        "leftover",
        Column("target_id", String(36), primary_key=True),
        Column("mapping_id", Integer, nullable=False),
        Column("run_id", Integer, nullable=False, comment="the run that made the row"),
        comment="Records that nothing gives to any more: removed when nothing links to them",
    )


def _other_keys(builder: Builder) -> None:
    """Other keys that links may go by."""
    builder.table(
        "other_key",
        Column("mapping_id", Integer, nullable=False),
        Column("columns", Text, nullable=False),
        Column("key", KEY, nullable=False),
        Column("source_key", KEY, nullable=False),
        Column("run_id", Integer, nullable=False, comment="the run that made the row"),
        PrimaryKeyConstraint("mapping_id", "columns", "key", "source_key"),
        Index(None, "mapping_id", "source_key"),
        rowid=False,
        comment="Other declared keys of a mapping, by which links may go",
    )


def _exceptions(builder: Builder) -> None:
    """What is wrong, not loaded, or waiting."""
    builder.table(
        "issue",
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("mapping_id", Integer, nullable=False),
        Column("source_key", KEY, comment="NULL when the key itself is missing"),
        Column("row_ref", Text, comment="the source's locator when there is no key"),
        Column("field", String(120), nullable=False),
        Column("code", String(40), nullable=False),
        Column("severity", String(8), nullable=False),
        Column("detail", Text),
        Column("run_id", Integer, nullable=False),
        Index(None, "mapping_id", "source_key"),
        comment="What is wrong with one field of one source row",
    )
    builder.table(
        "reject",
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("mapping_id", Integer, nullable=False),
        Column("source_key", KEY),
        Column("row_ref", Text, nullable=False),
        Column("row", Text, nullable=False, comment="JSON: the source row as read; personal data"),
        Column("run_id", Integer, nullable=False),
        Index(None, "mapping_id", "source_key"),
        comment="Source rows not loaded, kept whole",
    )
    builder.table(
        "wait",
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("mapping_id", Integer, nullable=False),
        Column("source_key", KEY, nullable=False),
        Column("row_ref", Text, nullable=False),
        Column("field", String(120), nullable=False),
        Column("on_mapping_id", Integer, nullable=False),
        Column("on_other_key", Text, nullable=False, comment="columns of another declared key, or empty"),
        Column("on_key", KEY, nullable=False),
        Column("seen", String(12), nullable=False, comment="what the key was when the row was mapped"),
        Column("outcome", String(12), nullable=False, comment="of the waiting row, in the run that mapped it last"),
        Column("run_id", Integer, nullable=False, comment="the run that made the row"),
        Index(None, "mapping_id", "source_key"),
        comment="The keys that rejected, parked or incomplete rows wait for",
    )


def ledger_table(dialect: str, name: str) -> Table:
    """Return a ledger table by its short name (``run``, ``id_map``, …)."""
    return ledger_named(ledger_metadata(dialect), name)


def ledger_named(metadata: MetaData, name: str) -> Table:
    """Return a table of a ledger by its short name."""
    return metadata.tables[f"{metadata.schema}.{name}" if metadata.schema else f"migration_{name}"]
