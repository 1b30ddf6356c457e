"""`reconcile import-decisions`: the work list, filled in by people, back as proposed waivers.

A workbook is what anybody may have made of it.  It is read by the connector for workbooks, within its limits, and it
decides nothing but: this group or finding, until when, why.  What is accepted, of which check and how much, comes from
the ledger; a line whose ids the ledger does not know is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from casemodel import OmnicaseError, Partition, RefusedError, Source, SystemFailure, Target
from connectors import SystemConfig, open_source
from migrate.keys import AsksPassphrase
from migrate.session import Session
from migrate.verdicts import verdicts
from migrate.waivers.decide import Proposal, checked_reason, person_signer, propose
from migrate.waivers.kept import KeptWaiver, kept_waivers
from reconciliation import GroupKey, WorkSheet, key_of_line, work_sheets

_ROWS = 5_000
_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d-%m-%Y", "%d/%m/%Y")


@dataclass(frozen=True)
class RefusedLine:
    """A line that proposes nothing: where it stands, and why (a code and a sentence; nothing of what it holds)."""

    sheet: str
    row: int
    code: str
    message: str


@dataclass
class Imported:
    """What became of a work list.

    proposed: the waivers that are proposed now.
    known: lines that say what a waiver says already.
    refused: lines that were to accept something, and cannot.
    """

    proposed: list[KeptWaiver] = field(default_factory=list)
    known: int = 0
    refused: list[RefusedLine] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {
            "proposed": [each.as_dict() for each in self.proposed],
            "known": self.known,
            "refused": [each.__dict__ for each in self.refused],
        }


@dataclass(frozen=True)
class _Line:
    sheet: WorkSheet
    row: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class _Wanted:
    """What one waiver is to say: lines of findings of one group with the same end and reason are one."""

    group: str
    mapping: str
    until: str
    reason: str


def import_decisions(session: Session, target: Target, file: Path, person: str, ask: AsksPassphrase) -> Imported:
    """Propose a waiver for what the lines of a work list accept.

    Raises:
        RefusedError: WAI-014 no sheet of it is one of a work list.
        SystemFailure: CON-… the file is no workbook, or beyond the limits of one.
        GuardError: KEY-… the person has no key that counts.
    """
    lines = [line for line in _lines(file) if line.cells.get("decision", "").strip() == line.sheet.accept]
    with target.engine.connect() as connection:
        groups = {each["id"]: each for record in reversed(verdicts(connection, 50)) for each in record.groups}
    done = Imported()
    wanted: dict[_Wanted, list[tuple[_Line, tuple[str, ...] | None]]] = {}
    for line in lines:
        try:
            what, key = _wanted(line, groups)
        except OmnicaseError as error:
            done.refused.append(_refused(line, error))
            continue
        wanted.setdefault(what, []).append((line, key))
    signing = person_signer(session.workspace, person, ask) if wanted else None
    existing = {_same(each) for each in kept_waivers(target, session.workspace) if each.state != "revoked"}
    for what, from_lines in wanted.items():
        keys = sorted({each for _, each in from_lines if each is not None})
        if any(each is None for _, each in from_lines):
            keys = []  # the whole group was accepted, so its lines one by one are, too
        if (what.group, tuple(keys), what.until) in existing:
            done.known += len(from_lines)
            continue
        texts = tuple("|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in each) for each in keys)
        asked = Proposal(None, what.mapping, what.group, texts, None, what.until, what.reason)
        try:
            done.proposed.append(propose(session, target, asked, person, ask, signing))
        except OmnicaseError as error:
            if error.exit_status not in (2, 6):
                raise
            done.refused += [_refused(line, error) for line, _ in from_lines]
    return done


def _refused(line: _Line, error: OmnicaseError) -> RefusedLine:
    return RefusedLine(line.sheet.name, line.row, error.code, error.message)


def _same(kept: KeptWaiver) -> tuple[str | None, tuple[tuple[str, ...], ...], str]:
    each = kept.waiver
    return each.group, tuple(sorted(each.keys)), each.until.isoformat()


def _wanted(line: _Line, groups: Mapping[str, Mapping[str, Any]]) -> tuple[_Wanted, tuple[str, ...] | None]:
    cells = {name: value.strip() for name, value in line.cells.items()}
    known = groups.get(cells["id"] if line.sheet.of_groups else cells["group"])
    if known is None or known["mapping"] != cells["mapping"]:
        raise RefusedError(
            "WAI-015", "the ledger knows no group of differences with this id and mapping", hint="Reconcile first."
        )
    key = None
    if not line.sheet.of_groups:
        group = GroupKey(known["check"], known["field"], known["cause"], known["difference"])
        key = key_of_line(cells["id"], cells["key"], known["mapping"], group)
        if key is None:
            raise RefusedError(
                "WAI-016", "the id of the line is not that of its key in its group", hint="Leave ids and keys as made."
            )
    by = f" (besluit: {cells['by']})" if cells["by"] else ""
    reason = checked_reason(cells["remark"]) + by
    return _Wanted(known["id"], known["mapping"], _day(cells["until"]), reason), key


def _day(text: str) -> str:
    """Return a day as people and spreadsheets write it in ISO form; what is none is refused by `propose`."""
    for form in _DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date().isoformat()
        except ValueError:
            continue
    return text


def _lines(file: Path) -> Iterator[_Line]:
    if not file.is_file():
        raise SystemFailure(
            "WAI-017", "there is no such file to import", hint="Name the workbook that was filled in.", place=file.name
        )
    found = False
    for number, sheet in enumerate(work_sheets()):
        options = {
            "folder": ".",
            "relations": {
                "LIST": {"files": [file.name], "sheets": [sheet.name], "header_row": "1", "allow_empty": "true"}
            },
        }
        config = SystemConfig(f"worklist{number}", "excel", options, file.resolve().parent)
        with closing(open_source(config)) as source:
            heads = _heads(source, sheet)
            if heads is None:
                continue
            found = True
            yield from _of_sheet(source, sheet, heads)
    if not found:
        raise RefusedError(
            "WAI-014",
            "no sheet of the workbook is one of a work list, with the columns as they were made",
            hint="Take the workbook of `omnicase reconcile --report xlsx`, and leave its sheets and heads as they are.",
            place=file.name,
        )


def _heads(source: Source, sheet: WorkSheet) -> dict[str, str] | None:
    try:
        names = {column.name.casefold(): column.name for column in source.relation("LIST").columns}
    except OmnicaseError as error:
        if error.code in ("CON-090", "CON-091"):
            raise
        return None
    heads = {name: names.get(head.casefold()) for name, head in sheet.columns.items()}
    return None if None in heads.values() else {name: str(head) for name, head in heads.items()}


def _of_sheet(source: Source, sheet: WorkSheet, heads: Mapping[str, str]) -> Iterator[_Line]:
    wanted = list(dict.fromkeys([*heads.values(), "_row"]))
    for extract in source.extract(Partition("LIST", _ROWS)):
        for cells in extract.frame.select(wanted).iter_rows(named=True):
            yield _Line(sheet, int(cells["_row"]), {name: cells[head] or "" for name, head in heads.items()})
