"""Level fields: every value, as the source mapped again gives it, against the value in the target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial

import polars as pl

from reconciliation.causes import likely_causes
from reconciliation.differences import difference_kind_expr
from reconciliation.findings import Example, FindingBook, GroupKey
from reconciliation.sides import ExpectedBatch, MappingProof
from reconciliation.tolerance import within_expr
from reconciliation.verdict import Check, outcome_of

VALUES = "fields.values"
EXPLAINED = 3
"""Differences of a group that show the way of their value, stage by stage."""
SETTLED = "settled: kept in target"
"""People chose for these records that the values of the target stay."""


class Fields:
    """Compares the records of one mapping, column by column."""

    def __init__(self, proof: MappingProof, book: FindingBook) -> None:
        self._proof, self._book = proof, book
        self._columns = {column.name: column for column in proof.columns}
        self._names = list(self._columns)
        self._ways: Counter[GroupKey] = Counter()
        self._tolerances = {
            name: each.tolerance for name, each in self._columns.items() if each.tolerance is not None
        }
        self._tolerated = dict.fromkeys(self._tolerances, 0)
        self._expected = self._compared = self._moved_on = self._settled = 0
        facts = proof.facts
        changed = facts.loaded_meaning is not None and facts.loaded_meaning != facts.meaning
        self._rest = "mapping changed" if changed else proof.differs

    def add(self, batch: ExpectedBatch, rows: pl.DataFrame) -> None:
        """Compare the values of one batch, beside those of the target (`reconciliation.reading.beside`).

        All are compared; what the ledger says of a row, and whether people edited it, is asked of those that differ.
        """
        records = rows.filter(pl.col("outcome") == "record")
        self._expected += records.height
        pairs = records.filter("_present")
        self._compared += pairs.height
        if pairs.is_empty() or not self._names:
            return
        differs = {name: pl.col(name).ne_missing(pl.col(f"{name}:found")) for name in self._names}
        if self._tolerances:
            differs = self._beyond(pairs, differs)
        sums = pairs.select(**{name: differs[name].sum() for name in self._names}).row(0, named=True)
        wrong = [name for name in self._names if sums[name]]
        if not wrong:
            return
        differing = self._with_causes(batch, pairs.filter(pl.any_horizontal([differs[name] for name in wrong])))
        self._moved_on += differing.filter(pl.col("_cause") == "source moved on").height
        self._settled += differing.filter(pl.col("_cause") == SETTLED).height
        counted = differing.filter(~pl.col("_cause").is_in(["source moved on", SETTLED]))
        before = self._proof.actual.previous(counted["id"], wrong).rename({name: _before(name) for name in wrong})
        counted = counted.join(before, on="id", how="left", maintain_order="left")
        for name in wrong:
            self._keep(name, counted.filter(differs[name]), pairs[name])

    def _with_causes(self, batch: ExpectedBatch, rows: pl.DataFrame) -> pl.DataFrame:
        edits = self._proof.actual.edits(rows["id"], rows["_key"])
        known = batch.standing(rows).join(edits, on="id", how="left", maintain_order="left")
        edited, moved, settled = (pl.col(name).fill_null(False) for name in ("edited", "moved_on", "settled"))
        return known.with_columns(_cause(settled, edited, moved, self._rest).alias("_cause"))

    def check(self) -> Check:
        """Return the answer for this mapping."""
        facts, findings = self._proof.facts, self._book.count(VALUES)
        values = self._compared * len(self._names)
        outcome = outcome_of(findings, values)
        return Check(
            check=VALUES, level="fields", mapping=facts.mapping, target=facts.target, outcome=outcome,
            compared_source=self._expected, compared_target=self._compared, compared_values=values,
            moved_on=self._moved_on, findings=findings, meaning=facts.meaning,
            tolerances={name: each.text for name, each in self._tolerances.items()}, tolerated=dict(self._tolerated),
            explained={SETTLED: self._settled} if self._settled else {},
            reason="nothing_to_compare" if outcome == "not_applicable" else None,
        )  # fmt: skip

    def _beyond(self, pairs: pl.DataFrame, differs: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
        """Return what differs by more than is tolerated, and count the rest."""
        within = {
            name: differs[name] & within_expr(name, f"{name}:found", most) for name, most in self._tolerances.items()
        }
        counts = pairs.select(each.sum().alias(name) for name, each in within.items())
        for name, count in counts.row(0, named=True).items():
            self._tolerated[name] += count
        return differs | {name: differs[name] & ~each for name, each in within.items()}

    def _keep(self, name: str, wrong: pl.DataFrame, expected: pl.Series) -> None:
        if wrong.is_empty():
            return
        kinds = wrong.with_columns(difference_kind_expr(name, f"{name}:found").alias("_kind"))
        for (cause, kind), part in kinds.group_by("_cause", "_kind", maintain_order=True):
            group = GroupKey(VALUES, name, str(cause), str(kind))
            likely = likely_causes(part, name, f"{name}:found", self._columns[name], expected, _before(name))
            self._book.add(group, part.height, partial(self._examples, name, group, part), likely)

    def _examples(self, name: str, group: GroupKey, part: pl.DataFrame, room: int) -> Iterable[Example]:
        mask, mask_key = self._proof.mask, self._proof.mask_key
        for key, expected, found in part.select("_key", name, f"{name}:found").head(room).iter_rows():
            shown = mask_key(key) if key is not None else ()
            yield Example(shown, mask(name, expected), mask(name, found), self._way(group, key, name))

    def _way(self, group: GroupKey, key: str | None, name: str) -> tuple[tuple[str, str], ...]:
        if key is None or self._ways[group] >= EXPLAINED:
            return ()
        self._ways[group] += 1
        return self._proof.stages(key, name)


def _before(name: str) -> str:
    return f"{name}:before"


def _cause(settled: pl.Expr, edited: pl.Expr, moved: pl.Expr, rest: str) -> pl.Expr:
    """Name the cause: an edit in the target weighs more than a source that moved on, a choice of people most."""
    return (
        pl.when(settled).then(pl.lit(SETTLED))
        .when(edited).then(pl.lit("edited in target"))
        .when(moved).then(pl.lit("source moved on"))
        .otherwise(pl.lit(rest))
    )  # fmt: skip
