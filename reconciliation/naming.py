"""How checks, findings and reasons are called in a language: shared by terminal and HTML."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from reconciliation.causes import CUT_AT
from reconciliation.checks.distribution import EMPTY, SMALL
from reconciliation.division_bars import Division
from reconciliation.findings import Finding, FindingGroup
from reconciliation.report import Report
from reconciliation.sums import ToleratedLine, tolerated_lines
from reconciliation.verdict import Check, Verdict
from reconciliation.waiver import WaiverUse
from reconciliation.words import difference_text, figure, has_text, share, text

_ZONE = ZoneInfo("Europe/Amsterdam")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_GROUPS = {SMALL: "distribution.small", EMPTY: "distribution.empty"}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def conclusion_kind(verdict: Verdict) -> str:
    """Return ``in_balance``, ``findings`` or ``not_established`` (nothing found, but too little was checked)."""
    if verdict.verdict == "in_balance":
        return "in_balance"
    return "not_established" if verdict.clean else "findings"


def conclusion_title(lang: str, report: Report) -> str:
    """Return the conclusion in two or three words; a sample never stands for the whole."""
    verdict = report.verdict
    if report.context.pair is not None:
        titles = {"in_balance": "pair.equal", "findings": "pair.not_equal"}
        return text(lang, titles.get(conclusion_kind(verdict), "not_established"))
    title = text(lang, {"findings": "not_in_balance"}.get(conclusion_kind(verdict), conclusion_kind(verdict)))
    return title if verdict.sample is None else text(lang, "of_sample", title=title, share=share(lang, verdict.sample))


def conclusion_sentences(lang: str, report: Report) -> list[str]:
    """Return the conclusion in sentences: what holds, what is open, what was and was not checked."""
    verdict, amounts = report.verdict, report.total.amounts
    if report.context.pair is not None:
        return _of_pair(lang, report, *report.context.pair)
    kind = conclusion_kind(verdict)
    if kind == "in_balance":
        # Groups of a distribution are no values of records.
        values = sum(check.compared_values for check in verdict.checks if check.level != "distribution")
        sentences = [text(lang, "says.accepted" if verdict.waived_count else "says.in_balance", n=values)]
    elif kind == "findings":
        still = verdict.finding_count - verdict.waived_count
        sentences = [text(lang, "says.findings", n=len(report.decisions), total=still)]
    else:
        sentences = [text(lang, "says.not_established")]
    open_rows = amounts["rejected"] + amounts["parked"]
    if open_rows:
        sentences.append(text(lang, "says.open", n=open_rows))
    sentences += waiver_sentences(lang, verdict)
    if verdict.sample is not None:
        sentences.append(text(lang, "says.sample", share=share(lang, verdict.sample)))
    if verdict.taken_over:
        sentences.append(text(lang, "says.resumed", n=len(verdict.taken_over)))
    tolerated = sum(line.count for line in tolerated_lines(verdict))
    if tolerated:
        sentences.append(text(lang, "says.tolerated", n=tolerated))
    moved = sum(check.moved_on for check in verdict.checks)
    if moved:
        sentences.append(text(lang, "says.moved", n=moved))
    if verdict.signal_count:
        sentences.append(text(lang, "says.signals", n=verdict.signal_count))
    return [*sentences, *_scope_of_checks(lang, verdict)]


def _of_pair(lang: str, report: Report, first: str, second: str) -> list[str]:
    verdict = report.verdict
    values = sum(check.compared_values for check in verdict.checks)
    said = text(lang, "says.pair_equal", n=values)
    if conclusion_kind(verdict) == "not_established":
        said = text(lang, "says.pair_nothing")
    if not verdict.clean:
        said = text(lang, "says.pair_findings", n=len(report.decisions), total=verdict.finding_count)
    tolerated = sum(line.count for line in tolerated_lines(verdict))
    more = [text(lang, "says.tolerated", n=tolerated)] if tolerated else []
    return [text(lang, "says.pair", first=first, second=second), said, *more]


def waiver_sentences(lang: str, verdict: Verdict) -> list[str]:
    """Return how many differences were accepted by how many waivers, and how many waivers do not count."""
    counting = sum(use.status == "counts" for use in verdict.waivers)
    idle = sum(use.status not in ("counts", "unused", "not_asked") for use in verdict.waivers)
    said = [text(lang, "says.waived", n=verdict.waived_count, waivers=counting)] if counting else []
    return [*said, text(lang, "says.waivers_idle", n=idle)] if idle else said


def waiver_about(lang: str, use: WaiverUse) -> str:
    """Return what a waiver is about: check, mapping, group or keys."""
    waiver = use.waiver
    parts = [text(lang, f"level.{waiver.check.partition('.')[0]}"), waiver.mapping]
    parts += [text(lang, "waiver.group", id=waiver.group)] if waiver.group else []
    parts += [text(lang, "waiver.keys", n=len(waiver.keys))] if waiver.keys else []
    return ", ".join(parts)


def waiver_status(lang: str, use: WaiverUse) -> str:
    """Return what a waiver did, or why it does not count."""
    waiver = use.waiver
    return text(lang, f"waiver.{use.status}", n=use.found, max=waiver.maximum, until=waiver.until)


def waiver_people(lang: str, use: WaiverUse) -> str:
    """Return who proposed and approved a waiver."""
    waiver = use.waiver
    said = text(lang, "waiver.by", proposer=waiver.proposed_by, approver=waiver.approved_by or "–")
    unsigned = waiver.approved_by and waiver.signature == "unsigned"
    return f"{said} {text(lang, 'waiver.no_signature')}" if unsigned else said


def _scope_of_checks(lang: str, verdict: Verdict) -> list[str]:
    def named(levels: list[str]) -> str:
        return ", ".join(text(lang, f"level.{level}") for level in levels)

    sentences = [text(lang, "checked", levels=named([each for each in verdict.levels if each not in verdict.idle]))]
    for why, key in (("not_run", "unchecked"), ("compared_nothing", "compared_nothing")):
        levels = [level for level, reason in verdict.lacking.items() if reason == why]
        if levels:
            sentences.append(text(lang, key, levels=named(levels)))
    idle = [level for level in verdict.idle if level not in verdict.lacking]
    if idle:
        sentences.append(text(lang, "compared_nothing", levels=named(idle)))
    return sentences


def check_text(lang: str, report: Report, check: str) -> str:
    """Return what a check asks, as a sentence that holds when it passes."""
    return text(lang, f"check.{check}" if report.context.pair is None else f"pair.check.{check}")


def finding_title(lang: str, report: Report, group: FindingGroup) -> str:
    """Return what differs, in the words of an administrator: ``einddatum: één dag eerder dan in de bron``."""
    if group.field is None:
        level = group.check.partition(".")[0]
        cause = text(lang, f"cause.{group.cause}")
        if level == "rules":
            rule = group.difference or ""
            return text(lang, "find.rules", rule=rule, about=rule_text(lang, report, rule))
        if report.context.pair is not None and group.difference:
            return f"{cause} ({text(lang, f'side.{group.difference}')})"
        about = _translated(lang, {"schema": "what", "distribution": "by"}.get(level, ""), group.difference or "")
        return text(lang, f"find.{level}", about=about, cause=cause) if has_text(f"find.{level}") else cause
    label = report.label(group.mapping, group.field) if lang == "nl" else ""
    difference = difference_text(lang, group.difference or "another value")
    title = text(lang, "find.field", field=label or group.field, difference=difference)
    return title[:1].upper() + title[1:] if label else title


def likely_text(lang: str, group: FindingGroup) -> str:
    """Return the likely causes of a kind of difference in words; empty where no pattern fits."""
    said = []
    for name, count in group.likely[:3]:
        cut = name.removeprefix(CUT_AT)
        words = text(lang, f"likely.{name}") if cut == name else text(lang, "likely.cut off at", at=cut)
        said.append(words if count == group.count else text(lang, "likely.some", words=words, n=count))
    return text(lang, "likely", words="; ".join(said)) if said else ""


def rule_text(lang: str, report: Report, rule: str) -> str:
    """Return what a rule asks, by its id."""
    found = next((each for each in report.verdict.rules if each.id == rule), None)
    return rule if found is None else found.dutch if lang == "nl" else found.english


def _translated(lang: str, kind: str, word: str) -> str:
    key = f"{kind}.{word}"
    return text(lang, key) if has_text(key) else word


def finding_value(lang: str, value: str | None) -> str:
    """Return one side of a finding; outcomes are translated, values stand for themselves."""
    if value is None:
        return text(lang, "nothing")
    if _DATE.fullmatch(value):
        with contextlib.suppress(ValueError):    # what looks like a date may not exist
            return figure(lang, date.fromisoformat(value))
    if _MOMENT.fullmatch(value):
        with contextlib.suppress(ValueError):
            return moment_text(lang, datetime.fromisoformat(value).replace(tzinfo=UTC))
    return text(lang, f"outcome.{value}") if has_text(f"outcome.{value}") else value


def moment_text(lang: str, moment: datetime) -> str:
    """Return an instant as the clock at the counter showed it; in the hour that comes twice, which of the two it is."""
    local = moment.astimezone(_ZONE)
    shown = f"{figure(lang, local.date())} {local:%H:%M:%S}"
    if local.microsecond:
        shown += f"{',' if lang == 'nl' else '.'}{local.microsecond:06}".rstrip("0")
    other = local.replace(fold=1 - local.fold)
    if other.utcoffset() == local.utcoffset():
        return shown
    return f"{shown} ({text(lang, 'time.summer' if local.dst() else 'time.winter')})"


def finding_key(lang: str, group: FindingGroup, finding: Finding, between: str = "|") -> str:
    """Return the key of a finding as people read it: groups of a distribution are called as its chart calls them."""
    shown = between.join(finding.key)
    if not group.check.startswith("distribution."):
        return shown
    if shown in _GROUPS:
        return text(lang, _GROUPS[shown])
    month = _MONTH.fullmatch(shown) if group.difference == "month" and lang == "nl" else None
    return f"{month[2]}-{month[1]}" if month else shown


def group_place(lang: str, report: Report, group: FindingGroup) -> str:
    """Return what a kind of difference is about: its mapping, else its table; empty for the target as a whole.

    Mappings that fill one table together are called by what the table holds.
    """
    if " + " in group.mapping:
        facts = next((each for each in report.facts if each.target == group.target), None)
        return (facts.target_label if facts and lang == "nl" else "") or group.target
    return group.mapping or group.target


def reason_text(lang: str, check: Check) -> str:
    """Return why a check is not applicable, or what it explained."""
    if check.reason:
        return text(lang, f"reason.{check.reason}") if has_text(f"reason.{check.reason}") else check.reason
    return ", ".join(
        f"{text(lang, f'explained.{name}') if has_text(f'explained.{name}') else name} {figure(lang, count)}"
        for name, count in check.explained.items()
    )


def tolerance_text(lang: str, tolerance: str) -> str:
    """Return a tolerance as people write it: ``1 seconde``, ``0,005``."""
    number, _, unit = tolerance.partition(" ")
    if not unit:
        return number.replace(".", ",") if lang == "nl" else number
    return text(lang, f"unit.{unit.removesuffix('s')}", n=int(number))


def tolerated_name(lang: str, report: Report, line: ToleratedLine) -> str:
    """Return which field or control has a tolerance."""
    label = report.label(line.mapping, line.name) if lang == "nl" and line.is_field else ""
    return label or line.name


def scope_reason(lang: str, reason: str) -> str:
    """Return a scope reason: the mapping's own words, or ours for a reason that we give."""
    return text(lang, f"scope.{reason}") if has_text(f"scope.{reason}") else reason


