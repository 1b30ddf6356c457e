"""From the bytes of a chunk to a frame of texts, and a frame of what could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from casemodel import BugError
from connectors.sources.csv.lines import records_in, rows_of, without_headers
from connectors.sources.csv.records import byte_series, count_byte, count_fields
from connectors.sources.csv.settings import CsvRelation
from connectors.sources.csv.survey import Header
from connectors.sources.files.bytes import (
    MAX_FIELD,
    MAX_RECORD,
    Bytes,
    blocks,
    check_unchanged,
    line_ends,
    never_closed,
    too_large,
)
from connectors.sources.files.encoding import decode_line, utf8_of
from connectors.sources.files.refusals import miscounted
from connectors.sources.files.relation import RECORD, UNREADABLE, Piece

_LF = 10
_BEYOND = "\x01"
"""A column for what stands behind the last field."""
FEW = 20
"""So many records are looked at alone, and one of fifty of a chunk."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive records of a file as bytes; the first has number ``first`` (from 1), ``line`` and text ``offset``."""

    data: bytes
    table: pl.DataFrame
    first: int
    line: int
    offset: int
    bare_returns: bool = True
    """Whether some line ends may be a CR alone."""

    @property
    def last(self) -> int:
        """The number of the last record."""
        return self.first + self.table.height - 1


def chunks(header: Header, records: int, relation: CsvRelation) -> Iterator[Chunk]:
    """Yield a file's records in chunks, without header, trailer and blank lines; which are as many as were counted."""
    source = header.source
    rest, offset, line, number = b"", header.start, header.line, 1
    following = blocks(source, header.start)
    block = next(following, b"")
    while block or rest:
        after = next(following, b"")
        data = rest + block
        found = records_in(data, relation, final=not after)
        if found.open_quote is not None and (not after or len(data) - found.open_quote > MAX_FIELD):
            raise never_closed(source, line + line_ends(data[: found.open_quote]))
        if len(data) - found.consumed > MAX_RECORD:
            raise too_large(source, line + line_ends(data[: found.consumed]))
        table = found.table.filter(pl.col("stop") > pl.col("start"))
        _check_sizes(source, relation, data, table, line)
        if relation.repeated_header:
            table = without_headers(data, table, header.raw)
        # What is behind the last record counted is the trailer.
        table = table.head(max(records - number + 1, 0))
        if table.height:
            yield Chunk(data, table, number, line, offset, found.bare_returns)
        number += table.height
        line += found.lines
        offset += found.consumed
        rest, block = data[found.consumed :], after
    check_unchanged(source)
    if number - 1 != records:
        raise miscounted(source.name, records, number - 1)


def _check_sizes(source: Bytes, relation: CsvRelation, data: bytes, table: pl.DataFrame, line: int) -> None:
    if not np.any(table["stop"].to_numpy() - table["start"].to_numpy() > MAX_FIELD):
        return
    for start, stop, _, stray in table.filter(pl.col("stop") - pl.col("start") > MAX_FIELD).iter_rows():
        record = data[start:stop]
        largest = stop - start if stray else max(map(len, record.split(relation.delimiter)))
        if relation.quote and not stray:
            largest = max(map(len, record.split(relation.quote)))
        if stop - start > MAX_RECORD or largest > MAX_FIELD:
            raise too_large(source, line + line_ends(data[:start]))


def parse(
    chunk: Chunk, source: Bytes, relation: CsvRelation, names: tuple[str, ...], columns: tuple[str, ...]
) -> Piece:
    """Turn a chunk into frames.

    Args:
        chunk: the records.
        source: their file.
        relation: how the file is written.
        names: the relation's columns in the order of the file.
        columns: the relation's columns in its own order.
    """
    table = chunk.table.with_columns(pl.int_range(chunk.first, chunk.first + chunk.table.height).alias(RECORD))
    good = table.filter(~pl.col("stray"))
    encodings = relation.encodings_of(source)
    text, good, undecodable = (
        decoded(chunk.data, good, encodings[0]) if len(encodings) == 1 else _mixed(chunk.data, good, encodings)
    )
    found = _fast(text, good, relation, names, chunk)
    if found is None:
        found = _strict(text, relation, names)
    frame, counts = found
    if counts.len() != good.height:
        raise BugError(
            "BUG-021",
            "the parser and the record finder disagree about a chunk of a file",
            hint="Report this with the settings of the relation.",
            place=source.name,
        )
    whole = counts == len(names)
    if not whole.all():
        frame = frame.filter(whole)
        ragged = dict(good.filter(~whole).select(RECORD, counts.filter(~whole).alias("fields")).iter_rows())
        good = good.filter(whole)
    else:
        ragged = {}
    wrong = table.join(good, on=RECORD, how="anti", maintain_order="left")
    unreadable = _unreadable(chunk, source, relation, wrong, _Why(undecodable, ragged, len(names)))
    return Piece(frame.select(*columns, good[RECORD]), unreadable, chunk.first, chunk.last)


