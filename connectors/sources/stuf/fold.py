"""All messages about an entity as one row, in the order of tijdstipBericht, by column operations."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from connectors.sources.stuf.messages import CLEAR, KEY, REFERENCE, SORT, TIME, WAS

LEAD = "\x01lead"
"""Where a message stands: its file and its number there."""

TOLD = ("stuf_messages", "stuf_first", "stuf_last", "stuf_reference", "stuf_processing", "stuf_findings")
"""Columns that tell how a row came about."""

FINDINGS = ("repeated", "same-time", "create-after-change", "no-create", "after-delete", "was-differs")
"""What `stuf_findings` may hold, parted by blanks; the last one with the columns: ``was-differs:a,b``."""


def fold(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Fold whole groups, sorted by key and time, into one row each.

    Args:
        frame: `KEY`, `TIME`, `SORT`, `REFERENCE`, `LEAD`, the columns, and the same behind `WAS`.
        columns: of the relation.

    Returns:
        The columns, `TOLD`, and `LEAD` of the last message.
    """
    content = [name for name in frame.columns if name != LEAD]
    frame = frame.with_columns(again=~pl.struct(content).is_first_distinct())
    # A message that was delivered twice changes nothing, and was right the first time.
    told = frame.filter(~pl.col("again"))
    told = told.with_columns(
        acts=pl.col(SORT) != "I",
        tied=pl.col(TIME) == pl.col(TIME).shift(1).over(KEY),
        differs=_differs(columns),
    ).with_columns(
        place=pl.col("acts").cum_sum().over(KEY),
        ended=(pl.col(SORT) == "V").cum_sum().over(KEY) - (pl.col(SORT) == "V"),
    )
    found = told.group_by(KEY, maintain_order=True).agg(
        *(_last(name) for name in columns),
        pl.col(TIME).first().alias("stuf_first"),
        pl.col(TIME).last().alias("stuf_last"),
        pl.col(REFERENCE).last().alias("stuf_reference"),
        pl.col(SORT).filter("acts").last().fill_null("I").alias("stuf_processing"),
        *_findings(),
    )
    counted = frame.group_by(KEY, maintain_order=True).agg(
        pl.len().cast(pl.String).alias("stuf_messages"), pl.col("again").any().alias("repeated"), pl.col(LEAD).last()
    )
    words = [pl.when(pl.col(name)).then(pl.lit(name)) for name in FINDINGS[:-1]]
    differing = pl.col("differing").list.join(",")
    words.append(pl.when(differing != "").then("was-differs:" + differing))
    return found.join(counted, on=KEY, maintain_order="left").select(
        *columns, *TOLD[:-1], pl.concat_str(words, separator=" ", ignore_nulls=True).alias(TOLD[-1]), LEAD
    )


def _last(name: str) -> pl.Expr:
    """Return the last value told; what a message only identifies by counts where nothing else is told."""
    column = pl.col(name)
    acting = column.filter("acts").drop_nulls().last()
    value = pl.coalesce(acting, column.drop_nulls().last())
    return pl.when(value != CLEAR).then(value).alias(name)


def _differs(columns: Sequence[str]) -> pl.Expr:
    """Return the names of the columns whose value before is not what the message says that it was."""
    names = []
    for name in columns:
        before = pl.col(name).forward_fill().shift(1).over(KEY)
        was = pl.col(WAS + name)
        names.append(pl.when((was != before).fill_null(False)).then(pl.lit(name)))
    return pl.concat_list(names).list.drop_nulls()


def _findings() -> list[pl.Expr]:
    acts, sort = pl.col("acts"), pl.col(SORT)
    return [
        pl.col("tied").any().alias("same-time"),
        (acts & (sort == "T") & (pl.col("place") > 1) & (pl.col("ended") == 0)).any().alias("create-after-change"),
        (sort.filter(acts).first() != "T").fill_null(False).alias("no-create"),
        (acts & (pl.col("ended") > 0)).any().alias("after-delete"),
        pl.col("differs").explode().drop_nulls().unique(maintain_order=True).alias("differing"),
    ]
