"""The shape of a mapping: names that clash, looks beside that cannot work, stages that have no effect."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from casemodel import Place, RefusedError, Relation
from mappings.compile_climb import check_climb
from mappings.compile_names import Refusals
from mappings.expressions import parse_expression, result_type
from mappings.language import Chain, FieldSpec, MappingFile, ValueSpec, WithSpec
from mappings.language.base import near

Path = tuple[str | int, ...]
_MAY_BE_IDLE = frozenset({"unknown", "missing", "pivot_year", "pivot", "as_of", "ambiguous", "gap"})
"""Settings that need a stage."""


def check_shape(file: MappingFile, relation: Relation, sides: Mapping[str, Relation], refusals: Refusals) -> None:
    """Note what is wrong with a mapping's source and with stages that have no effect."""
    _names(file, relation, refusals)
    _grouping(file, refusals)
    _duplicates(file, relation, refusals)
    for name, spec in file.model.source.beside.items():
        if spec.climb is None and spec.max is None:
            _side(file, name, spec, relation, sides.get(name), refusals)
        else:
            check_climb(file, name, spec, relation, refusals)
    for name, path, chain in file.chains():
        owner = file.model.fields.get(name) if path[0] == "fields" else file.model.values.get(name)
        _idle(file, path, chain, owner, refusals)
    for name, value in file.model.values.items():
        _branches(file, ("values", name), value, refusals)
    for name, field in file.model.fields.items():
        _branches(file, ("fields", name), field, refusals)


def _names(file: MappingFile, relation: Relation, refusals: Refusals) -> None:
    source = file.model.source
    taken = {column.name.casefold(): f"the column {column.name} of {relation.name}" for column in relation.columns}
    for index, name in enumerate(source.unpivot.into if source.unpivot else ()):
        if name.casefold() in taken:
            refusals.add(
                "MAP-016",
                f"'{name}' is also {taken[name.casefold()]}",
                hint="Choose another name.",
                place=file.place("source", "unpivot", "into", index),
            )
        taken[name.casefold()] = f"made by unpivot ({name})"
    for name in file.model.values:
        if name.casefold() in taken:
            refusals.add(
                "MAP-016",
                f"the value '{name}' has the name of {taken[name.casefold()]}",
                hint="Give the value another name.",
                place=file.place("values", name, key=True),
            )
        taken[name.casefold()] = f"the value {name}"


def _grouping(file: MappingFile, refusals: Refusals) -> None:
    source = file.model.source
    if source.one_per and source.together:
        refusals.add(
            "MAP-061",
            "one_per already reads the rows of a record together",
            hint="Remove together.",
            place=file.place("source", "together", key=True),
        )
    if source.on_duplicate and (source.one_per or source.together):
        refusals.add(
            "MAP-061",
            "on_duplicate does not go with together or one_per",
            hint="Remove on_duplicate.",
            place=file.place("source", "on_duplicate", key=True),
        )
    _query(file, refusals)
    if source.relation is None and source.query is None:
        refusals.add(
            "MAP-002", "the key 'relation' is missing in source", hint="Add 'relation:'.", place=file.place("source")
        )
    if not source.key:
        refusals.add("MAP-003", "the key has no part", hint="Write key: [COLUMN].", place=file.place("source", "key"))


def _duplicates(file: MappingFile, relation: Relation, refusals: Refusals) -> None:
    source = file.model.source
    if source.on_duplicate and any(part.do for part in source.key):
        refusals.add(
            "MAP-061",
            "on_duplicate needs a key without steps: rows are brought together by their raw keys",
            hint="Remove the steps of the key, or remove on_duplicate.",
            place=file.place("source", "on_duplicate", key=True),
        )
    if source.on_duplicate == "latest_delivery" and all(column.name != "_file" for column in relation.columns):
        refusals.add(
            "MAP-061",
            f"{relation.name} is not delivered in files, so that none of them is the latest",
            hint="Use on_duplicate: same_content, or a system of files.",
            place=file.place("source", "on_duplicate"),
        )


def _query(file: MappingFile, refusals: Refusals) -> None:
    source = file.model.source
    if source.query is not None and source.relation is not None:
        refusals.add(
            "MAP-072",
            "a mapping reads a relation or a query, not both",
            hint="Remove one of the two.",
            place=file.place("source", "query", key=True),
        )
    if source.accounts is not None and source.query is None:
        refusals.add(
            "MAP-072",
            "accounts has no effect without query",
            hint="Remove accounts.",
            place=file.place("source", "accounts", key=True),
        )


