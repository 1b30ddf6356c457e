"""The judge: one pass over both sides of every mapping, in batches, and one verdict.

It imports nothing that reads, maps or loads: it sees two sides and compares.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from casemodel import UsageError
from reconciliation.checks.accounting import Accounting
from reconciliation.checks.children import check_children
from reconciliation.checks.controls import check_control
from reconciliation.checks.fields import Fields
from reconciliation.checks.keys import KeysToSource, KeysToTarget
from reconciliation.findings import SAMPLE_LIMIT, FindingBook, FindingGroup, Watched
from reconciliation.kept_findings import KeptFindings
from reconciliation.sides import MappingProof
from reconciliation.verdict import LEVELS, Check, Verdict, decide


def judge(
    proofs: Iterable[MappingProof],
    levels: Sequence[str] = LEVELS,
    *,
    sample_limit: int = SAMPLE_LIMIT,
    kept: KeptFindings | None = None,
    watched: Watched | None = None,
    clock: Callable[[], float] = time.perf_counter,
    progress: Callable[[str, int], None] | None = None,
) -> Verdict:
    """Compare both sides of every mapping and judge.

    Args:
        proofs: one per mapping; both sides must stay open until the judge returns, since a table is read once more
            after the last mapping that fills it.
        levels: which of `LEVELS` to run; `in_balance` needs those of `MINIMUM`.
        sample_limit: findings kept per group in memory; all are counted.
        kept: where all findings are kept, for the reports that hold all.
        watched: by mapping the keys whose findings are held in memory beyond that (`watched_keys`).
        clock: seconds, for the time each check took.
        progress: called with mapping and source rows after each batch.

    Raises:
        UsageError: REC-001 a level that does not exist.
    """
    asked = _levels(levels)
    checks: list[Check] = []
    books: list[FindingBook] = []
    tables: dict[str, KeysToSource] = {}
    for proof in proofs:
        names = (proof.facts.mapping, proof.facts.target, proof.facts.owner)
        book = FindingBook(*names, sample_limit, kept, (watched or {}).get(proof.facts.mapping, frozenset()))
        books.append(book)
        table = tables.setdefault(proof.facts.target, KeysToSource(kept, watched)) if "keys" in asked else None
        checks.extend(_judge_mapping(proof, asked, book, table, clock, progress))
    for table in tables.values():
        started = clock()
        check, book = table.check()
        checks.append(replace(check, seconds=round(clock() - started, 3)))
        if book not in books:
            books.append(book)
    return decide(asked, checks, _groups(books))


def _levels(levels: Sequence[str]) -> tuple[str, ...]:
    unknown = [level for level in levels if level not in LEVELS]
    if unknown or not levels:
        raise UsageError(
            "REC-001", f"there is no level '{unknown[0] if unknown else ''}'", hint=f"Choose from: {', '.join(LEVELS)}."
        )
    return tuple(level for level in LEVELS if level in levels)


@dataclass(slots=True)
class _Seconds:
    """Seconds per level; reading the source counts for the accounting."""

    accounting: float = 0.0
    keys: float = 0.0
    fields: float = 0.0


def _judge_mapping(
    proof: MappingProof,
    levels: tuple[str, ...],
    book: FindingBook,
    table: KeysToSource | None,
    clock: Callable[[], float],
    progress: Callable[[str, int], None] | None,
) -> list[Check]:
    made = _own_checks(proof, levels, book, clock)
    if not {"accounting", "keys", "fields"} & set(levels):
        return made
    deep = "keys" in levels or "fields" in levels
    columns = [column.name for column in proof.columns] if "fields" in levels else []
    accounting, keys, fields = Accounting(), KeysToTarget(proof, book), Fields(proof, book)
    seconds, mark = _Seconds(), clock()
    if table is not None:
        table.add_proof(proof, book)
    for batch in proof.expected.batches(values=deep):
        accounting.add(batch)
        mark = _spend(seconds, "accounting", mark, clock)
        if deep:
            ids = batch.frame["id"].drop_nulls().unique()
            found = proof.actual.records(ids, columns) if ids.len() else _no_records(columns)
        if table is not None:
            keys.add(batch.frame, found)
            table.add(batch.frame)
            mark = _spend(seconds, "keys", mark, clock)
        if "fields" in levels:
            fields.add(batch.frame, found)
            mark = _spend(seconds, "fields", mark, clock)
        if progress is not None:
            progress(proof.facts.mapping, batch.source_rows)
    passed: list[Check] = []
    if "accounting" in levels:
        passed.extend(accounting.checks(proof.facts, book))
    if "keys" in levels:
        passed.append(keys.check())
    if "fields" in levels:
        passed.append(fields.check())
    return [*(replace(check, seconds=round(getattr(seconds, check.level), 3)) for check in passed), *made]


def _own_checks(
    proof: MappingProof, levels: tuple[str, ...], book: FindingBook, clock: Callable[[], float]
) -> list[Check]:
    """Make the checks that read for themselves: controls and children."""
    asked: list[Callable[[], Check]] = []
    if "controls" in levels:
        asked += [partial(check_control, control, proof.facts, book) for control in proof.controls]
    if "children" in levels:
        asked += [partial(check_children, child, proof, book) for child in proof.children]
    made = []
    for ask in asked:
        started = clock()
        made.append(replace(ask(), seconds=round(clock() - started, 3)))
    return made


def _spend(seconds: _Seconds, level: str, mark: float, clock: Callable[[], float]) -> float:
    now = clock()
    setattr(seconds, level, getattr(seconds, level) + now - mark)
    return now


def _no_records(columns: Sequence[str]) -> pl.DataFrame:
    known = {"id": pl.String, "edited": pl.Boolean, "settled": pl.Boolean}
    return pl.DataFrame(schema={**known, **dict.fromkeys(columns, pl.String)})


def _groups(books: Iterable[FindingBook]) -> list[FindingGroup]:
    return [group for book in books for group in book.groups()]
