"""Which record each contribution is part of, and what the record holds (LANGUAGE.md, "One record out of several").

Pure functions of contributions: they know neither ledger nor target, so that a load and its proof come to the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from casemodel import polars_schema, row_checks
from migrate.pipeline.adopted import known_as
from migrate.pipeline.context import Shared

GIVEN = {
    "mapping_id": pl.Int64,
    "mapping": pl.String,
    "key": pl.String,
    "lead_key": pl.String,
    "ref": pl.String,
    "identity": pl.String,
    "own": pl.String,
    "target": pl.String,
    "rank": pl.Int64,
    "newest": pl.String,
    "agree": pl.String,
    "probable": pl.String,
    "fields": pl.String,
    "apart": pl.String,
    "problem": pl.String,
    "outcome": pl.String,
}
"""A contribution as the ledger keeps it; ``target``, ``apart`` and ``problem`` are what it was placed as before."""
DISPUTED, DECIDED = "disputed", "decided"
DEFAULT = "default:"
"""What stands in front of the name of a column whose value is a default."""


def given_by(frame: pl.DataFrame, shared: Shared, number: int, mapping: str, columns: tuple[str, ...]) -> pl.DataFrame:
    """Return contributions of one mapping (see `GIVEN`), placed nowhere yet.

    Args:
        frame: ``key``, ``lead_key``, ``ref``, ``identity``, ``own``, ``newest``, ``agree``, ``probable``,
            ``defaulted``, ``outcome`` and the columns as canonical text.  No table of the model has columns of these
            names.
        number: the mapping's number in the ledger.
    """
    return frame.with_columns(
        pl.lit(number, pl.Int64).alias("mapping_id"),
        pl.lit(mapping).alias("mapping"),
        pl.lit(shared.rank, pl.Int64).alias("rank"),
        pl.struct(_fields(frame, columns)).struct.json_encode().alias("fields"),
        *(pl.lit(None, pl.String).alias(name) for name in ("target", "apart", "problem")),
    ).select(list(GIVEN))


def _fields(frame: pl.DataFrame, columns: tuple[str, ...]) -> list[pl.Expr]:
    """Return the columns as they are kept: a default not as a value, but under a name of its own."""
    there = set(frame["defaulted"].drop_nulls().unique().str.split(",").explode().to_list())
    lacks = pl.col("defaulted").str.split(",")
    found = []
    for name in columns:
        if name not in there:
            found.append(pl.col(name))
            continue
        stands_in = lacks.list.contains(pl.lit(name)).fill_null(False)
        found.append(pl.when(~stands_in).then(pl.col(name)).alias(name))
        found.append(pl.when(stands_in).then(pl.col(name)).alias(DEFAULT + name))
    return found


def said_of(fields: pl.Series, shared: Shared) -> pl.DataFrame:
    """Return what contributions say: the columns, and under ``DEFAULT`` + name what stands in for them, if anything."""
    names = [*shared.columns, *(DEFAULT + name for name in shared.columns)]
    if not fields.str.contains(f'"{DEFAULT}', literal=True).any():
        nothing = pl.lit(None, pl.String)
        plain = fields.str.json_decode(pl.Struct(dict.fromkeys(shared.columns, pl.String))).struct.unnest()
        return plain.with_columns(nothing.alias(DEFAULT + name) for name in shared.columns)
    return fields.str.json_decode(pl.Struct(dict.fromkeys(names, pl.String))).struct.unnest()


def clusters(identities: Mapping[tuple[str, str], str], shared: Shared) -> dict[str, str]:
    """Return for each identity that people joined with another one the text that stands for all of them.

    Args:
        identities: of the rows that are there, by mapping and key.
    """
    tops: dict[str, str] = {}

    def top(identity: str) -> str:
        while tops.setdefault(identity, identity) != identity:
            identity = tops[identity]
        return identity

    for each in shared.decisions:
        if each.same and each.left in identities and each.right in identities:
            left, right = sorted((top(identities[each.left]), top(identities[each.right])))
            tops[right] = left
    return {identity: top(identity) for identity in list(tops)}


def placed(given: pl.DataFrame, shared: Shared) -> pl.DataFrame:
    """Add ``place``, the id of the record each contribution is part of, and why it is ``apart``, if it is.

    The lowest (rank, mapping, key) of those with one identity keeps it; who contradicts it stays on its own.

    Args:
        given: see `GIVEN`; all contributions to the identities that it has.
    """
    cluster = pl.col("identity")
    if shared.decisions:
        rows = dict(zip(given.select("mapping", "key").rows(), given["identity"], strict=True))
        cluster = cluster.replace(clusters(rows, shared))
    frame = given.with_columns(cluster.alias("cluster")).sort("cluster", "rank", "mapping", "key")
    disputed = _disputed(frame, shared)
    reason: pl.Expr = pl.when(disputed).then(pl.lit(DISPUTED))
    if shared.decisions:
        frame = _with_decisions(frame, shared)
        reason = pl.when("parted").then(pl.lit(DECIDED)).when(disputed & ~pl.col("joined")).then(pl.lit(DISPUTED))
    frame = frame.with_columns(reason.alias("apart"))
    kept = pl.col("identity").first().over("cluster")
    place = pl.when(pl.col("apart").is_not_null()).then("own").otherwise(kept)
    return frame.with_columns(known_as(place, shared.adopted).alias("place")).select(*given.columns, "place")


def _disputed(frame: pl.DataFrame, shared: Shared) -> pl.Expr:
    """Return where a contribution agrees with the first one of its cluster in nothing that both of them say."""
    if not shared.agree or frame["agree"].null_count() == frame.height:
        return pl.lit(False)
    said = frame["agree"].str.json_decode(pl.Struct(dict.fromkeys(shared.agree, pl.String))).struct.unnest()
    both = said.with_columns(frame["cluster"])
    first = [pl.col(name).first().over("cluster") for name in shared.agree]
    pairs = [(pl.col(name), other) for name, other in zip(shared.agree, first, strict=True)]
    same = pl.any_horizontal((mine == other).fill_null(False) for mine, other in pairs)
    differ = pl.any_horizontal((mine != other).fill_null(False) for mine, other in pairs)
    return pl.lit(both.select((differ & ~same).alias("disputed"))["disputed"])


def _with_decisions(frame: pl.DataFrame, shared: Shared) -> pl.DataFrame:
    """Add ``joined``, where people put the row to another, and ``parted``, where they took it away from an earlier."""
    pairs = pl.DataFrame(
        [(*each.left, *each.right, each.same) for each in shared.decisions],
        schema={"m1": pl.String, "k1": pl.String, "m2": pl.String, "k2": pl.String, "same": pl.Boolean},
        orient="row",
    )
    at = frame.select("mapping", "key", "cluster", pl.int_range(pl.len()).alias("at"))
    found = pairs.join(at, left_on=["m1", "k1"], right_on=["mapping", "key"]).join(
        at, left_on=["m2", "k2"], right_on=["mapping", "key"], suffix="_2"
    )
    here = found.filter(pl.col("cluster") == pl.col("cluster_2"))
    joined = here.filter("same")
    parted = here.filter(~pl.col("same")).select(pl.max_horizontal("at", "at_2").alias("at"))["at"]
    both = pl.concat([joined["at"], joined["at_2"]])
    row = pl.int_range(pl.len())
    return frame.with_columns(row.is_in(both.implode()).alias("joined"), row.is_in(parted.implode()).alias("parted"))


def ordered(frame: pl.DataFrame, shared: Shared, column: str) -> pl.DataFrame:
    """Return the contributions of each record in the order in which they are asked for a column."""
    own = shared.ranks.get(column, {})
    rank = pl.coalesce(pl.col("mapping").replace_strict(own, default=None, return_dtype=pl.Int64), "rank")
    return frame.sort(
        "place",
        rank if own else pl.col("rank"),
        "newest",
        "mapping",
        "key",
        descending=[False, False, True, False, False],
        nulls_last=True,
    )


def units(shared: Shared) -> list[tuple[str, ...]]:
    """Return the columns in the groups that come from one contribution, most of them alone."""
    grouped = {name: group for group in shared.together for name in group}
    found = dict.fromkeys(
        tuple(name for name in grouped.get(column, (column,)) if name in shared.columns) for column in shared.columns
    )
    return list(found)


def merged(given: pl.DataFrame, shared: Shared) -> pl.DataFrame:
    """Return ``id`` and the columns of each record: of each column the first contribution that says something.

    A default says nothing: it stands where no contribution has a value.

    Args:
        given: what `placed` returned.
    """
    fields = said_of(given["fields"], shared)
    frame = pl.concat([given.select("place", "rank", "newest", "mapping", "key"), fields], how="horizontal")
    by_rank: dict[tuple[tuple[str, int], ...], list[tuple[str, ...]]] = {}
    for unit in units(shared):
        by_rank.setdefault(tuple(sorted(shared.ranks.get(unit[0], {}).items())), []).append(unit)
    records = frame.select(pl.col("place").unique().sort().alias("id"))
    for same_rank in by_rank.values():
        found = (
            ordered(frame, shared, same_rank[0][0])
            .group_by("place")
            .agg(_first(name, unit).alias(name) for unit in same_rank for name in unit)
        )
        records = records.join(found, left_on="id", right_on="place", how="left", maintain_order="left")
    return records.select("id", *shared.columns)


def _first(name: str, unit: tuple[str, ...]) -> pl.Expr:
    """Return a column of the first contribution with a value in the unit, else of the first with a default in it."""
    real = pl.any_horizontal(pl.col(each).is_not_null() for each in unit)
    stood_in = pl.any_horizontal(pl.col(DEFAULT + each).is_not_null() for each in unit)
    value = pl.coalesce(name, DEFAULT + name)
    return pl.when(real.any()).then(value.filter(real).first()).otherwise(value.filter(stood_in).first())


def with_problems(records: pl.DataFrame, shared: Shared) -> pl.DataFrame:
    """Add ``problem``: code and field of what the model asks of a record and this one does not have, else NULL."""
    schema = polars_schema(shared.table)
    typed = records.select(
        "id",
        *(
            _typed(name, dtype) if name in records.columns else pl.lit(None, dtype).alias(name)
            for name, dtype in schema.items()
            if name != "id"
        ),
    )
    found = [pl.when(pl.col(name).is_null()).then(pl.lit(f"required-missing:{name}")) for name in shared.needed]
    for check in row_checks(shared.table):
        shown = next((name for name in check.columns if name in shared.columns), check.columns[0])
        holds = pl.sql_expr(check.sql).fill_null(True)
        found.append(pl.when(~holds).then(pl.lit(f"rule-failed:{shown}")))
    problem = pl.coalesce([*found, pl.lit(None, pl.String)])
    return records.with_columns(typed.select(problem.alias("problem"))["problem"])


def _typed(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return canonical text as the type of its column."""
    text = pl.col(name)
    if dtype == pl.Date:
        return text.str.to_date("%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        return text.str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", time_unit="us", time_zone="UTC")
    if dtype == pl.Boolean:
        return text == "1"
    return text.cast(dtype)
