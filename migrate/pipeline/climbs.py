"""The top of a chain of parents (``climb``), found once for all rows that have or are a parent, by pointer doubling.

Every row points at the row above it, the top at itself.  Each round lets every row point where the row that it
points at pointed, so that n rounds climb 2^n steps of all rows together.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from casemodel import SideJoin, Source

READ_ROWS = 50_000
ROWS_IN_MEMORY, GROUP_ROWS = 100_000, 16_384
"""Rows in chains beyond which they lie in files, in groups of so many rows."""


def tops(keys: pl.Series, above: pl.Series, most: int) -> pl.DataFrame:
    """Return ``key``, ``top`` (key of the top row, NULL where there is none), ``climbed`` and ``_cycle`` (0 or 1).

    A row whose parent is empty, is itself or does not exist is a top.  A circle, or more than `most` steps, has no top.

    Args:
        keys, above: the key of each row and of the row above it; of rows with one key the first one counts.
    """
    rows = (
        pl.DataFrame({"key": keys, "above": above}).drop_nulls("key").unique("key", keep="first", maintain_order=True)
    )
    rows = rows.with_row_index("row")
    parents = rows.select("row", pl.col("key").alias("above")).rename({"row": "up"})
    pointers = rows.join(parents, on="above", how="left", maintain_order="left")
    at = pointers.select(pl.coalesce("up", "row")).to_series()
    own = pointers["row"]
    is_top = at == own
    steps = (~is_top).cast(pl.Int64)
    reach = 1
    while reach <= most:
        steps = steps + steps.gather(at)
        at = at.gather(at)
        reach *= 2
    found = is_top.gather(at) & (steps <= most)
    return pl.DataFrame({"key": rows["key"], "at": at, "steps": steps, "found": found}).select(
        "key",
        pl.when("found").then(pl.lit(rows["key"]).gather(pl.col("at"))).alias("top"),
        pl.when("found").then("steps").alias("climbed"),
        (~pl.col("found")).cast(pl.Int64).alias("_cycle"),
    )


class Climb:
    """One climb of a mapping, ready to join: few tops and their rows are kept in memory, many in a scratch folder.

    The source is read once, into files: the first pass finds the parents that rows name, the second, over files,
    those rows and the ones that name them.  Every other row is its own top: memory is bounded by the rows in chains.

    Args:
        folder: an empty folder that only this user can enter.
    """

    def __init__(self, source: Source, join: SideJoin, folder: Path) -> None:
        self._join = join
        self._folder = folder
        self._key = join.by[0][0]
        self._columns = [name for name in join.columns if name != "climbed"]
        nodes = self._nodes(source)
        keys, above = [pl.Series(dtype=pl.String)], [pl.Series(dtype=pl.String)]
        for number, file in enumerate(sorted(folder.glob("read-*.parquet"))):
            chained = pl.read_parquet(file).filter(pl.col(self._key).is_in(nodes.implode()))
            file.unlink()
            keys.append(chained[self._key])
            above.append(chained[join.climb])
            chained.select(
                pl.col(self._key).alias("top"), *(pl.col(name).alias(self._named(name)) for name in self._columns)
            ).write_parquet(folder / f"row-{number:06}.parquet")
        found = tops(pl.concat(keys), pl.concat(above), join.most).sort("key")
        self._tops = self._kept(found, "top")
        self._rows = self._kept(self._rows_of(found["top"]), "rows")

    def _kept(self, frame: pl.DataFrame, name: str) -> pl.LazyFrame:
        """Keep few rows in memory and many in a file, of which reading skips the groups without a key of the batch."""
        if frame.height <= ROWS_IN_MEMORY:
            return frame.lazy()
        path = self._folder / f"{name}.parquet"
        frame.write_parquet(path, row_group_size=GROUP_ROWS)
        return pl.scan_parquet(path, glob=False)

    def _rows_of(self, found: pl.Series) -> pl.DataFrame:
        """Return the rows that are a top in the order of their keys; of rows with one key the first one."""
        wanted = found.drop_nulls().unique().to_frame("top").lazy()
        rows = pl.scan_parquet(self._folder / "row-*.parquet").join(wanted, on="top", how="semi", maintain_order="left")
        kept = rows.collect().unique("top", keep="first", maintain_order=True).sort("top")
        for file in self._folder.glob("row-*.parquet"):
            file.unlink()
        return kept

    def _nodes(self, source: Source) -> pl.Series:
        """Return the keys of the rows that name a parent other than themselves, and what they name; keep all rows."""
        key, above = pl.col(self._key), pl.col(self._join.climb)
        named = (above.str.strip_chars() != "") & (above != key)
        found = [pl.Series(dtype=pl.String)]
        asked = list(dict.fromkeys([self._key, self._join.climb, *self._columns]))
        for number, frame in enumerate(source.columns(self._join.relation, asked, READ_ROWS)):
            frame.write_parquet(self._folder / f"read-{number:06}.parquet", compression="lz4")
            chained = frame.filter(named)
            found += [chained[self._key], chained[self._join.climb]]
        return pl.concat([each.alias("key") for each in found]).drop_nulls().unique()

    def _named(self, column: str) -> str:
        return f"{self._join.name}.{column}"

    def join(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with the columns of each row's top, the steps to it, and where there is none."""
        key = self._join.by[0][1]
        wanted = frame.select(pl.col(key).alias("key")).drop_nulls().unique()
        climbed = _found(self._tops, wanted)
        if self._columns:
            rows = _found(self._rows, climbed.select(pl.col("top").drop_nulls().unique()))
            climbed = climbed.join(rows, on="top", how="left", maintain_order="left")
        climbed = climbed.rename({name: self._named(name) for name in ("climbed", "_cycle")})
        joined = frame.join(climbed, left_on=key, right_on="key", how="left", maintain_order="left")
        cycle = pl.col(self._named("_cycle"))
        alone = cycle.is_null() & pl.col(key).is_not_null()
        own = [
            pl.when(alone).then(pl.col(name)).otherwise(pl.col(self._named(name))).alias(self._named(name))
            for name in self._columns
        ]
        steps = pl.when(alone).then(0).otherwise(pl.col(self._named("climbed"))).alias(self._named("climbed"))
        return joined.with_columns(*own, steps, cycle.fill_null(0)).drop("top")


def _found(kept: pl.LazyFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return the kept rows with these values in their first column, by which they are sorted."""
    (by,) = wanted.columns
    within = pl.col(by).is_between(pl.lit(wanted[by].min()), pl.lit(wanted[by].max()))
    return kept.filter(within).join(wanted.lazy(), on=by, how="semi").collect()
