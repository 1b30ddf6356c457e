"""Circles of which nothing waits for anything outside, held to a search that tries every name."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from migrate.pipeline.circles import closed_circles

Edges = list[tuple[str, str | None]]


def circles(edges: Edges) -> list[str]:
    return closed_circles(pl.DataFrame(edges, schema={"of": pl.String, "on": pl.String}, orient="row")).to_list()


def tried(edges: Edges) -> list[str]:
    others: dict[str, set[str | None]] = {}
    for of, on in edges:
        others.setdefault(of, set()).add(on)

    def reached(name: str) -> set[str | None]:
        seen: set[str | None] = set()
        todo = [name]
        while todo:
            fresh = others.get(todo.pop(), set()) - seen
            seen |= fresh
            todo += [each for each in fresh if each is not None]
        return seen

    def closed(name: str) -> bool:
        return all(each is not None and each in others and name in reached(each) for each in reached(name))

    return sorted(name for name in others if closed(name))


names = st.sampled_from("abcdefg")


@given(st.lists(st.tuples(names, st.one_of(names, names, names, st.just("outside"), st.none())), max_size=14))
def test_the_same_as_a_search_that_tries_every_name(edges: Edges) -> None:
    assert circles(edges) == tried(edges)


def test_a_circle_that_leads_on_to_another_comes_after_it() -> None:
    assert circles([("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "c")]) == ["c", "d"]


def test_a_long_chain_is_no_circle_until_its_end_is_its_beginning() -> None:
    chain: Edges = [(f"{n:05}", f"{n + 1:05}") for n in range(3000)]
    assert circles([*chain, ("03000", None)]) == []
    assert circles([*chain, ("03000", "00000")]) == [f"{n:05}" for n in range(3001)]
