"""What the settings `escape`, `comment` and `repeated_header` make of the bytes of a file before records are found.

Both are seen on a shadow of the bytes, as long as they are, in which what has no meaning for the structure is blanked.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from connectors.sources.csv.records import Records, find_records
from connectors.sources.csv.settings import CsvRelation
from connectors.sources.files.bytes import MAX_RECORD, line_ends

_BOM = b"\xef\xbb\xbf"


def records_in(data: bytes, relation: CsvRelation, *, final: bool) -> Records:
    """Find the records of a buffer that starts at the start of a record: see `csv.records.find_records`."""
    shadow = data
    if relation.escape and relation.escape in data:
        shadow = re.sub(re.escape(relation.escape) + rb"(?:\r\n|[\s\S])", _blank, data)
    if not relation.comment or relation.comment not in data:
        found = find_records(shadow, relation.delimiter, relation.quote, final=final)
    else:
        found = _between_comments(shadow, relation, final=final)
    return found if shadow is data else replace(found, lines=line_ends(data[: found.consumed]), bare_returns=True)


def _blank(found: re.Match[bytes]) -> bytes:
    return b"x" * len(found[0])


def _between_comments(data: bytes, relation: CsvRelation, *, final: bool) -> Records:
    """Find the records between comments.

    A line inside a quoted field may look like a comment.  So all are taken for comments first; one that then does not
    stand where a record starts is none, as what stands before it is known for certain; and once more from there.
    """
    pattern = re.compile(rb"(?:\A|(?<=[\r\n]))" + re.escape(relation.comment) + rb"[^\r\n]*")
    text: set[int] = set()
    while True:
        looks = [found.start() for found in pattern.finditer(data) if found.start() not in text]
        shadow = pattern.sub(lambda found: found[0] if found.start() in text else _blank(found), data)
        records = find_records(shadow, relation.delimiter, relation.quote, final=final)
        starts = {*records.table["start"], records.consumed}
        wrong = next((start for start in looks if start not in starts), None)
        if wrong is None:
            table = records.table.filter(~pl.col("start").is_in(looks))
            return replace(records, table=table)
        text.add(wrong)


def without_headers(data: bytes, table: pl.DataFrame, header: bytes) -> pl.DataFrame:
    """Return the table without the records that are the header once more, as files written one behind the other have.

    A header with line ends in it is not recognised.
    """
    if not header or header not in data or line_ends(header):
        return table
    forms = (header, _BOM + header)
    size = pl.col("stop") - pl.col("start")
    alike = table.filter(size.is_in([len(form) for form in forms]))
    again = [start for start, stop in zip(alike["start"], alike["stop"], strict=True) if data[start:stop] in forms]
    return table.filter(~pl.col("start").is_in(again))


def rows_of(text: str, relation: CsvRelation) -> Iterator[list[str]]:
    """Split well-formed records into their fields, one after the other, with the standard library."""
    csv.field_size_limit(MAX_RECORD)
    quote, escape, delimiter = relation.quote.decode(), relation.escape.decode(), relation.delimiter.decode()
    if escape:
        # Before any other character the escape is itself, so that \N stays \N; and CR LF needs one for each.
        special = re.escape(delimiter + quote + escape) + "\r\n"
        pairs = re.compile(re.escape(escape) + f"(\r\n|[{special}])?")
        text = pairs.sub(lambda found: _escaped(found, escape), text)
        # The reader takes an escaped line end at the end of its text for cut off.
        text += "\n"
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        strict=True,
        quotechar=quote or None,
        escapechar=escape or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    )


def _escaped(found: re.Match[str], escape: str) -> str:
    if found[1] is None:
        return escape + escape
    return f"{escape}\r{escape}\n" if found[1] == "\r\n" else found[0]
