"""Many keys on both sides, made by SQL and COPY: a load of ten million rows takes too long to measure `keys` by."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psycopg

from casemodel import record_id
from migrate.workspace import load_workspace

_AT_ONCE = 500_000
_DEFAULTS = {"party_type": "persoon", "is_secret": "f", "is_active": "t"}


def fill(workspace: Path, old: str, new: str, first: int, last: int) -> None:
    """Add rows to the old table, and their records and id map as a load would have written them.

    Args:
        workspace: in which the mapping `old.person` was run, so that the ledger knows it.
        first, last: the keys.
    """
    namespace = load_workspace(workspace).secrets.namespace
    with psycopg.connect(old) as link:
        link.execute(
            "INSERT INTO person (id, party_type, party_number, is_secret, is_active)"
            " SELECT n, 'persoon', n, '0', '1' FROM generate_series(%s::bigint, %s::bigint) n",
            (first, last),
        )
    with psycopg.connect(new) as link:
        _without_checks(link)
        [(number, run)] = link.execute("SELECT mapping_id, max(run_id) FROM migration.id_map GROUP BY 1").fetchall()
        for start in range(first, last + 1, _AT_ONCE):
            keys = pl.DataFrame({"key": pl.int_range(start, min(last + 1, start + _AT_ONCE), eager=True)})
            made = record_id(namespace, "party", "old.person", pl.col("key")).alias("id")
            rows = keys.cast(pl.String).with_columns(made)
            values = [pl.lit(value).alias(name) for name, value in _DEFAULTS.items()]
            _copy(link, "party", ("id", "party_number", *_DEFAULTS), rows.select("id", "key", *values))
            told = {"mapping_id": number, "run_id": run, "state": "loaded", "source_hash": "0" * 32}
            said = rows.select("key", "id", *(pl.lit(value).alias(name) for name, value in told.items()))
            _copy(link, "migration.id_map", ("source_key", "target_id", *told), said)
            link.commit()
    for url in (old, new):
        with psycopg.connect(url, autocommit=True) as link:
            link.execute("VACUUM ANALYZE")


def _without_checks(link: psycopg.Connection[tuple[object, ...]]) -> None:
    """Drop what makes filling slow and reading not faster: all but the primary key."""
    wanted = "SELECT quote_ident(conname) FROM pg_constraint WHERE conrelid = 'party'::regclass AND contype <> 'p'"
    for (name,) in link.execute(wanted).fetchall():
        link.execute(f"ALTER TABLE party DROP CONSTRAINT {name} CASCADE".encode())
    wanted = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'party'::regclass AND NOT indisprimary"
    for (name,) in link.execute(wanted).fetchall():
        link.execute(f"DROP INDEX {name}".encode())


def _copy(link: psycopg.Connection[tuple[object, ...]], table: str, names: tuple[str, ...], rows: pl.DataFrame) -> None:
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT csv)".encode()
    with link.cursor().copy(statement) as copy:
        copy.write(rows.write_csv(include_header=False).encode())
