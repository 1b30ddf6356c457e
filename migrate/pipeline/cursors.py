"""Reading by a cursor: the keys of all rows, and the rows whole that may have changed since the last run.

Every run reads key and cursor of every row.  A row is read whole when its cursor is not before the bound, empty or
unreadable, and whatever its cursor says when its key is new, came back, waits, or has to be mapped again.  So no row is
lost; a row that changes without a new cursor value is found by ``run --full``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa

from casemodel import Source
from connectors import Scratch
from mappings import CompiledMapping, CursorRule
from migrate.ledger.store import UNDONE, table
from migrate.pipeline.change_filter import ChangeFilter
from migrate.pipeline.context import LoadContext
from migrate.pipeline.reading import ReadBatch, StraightReading
from migrate.pipeline.waits import SETTLED

_PASS_ROWS = 200_000
_UNREADABLE = ("record-unparsable", "encoding-invalid", "blob-in-text")
_ZONE = ZoneInfo("Europe/Amsterdam")
Value = int | Decimal | str


@dataclass(frozen=True)
class Bounds:
    """From where on a run reads by the cursor, and how far the cursor of the relation goes.

    low: the first value that is read; None: everything is read.
    high: the highest value that does not lie in the future, which the next run starts from; None: there is none.
    """

    low: Value | None
    high: Value | None


def has_effect(mapping: CompiledMapping, source: Source) -> bool:
    """Return whether a mapping can be read by a cursor; otherwise every run compares all rows.

    What is grouped, looked up beside, queried or merged with other systems may change without a row of its own.
    """
    plain = not (mapping.group or mapping.group_is_wide or mapping.sides or mapping.by_query)
    return plain and mapping.giving is None and source.keyed


def bounds(context: LoadContext, mapping: CompiledMapping, source: Source, rule: CursorRule) -> Bounds:
    """Return the bounds of a run that begins to read a mapping; they are kept in the ledger and hold for the whole run.

    Everything is read when nothing was read to its end before, the meaning or the cursor changed since, or records
    of the source could not be read.
    """
    number = context.mapping_ids[mapping.name]
    with context.target.engine.connect() as connection:
        high = _high(context, connection, mapping, source, rule)
        progress, issue = table(connection, "progress"), table(connection, "issue")
        last = connection.execute(
            sa.select(progress.c.cursor_high, progress.c.cursor_by, progress.c.meaning)
            .where(progress.c.mapping_id == number, progress.c.run_id != context.run_id)
            .where(progress.c.full_read == 1, progress.c.state != UNDONE)
            .order_by(progress.c.run_id.desc())
            .limit(1)
        ).first()
        unreadable = connection.scalar(
            sa.select(issue.c.id).where(issue.c.mapping_id == number, issue.c.code.in_(_UNREADABLE)).limit(1)
        )
    if last is None or last.cursor_high is None or (last.cursor_by, last.meaning) != (rule.digest, mapping.meaning):
        return Bounds(None, high)
    if context.full or unreadable or not has_effect(mapping, source):
        return Bounds(None, high)
    before = rule.typed(last.cursor_high)
    return Bounds(before - rule.lag if isinstance(before, int) else before, high)


def _high(
    context: LoadContext, connection: sa.Connection, mapping: CompiledMapping, source: Source, rule: CursorRule
) -> Value | None:
    """Return the highest cursor value that is not later than the moment at which the run began."""
    run = table(connection, "run")
    started = str(connection.scalar(sa.select(run.c.started_at).where(run.c.id == context.run_id)))
    moment = datetime.strptime(started, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    found: list[Any] = []
    for frame in source.columns(mapping.relation, (rule.column,), _PASS_ROWS):
        values = frame.select(rule.value(frame.columns[0]).alias("value"))
        if rule.kind in ("date", "datetime"):
            day = datetime.combine(moment.astimezone(_ZONE).date(), datetime.min.time(), UTC)
            last = day if rule.kind == "date" else moment
            values = values.filter(pl.col("value") <= int(last.timestamp()) * 1_000_000 + last.microsecond)
        found += [values["value"].max()]
    known = [value for value in found if value is not None]
    return max(known) if known else None


@dataclass
class CursorReading:
    """The rows of a relation that may have changed, in physical order; see `migrate.pipeline.reading.Reading`.

    Args:
        straight: reads the whole relation.
        rule: the cursor.
        low: its first value that is read.
        changes: what the id map says of keys.
        duplicates: keys that more than one row has.
    """

    straight: StraightReading
    rule: CursorRule
    low: Value
    changes: ChangeFilter
    duplicates: pl.Series
    _scratch: Scratch = field(default_factory=Scratch)

    def batches(self, after: str | None = None) -> Iterator[ReadBatch]:
        """Yield the rows to read, from a checkpoint on; where a row cannot be read, the whole relation.

        A checkpoint names the last row: what is to be read after it does not depend on what was committed before.
        """
        kept = json.loads(after) if after else {}
        mine = isinstance(kept, dict)
        refs = self._refs(kept.get("ref")) if mine else None
        if refs is None or not self._fetch(refs):
            yield from self.straight.batches(after)
            return
        for number in range(0, refs.len(), self.straight.batch_rows):
            part = refs.slice(number, self.straight.batch_rows)
            frame = pl.read_parquet(self._scratch.folder / f"{number:012}.parquet")
            yield ReadBatch(self.straight.prepare(frame), frame.height, json.dumps({"ref": part[-1]}))

    def _refs(self, after: str | None) -> pl.Series:
        """Return the locators of the rows to read, in physical order, those after a locator only."""
        mapping, source = self.straight.mapping, self.straight.source
        names = [*mapping.key_columns, self.rule.column, "_ref"]
        found = [pl.Series("_ref", [], dtype=pl.String)]
        skipping = after is not None
        for frame in source.columns(mapping.relation, names, _PASS_ROWS):
            if skipping:
                place = frame["_ref"].index_of(after)
                skipping = place is None
                frame = frame.clear() if place is None else frame.slice(place + 1)
            if frame.height:
                found.append(frame["_ref"].filter(self._wanted(frame)))
        return pl.concat(found)

    def _wanted(self, frame: pl.DataFrame) -> pl.Series:
        """Return which rows are to be read."""
        keys = self.straight.mapping.keys_only(frame)["_key"]
        slots = keys.len() // frame.height
        column = next(name for name in frame.columns if name.casefold() == self.rule.column.casefold())
        value = frame.select(self.rule.value(column).alias("value"))["value"]
        rows = pl.DataFrame({"key": keys, "ref": frame["_ref"].gather(_repeated(frame.height, slots))})
        known = rows.join(self.changes.prior(keys), on="key", how="left", maintain_order="left")
        settled = (
            pl.col("prior_state").is_in(list(SETTLED))
            & pl.col("prior_hash").is_not_null()
            & ~pl.col("key").is_in(self.changes.moved.implode())
            & ~pl.col("key").is_in(self.duplicates.implode())
            & (pl.col("wait_ref").is_null() | (pl.col("wait_ref") == pl.col("ref")))
        ).fill_null(False)
        quiet = known.select(settled.alias("quiet"))["quiet"]
        if slots > 1:
            every = pl.DataFrame({"row": _repeated(frame.height, slots), "quiet": quiet})
            quiet = every.group_by("row", maintain_order=True).agg(pl.col("quiet").all())["quiet"]
        return ~quiet | _from(value, self.low)

    def _fetch(self, refs: pl.Series) -> bool:
        """Read the rows whole into the scratch store; False when one of them cannot be read."""
        for number in range(0, refs.len(), self.straight.batch_rows):
            part = refs.slice(number, self.straight.batch_rows)
            frame = self.straight.source.fetch(self.straight.mapping.relation, part)
            if frame.height < part.len():
                return False
            frame.write_parquet(self._scratch.folder / f"{number:012}.parquet")
        return True

    def again(self, refs: pl.Series) -> Iterator[pl.DataFrame]:
        """Yield the rows with these locators once more."""
        yield from self.straight.again(refs)

    def close(self) -> None:
        """Remove the scratch store."""
        self.straight.close()
        self._scratch.close()


def _repeated(rows: int, slots: int) -> pl.Series:
    """Return the number of each row, once per slot."""
    return pl.select((pl.int_range(rows * slots) // slots).cast(pl.UInt32)).to_series()


def _from(value: pl.Series, low: Value) -> pl.Series:
    """Return which values are not before a bound; an empty or unreadable one is not known to be."""
    return pl.select((pl.lit(value) >= pl.lit(low)).fill_null(True)).to_series()
