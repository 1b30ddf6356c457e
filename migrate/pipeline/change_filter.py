"""The change filter: rows whose source and meaning equal their last load are not mapped again (promise 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
import sqlalchemy as sa

from migrate.ledger.tables import ledger_table
from migrate.pipeline.context import LoadContext
from migrate.pipeline.waits import SETTLED, moved_keys
from migrate.pipeline.waves import WaveRules, begun_keys

PRIOR = ("key", "prior_state", "prior_id", "prior_hash", "prior_wave", "wait_ref")
_SAID = PRIOR[1:-1]


@dataclass(frozen=True)
class Filtered:
    """The rows to map, and the count of those that are settled, by outcome."""

    todo: pl.DataFrame
    settled: dict[str, int]


def to_map_again(context: LoadContext, number: int) -> pl.Series:
    """Return the keys of rows of a mapping that are to be mapped although they did not change.

    What they wait for did, their wave is loaded now, or they look something up that was not in the target and may be
    there by now.
    """
    issue = ledger_table(context.target.dialect, "issue")
    in_vain = sa.select(issue.c.source_key).where(
        issue.c.mapping_id == number,
        issue.c.code.in_(["lookup-unknown", "lookup-ambiguous"]),
        issue.c.source_key.is_not(None),
    )
    looked_up = context.target.query(in_vain.distinct(), ("key",))["key"]
    begun = [begun_keys(context, number)] if context.waves.names else []
    return pl.concat([moved_keys(context, number), looked_up, *begun]).unique()


class ChangeFilter:
    """Compares rows with the id map.

    Args:
        context: the run.
        mapping: name of the mapping.
        grouped: rows with the same ``_group`` are mapped together or not at all.
    """

    def __init__(self, context: LoadContext, mapping: str, *, grouped: bool) -> None:
        self._context = context
        self._number = context.mapping_ids[mapping]
        self._grouped = grouped
        self._in_order = True
        self._listed: Callable[..., pl.DataFrame] | None = None
        dialect = context.target.dialect
        self._id_map, self._wait = ledger_table(dialect, "id_map"), ledger_table(dialect, "wait")
        mine = sa.select(self._id_map.c.source_key).where(self._id_map.c.mapping_id == self._number).limit(1)
        self.first_load = context.target.query(mine, ("key",)).is_empty()
        self._moved = pl.Series(dtype=pl.String)
        # The locator of a row that may have to be mapped again, although it does not change itself.
        shares = mapping in context.shared and self._number not in context.by_record
        self._kept_refs = ["linked", *(["contribution"] if shares else [])]
        if not self.first_load:
            self._moved = to_map_again(context, self._number)

    @property
    def moved(self) -> pl.Series:
        """Keys of rows that are to be mapped again although they did not change: what they wait for did."""
        return self._moved

    def prior(self, keys: pl.Series) -> pl.DataFrame:
        """Return what the id map says of keys: `PRIOR` columns (text), only for keys that it knows.

        ``wait_ref`` is the locator kept for a row that waits.  Keys that come in order are read as a range of the id
        map, which is several times faster than looking up each; others are staged and looked up.
        """
        wanted = keys.drop_nulls().unique()
        if self._in_order and not wanted.is_empty():
            most = 2 * wanted.len()
            found = self._between(low=str(wanted.min()), high=str(wanted.max()), most=most + 1)
            if found.height <= most:
                return found
            self._in_order = False
        asked = self._context.target.ask("row_keys", wanted.to_frame("key"))
        if self._listed is None:
            self._listed = self._context.target.prepare(
                self._known(self._id_map.c.source_key.in_(sa.select(asked.c.key))), PRIOR
            )
        return self._listed()

    @cached_property
    def _between(self) -> Callable[..., pl.DataFrame]:
        key = self._id_map.c.source_key
        within = sa.and_(key >= sa.bindparam("low"), key <= sa.bindparam("high"))
        limited = self._known(within).limit(sa.bindparam("most", type_=sa.Integer))
        return self._context.target.prepare(limited, PRIOR)

    def _known(self, which: sa.ColumnElement[bool]) -> sa.Select[Any]:
        id_map, wait = self._id_map, self._wait
        mine = sa.and_(wait.c.mapping_id == self._number, wait.c.source_key == id_map.c.source_key)
        wait_ref: sa.ColumnElement[str] = sa.select(wait.c.row_ref).where(mine).limit(1).scalar_subquery()
        for name in self._kept_refs:
            kept = ledger_table(self._context.target.dialect, name)
            same = sa.and_(kept.c.mapping_id == self._number, kept.c.source_key == id_map.c.source_key)
            wait_ref = sa.func.coalesce(wait_ref, sa.select(kept.c.row_ref).where(same).limit(1).scalar_subquery())
        said = (id_map.c.state, id_map.c.target_id, id_map.c.source_hash, id_map.c.wave)
        return sa.select(id_map.c.source_key, *said, wait_ref).where(id_map.c.mapping_id == self._number, which)

    def split(self, prepared: pl.DataFrame, duplicates: pl.Series, waves: WaveRules | None = None) -> Filtered:
        """Split prepared rows into those to map and those that are settled; a row that changed its wave is not.

        Adds what the id map says (``prior_state``, ``prior_id``, ``prior_hash``, ``prior_wave``) to the rows to map.
        """
        if self.first_load:
            return Filtered(prepared.with_columns(pl.lit(None, pl.String).alias(name) for name in _SAID), {})
        prior = self.prior(prepared["_key"])
        known = prepared.select("_row", "_key", "_hash", "_group", "_ref").join(
            prior, left_on="_key", right_on="key", how="left", maintain_order="left"
        )
        same = (
            (pl.col("prior_hash") == pl.col("_hash"))
            & pl.col("prior_state").is_in(list(SETTLED))
            & ~pl.col("_key").is_in(self._moved.implode())
            & (pl.col("wait_ref").is_null() | (pl.col("wait_ref") == pl.col("_ref")))
            & ~pl.col("_key").is_in(duplicates.implode())
        ).fill_null(False)
        if waves is not None:
            same &= ~pl.col("_row").is_in(waves.elsewhere(prepared, known).implode())
        known = known.with_columns(same.alias("same"))
        if self._grouped:
            known = known.with_columns(
                pl.col("same").all().over(pl.col("_group").fill_null("\x00" + pl.col("_row").cast(pl.String)))
            )
        settled = known.filter("same").select(
            pl.col("prior_state").replace_strict(SETTLED, default=None).alias("outcome")
        )
        counts = {row[0]: row[1] for row in settled.group_by("outcome").len().rows()}
        todo = known.filter(~pl.col("same")).select("_row", *_SAID)
        return Filtered(prepared.join(todo, on="_row", how="inner", maintain_order="left"), counts)
