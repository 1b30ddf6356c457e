"""What is true of a whole file before its first row is read: digest, header, number of records, control total."""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass

from casemodel import CONVERTED, DETECTED, Place, RefusedError, SystemFailure
from connectors.sources.csv.count import Counter
from connectors.sources.csv.lines import records_in, rows_of
from connectors.sources.csv.records import count_fields
from connectors.sources.csv.settings import CsvRelation
from connectors.sources.files.bytes import (
    Bytes,
    added,
    blocks,
    check_unchanged,
    line_ends,
    raw_blocks,
    too_large,
)
from connectors.sources.files.encoding import DETECT, decode_line, text_of
from connectors.sources.files.refusals import empty
from connectors.sources.files.relation import Surveyed
from connectors.sources.files.settings import Trailer

MAX_COLUMNS = 4_096
_SUSPECT_SHARE, _SUSPECT_LINES = 0.05, 3


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a file.

    ``start`` is the offset (in text bytes) and ``line`` the line of the first record behind the header; ``names`` are
    its columns under their own or their alias' names (None: an empty file); ``raw`` are its bytes without the line end.
    """

    source: Bytes
    names: tuple[str, ...] | None
    start: int
    line: int
    raw: bytes = b""
    before: int = 0
    """Lines before the header."""


def read_header(content: Bytes, relation: CsvRelation) -> Header:
    """Read the beginning of a file.

    Raises:
        SystemFailure: CON-010 to CON-012, CON-018, CON-034 to CON-038 (exit 5).
        RefusedError: CON-033 the header holds a blank or duplicate name (exit 4).
    """
    source = text_of(content, relation.encodings[0])
    head = next(blocks(source), b"")
    complete = len(head) == sum(len(block) for _, block in zip(range(2), blocks(source), strict=False))
    start, names, raw = _header(source, relation, head, complete)
    before = line_ends(head[: head.rfind(raw, 0, start)]) if raw else line_ends(head[:start])
    return Header(source, names, start, 1 + line_ends(head[:start]), raw, before)


def survey(header: Header, relation: CsvRelation) -> Surveyed:
    """Read a file through once; header and trailer are not among its records.

    Raises:
        SystemFailure: CON-010 to CON-012, CON-018, CON-034 to CON-041 (exit 5).
    """
    source, start = header.source, header.start
    counter = Counter(
        source,
        relation.delimiter,
        relation.quote,
        relation.encodings_of(source),
        header.line,
        relation.escape,
        relation.comment,
        header.raw if relation.repeated_header else b"",
    )
    digest = hashlib.sha256()
    if source.wide:
        for block in raw_blocks(source):
            digest.update(block)
        for block in blocks(source, start):
            counter.feed(block)
    else:
        position = 0
        for block in added(raw_blocks(source), digest):
            counter.feed(block[max(source.skip + start - position, 0) :])
            position += len(block)
    counter.finish()
    check_unchanged(source)
    _check_encoding(source, counter)
    records = counter.records
    if relation.trailer is not None:
        records -= 1
        _check_trailer(source, relation, relation.trailer, counter)
    if records <= 0 and not relation.allow_empty:
        raise empty(source.name)
    counted = {
        "before the header": header.before,
        "comment": counter.comments,
        "repeated header": counter.headers,
        "trailer": int(relation.trailer is not None),
        f"lines in {' or '.join(relation.encodings[1:])}": counter.later,
        CONVERTED: counter.converted,
    }
    if relation.encodings == (DETECT,) and not source.skip:
        counted[DETECTED] = 1
    notes = tuple((note, count) for note, count in counted.items() if count)
    return Surveyed(digest.hexdigest(), max(records, 0), source.encoding, notes)


def _header(
    source: Bytes, relation: CsvRelation, head: bytes, complete: bool
) -> tuple[int, tuple[str, ...] | None, bytes]:
    """Return the offset behind the header, its names and its bytes."""
    start = 0
    for _ in range(relation.skip_lines):
        found = re.compile(rb"\r\n|\n|\r").search(head, start)
        start = found.end() if found else len(head)
    if not relation.header:
        return start, relation.columns, b""
    rest = head[start:]
    records = records_in(rest, relation, final=complete)
    table = records.table
    filled = table.filter(table["stop"] > table["start"]).head(1)
    if filled.is_empty():
        if complete and records.open_quote is None:
            return len(head), None, b""
        raise too_large(source, 1 + line_ends(head[:start]))
    first, stop, end, stray = filled.row(0)
    fields = 1 if stray else count_fields(rest, filled, relation.delimiter, relation.quote)[0]
    place = Place(source.name, 1 + line_ends(head[: start + first]))
    if fields > MAX_COLUMNS:
        raise SystemFailure(
            "CON-036",
            f"the header has {fields:,} columns, more than {MAX_COLUMNS:,}",
            hint="Check the setting delimiter.",
            place=place,
        )
    text = decode_line(rest[first:stop], relation.encodings_of(source))
    if stray or text is None:
        raise SystemFailure(
            "CON-037",
            f"the header cannot be read as {source.encoding} with these quotes",
            hint="Check the settings encoding, quote and skip_lines.",
            place=place,
        )
    return start + end, _names(split_record(text[0], relation), relation, place), rest[first:stop]


def split_record(text: str, relation: CsvRelation) -> list[str]:
    """Split the text of one well-formed record into its fields."""
    return next(rows_of(text, relation), [])


def _names(found: list[str], relation: CsvRelation, place: Place) -> tuple[str, ...]:
    aliases = {old.strip().casefold(): new for old, new in relation.aliases}
    names = [aliases.get(name.strip().casefold(), name.strip()) for name in found]
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        # Names are not shown here: without a header these are the values of the first record.
        if not name or name.casefold() in seen:
            wrong = f"has the name of column {seen[name.casefold()]}" if name else "has no name"
            raise RefusedError(
                "CON-033",
                f"column {number} of the header {wrong}",
                hint="Ask for one name per column; or set skip_lines up to the header, or header: false and columns.",
                place=place,
            )
        if name.casefold() in ("_ref", "_file"):
            raise SystemFailure(
                "CON-022",
                f"the column {name} has a name that the toolkit uses itself",
                hint="Give it an alias.",
                place=place,
            )
        seen[name.casefold()] = number
    return tuple(names)


def _check_encoding(source: Bytes, counter: Counter) -> None:
    if counter.undecodable < _SUSPECT_LINES or counter.undecodable <= _SUSPECT_SHARE * counter.records:
        return
    looks = " and may be cp1252" if source.text_encoding in ("utf-8", "ascii") else ""
    raise SystemFailure(
        "CON-037",
        f"{counter.undecodable:,} of {counter.records:,} records are not {source.encoding}: "
        f"the file is in another encoding{looks}",
        hint="Correct the setting encoding of the relation.",
        place=source.name,
    )


def _check_trailer(source: Bytes, relation: CsvRelation, trailer: Trailer, counter: Counter) -> None:
    line = counter.last.decode(source.text_encoding, "replace").rstrip("\r\n")
    if counter.records < 1 or not re.search(trailer.match, line):
        raise SystemFailure(
            "CON-040",
            "the last line is not the trailer that is expected: the delivery may be cut off",
            hint="Ask for the delivery again, or correct the setting trailer.match.",
            place=source.name,
        )
    if not trailer.count:
        return
    try:
        fields = split_record(line, relation)
    except csv.Error:
        fields = []
    stated = fields[trailer.count - 1].strip().replace(".", "") if trailer.count <= len(fields) else ""
    if not stated.isdecimal():
        raise SystemFailure(
            "CON-040",
            f"field {trailer.count} of the trailer line is not a number",
            hint="Correct the setting trailer.count.",
            place=source.name,
        )
    if int(stated) != counter.records - 1:
        raise SystemFailure(
            "CON-041",
            f"the trailer line states {int(stated):,} records, the file holds {counter.records - 1:,}",
            hint="Ask for a complete delivery.",
            place=source.name,
        )
