"""Level children: each record has the children that its source rows had, no more, no less, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from reconciliation.findings import Example, FindingBook, GroupKey
from reconciliation.sides import ChildProof, MappingProof
from reconciliation.verdict import Check, outcome_of

RECORDS = "children.records"
_NOT_WRITTEN = ("rejected", "conflict")
"""States of a row that maps and is not in the target: the target refused it, which the level keys looks at."""


@dataclass
class _Counted:
    """What both sides have (16 bytes a child on each): hashes of the parent's and the child's ids."""

    expected: list[pl.DataFrame] = field(default_factory=list)
    apart: list[pl.Series] = field(default_factory=list)
    """Children that the source row now excuses: it changed since its load, or it gives no record any more."""
    found: list[pl.DataFrame] = field(default_factory=list)
    explained: dict[str, int] = field(default_factory=dict)
    moved_on: int = 0

    def explain(self, name: str, count: int) -> None:
        """Count what has a reason."""
        if count:
            self.explained[name] = self.explained.get(name, 0) + count


def check_children(child: ChildProof, proof: MappingProof, book: FindingBook) -> Check:
    """Compare the children of every record of a mapping with the rows that the source has for it."""
    counted = _Counted()
    for batch in child.source():
        _of_source(batch, counted)
    none = pl.DataFrame(schema={"parent": pl.UInt64, "child": pl.UInt64})
    expected = pl.concat([none, *counted.expected]).unique()
    apart = pl.concat([none["child"], *counted.apart]).unique()
    expected = expected.filter(~pl.col("child").is_in(apart.implode()))
    for batch in child.target():
        _of_target(batch, child, expected["child"], apart, counted)
    found = pl.concat([none, *counted.found])
    wrong = _wrong(expected, found)
    if wrong.height:
        named = wrong.join(_names(wrong["parent"], child, proof), on="parent", how="left", maintain_order="left")
        for (cause,), part in named.group_by("_cause", maintain_order=True):
            group, moved = GroupKey(RECORDS, None, str(cause), child.mapping), int(part["_moved"].sum())
            likely = [("moved to another record", moved)] if moved else []
            book.add(group, part.height, partial(_examples, proof, part), likely)
    facts = proof.facts
    outcome = outcome_of(wrong.height, max(expected.height, found.height))
    return Check(
        check=RECORDS, level="children", mapping=facts.mapping, target=facts.target, about=child.mapping,
        outcome=outcome, compared_source=expected.height, compared_target=found.height, moved_on=counted.moved_on,
        findings=wrong.height, explained=dict(sorted(counted.explained.items())), meaning=facts.meaning,
        reason="nothing_to_compare" if outcome == "not_applicable" else None,
    )  # fmt: skip


def _of_source(batch: pl.DataFrame, counted: _Counted) -> None:
    """Count the rows of one batch; rows that share a record are one child."""
    refused = (pl.col("outcome") == "record") & pl.col("state").is_in(list(_NOT_WRITTEN)).fill_null(False)
    gives = pl.col("outcome").is_in(["record", "merged"]) & ~refused & pl.col("id").is_not_null()
    moved = pl.col("moved_on").fill_null(False)
    reason = (
        pl.when(moved).then(pl.lit("source moved on"))
        .when(refused).then(pl.lit("not written"))
        .when(~gives).then(pl.col("outcome"))
        .when(pl.col("parent_id").is_null()).then(pl.lit("without a parent"))
    )  # fmt: skip
    rows = batch.with_columns(reason.alias("_reason"))
    excused = rows.filter(pl.col("_reason").is_not_null())
    counted.apart.append(excused["id"].drop_nulls().hash())
    for name, count in excused.group_by("_reason").len().iter_rows():
        if name == "source moved on":
            counted.moved_on += count
        else:
            counted.explain(name, count)
    counted.expected.append(
        rows.filter(pl.col("_reason").is_null()).select(
            pl.col("parent_id").hash().alias("parent"), pl.col("id").hash().alias("child")
        )
    )


def _of_target(
    batch: pl.DataFrame, child: ChildProof, expected: pl.Series, apart: pl.Series, counted: _Counted
) -> None:
    """Count the records of one page that are children of this kind."""
    rows = batch.filter(pl.col("parent_id").is_not_null()).with_columns(pl.col("id").hash().alias("child"))
    ours = pl.col("child").is_in(expected.implode())
    rows = rows.filter(ours | ~pl.col("child").is_in(apart.implode()))
    others = rows.filter(~ours)
    if others.height:
        others = others.join(child.origins(others["id"]), on="id", how="left", maintain_order="left")
        mine = (pl.col("mapping") == child.mapping).fill_null(False)
        gone = mine & (pl.col("state") == "gone").fill_null(False)
        counted.explain("gone, kept", others.filter(gone).height)
        counted.explain("made in target", others.filter(pl.col("mapping").is_null()).height)
        rows = pl.concat([rows.filter(ours), others.filter(mine & ~gone).select(rows.columns)])
    counted.found.append(rows.select(pl.col("parent_id").hash().alias("parent"), "child"))


def _wrong(expected: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return ``parent``, ``expected``, ``found`` and ``_cause`` of the records whose children differ.

    ``_moved`` tells that a child that one record lacks is one too many under another.
    """
    lacking = expected.join(found, on=["parent", "child"], how="anti")
    beyond = found.join(expected, on=["parent", "child"], how="anti")
    here, there = lacking.join(beyond, on="child", how="semi"), beyond.join(lacking, on="child", how="semi")
    moved = pl.concat([here["parent"], there["parent"]]).unique()
    missing = lacking.group_by("parent").agg(pl.len().alias("lacks"))
    more = beyond.group_by("parent").agg(pl.len().alias("extra"))
    wrong = missing.join(more, on="parent", how="full", coalesce=True).sort("parent")
    for name, side in (("expected", expected), ("found", found)):
        counts = side.join(wrong.select("parent"), on="parent", how="semi").group_by("parent").agg(pl.len().alias(name))
        wrong = wrong.join(counts, on="parent", how="left", maintain_order="left")
    return wrong.select(
        "parent",
        pl.col("expected").fill_null(0),
        pl.col("found").fill_null(0),
        pl.when(pl.col("extra").is_null()).then(pl.lit("child missing"))
        .when(pl.col("lacks").is_null()).then(pl.lit("child too many"))
        .otherwise(pl.lit("other children")).alias("_cause"),
        pl.col("parent").is_in(moved.implode()).alias("_moved"),
    )  # fmt: skip


