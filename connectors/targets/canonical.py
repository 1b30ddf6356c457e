"""Columns of a target as canonical text: equal to what was written, whatever the database (DESIGN.md, section 6)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import Day, Flag, Instant, JsonValue, Uuid

_INSTANT = "YYYY-MM-DD HH24:MI:SS.US"


def as_text(dialect: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return the SQL expression of a column's canonical text; JSON needs `in_canonical_form` besides."""
    if dialect == "postgresql" and isinstance(column.type, Instant):
        return sa.func.to_char(sa.func.timezone("UTC", column), _INSTANT, type_=sa.Text)
    if dialect == "postgresql" and isinstance(column.type, Flag | sa.Boolean):
        return sa.cast(sa.cast(column, sa.Integer), sa.Text)
    return sa.cast(column, sa.Text)


def as_sqlite_has_it(dialect: str, table: sa.Table) -> sa.Select[Any]:
    """Return a table with dates, instants, ids and JSON as text and booleans as 0 and 1, numbers as they are.

    SQL that people write for a target is written once, for SQLite, whatever database the target is.
    """
    return sa.select(*(_plain(dialect, column).label(column.name) for column in table.columns))


def _plain(dialect: str, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if isinstance(column.type, Flag):
        return sa.cast(column, sa.Integer)
    return as_text(dialect, column) if isinstance(column.type, Day | Instant | JsonValue | Uuid) else column


def json_places(columns: Iterable[sa.ColumnElement[Any]]) -> list[int]:
    """Return the places of the columns that hold JSON."""
    return [place for place, column in enumerate(columns) if isinstance(column.type, JsonValue)]


def in_canonical_form(frame: pl.DataFrame, places: Sequence[int]) -> pl.DataFrame:
    """Return a frame with the JSON texts at some places as RFC 8785 has them; PostgreSQL has an order of its own."""
    return frame.with_columns(_canonical(frame.to_series(place)) for place in places)


def _canonical(texts: pl.Series) -> pl.Series:
    found = texts.drop_nulls().unique()
    made = [json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True, separators=(",", ":")) for text in found]
    known = pl.DataFrame({"text": found, "made": pl.Series(made, dtype=pl.String)})
    return texts.to_frame("text").join(known, on="text", how="left", maintain_order="left")["made"].alias(texts.name)
