"""The expected side: the source read again and mapped again, trusting no counter or hash of the ledger."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import polars as pl
import sqlalchemy as sa

from casemodel import Mapped, Source, Target, canonical_text, polars_schema, record_id
from mappings import CompiledMapping, Followed
from migrate.ledger.tables import ledger_table
from migrate.pipeline.adopted import with_adopted
from migrate.pipeline.context import RunWaves, Shared
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.keys import scan_keys
from migrate.pipeline.links import LedgerLinks
from migrate.pipeline.reading import open_reading
from migrate.pipeline.waves import Division
from migrate.progress import progress
from migrate.proof.sample import Sample
from migrate.proof.shared import as_shared
from migrate.proof.waves import as_waves_say
from reconciliation import ExpectedBatch


@dataclass
class SourceAgain:
    """`reconciliation.ExpectedSide` over one mapping."""

    target: Target
    mapping: CompiledMapping
    source: Source
    links: LedgerLinks
    number: int
    namespace: str
    batch_rows: int
    shared: Shared | None = None
    """How its records are made of contributions, for a mapping with an identity."""
    waves: RunWaves = field(default_factory=RunWaves)
    """The waves as the ledger has them: those that are rehearsed load, live ones are left as they are."""
    carried: tuple[str, ...] = ()
    """Columns of the source, in any case, that come along as ``parent:<name>``."""
    adopted: Mapping[str, str] = field(default_factory=dict)
    """The ids of adopted records of its table by the ids that mappings give them."""
    sample: Sample | None = None
    """The records to give; the keys of the others are told apart from them."""
    prepared: deque[pl.DataFrame] = field(default_factory=lambda: deque(maxlen=2))
    """The rows of the batches that were given last: one is compared while the next is made."""

    def batches(self, *, values: bool) -> Iterator[ExpectedBatch]:
        """Yield every source row once, with what mapping it now gives (see `reconciliation.ExpectedSide`)."""
        relation = self.source.relation(self.mapping.relation)
        duplicates = scan_keys(self.source, relation, self.mapping, known=False).duplicates
        reading = open_reading(self.source, self.mapping, self.batch_rows)
        seen = pl.Series("id", [], dtype=pl.UInt64)
        try:
            with progress(f"read {self.mapping.name}", self.source.count(self.mapping.relation)) as bar:
                for found in reading.batches():
                    prepared, beyond = self._drawn(found.prepared)
                    self.prepared.append(prepared)
                    mapped = self._mapped(prepared, duplicates)
                    if self.shared is None:
                        mapped = with_adopted(mapped, self.adopted)
                    frame = self._frame(prepared, mapped, duplicates, values=values)
                    if self.shared is not None:
                        frame, seen = _records_once(frame, seen)
                    if self.sample is not None:
                        drawn = self.sample.holds(pl.col("id"))
                        frame, beyond = frame.filter(drawn), pl.concat([beyond, frame.filter(~drawn)["_key"]])
                    if found.unreadable is not None and found.unreadable.height:
                        frame = pl.concat([frame, self._unreadable(found.unreadable, frame)])
                    bar.advance(found.source_rows)
                    yield ExpectedBatch(frame, found.source_rows, beyond, look_up=self._look_up)
                    failpoint("between-proof-batches")
        finally:
            reading.close()

    def batch(self, prepared: pl.DataFrame) -> ExpectedBatch:
        """Return some rows of a relation whose keys are unique, each of which makes a record of its own."""
        duplicates = pl.Series("_key", [], dtype=pl.String)
        self.prepared.append(prepared)
        frame = self._frame(prepared, self._mapped(prepared, duplicates), duplicates, values=True)
        return ExpectedBatch(frame, prepared.height, look_up=self._look_up)

    def _drawn(self, prepared: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """Return the rows that may be in the sample, and the keys of the others.

        Only where each row makes a record of its own is that known before it is mapped.
        """
        mapping = self.mapping
        apart = not mapping.group and not mapping.group_is_wide and mapping.name not in self.waves.members
        if self.sample is None or not apart or self.shared is not None or self.adopted:
            return prepared, pl.Series("_key", [], dtype=pl.String)
        drawn = self.sample.holds(record_id(self.namespace, mapping.target, mapping.id_name, pl.col("_key")))
        return prepared.filter(drawn), prepared.filter(~drawn)["_key"]

    def _mapped(self, prepared: pl.DataFrame, duplicates: pl.Series) -> Mapped:
        if self.mapping.name not in self.waves.members:
            return self.mapping.apply(prepared, self.links, duplicates)
        followed: list[Followed] = []
        mapped = self.mapping.apply(prepared, self.links, duplicates, followed=followed)
        known = prepared.select("_row", "_key", "_hash").join(
            self._known(prepared["_key"]), left_on="_key", right_on="key", how="left", maintain_order="left"
        )
        division = Division(self.waves, self.mapping, self.links)
        return as_waves_say(division, mapped, division.of_rows(prepared, mapped, followed), known, duplicates)

    def _frame(self, prepared: pl.DataFrame, mapped: Mapped, duplicates: pl.Series, *, values: bool) -> pl.DataFrame:
        mapped = replace(mapped, outcomes=self._without_repeats(mapped.outcomes, duplicates))
        whole: pl.DataFrame | None = None
        if self.shared is not None and mapped.records.height:
            mapped, whole = as_shared(self.target, self.mapping, self.shared, self.number, mapped)
        first_error = (
            mapped.issues.filter(pl.col("severity") == "error")
            .group_by("_row", maintain_order=True)
            .agg(pl.col("code").first())
        )
        failed = pl.col("outcome").is_in(["rejected", "parked"])
        frame = (
            mapped.outcomes.join(prepared.select("_row", "_hash"), on="_row", how="left", maintain_order="left")
            .join(first_error, on="_row", how="left", maintain_order="left")
            .join(
                mapped.records.select(pl.col("_key").alias("_record"), pl.col("id").alias("_made")),
                on="_record",
                how="left",
                maintain_order="left",
            )
            .with_columns(
                pl.coalesce(
                    "_made", record_id(self.namespace, self.mapping.target, self.mapping.id_name, pl.col("_record"))
                ).alias("id"),
                pl.when(failed)
                .then(pl.coalesce("code", pl.when(pl.col("outcome") == "parked").then(pl.lit("link-waiting"))))
                .otherwise(pl.col("reason"))
                .alias("reason"),
            )
        )
        names = ["_key", "outcome", "reason", "id", "_hash"]
        if self.carried:
            spelled = {name.casefold(): name for name in prepared.columns}
            beside = [pl.col(spelled[name.casefold()]).alias(f"parent:{name}") for name in self.carried]
            frame = frame.join(prepared.select("_row", *beside), on="_row", how="left", maintain_order="left")
            names += [f"parent:{name}" for name in self.carried]
        if not values:
            return frame.select(names)
        types = polars_schema(self.mapping.target)
        texts = [canonical_text(name, types[name]).alias(name) for name in self.mapping.fields]
        records = mapped.records.select(pl.col("_key").alias("_record"), *texts)
        if whole is not None:
            records = whole
        lead = (
            frame.filter(pl.col("outcome") == "record")
            .select("_row", "_record")
            .join(records, on="_record", how="inner")
        )
        return (
            frame.select("_row", *names)
            .join(lead.drop("_record"), on="_row", how="left", maintain_order="left")
            .drop("_row")
        )

    def _look_up(self, rows: pl.DataFrame) -> pl.DataFrame:
        known = self._known(rows["_key"]).select("key", "state", "known_hash")
        found = rows.join(known, left_on="_key", right_on="key", how="left", maintain_order="left")
        return found.with_columns(_moved_on().alias("moved_on")).drop("known_hash")

    def _without_repeats(self, outcomes: pl.DataFrame, duplicates: pl.Series) -> pl.DataFrame:
        """A row left behind for another row of its key answers for no record: it stands without its key."""
        counts = ~self.mapping.repeats(duplicates)
        return outcomes.with_columns(pl.when(counts).then(name).alias(name) for name in ("_key", "_record"))

    def _known(self, keys: pl.Series) -> pl.DataFrame:
        id_map = ledger_table(self.target.dialect, "id_map")
        staged = self.target.ask("proof_keys", keys.drop_nulls().unique().to_frame("key"))
        columns = (id_map.c.source_key, id_map.c.state, id_map.c.source_hash, id_map.c.wave, id_map.c.target_id)
        statement = sa.select(*columns).where(
            id_map.c.mapping_id == self.number, id_map.c.source_key.in_(sa.select(staged.c.key))
        )
        return self.target.query(statement, ("key", "state", "known_hash", "known_wave", "known_id"))

    @staticmethod
    def _unreadable(unreadable: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
        """A physical record that cannot be read is a row without a key."""
        known = {"outcome": pl.lit("rejected"), "reason": pl.col("code")}
        return unreadable.select(
            known.get(name, pl.lit(None, dtype)).alias(name) for name, dtype in like.schema.items()
        )


def _moved_on() -> pl.Expr:
    """Return whether the source moved on since the last run.

    What that deferred, or left as late, and now belongs to a wave that is rehearsed waits for the next one.
    """
    changed = pl.col("state").is_not_null() & (pl.col("known_hash") != pl.col("_hash")).fill_null(False)
    left = ["deferred", "late"]
    waits = pl.col("state").is_in(left) & ~pl.col("outcome").is_in(left)
    return changed | waits.fill_null(False)


def _records_once(frame: pl.DataFrame, seen: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """Let the first row of each record stand for it; rows that share it after that are merged.

    Args:
        seen: hashes of the ids of the records of earlier batches (8 bytes a record).

    Returns:
        The rows, and `seen` with the records of this batch.
    """
    record = pl.col("outcome") == "record"
    first = pl.int_range(pl.len()).over("id") == 0
    known = pl.col("id").hash().is_in(seen.implode())
    frame = frame.sort(~record, maintain_order=True).with_columns(
        pl.when(record & ~(first & ~known))
        .then(pl.lit("merged"))
        .otherwise("outcome")
        .alias("outcome")
    )
    return frame, pl.concat([seen, frame.filter(record)["id"].hash()])
