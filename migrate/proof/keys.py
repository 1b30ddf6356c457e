"""Keys followed without reading whole rows, where each row makes a record of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from casemodel import record_id
from migrate.ledger.tables import ledger_table
from migrate.pipeline.keys import PASS_ROWS
from migrate.pipeline.reading import StraightReading
from migrate.proof.expected import SourceAgain
from reconciliation import ExpectedBatch, KeysProof


@dataclass(frozen=True)
class KeysAgain:
    """The keys of one mapping, read again by themselves."""

    side: SourceAgain

    def proof(self) -> KeysProof | None:
        """Return what the judge follows; None where a row's key does not tell which record it makes."""
        side, mapping = self.side, self.side.mapping
        relation = side.source.relation(mapping.relation)
        one_to_one = (
            side.source.keyed
            and relation.key_is_unique
            and tuple(mapping.key) == relation.primary_key
            and mapping.preparation.unpivot is None
            and not (mapping.group or mapping.group_is_wide or mapping.key_is_group)
            and side.shared is None
            and not side.adopted
            and mapping.name not in side.waves.members
            and side.sample is None
        )
        return KeysProof(pages=self._pages, unsettled=self._unsettled, rows=self._rows) if one_to_one else None

    def _pages(self) -> Iterator[pl.DataFrame]:
        mapping = self.side.mapping
        for frame in self.side.source.columns(mapping.relation, mapping.key_columns, PASS_ROWS):
            yield self._with_ids(frame)

    def _with_ids(self, frame: pl.DataFrame) -> pl.DataFrame:
        mapping = self.side.mapping
        made = record_id(self.side.namespace, mapping.target, mapping.id_name, pl.col("_key"))
        return mapping.keys_only(frame).with_columns(made.alias("id"))

    def _unsettled(self, most: int) -> pl.Series:
        id_map = ledger_table(self.side.target.dialect, "id_map")
        statement = sa.select(id_map.c.source_key).where(
            id_map.c.mapping_id == self.side.number, id_map.c.state != "loaded"
        )
        return self.side.target.query(statement.limit(most), ("key",))["key"]

    def _rows(self, ids: pl.Series, keys: pl.Series) -> Iterator[ExpectedBatch]:
        mapping, source = self.side.mapping, self.side.source
        wanted = pl.col("id").hash().is_in(ids.implode()) | pl.col("_key").is_in(keys.implode())
        refs = [pl.Series("_ref", [], dtype=pl.String)]
        for frame in source.columns(mapping.relation, (*mapping.key_columns, "_ref"), PASS_ROWS):
            refs.append(self._with_ids(frame).with_columns(frame["_ref"]).filter(wanted)["_ref"])
        reading = StraightReading(source, mapping, self.side.batch_rows)
        try:
            for prepared in reading.again(pl.concat(refs)):
                yield self.side.batch(prepared)
        finally:
            reading.close()
