"""A relation sorted once into a scratch folder and read by row ranges, within bounded memory.

For sources that cannot give an order themselves: files, views, tables without a fitting index.  Rows go to Arrow files
first; these are split at sampled keys into buckets of bounded size, and each bucket is sorted when it is read.  A
bucket holds whole
groups, so that only a group larger than a bucket needs more memory than that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from casemodel import Extract, SystemFailure
from connectors.batching import whole_groups
from connectors.scratch import writing

BUCKET_BYTES = 32 << 20
_MAX_BUCKETS = 128
_SAMPLE_ROWS = 500
_SEQUENCE = "\x01seq"
_BUCKET = "\x01bucket"
_Given = tuple[list[Any], int]
"""The group values of the last row given, and how many rows with these values were given, if a value is missing.

Rows without a value are no group: a batch may end among them.
"""


class Store:
    """The rows of a relation in one order.

    Positions are row numbers, valid for the content with `digest` only; where the content has none, they are values.
    """

    def __init__(
        self,
        folder: Path,
        extracts: Iterable[Extract],
        order: Sequence[str],
        group: Sequence[str],
        digest: str | None,
        numeric: Sequence[str] = (),
    ) -> None:
        """Read all extracts and sort them by group and order.

        Args:
            folder: made here, for this store alone.
            extracts: the relation in physical order.
            order, group: column names; without both the physical order stays.
            digest: of the content, for positions; None: the content may be another one when reading goes on.
            numeric: columns in which numbers are ordered by value, before texts.
        """
        self._folder = folder
        self._sort = [*dict.fromkeys([*group, *order])]
        self._group = list(group or order)
        self._keys = [key for name in self._sort for key in _sort_keys(name, name in numeric)]
        self._group_keys = [key for name in self._group for key in _sort_keys(name, name in numeric)]
        self._digest = digest
        self._heights: dict[Path, int] = {}
        self._unreadable: list[Path] = []
        self._empty = pl.DataFrame()
        self._sample: list[pl.DataFrame] = []
        with writing():
            folder.mkdir(mode=0o700, parents=True)
            parts = self._write(extracts)
            self._buckets = self._split(parts) if self._sort and len(parts) > 1 else [[part] for part in parts]

    def batches(self, rows: int, after: str | None) -> Iterator[Extract]:
        """Yield the rows after a position in batches; unreadable records come last."""
        given: _Given = ([], 0)
        if self._digest is not None:
            done = self._read_position(after)
        else:
            given = self._read_values(after)
            done = self._rows_until(given)
        position, buffer = 0, self._empty
        for bucket in self._sorted_buckets(done):
            position, frame = bucket
            buffer = pl.concat([buffer, frame]) if buffer.height else frame
            start = position - (buffer.height - frame.height)
            while (cut := whole_groups(buffer, self._group, rows)) is not None:
                start += cut
                given = self._given(buffer.head(cut), given)
                yield Extract(buffer.head(cut), self._position(start, given))
                buffer = buffer.slice(cut)
        total = self._rows
        if buffer.height:
            yield Extract(buffer, self._position(total, self._given(buffer, given)))
        yield from self._unreadable_batches(rows, max(done - total, 0), total)

    def _write(self, extracts: Iterable[Extract]) -> list[Path]:
        parts: list[Path] = []
        waiting: list[pl.DataFrame] = []
        size = sequence = 0
        for extract in extracts:
            if extract.unreadable is not None and extract.unreadable.height:
                path = self._folder / f"unreadable{len(self._unreadable):06}.arrow"
                self._put(path, extract.unreadable)
                self._unreadable.append(path)
            frame = extract.frame
            self._empty = frame.clear()
            if frame.is_empty():
                continue
            if self._sort:
                sampled = frame.gather_every(max(frame.height // _SAMPLE_ROWS, 1))
                self._sample.append(sampled.select(_named(self._group_keys)))
            waiting.append(frame.with_columns(pl.int_range(sequence, sequence + frame.height).alias(_SEQUENCE)))
            sequence += frame.height
            # A text takes 16 bytes beside its own.
            size += int(frame.estimated_size()) + 16 * frame.height * frame.width
            if size >= BUCKET_BYTES:
                parts.append(self._flush(waiting, len(parts)))
                size = 0
        if waiting:
            parts.append(self._flush(waiting, len(parts)))
        self._rows = sequence
        return parts

    def _flush(self, waiting: list[pl.DataFrame], number: int) -> Path:
        path = self._folder / f"part{number:06}.arrow"
        self._put(path, pl.concat(waiting))
        waiting.clear()
        return path

    def _put(self, path: Path, frame: pl.DataFrame) -> None:
        frame.write_ipc(path, compression="lz4")
        self._heights[path] = frame.height

    def _split(self, parts: list[Path]) -> list[list[Path]]:
        """Split the parts at keys that cut the sample into equal pieces; rows of a group stay together."""
        sample = pl.concat(self._sample)
        sample = sample.sort(sample.columns, nulls_last=False)
        self._sample.clear()
        step = max(sample.height // min(len(parts), _MAX_BUCKETS), 1)
        borders = sample.gather_every(step, offset=step).unique(maintain_order=True).rows()
        number = pl.sum_horizontal(
            pl.lit(0, pl.Int32), *(_not_before(self._group_keys, border).cast(pl.Int32) for border in borders)
        ).alias(_BUCKET)
        buckets: list[list[Path]] = [[] for _ in range(len(borders) + 1)]
        for part in parts:
            frame = _read(part).with_columns(number)
            for (bucket,), rows in frame.partition_by(_BUCKET, as_dict=True, include_key=False).items():
                path = self._folder / f"bucket{bucket:06}-{part.name}"
                self._put(path, rows)
                buckets[int(str(bucket))].append(path)
            part.unlink()
        return buckets

    def _sorted_buckets(self, done: int) -> Iterator[tuple[int, pl.DataFrame]]:
        """Yield each bucket's rows after the first `done`, sorted, with the number of rows before them."""
        before = 0
        for bucket in self._buckets:
            height = sum(self._heights[path] for path in bucket)
            if before + height > done:
                frame = pl.concat([_read(path) for path in bucket])
                # NULL first, texts by their bytes, equal rows as they lie in the source.
                frame = frame.sort([*self._keys, _SEQUENCE], nulls_last=False).drop(_SEQUENCE)
                skipped = max(done - before, 0)
                yield before + skipped, frame.slice(skipped)
            before += height

    def _unreadable_batches(self, rows: int, done: int, total: int) -> Iterator[Extract]:
        given = 0
        for path in self._unreadable:
            frame = _read(path)
            skipped = max(done - given, 0)
            given += min(skipped, frame.height)
            for piece in frame.slice(skipped).iter_slices(rows):
                given += piece.height
                yield Extract(self._empty, self._position(total + given, ([], 0)), piece)

    def _position(self, row: int, given: _Given) -> str:
        if self._digest is not None:
            return json.dumps({"digest": self._digest, "order": self._sort, "row": row}, separators=(",", ":"))
        return json.dumps({"order": self._sort, "after": given[0], "same": given[1]}, separators=(",", ":"))

    def _given(self, batch: pl.DataFrame, before: _Given) -> _Given:
        """Return what was given when a batch is."""
        last = [batch.item(-1, name) for name in self._group]
        if self._digest is not None or None not in last:
            return last, 0
        same = int(batch.select(_equal(self._group, last).sum()).item())
        return last, same + (before[1] if before[0] == last else 0)

    def _read_values(self, after: str | None) -> _Given:
        if after is None:
            return [], 0
        try:
            found = json.loads(after)
            last, same = list(found["after"]), int(found["same"])
            if found["order"] == self._sort and len(last) == len(self._group):
                return last, same
        except (ValueError, TypeError, KeyError):
            pass
        raise _foreign()

    def _rows_until(self, given: _Given) -> int:
        """Return how many rows come up to these values, whatever the content was when they were given."""
        last, same = given
        if not last:
            return 0
        border = pl.DataFrame([last], schema=dict.fromkeys(self._group, pl.String), orient="row")
        values = border.select(_named(self._group_keys)).row(0)
        names = [f"key{number}" for number in range(len(values))]
        rows = 0
        for _, frame in self._sorted_buckets(0):
            keys = frame.select(_named(self._group_keys))
            before = keys.filter(~_not_before([pl.col(name) for name in names], values)).height
            equal = int(keys.select(_equal(names, values).sum()).item())
            rows += before + (min(same, equal) if None in last else equal)
            if before + equal < frame.height:
                break
        return rows

    def _read_position(self, after: str | None) -> int:
        if after is None:
            return 0
        try:
            found = json.loads(after)
            if found["digest"] == self._digest and found["order"] == self._sort and found["row"] >= 0:
                return int(found["row"])
        except (ValueError, TypeError, KeyError):
            pass
        raise _foreign()


