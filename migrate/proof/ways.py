"""The way of a value that differs: what the source holds, and each stage of the mapping (promise 8)."""

from __future__ import annotations

import polars as pl

from mappings import CompiledMapping
from migrate.explain.row import Stage, stages_of
from migrate.pipeline.links import LedgerLinks
from migrate.proof.expected import SourceAgain
from migrate.shown import Shown

MOST_ROWS = 40
"""Rows of a mapping that are explained; each takes a run of the mapping with all its stages."""
_FROM = "from "


class Ways:
    """Explains rows of the batches that the source side of a mapping gave last."""

    def __init__(self, mapping: CompiledMapping, side: SourceAgain, links: LedgerLinks, shown: Shown) -> None:
        self._mapping, self._side, self._links, self._shown = mapping, side, links, shown
        self._rows: dict[str, tuple[tuple[Stage, ...], dict[str, str]]] = {}

    def stages(self, key: str, column: str) -> tuple[tuple[str, str], ...]:
        """Return the way of one value of one row, as `reconciliation.MappingProof.stages` says."""
        if key not in self._rows:
            if len(self._rows) >= MOST_ROWS:
                return ()
            self._rows[key] = self._explained(key)
        stages, source = self._rows[key]
        fields = _leading_to(column, stages)
        raw = self._mapping.fine().made_of.get(column, frozenset())
        way = [(f"column: {name}", source[name]) for name in sorted(raw) if name in source]
        for stage in stages:
            if stage.field in fields and stage.stage.removeprefix(_FROM) not in {*raw, *fields}:
                way.append((stage.stage, stage.value))
        return tuple(way)

    def _explained(self, key: str) -> tuple[tuple[Stage, ...], dict[str, str]]:
        prepared = next((each for each in self._side.prepared if (each["_key"] == key).any()), None)
        if prepared is None:
            return (), {}
        hit = prepared.filter(pl.col("_key") == key).head(1)
        if hit["_group"][0] is not None:
            same = (pl.col("_group") == hit["_group"][0]) & (pl.col("_row") != hit["_row"][0])
            hit = pl.concat([hit, prepared.filter(same)])
        source = {
            name: self._shown.value(value, personal=self._shown.personal(self._mapping, name))
            for name, value in hit.row(0, named=True).items()
            if not name.startswith("_") and (value is None or isinstance(value, str))
        }
        return stages_of(self._mapping, hit, self._links, self._shown), source


def _leading_to(column: str, stages: tuple[Stage, ...]) -> set[str]:
    """Return the column and the shared values that its stages begin with, however far back."""
    known = {stage.field for stage in stages}
    wanted, new = {column}, {column}
    while new:
        begun = [each.stage for each in stages if each.field in new and each.stage.startswith(_FROM)]
        named = {stage.removeprefix(_FROM) for stage in begun}
        new = (named & known) - wanted
        wanted |= new
    return wanted
