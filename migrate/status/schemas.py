"""The published JSON Schemas (2020-12) of what `status` and `status --history` answer."""

from __future__ import annotations

from typing import Any, Final

from casemodel import OUTCOMES
from migrate.status.books import GONE

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_COUNT: Final = {"type": "integer"}
_SECONDS_OR_NULL: Final = {"type": ["number", "null"], "minimum": 0}
_TRUTH: Final = {"type": "boolean"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _books() -> dict[str, Any]:
    counts = dict.fromkeys(("read", *OUTCOMES), _COUNT)
    gone = _object(**dict.fromkeys(GONE, _COUNT))
    return _object(mapping=_TEXT, target=_TEXT, **counts, gone=gone, standing=_TRUTH)


def status_schema() -> dict[str, Any]:
    """Return the schema of `status --format json`; a target that was never loaded has only some of it."""
    run = _object(
        id=_COUNT,
        state=_TEXT,
        label=_TEXT_OR_NULL,
        reason=_TEXT_OR_NULL,
        started_at=_TEXT,
        ended_at=_TEXT_OR_NULL,
        as_of=_TEXT,
        part=_TEXT_OR_NULL,
    )
    cause = _object(mapping=_TEXT, severity={"enum": ["error", "warning"]}, code=_TEXT, field=_TEXT, rows=_COUNT)
    pace = _object(
        mapping=_TEXT,
        state={"enum": ["reading", "read", "done", "undone"]},
        batches=_COUNT,
        rows=_COUNT,
        expected_rows={"type": ["integer", "null"]},
        seconds={"type": "number", "minimum": 0},
        rows_per_second=_SECONDS_OR_NULL,
        remaining_seconds=_SECONDS_OR_NULL,
    )
    holder = _object(run=_COUNT, host=_TEXT, pid=_COUNT, since=_TEXT, alive={"type": ["boolean", "null"]})
    schema = _object(
        run={"type": ["integer", "null"]},
        state=_TEXT,
        balanced=_TRUTH,
        mappings=_list(_books()),
        reason=_TEXT_OR_NULL,
        lock={"anyOf": [holder, {"type": "null"}]},
        pace=_list(pace),
        to_come=_list(_TEXT),
        remaining_seconds=_SECONDS_OR_NULL,
        not_in_remaining=_COUNT,
        runs=_list(run),
        causes=_list(cause),
        undecided=_list(_object(mapping=_TEXT, condition=_TEXT, rows=_COUNT)),
    )
    of_run = {"warnings": _COUNT, "label": _TEXT_OR_NULL, "started_at": _TEXT, "ended_at": _TEXT_OR_NULL}
    schema["properties"] |= of_run | {"retries": _COUNT}
    return {"$schema": _DIALECT, "title": "omnicase status", **schema}


def history_schema() -> dict[str, Any]:
    """Return the schema of `status --history --format json`; each item is a file of reports/history/."""
    judged = _object(at=_TEXT, verdict=_TEXT, differences=_COUNT, waived=_COUNT, seconds={"type": "number"})
    run = _object(
        format={"const": "omnicase rehearsal 1"},
        run=_COUNT,
        label=_TEXT_OR_NULL,
        state=_TEXT,
        started_at=_TEXT,
        ended_at=_TEXT,
        seconds={"type": "number"},
        as_of=_TEXT,
        program=_TEXT,
        environment=_TEXT_OR_NULL,
        target=_TEXT,
        part=_TEXT_OR_NULL,
        retries=_COUNT,
        balanced=_TRUTH,
        mappings=_list(_books()),
        rejects=_list(_object(mapping=_TEXT, code=_TEXT, field=_TEXT, rows=_COUNT)),
        reconciled=judged,
    )
    run["required"].remove("reconciled")
    return {"$schema": _DIALECT, "title": "omnicase status --history", **_object(history=_list(run), unreadable=_COUNT)}
