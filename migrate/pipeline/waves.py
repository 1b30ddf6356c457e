"""Waves in a run: which wave each row belongs to, and what becomes of rows whose wave is not loaded, or live.

A root row belongs to the wave whose condition holds for it; any other row to the wave of the record that it is part
of, which is the one that a required field links to.  Of several waves the one that is least far counts: a row that
links two records can be there when both are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl
import sqlalchemy as sa

from casemodel import Mapped, RefusedError
from mappings import CompiledMapping, Followed
from migrate.ledger.tables import ledger_table
from migrate.pipeline.batch import Gate
from migrate.pipeline.context import FARTHEST, LoadContext, RunWaves
from migrate.pipeline.links import LedgerLinks

LATE_NEW, LATE_CHANGED, LATE_MAPPING = "late-new", "late-changed", "late-mapping"
"""Why a row is late: new in the old system since cutover, changed there, or its mapping was changed since."""
_UNLOADED = ("late", "deferred", "gone")


@dataclass(frozen=True)
class Division:
    """Says which wave the rows of one mapping belong to."""

    waves: RunWaves
    mapping: CompiledMapping
    links: LedgerLinks

    def of_rows(self, prepared: pl.DataFrame, mapped: Mapped, followed: Sequence[Followed]) -> pl.DataFrame:
        """Return ``_row`` and ``wave`` (Int64; NULL: none) of the rows of a batch, in the order of its outcomes.

        Raises:
            RefusedError: WAV-004 a row belongs to two waves.
        """
        found = self.roots(prepared) if self.mapping.name in self.waves.slices else self._parts(followed)
        outcomes = mapped.outcomes.select("_row", "_record", "_lead")
        rows = outcomes.join(found, on="_row", how="left", maintain_order="left")
        if self.mapping.records_by_group:
            leads = rows.filter(pl.col("_lead").is_null()).group_by("_record").agg(pl.col("wave").drop_nulls().first())
            rows = rows.drop("wave").join(leads, on="_record", how="left", maintain_order="left")
        return rows.select("_row", "wave")

    def standing(self, prior: pl.Expr, record: pl.Expr, known_hash: pl.Expr) -> pl.Expr:
        """Return whether a row stays in the wave that it was in, or in none.

        What was brought over stays with the wave that brought it, whatever the conditions say of it now, unless all
        rows were divided anew.  What is part of it follows, but for what is in a live wave: that stays there.
        """
        stays = prior.is_in(sorted(self.waves.frozen)).fill_null(False)
        if self.mapping.name in self.waves.slices:
            stays |= (prior.is_null() | prior.is_in(self.waves.begun)) & known_hash.is_not_null()
        return (stays & record.is_not_null()).fill_null(False)

    def roots(self, prepared: pl.DataFrame) -> pl.DataFrame:
        """Return ``_row`` and ``wave`` of rows of a root mapping, as its conditions say."""
        slices = self.waves.slices[self.mapping.name]
        made = prepared.select("_row", *(each.condition.alias(str(number)) for number, each in slices))
        refuse_overlaps(self.mapping.name, made, self.waves.names)
        number = pl.coalesce(
            [*(pl.when(pl.col(str(number))).then(pl.lit(number)) for number, _ in slices), pl.lit(None, pl.Int64)]
        )
        return made.select("_row", number.cast(pl.Int64).alias("wave"))

    def _parts(self, followed: Sequence[Followed]) -> pl.DataFrame:
        far = {number: self.waves.how_far(number) for number in self.waves.names}
        found = [pl.DataFrame(schema={"_row": pl.UInt32, "far": pl.Int64})]
        for link in followed:
            if link.request.mapping not in self.waves.members or link.keys.null_count() == link.keys.len():
                continue
            rows = pl.DataFrame({"_row": link.rows, "key": link.keys.cast(pl.String)}).drop_nulls()
            known = self.links.waves(link.request, rows["key"].unique()).filter(pl.col("wave").is_in(list(far)))
            known = known.select("key", pl.col("wave").replace_strict(far, return_dtype=pl.Int64).alias("far"))
            found.append(rows.join(known, on="key", how="inner").select("_row", "far"))
        least = pl.concat(found).group_by("_row").agg(pl.col("far").min())
        return least.select("_row", (pl.col("far") % FARTHEST).alias("wave"))


def refuse_overlaps(mapping: str, made: pl.DataFrame, names: Mapping[int, str]) -> None:
    """Refuse rows for which the conditions of two waves hold.

    Args:
        made: a Boolean column per wave, named by its id; other columns are not looked at.

    Raises:
        RefusedError: WAV-004.
    """
    waves = [name for name in made.columns if name.isdecimal()]
    held = pl.sum_horizontal([pl.col(name).cast(pl.Int32) for name in waves])
    twice = made.filter(held > 1) if len(waves) > 1 else made.clear()
    if twice.height:
        both = [names[int(name)] for name in waves if twice[0, name]]
        raise RefusedError(
            "WAV-004",
            f"{twice.height:,} of its rows would belong to two waves at once, such as {both[0]} and {both[1]}",
            hint="Change the conditions under waves: in workspace.yml, so that each row belongs to one wave at most.",
            place=mapping,
        )


class WaveRules:
    """What a run does with mapped rows because of their waves."""

    def __init__(
        self, context: LoadContext, mapping: CompiledMapping, links: LedgerLinks, duplicates: pl.Series
    ) -> None:
        self._context, self._mapping, self._duplicates = context, mapping, duplicates
        self._waves = context.waves
        self._division = Division(context.waves, mapping, links)
        self._number = context.mapping_ids[mapping.name]
        # Another meaning makes other hashes: then they do not say that the old system changed.
        self._changed = _meaning_changed(context, self._number, mapping.meaning)

    def applied(
        self, todo: pl.DataFrame, mapped: Mapped, followed: Sequence[Followed], gate: Gate
    ) -> tuple[Mapped, pl.DataFrame]:
        """Return what was mapped without what must not be loaded now, and ``_row`` and ``wave`` of every row."""
        prior = todo.select("_row", "_hash", "_group", "prior_state", "prior_id", "prior_hash", "prior_wave")
        rows = (
            mapped.outcomes.with_columns(self._division.of_rows(todo, mapped, followed)["wave"])
            .join(prior, on="_row", how="left", maintain_order="left")
            .with_columns(self._standing_wave().alias("wave"))
        )
        rows = self._with_stops(rows, mapped, gate)
        stopped = rows.filter(pl.col("stop").is_not_null()).select("_row", "_record", "stop", "why")
        return without(mapped, stopped), rows.select("_row", "wave")

    def elsewhere(self, prepared: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
        """Return ``_row`` of roots that belong to another wave than they did, though all that is used is the same.

        Args:
            known: what the id map says of the rows: ``_row``, ``prior_wave``, ``prior_id`` and ``prior_hash``.
        """
        if self._mapping.name not in self._waves.slices:
            return pl.Series("_row", [], dtype=pl.UInt32)
        prior = pl.col("prior_wave").cast(pl.Int64)
        stays = self._division.standing(prior, pl.col("prior_id"), pl.col("prior_hash"))
        rows = known.join(self._division.roots(prepared), on="_row", how="left", maintain_order="left")
        return rows.filter(pl.col("wave").ne_missing(prior) & ~stays)["_row"]

    def _standing_wave(self) -> pl.Expr:
        """A row that left the scope stays in its wave, too."""
        prior, wave = pl.col("prior_wave").cast(pl.Int64), pl.col("wave")
        stays = self._division.standing(prior, pl.col("prior_id"), pl.col("prior_hash"))
        left = (pl.col("outcome") == "out_of_scope") & wave.is_null() & prior.is_in(sorted(self._waves.names))
        return pl.when(stays | left.fill_null(False)).then(prior).otherwise(wave)

    def _open(self) -> pl.Expr:
        """Rows of which the wave decides: they have a key of their own, are in scope and follow nothing already."""
        mine = pl.col("_key").is_not_null() & ~pl.col("_key").is_in(self._duplicates.implode())
        return mine & ~pl.col("outcome").is_in(["out_of_scope", "deferred", "late"])

    def _with_stops(self, rows: pl.DataFrame, mapped: Mapped, gate: Gate) -> pl.DataFrame:
        """Add ``stop`` and ``why``: what is new or changed in a wave that is not loaded now is deferred, or late.

        What gives the same record as before is not; neither is a row that did not change and is mapped again since
        what it links to came over.
        """
        wave, state = pl.col("wave"), pl.col("prior_state")
        frozen = wave.is_in(sorted(self._waves.frozen)).fill_null(False)
        left = (wave.is_not_null() & ~wave.is_in(sorted(self._waves.loading))).fill_null(False)
        unbegun = wave.is_in(sorted(self._waves.planned)).fill_null(False) & pl.col("prior_id").is_null()
        changed = pl.col("prior_hash").ne_missing(pl.col("_hash"))
        touched = changed | state.is_in(_UNLOADED).fill_null(False) | unbegun
        if self._changed:
            # Rows of a live wave that were refused and did not come since: the mapping was mended for them.
            known = pl.col("prior_id").is_null() & state.is_not_null() & ~state.is_in(_UNLOADED)
            touched &= ~(frozen & known.fill_null(False))
        rows = rows.with_columns(touched.alias("touched"))
        if self._mapping.group or self._mapping.group_is_wide:
            alone = pl.col("_group").fill_null("\x00" + pl.col("_row").cast(pl.String))
            rows = rows.with_columns(pl.col("touched").any().over(alone))
        rows = rows.with_columns((left & pl.col("touched") & self._open()).alias("touched"))
        same = self._same_records(rows, mapped, gate)
        stops = pl.col("touched") & ~pl.col("_record").is_in(same.implode()).fill_null(False)
        late = pl.when(state.is_null()).then(pl.lit(LATE_NEW)).otherwise(
            pl.lit(LATE_MAPPING if self._changed else LATE_CHANGED)
        )  # fmt: skip
        reasons = {number: f"wave {name}" for number, name in self._waves.names.items()}
        deferred = wave.replace_strict(reasons, default=None, return_dtype=pl.String)
        return rows.with_columns(
            pl.when(stops).then(pl.when(frozen).then(pl.lit("late")).otherwise(pl.lit("deferred"))).alias("stop"),
            pl.when(stops).then(pl.when(frozen).then(late).otherwise(deferred)).alias("why"),
        )

    def _same_records(self, rows: pl.DataFrame, mapped: Mapped, gate: Gate) -> pl.Series:
        """Return the keys of records whose rows changed and that would be written as they were written before."""
        asked = rows.filter(pl.col("touched") & pl.col("prior_id").is_not_null())["_record"].unique()
        made = mapped.records.filter(pl.col("_key").is_in(asked.implode())) if asked.len() else mapped.records.clear()
        # What rows give to records that several systems know has no record hash of its own.
        if made.is_empty() or self._mapping.giving is not None:
            return pl.Series("record_key", [], dtype=pl.String)
        target = self._context.target
        record, sets = ledger_table(target.dialect, "record"), ledger_table(target.dialect, "column_set")
        staged = target.ask("wave_records", made.select(pl.col("_key").alias("key")))
        written = target.query(
            sa.select(record.c.record_key, record.c.record_hash, sets.c.columns)
            .join(sets, sets.c.id == record.c.column_set_id)
            .where(record.c.mapping_id == self._number, record.c.record_key.in_(sa.select(staged.c.key))),
            ("record_key", "written", "columns"),
        )
        found = gate.pass_through(made).select("record_key", "hash").join(written, on="record_key", how="inner")
        names = pl.lit(column_list(gate.columns))
        return found.filter((pl.col("hash") == pl.col("written")) & (pl.col("columns") == names))["record_key"]


def column_list(columns: Sequence[str]) -> str:
    """Return target columns as the ledger names a set of them."""
    return json.dumps(list(columns), separators=(",", ":"))


def without(mapped: Mapped, stopped: pl.DataFrame) -> Mapped:
    """Return what was mapped with other outcomes for the stopped rows, and nothing that they would have brought."""
    if stopped.is_empty():
        return mapped
    outcomes = mapped.outcomes.join(
        stopped.select("_row", "stop", "why"), on="_row", how="left", maintain_order="left"
    ).with_columns(
        pl.coalesce("stop", "outcome").alias("outcome"),
        pl.when(pl.col("stop").is_not_null()).then("why").otherwise("reason").alias("reason"),
    )
    kept = ~mapped.records["_key"].is_in(stopped["_record"].implode())

    def others(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.join(stopped, on="_row", how="anti", maintain_order="left") if frame.width else frame

    return replace(
        mapped,
        outcomes=outcomes.drop("stop", "why"),
        records=mapped.records.filter(kept),
        shares=mapped.shares.filter(kept) if mapped.shares.width else mapped.shares,
        issues=others(mapped.issues),
        waits=others(mapped.waits),
        linked=others(mapped.linked),
    )


def _meaning_changed(context: LoadContext, number: int, meaning: str) -> bool:
    """Return whether a mapping means something else than when its relation was last read to the end."""
    progress = ledger_table(context.target.dialect, "progress")
    last = (
        sa.select(progress.c.meaning)
        .where(progress.c.mapping_id == number, progress.c.full_read == 1, progress.c.run_id != context.run_id)
        .order_by(progress.c.run_id.desc())
        .limit(1)
    )
    found = context.target.query(last, ("meaning",))["meaning"]
    return found.len() > 0 and found[0] != meaning


def begun_keys(context: LoadContext, number: int) -> pl.Series:
    """Return the keys of rows of a mapping that were deferred, or late, and whose wave this run loads."""
    id_map = ledger_table(context.target.dialect, "id_map")
    loading = sorted(context.waves.loading) or [-1]
    statement = sa.select(id_map.c.source_key).where(
        id_map.c.mapping_id == number, id_map.c.state.in_(("deferred", "late")), id_map.c.wave.in_(loading)
    )
    return context.target.query(statement, ("key",))["key"]