def _names(parents: pl.Series, child: ChildProof, proof: MappingProof) -> pl.DataFrame:
    """Return ``parent``, ``key`` and ``id`` of the records: from the children's rows, else as the id map knows them."""
    pages = [pl.DataFrame(schema={"parent": pl.UInt64, "key": pl.String, "id": pl.String})]
    for batch in child.source():
        named = batch.select(
            pl.col("parent_id").hash().alias("parent"), pl.col("parent").alias("key"), pl.col("parent_id").alias("id")
        )
        pages.append(named.filter(pl.col("parent").is_in(parents.implode())).unique("parent"))
    for page in proof.actual.ids():
        asked = page["id"].filter(page["id"].hash().is_in(parents.implode()))
        if asked.len():
            known = pl.when(pl.col("mapping") == proof.facts.mapping).then("key").alias("key")
            here = proof.actual.origins(asked).select(pl.col("id").hash().alias("parent"), known, "id")
            pages.append(here)
    return pl.concat(pages).unique("parent", keep="first", maintain_order=True)


def _examples(proof: MappingProof, part: pl.DataFrame, room: int) -> Iterable[Example]:
    for key, record, expected, found in part.select("key", "id", "expected", "found").head(room).iter_rows():
        shown = proof.mask_key(key) if key is not None else () if record is None else (record,)
        yield Example(shown, str(expected), str(found))
