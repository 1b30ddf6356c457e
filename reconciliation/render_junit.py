"""The report as JUnit XML, for build servers: a test case per check, in a suite per level."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from casemodel import printable
from reconciliation.naming import check_name, finding_title, reason_text
from reconciliation.report import Report
from reconciliation.verdict import Check
from reconciliation.words import text

_MOST_LINES = 50
"""Kinds of differences named in one failure."""


def render_junit(report: Report, lang: str = "nl") -> str:
    """Return the document: checks that failed are failures, those that were waived or did not apply are skipped."""
    checks = report.verdict.checks
    named = {"name": printable(f"omnicase reconcile {report.context.workspace}")}
    root = ET.Element("testsuites", {**named, **_counts(checks)})
    for level in report.verdict.levels:
        of_level = [check for check in checks if check.level == level]
        suite = ET.SubElement(root, "testsuite", {"name": level, **_counts(of_level)})
        suite.set("timestamp", report.context.reconciled_at.isoformat(timespec="seconds"))
        for check in of_level:
            case = ET.SubElement(suite, "testcase", classname=check.check, name=printable(check_name(check)))
            case.set("time", f"{check.seconds:.3f}")
            _outcome(case, report, check, lang)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(checks: tuple[Check, ...] | list[Check]) -> dict[str, str]:
    outcomes = [check.outcome for check in checks]
    return {
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count("failed")),
        "errors": "0",
        "skipped": str(sum(outcome in ("waived", "not_applicable") for outcome in outcomes)),
        "time": f"{sum(check.seconds for check in checks):.3f}",
    }


def _outcome(case: ET.Element, report: Report, check: Check, lang: str) -> None:
    if check.outcome == "failed":
        failure = ET.SubElement(case, "failure", type="difference")
        failure.set("message", printable(text(lang, "count.differences", n=check.findings - check.waived)))
        groups = [group for group in report.decisions if (group.check, group.mapping) == (check.check, check.mapping)]
        lines = [f"{group.count} × {finding_title(lang, report, group)} [{group.id}]" for group in groups]
        failure.text = "\n".join(printable(line) for line in lines[:_MOST_LINES])
    elif check.outcome == "waived":
        ET.SubElement(case, "skipped", message=printable(text(lang, "count.waived", n=check.waived)))
    elif check.outcome == "not_applicable":
        ET.SubElement(case, "skipped", message=printable(reason_text(lang, check)))
