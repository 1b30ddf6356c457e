"""The published JSON Schema (2020-12) of `declaration render --format json`."""

from __future__ import annotations

from typing import Any, Final

from casemodel import OUTCOMES
from migrate.declaration.blanks import REASONS
from migrate.status.books import GONE

_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_COUNT: Final = {"type": "integer"}
_TRUTH: Final = {"type": "boolean"}
_BLANK: Final = {
    "type": "object",
    "properties": {"blank": {"enum": sorted(REASONS)}},
    "required": ["blank"],
    "additionalProperties": False,
}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _or_blank(of: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [of, _BLANK]}


def _run() -> dict[str, Any]:
    texts = ("state", "started_at", "as_of", "who", "host", "program", "model_revision", "plan_digest")
    maybe = ("label", "reason", "part", "undone_at", "undone_by")
    undone = {"anyOf": [_TEXT_OR_NULL, _BLANK]}
    return _object(
        number=_COUNT,
        **dict.fromkeys(texts, _TEXT),
        **dict.fromkeys(maybe, _TEXT_OR_NULL),
        ended_at=_or_blank(_TEXT),
        undone_reason=undone,
        spared=_COUNT,
    )


def _system() -> dict[str, Any]:
    file = _object(name=_TEXT, digest=_TEXT, records=_COUNT)
    relation = _object(
        relation=_TEXT,
        run=_COUNT,
        digest=_TEXT,
        content=_or_blank(_TEXT),
        source_rows=_COUNT,
        files={"anyOf": [_list(file), {"type": "null"}]},
        mappings=_list(_TEXT),
    )
    return _object(system=_TEXT, kind=_or_blank(_TEXT), relations=_list(relation))


def _mapping() -> dict[str, Any]:
    cause = _object(severity={"enum": ["error", "warning"]}, code=_TEXT, field=_TEXT, rows=_COUNT)
    gone = {"type": "object", "propertyNames": {"enum": list(GONE)}, "additionalProperties": _COUNT}
    amounts = dict.fromkeys(("read", *OUTCOMES), _or_blank(_COUNT))
    left = _object(columns=_list(_TEXT), reason=_TEXT, approved_by=_or_blank(_TEXT), evidence=_or_blank(_TEXT))
    return _object(
        mapping=_TEXT,
        target=_TEXT,
        target_label=_TEXT,
        owner=_or_blank(_TEXT),
        run=_or_blank(_COUNT),
        digest=_or_blank(_TEXT),
        meaning=_or_blank(_TEXT),
        file_digest=_or_blank(_TEXT),
        file_as_loaded=_TRUTH,
        read_in_full=_or_blank(_TRUTH),
        books=_object(**amounts, balanced=_or_blank(_TRUTH), gone=gone),
        stock={"type": "object", "additionalProperties": _COUNT},
        out_of_scope=_list(_object(reason=_or_blank(_TEXT), rows=_COUNT)),
        rejected=_list(cause),
        losses=_list(cause),
        left_behind=_or_blank(_list(left)),
        unfilled=_or_blank(_list(_object(columns=_list(_TEXT), reason=_TEXT))),
    )


def _verdict() -> dict[str, Any]:
    counts = ("checks", "passed", "failed", "waived", "not_applicable")
    compared = ("compared_source", "compared_target", "moved_on", "findings")
    return _object(
        number=_COUNT,
        **dict.fromkeys(("at", "who", "host", "program"), _TEXT),
        verdict={"enum": ["in_balance", "findings"]},
        run=_or_blank(_COUNT),
        environment=_or_blank(_TEXT),
        whole=_TRUTH,
        sample=_TEXT_OR_NULL,
        outdated=_TEXT_OR_NULL,
        lacking=_list(_object(level=_TEXT, reason=_TEXT)),
        levels=_list(_object(level=_TEXT, **dict.fromkeys((*counts, *compared), _COUNT))),
        outcomes={"type": "object", "additionalProperties": _COUNT},
        findings=_COUNT,
        waived=_COUNT,
        reports=_list(_object(file=_TEXT, sha256=_TEXT)),
    )


def declaration_schema() -> dict[str, Any]:
    """Return the schema; a fact that is not known is an object ``{"blank": reason}``."""
    moment = dict.fromkeys(("at", "who"), _TEXT)
    purge = _object(**moment, before=_TEXT_OR_NULL, wave=_TEXT_OR_NULL, rows=_COUNT)
    texts = ("state", "check", "mapping", "until", "reason", "owner", "proposed_by", "proposed_at")
    waiver = _object(
        **dict.fromkeys(("number", "max", "keys"), _COUNT),
        **dict.fromkeys(texts, _TEXT),
        **dict.fromkeys(("approved_at", "revoked_by", "revoked_reason", "signature"), _TEXT_OR_NULL),
        approved_by=_or_blank(_TEXT),
    )
    schema = _object(
        declaration=_object(format=_TEXT, made_at=_TEXT, made_by=_TEXT, program=_TEXT),
        template=_object(name=_TEXT, version=_or_blank(_TEXT), sha256=_TEXT, shipped=_TRUTH),
        municipality=_object(name=_TEXT, rsin=_or_blank(_TEXT)),
        workspace=_object(name=_TEXT, environment=_or_blank(_TEXT), production=_TRUTH, namespace=_TEXT),
        target=_object(kind=_TEXT, model_revision=_or_blank(_TEXT), ledger_revision=_or_blank(_TEXT)),
        period=_object(first=_or_blank(_TEXT), last=_or_blank(_TEXT)),
        totals=_object(**dict.fromkeys(("read", *OUTCOMES, "stands"), _or_blank(_COUNT))),
        systems=_list(_system()),
        mappings=_list(_mapping()),
        unread=_or_blank(_list(_TEXT)),
        runs=_list(_run()),
        waves=_list(_object(name=_TEXT, state=_TEXT, since=_TEXT)),
        verdict=_or_blank(_verdict()),
        waivers=_list(waiver),
        evidence=_or_blank(_object(entries=_COUNT, head=_TEXT, code=_TEXT)),
        settled=_list(_object(code=_TEXT, choice=_TEXT, records=_COUNT)),
        disclosures=_COUNT,
        unlocks=_list(_object(**moment, run=_COUNT, reason=_TEXT)),
        purges=_list(purge),
        roles=_list(_object(role=_TEXT, name=_or_blank(_TEXT), date=_or_blank(_TEXT))),
        decision=_or_blank(_TEXT),
        blanks=_COUNT,
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "omnicase declaration render",
        **schema,
    }
