"""The report as one self-contained HTML page: Dutch and English, no network, no handlers, prints to A4.

Both languages are in the page; a switch shows one.  Everything that is not ours is escaped by the template engine; the
content policy allows nothing but our own style and script, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from casemodel import OUTCOMES, UsageError, printable
from reconciliation import naming
from reconciliation.charts import flow_bars, share_width, system_bars, trend_lines
from reconciliation.division_bars import divisions
from reconciliation.report import Report
from reconciliation.side_by_side import by_cause, by_rule, side_by_side
from reconciliation.sums import sums, tolerated_lines
from reconciliation.verdict import LEVELS
from reconciliation.words import LANGUAGES, duration, figure, issue_text, remedy_text, share, text

EXAMPLES = 20
"""Findings shown per kind of difference at most; all are on the work list and in the JSON document."""
EXAMPLES_OF_ALL = 1_500
"""Findings shown on the page: a browser must open it at once, however many there are."""
GROUPS = 300
"""Kinds of differences shown."""
_OF_A_LOAD = ("systems", "losses", "scope", "detail", "sign")
"""Sections that tell of a load."""


def render_html(report: Report, lang: str = "nl") -> str:
    """Return the page; `lang` (``nl`` or ``en``) is the language it opens in.

    Raises:
        UsageError: REC-004 a language that the report does not speak.
    """
    if lang not in LANGUAGES:
        raise UsageError("REC-004", f"the report does not speak '{lang}'", hint="Choose from: nl, en.")
    style, script = _asset("report.css"), _asset("report.js")
    environment = Environment(
        loader=PackageLoader("reconciliation"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["shown"] = printable
    page = environment.get_template("report.html.j2").render(
        report=report,
        verdict=report.verdict,
        context=report.context,
        lang=lang,
        kind=naming.conclusion_kind(report.verdict),
        titles={each: text(each, "title", workspace=printable(report.context.workspace)) for each in LANGUAGES},
        style=Markup(style),  # noqa: S704  (our own file)
        script=Markup(script),  # noqa: S704  (our own file)
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'",
        outcomes=[name for name in OUTCOMES if name not in ("deferred", "late") or report.total.amounts[name]],
        bars=flow_bars(report),
        sections=_sections(report),
        bars_of_systems=system_bars(report),
        trend=trend_lines(report),
        divisions=sorted(divisions(report), key=lambda each: not each.differing),
        signals=by_rule(report.signals),
        causes=by_cause(report.decisions[:GROUPS]),
        side_by_side=side_by_side,
        options=_options(report),
        share_width=share_width,
        groups=report.decisions[:GROUPS],
        examples=max(3, min(EXAMPLES, EXAMPLES_OF_ALL // max(1, len(report.decisions[:GROUPS])))),
        account=_account(report),
        tolerances=tolerated_lines(report.verdict),
        sums_of_checks=sums(report.verdict),
        checks_of=lambda mapping: [c for c in report.verdict.checks if mapping in c.mapping.split(" + ")],
        check_name=naming.check_name,
        passed=sum(check.outcome == "passed" for check in report.verdict.checks),
        **_speech(report),
    )
    return page.rstrip() + "\n"


def _sections(report: Report) -> list[str]:
    """Return what the page has below its conclusion, in its order."""
    maybe = {
        "signals": bool(report.signals), "waivers": bool(report.verdict.waivers),
        "distribution": bool(report.distributions),
        **dict.fromkeys(_OF_A_LOAD, report.context.pair is None), "trend": len(report.trend) > 1,
    }  # fmt: skip
    every = (
        "systems", "decisions", "signals", "waivers", "distribution", "trend", "losses", "scope", "checks", "detail",
        "sign", "account",
    )  # fmt: skip
    return [name for name in every if maybe.get(name, True)]


def _options(report: Report) -> dict[str, list[str]]:
    """Return what the differences on the page can be filtered by."""
    groups = report.decisions[:GROUPS]
    return {
        "level": [level for level in LEVELS if any(group.check.startswith(f"{level}.") for group in groups)],
        "mapping": list(dict.fromkeys(group.mapping for group in groups if group.mapping)),
        "owner": sorted({group.owner for group in groups if group.owner}),
    }


def _asset(name: str) -> str:
    return (files("reconciliation") / "templates" / name).read_text("utf-8")


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def both(say: Callable[[str], str]) -> Markup:
    """Return what `say` says in every language, each part marked with its language; equal texts stand once."""
    said = {lang: printable(say(lang)) for lang in LANGUAGES}
    if len(set(said.values())) == 1:
        return escape(said["nl"])
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(lang, said[lang]) for lang in LANGUAGES
    )  # fmt: skip


def _speech(report: Report) -> dict[str, Any]:
    """Return the functions with which the template speaks both languages."""
    return {
        "t": lambda key, /, **values: both(lambda lang: text(lang, key, **values)),
        "n": lambda value: both(lambda lang: figure(lang, value)),
        "pct": lambda part: both(lambda lang: share(lang, part)),
        "dur": lambda seconds: both(lambda lang: duration(lang, seconds)),
        "issue": lambda code: both(lambda lang: issue_text(lang, code)),
        "remedy": lambda code: both(lambda lang: text(lang, "rejects.remedy", remedy=remedy_text(lang, code))),
        "conclusion": lambda: both(lambda lang: naming.conclusion_title(lang, report)),
        "sentences": lambda: [
            Markup('<div lang="{}">{}</div>').format(
                lang, Markup("").join(Markup("<p>{}</p>").format(line) for line in _sentences(lang, report))
            )
            for lang in LANGUAGES
        ],
        "likely": lambda group: both(lambda lang: naming.likely_text(lang, group)),
        "title": lambda group: both(lambda lang: naming.finding_title(lang, report, group)),
        "value": lambda value: both(lambda lang: naming.finding_value(lang, value)),
        "said": text,
        "of_division": lambda key, division: both(lambda lang: naming.division_title(lang, key, division)),
        "group_name": lambda division, label: both(lambda lang: naming.group_name(lang, division, label)),
        "rule_says": lambda rule: both(lambda lang: rule.dutch if lang == "nl" else rule.english),
        "key_of": lambda group, finding: both(lambda lang: naming.finding_key(lang, group, finding, " | ")),
        "stage_value": lambda name, value: both(lambda lang: naming.stage_value(lang, name, value)),
        "stage": lambda name: both(lambda lang: naming.stage_name(lang, name)),
        "day": lambda moment: both(lambda lang: figure(lang, moment.date())),
        "asks": lambda check: both(lambda lang: naming.check_text(lang, report, check)),
        "tolerance": lambda said: both(lambda lang: naming.tolerance_text(lang, said)),
        "tolerated": lambda line: both(lambda lang: naming.tolerated_name(lang, report, line)),
        "reason": lambda check: both(lambda lang: naming.reason_text(lang, check)),
        "waiver_about": lambda use: both(lambda lang: naming.waiver_about(lang, use)),
        "waiver_status": lambda use: both(lambda lang: naming.waiver_status(lang, use)),
        "waiver_people": lambda use: both(lambda lang: naming.waiver_people(lang, use)),
        "scope_reason": lambda reason: both(lambda lang: naming.scope_reason(lang, reason)),
        "formula": lambda names: both(
            lambda lang: text(
                lang, "books.formula", terms=" + ".join(text(lang, f"amount.{name}") for name in names)
            )
        ),
        "gone": lambda gone: both(
            lambda lang: ", ".join(f"{text(lang, f'gone.{k}')} {figure(lang, v)}" for k, v in gone.items() if v)
        ),
    }


def _sentences(lang: str, report: Report) -> list[str]:
    return [printable(sentence) for sentence in naming.conclusion_sentences(lang, report)]


def _account(report: Report) -> list[tuple[str, object]]:
    context = report.context
    names = (
        "municipality", "workspace", "environment", "label", "run", "run_started", "run_finished", "as_of",
        "reconciled_at", "user", "machine", "program_version", "target", "namespace_fingerprint",
    )  # fmt: skip
    return [(name, getattr(context, name)) for name in names if getattr(context, name)]
