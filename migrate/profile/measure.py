"""One pass over a relation: exact counts of all rows, and a sample of them for everything that costs more.

Nothing grows with the relation but, up to a bound, the hashes of columns that may be a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from casemodel import Extract, Relation, duplicate_scan
from migrate.profile.sketch import Distinct

SAMPLE_ROWS = 50_000
"""At most twice as many rows are kept of a relation."""
COUNTED_VALUES = 5_000
"""While a column has no more different values than this, all of them are counted."""
LONGEST = 200
"""Characters of a text that the sample keeps."""
KEY_ROWS = 4_000_000
"""Rows up to which a column's hashes are kept to tell whether it is a key."""
KEY_BYTES = 128_000_000


@dataclass
class Column:
    """What is known of a column so far."""

    name: str
    nulls: int = 0
    empty: int = 0
    shortest: int | None = None
    longest: int | None = None
    distinct: Distinct = field(default_factory=Distinct)
    counts: pl.DataFrame | None = field(
        default_factory=lambda: pl.DataFrame(schema={"value": pl.String, "n": pl.UInt32})
    )
    """Every value with its count, until there are too many or one is too long."""
    hashes: list[pl.Series] | None = field(default_factory=list)
    """All hashes while the column may be a key."""


class Measurement:
    """Takes in a relation batch by batch."""

    def __init__(self, relation: Relation) -> None:
        self.relation = relation
        self.columns = [Column(name) for name in relation.column_names()]
        self.rows = 0
        self.unreadable = 0
        self.step = 1
        self._samples: list[pl.DataFrame] = []

    def add(self, extract: Extract) -> None:
        """Take in a batch."""
        names = [column.name for column in self.columns]
        frame = extract.frame.select(names)
        self.unreadable += extract.rows - frame.height
        if not frame.height:
            return
        lengths = frame.select(pl.all().str.len_chars())
        hashes = frame.select(pl.when(pl.col(name).is_not_null()).then(pl.col(name).hash(0)).alias(name)
                              for name in names)  # fmt: skip
        for column in self.columns:
            values = frame[column.name]
            nulls = values.null_count()
            column.nulls += nulls
            if nulls < frame.height:
                _lengths(column, lengths[column.name])
                _add(column, values, hashes[column.name].drop_nulls(), nulls)
            else:
                column.hashes = None
        self._sample(frame)
        self.rows += frame.height
        self._bound_keys()

    def _sample(self, frame: pl.DataFrame) -> None:
        first = -self.rows % self.step
        if first < frame.height:
            taken = frame.gather_every(self.step, first)
            self._samples.append(_copied(taken.select(pl.all().str.slice(0, LONGEST + 1))))
        while sum(part.height for part in self._samples) > 2 * SAMPLE_ROWS:
            whole = pl.concat(self._samples)
            self._samples = [_copied(whole.gather_every(2))]
            self.step *= 2

    def _bound_keys(self) -> None:
        open_keys = [column for column in self.columns if column.hashes is not None]
        fits = KEY_BYTES // (8 * max(self.rows, 1)) if self.rows <= KEY_ROWS else 0
        for column in open_keys[fits:]:
            column.hashes = None

    def values(self, column: Column) -> tuple[pl.DataFrame, bool]:
        """Return the values (not NULL) of a column with their counts, and whether they are those of a sample."""
        if column.counts is not None:
            return column.counts, False
        sample = self._whole_sample()[column.name].drop_nulls().rename("value")
        return sample.value_counts(name="n"), self.step > 1

    def sample(self, names: tuple[str, ...]) -> pl.DataFrame:
        """Return the sampled rows of some columns."""
        return self._whole_sample().select(names)

    def _whole_sample(self) -> pl.DataFrame:
        if len(self._samples) != 1:
            empty = pl.DataFrame(schema={column.name: pl.String for column in self.columns})
            self._samples = [pl.concat([empty, *self._samples])]
        return self._samples[0]

    def is_key(self, column: Column) -> bool:
        """Tell whether a column is filled and different in every row; what was too much to keep counts as no."""
        return bool(self.rows) and column.hashes is not None and not duplicate_scan(column.hashes).len()


def _lengths(column: Column, lengths: pl.Series) -> None:
    shortest, longest = int(str(lengths.min())), int(str(lengths.max()))
    column.shortest = shortest if column.shortest is None else min(column.shortest, shortest)
    column.longest = longest if column.longest is None else max(column.longest, longest)
    column.empty += int((lengths == 0).sum()) if shortest == 0 else 0
    if longest > LONGEST:
        column.counts = None


def _add(column: Column, values: pl.Series, hashes: pl.Series, nulls: int) -> None:
    column.distinct.add(hashes)
    if column.hashes is not None:
        if nulls or hashes.n_unique() < hashes.len():
            column.hashes = None
        else:
            column.hashes.append(hashes)
    if column.counts is not None:
        if column.distinct.count > COUNTED_VALUES:
            column.counts = None
            return
        counted = values.drop_nulls().rename("value").value_counts(name="n")
        summed = pl.concat([column.counts, counted]).group_by("value").agg(pl.col("n").sum())
        column.counts = _copied(summed)


def _copied(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with texts of its own: a text taken out of a batch holds on to all texts of that batch."""
    return frame.with_columns(pl.col(pl.String) + "")
