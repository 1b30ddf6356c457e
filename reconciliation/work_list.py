"""The work list as people send it back: how its sheets and columns are called, and what its lines decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciliation.findings import GroupKey, finding_id
from reconciliation.words import LANGUAGES, text

_COLUMNS = ("id", "mapping", "decision", "by", "until", "remark")


@dataclass(frozen=True, slots=True)
class WorkSheet:
    """A sheet of the work list in one language.

    columns: what is read of it -> the head of its column.
    accept: the decision that proposes a waiver.
    """

    name: str
    columns: Mapping[str, str]
    accept: str
    of_groups: bool


def work_sheets() -> tuple[WorkSheet, ...]:
    """Return the sheets with lines that may be decided about, in every language."""
    found = []
    for lang in LANGUAGES:
        accept = text(lang, "xlsx.decided.accept")
        for sheet, more in (("groups", ()), ("findings", ("group", "key"))):
            heads = {name: text(lang, f"xlsx.{name}") for name in (*_COLUMNS, *more)}
            found.append(WorkSheet(text(lang, f"xlsx.{sheet}"), heads, accept, sheet == "groups"))
    return tuple(found)


def key_of_line(finding: str, shown: str, mapping: str, group: GroupKey) -> tuple[str, ...] | None:
    """Return the key of a line of findings; None when the id of the line is not that of this key in this group.

    Args:
        finding: the id of the line.
        shown: its key; an apostrophe may stand before it, so that no spreadsheet takes it for a formula.
        group: what the ledger says that the findings of the line's group have in common.
    """
    for text_ in (shown, shown.removeprefix("'")):
        key = tuple(text_.split("|"))
        if finding == finding_id(group, mapping, key):
            return key
    return None