def decoded(data: bytes, good: pl.DataFrame, encoding: str) -> tuple[bytes, pl.DataFrame, dict[int, int]]:
    """Return the good records as UTF-8, which are left, and where (offset in `data`) the others have wrong bytes."""
    undecodable: dict[int, int] = {}
    while True:
        body, starts = _joined(data, good)
        try:
            text = body if _is_utf8(body, encoding) else utf8_of(body, encoding)
            return text, good, undecodable
        except UnicodeDecodeError as error:
            wrong = [error.start, *_later_errors(body, starts, error.start, encoding)]
        rows = starts.search_sorted(pl.Series(wrong), side="right").cast(pl.Int64) - 1
        hit = good[rows.to_list()]
        for row, at, number, start in zip(rows, wrong, hit[RECORD], hit["start"], strict=True):
            undecodable[number] = start + at - starts[row]
        good = good.filter(~pl.col(RECORD).is_in(list(undecodable)))


def _mixed(
    data: bytes, good: pl.DataFrame, encodings: tuple[str, ...]
) -> tuple[bytes, pl.DataFrame, dict[int, int]]:
    """Return the same of records whose lines are in one of several encodings, of which the first is a kind of UTF-8."""
    body, starts = _joined(data, good)
    try:
        body.decode(encodings[0])
        return body, good, {}
    except UnicodeDecodeError:
        pass
    high = (byte_series(body) >= 0x80).arg_true().cast(pl.Int64)
    rows = starts.search_sorted(high, side="right").unique(maintain_order=True).cast(pl.Int64) - 1
    begins = starts.gather(rows)
    ends = begins + (good["end"] - good["start"]).gather(rows)
    parts: list[bytes] = []
    undecodable: dict[int, int] = {}
    done = 0
    hit = good[rows.to_list()]
    for number, start, begin, end in zip(hit[RECORD], hit["start"], begins, ends, strict=True):
        found = decode_line(record := body[begin:end], encodings)
        if found is not None and found[1] == 0:
            continue
        parts.append(body[done:begin])
        done = end
        lines = [(line, decode_line(line, encodings)) for line in record.splitlines(keepends=True)]
        if all(text is not None for _, text in lines):
            parts.append("".join(text[0] for _, text in lines if text is not None).encode())
        else:
            undecodable[number] = start + _first_wrong(lines, encodings[-1])
    parts.append(body[done:])
    return b"".join(parts), good.filter(~pl.col(RECORD).is_in(list(undecodable))), undecodable


def _first_wrong(lines: list[tuple[bytes, tuple[str, int] | None]], encoding: str) -> int:
    """Return the offset of the first byte of some lines that fits none of their encodings; this is the last one."""
    offset = 0
    for line, text in lines:
        if text is None:
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return offset + error.start
        offset += len(line)
    return offset


def _is_utf8(body: bytes, encoding: str) -> bool:
    if encoding not in ("utf-8", "ascii"):
        return body.isascii()
    body.decode(encoding)
    return True


def _later_errors(body: bytes, starts: pl.Series, at: int, encoding: str) -> list[int]:
    """Return the first wrong byte of every record behind the one at `at`, which is known."""
    found: list[int] = []
    while True:
        following = int(starts.search_sorted(at, side="right"))
        if following == starts.len():
            return found
        base = int(starts[following])
        try:
            body[base:].decode(encoding)
            return found
        except UnicodeDecodeError as error:
            at = base + error.start
            found.append(at)


def _joined(data: bytes, good: pl.DataFrame) -> tuple[bytes, pl.Series]:
    """Return the bytes of the good records, one behind the other, and where each starts in them."""
    lengths = good["end"] - good["start"]
    starts = lengths.cum_sum().shift(1, fill_value=0)
    if good.is_empty():
        return b"", starts
    breaks = (good["start"] != good["end"].shift(1)).fill_null(True)
    first = breaks.arg_true().to_list()
    last = [*(index - 1 for index in first[1:]), good.height - 1]
    begins, stops = good["start"].gather(first), good["end"].gather(last)
    view = memoryview(data)
    return b"".join(view[begin:stop] for begin, stop in zip(begins, stops, strict=True)), starts


