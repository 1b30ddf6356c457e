"""`mapping coverage`: what is used, ignored, filled and left empty, and by whom it was decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from casemodel import RefusedMany, required
from mappings import MappingFile
from migrate.mapping.code_use import CodeUse, code_use
from migrate.paper import Part
from migrate.session import Session

_COVERAGE_CODES = ("MAP-040", "MAP-041", "MAP-042", "MAP-043", "MAP-044", "MAP-045")
USED, IGNORED, FILLED, UNFILLED, OPEN = "used", "ignored", "filled", "unfilled", "open"

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Dekking van de mappings", "Coverage of the mappings"),
    "all": (
        "Alles is gebruikt, gevuld of met een reden weggelaten.",
        "Everything is used, filled or left out with a reason.",
    ),
    "some": (
        "{n} kolommen zijn nog niet gebruikt of gevuld en niet met een reden weggelaten: {names}",
        "{n} columns are neither used or filled nor left out with a reason: {names}",
    ),
    "one": (
        "1 kolom is nog niet gebruikt of gevuld en niet met een reden weggelaten: {names}",
        "1 column is neither used or filled nor left out with a reason: {names}",
    ),
    "unread": ("Niet gelezen door een mapping: {names}", "Read by no mapping: {names}"),
    "plugins": ("Python in plaats van de mappingtaal: {names}", "Python instead of the language: {names}"),
    "relation": ("Bron {name}", "Source {name}"),
    "target": ("Doel {name}", "Target {name}"),
    "counts": ("{done} van {of} kolommen zijn geregeld.", "{done} of {of} columns are settled."),
    "used": ("gebruikt", "used"),
    "ignored": ("genegeerd", "ignored"),
    "filled": ("gevuld", "filled"),
    "unfilled": ("leeggelaten", "unfilled"),
    "open": ("OPEN", "OPEN"),
    "column": ("kolom", "column"),
    "state": ("stand", "state"),
    "by": ("mappings", "mappings"),
    "reason": ("reden", "reason"),
    "who": ("besloten door", "approved by"),
    "evidence": ("bewijs", "evidence"),
    "needed": ("verplicht", "required"),
    "code_tables": ("Codetabellen", "Code tables"),
    "code_table": ("codetabel", "code table"),
    "met": ("gebruikt", "used"),
    "met_of": ("{used} van {of} gebruikt", "{used} of {of} used"),
    "not_met": ("niet gebruikt", "not used"),
    "never": ("nooit: {codes}", "never: {codes}"),
    "unknown": ("rijen met een onbekende code", "rows with an unknown code"),
    "rows": ("{n} rijen met een onbekende code", "{n} rows with an unknown code"),
    "row": ("1 rij met een onbekende code", "1 row with an unknown code"),
    "not_loaded": ("nog niet geladen", "not loaded yet"),
    "met_so_far": (
        "Welke codes tot nu toe in een lading voorkwamen. Een code die nooit voorkomt, kan een tikfout zijn.",
        "Which codes occurred in a load so far. A code that never occurs may be a typing error.",
    ),
}


@dataclass(frozen=True)
class Covered:
    """A column and what becomes of it."""

    column: str
    state: str
    mappings: tuple[str, ...] = ()
    reason: str = ""
    approved_by: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class CoveredPart:
    """The columns of a relation, or of the target table of a mapping (``mapping`` filled)."""

    name: str
    mapping: str
    columns: tuple[Covered, ...]

    @property
    def open(self) -> tuple[str, ...]:
        """The columns about which nothing is decided."""
        return tuple(each.column for each in self.columns if each.state == OPEN)


@dataclass(frozen=True)
class CoverageReport:
    """The coverage of all mappings.  unread: relations that no mapping reads."""

    relations: tuple[CoveredPart, ...]
    targets: tuple[CoveredPart, ...]
    unread: tuple[str, ...]
    plugins: tuple[str, ...] = ()
    """Plug-ins with the mapping that uses each: there the language ends and Python begins."""
    code_tables: tuple[CodeUse, ...] = ()

    @property
    def open(self) -> tuple[str, ...]:
        """Every column about which nothing is decided, with its relation or mapping."""
        sources = [f"{part.name}.{name}" for part in self.relations for name in part.open]
        return (*sources, *(f"{part.mapping} -> {part.name}.{name}" for part in self.targets for name in part.open))

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {"complete": not self.open, "open": list(self.open)} | asdict(self)


def coverage_report(session: Session) -> CoverageReport:
    """Return the coverage that `mapping check` computed, with who decided what.

    Raises:
        RefusedMany: a mapping is wrong, so that what it uses is not known.
    """
    wrong = [error for error in session.check.errors if error.code not in _COVERAGE_CODES]
    if wrong:
        raise RefusedMany(wrong)
    found = session.check.coverage
    relations = []
    for each in found.relations:
        names = {column.name for column in session.relation(each.system, each.relation).columns if column.technical}
        decisions = _decisions(session, each.system, each.relation)
        columns = []
        for column in each.columns:
            if column.name in names and not column.mappings:
                continue
            who, evidence = decisions.get(column.name.casefold(), ("", ""))
            state = USED if column.mappings else IGNORED if column.reason is not None else OPEN
            reason = (column.reason or "") if state == IGNORED else ""
            told = (who, evidence) if state == IGNORED else ("", "")
            columns.append(Covered(column.name, state, column.mappings, reason, *told))
        relations.append(CoveredPart(f"{each.system}.{each.relation}", "", tuple(columns)))
    targets = [
        CoveredPart(
            each.table,
            each.mapping,
            tuple(
                Covered(
                    column.name,
                    FILLED if column.mappings else UNFILLED if column.reason is not None else OPEN,
                    column.mappings,
                    "" if column.mappings else column.reason or "",
                )
                for column in each.columns
            ),
        )
        for each in found.targets
    ]
    return CoverageReport(
        tuple(sorted(relations, key=lambda part: part.name)),
        tuple(sorted(targets, key=lambda part: (part.name, part.mapping))),
        tuple(_unread(session)),
        tuple(f"{mapping}: {name}" for mapping, name in found.plugins),
        code_use(session),
    )


def _decisions(session: Session, system: str, relation: str) -> dict[str, tuple[str, str]]:
    readers = [
        file
        for file in session.files.values()
        if file.system == system and file.relation.casefold() == relation.casefold()
    ]
    return {
        name.casefold(): (item.approved_by or "", item.evidence or "")
        for file in reversed(readers)
        for item in file.model.ignore
        for name in item.columns
    }


def _unread(session: Session) -> Iterator[str]:
    """Yield the relations of the workspace's systems that no mapping reads or looks at beside."""
    read: dict[str, set[str]] = {}
    for file in session.files.values():
        read.setdefault(file.system, set()).update(_named(file))
    for system in sorted(session.workspace.systems):
        for name in session.source(system).relations():
            if name.casefold() not in read.get(system, set()):
                yield f"{system}.{name}"


