"""One pass over the rows of a mapping, for all levels that follow them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from reconciliation.checks.accounting import Accounting
from reconciliation.checks.distribution import Distributions
from reconciliation.checks.fields import Fields
from reconciliation.checks.keys import KeysToSource, KeysToTarget
from reconciliation.findings import FindingBook
from reconciliation.hashes import Hashes, distinct, without
from reconciliation.sides import ActualSide, ExpectedBatch, KeysProof, MappingProof
from reconciliation.verdict import Check

FOLLOWED = frozenset({"accounting", "keys", "fields", "distribution"})
"""Levels that follow the rows of the source."""
DEEP = FOLLOWED - {"accounting"}
"""Those that need the records of the target beside them."""
BY_VALUES = frozenset({"fields", "distribution"})
"""Those that need the values of all rows."""
_MOST_SHARE = 4
"""Where one row in so many is to be read whole, all are."""


class Reading:
    """What one pass over the rows of a mapping counts and finds.

    Args:
        table: follows the records of the table back; None: that is not asked.
        divided: divides the records of the table; None: that is not asked.
        clock: seconds.
    """

    def __init__(
        self, proof: MappingProof, book: FindingBook, levels: Collection[str], table: KeysToSource | None,
        divided: Distributions | None, clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._proof, self._book, self._levels, self._clock = proof, book, levels, clock
        self._accounting, self._keys, self._fields = Accounting(), KeysToTarget(proof, book), Fields(proof, book)
        self._table, self._divided = table, divided
        compared = [column.name for column in proof.columns] if "fields" in levels else []
        self._columns = list(dict.fromkeys([*compared, *(divided.columns if divided else ())]))
        self._spent = dict.fromkeys(("accounting", "keys", "fields", "distribution"), 0.0)
        self._mark = clock()

    def run(self, progress: Callable[[str, int], None] | None) -> None:
        """Follow all rows; reading the source counts for the accounting, waiting for the target for the keys."""
        if not BY_VALUES & set(self._levels) and self._proof.keys is not None and self._by_keys(self._proof.keys):
            return
        batches = self._proof.expected.batches(values=bool(DEEP & set(self._levels)))
        if not DEEP & set(self._levels):
            pairs: Iterable[tuple[ExpectedBatch, pl.DataFrame | None]] = ((batch, None) for batch in batches)
        else:
            pairs = _with_records(self._timed(batches), self._proof.actual, self._columns)
        for batch, found in pairs:
            self._accounting.add(batch)
            self._spend("accounting" if found is None else "keys")
            if found is not None:
                self._compare(batch, found)
            if progress is not None:
                progress(self._proof.facts.mapping, batch.source_rows)

    def _by_keys(self, keys: KeysProof) -> bool:
        """Follow the keys by themselves; return whether that could be done.

        Rows whose record is there and that the id map calls loaded are not read; the others are, and judged as ever.
        """
        facts, counted, ids = self._proof.facts, Accounting(), Hashes()
        for page in keys.pages():
            counted.add_keys(page["_key"], page.height)
            ids.add(page["id"].drop_nulls().hash())
        self._spend("accounting")
        rows = counted.source_rows
        whole = rows == len(ids) == distinct(ids) and facts.source_rows_now in (rows, None)
        if not whole or facts.loaded_meaning not in (facts.meaning, None):
            return False
        if self._table is not None:
            missing, most = without(ids, self._table.held), rows // _MOST_SHARE + 1
            odd = keys.unsettled(most)
            if missing.len() + odd.len() >= most:
                return False
            self._table.add_all(ids)
            read = 0
            for batch in keys.rows(missing, odd) if missing.len() or odd.len() else ():
                asked = batch.frame["id"].drop_nulls().unique()
                self._keys.add(batch, beside(batch.frame, _records(self._proof.actual, asked, ())))
                read += batch.frame.height
            self._keys.add_found(rows - read)
            self._spend("keys")
        self._accounting = counted
        return True

    def _timed(self, batches: Iterable[ExpectedBatch]) -> Iterator[ExpectedBatch]:
        for batch in batches:
            self._spend("accounting")
            yield batch

    def _compare(self, batch: ExpectedBatch, found: pl.DataFrame) -> None:
        rows = beside(batch.frame, found)
        if self._table is not None:
            self._table.add(batch.frame["id"])
        if self._divided is not None:
            self._divided.add(batch, rows)
            self._spend("distribution")
        if "keys" in self._levels:
            self._keys.add(batch, rows)
        self._spend("keys")
        if "fields" in self._levels:
            self._fields.add(batch, rows)
            self._spend("fields")

    def checks(self) -> list[Check]:
        """Return the answers for this mapping."""
        passed: list[Check] = []
        if "accounting" in self._levels:
            passed.extend(self._accounting.checks(self._proof.facts, self._book))
        if "keys" in self._levels:
            passed.append(self._keys.check())
        if "fields" in self._levels:
            passed.append(self._fields.check())
        return [replace(check, seconds=round(self._spent[check.level], 3)) for check in passed]

    @property
    def seconds_of_distribution(self) -> float:
        """What dividing the records took; it is a check of the whole table."""
        return self._spent["distribution"]

    def _spend(self, on: str) -> None:
        now = self._clock()
        self._spent[on], self._mark = self._spent[on] + now - self._mark, now


def beside(frame: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return rows of the source with ``_present``, and each column of their record as ``<name>:found``."""
    columns = [pl.col(name).alias(f"{name}:found") for name in found.columns if name != "id"]
    there = found.select("id", pl.lit(True).alias("_present"), *columns)
    rows = frame.join(there, on="id", how="left", maintain_order="left", nulls_equal=False)
    return rows.with_columns(pl.col("_present").fill_null(False))


def _with_records(
    batches: Iterable[ExpectedBatch], actual: ActualSide, columns: Sequence[str]
) -> Iterator[tuple[ExpectedBatch, pl.DataFrame]]:
    """Yield each batch with its records, which a thread reads while the next batch of the source is read and mapped."""
    with ThreadPoolExecutor(1, "omnicase-records") as reader:
        waiting: tuple[ExpectedBatch, Future[pl.DataFrame]] | None = None
        for batch in batches:
            ids = batch.frame["id"].drop_nulls().unique()
            asked = (batch, reader.submit(_records, actual, ids, columns))
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = asked
        if waiting is not None:
            yield waiting[0], waiting[1].result()


def _records(actual: ActualSide, ids: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
    if ids.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(["id", *columns], pl.String))
    return actual.records(ids, columns)
