"""The keys-only pass before the first batch: duplicate keys, and keys that left the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from casemodel import Relation, Source
from mappings import CompiledMapping
from migrate.ledger.tables import ledger_table
from migrate.pipeline.context import LoadContext

PASS_ROWS = 200_000


@dataclass(frozen=True)
class Keys:
    """What a keys-only pass found.

    Args:
        duplicates: canonical keys that more than one row has.
        hashes: sorted 64-bit hashes of all keys, 8 bytes a row; None when no pass was needed.
    """

    duplicates: pl.Series
    hashes: pl.Series | None


def scan_keys(source: Source, relation: Relation, mapping: CompiledMapping, *, known: bool) -> Keys:
    """Read only the keys of a relation, in bounded memory.

    Args:
        known: whether the id map holds keys of this mapping already, of which some may have left the source.
    """
    if relation.key_is_unique and tuple(mapping.key) == relation.primary_key and not known:
        return Keys(pl.Series(dtype=pl.String), None)
    hashes = [pl.Series(dtype=pl.UInt64), *(frame["_key"].drop_nulls().hash() for frame in _keys(source, mapping))]
    sorted_hashes = pl.concat(hashes).sort()
    hashes.clear()
    # The same numbers twice, one place apart: no copy of them all is made.
    later = sorted_hashes.slice(1)
    doubled = later.filter(later == sorted_hashes.head(later.len())).unique()
    duplicates = pl.Series(dtype=pl.String)
    if doubled.len():
        # Two keys may share a hash: the second pass compares the keys themselves.
        suspects = [
            frame["_key"].drop_nulls().filter(frame["_key"].drop_nulls().hash().is_in(doubled.implode()))
            for frame in _keys(source, mapping)
        ]
        keys = pl.concat(suspects)
        duplicates = keys.filter(keys.is_duplicated()).unique()
    return Keys(duplicates, sorted_hashes)


def _keys(source: Source, mapping: CompiledMapping) -> Iterator[pl.DataFrame]:
    for frame in source.columns(mapping.relation, mapping.key_columns, PASS_ROWS):
        yield mapping.keys_only(frame)


def find_gone(context: LoadContext, mapping: str, keys: Keys) -> Iterator[pl.Series]:
    """Yield keys that the id map knows and the source no longer has, in batches."""
    id_map = ledger_table(context.target.dialect, "id_map")
    number = context.mapping_ids[mapping]
    hashes = keys.hashes
    if hashes is None:
        return
    after = ""
    while True:
        statement = (
            sa.select(id_map.c.source_key)
            .where(id_map.c.mapping_id == number, id_map.c.source_key > after, id_map.c.state != "gone")
            .order_by(id_map.c.source_key)
            .limit(PASS_ROWS)
        )
        page = context.target.query(statement, ("key",))["key"]
        if page.is_empty():
            return
        gone = _lacking(page, hashes)
        if gone.len():
            yield gone
        after = str(page[-1])


def _lacking(keys: pl.Series, hashes: pl.Series) -> pl.Series:
    """Return the keys of which the hash is not among sorted ones; a set of them all would be made for each page."""
    if hashes.is_empty():
        return keys
    own = keys.hash()
    nearest = hashes.gather(hashes.search_sorted(own, side="left").clip(upper_bound=hashes.len() - 1))
    return keys.filter(nearest != own)
