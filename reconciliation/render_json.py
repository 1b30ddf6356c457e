"""The report as a JSON document: the contract of `reconcile --format json` (DESIGN.md, section 9)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from reconciliation.findings import Finding, FindingGroup
from reconciliation.report import BookLine, Cause, Report, ReportContext
from reconciliation.sides import Facts
from reconciliation.verdict import Check, Distribution, DistributionGroup, RuleResult, Verdict
from reconciliation.waiver import WaiverUse

_EXAMPLES = 3
"""Of a group, with the way of their values; all findings are listed apart."""


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Return the core of the contract: verdict, levels, checks and findings, and the groups that count them all."""
    every = [_finding(finding) for group in verdict.groups for finding in group.all_findings()]
    return _without_findings(verdict) | {"findings": every}


def _without_findings(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.verdict,
        "levels": list(verdict.levels),
        "lacking": dict(verdict.lacking),
        "checks": [_check(check) for check in verdict.checks],
        "findings": [],
        "groups": [_group(group) for group in verdict.groups],
        "signals": [_group(group) for group in verdict.signals],
        "signal_records": [_finding(each) for group in verdict.signals for each in group.findings],
        "rules": [_rule(rule) for rule in verdict.rules],
        "distributions": [_distribution(each) for each in verdict.distributions],
        "waivers": [_waiver(use) for use in verdict.waivers],
        "sample": verdict.sample,
        "taken_over": list(verdict.taken_over),
    }


def render_json(report: Report) -> dict[str, Any]:
    """Return the whole report as plain JSON values; `reconcile_schema` describes it."""
    return verdict_document(report.verdict) | _around(report)


def _around(report: Report) -> dict[str, Any]:
    """Return what the report says besides the verdict."""
    return {
        "context": _context(report.context),
        "books": [_line(line) for system in report.systems for line in system.lines],
        "rejects": [_cause(cause) for cause in report.rejects],
        "losses": [_cause(cause) for cause in report.losses],
        "out_of_scope": [
            {"mapping": amount.mapping, "reason": amount.name, "count": amount.count} for amount in report.scope
        ],
        "repaired": [
            {
                "mapping": amount.mapping,
                "field": amount.name,
                "count": amount.count,
                "of": amount.of,
                "examples": [{"before": before, "after": after} for before, after in amount.examples],
            }
            for amount in report.repaired
        ],
        "sources": [_source(facts) for facts in report.facts],
    }


def report_chunks(report: Report) -> Iterator[str]:
    """Yield the text of `render_json` in pieces, so that it holds all findings without holding them in memory."""
    return _chunks(_without_findings(report.verdict) | _around(report), report.verdict, 1)