def division_title(lang: str, key: str, division: Division) -> str:
    """Return a text about a division of records: of which table, by what."""
    target = division.label if lang == "nl" else division.target
    return text(lang, key, target=target, by=text(lang, f"by.{division.by}"))


def group_name(lang: str, division: Division, label: str) -> str:
    """Return what a group of a division is called; months as people write them (Dutch: 10-2011)."""
    month = _MONTH.fullmatch(label) if division.by == "month" and lang == "nl" else None
    return f"{month[2]}-{month[1]}" if month else label


def stage_name(lang: str, stage: str) -> str:
    """Return what a stage of a value's way is called: the mapping's word with ours for what it does."""
    branch, colon, name = stage.rpartition(": ")
    if branch == "column":
        return text(lang, "stage.column", name=name)
    head, space, rest = name.partition(" ")
    for key, about in ((f"stage.{name}", ""), (f"stage.{head}", rest)):
        if has_text(key):
            return f"{branch}{colon}{text(lang, key, name=about)}"
    return f"{branch}{colon}{head}{space}{rest}"


def stage_value(lang: str, stage: str, value: str) -> str:
    """Return the value of a stage; what the source holds stands as it is there."""
    return value if stage.startswith("column: ") else finding_value(lang, value)


def check_name(check: Check) -> str:
    """Return the mapping of a check, and which of its controls or children it is about."""
    alone = check.mapping if " + " not in check.mapping else check.target
    name = alone or check.target or check.check.partition(".")[2]
    return f"{name} ({check.about})" if check.about else name
