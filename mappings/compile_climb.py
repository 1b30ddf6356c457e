"""The top of a chain of parents (``climb``): what it needs of the mapping, and the join that the reader performs."""

from __future__ import annotations

from casemodel import Relation, SideJoin
from mappings.compile_names import Refusals
from mappings.compile_state import Compiler
from mappings.language import MappingFile, WithSpec
from mappings.language.base import near

MOST = 1_000
"""Longer chains of parents are no chains that a person made."""
DEFAULT_MOST = 10


def check_climb(file: MappingFile, name: str, spec: WithSpec, relation: Relation, refusals: Refusals) -> None:
    """Note what is wrong with a climb: it needs a key of one column, and a column of the relation to climb by."""

    def refuse(code: str, message: str, *where: str, hint: str, key: bool = False) -> None:
        refusals.add(code, message, hint=hint, place=file.place("source", "with", name, *where, key=key))

    if spec.climb is None:
        refuse(
            "MAP-061", "max has no effect without climb", "max", hint="Write climb: COLUMN, or remove max.", key=True
        )
        return
    for other in ("relation", "by", "order", "where"):
        if getattr(spec, other):
            refuse("MAP-061", f"a climb stays in its own relation: '{other}' has no effect", other, hint="Remove it.")
    if spec.take != "only":
        refuse("MAP-061", "a climb takes the top of the chain: 'take' has no effect", "take", hint="Remove it.")
    if spec.max is not None and not 1 <= spec.max <= MOST:
        refuse("MAP-061", f"max is not between 1 and {MOST}", "max", hint="Write max: 10.")
    names = {column.name.casefold(): column.name for column in relation.columns}
    if spec.climb.casefold() not in names:
        refuse(
            "MAP-060",
            f"the relation {relation.name} does not have the column '{spec.climb}'",
            "climb",
            hint=near(spec.climb, list(names.values())) or "Name the column with the key of the row above.",
        )
    if "climbed" in names:
        refuse(
            "MAP-016",
            f"'{name}.climbed' is also the column {names['climbed']} of {relation.name}",
            hint="Such a relation cannot be climbed.",
        )
    if len(file.model.source.key) != 1 or file.model.source.key[0].do:
        refuse(
            "MAP-061",
            "a climb needs a key of one column, without steps",
            "climb",
            hint="The column to climb by holds the key of the row above, as it stands in the source.",
        )


def climb_columns(compiler: Compiler, name: str) -> tuple[str, str]:
    """Return the key of the relation and the column with the key of the row above, as the relation spells them."""
    source = compiler.file.model.source
    climb = source.beside[name].climb or ""
    key = source.key[0].column
    return compiler.columns.find(key) or key, compiler.columns.find(climb) or climb


def climb_join(file: MappingFile, compiler: Compiler, name: str, columns: tuple[str, ...]) -> SideJoin:
    """Return the join of a climb.

    Args:
        columns: what the mapping uses of it, ``climbed`` perhaps among them.
    """
    key, above = climb_columns(compiler, name)
    most = file.model.source.beside[name].max or DEFAULT_MOST
    return SideJoin(name, file.relation, ((key, key),), columns, climb=above, most=most)
