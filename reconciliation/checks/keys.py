"""Level keys: each source key has its record or its reason, and no record of the target lacks a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import polars as pl

from reconciliation.findings import Example, FindingBook, GroupKey, Watched
from reconciliation.hashes import Hashes, distinct, without
from reconciliation.kept_findings import KeptFindings
from reconciliation.sides import ExpectedBatch, Facts, MappingProof
from reconciliation.verdict import Check, outcome_of

TO_TARGET, TO_SOURCE = "keys.source_to_target", "keys.target_to_source"

_LOADS = pl.col("outcome").is_in(["record", "merged"])
_IN_TARGET = ("loaded", "merged", "stale")
"""States that claim a record in the target."""
_AGREES = {
    "rejected": ("rejected", "stale"),
    "parked": ("parked", "stale"),
    "out_of_scope": ("out_of_scope", "gone"),
    "deferred": ("deferred",),
    "late": ("late", "loaded", "merged"),
}
"""For an outcome without a record: the states of the id map that say the same."""


class KeysToTarget:
    """Follows every source row of one mapping to its record or its reason."""

    def __init__(self, proof: MappingProof, book: FindingBook) -> None:
        self._proof, self._book = proof, book
        self._rows = self._found = self._moved_on = 0
        self._explained: dict[str, int] = {}
        self._records = Hashes()

    def add(self, batch: ExpectedBatch, rows: pl.DataFrame) -> None:
        """Judge the rows of one batch, beside the records of the target (`reconciliation.reading.beside`)."""
        self._rows += rows.height
        self._found += int(rows["_present"].sum())
        self._records.add(rows.filter(pl.col("outcome") == "record")["id"].drop_nulls().hash())
        self._judge(batch.standing(rows.filter(~(_LOADS & pl.col("_present")))))

    def add_found(self, rows: int) -> None:
        """Count rows that have their record."""
        self._rows += rows
        self._found += rows

    def _judge(self, rows: pl.DataFrame) -> None:
        """Judge rows that lack their record, or should have none."""
        rows = rows.with_columns(pl.col("moved_on").fill_null(False))
        held = self._held_elsewhere(rows)
        rows = rows.with_columns(_cause(pl.col("id").is_in(held.implode())).alias("_cause"))
        self._count_explained(rows)
        moved, explained = pl.col("_cause") == "source moved on", pl.col("_cause").str.starts_with("explained")
        self._moved_on += rows.filter(moved).height
        self._keep(rows.filter(pl.col("_cause").is_not_null() & ~moved & ~explained))

    def check(self) -> Check:
        """Return the answer for this mapping."""
        if len(self._records):
            twice = len(self._records) - distinct(self._records)
            self._book.add(GroupKey(TO_TARGET, None, "record twice"), twice, lambda _room: [])
        facts, findings = self._proof.facts, self._book.count(TO_TARGET)
        outcome = outcome_of(findings, self._rows)
        return Check(
            check=TO_TARGET, level="keys", mapping=facts.mapping, target=facts.target, outcome=outcome,
            compared_source=self._rows, compared_target=self._found, moved_on=self._moved_on, findings=findings,
            explained=dict(sorted(self._explained.items())), meaning=facts.meaning,
            reason="nothing_to_compare" if outcome == "not_applicable" else None,
        )  # fmt: skip

    def _held_elsewhere(self, rows: pl.DataFrame) -> pl.Series:
        """Return the ids whose unique value another record of the target really holds, as the ledger says."""
        refused = rows.filter(
            (pl.col("outcome") == "record") & ~pl.col("_present") & (pl.col("state") == "rejected").fill_null(False)
        )
        if refused.is_empty():
            return pl.Series("id", [], dtype=pl.String)
        names = [column.name for column in self._proof.columns]
        holders = self._proof.actual.holders(refused.select("id", *names))
        return holders.filter(pl.col("holder") != pl.col("id"))["id"].unique()

    def _count_explained(self, rows: pl.DataFrame) -> None:
        without = rows.filter(
            (pl.col("_cause").is_null() & ~pl.col("_present")) | pl.col("_cause").str.starts_with("explained")
        )
        named = without.select(
            pl.when(pl.col("_cause").is_null()).then(pl.col("outcome"))
            .otherwise(pl.col("_cause").str.strip_prefix("explained: ")).alias("name")
        )  # fmt: skip
        for name, count in named.group_by("name").len().iter_rows():
            self._explained[name] = self._explained.get(name, 0) + count

    def _keep(self, bad: pl.DataFrame) -> None:
        for (cause, outcome, state), part in bad.group_by("_cause", "outcome", "state", maintain_order=True):
            group = GroupKey(TO_TARGET, None, str(cause), f"{outcome} / {state or 'unknown'}")
            self._book.add(group, part.height, partial(self._examples, part))

    def _examples(self, part: pl.DataFrame, room: int) -> Iterable[Example]:
        for key, outcome, present in part.select("_key", "outcome", "_present").head(room).iter_rows():
            shown = () if key is None else self._proof.mask_key(key)
            yield Example(shown, outcome, "record" if present else None)


def _cause(held: pl.Expr) -> pl.Expr:
    loads = _LOADS
    present, moved, state = pl.col("_present"), pl.col("moved_on"), pl.col("state")
    agrees = pl.lit(False)
    for outcome, states in _AGREES.items():
        agrees = agrees | ((pl.col("outcome") == outcome) & state.is_in(states))
    return (
        pl.when(loads & present).then(None)
        .when(loads & state.is_in(_IN_TARGET)).then(pl.lit("record missing"))
        .when(loads & moved).then(pl.lit("source moved on"))
        .when(loads & state.is_null()).then(pl.lit("not loaded"))
        .when(loads & held).then(pl.lit("explained: unique-taken"))
        .when(loads & (state == "conflict")).then(pl.lit("conflict"))
        .when(loads).then(pl.lit("should have loaded"))
        .when(pl.col("outcome") == "late").then(pl.lit("explained: late"))
        .when(present & (pl.col("outcome") == "deferred") & ~state.is_in(_IN_TARGET))
        .then(pl.lit("explained: deferred, kept"))
        .when(present & (state == "stale")).then(pl.lit("stale record"))
        .when(present & moved).then(pl.lit("source moved on"))
        .when(present & (state == "gone")).then(pl.lit("explained: gone, kept"))
        .when(present & (state == "out_of_scope") & (pl.col("outcome") == "out_of_scope"))
        .then(pl.lit("explained: left the scope, kept"))
        .when(present).then(pl.lit("record without a reason"))
        .when(pl.col("reason").is_null()).then(pl.lit("no reason"))
        .when(state.is_null() | moved | agrees).then(None)
        .otherwise(pl.lit("outcome differs"))
    )  # fmt: skip


class KeysToSource:
    """Follows every record of one target table back to a source row."""

    def __init__(self, kept: KeptFindings | None = None, watched: Watched | None = None) -> None:
        self._kept = kept
        self._watched = watched or {}
        self._seen, self._of_last = Hashes(), Hashes()
        """Ids that the source explains: of all mappings, and of the one that was added last."""
        self._held: Hashes | None = None
        self._proofs: dict[str, MappingProof] = {}
        self._books: dict[str, FindingBook] = {}

    def add_proof(self, proof: MappingProof, book: FindingBook) -> None:
        """Take part in the check of the table with one more mapping."""
        self._proofs[proof.facts.mapping] = proof
        self._books[proof.facts.mapping] = book
        self._of_last = Hashes()

    def add(self, ids: pl.Series) -> None:
        """Remember which ids the source explains."""
        self.add_hashes(ids.drop_nulls().hash())

    def add_hashes(self, hashes: pl.Series) -> None:
        """Remember their hashes, such as `of_last` returned in an earlier reconciliation."""
        self._seen.add(hashes)
        self._of_last.add(hashes)

    def add_all(self, hashes: Hashes) -> None:
        """Remember a set of hashes."""
        for piece in hashes.pieces():
            self.add_hashes(piece)

    @property
    def of_last(self) -> Iterator[pl.Series]:
        """The hashes of the ids that the mapping explains that was added last, piece by piece."""
        return self._of_last.pieces()

    @property
    def held(self) -> Hashes:
        """The hashes of all ids of the table, which is read once for them."""
        if self._held is None:
            self._held = Hashes()
            for page in list(self._proofs.values())[-1].actual.ids():
                self._held.add(page["id"].hash())
        return self._held

    def check(self) -> tuple[Check, FindingBook]:
        """Read all ids of the table and return the answer with the book that holds the findings without a mapping."""
        last = list(self._proofs.values())[-1]
        facts = last.facts
        names = " + ".join(self._proofs)
        book = self._books[facts.mapping] if len(self._proofs) == 1 else self._book_of_table(names, facts)
        explained = {"gone, kept": 0, "of a mapping not asked for": 0}
        others = [name for name in last.table_mappings if name not in self._proofs]
        stray = without(self.held, self._seen)
        seen, total = distinct(self._seen), len(self.held)
        for ids in last.actual.ids() if stray.len() else ():
            strays = last.actual.origins(ids["id"].filter(ids["id"].hash().is_in(stray.implode())))
            other = pl.col("mapping").is_in(others).fill_null(False)
            explained["of a mapping not asked for"] += strays.filter(other).height
            mine = strays.filter(~other)
            kept = (pl.col("state") == "gone").fill_null(False) & pl.col("mapping").is_in(list(self._proofs))
            explained["gone, kept"] += mine.filter(kept).height
            self._keep(mine.filter(~kept), book)
        findings = book.count(TO_SOURCE)
        if len(self._proofs) > 1:
            findings += sum(each.count(TO_SOURCE) for each in self._books.values())
        outcome = outcome_of(findings, total - explained["of a mapping not asked for"])
        return Check(
            check=TO_SOURCE, level="keys", mapping=names, target=facts.target, outcome=outcome,
            compared_source=seen, compared_target=total - explained["of a mapping not asked for"],
            findings=findings, explained={name: count for name, count in explained.items() if count},
            meaning=facts.meaning if len(self._proofs) == 1 else "",
            reason="nothing_to_compare" if outcome == "not_applicable" else None,
        ), book  # fmt: skip

    def kept(self) -> Iterator[pl.DataFrame]:
        """Yield the ids of records that a mapping asked for made, and whose rows are gone."""
        last = list(self._proofs.values())[-1]
        stray = without(self.held, self._seen)
        for ids in last.actual.ids() if stray.len() else ():
            gone = (pl.col("state") == "gone").fill_null(False) & pl.col("mapping").is_in(list(self._proofs))
            yield last.actual.origins(ids["id"].filter(ids["id"].hash().is_in(stray.implode()))).filter(gone)

    def _book_of_table(self, names: str, facts: Facts) -> FindingBook:
        watched = self._watched.get(names, frozenset())
        return FindingBook(names, facts.target, facts.owner, kept=self._kept, watched=watched)

    def _keep(self, strays: pl.DataFrame, book: FindingBook) -> None:
        for (mapping,), part in strays.group_by("mapping", maintain_order=True):
            known = self._proofs.get(str(mapping))
            where = book if known is None else self._books[str(mapping)]
            cause = "made in target" if mapping is None else "record without a source row"
            examples = partial(_strays, part, None if known is None else known.mask_key)
            where.add(GroupKey(TO_SOURCE, None, cause), part.height, examples)


def _strays(part: pl.DataFrame, mask_key: Callable[[str], tuple[str, ...]] | None, room: int) -> Iterable[Example]:
    for target_id, key in part.select("id", "key").head(room).iter_rows():
        shown = (target_id,) if mask_key is None or key is None else mask_key(key)
        yield Example(shown, None, target_id)
