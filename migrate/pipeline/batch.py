"""A batch ready to commit: what goes to the target and what the ledger keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from casemodel import BugError, canonical_text, keyed_hash, polars_schema

ROW_SCHEMA = {
    "key": pl.String,
    "record_key": pl.String,
    "target_id": pl.String,
    "outcome": pl.String,
    "reason": pl.String,
    "hash": pl.String,
    "ref": pl.String,
    "prior_state": pl.String,
    "prior_id": pl.String,
    "prior_outcome": pl.String,
    "wave": pl.Int64,
}
"""One row per source row (row x slot) of a batch: its key, what became of it, and what the id map said before.

``prior_outcome`` is what a row that is tried again counted as in this run.
"""

ISSUE_SCHEMA = {
    "key": pl.String,
    "ref": pl.String,
    "field": pl.String,
    "code": pl.String,
    "severity": pl.String,
    "detail": pl.String,
}
WAIT_SCHEMA = {
    "key": pl.String,
    "ref": pl.String,
    "field": pl.String,
    "on_mapping_id": pl.Int64,
    "on_other_key": pl.String,
    "on_key": pl.String,
    "seen": pl.String,
    "outcome": pl.String,
}
"""``outcome`` is that of the row as mapped; what became of it is known at the commit."""
REJECT_SCHEMA = {"key": pl.String, "ref": pl.String, "row": pl.String}


@dataclass(frozen=True)
class Batch:
    """What one transaction writes.

    Args:
        records: ``id``, ``record_key``, ``hash`` and the target columns as canonical text, in reading order.
        rows: see `ROW_SCHEMA`; only rows that were mapped in this batch.
        settled: outcome -> number of rows that needed no mapping, since neither row nor meaning changed.
        columns: the target columns written.
        source_rows: physical records behind it.
        position: the source's checkpoint after it; None for a retry.
    source: the rows as read with ``_key`` and ``_ref``, from which a row refused by the target is kept whole.
    """

    records: pl.DataFrame
    rows: pl.DataFrame
    issues: pl.DataFrame
    waits: pl.DataFrame
    rejects: pl.DataFrame
    settled: dict[str, int]
    columns: tuple[str, ...]
    source_rows: int
    source: pl.DataFrame
    position: str | None
    other_keys: tuple[tuple[str, ...], ...] = ()
    others: pl.DataFrame = field(default_factory=pl.DataFrame)
    """``source_key`` and ``other_<n>`` per row, for mappings that declare other keys."""
    linked: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Links to records that may move, in the columns of `WAIT_SCHEMA`."""
    key_missing: int = 0
    key_beyond_first: int = 0
    counters: dict[str, Any] = field(default_factory=dict)
    counted_on: frozenset[str] = frozenset()
    """Ids of its records that other rows of it link to (see `migrate.pipeline.links_within`)."""
    apart: Batch | None = None
    """What it says of those other rows, where one of these records is refused."""


def empty(schema: dict[str, Any]) -> pl.DataFrame:
    """Return an empty frame of a schema."""
    return pl.DataFrame(schema=schema)


def record_hash(columns: Sequence[str], hash_key: bytes) -> pl.Expr:
    """Return the record hash over columns that hold canonical text."""
    return keyed_hash([pl.col(name) for name in columns], hash_key)


class Gate:
    """The last gate before the commit: the target model's contract, then canonical text and its hash."""

    def __init__(
        self, mapping: str, table: str, columns: tuple[str, ...], hash_key: bytes, *, shared: bool = False
    ) -> None:
        """Make the gate of a mapping; with ``shared`` records are parts, of which the whole is checked elsewhere."""
        self._mapping = mapping
        self.columns = columns
        self._types = polars_schema(table)
        from casemodel import target_contract  # pandera brings pandas: a second for those who load nothing

        self._contract = target_contract(table, columns, whole=not shared)
        self.hash_key = hash_key

    def pass_through(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return ``id``, ``record_key``, ``hash`` and the columns as canonical text.

        Raises:
            BugError: BUG-002 a record breaks the target model; mappings should have made an issue of it.
        """
        typed = records.select("id", *self.columns)
        from casemodel import check_contract

        breaches = check_contract(self._contract, typed)
        if breaches:
            first = breaches[0]
            raise BugError(
                "BUG-002",
                f"{first.count} mapped records break the target model at {first.column} ({first.check}): our bug",
                hint="Nothing of this batch was written. Report it; `omnicase rejects list` shows what came before.",
                place=self._mapping,
            )
        texts = [canonical_text(name, self._types[name]).alias(name) for name in self.columns]
        text = typed.select("id", records["_key"].alias("record_key"), *texts)
        return text.select("id", "record_key", record_hash(self.columns, self.hash_key).alias("hash"), *self.columns)
