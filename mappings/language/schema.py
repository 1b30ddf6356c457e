"""The JSON Schema of what people write in YAML, generated from the models (editors complete and check with it)."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from mappings.language.defaults import SystemDefaults
from mappings.language.descriptions import DESCRIPTIONS
from mappings.language.mapping_tests import TestsFile
from mappings.language.models import MappingModel

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCALAR: Final = ["string", "number", "boolean"]
"""Every scalar is text to us, whatever YAML makes of it."""
_TEXT: Final[dict[str, Any]] = {"type": _SCALAR}
_TEXTS: Final[dict[str, Any]] = {"type": "array", "items": _TEXT, "minItems": 1}
_WORDS: Final = {"true": True, "false": False, "null": None}

_SHORT: Final[dict[str, list[dict[str, Any]]]] = {
    "KeyPart": [_TEXT],
    "IdentityPart": [_TEXT],
    "Deletes": [{"enum": ["keep", "remove"]}],
    "StepSpec": [_TEXT, {"type": "object", "minProperties": 1, "maxProperties": 1}],
    "NullIf": [_TEXT, _TEXTS],
    "Codes": [_TEXT, {"type": "object", "minProperties": 1, "not": {"required": ["file"]}}],
    "Unknown": [{"enum": ["reject", "null", "keep", None]}],
    "DateFormats": [_TEXT, _TEXTS],
    "NumberFormat": [{"enum": [True, "true"]}],
    "Write": [_TEXT],
    "Link": [_TEXT],
    "Lookup": [{"type": "string", "pattern": r"^[^.]+\..+$"}],
    "Ambiguous": [{"enum": ["reject", "earliest", "latest"]}],
    "JsonSpec": [{"type": "object", "not": {"required": ["list"]}}],
    "LinkedKeys": [_TEXT, _TEXTS],
}
"""The short forms of a part, besides its keys and values."""
_ONE_OR_MORE: Final = {"do", "key", "given"}
"""Lists that may be written as their one item."""


def mapping_schema() -> dict[str, Any]:
    """Return the JSON Schema of a mapping file."""
    return schema_of(MappingModel, "A mapping of omnicase: one relation, one target table")


def tests_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of tests (``mappings/tests/*.yml``)."""
    return schema_of(TestsFile, "Tests of a mapping of omnicase: rows as read, and what must become of them")


def defaults_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``defaults.yml``: by the name of a system what its mappings share."""
    made = schema_of(SystemDefaults, "What the mappings of each system share")
    part = {key: made.pop(key) for key in ("type", "properties", "additionalProperties") if key in made}
    return {**made, "type": "object", "minProperties": 1, "additionalProperties": part}


def schema_of(model: type[BaseModel], title: str) -> dict[str, Any]:
    """Return the JSON Schema of a model: short forms allowed, every property described."""
    made = model.model_json_schema(by_alias=True, mode="validation")
    definitions = {name: _definition(name, each) for name, each in sorted(made.pop("$defs", {}).items())}
    top = _definition("", made)
    top.pop("description", None)
    return {"$schema": DRAFT, "title": title, **{key: top[key] for key in top if key != "title"}, "$defs": definitions}


def _definition(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    said = str(schema.get("description", ""))
    long = {key: _loose(value) for key, value in schema.items() if key not in ("properties", "description", "title")}
    properties = {
        key: _property(key, value, said)
        for key, value in schema.get("properties", {}).items()
        if not key.startswith("_")
    }
    long["properties"] = properties
    if "required" in long:
        long["required"] = [key for key in long["required"] if not key.startswith("_")]
    if name not in _SHORT:
        return {"description": said, **long}
    forms = _SHORT[name]
    return {"description": said, "anyOf": [*forms, long] if properties else list(forms)}


def _property(key: str, schema: dict[str, Any], model: str) -> dict[str, Any]:
    loose = _loose(schema)
    if not isinstance(loose, dict):
        loose = {}
    if key in _ONE_OR_MORE and loose.get("type") == "array":
        items = loose.get("items", {})
        loose = {"anyOf": [loose, items]}
    if key in ("mapping", "formerly") and model == MappingModel.__doc__:
        loose = {"type": "string", "pattern": r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"}
    if key == "other_keys":
        loose = {"type": "array", "items": {"anyOf": [_TEXT, _TEXTS]}}
    said = schema.get("description") or DESCRIPTIONS.get(key) or f"Part of: {model}"
    return {"description": said, **{name: value for name, value in loose.items() if name != "description"}}


def _loose(schema: Any) -> Any:
    """Allow every scalar where the language reads text, and leave out defaults, which are the language's own."""
    if isinstance(schema, list):
        return [_loose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "const" in schema and isinstance(schema["const"], str):
        schema = {"enum": [schema["const"]]}
    kept = {key: _loose(value) for key, value in schema.items() if key not in ("default", "title")}
    if isinstance(kept.get("enum"), list):
        words = kept["enum"]
        return {"enum": [*words, *(value for word, value in _WORDS.items() if word in words)]}
    if kept.get("type") == "string":
        kept["type"] = "string" if "pattern" in kept else _SCALAR
    elif kept.get("type") == "boolean":
        return {"enum": [True, False, "true", "false"]}
    elif kept.get("type") == "integer":
        return {"type": ["integer", "string"], "pattern": r"^-?[0-9]+$"}
    return kept
