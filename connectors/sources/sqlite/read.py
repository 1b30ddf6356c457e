"""Reading a SQLite table in batches by key: every row once, in the source's own order, no group cut."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from casemodel import Extract, SourceColumn
from connectors.batching import whole_groups
from connectors.positions import foreign_position, write_position
from connectors.sources.sqlite.link import Link
from connectors.sources.sqlite.schema import Table
from connectors.sources.sqlite.text import (
    canonical,
    fast_text,
    literal,
    quoted,
    ranges_after,
    raw_text,
    read_position,
    starts_slow,
    tagged,
    valid_utf8,
    written_out,
)

UNREADABLE = ("_ref", "place", "code", "raw")
ODD = "\x01odd"
_RAW_ROWS = 500


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """An order that no two rows share: quoted columns, the locator last, and the names of those that make a group."""

    columns: tuple[str, ...]
    group: tuple[str, ...]

    @property
    def sql(self) -> str:
        """The columns as an ORDER BY list."""
        return ", ".join(self.columns)


def key_order(table: Table, order: tuple[SourceColumn, ...], group: tuple[SourceColumn, ...]) -> KeyOrder:
    """Return the order of a partition: group columns, order columns, then the locator."""
    names = tuple(dict.fromkeys(column.name for column in (*group, *order)))
    whole = names[: len(set(group)) or len(names)]
    return KeyOrder(tuple(dict.fromkeys([*map(quoted, names), *table.locator])), whole)


def uses_index(link: Link, table: Table, order: KeyOrder) -> bool:
    """Tell whether the database gives this order along an index, comparing texts by their bytes.

    Where another collation is at work, the plan changes when the binary one is asked for.
    """
    binary = ", ".join(f"{column} COLLATE BINARY" for column in order.columns)
    plans = []
    for wanted in (order.sql, binary):
        found = link.frame(f"EXPLAIN QUERY PLAN SELECT * FROM {table.name} ORDER BY {wanted} LIMIT 1", 1000)
        plans.append(found["detail"].to_list())
    return plans[0] == plans[1] and not any("TEMP B-TREE FOR ORDER BY" in step.upper() for step in plans[0])


@dataclass(slots=True)
class Reader:
    """Reads rows of one table over one link as canonical text.

    Values are taken as the driver types them, which is fast.  A column whose values in a batch are of kinds that the
    driver would blur (reals beside texts, bytes, whole numbers beyond 2^53 beside reals) is ``slow`` from then on:
    SQLite
    itself writes its text.
    """

    link: Link
    table: Table
    slow: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.slow.update(c.name for c in self.table.relation.columns if starts_slow(c.declared_type))

    def read(self, rest: str, rows: int) -> pl.DataFrame:
        """Run ``SELECT … {rest}`` of at most `rows` rows.

        Returns the columns, ``_ref`` and `ODD` (the code of what makes a row unreadable, or NULL).
        """
        while True:
            frame = self._frame(self.link.table(f"SELECT {self._selected()} {rest}", rows))
            if frame is not None:
                return frame

    def _selected(self) -> str:
        # Nothing is renamed here: ORDER BY would take a new name for the column it hides.
        columns = [
            canonical(quoted(c.name), c.declared_type) if c.name in self.slow else quoted(c.name)
            for c in self.table.relation.columns
        ]
        odd = f"CASE WHEN {self.table.bytes_found(self.slow)} THEN 'blob-in-text' END"
        return ", ".join([*columns, self.table.reference(), odd])

    def _frame(self, arrow: pa.Table) -> pl.DataFrame | None:
        """Return the rows as texts, or None after finding that a column must be read the slow way."""
        slow_before = len(self.slow)
        invalid = pl.Series([False]).new_from_index(0, arrow.num_rows)
        series = []
        for column, values in zip(self.table.relation.columns, arrow.columns, strict=False):
            values, wrong = valid_utf8(values)
            if wrong is not None:
                invalid = invalid | wrong
            text = written_out(values) if column.name in self.slow else fast_text(values, column.declared_type)
            if text is None:
                self.slow.add(column.name)
            else:
                series.append(text.alias(column.name))
        if len(self.slow) > slow_before:
            return None
        for name, values in zip(("_ref", ODD), arrow.columns[len(series) :], strict=True):
            series.append(pl.Series(name, values).cast(pl.String))
        frame = pl.DataFrame(series)
        if invalid.any():
            code = pl.when(pl.col(ODD).is_null() & invalid).then(pl.lit("encoding-invalid")).otherwise(pl.col(ODD))
            frame = frame.with_columns(code.alias(ODD))
        return frame


def read_batches(link: Link, table: Table, order: KeyOrder, rows: int, after: str | None) -> Iterator[Extract]:
    """Yield a table's rows in batches of `rows`, fewer or more where a group would be cut."""
    reader = Reader(link, table)
    position = None if after is None else read_position(after, len(order.columns))
    whole = False
    while not whole:
        wanted = rows + 1
        frame = _read_after(reader, order, wanted, position)
        whole = frame.height < wanted
        while (cut := whole_groups(frame, order.group, rows)) is None and not whole:
            # A group that fills the batch is read to its end, in steps that grow with it.
            piece = _read_after(reader, order, wanted, _last_position(reader, order, frame))
            whole, wanted = piece.height < wanted, 2 * wanted
            frame = pl.concat([frame, piece])
        batch = frame if cut is None else frame.head(cut)
        whole = whole and batch.height == frame.height
        if batch.height:
            position = _last_position(reader, order, batch)
            yield _extract(reader, batch, write_position(position))