def verdict_chunks(verdict: Verdict, more: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text of `verdict_document` and `more` in pieces, indented as answers on the command line are."""
    return _chunks({**_without_findings(verdict), **more}, verdict, 2)


def _chunks(document: Mapping[str, Any], verdict: Verdict, indent: int) -> Iterator[str]:
    pad = " " * indent
    for number, (name, value) in enumerate(document.items()):
        yield ("{\n" if number == 0 else ",\n") + f"{pad}{json.dumps(name)}: "
        if name == "findings":
            every = (_finding(finding) for group in verdict.groups for finding in group.all_findings())
            yield from _listed(every, indent)
        else:
            yield json.dumps(value, ensure_ascii=False, indent=indent).replace("\n", f"\n{pad}")
    yield "\n}\n"


def _listed(values: Iterable[dict[str, Any]], indent: int) -> Iterator[str]:
    pad, first = " " * indent, True
    for value in values:
        shown = json.dumps(value, ensure_ascii=False, indent=indent).replace("\n", f"\n{pad * 2}")
        yield ("[\n" if first else ",\n") + pad * 2 + shown
        first = False
    yield "[]" if first else f"\n{pad}]"


def reconcile_schema() -> dict[str, Any]:
    """Return the published JSON Schema (2020-12) of the document."""
    path = files("reconciliation") / "schemas" / "reconcile.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema


def _check(check: Check) -> dict[str, Any]:
    return {
        "check": check.check, "level": check.level, "mapping": check.mapping, "target": check.target,
        "about": check.about, "outcome": check.outcome, "compared_source": check.compared_source,
        "compared_target": check.compared_target, "compared_values": check.compared_values, "moved_on": check.moved_on,
        "findings": check.findings, "waived": check.waived, "signals": check.signals,
        "explained": dict(check.explained), "reason": check.reason, "seconds": check.seconds, "share": check.share,
        "meaning": check.meaning,
        "tolerated": [
            {"name": name, "tolerance": tolerance, "count": check.tolerated.get(name, 0)}
            for name, tolerance in check.tolerances.items()
        ],
    }  # fmt: skip


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id, "check": finding.check, "mapping": finding.mapping, "key": list(finding.key),
        "field": finding.field, "cause": finding.cause, "difference": finding.difference,
        "expected": finding.expected, "found": finding.found,
    }  # fmt: skip


def _group(group: FindingGroup) -> dict[str, Any]:
    return {
        "id": group.id, "check": group.check, "mapping": group.mapping, "target": group.target, "owner": group.owner,
        "field": group.field, "cause": group.cause, "difference": group.difference, "likely": dict(group.likely),
        "count": group.count,
        "examples": [
            {
                "id": each.id, "key": list(each.key), "expected": each.expected, "found": each.found,
                "stages": [{"stage": stage, "value": value} for stage, value in each.stages],
            }
            for each in group.findings[:_EXAMPLES]
        ],
        "listed": group.listed, "waived": group.waived,
    }  # fmt: skip


def _waiver(use: WaiverUse) -> dict[str, Any]:
    waiver = use.waiver
    return {
        "id": waiver.number, "check": waiver.check, "mapping": waiver.mapping, "group": waiver.group,
        "keys": [list(key) for key in waiver.keys], "max": waiver.maximum, "until": waiver.until.isoformat(),
        "reason": waiver.reason, "proposed_by": waiver.proposed_by, "approved_by": waiver.approved_by,
        "signature": waiver.signature, "status": use.status, "found": use.found,
    }  # fmt: skip


def _rule(rule: RuleResult) -> dict[str, Any]:
    return {
        "rule": rule.id, "severity": rule.severity, "target": rule.target, "own": rule.own, "nl": rule.dutch,
        "en": rule.english, "compared": rule.compared, "broken": rule.broken,
        "answered": rule.answered,
    }  # fmt: skip


def _distribution(divided: Distribution) -> dict[str, Any]:
    def counts(group: DistributionGroup | None) -> dict[str, int] | None:
        return None if group is None else {"expected": group.expected, "found": group.found}

    return {
        "target": divided.target, "by": divided.by, "column": divided.column, "differing": divided.differing,
        "groups": [{"value": each.label, "expected": each.expected, "found": each.found} for each in divided.groups],
        "small": counts(divided.small), "small_groups": divided.folded, "empty": counts(divided.empty),
        "left_out": divided.apart,
    }  # fmt: skip


def _line(line: BookLine) -> dict[str, Any]:
    facts = line.facts
    gone = dict(facts.gone) if facts else {}
    return {
        "mapping": line.name,
        "system": facts.system if facts else "",
        "target": facts.target if facts else "",
        "balanced": line.balances,
        **line.amounts,
        "gone": {name: gone.get(name, 0) for name in ("kept", "closed", "removed", "held")},
        "states": dict(facts.states) if facts else {},
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "code": cause.code, "severity": cause.severity, "count": cause.count,
        "places": [{"mapping": place.mapping, "field": place.field, "count": place.count} for place in cause.places],
    }  # fmt: skip


def _context(context: ReportContext) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else " = ".join(value) if name == "pair" else value
        for name in ReportContext.__dataclass_fields__
        for value in [getattr(context, name)]
        if name != "pair" or value is not None
    }


def _source(facts: Facts) -> dict[str, Any]:
    return {
        "mapping": facts.mapping, "system": facts.system, "relation": facts.relation, "run": facts.run,
        "fingerprint": facts.fingerprint, "mapping_digest": facts.mapping_digest, "meaning": facts.meaning,
    }  # fmt: skip
