"""Code tables and lists of texts in the workspace's ``codes`` folder, read whole and checked once."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casemodel import Place, RefusedError, RefusedMany, read_regular_file

MAX_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A code table: texts (one or several parts) to texts (one or several columns).

    rows: parts of the code to its values, in the order of the file; with ``fold`` the parts are folded.
    targets: names of the ``to`` columns.
    """

    name: str
    parts: int
    targets: tuple[str, ...]
    rows: Mapping[tuple[str, ...], tuple[str, ...]]
    fold: bool = False


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
    """Read a code table: UTF-8 CSV with columns ``from[,from2…],to[,to2…],note``.

    Raises:
        RefusedMany: MAP-018 the file cannot be read or lacks the columns, MAP-019 a row that cannot be used.
    """
    header, records = _read(folder, file)
    sources, targets = _split(header, columns)
    if not sources or not targets:
        raise RefusedMany(
            [
                RefusedError(
                    "MAP-018",
                    f"the code table needs the columns {columns[0]} and {columns[1]}",
                    hint="Begin the file with the line: from,to,note",
                    place=Place(f"codes/{file}", 1),
                )
            ]
        )
    return CodeTable(
        file, len(sources), tuple(header[i] for i in targets), _rows(file, records, sources, targets, fold), fold
    )


def read_texts(folder: Path, file: str) -> tuple[str, ...]:
    """Read a list of texts: the column ``from`` of a CSV file."""
    header, records = _read(folder, file)
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


def _rows(
    file: str, records: list[tuple[int, list[str]]], sources: list[int], targets: list[int], fold: bool
) -> dict[tuple[str, ...], tuple[str, ...]]:
    rows: dict[tuple[str, ...], tuple[str, ...]] = {}
    lines: dict[tuple[str, ...], int] = {}
    errors: list[RefusedError] = []
    for line, record in records:
        code = tuple(fold_text(record[i]) if fold else record[i] for i in sources)
        value = tuple(record[i] for i in targets)
        problem = ""
        if code in rows and rows[code] != value:
            problem = f"the code of this line stands on line {lines[code]} too, with another value"
        elif "" in value:
            problem = "the code of this line has no value"
        if problem:
            errors.append(
                RefusedError(
                    "MAP-019",
                    problem,
                    hint="Give each code one value; use null_if in the mapping for codes that mean no value.",
                    place=Place(f"codes/{file}", line),
                )
            )
        rows[code] = value
        lines[code] = line
    if errors:
        raise RefusedMany(errors)
    return rows


def _read(folder: Path, file: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
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
