"""Rejected rows for the terminal, in Dutch and English."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from casemodel import ISSUE_CODES, join_key
from migrate.rejects.listed import RejectedRow, Rejects

_UNREADABLE = {"record-unparsable", "encoding-invalid"}
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "none": ("Elke rij is geladen of valt buiten bereik.", "Every row was loaded or is out of scope."),
    "more": ("… nog {n}; zie --limit", "… {n} more; see --limit"),
    "next": ("Verder: {command}", "Next: {command}"),
    "waits": ("wacht op een ander record", "waits for another record"),
    "goes with": ("gaat mee met de rij die haar record leidt", "goes with the row that leads its record"),
    "waits for": ("wacht op {what}", "waits for {what}"),
    "raw": ("de rij zoals gelezen", "the row as read"),
    "masked": ("de rij zoals gelezen (persoonsgegevens afgeschermd)", "the row as read (personal values masked)"),
    "rejected": ("uitval", "rejected"),
    "parked": ("wacht", "parked"),
    "stale": ("niet meer actueel", "stale"),
    "conflict": ("botsing", "conflict"),
    "error": ("fout", "error"),
    "warning": ("let op", "warning"),
}


def list_lines(found: Rejects, lang: str) -> Iterator[str]:
    """Return one line per row and issue, and what to do next."""
    if not found.total:
        yield _word(lang, "none")
        return
    for row in found.rows:
        key = "|".join(row.key)
        errors = [each for each in row.issues if each.severity == "error"] or list(row.issues)
        causes = ", ".join(_named(each.field, each.code) for each in errors) or _without_issue(row, lang)
        yield f"{row.mapping:<22} {key:<24} {_word(lang, row.state):<9} {causes}"
    if found.total > len(found.rows):
        yield _word(lang, "more", n=found.total - len(found.rows))
    first = found.rows[0]
    yield _word(lang, "next", command=f"omnicase rejects show {first.mapping} {_quoted(first.key)}")


def _without_issue(row: RejectedRow, lang: str) -> str:
    return _word(lang, "waits" if row.state == "parked" else "goes with")


def row_lines(row: RejectedRow, lang: str) -> Iterator[str]:
    """Return everything about one row."""
    yield f"{row.mapping}  {'|'.join(row.key)}  {_word(lang, row.state)}"
    for issue in row.issues:
        detail = f" ({issue.detail})" if issue.detail else ""
        yield f"  {_word(lang, issue.severity):<7} {_named(issue.field, issue.code)}{detail}"
        known = ISSUE_CODES.get(issue.code)
        if known is not None:
            yield f"          {known.dutch}. {known.remedy_dutch}" if lang == "nl" else f"          {known.english}"
    for wait in row.waits_for:
        yield f"  {_word(lang, 'waits for', what=wait)}"
    yield f"  {_word(lang, 'raw' if row.unmasked else 'masked')}"
    for name, value in row.values:
        yield f"    {name:<24} {value}"
    # What could not be read has no key by which it could be explained.
    if not _UNREADABLE & {issue.code for issue in row.issues}:
        yield _word(lang, "next", command=f"omnicase explain {row.mapping} {_quoted(row.key)}")


def _named(field: str, code: str) -> str:
    """Name an issue; one of the whole row has no field."""
    return f"{field}: {code}" if field else code


def _quoted(key: Sequence[str]) -> str:
    """Return a key as it is typed in a shell: it comes out of a source, and somebody will paste it."""
    return shlex.quote(join_key(tuple(key)))


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
