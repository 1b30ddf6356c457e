"""What the load is measured against: ``ATTACH; INSERT … SELECT`` of the same rows into the same indexed tables.

The rows are those of a target that the toolkit loaded; the new database has the same tables, indexes and
constraints, and the id map is written too.  It runs in a process of its own:
``python -m benchmarks.baseline LOADED NEW``.
"""

from __future__ import annotations

import sqlite3
import sys

PARENTS = ("channel", "case_type", "actor")


def insert_select(loaded: str, new: str) -> None:
    """Copy the cases and their id map from one target into another, upgraded and empty one."""
    connection = sqlite3.connect(new, isolation_level=None)
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL", "cache_size = -49152"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("ATTACH ? AS loaded", (loaded,))
    connection.execute("BEGIN IMMEDIATE")
    for name in PARENTS:
        connection.execute(f"INSERT INTO main.{name} SELECT * FROM loaded.{name}")
    connection.execute("INSERT INTO main.migration_mapping SELECT * FROM loaded.migration_mapping")
    connection.execute("INSERT INTO main.case_file SELECT * FROM loaded.case_file ORDER BY rowid")
    number = connection.execute("SELECT id FROM main.migration_mapping WHERE name = 'zaak.case'").fetchone()[0]
    connection.execute(
        "INSERT INTO main.migration_id_map SELECT * FROM loaded.migration_id_map WHERE mapping_id = ?", (number,)
    )
    connection.execute("COMMIT")
    connection.close()


if __name__ == "__main__":
    insert_select(sys.argv[1], sys.argv[2])
