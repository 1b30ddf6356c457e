"""Records that we did not make and that people made ours: they keep the id that they have in the target."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import polars as pl
import sqlalchemy as sa

from casemodel import Mapped
from migrate.ledger.store import table

Adopted = Mapping[str, Mapping[str, str]]
"""By table: the id that a mapping gives a record, and the id that the record has."""


def adopted_records(connection: sa.Connection) -> Adopted:
    """Return what people adopted (`conflicts resolve --adopt`)."""
    kept = table(connection, "adopted")
    found: dict[str, dict[str, str]] = {}
    for made, has, name in connection.execute(sa.select(kept.c.made_id, kept.c.target_id, kept.c.target)):
        found.setdefault(name, {})[made] = has
    return found


def with_adopted(mapped: Mapped, adopted: Mapping[str, str]) -> Mapped:
    """Give adopted records the ids that they have."""
    if not adopted or mapped.records.is_empty():
        return mapped
    return dataclasses.replace(mapped, records=mapped.records.with_columns(known_as(pl.col("id"), adopted)))


def known_as(made: pl.Expr, adopted: Mapping[str, str]) -> pl.Expr:
    """Return the ids that records have by the ids that mappings give them."""
    return made.replace(dict(adopted)) if adopted else made
