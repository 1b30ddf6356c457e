"""Which rows take part: scope, empty slots, missing and duplicate keys, decided before any stage."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from casemodel import OMITTED
from mappings.compile_names import Columns
from mappings.compile_outcome import OUTCOMES
from mappings.compile_prepare import prefixed

SCOPE, EMPTY_SLOT, SAME_CONTENT, LATEST_DELIVERY = "scope", "empty-slot", "same_content", "latest_delivery"
OMITS = "query-omits"
"""Issue of a row that a query should have returned."""
_OMITTED = Columns.PREFIX + OMITTED


@dataclass(frozen=True, slots=True)
class Standing:
    """How rows stand before the stages.

    omitted: the reason of rows that a query does not return; None makes them a finding.
    scope: condition over prefixed columns, with the reason of the rows for which it is false.
    slots: the value columns of ``unpivot`` whose emptiness puts a row out of scope.
    on_duplicate: ``same_content`` drops rows that repeat a row of the same key with the same content;
        ``latest_delivery`` those of a key that a later file delivers too; None drops none.
    key_is_group: rows of one key are one record (``one_per`` by the key), so no key is duplicate.
    """

    scope: pl.Expr | None
    reason: str
    slots: tuple[str, ...]
    on_duplicate: str | None
    grouped: bool
    key_is_group: bool
    omitted: str | None = None


@dataclass(frozen=True, slots=True)
class Stood:
    """The rows that go through the stages, the outcomes of the others, and the issues of keys."""

    frame: pl.DataFrame
    outside: pl.DataFrame
    issues: pl.DataFrame
    unknown: dict[str, int]


def stand(
    standing: Standing, prepared: pl.DataFrame, duplicates: pl.Series, wanted: frozenset[str] | None = None
) -> Stood:
    """Divide the rows of a prepared frame.

    Args:
        wanted: the columns of the program that are needed further on; None keeps all.

    Rows whose key is missing or duplicate stay in the frame, since windows see every row in scope, with ``_member``
    false; in and out of scope they are rejected.
    """
    frame = prefixed(prepared)
    why, unknown = _why(standing, frame)
    bad = _bad_key(standing, prepared, duplicates)
    if standing.on_duplicate and not duplicates.is_empty():
        drop = _same_content if standing.on_duplicate == SAME_CONTENT else _latest_delivery
        why, bad = drop(prepared, duplicates, why, bad)
    frame = frame.with_columns(why.alias("_why"), bad.alias("_bad"))
    outside = frame.select("_row", "_key", "_why", "_bad").filter(pl.col("_why").is_not_null())
    if wanted is not None:
        frame = frame.select(name for name in frame.columns if name in wanted or not name.startswith(Columns.PREFIX))
    inside = frame if outside.is_empty() else frame.filter(pl.col("_why").is_null())
    member = pl.col("_bad").is_null()
    if standing.grouped:
        member &= pl.col("_group").is_not_null()
    return Stood(
        inside.with_columns(member.alias("_member")).drop("_why"), _outside(outside), _key_issues(frame), unknown
    )


def _why(standing: Standing, frame: pl.DataFrame) -> tuple[pl.Series, dict[str, int]]:
    """Return why each row is out of scope (NULL: it is not), and how often the condition was neither true nor false."""
    nothing = pl.lit(None, pl.String)
    scope = standing.scope if standing.scope is not None else pl.lit(True)
    empty = pl.lit(False)
    if standing.slots:
        empty = pl.all_horizontal([(pl.col(slot).is_null() | (pl.col(slot) == "")) for slot in standing.slots])
    why = pl.when(~scope.cast(pl.Boolean)).then(pl.lit(standing.reason)).when(empty).then(pl.lit(EMPTY_SLOT))
    said = why.otherwise(nothing)
    if _OMITTED in frame.columns:
        there = pl.col(_OMITTED).is_null()
        said, scope = pl.when(there).then(said).otherwise(pl.lit(standing.omitted or OMITS)), scope | ~there
    made = frame.select("_row", said.alias("why"), scope.is_null().alias("null"))
    nulls = int(made.get_column("null").sum())
    return made.get_column("why"), {SCOPE: nulls} if nulls else {}


def _bad_key(standing: Standing, prepared: pl.DataFrame, duplicates: pl.Series) -> pl.Series:
    """Return the issue of each row's key, NULL where it has none."""
    key = pl.col("_key")
    twice = pl.lit(False)
    if not duplicates.is_empty() and not standing.key_is_group:
        twice = key.is_in(duplicates.implode())
    bad = pl.when(key.is_null()).then(pl.lit("key-missing")).when(twice).then(pl.lit("key-duplicate"))
    if OMITTED in prepared.columns and standing.omitted is None:
        bad = bad.when(pl.col(OMITTED).is_not_null()).then(pl.lit(OMITS))
    return prepared.select("_row", bad.otherwise(pl.lit(None, pl.String)).alias("bad")).get_column("bad")


