"""Finding records in bytes, a chunk at a time, by column operations on the bytes.

A quote opens a field only where a field starts and closes it only where a field ends; a doubled quote is a quote.  Any other
quote is stray: its record is unreadable and ends at the next line end.  Outside quotes CR LF, LF and CR end a record.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import pyarrow as pa

_LF, _CR = 10, 13
_WINDOW = 2048


@dataclass(frozen=True, slots=True)
class Records:
    """The complete records of a buffer.

    ``table`` has per record: ``start``, ``stop`` (without its line end), ``end`` (with it), ``stray`` (a stray quote) and ``fields``.
    ``consumed`` is the end of the last one; ``open_quote`` is where a quote is still open behind it, or None.
    """

    table: pl.DataFrame
    consumed: int
    open_quote: int | None


def find_records(data: bytes, delimiter: bytes, quote: bytes, *, final: bool) -> Records:
    """Find the records of a buffer that starts at the start of a record; `final` when nothing follows it."""
    if not final and data.endswith(b"\r"):
        # Whether this is CR or CR LF is known with the next block.
        data = data[:-1]
    byte = _bytes(data)
    ends = _line_ends(byte, data)
    quotes = _positions(byte, quote[0]) if quote and quote in data else _no_positions()
    stray: list[int] = []
    if quotes.is_empty():
        record_ends, open_quote = ends, None
    else:
        record_ends, stray, open_quote = _outside(byte, quotes, ends, delimiter[0], quote[0])
    consumed = int(record_ends[-1]) if record_ends.len() else 0
    if final and consumed < len(data) and open_quote is None:
        record_ends = pl.concat([record_ends, pl.Series([len(data)], dtype=pl.Int64)])
        consumed = len(data)
    table = _table(byte, data, record_ends, pl.Series(stray, dtype=pl.Int64))
    return Records(table.with_columns(fields=_fields(byte, delimiter[0], quotes, table)), consumed, open_quote)


def _bytes(data: bytes) -> pl.Series:
    array = pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])
    found = pl.from_arrow(array)
    assert isinstance(found, pl.Series)
    return found


def _positions(byte: pl.Series, wanted: int) -> pl.Series:
    return (byte == wanted).arg_true().cast(pl.Int64)


def _no_positions() -> pl.Series:
    return pl.Series(dtype=pl.Int64)


def _line_ends(byte: pl.Series, data: bytes) -> pl.Series:
    """Return the offsets behind every line end."""
    ends = _positions(byte, _LF) + 1
    if b"\r" not in data:
        return ends
    alone = _positions(byte, _CR)
    following = byte.gather(pl.Series(alone + 1).clip(0, byte.len() - 1))
    alone = alone.filter((following != _LF) | (alone == byte.len() - 1)) + 1
    return pl.concat([ends, alone]).sort() if alone.len() else ends


def _outside(
    byte: pl.Series, quotes: pl.Series, ends: pl.Series, delimiter: int, quote: int
) -> tuple[pl.Series, list[int], int | None]:
    """Return the line ends that end records, the positions of stray quotes, and where a quote stays open."""
    starts_field, closes_field, doubled = _roles(byte, quotes, delimiter, quote)
    kept: list[pl.Series] = []
    stray: list[int] = []
    start = first = 0
    while True:
        wrong = _first_stray(starts_field, closes_field, doubled, first)
        border = byte.len() if wrong is None else int(quotes[wrong])
        last = quotes.len() if wrong is None else wrong
        line = ends.slice(_index(ends, start + 1), None)
        line = line.head(_index(line, border + 1))
        own = quotes.slice(first, last - first)
        kept.append(line.filter(own.search_sorted(line, side="left").cast(pl.Int64) % 2 == 0) if own.len() else line)
        if wrong is None:
            is_open = own.len() % 2 == 1
            return pl.concat(kept), stray, _opening(own, starts_field.slice(first), doubled.slice(first)) if is_open else None
        stray.append(border)
        after = _index(ends, border + 1)
        if after == ends.len():
            return pl.concat(kept), stray, None
        start = int(ends[after])
        kept.append(ends.slice(after, 1))
        first = _index(quotes, start)


def _index(values: pl.Series, at_least: int) -> int:
    """Return the index of the first value that is not smaller."""
    return int(values.search_sorted(at_least, side="left"))


def _roles(byte: pl.Series, quotes: pl.Series, delimiter: int, quote: int) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Return per quote whether a field may start or end at it, and whether the quote before it is its neighbour."""
    borders = pl.Series([delimiter, _LF, _CR], dtype=pl.UInt8)
    before = byte.gather((quotes - 1).clip(0, None))
    after = byte.gather((quotes + 1).clip(None, byte.len() - 1))
    starts = before.is_in(borders.implode()) | (quotes == 0)
    # At the end of the buffer the record is not complete, or the file ends: no reason to call the quote stray.
    closes = after.is_in(borders.implode()) | (after == quote) | (quotes == byte.len() - 1)
    return starts, closes, (before == quote) & (quotes > 0)