def _foreign() -> SystemFailure:
    return SystemFailure(
        "CON-019",
        "a checkpoint was made from another content or order of the source",
        hint="Start the run anew; what is loaded already will be found unchanged.",
    )


def _equal(names: Sequence[str], values: Sequence[Any]) -> pl.Expr:
    """Return whether a row has these values, NULL being a value like another."""
    return pl.all_horizontal(pl.col(name).eq_missing(pl.lit(value)) for name, value in zip(names, values, strict=True))


def _read(path: Path) -> pl.DataFrame:
    # As an open file: a path could be taken for a pattern.
    with path.open("rb") as file:
        return pl.read_ipc(file)


def _sort_keys(name: str, numeric: bool) -> list[pl.Expr]:
    """Return what a column is ordered by: its text, or first its kind (NULL, number, text) and its number."""
    column = pl.col(name)
    if not numeric:
        return [column]
    number = column.cast(pl.Float64, strict=False)
    kind = pl.when(column.is_null()).then(0).when(number.is_null()).then(2).otherwise(1)
    # Whole numbers beyond 2^53 are told apart by the second cast.
    return [kind, number, column.cast(pl.Int64, strict=False), column]


def _named(keys: Sequence[pl.Expr]) -> list[pl.Expr]:
    return [key.alias(f"key{number}") for number, key in enumerate(keys)]


def _not_before(keys: Sequence[pl.Expr], border: Sequence[Any]) -> pl.Expr:
    """Return whether a row comes at or after a border, NULL first, first key first."""
    found = pl.lit(True)
    for key, value in reversed(list(zip(keys, border, strict=True))):
        if value is None:
            found = key.is_not_null() | found
        else:
            found = ((key > value) | ((key == value) & found)).fill_null(False)
    return found
