"""From the bytes of a fixed file to frames of rows, chunk by chunk, by column operations on the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from connectors.sources.csv.parse import decoded
from connectors.sources.csv.records import find_records
from connectors.sources.files.bytes import MAX_RECORD, Bytes, check_unchanged, line_ends, too_large
from connectors.sources.files.relation import RECORD, UNREADABLE, Piece
from connectors.sources.fixed.count import UNKNOWN, code_of
from connectors.sources.fixed.fields import cut, cut_bytes, plain_number, trimmed
from connectors.sources.fixed.layout import FixedField, Layout, RecordType
from connectors.sources.fixed.matrix import Matrix, even_lines, matrix_of
from connectors.sources.fixed.survey import text_blocks

_AT, _TEXT, _CODE, _LENGTH, _PARENT, _WHY = "\x01at", "\x01text", "\x01code", "\x01length", "\x01parent", "\x01why"
_PLAIN = bytes(range(0x80)) + b"?" * 0x80
"""Bytes that are ASCII as they are, and something in the place of others."""
_BROKEN = -1
"""Stands for a parent that could not be read."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive records of a file, of all types that are not skipped.

    ``table`` has per record ``start`` and ``stop`` in ``data``, its number `_AT` in the chunk, its `_CODE`, and, where
    there is no ``matrix`` of them, its `_LENGTH` and, as far as its bytes fit the encoding, `_TEXT`.
    """

    data: bytes
    table: pl.DataFrame
    line: int
    undecodable: dict[int, int]
    matrix: Matrix | None = None

    def holds_only(self, code: str) -> bool:
        """Tell whether every record is of one type."""
        codes = self.table[_CODE]
        return codes.len() > 0 and codes[0] == code and bool((codes == code).all())


def chunks(source: Bytes, layout: Layout) -> Iterator[Chunk]:
    """Yield the records of a file in chunks."""
    rest, line = b"", 1
    following = text_blocks(source)
    block = next(following, b"")
    while block or rest:
        after = next(following, b"")
        data = rest + block
        even = _even(data, layout, final=not after)
        if even is not None and (chunk := _as_matrix(source, layout, data, even, line)) is not None:
            yield chunk
            consumed, lines = even[0] * even[1], even[0]
        else:
            chunk, consumed, lines = _one_by_one(source, layout, data, line, final=not after)
            if chunk is not None:
                yield chunk
        line += lines
        rest, block = data[consumed:], after
    check_unchanged(source)


def _even(data: bytes, layout: Layout, *, final: bool) -> tuple[int, int, int] | None:
    """Return how many records there are, their length with and without line end; None where one is not as declared."""
    length = layout.types[0].length
    if layout.lines:
        found = even_lines(data)
    else:
        rows = len(data) // length
        found = (rows, length, length) if rows and not (final and len(data) % length) else None
    return found if found is not None and all(each.length == found[2] for each in layout.types) else None


def _as_matrix(source: Bytes, layout: Layout, data: bytes, even: tuple[int, int, int], line: int) -> Chunk | None:
    rows, stride, length = even
    matrix = matrix_of(data[: rows * stride], rows, stride, source.text_encoding)
    if matrix is None:
        return None
    start = pl.int_range(0, rows * stride, stride, dtype=pl.Int64, eager=True).alias("start")
    at = pl.int_range(rows, dtype=pl.Int64, eager=True).alias(_AT)
    if layout.type_field is None:
        codes = pl.repeat(layout.types[0].code, rows, eager=True)
    else:
        listed = (*(each.code for each in layout.types), *layout.skipped)
        codes = matrix.codes(layout.type_field, listed, UNKNOWN)
    table = pl.DataFrame([start, (start + length).alias("stop"), at, codes.alias(_CODE)])
    return Chunk(matrix.data, table, line, {}, matrix)


def _one_by_one(
    source: Bytes, layout: Layout, data: bytes, line: int, *, final: bool
) -> tuple[Chunk | None, int, int]:
    """Return the records, each looked at by itself, where the last one ends, and how many line ends there are."""
    if layout.lines:
        table, consumed, lines = _lines(data, final=final)
        if len(data) - consumed > MAX_RECORD:
            raise too_large(source, line + line_ends(data[:consumed]))
    else:
        table, consumed = _equal_records(data, layout.types[0].length, final=final)
        lines = table.height
    if not table.height:
        return None, consumed, lines
    # Behind the last record lies the beginning of the next one, which may end inside a character.
    characters = layout.reading_of(source.name).characters
    return _read(source, layout, data[:consumed], table, line, characters=characters), consumed, lines


def _lines(data: bytes, *, final: bool) -> tuple[pl.DataFrame, int, int]:
    """Return the complete lines that are not blank, where the last one ends, and how many line ends there are."""
    found = find_records(data, b"\n", b"", final=final)
    return found.table.filter(pl.col("stop") > pl.col("start")).select("start", "stop"), found.consumed, found.lines


def _equal_records(data: bytes, length: int, *, final: bool) -> tuple[pl.DataFrame, int]:
    consumed = len(data) if final else len(data) // length * length
    start = pl.int_range(0, consumed, length, dtype=pl.Int64, eager=True).alias("start")
    return start.to_frame().with_columns(stop=(start + length).clip(upper_bound=consumed)), consumed


def _read(
    source: Bytes, layout: Layout, data: bytes, table: pl.DataFrame, line: int, *, characters: bool
) -> Chunk:
    """Decode the records of a chunk and find their types."""
    # Up to the next record, so that records lie behind each other: cutting by position leaves line ends out.
    end = pl.col("start").shift(-1, fill_value=len(data))
    table = table.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(RECORD), end=end)
    encoding = source.text_encoding
    undecodable: dict[int, int] = {}
    length = pl.col("stop") - pl.col("start")
    table = table.with_columns(length.alias(_LENGTH))
    if data.isascii():
        table = table.with_columns(_values(data, table["start"], len(data), pa.large_string()).alias(_TEXT))
    else:
        # Most records are plain even in a file that is not: only the others need to be decoded, and take their place.
        rich = _with_other_bytes(data, table)
        texts = _values(data.translate(_PLAIN), table["start"], len(data), pa.large_string())
        text, good, undecodable = decoded(data, table.filter(rich), encoding)
        others = _decoded_records(text, good, encoding, characters=characters)
        lost = pl.Series(sorted(undecodable), dtype=pl.Int64)
        texts = texts.scatter(pl.concat([others[RECORD], lost]), pl.concat([others[_TEXT], _nothing(lost.len())]))
        table = table.with_columns(texts.alias(_TEXT))
        if characters:
            table = table.with_columns(table[_LENGTH].scatter(others[RECORD], others[_LENGTH]))
    table = table.rename({RECORD: _AT})
    by_bytes = encoding == "utf-8" and not characters
    if by_bytes:
        table = table.with_columns(pl.col(_TEXT).cast(pl.Binary))
    if layout.fill or (table[_LENGTH] < min(each.length for each in layout.types)).any():
        whole = pl.col(_TEXT)
        table = table.with_columns(
            whole.bin.slice(0, pl.col(_LENGTH)) if by_bytes else whole.str.head(pl.col(_LENGTH))
        )
    table = table.with_columns(_codes(layout, table, data, encoding, characters=characters))
    return Chunk(data, table, line, undecodable)


def _nothing(height: int) -> pl.Series:
    return pl.repeat(None, height, dtype=pl.String, eager=True).alias(_TEXT)


def _with_other_bytes(data: bytes, table: pl.DataFrame) -> pl.Series:
    """Tell which records hold bytes that are not ASCII."""
    where = (_bytes(data) >= 0x80).arg_true().cast(pl.Int64)
    upto = where.search_sorted(table["end"], side="left")
    return upto > where.search_sorted(table["start"], side="left")


def _decoded_records(text: bytes, good: pl.DataFrame, encoding: str, *, characters: bool) -> pl.DataFrame:
    """Return records with their text and length, of which ``text`` is what `decoded` gives."""
    upto = (good["end"] - good["start"]).cum_sum()
    if encoding != "utf-8":
        # A byte is a character here: the characters of the text tell where its records start.
        first = ((_bytes(text) & 0xC0) != 0x80).arg_true().cast(pl.Int64)
        upto = pl.concat([first, pl.Series([len(text)], dtype=pl.Int64)]).gather(upto)
    texts = _values(text, upto.shift(1, fill_value=0), len(text), pa.large_string())
    good = good.with_columns(texts.alias(_TEXT))
    if characters:
        ends = pl.col("end") - pl.col("stop")
        good = good.with_columns((pl.col(_TEXT).str.len_chars().cast(pl.Int64) - ends).alias(_LENGTH))
    return good


def _bytes(data: bytes) -> pl.Series:
    found = pl.from_arrow(pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)]))
    assert isinstance(found, pl.Series)
    return found


def _values(data: bytes, starts: pl.Series, stop: int, kind: pa.DataType) -> pl.Series:
    """Return the texts or binaries that start at these offsets, each up to the next one."""
    offsets = pl.concat([starts, pl.Series([stop], dtype=pl.Int64)]).rechunk().to_arrow()
    buffers = [None, offsets.buffers()[1], pa.py_buffer(data)]
    found = pl.from_arrow(pa.Array.from_buffers(kind, starts.len(), buffers, offset=offsets.offset))
    assert isinstance(found, pl.Series)
    return found


def _codes(layout: Layout, table: pl.DataFrame, data: bytes, encoding: str, *, characters: bool) -> pl.Series:
    kept = layout.type_field
    if kept is None:
        return pl.repeat(layout.types[0].code, table.height, eager=True).alias(_CODE)
    by_bytes = encoding == "utf-8" and not characters
    codes = table.select((cut_bytes if by_bytes else cut)(pl.col(_TEXT), kept).alias(_CODE))[_CODE]
    if codes.null_count() == 0 and (codes == codes[0]).all():
        return pl.repeat(code_of(codes[0], layout), table.height, eager=True).alias(_CODE)
    known = codes.str.strip_chars_end(" ")
    listed = [*layout.skipped, *(each.code for each in layout.types)]
    known = pl.select(pl.when(known.is_in(listed)).then(known).otherwise(pl.lit(UNKNOWN)).alias(_CODE)).to_series()
    lost = table.select(pl.col(_TEXT).is_null().arg_true())[_TEXT]
    if lost.len() == 0:
        return known
    told = []
    for start, stop in table[lost.to_list()].select("start", "stop").iter_rows():
        raw = data[start:stop]
        kind = raw.decode(encoding, "replace")[kept.start - 1 : kept.stop] if characters else raw[
            kept.start - 1 : kept.stop
        ].decode(encoding, "replace")
        told.append(code_of(kind, layout))
    return known.scatter(lost, told)


@dataclass(slots=True)
class Rows:
    """Reads the rows of one record type out of chunks, and those of its parents, which may lie in an earlier chunk."""

    layout: Layout
    kind: RecordType
    source: Bytes
    by_bytes: bool
    _parents: Rows | None = None
    _last: pl.DataFrame | None = field(default=None)
    """The last record of this type so far, of which children may come in the next chunk; no row: it was unreadable."""

    def __post_init__(self) -> None:
        if self.kind.parent is not None:
            parent = self.layout.by_code(self.kind.parent)
            self._parents = Rows(self.layout, parent, self.source, self.by_bytes)

    def read(self, chunk: Chunk) -> pl.DataFrame:
        """Return the records of the type: `_AT`, `_WHY` (None: readable) and the columns."""
        mine = chunk.table
        if not chunk.holds_only(self.kind.code):
            mine = mine.filter(pl.col(_CODE) == self.kind.code)
        if chunk.matrix is not None:
            found = self._columns(chunk.matrix, None if mine is chunk.table else mine[_AT], mine[_AT])
            wrong = [_cannot(each) for each in self._numbers if found[each.name].null_count()]
        else:
            found = self._cut(mine)
            found = found.with_columns(plain_number(found[each.name], each) for each in self._numbers)
            wrong = [_cannot(each) for each in (self.kind.fields if self.by_bytes else self._numbers)]
        if wrong:
            found = found.with_columns(pl.coalesce(_WHY, *wrong))
        if self._parents is not None:
            found = self._with_parent(chunk, found)
        elif chunk.matrix is not None:
            return found
        return found.select(_AT, _WHY, *self.kind.columns)

    @property
    def _numbers(self) -> list[FixedField]:
        return [each for each in self.kind.fields if each.sign is not None]

    def _columns(self, matrix: Matrix, rows: pl.Series | None, at: pl.Series) -> pl.DataFrame:
        """Return `_AT`, `_WHY` and the fields of some rows of a matrix, or of all: without a query, for their price."""
        columns = []
        for each in self.kind.fields:
            text = matrix.column(each, rows)
            columns.append((text if each.sign is None else plain_number(text, each)).alias(each.name))
        return pl.DataFrame([at, pl.Series(_WHY, [None], dtype=pl.String).new_from_index(0, at.len()), *columns])

    def _cut(self, mine: pl.DataFrame) -> pl.DataFrame:
        """Return the fields of records as they stand there, with `_AT` and `_WHY`."""
        cutter = cut_bytes if self.by_bytes else cut
        cuts = (trimmed(cutter(pl.col(_TEXT), each), each).alias(each.name) for each in self.kind.fields)
        return mine.select(_AT, *cuts, self._why(mine))

    def _why(self, mine: pl.DataFrame) -> pl.Expr:
        """Return why a record cannot be read by its length or bytes."""
        asked, lengths = self.kind.length, mine[_LENGTH]
        own = asked if self.layout.own is None else self.layout.own.types[0].length
        if mine[_TEXT].null_count() == 0 and not (lengths > asked if self.layout.fill else lengths != asked).any():
            return pl.lit(None, pl.String).alias(_WHY)
        what = "characters" if self.layout.reading_of(self.source.name).characters else "bytes"
        wrong = pl.col(_LENGTH) > asked if self.layout.fill else pl.col(_LENGTH) != asked
        return (
            pl.when(pl.col(_TEXT).is_null())
            .then(pl.lit(""))
            .when(wrong)
            .then(pl.format(f"{{}} {what} instead of {own}", _LENGTH))
            .alias(_WHY)
        )

    def _with_parent(self, chunk: Chunk, found: pl.DataFrame) -> pl.DataFrame:
        """Add the columns of the parent: of the last record of its type before."""
        parents = self._parents
        assert parents is not None and self.kind.parent is not None
        before = parents._last
        read = parents.read(chunk)
        code = pl.col(_CODE)
        # A record whose type is not known may have been the parent.
        marks = chunk.table.select(
            _AT,
            pl.when(code == self.kind.parent)
            .then(_AT)
            .when(code == UNKNOWN)
            .then(pl.lit(_BROKEN, pl.Int64))
            .forward_fill()
            .alias(_PARENT),
        )
        columns = [old for old, _ in self.kind.taken]
        known = read.filter(pl.col(_WHY).is_null()).select(pl.col(_AT).alias(_PARENT), *columns)
        if before is not None:
            marks = marks.with_columns(pl.col(_PARENT).fill_null(pl.lit(-2, pl.Int64)))
            known = pl.concat([before.select(pl.lit(-2, pl.Int64).alias(_PARENT), *columns), known])
        known = known.select(
            _PARENT,
            *(pl.col(old).alias(f"{_PARENT}{new}") for old, new in self.kind.taken),
            pl.lit(True).alias(f"{_PARENT}{_PARENT}"),
        )
        joined = found.join(marks, on=_AT, how="left", maintain_order="left")
        joined = joined.join(known, on=_PARENT, how="left", maintain_order="left")
        last = marks.item(-1, _PARENT) if marks.height else None
        if last is not None and last != -2:
            row = read.filter((pl.col(_AT) == last) & pl.col(_WHY).is_null())
            parents._last = row
        orphan = (
            pl.when(pl.col(_PARENT).is_null())
            .then(pl.lit(f"no record {self.kind.parent} stands before it"))
            .when(pl.col(f"{_PARENT}{_PARENT}").is_null())
            .then(pl.lit(f"its record {self.kind.parent} cannot be read"))
        )
        return joined.with_columns(
            pl.coalesce(_WHY, orphan), *(pl.col(f"{_PARENT}{new}").alias(new) for _, new in self.kind.taken)
        )


def _cannot(each: FixedField) -> pl.Expr:
    what = "no number" if each.sign is not None else "cut through a character"
    first, last = each.lies or (each.start, each.stop)
    return pl.when(pl.col(each.name).is_null()).then(pl.lit(f"{each.name}, positions {first} to {last}, is {what}"))


def records_of(chunk: Chunk, rows: Rows) -> int:
    """Return how many records of a chunk are of a relation, or may be."""
    return int(chunk.table[_CODE].is_in([rows.kind.code, UNKNOWN]).sum())


def piece_of(chunk: Chunk, rows: Rows, first: int, source: Bytes) -> Piece:
    """Return the records of a relation in a chunk, numbered from ``first`` on.

    Records of an unknown type may be of any relation: every one has them, and none can say that it is whole.
    """
    read = rows.read(chunk)
    if chunk.holds_only(rows.kind.code) and read[_WHY].null_count() == read.height:
        numbers = pl.int_range(first, first + read.height, dtype=pl.Int64, eager=True).alias(RECORD)
        good = pl.DataFrame([*(read[name] for name in rows.kind.columns), numbers])
        return Piece(good, pl.DataFrame(schema=UNREADABLE), first, first + read.height - 1)
    code = pl.col(_CODE)
    mine = chunk.table.filter((code == rows.kind.code) | (code == UNKNOWN)).select(
        _AT, _CODE, pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias(RECORD)
    )
    if read.height == mine.height and read[_WHY].null_count() == read.height:
        good = read.select(*rows.kind.columns, mine[RECORD])
        return Piece(good, pl.DataFrame(schema=UNREADABLE), first, first + mine.height - 1)
    numbered = read.join(mine.select(_AT, RECORD), on=_AT, how="left", maintain_order="left")
    good = numbered.filter(pl.col(_WHY).is_null()).select(*rows.kind.columns, RECORD)
    reasons = dict(numbered.filter(pl.col(_WHY).is_not_null()).select(RECORD, _WHY).iter_rows())
    bad = mine.join(good, on=RECORD, how="anti", maintain_order="left")
    spans = bad.join(chunk.table.select(_AT, "start", "stop"), on=_AT, how="left", maintain_order="left")
    told, line, seen = [], chunk.line, 0
    for at, number, start, stop in spans.select(_AT, RECORD, "start", "stop").iter_rows():
        if rows.layout.lines:
            line, seen = line + line_ends(chunk.data[seen:start]), start
        else:
            line = chunk.line + at
        raw = chunk.data[start:stop]
        why = reasons.get(number, "its record type is not declared")
        why += "; a tab stands in it" if b"\t" in raw and why.endswith(f"instead of {rows.kind.length}") else ""
        wrong = at in chunk.undecodable
        why = f"not {source.encoding}" if wrong else why
        text = raw.decode(source.text_encoding, "backslashreplace")
        code_ = "encoding-invalid" if wrong else "record-unparsable"
        told.append((number, f"{source.name}:{line} ({why})", code_, text))
    return Piece(good, pl.DataFrame(told, schema=UNREADABLE, orient="row"), first, first + mine.height - 1)
