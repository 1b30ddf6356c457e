"""From lines that tell events to tickets: sorted by ticket on disk, folded by column operations."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from casemodel import Extract
from connectors.sources.tickets.settings import DAY, NEW, SERIES, TicketLog

AT, EVENT = "\x01at", "\x01event"
_BEFORE, _CODE = "\x01before", "\x01code"
_UNREADABLE = dict.fromkeys(("_ref", "place", "code", "raw"), pl.String)


@dataclass(frozen=True, slots=True)
class Events:
    """The lines of an extract: events of tickets, those that cannot be read, the files of those that tell no event."""

    frame: pl.DataFrame
    unreadable: pl.DataFrame
    skipped: pl.Series


def events_of(extract: Extract, log: TicketLog, delimiter: str) -> Events:
    """Find the events of an extract of the log.

    Args:
        extract: lines of the CSV files.
        log: how they are read.
        delimiter: with which the fields of a line that cannot be read are put together again.
    """
    names = dict(log.events)
    said = pl.col(log.event).str.strip_chars()
    moment = pl.concat_str([pl.col(name).str.strip_chars() for name in log.moment], separator=" ")
    fraction = "%.3f" if "%3f" in log.form else ""
    read = pl.when(moment.str.contains(log.digits)).then(moment).str.to_datetime(log.form, strict=False, time_unit="us")
    frame = extract.frame.with_columns(
        said.replace_strict(names, default=None, return_dtype=pl.String).alias(EVENT),
        read.dt.strftime(f"%Y-%m-%d %H:%M:%S{fraction}").alias(AT),
    )
    # With an empty list of events is_in has no type.
    silent = said.is_in(list(log.skipped)) if log.skipped else pl.lit(False)
    blank = pl.all_horizontal(pl.col(name).str.strip_chars() == "" for name in log.ticket)
    why = (
        pl.when(pl.col(EVENT).is_null())
        .then(pl.lit("its event is not declared"))
        .when(pl.col(AT).is_null())
        .then(pl.lit("its moment is none"))
        .when(blank)
        .then(pl.lit("it names no ticket"))
    )
    frame = frame.with_columns(why.alias(_CODE), silent.alias(_BEFORE))
    told = frame.filter(~pl.col(_BEFORE))
    wrong = told.filter(pl.col(_CODE).is_not_null())
    fields = [name for name in extract.frame.columns if name not in ("_ref", "_file")]
    record = pl.col("_ref").str.split(":").list.last()
    unreadable = wrong.select(
        "_ref",
        pl.format("{}, record {} ({})", "_file", record, _CODE).alias("place"),
        pl.lit("record-unparsable").alias("code"),
        pl.concat_str(fields, separator=delimiter).alias("raw"),
    )
    parts = [unreadable, *([extract.unreadable] if extract.unreadable is not None else [])]
    kept = [name for name, _ in log.kept]
    good = told.filter(pl.col(_CODE).is_null())
    if log.per_day:
        good = good.with_columns(pl.col(AT).str.head(10).alias(DAY))
    return Events(
        good.select(*dict.fromkeys([*log.identity, *kept]), AT, EVENT, "_file"),
        pl.concat([part.select(*_UNREADABLE) for part in parts]),
        frame.filter(pl.col(_BEFORE))["_file"],
    )


def fold(events: pl.DataFrame, log: TicketLog) -> pl.DataFrame:
    """Fold the events of whole tickets, sorted by ticket and order, into a row for each ticket."""
    ticket = list(log.identity)
    first = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in ticket)
    if log.restart is not None:
        again = (pl.col(EVENT) == log.restart).cum_sum().over(ticket)
        events = events.with_columns((again.cast(pl.Int64) - 1).clip(0).alias(SERIES))
        ticket = [*ticket, SERIES]
        first = first | (pl.col(SERIES) != pl.col(SERIES).shift(1))
    leads = {event: state for event, _, state in log.transitions}
    allowed = [f"{state} {event}" for event, states, _ in log.transitions for state in states]
    before = pl.when(~first.fill_null(True)).then(pl.col(EVENT).shift(1))
    state = pl.col(_BEFORE).replace_strict(leads, default=NEW, return_dtype=pl.String)
    events = events.with_columns(before.alias(_BEFORE), pl.when(~first).then(pl.col(AT).shift(1)).alias("\x01then"))
    wrong = ~pl.concat_str(state, pl.lit(" "), EVENT).is_in(allowed)
    code = pl.when(wrong).then(pl.format("{}-after-{}", EVENT, pl.col(_BEFORE).fill_null("nothing")))
    back = pl.when(pl.col(AT) < pl.col("\x01then")).then(pl.lit("moment-backwards"))
    events = events.with_columns(code.alias(_CODE), back.alias("\x01back"))
    found = events.group_by(ticket, maintain_order=True).agg(
        *(_kept(name, last=last) for name, last in log.kept),
        *(part for event in log.told for part in _moments(event)),
        *((pl.col(EVENT) == event).sum().cast(pl.String).alias(f"{event}_count") for event in log.told),
        pl.len().cast(pl.String).alias("events"),
        pl.col(EVENT).last().replace_strict(leads, return_dtype=pl.String).alias("state"),
        pl.col(_CODE)
        .append(pl.col("\x01back"))
        .drop_nulls()
        .unique(maintain_order=True)
        .str.join(", ")
        .alias("order_issues"),
        pl.col("_file").first(),
    )
    if log.restart is not None:
        found = found.with_columns(pl.col(SERIES).cast(pl.String))
    return found.select(*log.columns, "_file")


def _kept(name: str, *, last: bool) -> pl.Expr:
    filled = pl.col(name).filter(pl.col(name) != "")
    return (filled.last() if last else filled.first()).fill_null("").alias(name)


def _moments(event: str) -> tuple[pl.Expr, pl.Expr]:
    when = pl.col(AT).filter(pl.col(EVENT) == event)
    return when.first().alias(f"{event}_at"), when.last().alias(f"{event}_last_at")