def _fast(
    text: bytes, good: pl.DataFrame, relation: CsvRelation, names: tuple[str, ...], chunk: Chunk
) -> tuple[pl.DataFrame, pl.Series] | None:
    """Parse with Polars, and return how many fields each record has; None where it may understand them otherwise."""
    quote = relation.quote if relation.quote and relation.quote in text else b""
    if relation.escape and relation.escape in text:
        return None
    if chunk.bare_returns and text.count(b"\r") != text.count(b"\r\n"):
        if quote or b"\n" in text:
            return None
        text = text.replace(b"\r", b"\n")
    if not text or len(names) == 1:
        return None
    columns = (*names, _BEYOND)
    header = relation.delimiter.join(b"%d" % number for number in range(len(columns)))
    try:
        frame = pl.read_csv(
            b"%b\n%b" % (header, text),
            # Of the parser's own doing: it fills up and cuts off without a word what has another number of fields.
            truncate_ragged_lines=True,
            infer_schema=False,
            new_columns=columns,
            separator=relation.delimiter.decode(),
            quote_char=quote.decode() or None,
            empty_string_is_null=False,
            glob=False,
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.shape != (good.height, len(columns)):
        return None
    return frame, _counted(frame, text, good, chunk.data, relation.delimiter, quote)


def _counted(
    frame: pl.DataFrame, text: bytes, good: pl.DataFrame, data: bytes, delimiter: bytes, quote: bytes
) -> pl.Series:
    """Return how many fields each record has; only those are looked at whose last field is empty, or not the last.

    A record whose last field is filled has as many as it should, or more; none has more when the delimiters of all
    are as many as they should be.
    """
    fields, height = frame.width - 1, frame.height
    doubtful = ((frame[:, -2] == "") | (frame[:, -1] != "")).arg_true()
    if doubtful.len() > FEW + height // 50:
        return count_fields(data, good, delimiter, quote)
    places = good[doubtful].select("start", "stop").rows()
    counts = [_delimiters(data[start:stop], delimiter, quote) + 1 for start, stop in places]
    others = _delimiters(text, delimiter, quote) - sum(counts) + len(counts)
    if others != (fields - 1) * (height - len(counts)):
        return count_fields(data, good, delimiter, quote)
    # One value for all as long as nothing is wrong.
    found = pl.Series([fields], dtype=pl.Int64).new_from_index(0, height)
    return found if all(count == fields for count in counts) else found.scatter(doubtful, counts)


def _delimiters(data: bytes, delimiter: bytes, quote: bytes) -> int:
    """Count the delimiters outside quotes in records without a stray quote."""
    found = count_byte(data, delimiter[0])
    if quote and quote in data:
        # Quotes stand in pairs: between the first and the second is inside.
        found -= b"".join(data.split(quote)[1::2]).count(delimiter)
    return found


def _strict(text: bytes, relation: CsvRelation, names: tuple[str, ...]) -> tuple[pl.DataFrame, pl.Series]:
    """Parse with the standard library, which is slower and has no surprises; what is cut or filled up is told."""
    rows = [row for row in rows_of(text.decode(), relation) if row]
    counts = pl.Series([len(row) for row in rows], dtype=pl.Int64)
    width = len(names)
    rows = [row if len(row) == width else (row + [""] * width)[:width] for row in rows]
    values = list(zip(*rows, strict=True)) or [()] * width
    frame = pl.DataFrame(
        [pl.Series(name, column, dtype=pl.String) for name, column in zip(names, values, strict=True)]
    )
    return frame, counts


@dataclass(frozen=True, slots=True)
class _Why:
    """Why records cannot be read: where bytes are wrong and how many fields there are, by record; `fields` is right."""

    undecodable: dict[int, int]
    ragged: dict[int, int]
    fields: int


def _unreadable(
    chunk: Chunk,
    source: Bytes,
    relation: CsvRelation,
    wrong: pl.DataFrame,
    why_not: _Why,
) -> pl.DataFrame:
    """Describe the records that could not be read: where, why, and what they hold."""
    rows = []
    encoding = source.encoding if source.wide else " or ".join(relation.encodings_of(source))
    line, seen = chunk.line, 0
    for row in wrong.iter_rows(named=True):
        start = row["start"]
        before = chunk.data[seen:start]
        line += line_ends(before) if chunk.bare_returns else count_byte(before, _LF)
        seen = start
        place = f"{source.name}:{line}"
        if row[RECORD] in why_not.undecodable:
            at = chunk.offset + why_not.undecodable[row[RECORD]] + (0 if source.wide else source.skip)
            code, why = "encoding-invalid", f"byte {at} is not {encoding}"
        elif row["stray"]:
            code, why = "record-unparsable", "a quote stands inside a field"
        else:
            code, why = "record-unparsable", f"{why_not.ragged[row[RECORD]]} fields instead of {why_not.fields}"
        raw = chunk.data[row["start"] : row["stop"]].decode(source.text_encoding, "backslashreplace")
        rows.append((row[RECORD], f"{place} ({why})", code, raw))
    return pl.DataFrame(rows, schema=UNREADABLE, orient="row")