def _side(
    file: MappingFile, name: str, spec: WithSpec, relation: Relation, side: Relation | None, refusals: Refusals
) -> None:
    path: Path = ("source", "with", name)

    def refuse(code: str, message: str, *where: str | int, hint: str) -> None:
        refusals.add(code, message, hint=hint, place=file.place(*path, *where))

    if spec.relation is None:
        refuse("MAP-061", f"'{name}' names no relation", hint="Write relation: NAME.")
        return
    if not spec.by:
        refuse(
            "MAP-061", f"'{name}' does not say how rows belong together", hint="Write by: {column there: column here}."
        )
    if spec.take in ("first", "last") and not spec.order:
        refuse("MAP-061", f"take: {spec.take} needs an order", "take", hint="Write order: [COLUMN].")
    if spec.take in ("only", "count") and spec.order:
        refuse("MAP-061", f"take: {spec.take} needs no order", "order", hint="Remove order.")
    here = {column.name.casefold() for column in relation.columns}
    for there, column in spec.by.items():
        if column.casefold() not in here:
            refuse(
                "MAP-060",
                f"the relation {relation.name} does not have the column '{column}'",
                "by",
                there,
                hint=near(column, [item.name for item in relation.columns]) or "Use a column of the relation.",
            )
    if side is None:
        return
    known = {column.name.casefold() for column in side.columns}
    names = [item.name for item in side.columns]
    asked: list[tuple[str, tuple[str | int, ...]]] = [(there, ("by", there)) for there in spec.by]
    asked += [(column, ("order", index)) for index, (column, _) in enumerate(spec.order)]
    if spec.where is not None:
        parsed = parse_expression(spec.where, place=file.place(*path, "where"))
        asked += [(column, ("where",)) for column in sorted(parsed.columns)]
    unknown = [(column, where) for column, where in asked if column.casefold() not in known]
    for column, where in unknown:
        refuse(
            "MAP-060",
            f"the relation {side.name} does not have the column '{column}'",
            *where,
            hint=near(column, names) or "Use a column of that relation.",
        )
    if spec.where is not None and not unknown:
        _condition(spec.where, file.place(*path, "where"), side, refusals)


def _condition(where: str, place: Place, side: Relation, refusals: Refusals) -> None:
    """Note what is wrong with the condition of a look beside: the reader would meet it in the middle of a run."""
    parsed = parse_expression(where, place=place)
    if parsed.has_window:
        hint = "Use take: first or last with an order."
        refusals.add("MAP-030", "OVER looks over rows, which is not possible here", hint=hint, place=place)
        return
    try:
        dtype = result_type(parsed, {column.name: pl.String() for column in side.columns})
    except RefusedError as error:
        refusals.errors.append(error)
        return
    if dtype not in (pl.Boolean(), pl.Null()):
        hint = "Compare with something, such as STATUS = 'AF'."
        refusals.add("MAP-024", "the condition does not give true or false", hint=hint, place=place)


def _idle(file: MappingFile, path: Path, chain: Chain, owner: ValueSpec | FieldSpec | None, refusals: Refusals) -> None:
    """Refuse settings of a stage that is not there: they would promise what does not happen."""
    if not _MAY_BE_IDLE & chain.model_fields_set:
        return
    below = [] if owner is None or chain is not owner else [*owner.alternatives.values(), *owner.otherwise]
    all_chains = [chain, *below]
    timed = any(item.date or item.datetime for item in all_chains)
    instants = any(item.datetime for item in all_chains)
    idle = {
        "unknown": chain.unknown.policy != "reject" and chain.codes is None,
        "missing": chain.missing is not None and not any(item.link for item in all_chains),
        "pivot_year": chain.pivot_year is not None and not timed,
        "pivot": chain.pivot is not None and not timed,
        "as_of": chain.as_of is not None and chain.pivot is None,
        "ambiguous": (chain.ambiguous.policy != "reject" or chain.ambiguous.not_before is not None) and not instants,
        "gap": chain.gap != "reject" and not instants,
    }
    for name, useless in idle.items():
        if useless:
            refusals.add(
                "MAP-021",
                f"'{name}' has no effect without its stage",
                hint=f"Remove {name}, or add its stage.",
                place=file.place(*path, name, key=True),
            )


def _branches(file: MappingFile, path: Path, spec: ValueSpec | FieldSpec, refusals: Refusals) -> None:
    for name in spec.alternatives:
        if not name.replace("_", "a").isalnum():
            refusals.add(
                "MAP-031",
                f"'{name}' is not a name for a branch",
                hint="Use letters, digits and underscores.",
                place=file.place(*path, "try", name, key=True),
            )
    if not spec.alternatives and "try" in file.tree.get(str(path[0]), {}).get(path[1], {}):
        refusals.add(
            "MAP-031", "try has no branches", hint="Name at least one branch.", place=file.place(*path, "try", key=True)
        )
