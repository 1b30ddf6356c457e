"""Level distribution: how the records of a table are divided, as the sources give them and as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import polars as pl

from reconciliation.findings import Example, FindingBook, GroupKey
from reconciliation.sides import DimensionProof, ExpectedBatch, MappingProof
from reconciliation.verdict import Check, Distribution, DistributionGroup, outcome_of

GROUPS = "distribution.groups"
SMALL, EMPTY = "small groups", "no value"
"""How they are called where a group has its name."""
FEW = 5
"""Smaller groups are shown as one: who reads them might know who it is."""
_TIME = ("year", "month")
_NOT_WRITTEN = ("rejected", "conflict")


class Distributions:
    """Counts the records of one table by each of its dimensions (8 bytes a record, and a row per value)."""

    def __init__(self, dimensions: Sequence[DimensionProof]) -> None:
        self._dimensions = tuple(dimensions)
        self._expected: dict[str, list[pl.DataFrame]] = {each.by: [] for each in self._dimensions}
        self._apart: dict[str, list[pl.DataFrame]] = {each.by: [] for each in self._dimensions}
        self._earlier = self._ids = pl.Series("id", [], dtype=pl.UInt64)
        self._left_out = 0
        self._proofs: list[MappingProof] = []

    @property
    def columns(self) -> list[str]:
        """The columns of the table that divide it."""
        return list(dict.fromkeys(each.column for each in self._dimensions))

    @property
    def mappings(self) -> str:
        """The mappings that take part, joined as checks of tables are named."""
        return " + ".join(proof.facts.mapping for proof in self._proofs)

    def add_proof(self, proof: MappingProof) -> None:
        """Take part with one more mapping."""
        self._earlier, self._proofs = self._ids, [*self._proofs, proof]

    def add(self, batch: ExpectedBatch, rows: pl.DataFrame) -> None:
        """Count one batch, beside the records of the target: what its rows give, and what cannot be compared."""
        settled = self._proofs[-1].actual.settled(rows.filter("_present")["id"])
        absent = [pl.lit(None, pl.String).alias(name) for name in self.columns if name not in rows.columns]
        rows = batch.standing(rows.with_columns(absent))
        excused = (
            pl.col("moved_on").fill_null(False)
            | pl.col("id").is_in(settled.implode()).fill_null(False)
            | ((pl.col("outcome") == "record") & pl.col("state").is_in(_NOT_WRITTEN).fill_null(False))
        )
        rows = rows.with_columns(
            (excused | ~pl.col("outcome").is_in(["record", "merged"])).alias("_excused"),
            pl.col("id").hash().is_in(self._earlier.implode()).alias("_counted"),
        )
        counted = rows.filter((pl.col("outcome") == "record") & ~pl.col("_excused") & ~pl.col("_counted"))
        once = rows.filter(pl.col("_excused") & ~pl.col("_counted") & pl.col("_present"))
        once = once.unique("id", maintain_order=True).join(counted.select("id"), on="id", how="anti")
        self._left_out += once.height
        for each in self._dimensions:
            self._expected[each.by].append(_counts(counted, each.column, each))
            self._apart[each.by].append(_counts(once, f"{each.column}:found", each))
        self._ids = pl.concat([self._ids, counted["id"].hash(), once["id"].hash()])

    def state(self) -> dict[str, pl.DataFrame]:
        """Return what was counted so far, for `restore`."""
        empty = pl.DataFrame(schema={"value": pl.String, "n": pl.Int64})
        counts = {"expected": self._expected, "apart": self._apart}
        frames = {f"{side}:{by}": pl.concat([empty, *parts]) for side, of in counts.items() for by, parts in of.items()}
        return frames | {"ids": self._ids.to_frame("id"), "left_out": pl.DataFrame({"n": [self._left_out]})}

    def restore(self, state: Mapping[str, pl.DataFrame]) -> None:
        """Go on from what `state` returned in an earlier reconciliation."""
        for each in self._dimensions:
            self._expected[each.by], self._apart[each.by] = [state[f"expected:{each.by}"]], [state[f"apart:{each.by}"]]
        self._ids, self._left_out = state["ids"]["id"], int(state["left_out"]["n"][0])

    def leave_out(self, kept: Iterable[pl.DataFrame]) -> None:
        """Leave records out that a mapping made and whose rows are gone: their ``id``, page by page."""
        for page in kept:
            there = self._proofs[-1].actual.records(page["id"], self.columns)
            self._left_out += there.height
            for each in self._dimensions:
                self._apart[each.by].append(_counts(there, each.column, each))

    def checks(self, book: FindingBook) -> Iterable[tuple[Check, Distribution | None]]:
        """Ask the target, and yield the answer per dimension."""
        last = self._proofs[-1].facts
        names = [proof.facts.mapping for proof in self._proofs]
        whole = set(self._proofs[-1].table_mappings) <= set(names)
        for each in self._dimensions:
            made = self._divided(each) if whole else None
            wrong = _wrong(made) if made else []
            book.add(GroupKey(GROUPS, None, "count differs", each.by), len(wrong), partial(_examples, wrong))
            records = sum(group.found for group in _all(made)) if made else 0
            expected = sum(group.expected for group in _all(made)) if made else 0
            outcome = outcome_of(len(wrong), max(records, expected))
            reason = "nothing_to_compare" if whole else "other_mappings"
            yield Check(
                check=GROUPS, level="distribution", mapping=" + ".join(names), target=last.target, about=each.by,
                outcome=outcome, compared_source=expected, compared_target=records,
                compared_values=len(_all(made)) if made else 0, findings=len(wrong),
                explained={"left out": self._left_out} if self._left_out and outcome != "not_applicable" else {},
                reason=reason if outcome == "not_applicable" else None,
                meaning=last.meaning if len(names) == 1 else "",
            ), made if outcome != "not_applicable" else None  # fmt: skip

    def _divided(self, each: DimensionProof) -> Distribution:
        empty = pl.DataFrame(schema={"value": pl.String, "n": pl.Int64})
        expected = _summed([empty, *self._expected[each.by]], "expected")
        apart = _summed([empty, *self._apart[each.by]], "apart")
        there = each.counts().select(pl.col("value").cast(pl.String), pl.col("n").cast(pl.Int64))
        found = _summed([empty, there], "found")
        both = expected
        for side in (found, apart):
            both = both.join(side, on="value", how="full", coalesce=True, nulls_equal=True)
        both = both.with_columns(pl.col("expected", "found", "apart").fill_null(0))
        both = both.with_columns(pl.col("found") - pl.col("apart"))
        if each.labels is not None:
            both = both.join(each.labels(), on="value", how="left")
            both = both.with_columns(pl.coalesce("label", "value").alias("value"))
        both = both.group_by("value").agg(pl.col("expected", "found").sum())
        both = both.filter((pl.col("expected") != 0) | (pl.col("found") != 0))
        return _folded(each, both, self._left_out)


def _counts(rows: pl.DataFrame, column: str, each: DimensionProof) -> pl.DataFrame:
    value = pl.col(column).cast(pl.String)
    value = value if each.length is None else value.str.head(each.length)
    return rows.group_by(value.alias("value")).agg(pl.len().cast(pl.Int64).alias("n"))


def _summed(parts: Sequence[pl.DataFrame], name: str) -> pl.DataFrame:
    return pl.concat(parts).group_by("value").agg(pl.col("n").sum().alias(name))


def _folded(each: DimensionProof, both: pl.DataFrame, left_out: int) -> Distribution:
    """Put small groups together, and groups in the order in which they are read."""
    none = both.filter(pl.col("value").is_null())
    named = both.filter(pl.col("value").is_not_null())
    few = pl.max_horizontal("expected", "found") < FEW
    small, large = named.filter(few), named.filter(~few)
    order = large.sort("value") if each.by in _TIME else large.sort("expected", "value", descending=[True, False])
    return Distribution(
        target=each.target, by=each.by, column=each.column,
        groups=tuple(DistributionGroup(*row) for row in order.select("value", "expected", "found").rows()),
        folded=small.height, small=_group(small), empty=_group(none), apart=left_out,
        small_differing=small.filter(pl.col("expected") != pl.col("found")).height,
    )  # fmt: skip


def _group(rows: pl.DataFrame) -> DistributionGroup | None:
    return DistributionGroup("", int(rows["expected"].sum()), int(rows["found"].sum())) if rows.height else None


def _all(made: Distribution) -> list[DistributionGroup]:
    return [*made.groups, *(each for each in (made.small, made.empty) if each is not None)]


def _wrong(made: Distribution) -> list[tuple[str, DistributionGroup]]:
    wrong = [(group.label, group) for group in made.groups if group.expected != group.found]
    if made.small is not None and made.small_differing:
        wrong.append((SMALL, made.small))
    if made.empty is not None and made.empty.expected != made.empty.found:
        wrong.append((EMPTY, made.empty))
    return wrong


def _examples(wrong: list[tuple[str, DistributionGroup]], room: int) -> list[Example]:
    return [Example((name,), str(group.expected), str(group.found)) for name, group in wrong[:room]]
