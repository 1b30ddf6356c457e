"""What the judge keeps of each mapping, so that an interrupted reconciliation need not make it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import polars as pl

from reconciliation.findings import Example, FindingBook, FindingGroup, GroupKey
from reconciliation.verdict import Check

_MADE_ANEW = ("schema.", "keys.target_to_source", "rules.", "distribution.")
"""Checks of whole tables: they are asked again, of the target as it is at the end."""


@dataclass(frozen=True)
class JudgedGroup:
    """Like findings of one mapping: how many, their likely causes, and those that were kept."""

    group: GroupKey
    count: int
    likely: tuple[tuple[str, int], ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Judged:
    """All that one pass over a mapping gave.

    ids: hashes of the ids that its rows explain, in pieces of bounded size, to be gone through once.
    divided: how the records of its table are divided by it and the mappings before it; None: it was not asked.
    """

    checks: tuple[Check, ...]
    groups: tuple[JudgedGroup, ...]
    ids: Iterable[pl.Series]
    divided: Mapping[str, pl.DataFrame] | None

    def texts(self) -> dict[str, Any]:
        """Return checks and groups as JSON values."""
        groups = [
            {
                "group": asdict(each.group),
                "count": each.count,
                "likely": each.likely,
                "examples": [asdict(example) for example in each.examples],
            }
            for each in self.groups
        ]
        return {"checks": [asdict(check) for check in self.checks], "groups": groups}


class Journal(Protocol):
    """Keeps what was judged, mapping by mapping."""

    def taken(self, mapping: str) -> Judged | None:
        """Return what an interrupted reconciliation kept of a mapping, when nothing that it rests on changed."""
        ...

    def keep(self, mapping: str, judged: Judged) -> None:
        """Keep what was judged."""
        ...


def judged_from(
    texts: Mapping[str, Any], ids: Iterable[pl.Series], divided: Mapping[str, pl.DataFrame] | None
) -> Judged:
    """Return what `Judged.texts` described."""
    groups = [
        JudgedGroup(
            GroupKey(**each["group"]),
            each["count"],
            tuple((name, count) for name, count in each["likely"]),
            tuple(_example(one) for one in each["examples"]),
        )
        for each in texts["groups"]
    ]
    return Judged(tuple(Check(**each) for each in texts["checks"]), tuple(groups), ids, divided)


def _example(values: Mapping[str, Any]) -> Example:
    stages = tuple((name, value) for name, value in values["stages"])
    return Example(tuple(values["key"]), values["expected"], values["found"], stages)


def kept_groups(book: FindingBook) -> tuple[JudgedGroup, ...]:
    """Return what a book holds of the checks that are made mapping by mapping."""
    return tuple(_kept(each) for each in book.groups() if not each.check.startswith(_MADE_ANEW))


def _kept(group: FindingGroup) -> JudgedGroup:
    stages = {each.id: each.stages for each in group.findings}
    examples = (
        Example(each.key, each.expected, each.found, stages.get(each.id, ())) for each in group.all_findings()
    )
    key = GroupKey(group.check, group.field, group.cause, group.difference)
    return JudgedGroup(key, group.count, group.likely, tuple(examples))


def restore(book: FindingBook, groups: tuple[JudgedGroup, ...]) -> None:
    """Put what was kept into a book again; the ids of the findings follow from what they are about."""
    for each in groups:
        book.add(each.group, each.count, _first(each.examples), each.likely)


def _first(examples: tuple[Example, ...]) -> Callable[[int], tuple[Example, ...]]:
    return lambda room: examples[:room]
