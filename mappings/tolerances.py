"""Tolerances: by how much a value of the target may differ from what the source gives, and still count as equal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic_core import PydanticCustomError

from casemodel import column_info, tables
from mappings.compile_names import Refusals
from mappings.language import MappingFile
from mappings.language.scalars import duration, within

_HOUR: Final = 3_600_000_000
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "instant": ("a length of time", "Write such as tolerance: 1 second."),
    "decimal": ("a number", "Write such as tolerance: 0.005."),
    "integer": ("a number", "Write such as tolerance: 1."),
}
"""Kinds of columns that have a tolerance: what it is, and how to write it."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much two values of one column may differ.

    text: as the mapping says it.
    most: microseconds for instants, a number for numbers; a difference as large as this is still tolerated.
    """

    text: str
    most: int | Decimal


def tolerances_of(file: MappingFile) -> dict[str, Tolerance]:
    """Return the tolerances of the fields of a mapping that was checked, by target column."""
    return {
        name: _tolerance(text)
        for name, spec in file.model.fields.items()
        if (text := spec.tolerance) is not None
    }


def tolerance_of(text: str) -> Tolerance | None:
    """Return what a text tolerates; None when it says nothing that a mapping could say."""
    try:
        return _tolerance(within(text))
    except PydanticCustomError:
        return None


def _tolerance(text: str) -> Tolerance:
    return Tolerance(text, duration(text) if _is_time(text) else Decimal(text))


def declared_tolerances(file: MappingFile) -> list[tuple[str, str]]:
    """Return what a mapping tolerates, as it says it: fields and controls, name and tolerance."""
    fields = [(name, spec.tolerance) for name, spec in file.model.fields.items()]
    controls = [(control.name, control.tolerance) for control in file.model.controls]
    return [(name, text) for name, text in (*fields, *controls) if text is not None]


def check_tolerances(file: MappingFile, refusals: Refusals) -> None:
    """Note tolerances of columns that can have none, or that would hide what is looked for."""
    for name, spec in file.model.fields.items():
        if spec.tolerance is None or name == "id" or name not in tables[file.model.target].columns:
            continue
        kind, place = column_info(file.model.target, name)["kind"], file.place("fields", name, "tolerance")
        is_time = _is_time(spec.tolerance)
        if kind not in _KINDS:
            refusals.add(
                "MAP-035",
                f"the column {name} can have no tolerance: its values are equal or they are not",
                hint="Remove the tolerance; moments, numbers and amounts can have one.",
                place=place,
            )
        elif is_time != (kind == "instant"):
            what, hint = _KINDS[kind]
            message = f"the tolerance of the column {name} is {what}, found '{spec.tolerance}'"
            refusals.add("MAP-035", message, hint=hint, place=place)
        elif is_time and duration(spec.tolerance) >= _HOUR:
            refusals.add(
                "MAP-035",
                f"a tolerance of '{spec.tolerance}' would hide a wrong time zone",
                hint="Write less than 1 hour: a tolerance is for the precision of a clock.",
                place=place,
            )


def _is_time(text: str) -> bool:
    return " " in text
