"""Finding records in bytes, a chunk at a time, by column operations on the bytes.

A quote opens a field only where a field starts and closes it only where a field ends; a doubled quote is a quote.
Any other
quote is stray: its record is unreadable and ends at the next line end.  Outside quotes CR LF, LF and CR end a record.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

_LF, _CR = 10, 13


@dataclass(frozen=True, slots=True)
class Records:
    """The complete records of a buffer.

    ``table`` has per record: ``start``, ``stop`` (without its line end), ``end`` (with it), ``stray`` (a stray quote).
    ``consumed`` is the end of the last one and ``lines`` the number of line ends up to there; ``open_quote`` is where a
    quote is still open behind it, or None.
    """

    table: pl.DataFrame
    consumed: int
    lines: int
    open_quote: int | None
    bare_returns: bool = True
    """Whether the buffer may hold a CR that no LF follows."""


def find_records(data: bytes, delimiter: bytes, quote: bytes, *, final: bool) -> Records:
    """Find the records of a buffer that starts at the start of a record; `final` when nothing follows it."""
    if not final and data.endswith(b"\r"):
        # Whether this is CR or CR LF is known with the next block.
        data = data[:-1]
    byte = byte_series(data)
    ends, bare_returns = _line_ends(byte, data)
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
    table = _table(byte, record_ends, pl.Series(stray, dtype=pl.Int64))
    return Records(table, consumed, int(ends.search_sorted(consumed, side="right")), open_quote, bare_returns)


def byte_series(data: bytes) -> pl.Series:
    """Return bytes as a series of small numbers, without copying them."""
    array = pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])
    found = pl.from_arrow(array)
    assert isinstance(found, pl.Series)
    return found


def count_byte(data: bytes, wanted: int) -> int:
    """Count a byte; where it is frequent, as line ends and delimiters are, faster than `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == wanted))


def _positions(byte: pl.Series, wanted: int) -> pl.Series:
    return pl.Series(np.flatnonzero(byte.to_numpy() == wanted))


def _no_positions() -> pl.Series:
    return pl.Series(dtype=pl.Int64)


def _line_ends(byte: pl.Series, data: bytes) -> tuple[pl.Series, bool]:
    """Return the offsets behind every line end, and whether some are a CR alone."""
    found = byte.to_numpy()
    feeds = np.flatnonzero(found == _LF)
    carriages = count_byte(data, _CR) if b"\r" in data else 0
    if not carriages or carriages == np.count_nonzero(found[np.maximum(feeds - 1, 0)] == _CR):
        return pl.Series(feeds + 1), False
    alone = np.flatnonzero(found == _CR)
    following = found[np.minimum(alone + 1, len(found) - 1)]
    alone = alone[(following != _LF) | (alone == len(found) - 1)]
    return pl.Series(np.sort(np.concatenate([feeds, alone])) + 1), bool(alone.size)


def _outside(
    byte: pl.Series, quotes: pl.Series, ends: pl.Series, delimiter: int, quote: int
) -> tuple[pl.Series, list[int], int | None]:
    """Return the line ends that end records, the positions of stray quotes, and where a quote stays open.

    A quote is outside or inside by the number of quotes before it since the record that was last known to start: a
    segment starts at the buffer and behind every record with a stray quote.
    """
    may_open, may_close = _roles(byte, quotes, delimiter, quote)
    even = pl.int_range(quotes.len(), eager=True) % 2 == 0
    wrong = [_flags(~((may_open & side) | (may_close & ~side))) for side in (even, ~even)]
    starts, firsts, forced, stray = [0], [0], [], []
    if b"\1" in wrong[0]:
        places, upto = quotes.to_numpy(), ends.to_numpy()
        while (found := wrong[firsts[-1] % 2].find(b"\1", firsts[-1])) >= 0:
            stray.append(int(places[found]))
            after = int(np.searchsorted(upto, places[found], side="right"))
            if after == ends.len():
                ends = ends.filter(ends <= stray[-1])
                break
            forced.append(after)
            starts.append(int(upto[after]))
            firsts.append(int(np.searchsorted(places, upto[after])))
    before = _before(quotes, ends)
    if len(starts) > 1:
        segment = _before(pl.Series(starts), ends) - 1
        before = before - pl.Series(firsts).gather(segment)
    outside = before % 2 == 0
    if forced:
        outside = outside.scatter(forced, True)
    lost = len(stray) > len(forced)
    is_open = not lost and (quotes.len() - firsts[-1]) % 2 == 1
    return ends.filter(outside), stray, _opening(quotes, firsts[-1]) if is_open else None


def _flags(found: pl.Series) -> bytes:
    return bytes(found.cast(pl.UInt8).to_arrow().buffers()[1])[: found.len()]


def _roles(byte: pl.Series, quotes: pl.Series, delimiter: int, quote: int) -> tuple[pl.Series, pl.Series]:
    """Return per quote whether it may open a field when outside and close one when inside; half of a pair may."""
    before = byte.gather((quotes - 1).clip(0, None))
    after = byte.gather((quotes + 1).clip(None, byte.len() - 1))
    borders = pl.Series([delimiter, _LF, _CR, quote], dtype=pl.UInt8).implode()
    # At the end of the buffer the record is not complete, or the file ends: no reason to call the quote stray.
    return before.is_in(borders) | (quotes == 0), after.is_in(borders) | (quotes == byte.len() - 1)


def _opening(quotes: pl.Series, first: int) -> int:
    """Return where the field opens that is open at the end: at the last quote outside that is not half of a pair."""
    places = quotes.slice(first).to_list()
    for index in range(len(places) - 1, -1, -2):
        if index == 0 or places[index - 1] != places[index] - 1:
            return int(places[index])
    return int(places[0])


def _table(byte: pl.Series, ends: pl.Series, stray: pl.Series) -> pl.DataFrame:
    """Return the table of records; without a query, since a file may be small and every query has its price."""
    found, end = byte.to_numpy(), ends.to_numpy()
    start = np.concatenate([[0], end[:-1]]) if end.size else end
    last, before = found[np.maximum(end - 1, 0)], found[np.maximum(end - 2, 0)]
    feed, carriage = last == _LF, last == _CR
    both = feed & (before == _CR) & (end - 2 >= start)
    # The last record of a file may have no line end.
    stop = end - feed - carriage - both
    places = stray.to_numpy()
    has_stray = np.searchsorted(places, end) > np.searchsorted(places, start)
    return pl.DataFrame({"start": start, "stop": stop, "end": end, "stray": has_stray})


def count_fields(data: bytes, table: pl.DataFrame, delimiter: bytes, quote: bytes) -> pl.Series:
    """Return how many fields each of some records without a stray quote has: its delimiters outside quotes, and one."""
    byte = byte_series(data)
    # Left as they are found: there are twenty delimiters for each line end, and a cast is a third of their price.
    found = (byte == delimiter[0]).arg_true()
    fields = _before(found, table["stop"]) - _before(found, table["start"]) + 1
    quotes = _positions(byte, quote[0]) if quote and quote in data else _no_positions()
    if table.is_empty() or quotes.is_empty():
        return fields
    record = _before(table["end"], quotes + 1)
    within = record < table.height
    within &= quotes >= table["start"].gather(record.clip(None, table.height - 1))
    quotes = quotes.filter(within)
    # A record without a stray quote has its quotes in pairs, so that taking every second one gives the opening ones.
    opening, closing = quotes.gather_every(2), quotes.gather_every(2, offset=1)
    inside = (_before(found, closing) - _before(found, opening)).cum_sum()
    pairs = _before(opening, table["end"])
    upto = pl.concat([pl.Series([0], dtype=pl.Int64), inside]).gather(pairs)
    return fields - (upto - upto.shift(1, fill_value=0))


def _before(values: pl.Series, borders: pl.Series) -> pl.Series:
    """Return for each border how many values are smaller."""
    # Of one type, or the values, which are many, are cast.
    found = np.searchsorted(values.to_numpy(), borders.cast(values.dtype).to_numpy())
    return pl.Series(found, dtype=pl.Int64)
