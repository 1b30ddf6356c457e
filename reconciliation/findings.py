"""Findings: where the two sides differ, each with a stable id, gathered into groups by cause in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

SAMPLE_LIMIT = 1000
"""Findings kept per group; the count goes on."""
BOOK_LIMIT = 10_000
"""Findings kept per mapping over all groups, so that memory stays bounded."""


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
    """At most `SAMPLE_LIMIT`, in the order of the source."""


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


class FindingBook:
    """Gathers the findings of one mapping: every one is counted, the first of each group are kept."""

    def __init__(self, mapping: str, target: str, owner: str, limit: int = SAMPLE_LIMIT) -> None:
        self._mapping, self._target, self._owner, self._limit = mapping, target, owner, limit
        self._counts: dict[GroupKey, int] = {}
        self._kept: dict[GroupKey, list[Finding]] = {}
        self._total = 0

    def add(self, group: GroupKey, count: int, examples: Callable[[int], Iterable[Example]]) -> None:
        """Count findings; `examples` is asked for at most as many as the group still has room for."""
        if count == 0:
            return
        self._counts[group] = self._counts.get(group, 0) + count
        kept = self._kept.setdefault(group, [])
        room = min(self._limit - len(kept), BOOK_LIMIT - self._total)
        if room > 0:
            new = [self._finding(group, example) for example in examples(room)]
            kept.extend(new)
            self._total += len(new)

    def count(self, check: str) -> int:
        """Return how many findings a check has."""
        return sum(count for group, count in self._counts.items() if group.check == check)

    def groups(self) -> tuple[FindingGroup, ...]:
        """Return the groups, the largest first, then by name."""
        made = [
            FindingGroup(
                id=stable_id(group.check, self._mapping, "", group.field, group.cause, group.difference or ""),
                check=group.check, mapping=self._mapping, target=self._target, owner=self._owner, field=group.field,
                cause=group.cause, difference=group.difference, count=count, findings=tuple(self._kept[group]),
            )
            for group, count in self._counts.items()
        ]  # fmt: skip
        return tuple(sorted(made, key=lambda g: (-g.count, g.check, g.field or "", g.cause, g.difference or "")))

    def _finding(self, group: GroupKey, example: Example) -> Finding:
        shown = "|".join(example.key)
        return Finding(
            id=stable_id(group.check, self._mapping, shown, group.field, group.cause, *_part(group)),
            check=group.check, mapping=self._mapping, key=example.key, field=group.field, cause=group.cause,
            difference=group.difference, expected=example.expected, found=example.found,
        )  # fmt: skip


def _part(group: GroupKey) -> tuple[str, ...]:
    """Return which control, rule or other part of a check a finding is of: several may find the same key."""
    parted = not group.check.startswith(("accounting.", "keys.", "fields."))
    return (group.difference,) if parted and group.difference is not None else ()


def stable_id(*parts: str | None) -> str:
    """Return twelve hex digits that are the same for the same finding in every run and on every machine."""
    text = "\x1f".join(part or "" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
