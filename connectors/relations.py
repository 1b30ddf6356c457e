"""Finding relations and columns by name; of what a system does not have, the nearest that it has are named."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from casemodel import Relation, SystemFailure

T = TypeVar("T")


def no_such_column(relation: Relation, name: str) -> SystemFailure:
    """Return the error for a column that the relation does not have."""
    names = [column.name for column in relation.columns]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return SystemFailure(
        "CON-021",
        f"the relation {relation.name} has no column {name}",
        hint=f"Did you mean {near[0]}?" if near else f"Its columns are: {', '.join(names[:20])}.",
        place=f"{relation.system}.{relation.name}",
    )


def no_such_relation(system: str, name: str, names: tuple[str, ...]) -> SystemFailure:
    """Return the error for a relation that the system does not have."""
    near = difflib.get_close_matches(name.casefold(), [n.casefold() for n in names], n=3, cutoff=0.5)
    found = [n for n in names if n.casefold() in near]
    return SystemFailure(
        "CON-020",
        f"the system {system} has no relation {name}",
        hint=f"Did you mean {', '.join(found)}?" if found else f"It has: {', '.join(names[:20]) or 'none at all'}.",
        place=f"{system}.{name}",
    )


def in_any_case(system: str, name: str, known: Mapping[str, T]) -> T:
    """Return what is known by a name, in any case; the name as it is spelt goes first.

    Raises:
        SystemFailure: CON-020 with near names.
    """
    if name in known:
        return known[name]
    for spelt, found in known.items():
        if spelt.casefold() == name.casefold():
            return found
    raise no_such_relation(system, name, tuple(known))
