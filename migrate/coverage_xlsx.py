"""The coverage as a workbook, in which people decide and sign: a line per column, room for a name and a day."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from casemodel import RefusedError, UsageError, printable
from migrate.code_use import CodeUse
from migrate.mapping_coverage import OPEN, CoverageReport

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
    "unfilled": ("leeg gelaten", "unfilled"),
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
    **{"reason": 50, "evidence": 24, "by": 40, "remark": 40, "not_met": 50},
}
_MADE: Final = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""The same coverage gives the same file: no clock in it."""


def write_coverage_xlsx(path: Path, report: CoverageReport, lang: str) -> None:
    """Write the coverage as a workbook; every cell is text, so nothing in it can become a formula or a link.

    Raises:
        UsageError: XLS-001 the library for workbooks is not installed.
        RefusedError: OUT-001 the file cannot be written.
    """
    try:
        import xlsxwriter
    except ModuleNotFoundError as error:
        if error.name != "xlsxwriter":
            raise
        raise UsageError(
            "XLS-001", "workbooks need a library that is not installed", hint="pip install 'omnicase[xlsx]'"
        ) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        os.close(handle)
        try:
            _write(xlsxwriter, draft, report, lang)
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise RefusedError(
            "OUT-001",
            f"the file cannot be written ({error.strerror or 'unknown reason'})",
            hint="Name a file in a folder that you may write to.",
            place=str(path),
        ) from None


def _write(xlsxwriter: Any, path: str, report: CoverageReport, lang: str) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(path, options)
    book.set_properties({"title": _word(lang, "summary"), "created": _MADE})
    parts = [*report.relations, *report.targets]
    _sheet(
        book,
        lang,
        "summary",
        ("relation", "mapping", "columns", "settled", *_SIGN),
        [(p.name, p.mapping, str(len(p.columns)), str(len(p.columns) - len(p.open)), p.open) for p in parts],
    )
    _sheet(
        book,
        lang,
        "sources",
        ("relation", "column", "state", "by", "reason", "who", "evidence", *_SIGN),
        [
            (
                p.name,
                c.column,
                _word(lang, c.state),
                ", ".join(c.mappings),
                c.reason,
                c.approved_by,
                c.evidence,
                c.state == OPEN,
            )
            for p in report.relations
            for c in p.columns
        ]
        + [(name, "", _word(lang, "unread"), "", "", "", "", False) for name in report.unread],
    )
    _sheet(
        book,
        lang,
        "targets",
        ("table", "mapping", "column", "state", "reason", *_SIGN),
        [
            (p.name, p.mapping, c.column, _word(lang, c.state), c.reason, c.state == OPEN)
            for p in report.targets
            for c in p.columns
        ],
    )
    if report.code_tables:
        head = ("code_table", "by", "codes", "met", "not_met", "unknown", *_SIGN)
        _sheet(book, lang, "code_tables", head, [_code_table(each, lang) for each in report.code_tables])
    book.close()


def _code_table(use: CodeUse, lang: str) -> tuple[Any, ...]:
    """Return the line of a code table; codes that no load met and codes that it lacks are what people decide about."""
    met = _word(lang, "not_loaded") if use.used is None else str(use.used)
    unknown = str(use.unknown) if use.unknown else ""
    decide = bool(use.unused or use.unknown)
    return use.name, ", ".join(use.mappings), str(use.codes), met, ", ".join(use.unused), unknown, decide


def _sheet(book: Any, lang: str, name: str, head: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Write a sheet; the last part of a row says whether something in it is undecided."""
    sheet = book.add_worksheet(_word(lang, name))
    bold = book.add_format({"bold": True, "bg_color": "#EEEEEE", "border": 1, "text_wrap": True})
    plain = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
    undecided = book.add_format({"text_wrap": True, "valign": "top", "border": 1, "bg_color": "#FFE0B2", "bold": True})
    for number, word in enumerate(head):
        sheet.set_column(number, number, _WIDTHS.get(word, 18))
        sheet.write_string(0, number, _word(lang, word), bold)
    for line, (*cells, is_open) in enumerate(rows, 1):
        for number in range(len(head)):
            text = cells[number] if number < len(cells) else ""
            sheet.write_string(line, number, _safe(text), undecided if is_open else plain)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows)), len(head) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _safe(text: str) -> str:
    """Return a text that stays text when somebody saves the workbook as CSV and opens it again."""
    text = printable(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _word(lang: str, name: str) -> str:
    return _WORDS[name][0 if lang == "nl" else 1]
