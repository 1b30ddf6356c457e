"""Coverage: every source column is used or ignored with a reason, every target column filled or unfilled with one.

It is computed from what the compiled mappings use: per relation over all mappings, per mapping for its target table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from casemodel import RefusedError, Relation, required, tables
from mappings.compile_names import Refusals
from mappings.language import MappingFile
from mappings.language.base import near


@dataclass(frozen=True, slots=True)
class Uses:
    """What one mapping uses of its sources and fills of its target.

    main: columns of its relation; beside: columns of the relations it looks at beside, by relation.
    """

    file: MappingFile
    relation: Relation
    main: frozenset[str]
    beside: Mapping[str, frozenset[str]]
    filled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnCoverage:
    """A column: the mappings that use (or fill) it, and the reason why it is left out."""

    name: str
    mappings: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def covered(self) -> bool:
        """Return whether the column is used or left out with a reason."""
        return bool(self.mappings) or self.reason is not None


@dataclass(frozen=True, slots=True)
class RelationCoverage:
    """The columns of a relation that at least one mapping reads."""

    system: str
    relation: str
    columns: tuple[ColumnCoverage, ...]


@dataclass(frozen=True, slots=True)
class TargetCoverage:
    """The columns of a target table as one mapping fills them."""

    mapping: str
    table: str
    columns: tuple[ColumnCoverage, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of all mappings."""

    relations: tuple[RelationCoverage, ...] = ()
    targets: tuple[TargetCoverage, ...] = ()
    plugins: tuple[tuple[str, str], ...] = ()
    """Mapping and plug-in, for each plug-in that a mapping uses."""
    errors: list[RefusedError] = field(default_factory=list)
    warnings: list[RefusedError] = field(default_factory=list)


def coverage_of(uses: Sequence[Uses]) -> Coverage:
    """Compute the coverage and what is wrong with it."""
    errors, warnings = Refusals(), Refusals()
    relations: dict[tuple[str, str], list[Uses]] = {}
    of_system: dict[str, list[Uses]] = {}
    for use in uses:
        of_system.setdefault(use.file.system, []).append(use)
        relations.setdefault((use.file.system, use.relation.name.casefold()), []).append(use)
    covered = [
        _relation(system, readers, of_system[system], errors, warnings)
        for (system, _), readers in relations.items()
    ]
    targets = [_target(use, errors) for use in uses if use.file.model.target in tables]
    plugins = tuple((use.file.name, name) for use in uses for name in use.file.plugins)
    return Coverage(tuple(covered), tuple(targets), plugins, errors.errors, warnings.errors)


def _relation(
    system: str, readers: list[Uses], of_system: list[Uses], errors: Refusals, warnings: Refusals
) -> RelationCoverage:
    relation = readers[0].relation
    used: dict[str, list[str]] = {}
    for use in readers:
        for column in use.main:
            used.setdefault(column.casefold(), []).append(use.file.name)
    for use in of_system:
        for name, seen in use.beside.items():
            if name.casefold() == relation.name.casefold():
                for column in seen:
                    used.setdefault(column.casefold(), []).append(use.file.name)
    reasons: dict[str, str] = {}
    for use in readers:
        _ignored(use, used, reasons, errors, warnings)
    columns: list[ColumnCoverage] = []
    for offered in relation.columns:
        key = offered.name.casefold()
        columns.append(ColumnCoverage(offered.name, tuple(dict.fromkeys(used.get(key, ()))), reasons.get(key)))
        if not offered.technical and not columns[-1].covered:
            errors.add(
                "MAP-040",
                f"no mapping uses the column {offered.name} of {relation.name}",
                place=readers[0].file.place("source", "relation" if readers[0].file.query is None else "query"),
                hint="Use it, or name it under ignore with a reason.",
            )
    return RelationCoverage(system, relation.name, tuple(columns))


def _ignored(
    use: Uses, used: dict[str, list[str]], reasons: dict[str, str], errors: Refusals, warnings: Refusals
) -> None:
    names = [column.name for column in use.relation.columns]
    known = {name.casefold() for name in names}
    own: set[str] = set()
    for index, item in enumerate(use.file.model.ignore):
        for position, name in enumerate(item.columns):
            place, key = use.file.place("ignore", index, "columns", position), name.casefold()
            users = used.get(key, [])
            if key not in known:
                errors.add(
                    "MAP-060",
                    f"the relation {use.relation.name} does not have the column '{name}'",
                    place=place,
                    hint=near(name, names) or "Use a column of the relation.",
                )
            elif key in own:
                errors.add("MAP-045", f"the column {name} is ignored twice", place=place, hint="Name it once.")
            elif use.file.name in users:
                errors.add(
                    "MAP-042",
                    f"the column {name} is ignored, but this mapping uses it",
                    place=place,
                    hint="Take it out of ignore.",
                )
            elif users:
                warnings.add(
                    "MAP-090",
                    f"the column {name} is ignored, but {users[0]} uses it",
                    place=place,
                    hint="It needs no ignore: take it out.",
                )
            own.add(key)
            reasons.setdefault(key, item.reason)


def _target(use: Uses, errors: Refusals) -> TargetCoverage:
    file, table = use.file, tables[use.file.model.target]
    names = [column.name for column in table.columns if column.name != "id"]
    # Of records that several systems know, the merged one is checked: another mapping may fill it.
    needed = set(required(table.name)) if file.model.identity is None else set()
    declared = set(file.model.fields)
    reasons: dict[str, str] = {}
    for index, item in enumerate(file.model.unfilled):
        for position, name in enumerate(item.columns):
            place = file.place("unfilled", index, "columns", position)
            if name not in names:
                errors.add(
                    "MAP-014",
                    f"the table {table.name} has no column '{name}'",
                    place=place,
                    hint=near(name, names) or f"Columns: {', '.join(names)}.",
                )
            elif name in reasons:
                errors.add("MAP-045", f"the column {name} is unfilled twice", place=place, hint="Name it once.")
            elif name in declared:
                errors.add(
                    "MAP-043",
                    f"the column {name} is unfilled, but a field fills it",
                    place=place,
                    hint="Take it out of unfilled.",
                )
            elif name in needed:
                errors.add(
                    "MAP-044",
                    f"the column {name} of {table.name} must be filled",
                    place=place,
                    hint="Add a field for it, with const if need be.",
                )
            reasons[name] = item.reason
    for name in names:
        if name in declared or name in reasons:
            continue
        if name in needed:
            errors.add(
                "MAP-044",
                f"the required column {name} of {table.name} is not filled",
                place=file.place("fields", key=True),
                hint="Add a field for it, with const if need be.",
            )
        else:
            errors.add(
                "MAP-041",
                f"the column {name} of {table.name} is neither filled nor unfilled",
                place=file.place("fields", key=True),
                hint="Add a field, or name it under unfilled with a reason.",
            )
    return TargetCoverage(
        file.name,
        table.name,
        tuple(ColumnCoverage(name, (file.name,) if name in declared else (), reasons.get(name)) for name in names),
    )
