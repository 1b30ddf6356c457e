"""From rows read to a batch ready to commit: the change filter, the mapping, the gate."""

from __future__ import annotations

import dataclasses
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from casemodel import Links, Mapped, Secrets, show
from mappings import CompiledMapping, Followed
from migrate.pipeline.adopted import with_adopted
from migrate.pipeline.batch import ISSUE_SCHEMA, REJECT_SCHEMA, WAIT_SCHEMA, Batch, Gate, empty
from migrate.pipeline.change_filter import ChangeFilter
from migrate.pipeline.commit_ledger import id_map_state, raw_rows
from migrate.pipeline.context import LoadContext
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.links import LedgerLinks
from migrate.pipeline.links_within import linked_within
from migrate.pipeline.reading import ReadBatch
from migrate.pipeline.rings import RingLinks
from migrate.pipeline.waves import WaveRules


def gate_of(mapping: CompiledMapping, secrets: Secrets) -> Gate:
    """Return the last gate of a mapping's records."""
    return Gate(mapping.name, mapping.target, mapping.fields, secrets.hash_key, shared=mapping.giving is not None)


def open_loader(
    context: LoadContext, mapping: CompiledMapping, links: LedgerLinks, duplicates: Callable[[ChangeFilter], pl.Series]
) -> Loader:
    """Return what turns the rows of a mapping into batches.

    Args:
        duplicates: finds the keys that more than one row has, once it is known what the ledger knows.
    """
    changes = ChangeFilter(context, mapping.name, grouped=bool(mapping.group) or mapping.group_is_wide)
    doubled = duplicates(changes)
    waves = WaveRules(context, mapping, links, doubled) if mapping.name in context.waves.members else None
    return Loader(context, mapping, links, gate_of(mapping, context.secrets), changes, doubled, waves)


@dataclass(frozen=True)
class Sifted:
    """Rows of one or several readings: those to map, the count of those that are settled, and what was read.

    todo: prepared rows with what the id map says of them.
    position: the source's checkpoint after the last of them.
    """

    todo: pl.DataFrame
    settled: Counter[str]
    source_rows: int
    position: str
    unreadable: pl.DataFrame | None = None


def together(held: Sequence[Sifted]) -> Sifted:
    """Return rows that were read one after the other as one."""
    if len(held) == 1:
        return held[0]
    rows = [each.todo for each in held if each.todo.height] or [held[0].todo]
    unreadable = [each.unreadable for each in held if each.unreadable is not None]
    return Sifted(
        pl.concat(rows).with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("_row")),
        sum((each.settled for each in held), Counter[str]()),
        sum(each.source_rows for each in held),
        held[-1].position,
        pl.concat(unreadable) if unreadable else None,
    )


