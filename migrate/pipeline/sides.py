"""Looks beside (``with``): each side is read once into a scratch store and joined to the batches, in bounded memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from casemodel import SideJoin, Source
from connectors import Scratch
from migrate.pipeline.climbs import Climb

READ_ROWS = 50_000


@dataclass(frozen=True)
class _Piece:
    """A file of a store, with the least and the greatest of its keys (the first column looked up by)."""

    path: Path
    low: str
    high: str


class Sides:
    """The sides of one mapping, ready to join.

    Args:
        source: the system that both relations belong to.
        joins: what to look up.
    """

    def __init__(self, source: Source, joins: tuple[SideJoin, ...]) -> None:
        self._joins = joins
        self._scratch = Scratch()
        self._climbs: dict[str, Climb] = {}
        folder = self._scratch.folder
        # Each side is a reading of a relation of its own.
        with ThreadPoolExecutor(thread_name_prefix="omnicase-side") as threads:
            made = threads.map(lambda join: self._store(source, join, folder / join.name), joins)
            self._stores = {join.name: pieces for join, pieces in zip(joins, made, strict=True)}

    def _store(self, source: Source, join: SideJoin, folder: Path) -> list[_Piece]:
        """Write the columns that are used to Parquet files, and keep which keys each of them holds."""
        folder.mkdir(mode=0o700)
        if join.climb:
            self._climbs[join.name] = Climb(source, join, folder)
            return []
        ordered = (name for name, _ in join.order)
        names = list(dict.fromkeys([*(side for side, _ in join.by), *join.columns, *ordered]))
        asked = list(dict.fromkeys([*names, *join.where_columns]))
        pieces = []
        for number, frame in enumerate(source.columns(join.relation, asked, READ_ROWS)):
            # A NULL condition leaves the row out, as everywhere a row must be found.
            kept = frame if join.where is None else frame.filter(join.where)
            keys = kept[join.by[0][0]]
            if keys.null_count() < keys.len():
                path = folder / f"{number:06}.parquet"
                kept.select(names).write_parquet(path, compression="lz4")
                pieces.append(_Piece(path, str(keys.min()), str(keys.max())))
        if not pieces:
            path = folder / "none.parquet"
            pl.DataFrame(schema=dict.fromkeys(names, pl.String)).write_parquet(path)
            pieces.append(_Piece(path, "", ""))
        return pieces

    def join(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with ``<side>.<column>`` for every side; rows are neither added nor dropped."""
        for join in self._joins:
            frame = self._climbs[join.name].join(frame) if join.climb else self._joined(frame, join)
        return frame

    def _with_keys(self, join: SideJoin, keys: pl.Series) -> list[Path]:
        """Return the files that may hold one of these keys: few, where the side comes in the order of its keys."""
        low, high = str(keys.min() or ""), str(keys.max() or "")
        pieces = self._stores[join.name]
        return [each.path for each in pieces if each.low <= high and low <= each.high] or [pieces[0].path]

    def _joined(self, frame: pl.DataFrame, join: SideJoin) -> pl.DataFrame:
        on_side, on_main = [side for side, _ in join.by], [main for _, main in join.by]
        wanted = frame.select(pl.col(main).alias(f"_by{i}") for i, main in enumerate(on_main)).drop_nulls().unique()
        keys = [f"_by{i}" for i in range(len(on_main))]
        side = pl.scan_parquet(self._with_keys(join, wanted["_by0"]), glob=False)
        found = side.join(wanted.lazy(), left_on=on_side, right_on=keys, how="semi").collect(engine="streaming")
        wanted_too = {*join.columns, *dict(join.order)}
        found = found.with_columns(pl.col(name).alias(f"_by{i}") for i, name in enumerate(on_side)).drop(
            name for name in on_side if name not in wanted_too
        )
        folded = self._folded(found, join, keys)
        return (
            frame.with_columns(pl.col(main).alias(f"_by{i}") for i, main in enumerate(on_main))
            .join(folded, on=keys, how="left", maintain_order="left")
            .drop(keys)
            .with_columns(self._absent(join))
        )

    @staticmethod
    def _absent(join: SideJoin) -> list[pl.Expr]:
        if join.take == "count":
            return [pl.col(f"{join.name}.count").fill_null(0)]
        return [pl.col(f"{join.name}._hits").fill_null(0)]

    @staticmethod
    def _folded(found: pl.DataFrame, join: SideJoin, keys: list[str]) -> pl.DataFrame:
        """Fold the rows of a key to one: the first or last by the order, NULLs last; ``only`` counts its hits."""
        if join.take == "count":
            return found.group_by(keys).agg(pl.len().cast(pl.Int64).alias(f"{join.name}.count"))
        if join.order:
            # What the order leaves equal is told apart by what is used of it: the files come in no order of their own.
            rest = [name for name in sorted(found.columns) if name not in dict(join.order)]
            number = pl.Decimal(38, 9)
            asked = [
                pl.col(name).cast(number, strict=False) if name in join.numeric else pl.col(name)
                for name, _ in join.order
            ]
            ties = [*join.numeric, *rest]
            found = found.sort(
                [*asked, *ties], descending=[*(down for _, down in join.order), *([False] * len(ties))], nulls_last=True
            )
        pick = pl.Expr.last if join.take == "last" else pl.Expr.first
        return found.group_by(keys, maintain_order=True).agg(
            *(pick(pl.col(name)).alias(f"{join.name}.{name}") for name in join.columns),
            pl.len().cast(pl.Int64).alias(f"{join.name}._hits"),
        )

    def close(self) -> None:
        """Remove the scratch stores."""
        self._scratch.close()
