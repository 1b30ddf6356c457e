"""What `runbook lint` found as SARIF 2.1.0 (OASIS), which code hosts show beside the lines."""

from __future__ import annotations

from typing import Any, Final

from migrate import __version__
from migrate.runbook.files import Linted
from runbooks import LINT_CODES, LintFinding

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif_of(found: Linted) -> dict[str, Any]:
    """Return the findings as a SARIF log with one run."""
    rules = [
        {"id": code, "shortDescription": {"text": text}, "defaultConfiguration": {"level": severity}}
        for code, (severity, text) in LINT_CODES.items()
    ]
    driver = {"name": "omnicase runbook lint", "version": __version__, "rules": rules}
    results = [_result(each) for each in found.findings]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(found: LintFinding) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": found.file}}
    if found.line:
        place["region"] = {"startLine": found.line}
    text = f"{found.message}. {found.hint}"
    return {
        "ruleId": found.code,
        "level": found.severity,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
