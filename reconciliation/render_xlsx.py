"""The work list: a workbook in which people decide about every kind of difference and every cause of rejects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reconciliation.findings import Finding, FindingGroup
from reconciliation.naming import (
    conclusion_sentences,
    finding_title,
    finding_value,
    likely_text,
    stage_name,
    stage_value,
    tolerance_text,
    tolerated_name,
    waiver_about,
    waiver_people,
    waiver_status,
)
from reconciliation.report import Report
from reconciliation.sums import tolerated_lines
from reconciliation.words import figure, issue_text, remedy_text, text
from reconciliation.workbook import Column, Row, Sheet, write_workbook

_DECIDED = ("accept", "source", "mapping", "target", "look")
"""What may be decided about a line."""


def write_xlsx(path: Path, report: Report, lang: str) -> None:
    """Write the work list of a report.

    Raises:
        UsageError: XLS-001 the library for workbooks is not installed.
        RefusedError: OUT-001 the file cannot be written.
    """
    title = text(lang, "title", workspace=report.context.workspace)
    sheets = [_summary(report, lang), _groups(report, lang), _findings(report, lang), _rejects(report, lang)]
    if report.signals:
        sheets.append(_signals(report, lang))
    if report.verdict.waivers:
        sheets.append(_waivers(report, lang))
    if tolerated_lines(report.verdict):
        sheets.append(_tolerances(report, lang))
    write_workbook(path, title, sheets)


def _summary(report: Report, lang: str) -> Sheet:
    context = report.context
    facts = [
        (text(lang, "xlsx.workspace"), context.workspace),
        (text(lang, "xlsx.at"), figure(lang, context.reconciled_at)),
        (text(lang, "xlsx.run"), f"{context.run} {context.label}".strip()),
        (text(lang, "xlsx.target"), context.target),
        (text(lang, "xlsx.program"), context.program_version),
    ]
    rows = [Row((text(lang, "conclusion"), sentence)) for sentence in conclusion_sentences(lang, report)]
    return Sheet(
        text(lang, "conclusion"),
        (Column(text(lang, "xlsx.about"), 24), Column(text(lang, "xlsx.says"), 100)),
        [*rows, *(Row(each) for each in facts)],
    )


def _groups(report: Report, lang: str) -> Sheet:
    """Return one line for each group of like findings."""
    head = _columns(
        lang, id=14, level=16, mapping=26, what=44, cause=36, count=10, example=24, source=28, found=28, way=60,
    )  # fmt: skip
    return Sheet(
        text(lang, "xlsx.groups"),
        (*head, *_decision(lang)),
        [Row(_group(report, lang, group), is_open=True) for group in report.decisions],
    )


def _group(report: Report, lang: str, group: FindingGroup) -> tuple[str | int, ...]:
    example = group.findings[0] if group.findings else None
    shown = (
        ("", "", "")
        if example is None
        else ("|".join(example.key), finding_value(lang, example.expected), finding_value(lang, example.found))
    )
    return (
        group.id,
        text(lang, f"level.{group.check.partition('.')[0]}"),
        group.mapping,
        finding_title(lang, report, group),
        ". ".join(each for each in (text(lang, f"cause.{group.cause}"), likely_text(lang, group)) if each),
        group.count,
        *shown,
        "" if example is None else _way(lang, example),
        group.owner,
    )


def _way(lang: str, example: Finding) -> str:
    """Return the way of a value from the source, stage by stage."""
    steps = (f"{stage_name(lang, stage)}: {stage_value(lang, stage, value)}" for stage, value in example.stages)
    return " → ".join(steps)


def _findings(report: Report, lang: str) -> Sheet:
    """Return one line for each finding, out of the file that keeps them."""
    head = _columns(lang, id=14, group=14, mapping=26, key=24, what=44, source=28, found=28)
    rows = (
        Row(
            (
                finding.id,
                group.id,
                group.mapping,
                "|".join(finding.key),
                finding_title(lang, report, group),
                finding_value(lang, finding.expected),
                finding_value(lang, finding.found),
                group.owner,
            )
        )
        for group in report.decisions
        for finding in group.all_findings()
    )
    return Sheet(text(lang, "xlsx.findings"), (*head, *_decision(lang)), rows)


def _signals(report: Report, lang: str) -> Sheet:
    """Return one line for each record that a rule points out, as many as were kept."""
    head = _columns(lang, id=14, mapping=26, key=24, what=60, found=38)
    rows = (
        Row(
            (
                finding.id,
                group.mapping,
                "|".join(finding.key),
                finding_title(lang, report, group),
                finding_value(lang, finding.found),
                group.owner,
            )
        )
        for group in report.signals
        for finding in group.findings
    )
    return Sheet(text(lang, "xlsx.signals"), (*head, *_decision(lang)), rows)


def _rejects(report: Report, lang: str) -> Sheet:
    """Return one line for each cause of rejects in each field."""
    head = _columns(lang, code=22, mapping=26, field=24, what=44, count=10, remedy=60)
    return Sheet(text(lang, "xlsx.rejects"), (*head, *_decision(lang)), list(_reject_rows(report, lang)))


def _waivers(report: Report, lang: str) -> Sheet:
    """Return one line for each waiver: what it accepts, and whether it counts."""
    widths = {"waiver": 10, "about": 44, "status": 44, "why": 60, "people": 40}
    rows = [
        Row(
            (
                use.waiver.number,
                waiver_about(lang, use),
                waiver_status(lang, use),
                use.waiver.reason,
                waiver_people(lang, use),
            ),
            is_open=use.status not in ("counts", "unused", "not_asked"),
        )
        for use in report.verdict.waivers
    ]
    columns = tuple(Column(text(lang, f"col.{name}"), width) for name, width in widths.items())
    return Sheet(text(lang, "xlsx.waivers"), columns, rows)


def _tolerances(report: Report, lang: str) -> Sheet:
    """Return one line for each tolerance of a mapping, and how many differences it let pass."""
    rows = [
        Row((line.mapping, tolerated_name(lang, report, line), tolerance_text(lang, line.tolerance), line.count))
        for line in tolerated_lines(report.verdict)
    ]
    widths = {"xlsx.mapping": 26, "tolerances.of": 44, "tolerances.most_of": 24, "tolerances.count": 24}
    columns = tuple(Column(text(lang, name), width) for name, width in widths.items())
    return Sheet(text(lang, "tolerances"), columns, rows)


def _reject_rows(report: Report, lang: str) -> Iterator[Row]:
    owners = {facts.mapping: facts.owner for facts in report.facts}
    for cause in report.rejects:
        for place in cause.places:
            about = place.label if lang == "nl" and place.label else place.field
            said = (issue_text(lang, cause.code), place.count, remedy_text(lang, cause.code))
            yield Row((cause.code, place.mapping, about, *said, owners.get(place.mapping, "")))


def _columns(lang: str, /, **widths: int) -> tuple[Column, ...]:
    return tuple(Column(text(lang, f"xlsx.{name}"), width) for name, width in widths.items())


def _decision(lang: str) -> tuple[Column, ...]:
    """Return what people fill in; the owner is filled in as far as the mapping names one."""
    choices = tuple(text(lang, f"xlsx.decided.{choice}") for choice in _DECIDED)
    return (
        Column(text(lang, "xlsx.owner"), 22),
        Column(text(lang, "xlsx.decision"), 26, choices),
        Column(text(lang, "xlsx.by"), 20),
        Column(text(lang, "xlsx.until"), 14),
        Column(text(lang, "xlsx.remark"), 44),
    )