def _last_position(reader: Reader, order: KeyOrder, frame: pl.DataFrame) -> list[str | None]:
    """Return the raw order values of the last row, asked for it alone: in every row they would double the keys."""
    tags = ", ".join(tagged(column) for column in order.columns)
    where = located(reader.table, frame["_ref"].tail(1))
    found = reader.link.table(f"SELECT {tags} FROM {reader.table.name} WHERE {where}", 1)
    return [column[0].as_py() for column in found.columns]


def _read_after(reader: Reader, order: KeyOrder, rows: int, position: Sequence[str | None] | None) -> pl.DataFrame:
    """Read at most `rows` rows after a position, checked to be from an unchanged source."""
    pieces: list[pl.DataFrame] = []
    wanted = rows
    for condition in [""] if position is None else ranges_after(order.columns, position):
        where = f"WHERE {condition} " if condition else ""
        rest = f"FROM {reader.table.name} {where}ORDER BY {order.sql} LIMIT {wanted}"
        pieces.append(reader.read(rest, wanted))
        wanted -= pieces[-1].height
        if wanted == 0:
            break
    reader.link.check_unchanged()
    return pl.concat(pieces)


def _extract(reader: Reader, frame: pl.DataFrame, position: str) -> Extract:
    names = [*(column.name for column in reader.table.relation.columns), "_ref"]
    odd = frame.filter(pl.col(ODD).is_not_null())
    if odd.is_empty():
        return Extract(frame.select(names), position)
    good = frame.filter(pl.col(ODD).is_null()).select(names)
    return Extract(
        good, position, describe_odd(reader.link, reader.table, odd.select("_ref", pl.col(ODD).alias("code")))
    )


def describe_odd(link: Link, table: Table, odd: pl.DataFrame) -> pl.DataFrame:
    """Return the unreadable rows with their raw content as JSON: texts as they are, bytes in hex."""
    names = [column.name for column in table.relation.columns]
    tags = ", ".join(tagged(quoted(name)) for name in names)
    kept = []
    for chunk in odd.iter_slices(_RAW_ROWS):
        where = located(table, chunk["_ref"])
        arrow = link.table(f"SELECT {table.reference()}, {tags} FROM {table.name} WHERE {where}", chunk.height)
        ref, *values = (column.to_pylist() for column in arrow.columns)
        raw = [
            json.dumps({name: raw_text(tag) for name, tag in zip(names, row, strict=True)}, ensure_ascii=False)
            for row in zip(*values, strict=True)
        ]
        texts = pl.DataFrame({"_ref": ref, "raw": raw}, schema={"_ref": pl.String, "raw": pl.String})
        kept.append(chunk.join(texts, on="_ref", how="left", maintain_order="left"))
    place = pl.format("{} row {}", pl.lit(table.relation.name), pl.col("_ref"))
    return pl.concat(kept).with_columns(place.alias("place")).select(UNREADABLE)


def located(table: Table, refs: pl.Series) -> str:
    """Return the condition that holds for the rows with these references."""
    if table.by_rowid:
        numbers = refs.cast(pl.Int64, strict=False)
        if numbers.null_count():
            raise foreign_position()
        return f"{table.locator[0]} IN ({', '.join(map(str, numbers))})"
    rows = [f"({', '.join(literal(tag) for tag in read_position(ref, len(table.locator)))})" for ref in refs]
    return f"({', '.join(table.locator)}) IN (VALUES {', '.join(rows)})"
