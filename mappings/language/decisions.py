"""What people decided about who is the same person: ``codes/same_person.csv`` (LANGUAGE.md, "One record ...")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casemodel import Place, RefusedError, RefusedMany
from mappings.language.code_tables import read_records

SAME_PERSON = "same_person.csv"
COLUMNS = ("mapping", "key", "other_mapping", "other_key", "same")
_ANSWERS = {"yes": True, "ja": True, "no": False, "nee": False}

Row = tuple[str, str]
"""A mapping and a source key in canonical text."""


@dataclass(frozen=True, slots=True)
class PersonDecision:
    """Two rows that are, or are not, one person.  line: where it stands in the file."""

    left: Row
    right: Row
    same: bool
    line: int

    @property
    def place(self) -> Place:
        """Where the decision stands."""
        return Place(f"codes/{SAME_PERSON}", self.line)


def read_decisions(codes: Path) -> tuple[PersonDecision, ...]:
    """Read the decisions of a workspace, none without the file.

    Raises:
        RefusedMany: MAP-018 the file cannot be read or lacks a column, MAP-077 a line cannot be used, or contradicts
            another one.
    """
    if not (codes / SAME_PERSON).exists():
        return ()
    header, records = read_records(codes, SAME_PERSON)
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise RefusedMany(
            [
                RefusedError(
                    "MAP-018",
                    f"the file needs the column {name}",
                    hint=f"Begin the file with the line: {','.join(COLUMNS)},note",
                    place=Place(f"codes/{SAME_PERSON}", 1),
                )
                for name in missing
            ]
        )
    found: list[PersonDecision] = []
    errors: list[RefusedError] = []
    seen: dict[frozenset[Row], int] = {}
    for line, record in records:
        cells = {name: record[header.index(name)].strip() for name in COLUMNS}
        left, right = (cells["mapping"], cells["key"]), (cells["other_mapping"], cells["other_key"])
        wrong = _wrong(cells, left, right, seen)
        if wrong:
            errors.append(refused(*wrong, line))
            continue
        seen[frozenset((left, right))] = line
        found.append(PersonDecision(left, right, _ANSWERS[cells["same"].lower()], line))
    errors += _contradictions(found)
    if errors:
        raise RefusedMany(sorted(errors, key=lambda error: error.place.line or 0))
    return tuple(found)


def refused(message: str, hint: str, line: int) -> RefusedError:
    """Return the error of a line of the file."""
    return RefusedError("MAP-077", message, hint=hint, place=Place(f"codes/{SAME_PERSON}", line))


def _wrong(
    cells: Mapping[str, str], left: Row, right: Row, seen: Mapping[frozenset[Row], int]
) -> tuple[str, str] | None:
    """Return what is wrong with a line, and what to do about it."""
    empty = [name for name in COLUMNS if not cells[name]]
    if empty:
        return f"the column {empty[0]} is empty", "Name mapping and key of two rows, and yes or no."
    if cells["same"].lower() not in _ANSWERS:
        return "the column same holds neither yes nor no", "Write yes or no (or ja, nee)."
    if left == right:
        return "the line names one row twice", "Name the row that it is compared with."
    if frozenset((left, right)) in seen:
        line = seen[frozenset((left, right))]
        return f"the line names the two rows of line {line} once more", "Keep one of the two lines."
    return None


def _contradictions(decisions: list[PersonDecision]) -> list[RefusedError]:
    """Find rows that are not the same person by one line and are by others."""
    group: dict[Row, Row] = {}

    def top(row: Row) -> Row:
        while group.setdefault(row, row) != row:
            row = group[row]
        return row

    for each in decisions:
        if each.same:
            group[top(each.left)] = top(each.right)
    return [
        refused(
            "the two rows are not the same person here, but are by other lines",
            "Take out the line that is not true.",
            each.line,
        )
        for each in decisions
        if not each.same and top(each.left) == top(each.right)
    ]
