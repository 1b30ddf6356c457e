# ruff: noqa: E501 - one line a column and constraint
"""Create the ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "ledger_0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")



def upgrade() -> None:
    """Create the ledger."""
    # PostgreSQL has a schema for the ledger, SQLite a prefix.
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    schema = "migration" if on_postgresql else None
    prefix = "" if on_postgresql else "migration_"
    home = "migration." if on_postgresql else "migration_"
    op.create_table(
        f"{prefix}adopted",
        sa.Column("made_id", sa.String(36), nullable=False, comment="id that the mapping gives the record"),
        sa.Column("target_id", sa.String(36), nullable=False, comment="id that the record has in the target"),
        sa.Column("target", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("made_id", name=f"pk_{prefix}adopted"),
        comment="Records that we did not make and that people made ours",
        schema=schema,
    )
    op.create_table(
        f"{prefix}column_set",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("columns", sa.Text(), nullable=False, comment="JSON list of target columns"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}column_set"),
        sa.UniqueConstraint("columns", name=f"uq_{prefix}column_set_columns"),
        comment="Over which columns a record hash was taken",
        schema=schema,
    )
    op.create_table(
        f"{prefix}disclosure",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.String(26), nullable=False, comment="UTC"),
        sa.Column("os_user", sa.String(200), nullable=False),
        sa.Column("host", sa.String(200), nullable=False),
        sa.Column("program", sa.String(40), nullable=False),
        sa.Column("command", sa.String(20), nullable=False, comment="explain, lookup, rejects, conflicts"),
        sa.Column("what", sa.Text(), nullable=False, comment="the row or record, its key masked as elsewhere"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}disclosure"),
        comment="Personal values that were shown unmasked: who, when, what and why; only added to",
        schema=schema,
    )
    op.create_table(
        f"{prefix}lock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("host", sa.String(200), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("taken_at", sa.String(26), nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}lock"),
        comment="One row: who may write; every batch checks its epoch",
        schema=schema,
    )
    op.create_table(
        f"{prefix}mapping",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("id_name", sa.String(120), nullable=False, comment="name it had first, which stays in the target ids"),
        sa.Column("target", sa.String(60), nullable=False),
        sa.Column("meaning", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}mapping"),
        sa.UniqueConstraint("name", name=f"uq_{prefix}mapping_name"),
        comment="Numbers for mappings, so that the id map stays small",
        schema=schema,
    )
    op.create_table(
        f"{prefix}meta",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=f"pk_{prefix}meta"),
        comment="Facts of the whole ledger: fingerprint of the namespace",
        schema=schema,
    )
    op.create_table(
        f"{prefix}run",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("state", sa.String(12), nullable=False, comment="running, completed, interrupted, failed, stopped, abandoned"),
        sa.Column("started_at", sa.String(26), nullable=False, comment="UTC"),
        sa.Column("ended_at", sa.String(26), nullable=True, comment="UTC"),
        sa.Column("as_of", sa.String(10), nullable=False, comment="what 'today' is in mappings"),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("program", sa.String(40), nullable=False),
        sa.Column("plan_digest", sa.String(64), nullable=False, comment="digest of what is run: mappings, meaning, target revision"),
        sa.Column("command", sa.Text(), nullable=False, comment="JSON: mappings asked for and options"),
        sa.Column("host", sa.String(200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("os_user", sa.String(200), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False, comment="what was tried again after a lost connection"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}run"),
        comment="One invocation that loads",
        schema=schema,
    )
    op.create_table(
        f"{prefix}wave",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False, comment="planned, rehearsing, live, closed"),
        sa.Column("since", sa.String(26), nullable=False, comment="UTC; of a live wave the moment of cutover"),
        sa.Column("definition", sa.Text(), nullable=False, comment="JSON: mapping -> condition, as rows were divided"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}wave"),
        sa.UniqueConstraint("name", name=f"uq_{prefix}wave_name"),
        comment="Waves: named slices of the old systems; their rows are named in the id map",
        schema=schema,
    )
    op.create_table(
        f"{prefix}wave_event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.String(26), nullable=False, comment="UTC"),
        sa.Column("wave", sa.String(40), nullable=False, comment="its name; a wave that was removed keeps its history"),
        sa.Column("event", sa.String(12), nullable=False, comment="a state, back, changed or removed"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True, comment="the run that began it or met the change"),
        sa.Column("os_user", sa.String(200), nullable=False),
        sa.Column("host", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}wave_event"),
        comment="The journey of every wave: who moved it, when and why; only added to",
        schema=schema,
    )
    op.create_table(
        f"{prefix}batch",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(12), nullable=False, comment="main, retry, gone, deletes or standing"),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("source_rows", sa.BigInteger(), nullable=False, comment="physical rows; read counts rows x slots"),
        sa.Column("read", sa.BigInteger(), nullable=False),
        sa.Column("out_of_scope", sa.BigInteger(), nullable=False),
        sa.Column("deferred", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.BigInteger(), nullable=False),
        sa.Column("inserted", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("parked", sa.BigInteger(), nullable=False),
        sa.Column("conflict", sa.BigInteger(), nullable=False),
        sa.Column("merged", sa.BigInteger(), nullable=False),
        sa.Column("gone_kept", sa.BigInteger(), nullable=False),
        sa.Column("gone_closed", sa.BigInteger(), nullable=False),
        sa.Column("gone_removed", sa.BigInteger(), nullable=False),
        sa.Column("gone_held", sa.BigInteger(), nullable=False),
        sa.Column("key_missing", sa.BigInteger(), nullable=False),
        sa.Column("key_beyond_first", sa.BigInteger(), nullable=False),
        sa.Column("counters", sa.Text(), nullable=False, comment="JSON: repaired values per field, use of code tables"),
        sa.Column("committed_at", sa.String(26), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}batch"),
        sa.ForeignKeyConstraint(["run_id"], [f"{home}run.id"], name=f"fk_{prefix}batch_run_id"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}batch_mapping_id"),
        sa.UniqueConstraint("run_id", "mapping_id", "phase", "seq", name=f"uq_{prefix}batch_run_id_mapping_id_phase_seq"),
        comment="One committed transaction with its books; a retry moves rows, so its books may hold negative figures",
        schema=schema,
    )
    op.create_table(
        f"{prefix}contribution",
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("source_key", KEY, nullable=False, comment="of the row, or of the record with one_per"),
        sa.Column("lead_key", KEY, nullable=False, comment="source key of the row that leads"),
        sa.Column("row_ref", sa.Text(), nullable=False, comment="the source's locator of that row"),
        sa.Column("identity_id", sa.String(36), nullable=False, comment="what it has in common with other rows"),
        sa.Column("own_id", sa.String(36), nullable=False, comment="of the record that it is on its own"),
        sa.Column("target_id", sa.String(36), nullable=False, comment="of the record it is part of"),
        sa.Column("rank", sa.Integer(), nullable=False, comment="the lowest wins"),
        sa.Column("newest", sa.Text(), nullable=True, comment="the highest wins among those of one rank"),
        sa.Column("agree", sa.Text(), nullable=True, comment="JSON: folded texts; personal data"),
        sa.Column("probable", sa.String(36), nullable=True, comment="what it has in common with rows that are probably the same"),
        sa.Column("fields", sa.Text(), nullable=False, comment="JSON: target columns as canonical text; personal data"),
        sa.Column("apart", sa.String(8), nullable=True, comment="why it is on its own: disputed, decided"),
        sa.Column("problem", sa.Text(), nullable=True, comment="why the record cannot be written: code and field"),
        sa.Column("outcome", sa.String(12), nullable=False, comment="of the row, in the run that mapped it last"),
        sa.PrimaryKeyConstraint("mapping_id", "source_key", name=f"pk_{prefix}contribution"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}contribution_mapping_id"),
        comment="What each source row gives to a record that several systems may know",
        schema=schema,
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{prefix}contribution_identity_id", f"{prefix}contribution", ["identity_id"], unique=False, schema=schema)
    op.create_index(f"ix_{prefix}contribution_probable", f"{prefix}contribution", ["probable"], unique=False, sqlite_where=sa.text("probable IS NOT NULL"), postgresql_where=sa.text("probable IS NOT NULL"), schema=schema)
    op.create_index(f"ix_{prefix}contribution_target_id", f"{prefix}contribution", ["target_id"], unique=False, schema=schema)
    op.create_table(
        f"{prefix}id_map",
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("source_key", KEY, nullable=False),
        sa.Column("record_key", KEY, nullable=True, comment="key of the record the row is part of, when it is another"),
        sa.Column("target_id", sa.String(36), nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source_hash", sa.String(32), nullable=True, comment="of the row the state was made from; NULL: map again"),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=True, comment="id of the wave that the row belongs to; NULL: none"),
        sa.PrimaryKeyConstraint("mapping_id", "source_key", name=f"pk_{prefix}id_map"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}id_map_mapping_id"),
        comment="One state per mapping and source key",
        schema=schema,
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{prefix}id_map_mapping_id_record_key", f"{prefix}id_map", ["mapping_id", "record_key"], unique=False, sqlite_where=sa.text("record_key IS NOT NULL"), postgresql_where=sa.text("record_key IS NOT NULL"), schema=schema)
    op.create_table(
        f"{prefix}issue",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("source_key", KEY, nullable=True, comment="NULL when the key itself is missing"),
        sa.Column("row_ref", sa.Text(), nullable=True, comment="the source's locator when there is no key"),
        sa.Column("field", sa.String(120), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}issue"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}issue_mapping_id"),
        comment="What is wrong with one field of one source row",
        schema=schema,
    )
    op.create_index(f"ix_{prefix}issue_mapping_id_source_key", f"{prefix}issue", ["mapping_id", "source_key"], unique=False, schema=schema)
    op.create_table(
        f"{prefix}leftover",
        sa.Column("target_id", sa.String(36), nullable=False),
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("target_id", name=f"pk_{prefix}leftover"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}leftover_mapping_id"),
        comment="Records that nothing gives to any more: removed when nothing links to them",
        schema=schema,
    )
    op.create_table(
        f"{prefix}linked",
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("source_key", KEY, nullable=False),
        sa.Column("row_ref", sa.Text(), nullable=False),
        sa.Column("on_mapping_id", sa.Integer(), nullable=False),
        sa.Column("on_other_key", sa.Text(), nullable=False, comment="columns of another declared key, an identity, or empty"),
        sa.Column("on_key", KEY, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False, comment="of the linking row, in the run that mapped it last"),
        sa.PrimaryKeyConstraint("mapping_id", "source_key", "on_mapping_id", "on_other_key", "on_key", name=f"pk_{prefix}linked"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}linked_mapping_id"),
        sa.ForeignKeyConstraint(["on_mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}linked_on_mapping_id"),
        comment="Rows that link to records that several systems know: they follow when such a record moves",
        schema=schema,
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{prefix}linked_on_mapping_id_on_other_key_on_key", f"{prefix}linked", ["on_mapping_id", "on_other_key", "on_key"], unique=False, schema=schema)
    op.create_table(
        f"{prefix}other_key",
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("source_key", KEY, nullable=False),
        sa.PrimaryKeyConstraint("mapping_id", "columns", "key", "source_key", name=f"pk_{prefix}other_key"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}other_key_mapping_id"),
        comment="Other declared keys of a mapping, by which links may go",
        schema=schema,
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{prefix}other_key_mapping_id_source_key", f"{prefix}other_key", ["mapping_id", "source_key"], unique=False, schema=schema)
    op.create_table(
        f"{prefix}progress",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False, comment="reading, read, done"),
        sa.Column("file_digest", sa.String(64), nullable=False),
        sa.Column("meaning", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(200), nullable=False, comment="of the source relation when the run began to read it"),
        sa.Column("content", sa.String(64), nullable=True, comment="digest of all its rows then; NULL: unknown, or others when it went on"),
        sa.Column("position", sa.Text(), nullable=True, comment="checkpoint: the source's position after the last committed batch"),
        sa.Column("full_read", sa.Integer(), nullable=False, comment="1 when every key of the relation is read"),
        sa.Column("cursor_by", sa.String(64), nullable=True, comment="digest of how the cursor is declared"),
        sa.Column("cursor_low", sa.Text(), nullable=True, comment="first value of the cursor that is read; NULL: all rows are"),
        sa.Column("cursor_high", sa.Text(), nullable=True, comment="last value of the cursor that is not in the future"),
        sa.PrimaryKeyConstraint("run_id", "mapping_id", name=f"pk_{prefix}progress"),
        sa.ForeignKeyConstraint(["run_id"], [f"{home}run.id"], name=f"fk_{prefix}progress_run_id"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}progress_mapping_id"),
        comment="How far a run is with a mapping",
        schema=schema,
    )
    op.create_table(
        f"{prefix}record",
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("record_key", KEY, nullable=False, comment="source key of the record; ids are random, keys come in order"),
        sa.Column("target_id", sa.String(36), nullable=False),
        sa.Column("record_hash", sa.String(32), nullable=False),
        sa.Column("column_set_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=True, comment="the run that closed the record, since its row left; NULL: open"),
        sa.PrimaryKeyConstraint("mapping_id", "record_key", name=f"pk_{prefix}record"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}record_mapping_id"),
        sa.ForeignKeyConstraint(["column_set_id"], [f"{home}column_set.id"], name=f"fk_{prefix}record_column_set_id"),
        comment="Once per target record: the hash of what was last written to it",
        schema=schema,
        sqlite_with_rowid=False,
    )
    op.create_table(
        f"{prefix}reject",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("source_key", KEY, nullable=True),
        sa.Column("row_ref", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False, comment="JSON: the source row as read; personal data"),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}reject"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}reject_mapping_id"),
        comment="Source rows not loaded, kept whole",
        schema=schema,
    )
    op.create_index(f"ix_{prefix}reject_mapping_id_source_key", f"{prefix}reject", ["mapping_id", "source_key"], unique=False, schema=schema)
    op.create_table(
        f"{prefix}resolution",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.String(26), nullable=False, comment="UTC"),
        sa.Column("os_user", sa.String(200), nullable=False),
        sa.Column("host", sa.String(200), nullable=False),
        sa.Column("program", sa.String(40), nullable=False),
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("source_key", KEY, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="the run that found the conflict"),
        sa.Column("code", sa.String(40), nullable=False, comment="edited-in-target, record-exists"),
        sa.Column("choice", sa.String(12), nullable=False, comment="keep-target, take-source, adopt"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("target_id", sa.String(36), nullable=False, comment="the record that the choice is about"),
        sa.Column("record_hash", sa.String(32), nullable=True, comment="keep-target: of the source's values that are not written"),
        sa.Column("kept_hash", sa.String(32), nullable=True, comment="keep-target: of the values that stay, over the same columns"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}resolution"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}resolution_mapping_id"),
        comment="Conflicts that people settled: who, when, which way and why; only added to",
        schema=schema,
    )
    op.create_index(f"ix_{prefix}resolution_mapping_id_source_key", f"{prefix}resolution", ["mapping_id", "source_key"], unique=False, schema=schema)
    op.create_index(f"ix_{prefix}resolution_target_id", f"{prefix}resolution", ["target_id"], unique=False, schema=schema)
    op.create_table(
        f"{prefix}wait",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("source_key", KEY, nullable=False),
        sa.Column("row_ref", sa.Text(), nullable=False),
        sa.Column("field", sa.String(120), nullable=False),
        sa.Column("on_mapping_id", sa.Integer(), nullable=False),
        sa.Column("on_other_key", sa.Text(), nullable=False, comment="columns of another declared key, or empty"),
        sa.Column("on_key", KEY, nullable=False),
        sa.Column("seen", sa.String(12), nullable=False, comment="what the key was when the row was mapped"),
        sa.Column("outcome", sa.String(12), nullable=False, comment="of the waiting row, in the run that mapped it last"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{prefix}wait"),
        sa.ForeignKeyConstraint(["mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}wait_mapping_id"),
        sa.ForeignKeyConstraint(["on_mapping_id"], [f"{home}mapping.id"], name=f"fk_{prefix}wait_on_mapping_id"),
        comment="The keys that rejected, parked or incomplete rows wait for",
        schema=schema,
    )
    op.create_index(f"ix_{prefix}wait_mapping_id_source_key", f"{prefix}wait", ["mapping_id", "source_key"], unique=False, schema=schema)
