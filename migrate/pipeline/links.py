"""Links and lookups, resolved through the id map's state and the target, never by computing an id alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import LinkRequest, Target, tables
from connectors import as_text
from migrate.ledger.tables import ledger_table

SMALL = 100_000
"""Parents and lookup tables of at most this many rows are kept in memory while nothing writes to them."""

LINKED_STATES = ("loaded", "merged", "conflict", "stale", "deferred", "late")
"""States of rows that may have a record: of deferred and late ones it is as it was before."""
WAITING_STATES = ("rejected", "parked")


def link_state(state: sa.ColumnElement[str], target_id: sa.ColumnElement[str], unknown: str) -> sa.Case[str]:
    """Return what an id map state means for a link: linked, waiting, out_of_scope, deferred, late or `unknown`."""
    return sa.case(
        (state.is_(None), sa.literal(unknown)),
        (sa.and_(state.in_([*LINKED_STATES, "gone"]), target_id.is_not(None)), sa.literal("linked")),
        (state.in_(WAITING_STATES), sa.literal("waiting")),
        (state == "gone", sa.literal(unknown)),
        else_=state,
    )


def link_state_of(state: str, target_id: str) -> pl.Expr:
    """Return `link_state` of rows that a batch is about to commit; none of them is unknown or gone."""
    linked = pl.col(state).is_in(LINKED_STATES) & pl.col(target_id).is_not_null()
    return (
        pl.when(linked)
        .then(pl.lit("linked"))
        .when(pl.col(state).is_in(WAITING_STATES))
        .then(pl.lit("waiting"))
        .otherwise(pl.col(state))
    )


class LedgerLinks:
    """The port `casemodel.Links` over the ledger and the target.

    Args:
        target: the open target.
        mapping_ids: number of each mapping in the ledger.
        by_record: mappings whose links go by the record's key (one_per).
        full_read: mappings read in full, shared with the run.
        siblings: by mapping with an identity, all that give to the same records.
    """

    def __init__(
        self,
        target: Target,
        mapping_ids: Mapping[str, int],
        by_record: frozenset[str],
        full_read: set[str],
        siblings: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._target = target
        self._ids = mapping_ids
        self._by_record = by_record
        self._full_read = full_read
        self._siblings = siblings or {}
        self._parents: dict[LinkRequest, pl.DataFrame | None] = {}
        self._big: set[LinkRequest] = set()
        self._lookups: dict[tuple[str, tuple[str, ...]], pl.DataFrame | None] = {}
        self._id_map = ledger_table(target.dialect, "id_map")
        self._other_key = ledger_table(target.dialect, "other_key")
        self._contribution = ledger_table(target.dialect, "contribution")

    def told(self) -> dict[str, Any]:
        """Return what it was told besides target, numbers and what is read in full, for links in another process."""
        return {"by_record": self._by_record, "siblings": self._siblings}

    def forget(self, mapping: str, table: str) -> None:
        """Drop what is remembered of a mapping and its target table, after a batch of it was committed."""
        # In place: the thread that maps the next batch may be adding other entries.
        stale = self.siblings(mapping)
        for request in [each for each in list(self._parents) if each.mapping in stale]:
            self._parents.pop(request, None)
        for asked in [each for each in list(self._lookups) if each[0] == table]:
            self._lookups.pop(asked, None)

    def forget_all(self) -> None:
        """Drop all that is remembered."""
        self._parents.clear()
        self._lookups.clear()

    def siblings(self, mapping: str) -> frozenset[str]:
        """Return the mappings whose ids may change when a batch of this one is committed."""
        return self._siblings.get(mapping, frozenset((mapping,)))

    def resolve(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Resolve canonical source keys of another mapping (see `casemodel.Links.resolve`)."""
        wanted = pl.DataFrame({"key": keys.cast(pl.String)})
        known = self._parent(request)
        if known is None:
            known = self._staged(request, wanted["key"].drop_nulls().unique(maintain_order=True))
        return self._answered(request, wanted.join(known, on="key", how="left", maintain_order="left"))

    def by_own_key(self, request: LinkRequest) -> bool:
        """Whether a link goes by the key of the parent's source rows, of which the id map has one row each."""
        return not request.other_key and request.mapping not in self._by_record

    def resolve_with(self, request: LinkRequest, keys: pl.Series, ahead: pl.DataFrame) -> pl.DataFrame:
        """Resolve keys `by_own_key` as `resolve` will when a batch is committed; nothing is remembered.

        Args:
            ahead: that batch's rows with ``key``, ``state`` and ``kept_id``; they go before what the id map says.
        """
        wanted = pl.DataFrame({"key": keys.cast(pl.String)})
        soon = wanted.unique().join(
            ahead.select("key", pl.col("kept_id").alias("target_id"), link_state_of("state", "kept_id").alias("state")),
            on="key",
        )
        asked = wanted["key"].drop_nulls().unique(maintain_order=True)
        known = self._staged(request, asked.filter(~asked.is_in(soon["key"].implode())))
        known = pl.concat([soon, known.select(soon.columns)])
        return self._answered(request, wanted.join(known, on="key", how="left", maintain_order="left"))

    def waves(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Return ``key`` and ``wave`` (Int64) of the rows of another mapping that are in a wave."""
        staged = self._target.ask("wave_keys", keys.to_frame("key"))
        statement = self._select(request).add_columns(self._id_map.c.wave)
        key = statement.selected_columns[0]
        statement = statement.where(key.in_(sa.select(staged.c.key)), self._id_map.c.wave.is_not(None))
        found = self._target.query(statement, ("key", "target_id", "state", "wave"))
        return found.group_by("key").agg(pl.col("wave").cast(pl.Int64).min())

    def _answered(self, request: LinkRequest, found: pl.DataFrame) -> pl.DataFrame:
        whole = self._full_read.issuperset(request.siblings or (request.mapping,))
        unknown = "orphan" if whole else "waiting"
        state = pl.when(pl.col("key").is_null()).then(None).otherwise(pl.col("state").fill_null(unknown))
        return found.select("target_id", state.alias("state"))

    def _parent(self, request: LinkRequest) -> pl.DataFrame | None:
        """Return the whole parent when it is small, remembered until it changes."""
        if request in self._big:
            return None
        if request not in self._parents:
            statement = self._select(request)
            frame = self._target.query(statement.limit(SMALL + 1), ("key", "target_id", "state"))
            self._parents[request] = self._one_answer(frame) if frame.height <= SMALL else None
            if frame.height > SMALL:
                self._big.add(request)
        return self._parents[request]

    def _select(self, request: LinkRequest) -> sa.Select[tuple[str, str, str]]:
        id_map, number = self._id_map, self._ids.get(request.mapping, -1)
        if request.siblings:
            kept = self._contribution
            mine = kept.c.mapping_id.in_([self._ids.get(name, -1) for name in request.siblings])
            holds = sa.and_(kept.c.apart.is_(None), kept.c.problem.is_(None))
            answer = sa.select(kept.c.identity_id, kept.c.target_id, sa.literal("linked"))
            return answer.where(mine, holds).distinct()
        state = link_state(id_map.c.state, id_map.c.target_id, "waiting")
        if request.other_key:
            other = self._other_key
            joined = sa.and_(id_map.c.mapping_id == other.c.mapping_id, id_map.c.source_key == other.c.source_key)
            return (
                sa.select(other.c.key, id_map.c.target_id, state)
                .join(id_map, joined)
                .where(other.c.mapping_id == number, other.c.columns == ",".join(request.other_key))
            )
        key = id_map.c.record_key if request.mapping in self._by_record else id_map.c.source_key
        return sa.select(key, id_map.c.target_id, state).where(id_map.c.mapping_id == number, key.is_not(None))

    def _staged(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        staged = self._target.ask("link_keys", keys.to_frame("key"))
        statement = self._select(request)
        key = statement.selected_columns[0]
        return self._one_answer(
            self._target.query(statement.where(key.in_(sa.select(staged.c.key))), ("key", "target_id", "state"))
        )

    @staticmethod
    def _one_answer(frame: pl.DataFrame) -> pl.DataFrame:
        """Fold several rows of one key: one target id links, two different ones are ambiguous."""
        if frame["key"].n_unique() == frame.height:
            return frame
        linked = pl.col("target_id").filter(pl.col("state") == "linked")
        return (
            frame.group_by("key", maintain_order=True)
            .agg(
                linked.first().alias("target_id"),
                pl.when(linked.n_unique() > 1)
                .then(pl.lit("ambiguous"))
                .when(linked.len() > 0)
                .then(pl.lit("linked"))
                .otherwise(pl.col("state").min())
                .alias("state"),
            )
            .with_columns(
                pl.when(pl.col("state") == "ambiguous").then(None).otherwise(pl.col("target_id")).alias("target_id")
            )
        )

    def lookup(self, table: str, columns: tuple[str, ...], values: pl.DataFrame) -> pl.DataFrame:
        """Look records of the target up by column values (see `casemodel.Links.lookup`)."""
        wanted = values.select(pl.col(name).cast(pl.String).alias(f"v{i}") for i, name in enumerate(values.columns))
        on = wanted.columns
        known = self._content(table, columns)
        if known is None:
            known = self._staged_lookup(table, columns, wanted.drop_nulls().unique())
        found = wanted.join(known, on=on, how="left", maintain_order="left")
        hits = pl.col("hits").fill_null(0)
        return found.select(pl.when(hits == 1).then(pl.col("target_id")).alias("target_id"), hits.alias("hits"))

    def _content(self, table: str, columns: tuple[str, ...]) -> pl.DataFrame | None:
        asked = (table, columns)
        if asked not in self._lookups:
            source = tables[table]
            names = tuple(f"v{i}" for i in range(len(columns)))
            frame = self._target.query(
                sa.select(*(source.c[name] for name in columns), source.c.id).limit(SMALL + 1), (*names, "target_id")
            )
            self._lookups[asked] = _counted(frame, names) if frame.height <= SMALL else None
        return self._lookups[asked]

    def _staged_lookup(self, table: str, columns: tuple[str, ...], wanted: pl.DataFrame) -> pl.DataFrame:
        source, staged = tables[table], self._target.ask("lookup_keys", wanted)
        texts = (as_text(self._target.dialect, source.c[name]) for name in columns)
        joined = sa.and_(*(text == staged.c[f"v{i}"] for i, text in enumerate(texts)))
        statement = sa.select(*(staged.c[name] for name in wanted.columns), source.c.id).join(source, joined)
        return _counted(self._target.query(statement, (*wanted.columns, "target_id")), tuple(wanted.columns))


def _counted(frame: pl.DataFrame, on: tuple[str, ...]) -> pl.DataFrame:
    return frame.group_by(on, maintain_order=True).agg(
        pl.col("target_id").first(), pl.len().cast(pl.Int64).alias("hits")
    )
