"""The form of the answer key: per source row its outcome, its issues and the record's values as canonical text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

ZONE = "Europe/Amsterdam"
LOADED, MERGED, REJECTED, PARKED, OUT_OF_SCOPE = "loaded", "merged", "rejected", "parked", "out_of_scope"

_NO = pl.lit(False)

Issue = tuple[pl.Expr, str]
"""When it holds, and what it is: ``field code``."""


def key_rows(
    frame: pl.DataFrame,
    key: pl.Expr,
    fields: Mapping[str, pl.Expr],
    *,
    errors: Sequence[Issue] = (),
    warnings: Sequence[Issue] = (),
    outside: Sequence[tuple[pl.Expr, str]] = (),
    parked: pl.Expr = _NO,
    merged: pl.Expr = _NO,
) -> pl.DataFrame:
    """Return the answer-key rows of a mapping.

    Args:
        frame: one row per source row.
        key: the source key as canonical text.
        fields: the expected values by target column, as canonical text.
        errors: issues that reject the row.
        warnings: issues of a row that loads.
        outside: conditions that put the row out of scope, each with its reason; the first that holds counts.
        parked: where the row waits for a record it links to.
        merged: where another row of the same record leads.

    Returns:
        ``key``, ``outcome``, ``reason``, ``issues`` (sorted ``severity field code``) and ``f_<column>`` (filled
        where loaded).
    """
    # The last alternative gives the type when there is none of them.
    reason = pl.coalesce(
        [pl.when(holds).then(pl.lit(text)) for holds, text in outside] + [pl.lit(None, dtype=pl.String)]
    )
    failed = pl.any_horizontal([holds.fill_null(False) for holds, _ in errors]) if errors else _NO
    outcome = (
        pl.when(pl.col("reason").is_not_null())
        .then(pl.lit(OUT_OF_SCOPE))
        .when(failed)
        .then(pl.lit(REJECTED))
        .when(parked)
        .then(pl.lit(PARKED))
        .when(merged)
        .then(pl.lit(MERGED))
        .otherwise(pl.lit(LOADED))
    )
    frame = frame.with_columns(reason.alias("reason")).with_columns(outcome.alias("outcome"))
    loaded = pl.col("outcome") == LOADED
    issues = (
        pl.when(pl.col("outcome") == REJECTED)
        .then(_listed("error", errors))
        .when(loaded)
        .then(_listed("warning", warnings))
        .otherwise(_listed("", ()))
    )
    return frame.select(
        key.alias("key"),
        "outcome",
        "reason",
        issues.alias("issues"),
        *[pl.when(loaded).then(value.cast(pl.String)).alias(f"f_{name}") for name, value in fields.items()],
    )


def _listed(severity: str, issues: Sequence[Issue]) -> pl.Expr:
    texts = [pl.when(holds.fill_null(False)).then(pl.lit(f"{severity} {text}")) for holds, text in issues]
    if not texts:
        return pl.lit(pl.Series("none", [[]], dtype=pl.List(pl.String)))
    return pl.concat_list(texts).list.drop_nulls().list.sort()


def instant(local: pl.Expr) -> pl.Expr:
    """Write a local moment (Datetime without a zone) as UTC text."""
    return (
        local.dt.replace_time_zone(ZONE, ambiguous="earliest")
        .dt.convert_time_zone("UTC")
        .dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
    )


def utc(moment: pl.Expr) -> pl.Expr:
    """Write a moment that is in UTC already."""
    return moment.dt.strftime("%Y-%m-%d %H:%M:%S%.6f")


def at(day: pl.Expr, second: pl.Expr) -> pl.Expr:
    """Write a date and a local second of that day as UTC text."""
    return instant(day.cast(pl.Datetime("us")) + pl.duration(seconds=second))


def day_text(day: pl.Expr) -> pl.Expr:
    """Write a date as ``YYYY-MM-DD``."""
    return day.dt.strftime("%Y-%m-%d")


def flag(value: pl.Expr | bool) -> pl.Expr:
    """Write a truth as ``0`` or ``1``."""
    return pl.lit("1" if value else "0") if isinstance(value, bool) else value.cast(pl.Int8).cast(pl.String)


def link(mapping: str, *parts: pl.Expr) -> pl.Expr:
    """Write a link as ``mapping:key``; NULL where a part is NULL."""
    return pl.lit(f"{mapping}:") + pl.concat_str([part.cast(pl.String) for part in parts], separator="|")


def filled(text: pl.Expr) -> pl.Expr:
    """Return a text, NULL when it is empty."""
    return pl.when(text != "").then(text)


def cut_at_word(text: pl.Expr, length: int) -> pl.Expr:
    """Cut a text of words after the last whole word that fits."""
    return (
        pl.when(text.str.len_chars() > length)
        .then(text.str.head(length + 1).str.replace(r"\s+\S*$", ""))
        .otherwise(text)
    )
