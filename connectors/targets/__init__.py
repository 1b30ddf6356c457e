"""Targets: one file per target database."""

from __future__ import annotations

from casemodel import RefusedError, Target
from connectors.targets.canonical import as_sqlite_has_it, as_text, in_canonical_form, json_places
from connectors.targets.lists import id_list, record_ids
from connectors.targets.postgresql import PostgresTarget
from connectors.targets.postgresql_failures import postgresql_failure
from connectors.targets.postgresql_pooler import shares_a_connection
from connectors.targets.sqlite import SqliteTarget, append_rows

__all__ = [
    "PostgresTarget",
    "SqliteTarget",
    "append_rows",
    "as_sqlite_has_it",
    "as_text",
    "id_list",
    "in_canonical_form",
    "json_places",
    "open_target",
    "postgresql_failure",
    "record_ids",
    "shares_a_connection",
]


def open_target(url: str, *, create: bool = False) -> Target:
    """Open the target to load into.

    Args:
        create: make a SQLite file that does not exist.

    Raises:
        RefusedError: TGT-024 another kind of database, TGT-025 its driver is missing (exit 4).
        SystemFailure: TGT-021 to TGT-023 (exit 5).
    """
    if url.startswith("sqlite:///"):
        return SqliteTarget(url, create=create)
    if url.startswith(("postgresql://", "postgresql+psycopg://")):
        return PostgresTarget(url)
    raise RefusedError(
        "TGT-024",
        "a target is SQLite or PostgreSQL",
        hint='Write target: {url: "sqlite:///target.db"} or postgresql://HOST/DATABASE.',
        place="target.url",
    )
