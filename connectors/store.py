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

import polars as pl

from casemodel import Extract, SystemFailure
from connectors.batching import whole_groups
from connectors.scratch import writing

BUCKET_BYTES = 32 << 20
_MAX_BUCKETS = 128
_SAMPLE_ROWS = 500
_SEQUENCE = "\x01seq"
_BUCKET = "\x01bucket"


class Store:
    """The rows of a relation in one order; positions are valid for the content with `digest` only."""

    def __init__(
        self, folder: Path, extracts: Iterable[Extract], order: Sequence[str], group: Sequence[str], digest: str
    ) -> None:
        self._folder = folder
        self._sort = [*dict.fromkeys([*group, *order])]
        self._group = list(group or order)
        self._digest = digest
        self._unreadable: list[Path] = []
        self._empty = pl.DataFrame()
        self._sample: list[pl.DataFrame] = []
        with writing():
            folder.mkdir(mode=0o700, parents=True)
            parts = self._write(extracts)
            self._buckets = self._split(parts) if self._sort and len(parts) > 1 else [[part] for part in parts]

    def batches(self, rows: int, after: str | None) -> Iterator[Extract]:
        """Yield the rows after a position in batches; unreadable records come last."""
        done = self._read_position(after)
        position, buffer = 0, self._empty
        for bucket in self._sorted_buckets(done):
            position, frame = bucket
            buffer = pl.concat([buffer, frame]) if buffer.height else frame
            start = position - (buffer.height - frame.height)
            while (cut := whole_groups(buffer, self._group, rows)) is not None:
                start += cut
                yield Extract(buffer.head(cut), self._position(start))
                buffer = buffer.slice(cut)
        total = self._rows
        if buffer.height:
            yield Extract(buffer, self._position(total))
        yield from self._unreadable_batches(rows, max(done - total, 0), total)

    def _write(self, extracts: Iterable[Extract]) -> list[Path]:
        parts: list[Path] = []
        waiting: list[pl.DataFrame] = []
        size = sequence = 0
        for extract in extracts:
            if extract.unreadable is not None and extract.unreadable.height:
                path = self._folder / f"unreadable{len(self._unreadable):06}.arrow"
                extract.unreadable.write_ipc(path, compression="lz4")
                self._unreadable.append(path)
            frame = extract.frame
            self._empty = frame.clear()
            if frame.is_empty():
                continue
            if self._sort:
                self._sample.append(frame.select(self._sort).gather_every(max(frame.height // _SAMPLE_ROWS, 1)))
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
        pl.concat(waiting).write_ipc(path, compression="lz4")
        waiting.clear()
        return path

    def _split(self, parts: list[Path]) -> list[list[Path]]:
        """Split the parts at keys that cut the sample into equal pieces; rows of a group stay together."""
        sample = pl.concat(self._sample).sort(self._group)
        self._sample.clear()
        step = max(sample.height // min(len(parts), _MAX_BUCKETS), 1)
        borders = sample.select(self._group).gather_every(step, offset=step).unique(maintain_order=True).rows()
        number = pl.sum_horizontal(
            pl.lit(0, pl.Int32), *(_not_before(self._group, border).cast(pl.Int32) for border in borders)
        ).alias(_BUCKET)
        buckets: list[list[Path]] = [[] for _ in range(len(borders) + 1)]
        for part in parts:
            frame = pl.read_ipc(part).with_columns(number)
            for (bucket,), rows in frame.partition_by(_BUCKET, as_dict=True, include_key=False).items():
                path = self._folder / f"bucket{bucket:06}-{part.name}"
                rows.write_ipc(path, compression="lz4")
                buckets[int(str(bucket))].append(path)
            part.unlink()
        return buckets

    def _sorted_buckets(self, done: int) -> Iterator[tuple[int, pl.DataFrame]]:
        """Yield each bucket's rows after the first `done`, sorted, with the number of rows before them."""
        before = 0
        for bucket in self._buckets:
            height = sum(int(pl.scan_ipc(path, glob=False).select(pl.len()).collect().item()) for path in bucket)
            if before + height > done:
                frame = pl.concat([pl.read_ipc(path) for path in bucket])
                # NULL first, texts by their bytes, equal rows as they lie in the source.
                frame = frame.sort([*self._sort, _SEQUENCE], nulls_last=False).drop(_SEQUENCE)
                skipped = max(done - before, 0)
                yield before + skipped, frame.slice(skipped)
            before += height

    def _unreadable_batches(self, rows: int, done: int, total: int) -> Iterator[Extract]:
        given = 0
        for path in self._unreadable:
            frame = pl.read_ipc(path)
            skipped = max(done - given, 0)
            given += min(skipped, frame.height)
            for piece in frame.slice(skipped).iter_slices(rows):
                given += piece.height
                yield Extract(self._empty, self._position(total + given), piece)

    def _position(self, row: int) -> str:
        return json.dumps({"digest": self._digest, "order": self._sort, "row": row}, separators=(",", ":"))

    def _read_position(self, after: str | None) -> int:
        if after is None:
            return 0
        try:
            found = json.loads(after)
            if found["digest"] == self._digest and found["order"] == self._sort and found["row"] >= 0:
                return int(found["row"])
        except (ValueError, TypeError, KeyError):
            pass
        raise SystemFailure(
            "CON-019",
            "a checkpoint was made from another content or order of the source",
            hint="Start the run anew; what is loaded already will be found unchanged.",
        )


def _not_before(columns: Sequence[str], border: Sequence[str | None]) -> pl.Expr:
    """Return whether a row's values come at or after a border, NULL first, first column first."""
    found = pl.lit(True)
    for name, value in reversed(list(zip(columns, border, strict=True))):
        column = pl.col(name)
        if value is None:
            found = column.is_not_null() | found
        else:
            found = ((column > value) | ((column == value) & found)).fill_null(False)
    return found
