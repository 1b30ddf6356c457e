"""Targets: one file per target database."""

from __future__ import annotations

from casemodel import RefusedError
from connectors.targets.sqlite import SqliteTarget

__all__ = ["SqliteTarget", "open_target"]


def open_target(url: str, *, create: bool = False) -> SqliteTarget:
    """Open the target to load into.

    Raises:
        RefusedError: TGT-024 a kind of database that cannot be loaded in this version (exit 4).
        SystemFailure: TGT-021 to TGT-023 (exit 5).
    """
    if url.startswith("sqlite:///"):
        return SqliteTarget(url, create=create)
    raise RefusedError(
        "TGT-024",
        "this version loads into SQLite only; PostgreSQL can be upgraded and checked",
        hint='Write target: {url: "sqlite:///target.db"}.',
        place="target.url",
    )