def _same_content(
    prepared: pl.DataFrame, duplicates: pl.Series, why: pl.Series, bad: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Keep the first of the rows of one key when all of them have the same content; the others are out of scope."""
    twice = pl.col("_key").is_in(duplicates.implode())
    alike = pl.col("_hash").n_unique().over("_key") == 1
    first = pl.col("_row") == pl.col("_row").min().over("_key")
    made = prepared.with_columns(why.alias("why"), bad.alias("bad")).select(
        pl.when(pl.col("why").is_null() & twice & alike & ~first)
        .then(pl.lit(SAME_CONTENT))
        .otherwise(pl.col("why"))
        .alias("why"),
        pl.when(twice & alike & (pl.col("bad") == "key-duplicate"))
        .then(pl.lit(None, pl.String))
        .otherwise(pl.col("bad"))
        .alias("bad"),
    )
    return made.get_column("why"), made.get_column("bad")


def _latest_delivery(
    prepared: pl.DataFrame, duplicates: pl.Series, why: pl.Series, bad: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Keep the row of a key that the last file delivers; two rows of it in that file stay duplicates."""
    twice = pl.col("_key").is_in(duplicates.implode())
    earlier = pl.col("_file") != pl.col("_file").max().over("_key")
    alone = pl.len().over("_key", "_file") == 1
    made = prepared.with_columns(why.alias("why"), bad.alias("bad")).select(
        pl.when(twice & earlier).then(pl.lit(LATEST_DELIVERY)).otherwise("why").alias("why"),
        pl.when((pl.col("bad") == "key-duplicate") & (earlier | alone))
        .then(pl.lit(None, pl.String))
        .otherwise("bad")
        .alias("bad"),
    )
    return made.get_column("why"), made.get_column("bad")


def _outside(outside: pl.DataFrame) -> pl.DataFrame:
    """Return the outcomes of rows out of scope; one with a bad key is rejected nevertheless, so that no key is lost."""
    if outside.is_empty():
        return pl.DataFrame(schema=OUTCOMES)
    good, nothing = pl.col("_bad").is_null(), pl.lit(None, pl.String)
    return outside.select(
        "_row",
        "_key",
        pl.when(good).then(pl.lit("out_of_scope")).otherwise(pl.lit("rejected")).alias("outcome"),
        pl.when(good).then(pl.col("_why")).alias("reason"),
        nothing.alias("_lead"),
        pl.col("_key").alias("_record"),
    )


def _key_issues(frame: pl.DataFrame) -> pl.DataFrame:
    nothing = pl.lit(None, pl.String)
    return (
        frame.select("_row", "_key", "_bad")
        .filter(pl.col("_bad").is_not_null())
        .select(
            "_row",
            "_key",
            pl.lit("").alias("field"),
            pl.col("_bad").alias("code"),
            pl.lit("error").alias("severity"),
            nothing.alias("detail"),
        )
    )