def _first_stray(starts: pl.Series, closes: pl.Series, doubled: pl.Series, first: int) -> int | None:
    """Return the first quote from `first` (which is outside) on that neither opens, closes nor is doubled."""
    size = _WINDOW
    while first < starts.len():
        length = min(size, starts.len() - first)
        opening = pl.int_range(0, length, eager=True) % 2 == 0
        may_open = starts.slice(first, length) | doubled.slice(first, length)
        good = (opening & may_open) | (~opening & closes.slice(first, length))
        if not good.all():
            return first + int(good.arg_min() or 0)
        # Windows but the last are of even length, so that each starts outside quotes.
        first, size = first + length, 2 * size
    return None


def _opening(quotes: pl.Series, starts: pl.Series, doubled: pl.Series) -> int:
    """Return where the field opens that is still open at the end: the last opening quote that is not half of a doubled one."""
    opening = pl.int_range(0, quotes.len(), eager=True) % 2 == 0
    own = opening & starts.head(quotes.len()) & ~doubled.head(quotes.len())
    found = quotes.filter(own)
    return int(found[-1]) if found.len() else int(quotes[0])


def _table(byte: pl.Series, data: bytes, ends: pl.Series, stray: pl.Series) -> pl.DataFrame:
    table = pl.DataFrame({"start": ends.shift(1, fill_value=0), "end": ends})
    if table.is_empty():
        return table.with_columns(stop=pl.col("end"), stray=pl.lit(False)).select("start", "stop", "end", "stray")
    last = byte.gather((ends - 1).clip(0, None))
    before = byte.gather((ends - 2).clip(0, None))
    feed, carriage = last == _LF, last == _CR
    both = feed & (before == _CR) & (ends - 2 >= table["start"])
    # The last record of a file may have no line end.
    cut = feed.cast(pl.Int64) + carriage.cast(pl.Int64) + both.cast(pl.Int64)
    found = pl.Series(stray.search_sorted(table["end"], side="left").cast(pl.Int64)) - pl.Series(
        stray.search_sorted(table["start"], side="left").cast(pl.Int64)
    )
    return table.with_columns(stop=ends - cut, stray=found > 0).select("start", "stop", "end", "stray")


def _fields(byte: pl.Series, delimiter: int, quotes: pl.Series, table: pl.DataFrame) -> pl.Series:
    """Count the fields of every record: its delimiters outside quotes and one."""
    found = _positions(byte, delimiter)
    if quotes.len() and table.height and found.len():
        record = table["end"].search_sorted(found, side="right").cast(pl.Int64).clip(0, table.height - 1)
        before = quotes.search_sorted(table["start"], side="left").cast(pl.Int64).gather(record)
        found = found.filter((quotes.search_sorted(found, side="left").cast(pl.Int64) - before) % 2 == 0)
    upto = found.search_sorted(table["end"], side="left").cast(pl.Int64)
    return upto - found.search_sorted(table["start"], side="left").cast(pl.Int64) + 1