def _by_itself(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a copy of few rows: Polars' texts are views, of which each keeps the texts of all rows that were read."""
    copied = io.BytesIO()
    rows.write_ipc(copied, compat_level=pl.CompatLevel.oldest())
    copied.seek(0)
    return pl.read_ipc(copied)


@dataclass
class Loader:
    """Everything that turns rows of one mapping into batches."""

    context: LoadContext
    mapping: CompiledMapping
    links: LedgerLinks
    gate: Gate
    changes: ChangeFilter
    duplicates: pl.Series
    waves: WaveRules | None = None
    """What becomes of rows whose wave is not loaded or is live; None where no row is in a wave."""
    _nothing: Batch | None = None

    def sifted(self, read: ReadBatch) -> Sifted:
        """Return what is to be mapped of rows as read and prepared."""
        filtered = self.changes.split(read.prepared, self.duplicates, self.waves)
        failpoint("after-read")
        few = 2 * filtered.todo.height < read.prepared.height
        todo = _by_itself(filtered.todo) if few else filtered.todo
        return Sifted(todo, Counter(filtered.settled), read.source_rows, read.position, read.unreadable)

    def batch_of(self, sifted: Sifted, links: Links, *, first: bool) -> Batch:
        """Return the batch of sifted rows.

        Args:
            links: the ledger's links, as they should be seen by this batch.
            first: whether it is the relation's first batch in this run; the first row of each duplicate key
                counts there.
        """
        batch = self._nothing_of(sifted.todo, links) if sifted.todo.is_empty() else self._linked(sifted.todo, links)
        failpoint("after-map")
        batch = dataclasses.replace(
            batch, settled=dict(sifted.settled), source_rows=sifted.source_rows, position=sifted.position
        )
        firsts = self.duplicates.len() if first else 0
        batch = dataclasses.replace(batch, key_beyond_first=batch.key_beyond_first - firsts)
        return with_unreadable(batch, sifted.unreadable)

    def _linked(self, todo: pl.DataFrame, links: Links) -> Batch:
        """Return the batch of rows, those linked within that stand apart in it: neither in groups nor in waves."""
        batch, mapping = self._batch(todo, links, self.mapping.apply), self.mapping
        together = mapping.group or mapping.group_is_wide or mapping.records_by_group or mapping.has_windows
        if not mapping.self_links or together or mapping.giving is not None or self.waves is not None:
            return batch

        def again(keys: pl.Series, within: Links) -> Batch:
            return self._batch(todo.filter(pl.col("_key").is_in(keys.implode())), within, mapping.apply)

        return linked_within(batch, mapping.name, self.context.mapping_ids[mapping.name], links, again)

    def _nothing_of(self, todo: pl.DataFrame, links: Links) -> Batch:
        """Return the batch of no rows, made once: a run without changes needs it for each batch it reads."""
        if self._nothing is None:
            self._nothing = self._batch(todo, links, self.mapping.apply)
        return self._nothing

    def retry_of(self, prepared: pl.DataFrame, outcomes: pl.DataFrame) -> Batch:
        """Return the batch of rows that are tried again.

        Args:
            outcomes: ``key`` and ``prior_outcome``: what each waiting row counts as in this run.
        """
        return self._tried_again(prepared, outcomes, self.links, self.mapping.apply)

    def opening(self, prepared: pl.DataFrame, outcomes: pl.DataFrame, awaited: pl.DataFrame) -> Batch:
        """Return the batch of rows in circles of links, without the links that close these.

        Args:
            outcomes: as `retry_of` has it.
            awaited: see `migrate.pipeline.rings.Rings`.
        """
        links = RingLinks(self.links, awaited)
        return self._tried_again(prepared, outcomes, links, self.mapping.apply_breaking_cycles)

    def _tried_again(
        self, prepared: pl.DataFrame, outcomes: pl.DataFrame, links: Links, apply: Callable[..., Mapped]
    ) -> Batch:
        prior = self.changes.prior(prepared["_key"]).drop("wait_ref")
        todo = prepared.join(prior, left_on="_key", right_on="key", how="left", maintain_order="left")
        batch = self._batch(todo, links, apply)
        rows = (
            batch.rows.drop("prior_outcome")
            .join(outcomes, on="key", how="left", maintain_order="left")
            .with_columns(pl.coalesce("prior_outcome", _counted_as("prior_state")).alias("prior_outcome"))
        )
        return dataclasses.replace(batch, rows=rows)

    def _batch(self, todo: pl.DataFrame, links: Links, apply: Callable[..., Mapped]) -> Batch:
        if self.waves is None:
            mapped, waves = apply(todo, links, self.duplicates), None
        else:
            followed: list[Followed] = []
            made = apply(todo, links, self.duplicates, followed=followed)
            mapped, waves = self.waves.applied(todo, made, followed, self.gate)
        if self.mapping.giving is None:
            mapped = with_adopted(mapped, self.context.adopted.get(self.mapping.target, {}))
        rows = self._rows(todo, mapped, waves)
        refs = todo.select("_row", "_ref")
        issues = mapped.issues.join(refs, on="_row", how="left", maintain_order="left").select(
            pl.col("_key").alias("key"), pl.col("_ref").alias("ref"), "field", "code", "severity", "detail"
        )
        failed = mapped.outcomes.filter(pl.col("outcome").is_in(["rejected", "parked"])).select("_row")
        beyond = mapped.outcomes.filter(pl.col("_key").is_in(self.duplicates.implode()))
        return Batch(
            records=_with_shares(self.gate.pass_through(mapped.records), mapped.shares),
            rows=rows,
            issues=issues,
            waits=self._waits(mapped.waits, refs, rows),
            linked=self._waits(mapped.linked, refs, rows),
            rejects=raw_rows(todo.join(failed, on="_row", how="semi", maintain_order="left")),
            settled={},
            columns=self.gate.columns,
            source_rows=0,
            source=todo,
            position=None,
            other_keys=self.mapping.other_keys,
            others=self._others(todo),
            key_missing=mapped.outcomes["_key"].null_count(),
            key_beyond_first=beyond.height,
            counters={
                "repaired": {name: list(counts) for name, counts in mapped.repaired.items()},
                "examples": self._masked(mapped.examples),
                "codes": [[table, code, used] for (table, code), used in mapped.code_use.items()],
                "scope": _reasons(mapped.outcomes),
                **({"unknown": mapped.unknown} if any(mapped.unknown.values()) else {}),
            },
        )

    def _rows(self, todo: pl.DataFrame, mapped: Mapped, waves: pl.DataFrame | None) -> pl.DataFrame:
        record = pl.col("_record")
        wave = pl.lit(None, pl.Int64).alias("wave") if waves is None else waves["wave"]
        rows = (
            mapped.outcomes.with_columns(wave)
            .join(
                todo.select("_row", "_hash", "_ref", "prior_state", "prior_id"),
                on="_row",
                how="left",
                maintain_order="left",
            )
            .join(
                mapped.records.select(pl.col("_key").alias("_record"), "id"),
                on="_record",
                how="left",
                maintain_order="left",
            )
            .select(
                # What becomes of a key is said by the row that counts, not by those left behind for it.
                pl.when(~self.mapping.repeats(self.duplicates)).then("_key").alias("key"),
                (record if self.mapping.records_by_group else pl.lit(None, pl.String)).alias("record_key"),
                pl.when(pl.col("outcome").is_in(["record", "merged"])).then(pl.col("id")).alias("target_id"),
                "outcome",
                "reason",
                pl.col("_hash").alias("hash"),
                pl.col("_ref").alias("ref"),
                "prior_state",
                "prior_id",
                pl.lit(None, pl.String).alias("prior_outcome"),
                "wave",
            )
        )
        return id_map_state(rows)

    def _masked(self, examples: Mapping[str, list[tuple[str, str]]]) -> dict[str, list[list[str]]]:
        """Return repaired values as they may be kept and shown: their form before and after, always masked."""
        key = self.context.secrets.mask_key
        return {
            name: [[show(text, personal=True, key=key) for text in pair] for pair in pairs]
            for name, pairs in examples.items()
        }

    def _others(self, todo: pl.DataFrame) -> pl.DataFrame:
        names = [pl.col(f"_other_{place}").alias(f"other_{place}") for place in range(len(self.mapping.other_keys))]
        return todo.select(pl.col("_key").alias("source_key"), *names) if names else pl.DataFrame()

    def _waits(self, waits: pl.DataFrame, refs: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        if waits.is_empty():
            return empty(WAIT_SCHEMA)
        ids = self.context.mapping_ids
        known = pl.DataFrame(
            {"mapping": list(ids), "on_mapping_id": list(ids.values())},
            schema={"mapping": pl.String, "on_mapping_id": pl.Int64},
        )
        outcomes = rows.select("key", pl.col("outcome").replace("record", "inserted")).unique("key")
        return (
            waits.filter(pl.col("_key").is_not_null())
            .join(refs, on="_row", how="left", maintain_order="left")
            .join(known, on="mapping", how="inner", maintain_order="left")
            .join(outcomes, left_on="_key", right_on="key", how="left", maintain_order="left")
            .select(
                pl.col("_key").alias("key"),
                pl.col("_ref").alias("ref"),
                "field",
                "on_mapping_id",
                pl.col("other_key").fill_null("").alias("on_other_key"),
                pl.col("wait_key").alias("on_key"),
                "seen",
                pl.col("outcome").fill_null("inserted"),
            )
            .unique(["key", "field", "on_mapping_id", "on_other_key", "on_key"], maintain_order=True)
        )


def _with_shares(records: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """Add what contributions have besides the fields; the two frames are of one height and order."""
    return records.hstack(shares.drop("_key")) if shares.width else records


def _counted_as(state: str) -> pl.Expr:
    """Return what a row that waits for nothing itself (a member of a group) counts as, by the state of its key."""
    settled = {"loaded": "unchanged", "merged": "merged", "stale": "rejected"}
    return pl.col(state).replace(settled)


def _reasons(outcomes: pl.DataFrame) -> dict[str, int]:
    left_out = outcomes.filter(pl.col("outcome") == "out_of_scope")
    return dict(left_out.group_by(pl.col("reason").fill_null("")).len().rows())


def with_unreadable(batch: Batch, unreadable: pl.DataFrame | None) -> Batch:
    """Add the physical records that could not be read: each is a reject with its place and raw text."""
    if unreadable is None or unreadable.is_empty():
        return batch
    count = unreadable.height
    null = pl.lit(None, pl.String)
    known = {"outcome": pl.lit("rejected"), "ref": pl.col("_ref")}
    rows = unreadable.select(
        known.get(name, pl.lit(None, dtype)).alias(name) for name, dtype in batch.rows.schema.items()
    )
    issues = unreadable.select(
        null.alias("key"),
        pl.col("_ref").alias("ref"),
        pl.lit("").alias("field"),
        "code",
        pl.lit("error").alias("severity"),
        pl.col("place").alias("detail"),
    )
    raw = unreadable.select(
        null.alias("key"), pl.col("_ref").alias("ref"), pl.struct("place", "raw").struct.json_encode().alias("row")
    )
    return dataclasses.replace(
        batch,
        rows=pl.concat([batch.rows, rows.select(batch.rows.columns)]),
        issues=pl.concat([batch.issues.cast(pl.Schema(ISSUE_SCHEMA)), issues]),
        rejects=pl.concat([batch.rejects.cast(pl.Schema(REJECT_SCHEMA)), raw]),
        key_missing=batch.key_missing + count,
    )
