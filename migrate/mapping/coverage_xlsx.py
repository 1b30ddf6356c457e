"""The coverage as a workbook, in which people decide and sign: a line per column, room for a name and a day."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from migrate.mapping.code_use import CodeUse
from migrate.mapping.coverage import OPEN, CoverageReport
from reconciliation import Column, Row, Sheet, write_workbook

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "sources": ("Bronkolommen", "Source columns"),
    "targets": ("Doelkolommen", "Target columns"),
    "summary": ("Samenvatting", "Summary"),
    "relation": ("bron", "source"),
    "table": ("doeltabel", "target table"),
    "mapping": ("mapping", "mapping"),
    "column": ("kolom", "column"),
    "state": ("stand", "state"),
    "by": ("mappings", "mappings"),
    "reason": ("reden", "reason"),
    "who": ("besloten door", "approved by"),
    "evidence": ("bewijs", "evidence"),
    "agreed": ("akkoord (ja/nee)", "agreed (yes/no)"),
    "name": ("naam", "name"),
    "day": ("datum", "date"),
    "remark": ("opmerking", "remark"),
    "used": ("gebruikt", "used"),
    "ignored": ("genegeerd", "ignored"),
    "filled": ("gevuld", "filled"),
    "unfilled": ("leeggelaten", "unfilled"),
    "open": ("OPEN", "OPEN"),
    "columns": ("kolommen", "columns"),
    "settled": ("geregeld", "settled"),
    "unread": ("niet gelezen", "not read"),
    "code_tables": ("Codetabellen", "Code tables"),
    "code_table": ("codetabel", "code table"),
    "codes": ("codes", "codes"),
    "met": ("waarvan gebruikt", "of which used"),
    "not_met": ("nooit gebruikt", "never used"),
    "unknown": ("rijen met een onbekende code", "rows with an unknown code"),
    "not_loaded": ("nog niet geladen", "not loaded yet"),
}
_SIGN: Final = ("agreed", "name", "day", "remark")
_WIDTHS: Final = {
    **dict.fromkeys(("column", "relation", "mapping"), 26),
    "reason": 50, "evidence": 24, "by": 40, "remark": 40, "not_met": 50,
}


def write_coverage_xlsx(path: Path, report: CoverageReport, lang: str) -> None:
    """Write the coverage as a workbook, what is undecided marked.

    Raises:
        UsageError: XLS-001 the library for workbooks is not installed.
        RefusedError: OUT-001 the file cannot be written.
    """
    sheets = [_summary(report, lang), _sources(report, lang), _targets(report, lang)]
    if report.code_tables:
        head = ("code_table", "by", "codes", "met", "not_met", "unknown", *_SIGN)
        sheets.append(_sheet(lang, "code_tables", head, [_code_table(each, lang) for each in report.code_tables]))
    write_workbook(path, _word(lang, "summary"), sheets)


def _summary(report: CoverageReport, lang: str) -> Sheet:
    rows = [
        Row((p.name, p.mapping, str(len(p.columns)), str(len(p.columns) - len(p.open))), bool(p.open))
        for p in [*report.relations, *report.targets]
    ]
    return _sheet(lang, "summary", ("relation", "mapping", "columns", "settled", *_SIGN), rows)


def _sources(report: CoverageReport, lang: str) -> Sheet:
    head = ("relation", "column", "state", "by", "reason", "who", "evidence", *_SIGN)
    rows = [
        Row(
            (p.name, c.column, _word(lang, c.state), ", ".join(c.mappings), c.reason, c.approved_by, c.evidence),
            c.state == OPEN,
        )
        for p in report.relations
        for c in p.columns
    ]
    return _sheet(lang, "sources", head, [*rows, *(Row((name, "", _word(lang, "unread"))) for name in report.unread)])


def _targets(report: CoverageReport, lang: str) -> Sheet:
    rows = [
        Row((p.name, p.mapping, c.column, _word(lang, c.state), c.reason), c.state == OPEN)
        for p in report.targets
        for c in p.columns
    ]
    return _sheet(lang, "targets", ("table", "mapping", "column", "state", "reason", *_SIGN), rows)


def _code_table(use: CodeUse, lang: str) -> Row:
    """Return the line of a code table; codes that no load met and codes that it lacks are what people decide about."""
    met = _word(lang, "not_loaded") if use.used is None else str(use.used)
    unknown = str(use.unknown) if use.unknown else ""
    decide = bool(use.unused or use.unknown)
    return Row((use.name, ", ".join(use.mappings), str(use.codes), met, ", ".join(use.unused), unknown), decide)


def _sheet(lang: str, name: str, head: Sequence[str], rows: Sequence[Row]) -> Sheet:
    columns = tuple(Column(_word(lang, word), _WIDTHS.get(word, 18)) for word in head)
    return Sheet(_word(lang, name), columns, rows)


def _word(lang: str, name: str) -> str:
    return _WORDS[name][0 if lang == "nl" else 1]
