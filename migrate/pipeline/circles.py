"""Circles in a graph of what waits for what, of which nothing waits for anything outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

_ROUNDS = 40
"""So often what cannot lie in such a circle is left out by columns; of very long chains the rest is walked."""


def closed_circles(waits: pl.DataFrame) -> pl.Series:
    """Return the names that lie in circles in which none waits for anything but names of the circle.

    Args:
        waits: ``of`` and ``on``, names; ``on`` is NULL where it is none that waits itself.
    """
    left = waits.select("of", "on").unique()
    for _ in range(_ROUNDS):
        before = left.height
        stuck = left.filter(~pl.col("on").is_in(left["of"].implode()).fill_null(False))["of"]
        left = left.filter(~pl.col("of").is_in(stuck.implode()))
        left = left.filter(pl.col("of").is_in(left["on"].implode()))
        if left.height == before:
            break
    grouped = left.group_by("of").agg("on")
    edges: dict[str, Sequence[str | None]] = dict(zip(grouped["of"], grouped["on"].to_list(), strict=True))
    found = [name for circle in _components(edges) if _closed(circle, edges) for name in circle]
    return pl.Series("name", sorted(found), dtype=pl.String)


def _closed(component: Sequence[str], edges: Mapping[str, Sequence[str | None]]) -> bool:
    mine = set(component)
    return all(edges.get(name) and mine.issuperset(edges[name]) for name in component)


def _components(edges: Mapping[str, Sequence[str | None]]) -> Iterator[list[str]]:
    """Yield the strongly connected components (Tarjan, SIAM Journal on Computing 1 (2), 1972), without recursion."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in edges:
        if root in number:
            continue
        walk = [(root, iter(edges[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while walk:
            name, others = walk[-1]
            for other in others:
                if other is None or other not in edges:
                    continue
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    on_stack.add(other)
                    walk.append((other, iter(edges[other])))
                    break
                if other in on_stack:
                    low[name] = min(low[name], number[other])
            else:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[name])
                if low[name] == number[name]:
                    yield _popped(stack, on_stack, name)


def _popped(stack: list[str], on_stack: set[str], last: str) -> list[str]:
    component: list[str] = []
    while not component or component[-1] != last:
        component.append(stack.pop())
        on_stack.discard(component[-1])
    return component
