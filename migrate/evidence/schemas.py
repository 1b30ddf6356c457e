"""The published JSON Schema (2020-12) of what `evidence verify` answers."""

from __future__ import annotations

from typing import Any, Final

from runbooks import KINDS

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def verify_schema() -> dict[str, Any]:
    """Return the schema of `evidence verify --format json`."""
    problem = _object(entry=_COUNT, kind={"enum": list(KINDS)}, message=_TEXT)
    texts = {"type": "array", "items": _TEXT}
    answer = _object(
        valid={"type": "boolean"},
        entries=_COUNT,
        head={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        seq=_COUNT,
        project=_TEXT,
        problems={"type": "array", "items": problem},
        notes=texts,
        unproven=texts,
        file=_TEXT,
        waiting=_COUNT,
        current={"type": ["boolean", "null"]},
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "omnicase evidence verify",
        **answer,
    }
