"""The order of mappings: parents first, circles only where a nullable link may park (LANGUAGE.md, "Links")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casemodel import RefusedError, required, tables
from mappings.language import Chain, FieldSpec, MappingFile, ValueSpec

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """A need of one mapping for another.

    soft: the link may be left out at first: a nullable field that parks.
    """

    child: str
    parent: str
    soft: bool
    path: Path


Edges = Mapping[str, list[Edge]]
"""What every mapping of a workspace needs, by the mapping's name."""


def all_edges(files: Mapping[str, MappingFile]) -> dict[str, list[Edge]]:
    """Return what every mapping needs."""
    writers: dict[str, list[str]] = {}
    for name, file in files.items():
        writers.setdefault(file.model.target, []).append(name)
    return {name: _edges_of(file, files, writers) for name, file in files.items()}


def _edges_of(file: MappingFile, others: Mapping[str, MappingFile], writers: Mapping[str, list[str]]) -> list[Edge]:
    """Return what a mapping needs: the mappings it links to, and those that write the tables it looks records up in."""
    found: list[Edge] = []
    for path, chain, soft in _chains(file):
        if chain.link is not None and chain.link.mapping in others:
            assert chain.link.mapping is not None
            found.append(Edge(file.name, chain.link.mapping, soft, (*path, "link")))
        elif chain.link is not None and chain.link.identity is not None:
            table = chain.link.identity.partition(".")[0]
            gives = [name for name in writers.get(table, ()) if others[name].model.identity is not None]
            found += [Edge(file.name, name, soft, (*path, "link")) for name in gives]
        if chain.lookup is not None:
            found += [Edge(file.name, name, False, (*path, "lookup")) for name in writers.get(chain.lookup.table, ())]
    return found


def _chains(file: MappingFile) -> list[tuple[Path, Chain, bool]]:
    """Return every chain with its path and whether its link is one that may wait."""
    needed = set(required(file.model.target)) if file.model.target in tables else set()
    found: list[tuple[Path, Chain, bool]] = []
    for name, value in file.model.values.items():
        found += _of_one(("values", name), value, False)
    for name, spec in file.model.fields.items():
        found += _of_one(("fields", name), spec, not spec.required and name not in needed)
    return found


def _of_one(path: Path, spec: ValueSpec | FieldSpec, nullable: bool) -> list[tuple[Path, Chain, bool]]:
    def parks(chain: Chain) -> bool:
        return nullable and (chain.missing or spec.missing or "park") == "park"

    branches: list[tuple[Path, Chain]] = [((*path, "try", name), branch) for name, branch in spec.alternatives.items()]
    branches += [((*path, "else", index), branch) for index, branch in enumerate(spec.otherwise)]
    found: list[tuple[Path, Chain, bool]] = [(path, spec, parks(spec) and not spec.otherwise)]
    found += [(place, branch, parks(branch) and place == branches[-1][0]) for place, branch in branches]
    return found


def order_of(files: Mapping[str, MappingFile], needs: Edges) -> tuple[list[str], list[RefusedError]]:
    """Return the mappings in the order in which they run, and the circles that no nullable link opens."""
    edges = [edge for found in needs.values() for edge in found]
    errors = []
    hard = [edge for edge in edges if not edge.soft]
    while (circle := _circle(files, hard)) is not None:
        first = circle[0]
        path = " → ".join([*(edge.child for edge in circle), circle[-1].parent])
        errors.append(
            RefusedError(
                "MAP-052",
                f"the links run in a circle: {path}",
                hint="Let one nullable link of the circle say missing: park.",
                place=files[first.child].place(*first.path),
            )
        )
        hard = [edge for edge in hard if edge not in circle]
    kept = [edge for edge in edges if edge.parent != edge.child and (not edge.soft or not _reaches(needs, edge))]
    fast = set(hard)
    kept += _after_siblings(files, needs)
    return _sorted(files, [edge for edge in kept if edge.soft or edge in fast]), errors


def _after_siblings(files: Mapping[str, MappingFile], needs: Edges) -> list[Edge]:
    """Let who links to a record that several systems know come after all of them, so that it need not follow later."""
    gives: dict[str, list[str]] = {}
    for name, file in files.items():
        if file.model.identity is not None:
            gives.setdefault(file.model.target, []).append(name)
    wanted = [
        Edge(edge.child, sibling, True, edge.path)
        for edges in needs.values()
        for edge in edges
        if edge.parent in files and files[edge.parent].model.identity is not None
        for sibling in gives[files[edge.parent].model.target]
        if sibling not in (edge.parent, edge.child)
    ]
    return [edge for edge in wanted if not _reaches(needs, edge)]


def _reaches(needs: Edges, edge: Edge) -> bool:
    """Return whether the parent of an edge needs its child, directly or through others."""
    seen: set[str] = set()
    todo = [edge.parent]
    while todo:
        name = todo.pop()
        if name == edge.child:
            return True
        if name not in seen:
            seen.add(name)
            todo += [other.parent for other in needs.get(name, ())]
    return False


def _circle(files: Mapping[str, MappingFile], edges: list[Edge]) -> list[Edge] | None:
    """Return one circle of edges, the shortest from its first mapping, or None."""
    needs = _by_child(edges)
    for start in files:
        paths: list[list[Edge]] = [[edge] for edge in needs.get(start, ())]
        seen: set[str] = set()
        while paths:
            path = paths.pop(0)
            end = path[-1].parent
            if end == start:
                return path
            if end not in seen:
                seen.add(end)
                paths += [[*path, edge] for edge in needs.get(end, ())]
    return None


def _by_child(edges: list[Edge]) -> dict[str, list[Edge]]:
    found: dict[str, list[Edge]] = {}
    for edge in edges:
        found.setdefault(edge.child, []).append(edge)
    return found


def _sorted(files: Mapping[str, MappingFile], edges: list[Edge]) -> list[str]:
    """Return the mappings, parents first, otherwise in the order of their names."""
    needs = _by_child(edges)
    waiting = {name: {edge.parent for edge in needs.get(name, ())} for name in sorted(files)}
    order: list[str] = []
    while waiting:
        free = [name for name, parents in waiting.items() if not parents & waiting.keys()]
        name = free[0] if free else next(iter(waiting))
        order.append(name)
        del waiting[name]
    return order


def cycle_links_of(name: str, needs: Edges) -> frozenset[str]:
    """Return the mappings to which a soft link of a mapping closes a circle, the mapping itself included."""
    own = (edge for edge in needs[name] if edge.soft)
    return frozenset(edge.parent for edge in own if edge.parent == name or _reaches(needs, edge))


def hard_parents_of(name: str, needs: Edges, circle: frozenset[str]) -> tuple[str, ...]:
    """Return the mappings that must have run before this one; ``circle`` is what `cycle_links_of` found."""
    parents = (edge.parent for edge in needs[name] if not (edge.soft and edge.parent in circle))
    return tuple(dict.fromkeys(parent for parent in parents if parent != name))
