"""Rejected rows for the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from casemodel import ISSUE_CODES, join_key
from migrate.rejects.listed import RejectedRow, Rejects

_UNREADABLE = {"record-unparsable", "encoding-invalid"}


def list_lines(found: Rejects) -> Iterable[str]:
    """Return one line per row and issue, and what to do next."""
    if not found.total:
        yield "Every row was loaded or is out of scope."
        return
    for row in found.rows:
        key = "|".join(row.key)
        errors = [each for each in row.issues if each.severity == "error"] or list(row.issues)
        causes = ", ".join(_named(each.field, each.code) for each in errors) or _without_issue(row)
        yield f"{row.mapping:<22} {key:<24} {row.state:<9} {causes}"
    if found.total > len(found.rows):
        yield f"… {found.total - len(found.rows)} more; see --limit"
    first = found.rows[0]
    yield f"Next: omnicase rejects show {first.mapping} {_quoted(first.key)}"


def _without_issue(row: RejectedRow) -> str:
    return "waits for another record" if row.state == "parked" else "goes with the row that leads its record"


def row_lines(row: RejectedRow) -> Iterable[str]:
    """Return everything about one row."""
    yield f"{row.mapping}  {'|'.join(row.key)}  {row.state}"
    for issue in row.issues:
        known = ISSUE_CODES.get(issue.code)
        detail = f" ({issue.detail})" if issue.detail else ""
        yield f"  {issue.severity:<7} {_named(issue.field, issue.code)}{detail}"
        if known is not None:
            yield f"          {known.english} / {known.dutch}. {known.remedy_dutch}"
    for wait in row.waits_for:
        yield f"  waits for {wait}"
    yield "  the row as read" if row.unmasked else "  the row as read (personal values masked)"
    for name, value in row.values:
        yield f"    {name:<24} {value}"
    # What could not be read has no key by which it could be explained.
    if not _UNREADABLE & {issue.code for issue in row.issues}:
        yield f"Next: omnicase explain {row.mapping} {_quoted(row.key)}"


def _named(field: str, code: str) -> str:
    """Name an issue; one of the whole row has no field."""
    return f"{field}: {code}" if field else code


def _quoted(key: Sequence[str]) -> str:
    """Return a key as it is typed in a shell: it comes out of a source, and somebody will paste it."""
    return shlex.quote(join_key(tuple(key)))
