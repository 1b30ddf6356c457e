"""Code tables and lists of texts in the workspace's ``codes`` folder, read whole and checked once."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from casemodel import Place, RefusedError, RefusedMany, read_regular_file

MAX_BYTES = 20_000_000
PART = "\x1f"
"""What stands between the parts of a code that is looked for."""
PERIOD = ("valid_from", "valid_to")
"""Columns of the first and the last day on which a code has the value of its row."""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A code table: texts (one or several parts) to texts (one or several columns).

    rows: parts of the code to its values, in the order of the file; with ``fold`` the parts are folded.  With ``dated``
        the first and last day of the row's period (ISO 8601, empty: without end) follow the parts.
    targets: names of the ``to`` columns.
    gaps: codes that have a value before and after some days, but not on them.
    """

    name: str
    parts: int
    targets: tuple[str, ...]
    rows: Mapping[tuple[str, ...], tuple[str, ...]]
    fold: bool = False
    dated: bool = False
    gaps: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, each once, as their use is counted: parts joined by ``PART``."""
        return tuple(dict.fromkeys(PART.join(key[: self.parts]) for key in self.rows))


def fold_text(text: str) -> str:
    """Fold a code as ``fold: true`` does: without upper case and superfluous white space."""
    return " ".join(text.split()).lower()


def inline_table(name: str, codes: Mapping[str, str], *, fold: bool = False) -> CodeTable:
    """Make a code table of codes written in the mapping itself."""
    rows: dict[tuple[str, ...], tuple[str, ...]] = {
        (fold_text(code) if fold else code,): (value,) for code, value in codes.items()
    }
    return CodeTable(name, 1, ("to",), rows, fold)


def read_code_table(
    folder: Path, file: str, *, fold: bool = False, columns: tuple[str, str] = ("from", "to")
) -> CodeTable:
    """Read a code table: UTF-8 CSV with columns ``from[,from2…],to[,valid_from,valid_to],note``.

    Raises:
        RefusedMany: MAP-018 the file cannot be read or lacks the columns, MAP-019 a row that cannot be used.
    """
    header, records = read_records(folder, file)
    sources, targets = _split(header, columns)
    if not sources or not targets:
        other = next((sign for sign in (";", "\t", "|") if sign in header[0]), None) if len(header) == 1 else None
        hint = "Begin the file with the line: from,to,note"
        if other is not None:
            hint = f"Separate the columns by commas, not by {'tabs' if other == chr(9) else other}."
        message = f"the code table needs the columns {columns[0]} and {columns[1]}"
        raise RefusedMany([RefusedError("MAP-018", message, hint=hint, place=Place(f"codes/{file}", 1))])
    errors = _header_errors(file, header)
    if errors:
        raise RefusedMany(errors)
    days = [header.index(name) for name in PERIOD if name in header]
    if len(days) == 1:
        message = f"the code table needs both columns {' and '.join(PERIOD)}, or neither"
        hint = "Add the other column; an empty day means without end."
        raise RefusedMany([RefusedError("MAP-018", message, hint=hint, place=Place(f"codes/{file}", 1))])
    rows = _rows(file, records, sources, targets, days, fold)
    names = tuple(header[i] for i in targets)
    gaps = gaps_of(rows, len(sources)) if days else ()
    return CodeTable(file, len(sources), names, rows, fold, bool(days), gaps)


def gaps_of(rows: Mapping[tuple[str, ...], tuple[str, ...]], parts: int) -> tuple[str, ...]:
    """Return the codes whose periods leave days out between them."""
    periods: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for key in rows:
        periods.setdefault(key[:parts], []).append((key[parts], key[parts + 1]))
    found = []
    for code, spans in periods.items():
        spans.sort()
        if any(_next_day(last) < first for (_, last), (first, _) in pairwise(spans)):
            found.append(" + ".join(code))
    return tuple(found)


def _next_day(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat() if day and day != "9999-12-31" else "9999-12-31"


def read_texts(folder: Path, file: str) -> tuple[str, ...]:
    """Read a list of texts: the column ``from`` of a CSV file."""
    header, records = read_records(folder, file)
    if "from" not in header:
        raise RefusedMany(
            [
                RefusedError(
                    "MAP-018",
                    "the file needs the column from",
                    hint="Begin the file with the line: from,note",
                    place=Place(f"codes/{file}", 1),
                )
            ]
        )
    index = header.index("from")
    return tuple(dict.fromkeys(record[index] for _, record in records))


def _split(header: list[str], columns: tuple[str, str]) -> tuple[list[int], list[int]]:
    def numbered(name: str, base: str) -> bool:
        return name == base or (name.startswith(base) and name[len(base) :].isdigit())

    sources = [i for i, name in enumerate(header) if numbered(name, columns[0])]
    return sources, [i for i, name in enumerate(header) if numbered(name, columns[1])]


def _header_errors(file: str, header: list[str]) -> list[RefusedError]:
    doubled = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    return [
        RefusedError(
            "MAP-018",
            f"the column '{name}' occurs twice",
            hint="Give each column a name of its own.",
            place=Place(f"codes/{file}", 1),
        )
        for name in doubled
    ]


def _rows(
    file: str,
    records: list[tuple[int, list[str]]],
    sources: list[int],
    targets: list[int],
    days: list[int],
    fold: bool,
) -> dict[tuple[str, ...], tuple[str, ...]]:
    rows: dict[tuple[str, ...], tuple[str, ...]] = {}
    lines: dict[tuple[str, ...], int] = {}
    periods: dict[tuple[str, ...], list[tuple[str, str, int]]] = {}
    errors: list[RefusedError] = []
    for line, record in records:
        code = tuple(fold_text(record[i]) if fold else record[i] for i in sources)
        value = tuple(record[i] for i in targets)
        period = tuple(record[i] for i in days)
        key = (*code, *period)
        hint = "Give each code one value; use null_if in the mapping for codes that mean no value."
        problem = ""
        if key in rows and rows[key] != value:
            problem = f"the code of this line stands on line {lines[key]} too, with another value"
        elif "" in value:
            problem = "the code of this line has no value"
        elif blank := _blank([*(() if fold else code), *value]):
            problem, hint = f"{blank} has white space at an end", "Remove it, or write fold: true in the mapping."
        elif period and (wrong := _wrong_period(period, periods.get(code, []), key in rows)):
            problem, hint = wrong, "Write days as 2024-01-31, both included; periods of one code may not overlap."
        if problem:
            errors.append(RefusedError("MAP-019", problem, hint=hint, place=Place(f"codes/{file}", line)))
        elif period:
            periods.setdefault(code, []).append((period[0], period[1], line))
        rows[key] = value
        lines[key] = line
    if errors:
        raise RefusedMany(errors)
    return rows


def _blank(texts: list[str]) -> str:
    """Return the first text with white space at an end that is not all of it: it would never match, unseen."""
    return next((f"'{text}'" for text in texts if text.strip() and text != text.strip()), "")


def _wrong_period(period: tuple[str, ...], others: list[tuple[str, str, int]], known: bool) -> str:
    """Return what is wrong with a period, or an empty text."""
    for day in period:
        try:
            if day and date.fromisoformat(day).isoformat() != day:
                return f"'{day}' is no day"
        except ValueError:
            return f"'{day}' is no day"
    first, last = period[0], period[1] or "9999-12-31"
    if last < first:
        return "the period ends before it begins"
    clash = [line for start, end, line in others if first <= (end or "9999-12-31") and start <= last]
    return "" if known or not clash else f"the period overlaps that of the same code on line {clash[0]}"


def read_records(folder: Path, file: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the records with their line numbers; blank lines are left out."""
    place = f"codes/{file}"
    path = folder / file
    if "\0" in file or not path.resolve().is_relative_to(folder.resolve()):
        raise _unreadable(place, "the file lies outside the folder codes", "Put the file into codes/ of the workspace.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _unreadable(place, f"the file is larger than {MAX_BYTES:,} bytes", "Split the table.")
        text = read_regular_file(path).decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(
            place,
            f"the file cannot be read ({error.strerror or 'unknown reason'})",
            "Check the name and the folder codes/.",
        ) from None
    except UnicodeDecodeError as error:
        raise _unreadable(
            place, f"the file is not UTF-8 text (byte {error.start})", "Save the file as UTF-8."
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        records = [(reader.line_num, record) for record in reader if record]
    except csv.Error:
        raise _unreadable(
            place, f"the file is no CSV (line {reader.line_num})", "Check the quotes of that line."
        ) from None
    wrong = [line for line, record in records if len(record) != len(header)]
    if wrong:
        raise RefusedMany(
            [
                RefusedError(
                    "MAP-019",
                    f"the line has another number of columns than the header ({len(header)})",
                    hint="Quote values that hold a comma.",
                    place=Place(place, line),
                )
                for line in wrong
            ]
        )
    return [name.strip() for name in header], records


def _unreadable(place: str, message: str, hint: str) -> RefusedMany:
    return RefusedMany([RefusedError("MAP-018", message, hint=hint, place=place)])
