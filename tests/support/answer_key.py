"""The comparison of a migrated demo with its answer key: row for row, field for field, both ways."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import polars as pl

ONE_RECORD_OF_MANY_ROWS = ("balie.actor_name", "kcc.contact")
"""Mappings whose records are known by what their rows have in common, not by the key of one row."""


@dataclass(frozen=True)
class Difference:
    """Where key and target disagree: the source row, and a field, or outcome, reason or issues."""

    mapping: str
    key: str
    about: str
    expected: object
    found: object


@dataclass(frozen=True)
class Comparison:
    """How much was compared, and what differs."""

    rows: int
    values: int
    differences: list[Difference]


def compare(workspace: Path) -> Comparison:
    """Compare the target of a demo's workspace with its answer key.

    Links are followed: a column that holds an id has to hold the id of the record that the named row became.  Rows
    that only one side has are differences too, and so is a number of records in a table that the key does not explain.
    """
    rows, values = 0, 0
    differences: list[Difference] = []
    records: dict[str, int] = {}
    with closing(sqlite3.connect(f"file:{workspace / 'target.db'}?mode=ro", uri=True)) as target:
        names = _record_names(target)
        for mapping, table in target.execute("SELECT name, target FROM migration_mapping ORDER BY name").fetchall():
            key = pl.read_parquet(workspace / "answer_key" / f"{mapping}.parquet")
            found = _found(target, mapping, table, [name[2:] for name in key.columns if name.startswith("f_")], names)
            differences += _differences(mapping, key, found)
            rows, values = rows + key.height, values + key.height * (len(key.columns) - 1)
            records[table] = records.get(table, 0) + key.filter(outcome="loaded").height
        for table, expected in records.items():
            count = target.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            if count != expected:
                differences.append(Difference(table, "", "number of records", expected, count))
    return Comparison(rows, values, differences)


def _record_names(target: sqlite3.Connection) -> dict[str, str]:
    """Return for each record id how the key names it: ``mapping:key``, ``channel:code`` for a channel."""
    sql = (
        "SELECT i.target_id, m.name, i.source_key, i.record_key FROM migration_id_map i "
        "JOIN migration_mapping m ON m.id = i.mapping_id WHERE i.target_id IS NOT NULL"
    )
    named = {
        record: f"{mapping}:{(record_key or key) if mapping in ONE_RECORD_OF_MANY_ROWS else key}"
        for record, mapping, key, record_key in target.execute(sql)
    }
    return named | {record: f"channel:{code}" for record, code in target.execute("SELECT id, code FROM channel")}


def _frame(target: sqlite3.Connection, sql: str, columns: list[str], *parameters: str) -> pl.DataFrame:
    return pl.DataFrame(
        target.execute(sql, parameters).fetchall(), schema=dict.fromkeys(columns, pl.String), orient="row"
    )


def _found(
    target: sqlite3.Connection, mapping: str, table: str, fields: list[str], names: dict[str, str]
) -> pl.DataFrame:
    """Return what became of a mapping's rows, in the form of the answer key, from the ledger and the target."""
    outcomes = _frame(
        target,
        "SELECT source_key, state, reason, target_id FROM migration_id_map i JOIN migration_mapping m "
        "ON m.id = i.mapping_id WHERE m.name = ?",
        ["key", "outcome", "reason", "record"],
        mapping,
    )
    issues = _frame(
        target,
        "SELECT source_key, severity || ' ' || field || ' ' || code FROM migration_issue i JOIN migration_mapping m "
        "ON m.id = i.mapping_id WHERE m.name = ?",
        ["key", "issues"],
        mapping,
    )
    selected = ", ".join(f'CAST("{field}" AS TEXT)' for field in fields)
    records = _frame(target, f"SELECT id, {selected} FROM {table}", ["record", *[f"f_{field}" for field in fields]])
    table_of_names = pl.DataFrame(
        {"id": list(names), "name": list(names.values())}, schema={"id": pl.String, "name": pl.String}
    )
    for field in fields:
        if field.endswith("_id"):
            column = f"f_{field}"
            records = (
                records.join(table_of_names, left_on=column, right_on="id", how="left")
                .with_columns(pl.coalesce("name", pl.lit("no known record: ") + pl.col(column)).alias(column))
                .drop("name")
            )
    return (
        outcomes.join(issues.group_by("key").agg(pl.col("issues").sort()), on="key", how="left")
        .with_columns(pl.col("issues").fill_null([]))
        .join(records, on="record", how="left")
    )


def _differences(mapping: str, key: pl.DataFrame, found: pl.DataFrame) -> list[Difference]:
    joined = key.join(found, on="key", how="full", coalesce=True, suffix=" found")
    told = []
    for column in (name for name in key.columns if name != "key"):
        wanted, got = pl.col(column), pl.col(f"{column} found")
        if column.startswith("f_"):
            # A merged row has the record of the row that leads; its values are told once, with that row.
            got = pl.when(pl.col("outcome found") == "loaded").then(got)
        wrong = joined.select("key", wanted.alias("wanted"), got.alias("got")).filter(
            pl.col("wanted").ne_missing(pl.col("got"))
        )
        told += [Difference(mapping, row[0], column.removeprefix("f_"), row[1], row[2]) for row in wrong.iter_rows()]
    return told
