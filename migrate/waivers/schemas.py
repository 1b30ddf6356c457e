"""The published JSON Schemas (2020-12) of what the verbs of `waiver` answer."""

from __future__ import annotations

from typing import Any, Final

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}


def _waiver() -> dict[str, Any]:
    key = {"type": "array", "items": _TEXT, "minItems": 1}
    properties = {
        "id": {"type": "integer", "minimum": 1},
        "state": {"enum": ["proposed", "approved", "expired", "revoked"]},
        "check": _TEXT,
        "mapping": _TEXT,
        "group": {"type": ["string", "null"], "pattern": "^[0-9a-f]{12}$"},
        "keys": {"type": "array", "items": key},
        "max": {"type": "integer", "minimum": 1},
        "until": {"type": "string", "format": "date"},
        "meaning": _TEXT,
        "reason": _TEXT,
        "owner": _TEXT,
        "proposed_by": _TEXT,
        "proposed_at": _TEXT,
        "approved_by": {**_TEXT, "description": "Empty: nobody yet."},
        "approved_at": _TEXT_OR_NULL,
        "signature": {"enum": ["", "signed", "unsigned", "broken"]},
        "revoked_by": _TEXT_OR_NULL,
        "revoked_reason": _TEXT_OR_NULL,
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def waiver_schema() -> dict[str, Any]:
    """Return the schema of `waiver propose`, `approve` and `revoke`."""
    return {"$schema": _DIALECT, "title": "omnicase waiver", **_waiver()}


def waivers_schema() -> dict[str, Any]:
    """Return the schema of `waiver list`."""
    properties = {"waivers": {"type": "array", "items": _waiver()}}
    return {
        "$schema": _DIALECT,
        "title": "omnicase waiver list",
        "type": "object",
        "properties": properties,
        "required": ["waivers"],
        "additionalProperties": False,
    }


def imported_schema() -> dict[str, Any]:
    """Return the schema of `reconcile import-decisions`."""
    line = {"sheet": _TEXT, "row": {"type": "integer", "minimum": 1}, "code": _TEXT, "message": _TEXT}
    refused = {"type": "object", "properties": line, "required": list(line), "additionalProperties": False}
    properties = {
        "proposed": {"type": "array", "items": _waiver()},
        "known": {"type": "integer", "minimum": 0, "description": "Lines that say what a waiver says already."},
        "refused": {"type": "array", "items": refused},
    }
    return {
        "$schema": _DIALECT,
        "title": "omnicase reconcile import-decisions",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
