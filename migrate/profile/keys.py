"""Which columns are keys, and in which keys of other relations the values of a column are found."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from casemodel import Source
from migrate.profile.findings import ForeignKey, RelationProfile
from migrate.profile.measure import KEY_ROWS, Measurement

_MOST_COMPOSED = 3
_COMPOSED_OF = 8
_ENOUGH = 0.9
_FEWEST = 3
_TELLING = 50
"""From so many different values on, being contained in a key says something without a like name."""
_COVERED = 0.2
_ALIKE = 0.75
_NO_KEY = ("", " ", "0", "-")
_BATCH = 50_000


@dataclass(frozen=True, slots=True)
class Key:
    """A single column that is a key, with the hashes of all its values."""

    relation: str
    column: str
    hashes: pl.Series


@dataclass(frozen=True, slots=True)
class Pointer:
    """A column that may point to a key: hashes of its different values, all of them or the smallest."""

    relation: str
    column: str
    hashes: pl.Series
    sampled: bool
    telling: bool
    """Whether being contained in a key says something even when the names differ: not so for counters and days."""


def composed_keys(measured: Measurement, source: Source) -> tuple[tuple[str, ...], ...]:
    """Return pairs and triples of columns that are a key where no column alone is: found in the sample, then proved."""
    rows = measured.rows
    if not 2 <= rows <= KEY_ROWS:
        return ()
    filled = [column for column in measured.columns if not column.nulls and column.distinct.count > 1]
    filled = sorted(filled, key=lambda column: -column.distinct.count)[:_COMPOSED_OF]
    for size in (2, 3):
        found = []
        for chosen in combinations(filled, size):
            names = tuple(column.name for column in measured.columns if column in chosen)
            sample = measured.sample(names)
            if sample.n_unique() == sample.height and _proved(source, measured.relation.name, names):
                found.append(names)
            if len(found) == _MOST_COMPOSED:
                break
        if found:
            return tuple(found)
    return ()


def _proved(source: Source, relation: str, names: tuple[str, ...]) -> bool:
    parts = [frame.select(pl.struct(pl.all()).hash(0)).to_series() for frame in source.columns(relation, names, _BATCH)]
    whole = pl.concat(parts)
    return whole.n_unique() == whole.len()


def keys_of(measured: Measurement, profile: RelationProfile) -> list[Key]:
    """Return the single-column keys of a relation, measured whole; a day that happens to be there once is none."""
    days = {column.name for column in profile.columns if column.dates}
    single = {key[0] for key in profile.candidate_keys if len(key) == 1} - days
    return [
        Key(measured.relation.name, column.name, pl.concat(column.hashes))
        for column in measured.columns
        if column.name in single and column.hashes
    ]


def pointers_of(measured: Measurement, profile: RelationProfile) -> list[Pointer]:
    """Return the columns of a relation that hold enough different values to point anywhere."""
    none = pl.Series(_NO_KEY).to_frame("v").select(pl.col("v").hash(0)).to_series().implode()
    found = []
    for column, said in zip(measured.columns, profile.columns, strict=True):
        hashes = column.distinct.hashes
        hashes = hashes.filter(~hashes.is_in(none))
        if hashes.len() < _FEWEST or said.dates:
            continue
        counter = any(each.kind in ("integer", "decimal") for each in said.kinds)
        telling = hashes.len() >= _TELLING and not counter and not said.unique
        found.append(Pointer(measured.relation.name, column.name, hashes, not column.distinct.exact, telling))
    return found


def read_key(source: Source, relation: str, column: str) -> Key | None:
    """Read the values of a key of a relation that is not profiled itself; None where they are too many."""
    if source.count(relation) > KEY_ROWS:
        return None
    parts = [frame.select(pl.col(column).hash(0)).to_series() for frame in source.columns(relation, [column], _BATCH)]
    return Key(relation, column, pl.concat(parts)) if parts else None


def foreign_keys(pointers: list[Pointer], keys: list[Key]) -> dict[tuple[str, str], tuple[ForeignKey, ...]]:
    """Return by relation and column the keys in which nearly all of its values are found, the likeliest first."""
    found: dict[tuple[str, str], list[tuple[float, ForeignKey]]] = {}
    for key in keys:
        sought = key.hashes.unique().sort()
        for pointer in pointers:
            if (pointer.relation, pointer.column) == (key.relation, key.column):
                continue
            places = sought.search_sorted(pointer.hashes).clip(0, sought.len() - 1)
            hits = int((sought.gather(places) == pointer.hashes).sum())
            share = hits / pointer.hashes.len()
            likeness = max(_likeness(pointer, key))
            telling = pointer.telling and hits >= _COVERED * sought.len()
            if share < _ENOUGH or not (likeness >= _ALIKE or telling):
                continue
            link = ForeignKey(key.relation, key.column, share, pointer.sampled)
            found.setdefault((pointer.relation, pointer.column), []).append((likeness + share, link))
    return {
        place: tuple(link for _, link in sorted(links, key=lambda each: (-each[0], each[1].relation))[:3])
        for place, links in found.items()
    }


def _likeness(pointer: Pointer, key: Key) -> Iterator[float]:
    """How alike the names are: of the two columns, and of the column and the relation it would point to."""
    yield difflib.SequenceMatcher(None, pointer.column.casefold(), key.column.casefold()).ratio()
    bare, relation = pointer.column.casefold(), key.relation.casefold()
    if len(bare) > 3 and (bare in relation or relation.rpartition("_")[2] in bare):
        yield 0.8
