"""The digest of a mapping's meaning: what re-maps rows and binds waivers when it changes (LANGUAGE.md, "Checks")."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import rfc8785

from mappings.language import MappingFile

MEANING_VERSION = 1
"""Raised when a release makes another value of the same mapping and row: a step, a stage, a function of expressions."""
_SILENT = {"owner", "controls", "children", "tests", "unfilled", "ignore", "incremental"}
"""Parts of a file that change nothing in a record."""


def meaning_of(file: MappingFile, others: Mapping[str, MappingFile], as_of: date | None) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of everything that can change a record.

    Reasons, comments, owner and tests are left out; the content of code tables, the keys of the mappings linked to and
    the version of the step library are in.
    """
    model = file.model.model_dump(by_alias=True, exclude=_SILENT, exclude_defaults=True)
    for spec in model["fields"].values():
        spec.pop("tolerance", None)    # of reconciling, not of loading
    # A renamed mapping makes the same records: what counts is the name in their ids.
    model.pop("formerly", None)
    model["mapping"] = file.model.id_name
    scope = model.get("scope")
    if isinstance(scope, dict):
        model["scope"] = {"where": scope["where"]}
    accounts = model["source"].get("accounts")
    if isinstance(accounts, dict):
        accounts.pop("reason", None)
    linked = {
        chain.link.mapping for _, _, chain in file.chains() if chain.link is not None and chain.link.mapping is not None
    }
    meaning: dict[str, Any] = {
        "version": MEANING_VERSION,
        "mapping": model,
        "tables": {
            name: [table.fold, sorted([*code, *value] for code, value in table.rows.items())]
            for name, table in file.tables.items()
        },
        "texts": {name: list(texts) for name, texts in file.texts.items()},
        "links": {name: _key_of(others[name]) for name in sorted(linked) if name in others},
        **({"query": file.query.sql} if file.query is not None else {}),
        **({"timezone": file.timezone} if file.timezone is not None else {}),
        **({"formats": list(file.date_formats)} if any(table.dated for table in file.tables.values()) else {}),
        **({"plugins": {name: found.digest for name, found in file.plugins.items()}} if file.plugins else {}),
        **({"same_person": decided} if (decided := _decided(file)) else {}),
        **({"defaults": "come last"} if file.model.identity is not None and _has_default(file) else {}),
        "as_of": None if as_of is None else as_of.isoformat(),
    }
    return hashlib.sha256(_canonical(meaning)).hexdigest()


def _canonical(meaning: Any) -> bytes:
    """Return texts, numbers without a fraction, lists and keys as RFC 8785 writes them."""
    text = json.dumps(meaning, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # Beyond ASCII its order of keys, by UTF-16, may be another one; within, Python's own writer gives the same bytes.
    return text.encode() if text.isascii() else rfc8785.dumps(_plain(meaning))


def _key_of(file: MappingFile) -> Any:
    source = file.model.source.model_dump(by_alias=True, include={"key", "one_per", "unpivot", "other_keys"})
    shared = ["identity"] if file.model.identity is not None else []
    return [file.model.target, source, *shared]


def _has_default(file: MappingFile) -> bool:
    return any(spec.default is not None for spec in file.model.fields.values())


def _decided(file: MappingFile) -> list[list[Any]]:
    """Return what people decided about rows of this mapping."""
    return sorted(
        [*each.left, *each.right, each.same] for each in file.decisions if file.name in (each.left[0], each.right[0])
    )


def _plain(value: Any) -> Any:
    """Return the value as JSON knows it."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
