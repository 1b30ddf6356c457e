"""The comparison of a migrated demo with its answer key: row for row, field for field, both ways."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import polars as pl

ONE_RECORD_OF_MANY_ROWS = ("balie.actor_name",)
"""Mappings whose records are known by what their rows have in common, not by the key of one row."""

PLAIN = ("bag_id",)
"""Columns named as links that hold a number of another register."""


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
    records: dict[str, set[str]] = {}
    with closing(sqlite3.connect(f"file:{workspace / 'target.db'}?mode=ro", uri=True)) as target:
        names = _record_names(target)
        for mapping, table in target.execute("SELECT name, target FROM migration_mapping ORDER BY name").fetchall():
            key = pl.read_parquet(workspace / "answer_key" / f"{mapping}.parquet")
            fields = [name[2:] for name in key.columns if name.startswith("f_")]
            own = pl.lit(f"{mapping}:") + pl.col("key")
            key = key.with_columns(own.alias("record") if "record" not in key.columns else pl.col("record"))
            records.setdefault(table, set()).update(key.filter(outcome="loaded")["record"])
            found = _found(target, mapping, table, fields)
            differences += _differences(mapping, _with_ids(key, fields, names), found)
            rows, values = rows + key.height, values + key.height * (len(key.columns) - 2)
        differences += _unreadable(workspace, target)
        for table, expected in records.items():
            count = target.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            if count != len(expected):
                differences.append(Difference(table, "", "number of records", len(expected), count))
    return Comparison(rows, values, differences)


def _unreadable(workspace: Path, target: sqlite3.Connection) -> list[Difference]:
    """Return which physical records are refused and should not be, or the other way round."""
    sql = (
        "SELECT m.name, i.detail FROM migration_issue i JOIN migration_mapping m ON m.id = i.mapping_id "
        "WHERE i.source_key IS NULL AND i.code = 'record-unparsable'"
    )
    found = {(name, place.partition(" ")[0]) for name, place in target.execute(sql)}
    key = pl.read_csv(workspace / "answer_key" / "unreadable.csv", schema_overrides=[pl.String, pl.String])
    relations = _relations(workspace)
    wanted = {(name, place) for relation, place in key.iter_rows() for name in relations.get(relation, ())}
    return [
        Difference(name, place, "unreadable", (name, place) in wanted, (name, place) in found)
        for name, place in sorted(found ^ wanted)
    ]


def _relations(workspace: Path) -> dict[str, list[str]]:
    """Return the mappings of each relation."""
    named: dict[str, list[str]] = {}
    for file in sorted((workspace / "mappings").glob("*.yml")):
        relation = re.search(r"relation: *(\w+)", file.read_text(encoding="utf-8"))
        if relation:
            named.setdefault(f"{file.stem.partition('.')[0]}.{relation[1]}", []).append(file.stem)
    return named


def _record_names(target: sqlite3.Connection) -> dict[str, str]:
    """Return the id of each record by every name that the key may have for it: ``mapping:key``, ``channel:code``."""
    sql = (
        "SELECT i.target_id, m.name, i.source_key, i.record_key FROM migration_id_map i "
        "JOIN migration_mapping m ON m.id = i.mapping_id WHERE i.target_id IS NOT NULL"
    )
    rows = target.execute(sql).fetchall()
    named = {f"{mapping}:{key}": record for record, mapping, key, _ in rows}
    groups = [row for row in rows if row[1] in ONE_RECORD_OF_MANY_ROWS]
    named |= {f"{mapping}:{group}": record for record, mapping, _, group in groups if group}
    return named | {f"channel:{code}": record for record, code in target.execute("SELECT id, code FROM channel")}


def _with_ids(key: pl.DataFrame, fields: list[str], names: dict[str, str]) -> pl.DataFrame:
    """Put ids for names: that of the row's own record, of which there is one for all rows of it, and of links."""
    linked = [f"f_{field}" for field in fields if field.endswith("_id") and field not in PLAIN]
    known = pl.DataFrame({"name": list(names), "id": list(names.values())}, schema={"name": pl.String, "id": pl.String})
    loaded = pl.when(pl.col("outcome") == "loaded").then("record")
    key = key.with_columns(loaded.alias("record"))
    for column in ("record", *linked):
        key = (
            key.join(known, left_on=column, right_on="name", how="left", maintain_order="left")
            .with_columns(pl.coalesce("id", pl.lit("no record of ") + pl.col(column)).alias(column))
            .drop("id")
        )
    return key


def _frame(target: sqlite3.Connection, sql: str, columns: list[str], *parameters: str) -> pl.DataFrame:
    return pl.DataFrame(
        target.execute(sql, parameters).fetchall(), schema=dict.fromkeys(columns, pl.String), orient="row"
    )


def _found(target: sqlite3.Connection, mapping: str, table: str, fields: list[str]) -> pl.DataFrame:
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
        if column.startswith("f_") or column == "record":
            # A merged row has the record of the row that leads; its values are told once, with that row.
            got = pl.when(pl.col("outcome found") == "loaded").then(got)
        wrong = joined.select("key", wanted.alias("wanted"), got.alias("got")).filter(
            pl.col("wanted").ne_missing(pl.col("got"))
        )
        told += [Difference(mapping, row[0], column.removeprefix("f_"), row[1], row[2]) for row in wrong.iter_rows()]
    return told