def _named(file: MappingFile) -> Iterator[str]:
    yield file.relation.casefold()
    yield from (spec.relation.casefold() for spec in file.model.source.beside.values() if spec.relation)
    if file.query is not None:
        yield from (name.casefold() for name in (*file.query.tables, file.query.base))


def coverage_paper(report: CoverageReport, lang: str) -> list[Part]:
    """Return the report as a document."""
    how_many = "all" if not report.open else "one" if len(report.open) == 1 else "some"
    said = [_word(lang, how_many, n=len(report.open), names=", ".join(report.open))]
    if report.unread:
        said.append(_word(lang, "unread", names=", ".join(report.unread)))
    if report.plugins:
        said.append(_word(lang, "plugins", names=", ".join(report.plugins)))
    parts = [Part(1, _word(lang, "title"), tuple(said))]
    source_head = tuple(_word(lang, name) for name in ("column", "state", "by", "reason", "who", "evidence"))
    for part in report.relations:
        rows = tuple(
            (
                each.column,
                _word(lang, each.state),
                ", ".join(each.mappings),
                each.reason,
                each.approved_by,
                each.evidence,
            )
            for each in part.columns
        )
        parts.append(Part(2, _word(lang, "relation", name=part.name), (_counts(lang, part),), source_head, rows))
    target_head = tuple(_word(lang, name) for name in ("column", "state", "needed", "reason"))
    for part in report.targets:
        needed = set(required(part.name))
        filled = tuple(
            (each.column, _word(lang, each.state), _word(lang, "needed") if each.column in needed else "", each.reason)
            for each in part.columns
        )
        title = _word(lang, "target", name=f"{part.name} ({part.mapping})")
        parts.append(Part(2, title, (_counts(lang, part),), target_head, filled))
    if report.code_tables:
        parts.append(_code_tables(report.code_tables, lang))
    return parts


def _code_tables(tables: tuple[CodeUse, ...], lang: str) -> Part:
    head = tuple(_word(lang, name) for name in ("code_table", "by", "met", "not_met", "unknown"))
    rows = []
    for each in tables:
        met = _word(lang, "not_loaded") if each.used is None else _word(lang, "met_of", used=each.used, of=each.codes)
        never = _word(lang, "never", codes=", ".join(each.unused)) if each.unused else ""
        unknown = _word(lang, "row" if each.unknown == 1 else "rows", n=each.unknown) if each.unknown else ""
        rows.append((each.name, ", ".join(each.mappings), met, never, unknown))
    return Part(2, _word(lang, "code_tables"), (_word(lang, "met_so_far"),), head, tuple(rows))


def _counts(lang: str, part: CoveredPart) -> str:
    return _word(lang, "counts", done=len(part.columns) - len(part.open), of=len(part.columns))


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
