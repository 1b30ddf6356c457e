"""What truly belongs together across the systems: kept beside the demo, for tests of matching and of journeys."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("kind", "left", "left_key", "right", "right_key")
_SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])


class ParquetFile:
    """A Parquet file written in chunks of text columns (and lists of text), so that memory stays with the chunk."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows; the columns are those of the schema, in any order."""
        if frame.height:
            self._writer.write_table(frame.select(self._schema.names).to_arrow().cast(self._schema))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


class TrueLinks(ParquetFile):
    """``links.parquet``: one row per pair, with the relation and the source key of either side."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA)

    def add(self, frame: pl.DataFrame, kind: str, left: tuple[str, str], right: tuple[str, str]) -> None:
        """Add the pairs of a frame.

        Args:
            frame: one row per pair; pairs with a NULL on either side are left out.
            kind: what the link means, such as ``application``.
            left: relation (``balie.BLS_BON``) and column of the one side.
            right: the same of the other side.
        """
        self.write(
            frame.select(
                pl.lit(kind).alias("kind"),
                pl.lit(left[0]).alias("left"),
                pl.col(left[1]).cast(pl.String).alias("left_key"),
                pl.lit(right[0]).alias("right"),
                pl.col(right[1]).cast(pl.String).alias("right_key"),
            ).drop_nulls()
        )
