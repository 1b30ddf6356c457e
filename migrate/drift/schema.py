"""The published JSON Schema (2020-12) of what `drift` answers."""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_COUNT: Final = {"type": "integer", "minimum": 0}
_KEY: Final = {"type": "array", "items": _TEXT}
_SOURCE: Final = ("added", "changed", "removed", "unknown")
_TARGET: Final = ("edited", "made", "removed")


def drift_schema() -> dict[str, Any]:
    """Return the schema of `drift --format json`; counts are of all, keys and records of the first ones."""
    mapping = _object(
        mapping=_TEXT,
        target=_TEXT,
        mapping_changed={"type": "boolean", "description": "Its meaning is another one than in that run."},
        **dict.fromkeys(_SOURCE, _COUNT),
        waiting={**_object(**dict.fromkeys(_SOURCE, _COUNT)), "description": "What no later run took over yet."},
        without_key=_COUNT,
        keys=_object(**{kind: {"type": "array", "items": _KEY} for kind in _SOURCE}),
    )
    record = _object(id=_TEXT, mapping=_TEXT_OR_NULL, key=_KEY)
    filled = _object(
        table=_TEXT,
        **dict.fromkeys(_TARGET, _COUNT),
        records=_object(**{kind: {"type": "array", "items": record} for kind in _TARGET}),
    )
    answer = _object(
        since={"type": "integer"},
        since_at=_TEXT,
        total=_COUNT,
        mappings={"type": "array", "items": mapping},
        tables={"type": "array", "items": filled},
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "omnicase drift", **answer}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
