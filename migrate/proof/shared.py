"""Rows of records that several systems know, as they should stand: mapped anew, among what other rows gave."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from casemodel import Mapped, Target, canonical_text, polars_schema
from mappings import CompiledMapping
from migrate.pipeline.context import Shared
from migrate.pipeline.contributions import given_around
from migrate.pipeline.identity import given_by, merged, placed, with_problems


def as_shared(
    target: Target, mapping: CompiledMapping, shared: Shared, number: int, mapped: Mapped
) -> tuple[Mapped, pl.DataFrame]:
    """Return what was mapped with the ids of the merged records, rejected where those lack something; and the records.

    Returns:
        The second frame has ``_record`` and the mapping's fields as canonical text of the merged record.
    """
    mine = _mine(mapping, shared, number, mapped)
    around = given_around(target, shared, mine, stage="proof_shared")
    others = around.join(mine, on=["mapping_id", "key"], how="anti")
    given = placed(pl.concat([mine, others]), shared)
    records = with_problems(merged(given, shared), shared).rename({"id": "place", "problem": "_problem"})
    here = given.filter(pl.col("mapping_id") == number).select(pl.col("key").alias("_record"), "place")
    found = (
        mapped.records.select(pl.col("_key").alias("_record"))
        .join(here, on="_record", how="left", maintain_order="left")
        .join(records.select("place", "_problem", *mapping.fields), on="place", how="left", maintain_order="left")
    )
    return _judged(mapped, found), found.drop("place", "_problem")


def _mine(mapping: CompiledMapping, shared: Shared, number: int, mapped: Mapped) -> pl.DataFrame:
    """Return what the rows give (see `GIVEN`)."""
    types = polars_schema(mapping.target)
    texts = [canonical_text(name, types[name]).alias(name) for name in mapping.fields]
    frame = mapped.records.select(pl.col("_key").alias("key"), pl.col("id").alias("identity"), *texts)
    nothing = (pl.lit("").alias("ref"), pl.lit("").alias("outcome"))
    rows = frame.hstack(mapped.shares.drop("_key")).with_columns(pl.col("key").alias("lead_key"), *nothing)
    return given_by(rows, shared, number, mapping.name, mapping.fields)


def _judged(mapped: Mapped, found: pl.DataFrame) -> Mapped:
    """Give the records the ids of the merged ones; reject the rows of those that could not be written."""
    records = mapped.records.with_columns(found["place"].alias("id"))
    failed = found.filter(pl.col("_problem").is_not_null()).select("_record", "_problem")
    if failed.is_empty():
        return replace(mapped, records=records)
    joined = mapped.outcomes.join(failed, on="_record", how="left", maintain_order="left")
    bad = pl.col("_problem").is_not_null() & pl.col("outcome").is_in(["record", "merged"])
    parts = pl.col("_problem").str.split(":")
    issues = joined.filter(bad & (pl.col("outcome") == "record")).select(
        "_row",
        "_key",
        parts.list.get(1).alias("field"),
        parts.list.get(0).alias("code"),
        pl.lit("error").alias("severity"),
        pl.lit(None, pl.String).alias("detail"),
    )
    outcomes = joined.with_columns(pl.when(bad).then(pl.lit("rejected")).otherwise("outcome").alias("outcome"))
    return replace(
        mapped,
        records=records.filter(~pl.col("_key").is_in(failed["_record"].implode())),
        outcomes=outcomes.drop("_problem"),
        issues=pl.concat([mapped.issues, issues]),
    )
