"""`mapping check`: everything that can be known about mappings before a row is read, all errors at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from casemodel import Place, RefusedError, Relation, Secrets, SystemFailure, tables
from mappings.check_books import check_books
from mappings.check_identity import check_identities
from mappings.check_later import later_errors
from mappings.check_order import Edges, all_edges, order_of
from mappings.check_shape import check_shape
from mappings.check_tables import table_warnings
from mappings.compile import CompiledMapping, Draft, Relations, compiled, draft_of
from mappings.compile_identity import giving_of
from mappings.compile_names import Refusals
from mappings.compile_sides import used_columns
from mappings.coverage import Coverage, Uses, coverage_of
from mappings.expressions import parse_expression
from mappings.language import MappingFile
from mappings.language.base import near
from mappings.pausing import no_collecting

_NO_SUCH_RELATION = "CON-020"
_QUERY_REFUSED = ("CON-020", "CON-021", "CON-025", "CON-026")
_ANY_NAMESPACE = "00000000-0000-4000-8000-000000000000"
_ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found: errors refuse the mappings, warnings do not.

    order: the mappings in the order in which they run.
    """

    errors: tuple[RefusedError, ...]
    warnings: tuple[RefusedError, ...]
    order: tuple[str, ...]
    coverage: Coverage = field(default_factory=Coverage)
    compiled: Mapping[str, CompiledMapping] = field(default_factory=dict)
    """The mappings without errors, compiled, when the check was given the workspace's secrets."""


@no_collecting()
def check_mappings(
    files: Sequence[MappingFile],
    relations: Relations,
    systems: Collection[str],
    *,
    secrets: Secrets | None = None,
    as_of: date = _ANY_DAY,
) -> CheckResult:
    """Check mappings against the columns of their sources, the target model and each other.

    Args:
        files: every mapping of the workspace.
        relations: gives a relation by system and name; raises SystemFailure, CON-020 where there is no such relation.
        systems: names of the systems of ``workspace.yml``.
        secrets, as_of: when given, the result holds the mappings compiled with them.

    Raises:
        SystemFailure: a system cannot be reached or read.
    """
    by_name = {file.name: file for file in files}
    needs = all_edges(by_name)
    refusals, warnings = Refusals(), Refusals()
    drafts: list[Draft] = []
    for file in files:
        refusals.errors += later_errors(file)
        if file.model.owner is None:
            warnings.add(
                "MAP-090",
                "the mapping names no owner, so anybody may approve its waivers",
                place=file.place("mapping"),
                hint="Write owner: who made it.",
            )
        table_warnings(file, warnings)
        namespace = secrets.namespace if secrets else _ANY_NAMESPACE
        draft = _one(file, by_name, needs, relations, systems, refusals, namespace, as_of)
        if draft is not None:
            drafts.append(draft)
    _same_queries(files, refusals)
    identified = [draft for draft in drafts if draft.compiler.file.model.identity is not None and not draft.errors]
    givings = {draft.compiler.file.name: giving_of(draft.compiler.file, draft.built.identity) for draft in identified}
    check_identities(by_name, {name: each for name, each in givings.items() if each is not None}, refusals)
    _former_names(by_name, refusals)
    order, circles = order_of(by_name, needs)
    coverage = coverage_of([_uses(draft) for draft in drafts])
    errors = [*refusals.errors, *circles]
    # coverage of a mapping with errors says little: what its faulty parts use is not known
    faulty = {error.place.file for error in errors}
    errors += [error for error in coverage.errors if error.place.file not in faulty or error.code != "MAP-040"]
    made = {}
    if secrets is not None:
        sound = [draft for draft in drafts if draft.compiler.file.shown_as not in faulty]
        made = {draft.compiler.file.name: compiled(draft, relations, secrets) for draft in sound}
    return CheckResult(
        tuple(sorted(errors, key=_order)),
        tuple(sorted([*warnings.errors, *coverage.warnings], key=_order)),
        tuple(order),
        coverage,
        made,
    )


def _same_queries(files: Sequence[MappingFile], refusals: Refusals) -> None:
    """Refuse that two mappings of a system let one query account for different rows: it is one relation to both."""
    first: dict[tuple[str, str], MappingFile] = {}
    for file in files:
        if file.query is None:
            continue
        other = first.setdefault((file.system, file.query.name), file)
        if other.query is not None and (other.query.base, other.query.by) != (file.query.base, file.query.by):
            refusals.add(
                "MAP-072",
                f"{other.name} lets the same query account for other rows",
                hint="Write the same accounts in both, or give one of them a query of its own.",
                place=file.place("source", "query", key=True),
            )


