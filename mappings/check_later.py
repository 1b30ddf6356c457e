"""What the language knows and this version does not run: refused, never ignored in silence."""

from __future__ import annotations

from collections.abc import Iterator

from casemodel import RefusedError
from mappings.language import MappingFile

Path = tuple[str | int, ...]


def later_errors(file: MappingFile) -> list[RefusedError]:
    """Return a MAP-900 for each part of a mapping that this version does not run."""
    return [
        RefusedError(
            "MAP-900",
            f"'{path[-1]}' is not available in this version",
            place=file.place(*path, key=True),
            hint="Remove it, or wait for the version that brings it.",
        )
        for path in _later(file)
    ]


def _later(file: MappingFile) -> Iterator[Path]:
    model = file.model
    if model.incremental is not None and model.incremental.deletes.policy != "keep" and model.identity is not None:
        yield ("incremental", "deletes")
