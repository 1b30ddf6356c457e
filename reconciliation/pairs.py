"""Two relations compared row by row, by their keys, without a load between them (`reconcile pairs`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from reconciliation.checks.accounting import COUNT
from reconciliation.checks.fields import Fields
from reconciliation.checks.keys import TO_SOURCE, TO_TARGET
from reconciliation.findings import Example, FindingBook, GroupKey
from reconciliation.reading import beside
from reconciliation.sides import ExpectedBatch, MappingProof
from reconciliation.verdict import MINIMUM, Check, Verdict, decide, outcome_of

if TYPE_CHECKING:
    from reconciliation.kept_findings import KeptFindings

PAIR_DIFFERS = "pair differs"
ONLY_FIRST, ONLY_SECOND = "only in the first", "only in the second"
TWICE, WITHOUT_KEY = "key twice", "without a key"
FIRST, SECOND = "first", "second"
"""Which side a group of findings is about, where it may be either."""
_SIDES: dict[str, tuple[str | None, str | None]] = {
    ONLY_FIRST: ("record", None), ONLY_SECOND: (None, "record"), TWICE: ("record", "record"), WITHOUT_KEY: (None, None),
}  # fmt: skip
_NONE = {"edited": pl.Boolean, "settled": pl.Boolean}


@dataclass(frozen=True, slots=True)
class PairPart:
    """The rows of both sides whose keys belong together.

    first, second: ``_key`` (canonical text; NULL when a part of the key is) and the columns compared, as text.
    """

    first: pl.DataFrame
    second: pl.DataFrame


class NoLedger:
    """The actual side of a pair as `checks.Fields` asks it: no ledger knows of edits or of earlier values."""

    def edits(self, ids: pl.Series, keys: pl.Series | None = None) -> pl.DataFrame:
        """Return nothing: nobody is known to have edited anything."""
        return pl.DataFrame(schema={"id": pl.String, **_NONE})

    def previous(self, ids: pl.Series, columns: Iterable[str]) -> pl.DataFrame:
        """Return nothing: no earlier value is kept."""
        return pl.DataFrame(schema={"id": pl.String} | dict.fromkeys(columns, pl.Struct({"value": pl.String})))


def judge_pair(
    proof: MappingProof, parts: Iterable[PairPart], counts: tuple[int, int], kept: KeptFindings | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Verdict:  # fmt: skip
    """Compare two relations.

    Args:
        proof: what is compared; `differs` of it is `PAIR_DIFFERS`.
        parts: the rows of both sides, equal keys in one part.
        counts: how many rows each side has, counted by itself.
        kept: where all findings are kept.
    """
    book = FindingBook(proof.facts.mapping, proof.facts.target, proof.facts.owner, kept=kept)
    keys, fields, started = _Keys(proof, book), Fields(proof, book), clock()
    for part in parts:
        for batch, rows in keys.add(part):
            fields.add(batch, rows)
    checks = [*_counted(proof, book, keys.rows, counts), *keys.checks(), fields.check()]
    verdict = decide(MINIMUM, checks, book.groups())
    return _timed(verdict, clock() - started)


def _timed(verdict: Verdict, seconds: float) -> Verdict:
    from dataclasses import replace

    last = replace(verdict.checks[-1], seconds=round(seconds, 3))
    return replace(verdict, checks=(*verdict.checks[:-1], last))


class _Keys:
    """Follows the keys of each side to the other."""

    def __init__(self, proof: MappingProof, book: FindingBook) -> None:
        self._proof, self._book = proof, book
        self.rows, self._both = [0, 0], 0

    def add(self, part: PairPart) -> Iterator[tuple[ExpectedBatch, pl.DataFrame]]:
        """Count one part, and yield its rows beside those of the other side."""
        first, second = (self._once(frame, side) for side, frame in ((FIRST, part.first), (SECOND, part.second)))
        self.rows = [self.rows[0] + part.first.height, self.rows[1] + part.second.height]
        self._keep(first.join(second, on="_key", how="anti"), TO_TARGET, ONLY_FIRST, None)
        self._keep(second.join(first, on="_key", how="anti"), TO_SOURCE, ONLY_SECOND, None)
        frame = first.with_columns(
            pl.lit("record").alias("outcome"), pl.col("_key").alias("id"), pl.lit(None, pl.String).alias("reason"),
            pl.lit("loaded").alias("state"), pl.lit(False).alias("moved_on"),
        )  # fmt: skip
        rows = beside(frame, second.rename({"_key": "id"}))
        self._both += int(rows["_present"].sum())
        yield ExpectedBatch(frame, part.first.height), rows

    def _once(self, frame: pl.DataFrame, side: str) -> pl.DataFrame:
        """Return the first row of each key; the others cannot be compared, nor can rows without a key."""
        check = TO_TARGET if side == FIRST else TO_SOURCE
        known = frame.filter(pl.col("_key").is_not_null())
        self._keep(frame.filter(pl.col("_key").is_null()), check, WITHOUT_KEY, side)
        first = known.unique("_key", keep="first", maintain_order=True)
        if first.height < known.height:
            self._keep(known.filter(~pl.col("_key").is_first_distinct()), check, TWICE, side)
        return first

    def _keep(self, rows: pl.DataFrame, check: str, cause: str, side: str | None) -> None:
        self._book.add(GroupKey(check, None, cause, side), rows.height, partial(self._examples, rows, _SIDES[cause]))

    def _examples(self, rows: pl.DataFrame, sides: tuple[str | None, str | None], room: int) -> Iterable[Example]:
        for key in rows["_key"].head(room):
            yield Example(self._proof.mask_key(key) if key is not None else (), *sides)

    def checks(self) -> Iterable[Check]:
        """Return the answer of each side."""
        facts = self._proof.facts
        for check, rows in ((TO_TARGET, self.rows[0]), (TO_SOURCE, self.rows[1])):
            findings = self._book.count(check)
            outcome = outcome_of(findings, rows)
            yield Check(
                check=check, level="keys", mapping=facts.mapping, target=facts.target, outcome=outcome,
                compared_source=self.rows[0], compared_target=self.rows[1], findings=findings,
                reason="nothing_to_compare" if outcome == "not_applicable" else None, meaning=facts.meaning,
            )  # fmt: skip


def _counted(proof: MappingProof, book: FindingBook, rows: list[int], counts: tuple[int, int]) -> Iterable[Check]:
    """Hold what was read of each side against what it says that it has."""
    facts = proof.facts
    for side, read, counted in ((FIRST, rows[0], counts[0]), (SECOND, rows[1], counts[1])):
        example = Example((), str(counted), str(read))
        book.add(GroupKey(COUNT, None, "read count differs", side), int(read != counted), partial(_only, example))
    findings = book.count(COUNT)
    outcome = outcome_of(findings, max(counts))
    yield Check(
        check=COUNT, level="accounting", mapping=facts.mapping, target=facts.target, outcome=outcome,
        compared_source=counts[0], compared_target=counts[1], findings=findings, meaning=facts.meaning,
        reason="nothing_to_compare" if outcome == "not_applicable" else None,
    )  # fmt: skip


def _only(example: Example, _room: int) -> list[Example]:
    return [example]