def _former_names(files: Mapping[str, MappingFile], refusals: Refusals) -> None:
    """Refuse former names that are in use, or that two mappings claim: only one can take over the records."""
    claimed: dict[str, str] = {}
    for file in files.values():
        for name in file.model.formerly:
            place = file.place("formerly")
            if name in files:
                refusals.add(
                    "MAP-073",
                    f"'{name}' is the mapping itself" if name == file.name else f"the mapping {name} still exists",
                    hint="Name what the mapping was called before, and remove the old file.",
                    place=place,
                )
            elif claimed.setdefault(name, file.name) != file.name:
                refusals.add(
                    "MAP-073",
                    f"{claimed[name]} was formerly '{name}', too",
                    hint="Only one mapping can take over the records of another.",
                    place=place,
                )


def _order(error: RefusedError) -> tuple[str, int, int]:
    return error.place.file or "", error.place.line or 0, error.place.column or 0


def _one(
    file: MappingFile,
    others: Mapping[str, MappingFile],
    needs: Edges,
    relations: Relations,
    systems: Collection[str],
    refusals: Refusals,
    namespace: str,
    as_of: date,
) -> Draft | None:
    """Check one mapping; returns its draft, or None when its source or target is not known."""
    if file.system not in systems:
        refusals.add(
            "MAP-010",
            f"the system '{file.system}' is not in workspace.yml",
            place=file.place("mapping"),
            hint=near(file.system, list(systems)) or f"Systems: {', '.join(systems)}.",
        )
    if file.model.target not in tables:
        refusals.add(
            "MAP-013",
            f"the target has no table '{file.model.target}'",
            place=file.place("target"),
            hint=near(file.model.target, list(tables)) or "Use a table of the target model.",
        )
    if file.system not in systems or not file.relation:
        return None
    key = "relation" if file.query is None else "query"
    relation = _relation(file, relations, file.relation, file.place("source", key), refusals)
    sides = {
        name: found
        for name, spec in file.model.source.beside.items()
        if spec.relation is not None
        and (
            found := _relation(file, relations, spec.relation, file.place("source", "with", name, "relation"), refusals)
        )
    }
    if relation is None or file.model.target not in tables:
        return None
    check_books(file, others, relations, refusals)
    try:
        check_shape(file, relation, sides, refusals)
    except RefusedError as error:
        refusals.errors.append(error)
    draft = draft_of(file, relation, sides, others, namespace=namespace, as_of=as_of, needs=needs)
    for refused in draft.errors:
        refusals.add(refused.code, refused.message, hint=refused.hint, place=refused.place)
    return draft


def _relation(file: MappingFile, relations: Relations, name: str, place: Place, refusals: Refusals) -> Relation | None:
    try:
        return relations(file.system, name)
    except SystemFailure as failure:
        if failure.code in _QUERY_REFUSED and file.query is not None:
            message = f"{name}: {failure.message}"
            refusals.add("MAP-071", message, hint=failure.hint or "Correct the query.", place=place)
            return None
        if failure.code != _NO_SUCH_RELATION:
            raise
        refusals.add(
            "MAP-011", f"the system {file.system} does not have the relation '{name}'", hint=failure.hint, place=place
        )
        return None


def _uses(draft: Draft) -> Uses:
    """Return what a mapping uses of its sources and fills of its target."""
    compiler = draft.compiler
    file = compiler.file
    used = tuple(dict.fromkeys([*compiler.columns.used, *draft.keys.columns.used]))
    names = used_columns(file, compiler, used)
    main = {name for name in names if name in compiler.relation_columns}
    beside: dict[str, set[str]] = {}
    for name, spec in file.model.source.beside.items():
        if spec.climb is not None:
            climbed = {column.removeprefix(f"{name}.") for column in names if column.startswith(f"{name}.")}
            main |= climbed & set(compiler.relation_columns)
        if spec.relation is None or not any(column.startswith(f"{name}.") for column in names):
            continue
        here = beside.setdefault(spec.relation, set())
        here |= {column.removeprefix(f"{name}.") for column in names if column.startswith(f"{name}.")}
        here |= {*spec.by, *(column for column, _ in spec.order)}
        if spec.where is not None:
            here |= parse_expression(spec.where, place=file.place("source", "with", name, "where")).columns
    if file.query is not None:
        # What a query does with a column it names is not looked into: it counts as used.
        for name in file.query.tables:
            beside.setdefault(name, set()).update(file.query.columns)
        if file.query.base:
            beside.setdefault(file.query.base, set()).update(file.query.by)
    sides = {name: frozenset(found) for name, found in beside.items()}
    return Uses(file, compiler.relation, frozenset(main), sides, tuple(draft.built.outputs))
