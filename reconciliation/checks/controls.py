"""Level controls: sums asked of both databases, in SQL that was written apart from the mapping's fields."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import polars as pl

from reconciliation.findings import Example, FindingBook, GroupKey
from reconciliation.sides import ControlProof, Facts
from reconciliation.tolerance import Tolerance, within_expr
from reconciliation.verdict import Check, outcome_of

TOTALS = "controls.totals"
_CLOSE = 1e-12
"""Share by which numbers with a fraction may differ: sums of the same amounts in another order."""


def check_control(control: ControlProof, facts: Facts, book: FindingBook) -> Check:
    """Run one control on both sides and compare its groups; while waves are on their way they cannot be equal."""
    if control.partial:
        return Check(
            check=TOTALS, level="controls", mapping=facts.mapping, target=facts.target, about=control.name,
            outcome="not_applicable", compared_source=0, compared_target=0, meaning=facts.meaning,
            reason="waves_on_way",
        )  # fmt: skip
    source, target = control.source(), control.target()
    pairs = _pairs(source, target)
    tolerated = _tolerated(pairs, control.tolerance)
    pairs = pairs.with_columns(pl.when(~tolerated).then(pl.col("_cause")).alias("_cause"))
    wrong = pairs.filter(pl.col("_cause").is_not_null())
    for (cause,), part in wrong.group_by("_cause", maintain_order=True):
        group = GroupKey(TOTALS, None, str(cause), control.name)
        book.add(group, part.height, partial(_examples, control, part))
    outcome = outcome_of(wrong.height, pairs.height)
    return Check(
        check=TOTALS, level="controls", mapping=facts.mapping, target=facts.target, about=control.name, outcome=outcome,
        compared_source=source.height, compared_target=target.height, compared_values=pairs.height,
        findings=wrong.height, meaning=facts.meaning,
        tolerances={control.name: control.tolerance.text} if control.tolerance else {},
        tolerated={control.name: int(tolerated.sum())} if control.tolerance else {},
        reason="nothing_to_compare" if outcome == "not_applicable" else None,
    )  # fmt: skip


def _pairs(source: pl.DataFrame, target: pl.DataFrame) -> pl.DataFrame:
    """Return ``g``, ``expected``, ``found`` and ``_cause`` (NULL: equal) of every group of either side."""
    sides = [_once(frame, name) for frame, name in ((source, "expected"), (target, "found"))]
    pairs = sides[0].join(sides[1], on="g", how="full", coalesce=True, nulls_equal=True, maintain_order="left_right")
    expected, found = pl.col("expected"), pl.col("found")
    twice = (pl.col("times_expected") > 1).fill_null(False) | (pl.col("times_found") > 1).fill_null(False)
    return pairs.with_columns(
        pl.when(twice).then(pl.lit("group twice"))
        .when(pl.col("times_found").is_null()).then(pl.lit("group missing"))
        .when(pl.col("times_expected").is_null()).then(pl.lit("group too many"))
        .when(~_equal(expected, found)).then(pl.lit("total differs"))
        .alias("_cause")
    )  # fmt: skip


def _tolerated(pairs: pl.DataFrame, tolerance: Tolerance | None) -> pl.Series:
    """Return which groups differ by no more than the control allows."""
    if tolerance is None:
        return pl.repeat(False, pairs.height, eager=True)
    differs = (pl.col("_cause") == "total differs").fill_null(False)
    return pairs.select(differs & within_expr("expected", "found", tolerance)).to_series()


def _once(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return each group once, with how often it came: a group that comes twice has no one total."""
    number = pl.col("n").str.strip_suffix(".0").first()
    return frame.group_by("g", maintain_order=True).agg(number.alias(name), pl.len().alias(f"times_{name}"))


def _equal(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    a, b = left.cast(pl.Float64, strict=False), right.cast(pl.Float64, strict=False)
    fraction = left.str.contains(".", literal=True) | right.str.contains(".", literal=True)
    close = (a - b).abs() <= _CLOSE * pl.max_horizontal(a.abs(), b.abs())
    return left.eq_missing(right) | (fraction & close).fill_null(False)


def _examples(control: ControlProof, part: pl.DataFrame, room: int) -> Iterable[Example]:
    for group, expected, found, there, here in (
        part.select("g", "expected", "found", "times_expected", "times_found").head(room).iter_rows()
    ):
        yield Example(
            (control.show_group(group),),
            control.show_number(expected) if there else None,
            control.show_number(found) if here else None,
        )
