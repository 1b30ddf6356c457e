"""A copy of rows that nothing identifies: views, queries, tables without a key, read once and numbered as they came."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from connectors.scratch import writing

_NUMBER = "\x01row"


class Copy:
    """The rows of a relation in scratch files.

    A row's reference holds its number and a digest of the whole: another content has other references, so that an old
    one finds nothing rather than another row.
    """

    def __init__(self, folder: Path, frames: Iterator[pl.DataFrame], names: Sequence[str]) -> None:
        self._parts: list[tuple[Path, int]] = []
        self._schema = dict.fromkeys(names, pl.String)
        self.rows = 0
        digest = hashlib.sha256()
        with writing():
            folder.mkdir(mode=0o700, parents=True)
        for frame in frames:
            path = folder / f"part{len(self._parts):06}.arrow"
            with writing():
                frame.write_ipc(path, compression="lz4")
                digest.update(path.read_bytes())
            self._parts.append((path, self.rows))
            self.rows += frame.height
        self.digest = digest.hexdigest()

    @property
    def _mark(self) -> str:
        return f"{self.digest[:12]}:"

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield all rows with their references, in the order in which they came."""
        for path, before in self._parts:
            yield self._read(path, before)

    def _read(self, path: Path, before: int) -> pl.DataFrame:
        with path.open("rb") as file:
            frame = pl.read_ipc(file)
        ref = pl.lit(self._mark) + (pl.int_range(pl.len()) + before).cast(pl.String)
        return frame.with_columns(ref.alias("_ref"))

    def fetch(self, refs: pl.Series) -> pl.DataFrame:
        """Return the rows with these references, in their order; those of another content are not there."""
        wanted = refs.drop_nulls().unique(maintain_order=True).alias("_ref").to_frame()
        numbers = wanted.with_columns(
            pl.col("_ref").str.strip_prefix(self._mark).cast(pl.Int64, strict=False).alias(_NUMBER)
        ).filter(pl.col("_ref").str.starts_with(self._mark) & pl.col(_NUMBER).is_not_null())
        found = [pl.DataFrame(schema=self._schema | {"_ref": pl.String})]
        for number, (path, before) in enumerate(self._parts):
            end = self._parts[number + 1][1] if number + 1 < len(self._parts) else self.rows
            if numbers.filter(pl.col(_NUMBER).is_between(before, end - 1)).height:
                found.append(self._read(path, before).join(numbers.select("_ref"), on="_ref", how="semi"))
        return wanted.join(pl.concat(found), on="_ref", how="inner", maintain_order="left").select(found[0].columns)
