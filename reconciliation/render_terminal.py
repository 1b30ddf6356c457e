"""The report in a terminal: at most 100 columns, the conclusion first, passes shown too."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from casemodel import OUTCOMES, printable
from reconciliation.naming import (
    check_name,
    check_text,
    conclusion_kind,
    conclusion_sentences,
    conclusion_title,
    finding_key,
    finding_title,
    finding_value,
    group_place,
    likely_text,
    reason_text,
    rule_text,
    scope_reason,
    tolerance_text,
    tolerated_name,
    waiver_about,
    waiver_people,
    waiver_status,
)
from reconciliation.report import BookLine, Cause, Report
from reconciliation.sums import CheckSum, sums, tolerated_lines
from reconciliation.verdict import Distribution
from reconciliation.words import duration, figure, has_text, issue_text, remedy_text, share, text

WIDTH = 100
_EXAMPLES = 3
_GAPS = 12
_MANY = ("rules.model", "rules.own", "distribution.groups")
"""Checks of many parts: what of them differs is told above, what had nothing to compare by number."""
_MARKS = {"passed": "✔", "failed": "✘", "not_applicable": "–", "waived": "○"}


def render_terminal(report: Report, lang: str = "nl") -> str:
    """Return the report as plain text, lines of at most 100 columns, ending in a newline."""
    of_load = report.context.pair is None
    blocks = [
        _conclusion(report, lang), _books(report, lang) if of_load else [], _differences(report, lang),
        _waivers(report, lang), _signals(report, lang), _rejects(report, lang), _losses(report, lang),
        _scope(report, lang), _distributions(report, lang), _tolerances(report, lang), _checks(report, lang),
        _next(report, lang) if of_load else [],
    ]  # fmt: skip
    lines = [line for block in blocks if block for line in [*block, ""]]
    return "\n".join(printable(line).rstrip() for line in lines[:-1]) + "\n"


def _conclusion(report: Report, lang: str) -> list[str]:
    context = report.context
    parts = [context.workspace, context.municipality and text(lang, "municipality", name=context.municipality)]
    parts += [context.environment and text(lang, "environment", name=context.environment), context.label]
    parts.append(text(lang, "moment", at=context.reconciled_at))
    mark = {"in_balance": "✔", "findings": "✘", "not_established": "?"}[conclusion_kind(report.verdict)]
    title = f"{mark} {conclusion_title(lang, report).upper()}"
    return [*_wrap(" · ".join(part for part in parts if part)), "", title,
            *[line for sentence in conclusion_sentences(lang, report) for line in _wrap(sentence, "  ")]]  # fmt: skip


def _books(report: Report, lang: str) -> list[str]:
    lines = [line for system in report.systems for line in system.lines]
    total = report.total
    used = [name for name in OUTCOMES if total.amounts[name]]
    heads = [text(lang, f"short.{name}") for name in ("read", *used)] + [text(lang, "short.balances")]
    rows = [[line.name, *_amounts(line, used, lang)] for line in [*lines, total]]
    rows[-1][0] = text(lang, "books.total")
    out = _table(["", *heads], rows, "<" + ">" * len(heads))
    if len(out[0]) > WIDTH:
        out = _table(["", *heads], rows, "<" + ">" * len(heads), gap=" ")
    if len(out[0]) > WIDTH:
        out = [part for line in [*lines, total] for part in _as_sum(line, used, lang)]
    else:
        out.insert(-1, "─" * len(out[0]))
    terms = " + ".join(text(lang, f"amount.{name}") for name in used) or "0"
    return [_title(lang, "books"), *out, *_wrap(text(lang, "books.formula", terms=terms))]


def _amounts(line: BookLine, used: Sequence[str], lang: str) -> list[str]:
    balance = "–" if line.balances is None else figure(lang, line.balances)
    return [*(figure(lang, line.amounts[name]) for name in ("read", *used)), balance]


def _as_sum(line: BookLine, used: Sequence[str], lang: str) -> list[str]:
    name = line.name or text(lang, "books.total")
    terms = " + ".join(
        f"{figure(lang, line.amounts[name])} {text(lang, f'amount.{name}')}" for name in used if line.amounts[name]
    )
    sign = "=" if line.balances is not False else "≠"
    return _wrap(f"{name}: {figure(lang, line.amounts['read'])} {text(lang, 'amount.read')} {sign} {terms or '0'}")


def _differences(report: Report, lang: str) -> list[str]:
    if not report.decisions:
        return []
    out = [_title(lang, "term.findings")]
    shown = report.decisions[:20]
    for group in shown:
        place = group_place(lang, report, group)
        title = finding_title(lang, report, group) + (f" ({place})" if place else "") + f" [{group.id}]"
        out += _wrap(f"✘ {figure(lang, group.count - group.waived)} × {title}", "  ", first="")
        if group.field is not None:
            out += _wrap(text(lang, f"cause.{group.cause}") + ". " + text(lang, f"why.{group.cause}"), "    ")
        else:
            out += _wrap(text(lang, f"why.{group.cause}"), "    ")
        out += _wrap(likely_text(lang, group), "    ") if group.likely else []
        for finding in group.findings[:_EXAMPLES]:
            pair = f"{finding_value(lang, finding.expected)} → {finding_value(lang, finding.found)}"
            out += _wrap(f"{finding.id}  {finding_key(lang, group, finding)}  {pair}", "      ")
    if any("‹" in line for line in out):
        out += _wrap(text(lang, "masked.legend"), "  ")
    if len(report.decisions) > len(shown):
        out.append("  " + text(lang, "term.more", n=len(report.decisions) - len(shown)))
    return out


def _signals(report: Report, lang: str) -> list[str]:
    if not report.signals:
        return []
    rules = {rule.id: rule for rule in report.verdict.rules}
    out = [_title(lang, "term.signals"), *_wrap(text(lang, "signals.note"), "  ")]
    for name in dict.fromkeys(group.difference or "" for group in report.signals):
        rule = rules[name]
        count = text(lang, "signals.of", n=rule.broken, total=rule.compared)
        out += _wrap(f"! {count:>15}  {rule_text(lang, report, name)} [{name}]", " " * 19, first="")
    return out


def _distributions(report: Report, lang: str) -> list[str]:
    if not report.distributions:
        return []
    out = [_title(lang, "term.distribution")]
    for target in dict.fromkeys(each.target for each in report.distributions):
        mine = [each for each in report.distributions if each.target == target]
        equal = [f"{text(lang, f'by.{each.by}')} {figure(lang, _groups(each))}" for each in mine if not each.differing]
        if equal:
            line = text(lang, "distribution.table", target=target, parts=", ".join(equal))
            out += _wrap(f"✔ {line}", "    ", first="")
        for each in mine:
            if each.differing:
                by, total = text(lang, f"by.{each.by}"), _groups(each)
                said = text(lang, "distribution.differs", target=target, by=by, n=each.differing, total=total)
                out += [*_wrap(f"✘ {said}", "  ", first=""), *(f"    {line}" for line in _gaps(each, lang)[:_GAPS])]
    return out


def _groups(divided: Distribution) -> int:
    return len(divided.groups) + divided.folded + (divided.empty is not None)


def _gaps(divided: Distribution, lang: str) -> list[str]:
    """Return a line per group that differs: what it is, how many the source gives, how many there are."""
    named = [(group.label, group) for group in divided.groups]
    named += [(text(lang, "distribution.small"), divided.small)] if divided.small and divided.small_differing else []
    named += [(text(lang, "distribution.empty"), divided.empty)] if divided.empty else []
    wrong = [(name, group) for name, group in named if group.expected != group.found or group is divided.small]
    return [
        f"{name[:40]:<40}  {figure(lang, each.expected):>10} → {figure(lang, each.found):>10}" for name, each in wrong
    ]


def _waivers(report: Report, lang: str) -> list[str]:
    uses = report.verdict.waivers
    if not uses:
        return []
    out = [_title(lang, "waivers")]
    for use in uses:
        mark = {"counts": "○", "unused": "–", "not_asked": "–"}.get(use.status, "✘")
        said = f"{waiver_about(lang, use)}: {waiver_status(lang, use)}"
        out += _wrap(f"{mark} {use.waiver.number}. {said}", "    ", first="")
        out += _wrap(f"“{use.waiver.reason}” {waiver_people(lang, use)}", "    ")
    return out


def _rejects(report: Report, lang: str) -> list[str]:
    if not report.rejects:
        return []
    return [_title(lang, "rejects"), *(line for cause in report.rejects for line in _cause(cause, lang, remedy=True))]


def _losses(report: Report, lang: str) -> list[str]:
    if not report.losses and not report.repaired:
        return []
    out = [_title(lang, "losses"), *(line for cause in report.losses for line in _cause(cause, lang, remedy=False))]
    if report.repaired:
        out.append(f"{text(lang, 'repaired.caption')}:")
        for a in report.repaired:
            name = _place(a.mapping, _called(lang, a.name, a.label))
            out.append(f"  {name}  {figure(lang, a.count)} / {figure(lang, a.of)}")
            out += [f"    {before}  →  {after}" for before, after in a.examples]
    return out


def _cause(cause: Cause, lang: str, *, remedy: bool) -> list[str]:
    head = f"{figure(lang, cause.count):>9}  {share(lang, cause.share):>8}  {issue_text(lang, cause.code)}"
    where = ", ".join(
        f"{_place(p.mapping, _called(lang, p.field, p.label))} {figure(lang, p.count)}" for p in cause.places[:6]
    )
    if len(cause.places) > 6:
        where += f" {text(lang, 'term.more', n=len(cause.places) - 6)}"
    out = [*_wrap(head + f" [{cause.code}]", " " * 21, first=""), *_wrap(where, " " * 21)]
    return out + (_wrap("→ " + remedy_text(lang, cause.code), " " * 21) if remedy else [])


def _called(lang: str, field: str, label: str) -> str:
    """Return what people call a field: the Dutch term of the model where it has one."""
    return label if lang == "nl" and label else field


def _place(mapping: str, field: str) -> str:
    return f"{mapping} · {field}" if field else mapping


def _scope(report: Report, lang: str) -> list[str]:
    if not report.scope:
        return []
    rows = [
        [figure(lang, amount.count), share(lang, amount.count / amount.of if amount.of else 0), amount.mapping,
         scope_reason(lang, amount.name)]
        for amount in report.scope
    ]  # fmt: skip
    return [_title(lang, "scope"), *_fit([line.rstrip() for line in _table(["", "", "", ""], rows, ">><<")[1:]])]


def _tolerances(report: Report, lang: str) -> list[str]:
    lines = tolerated_lines(report.verdict)
    if not lines:
        return []
    out = [_title(lang, "tolerances"), *_wrap(text(lang, "tolerances.note"), "  ")]
    for line in lines:
        of = _place(line.mapping, tolerated_name(lang, report, line))
        said = text(lang, "tolerances.most", most=tolerance_text(lang, line.tolerance))
        out += _wrap(f"{figure(lang, line.count):>9}  {of}, {said}", " " * 11, first="")
    return out


def _checks(report: Report, lang: str) -> list[str]:
    checks = report.verdict.checks
    passed = sum(check.outcome == "passed" for check in checks)
    idle = sum(check.outcome == "not_applicable" for check in checks)
    summary = text(lang, "checks.summary", n=passed, total=len(checks) - idle)
    out = [f"{_title(lang, 'checks')} ({summary}{text(lang, 'checks.idle', n=idle) if idle else ''})"]
    for each in sums(report.verdict):
        out.append(f"{_MARKS[each.outcome]} {check_text(lang, report, each.check)}")
        out += _wrap(_compared(report, each, lang), "    ")
        for check in each.exceptions if each.check not in _MANY and report.context.pair is None else ():
            count = text(lang, "count.differences", n=check.findings) if check.findings else ""
            accepted = text(lang, "count.waived", n=check.waived) if check.waived else ""
            parts = ", ".join(part for part in (count, accepted, reason_text(lang, check)) if part)
            out += _wrap(f"{_MARKS[check.outcome]} {check_name(check)}: {parts}", "      ", first="    ")
    return out


def _compared(report: Report, total: CheckSum, lang: str) -> str:
    pair = report.context.pair is not None
    first, second = ("side.first", "side.second") if pair else ("col.source", "col.target")
    parts = [f"{text(lang, second)} {figure(lang, total.compared_target)}"]
    if total.compared_source or not total.compared_target:
        parts.insert(0, f"{text(lang, first)} {figure(lang, total.compared_source)}")
    if total.compared_values:
        parts.append(f"{figure(lang, total.compared_values)} {text(lang, 'col.values_compared')}")
    if total.tolerated:
        parts.append(text(lang, "checks.tolerated", n=total.tolerated))
    if total.moved_on:
        parts.append(f"{text(lang, 'col.moved')} {figure(lang, total.moved_on)}")
    if total.share < 1:
        parts.append(text(lang, "checks.share", share=share(lang, total.share)))
    if pair:
        return ", ".join([*parts, duration(lang, total.seconds)])
    key = f"checks.part.{total.check.partition('.')[0]}"
    parts.append(text(lang, key if has_text(key) else "checks.part", n=total.passed, total=total.total))
    return ", ".join([*parts, duration(lang, total.seconds)])


def _next(report: Report, lang: str) -> list[str]:
    out = []
    if report.decisions:
        out += _wrap(text(lang, "term.next.findings"))
    if report.rejects:
        out += _wrap(text(lang, "term.next.rejects"))
    return out


def _title(lang: str, key: str) -> str:
    return f"── {text(lang, key)}"


def _table(heads: list[str], rows: list[list[str]], align: str, gap: str = "  ") -> list[str]:
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    return [gap.join(f"{cell:{side}{width}}" for cell, side, width in zip(row, align, widths, strict=True))
            for row in [heads, *rows]]  # fmt: skip


def _fit(lines: list[str]) -> list[str]:
    out: list[str] = []
    for line in lines:
        long = len(line) > WIDTH
        out += textwrap.wrap(line, WIDTH, subsequent_indent=" " * 6, drop_whitespace=False) if long else [line]
    return out


def _wrap(line: str, indent: str = "", *, first: str | None = None) -> list[str]:
    start = indent if first is None else first
    return textwrap.wrap(line, WIDTH, initial_indent=start, subsequent_indent=indent, break_on_hyphens=False)
