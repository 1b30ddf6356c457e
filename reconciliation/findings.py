"""Findings: where the two sides differ, each with a stable id, gathered into groups by cause in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute

from reconciliation.kept_findings import KeptFindings, Line, Part

SAMPLE_LIMIT = 1000
"""Findings kept per group in memory; the count goes on, and a file keeps all where one was asked for."""
BOOK_LIMIT = 10_000
"""Findings kept in memory per mapping over all groups, so that memory stays bounded."""

Watched = Mapping[str, frozenset[tuple[str, ...]]]
"""By mapping the keys, as they are shown, whose findings are held in memory beyond every limit."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.  Key and values went through the masking of the workspace."""

    id: str
    check: str
    mapping: str
    key: tuple[str, ...]
    field: str | None
    cause: str
    difference: str | None = None
    expected: str | None = None
    found: str | None = None
    stages: tuple[tuple[str, str], ...] = ()
    """Of the first few of a group: the way of the value from the source, stage and value as it may be shown."""


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """All findings with the same check, mapping, field, cause and kind of difference."""

    id: str
    check: str
    mapping: str
    target: str
    owner: str
    field: str | None
    cause: str
    difference: str | None
    count: int
    findings: tuple[Finding, ...]
    """At most `SAMPLE_LIMIT` and those with a watched key, in the order of the source."""
    kept: KeptFindings | None = attribute(default=None, compare=False, repr=False)
    parts: tuple[Part, ...] = attribute(default=(), compare=False, repr=False)
    listed: int = 0
    """How many `all_findings` gives: all, but of what has no example of its own."""
    waived: int = 0
    """How many of `count` people accepted (`waivers`)."""
    likely: tuple[tuple[str, int], ...] = ()
    """Likely causes (`causes.LIKELY`) and of how many findings each is one, the most frequent first."""

    @property
    def is_open(self) -> bool:
        """True when somebody still has to decide about some of it."""
        return self.waived < self.count

    def all_findings(self) -> Iterator[Finding]:
        """Yield every finding that was kept: all where a file keeps them, else those in memory."""
        if self.kept is None:
            yield from self.findings
            return
        for name, key, expected, found in self.kept.read(self.parts):
            yield Finding(
                name, self.check, self.mapping, key, self.field, self.cause, self.difference, expected, found
            )


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What findings of one group have in common."""

    check: str
    field: str | None
    cause: str
    difference: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One difference before it gets its id: the key and the values as they may be shown."""

    key: tuple[str, ...]
    expected: str | None = None
    found: str | None = None
    stages: tuple[tuple[str, str], ...] = ()


class FindingBook:
    """Gathers the findings of one mapping: every one is counted, the first of each group are kept.

    Args:
        kept: where all findings are kept.
        watched: keys as they are shown, whose findings are held in memory beyond every limit: people accepted them one
            by one.
    """

    def __init__(
        self,
        mapping: str,
        target: str,
        owner: str,
        limit: int = SAMPLE_LIMIT,
        kept: KeptFindings | None = None,
        watched: frozenset[tuple[str, ...]] = frozenset(),
    ) -> None:
        self._mapping, self._target, self._owner, self._limit = mapping, target, owner, limit
        self._watched = watched
        self._counts: dict[GroupKey, int] = {}
        self._sample: dict[GroupKey, list[Finding]] = {}
        self._total = 0
        self._kept = kept
        self._parts: dict[GroupKey, list[Part]] = {}
        self._listed: dict[GroupKey, int] = {}
        self._likely: dict[GroupKey, dict[str, int]] = {}

    def add(
        self,
        group: GroupKey,
        count: int,
        examples: Callable[[int], Iterable[Example]],
        likely: Iterable[tuple[str, int]] = (),
    ) -> None:
        """Count findings; `examples` is asked for as many as are kept, all where a file keeps them.

        Args:
            likely: likely causes, and of how many of these findings each is one.
        """
        if count == 0:
            return
        causes = self._likely.setdefault(group, {})
        for name, times in likely:
            causes[name] = causes.get(name, 0) + times
        self._counts[group] = self._counts.get(group, 0) + count
        self._sample.setdefault(group, [])
        if self._kept is not None:
            self._parts.setdefault(group, []).append(self._kept.keep(self._lines(group, examples(count))))
        elif self._watched or self._room(group) > 0:
            for example in examples(count if self._watched else self._room(group)):
                if self._holds(group, example):
                    self._remember(group, self._finding(group, example))

    def _room(self, group: GroupKey) -> int:
        return min(self._limit - len(self._sample[group]), BOOK_LIMIT - self._total)

    def _holds(self, group: GroupKey, example: Example) -> bool:
        return self._room(group) > 0 or example.key in self._watched

    def _remember(self, group: GroupKey, finding: Finding) -> None:
        self._sample[group].append(finding)
        self._total += 1
        self._listed[group] = self._listed.get(group, 0) + 1

    def _lines(self, group: GroupKey, examples: Iterable[Example]) -> Iterator[Line]:
        for example in examples:
            finding = self._finding(group, example)
            if self._holds(group, example):
                self._remember(group, finding)
            else:
                self._listed[group] = self._listed.get(group, 0) + 1
            yield finding.id, finding.key, finding.expected, finding.found

    def count(self, check: str) -> int:
        """Return how many findings a check has."""
        return sum(count for group, count in self._counts.items() if group.check == check)

    def groups(self) -> tuple[FindingGroup, ...]:
        """Return the groups, the largest first, then by name."""
        made = [
            FindingGroup(
                id=stable_id(group.check, self._mapping, "", group.field, group.cause, group.difference or ""),
                check=group.check, mapping=self._mapping, target=self._target, owner=self._owner, field=group.field,
                cause=group.cause, difference=group.difference, count=count, findings=tuple(self._sample[group]),
                kept=self._kept, parts=tuple(self._parts.get(group, ())), listed=self._listed.get(group, 0),
                likely=tuple(sorted(self._likely[group].items(), key=lambda pair: (-pair[1], pair[0]))),
            )
            for group, count in self._counts.items()
        ]  # fmt: skip
        return tuple(sorted(made, key=lambda g: (-g.count, g.check, g.field or "", g.cause, g.difference or "")))

    def _finding(self, group: GroupKey, example: Example) -> Finding:
        return Finding(
            id=finding_id(group, self._mapping, example.key),
            check=group.check, mapping=self._mapping, key=example.key, field=group.field, cause=group.cause,
            difference=group.difference, expected=example.expected, found=example.found, stages=example.stages,
        )  # fmt: skip


def _part(group: GroupKey) -> tuple[str, ...]:
    """Return which control, rule or other part of a check a finding is of: several may find the same key."""
    parted = not group.check.startswith(("accounting.", "keys.", "fields."))
    return (group.difference,) if parted and group.difference is not None else ()


def finding_id(group: GroupKey, mapping: str, key: tuple[str, ...]) -> str:
    """Return the id of the finding of a key, as it is shown, in a group."""
    return stable_id(group.check, mapping, "|".join(key), group.field, group.cause, *_part(group))


def stable_id(*parts: str | None) -> str:
    """Return twelve hex digits that are the same for the same finding in every run and on every machine."""
    text = "\x1f".join(part or "" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
