"""What reconcile expects of rows in waves: of planned ones no new record, of late ones the record they had."""

from __future__ import annotations

import polars as pl

from casemodel import Mapped
from migrate.pipeline.waves import Division, without


def as_waves_say(
    division: Division, mapped: Mapped, rows: pl.DataFrame, known: pl.DataFrame, duplicates: pl.Series
) -> Mapped:
    """Return what is expected of mapped rows.

    Args:
        rows: ``_row`` and ``wave`` of the rows, in the order of the outcomes.
        known: what the id map says of each row: ``_row``, ``_hash``, ``state``, ``known_hash``, ``known_wave``,
            ``known_id``.
    """
    waves, wave, prior = division.waves, pl.col("wave"), pl.col("known_wave").cast(pl.Int64)
    stays = division.standing(prior, pl.col("known_id"), pl.col("known_hash"))
    mine = pl.col("_key").is_not_null() & ~pl.col("_key").is_in(duplicates.implode())
    open_ = mine & ~pl.col("outcome").is_in(["out_of_scope", "deferred", "late"])
    state = pl.col("state")
    # What came or changed was not loaded; what is as it was is compared like everything else.
    touched = state.is_null() | state.is_in(["late", "deferred", "gone"]) | (pl.col("known_hash") != pl.col("_hash"))
    unbegun = wave.is_in(sorted(waves.planned)) & pl.col("known_id").is_null()
    touched = open_ & (touched.fill_null(False) | unbegun.fill_null(False))
    names = {number: f"wave {name}" for number, name in waves.names.items()}
    found = (
        mapped.outcomes.with_columns(rows["wave"])
        .join(known.drop("_key"), on="_row", how="left", maintain_order="left")
        .with_columns(pl.when(stays).then(prior).otherwise(wave).alias("wave"))
        .with_columns(
            pl.when(touched & wave.is_in(sorted(waves.frozen)).fill_null(False))
            .then(pl.lit("late"))
            .when(touched & wave.is_in(sorted(waves.planned)).fill_null(False))
            .then(pl.lit("deferred"))
            .alias("stop"),
            wave.replace_strict(names, default=None, return_dtype=pl.String).alias("why"),
        )
    )
    return without(mapped, found.filter(pl.col("stop").is_not_null()).select("_row", "_record", "stop", "why"))
