"""Level accounting: the books of the last run balance, the source was read whole, and every key has a state."""

from __future__ import annotations

import polars as pl

from casemodel import OUTCOMES
from reconciliation.findings import Example, FindingBook, GroupKey
from reconciliation.hashes import Hashes, distinct
from reconciliation.sides import ExpectedBatch, Facts
from reconciliation.verdict import Check, outcome_of

FLOW, COUNT, STOCK = "accounting.flow", "accounting.count", "accounting.stock"


class Accounting:
    """Counts the rows of one mapping while they pass."""

    def __init__(self) -> None:
        self._source_rows = 0
        self._rows = 0
        self._without_key = 0
        self._keys = Hashes()

    def add(self, batch: ExpectedBatch) -> None:
        """Count one batch of the source."""
        self.add_keys(pl.concat([batch.frame["_key"], batch.beyond]), batch.source_rows)

    def add_keys(self, keys: pl.Series, source_rows: int) -> None:
        """Count rows of which only the keys were read."""
        self._source_rows += source_rows
        self._rows += keys.len()
        self._without_key += keys.null_count()
        self._keys.add(keys.drop_nulls().hash())

    @property
    def source_rows(self) -> int:
        """Physical records so far."""
        return self._source_rows

    def checks(self, facts: Facts, book: FindingBook) -> list[Check]:
        """Close the books: flow, count and stock."""
        return [_flow(facts, book), self._count(facts, book), self._stock(facts, book)]

    def _count(self, facts: Facts, book: FindingBook) -> Check:
        if facts.source_rows_now is None:
            return _check(facts, COUNT, 0, 0, 0, reason="not_counted")
        off = int(self._source_rows != facts.source_rows_now)
        _differ(book, COUNT, "read count differs", facts.source_rows_now, self._source_rows, off)
        return _check(facts, COUNT, facts.source_rows_now, self._source_rows, off)

    def _stock(self, facts: Facts, book: FindingBook) -> Check:
        if not facts.full_read:
            return _check(facts, STOCK, 0, 0, 0, reason=facts.stock_reason or "not_read_whole")
        repeated = self._rows - self._without_key - distinct(self._keys)
        states = sum(count for state, count in facts.states.items() if state != "gone")
        accounted = states + self._without_key + repeated
        off = int(self._rows != accounted)
        _differ(book, STOCK, "stock short" if accounted < self._rows else "stock over", self._rows, accounted, off)
        explained = {"without a key": self._without_key, "repeated key": repeated, **_gone(facts)}
        return _check(facts, STOCK, self._rows, accounted, off, explained=explained)


def _flow(facts: Facts, book: FindingBook) -> Check:
    if facts.run is None:
        return _check(facts, FLOW, 0, 0, 0, reason="never_ran")
    read = facts.tally.get("read", 0)
    total = sum(facts.tally.get(name, 0) for name in OUTCOMES)
    off = int(read != total)
    _differ(book, FLOW, "books do not balance", read, total, off)
    return _check(facts, FLOW, read, total, off)


def _gone(facts: Facts) -> dict[str, int]:
    return {f"gone: {name}": count for name, count in facts.gone.items() if count}


def _differ(book: FindingBook, check: str, cause: str, expected: int, found: int, count: int) -> None:
    example = Example((), str(expected), str(found))
    book.add(GroupKey(check, None, cause), count, lambda _room: [example])


def _check(
    facts: Facts, check: str, source: int, target: int, findings: int, *, reason: str | None = None,
    explained: dict[str, int] | None = None,
) -> Check:  # fmt: skip
    outcome = outcome_of(findings, max(source, target))
    if outcome == "not_applicable" and reason is None:
        reason = "nothing_to_compare"
    return Check(
        check=check, level="accounting", mapping=facts.mapping, target=facts.target, outcome=outcome,
        compared_source=source, compared_target=target, findings=findings, meaning=facts.meaning,
        explained={name: count for name, count in (explained or {}).items() if count}, reason=reason,
    )  # fmt: skip
