"""Text to instant: local time of a zone, or time with its offset, to UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date as day_type
from functools import cache

import polars as pl
from polars.exceptions import PolarsError

from casemodel import Place, RefusedError
from mappings.stages.calendar import known_day, known_moment
from mappings.stages.dates import check_pivot
from mappings.stages.formats import Format, parse_format
from mappings.stages.reading import read_micros
from mappings.stages.result import Staged, from_struct

INSTANT = pl.Datetime("us", "UTC")
_GAP_LOOK_BACK = "25h"


def datetime(
    text: pl.Expr,
    formats: Sequence[str],
    *,
    timezone: str | None = None,
    ambiguous: str = "reject",
    not_before: pl.Expr | None = None,
    gap: str = "reject",
    pivot_year: int | None = None,
    past: day_type | None = None,
    place: Place | None = None,
) -> Staged:
    """Return the instant that a text says: value Datetime("us", "UTC"), failed String.

    ``failed`` is ``datetime-invalid``, ``time-ambiguous``, ``time-gap`` or NULL.  A format without a time means
    midnight.  Zone rules are those of the time zone database inside Polars, in which Amsterdam before 1947 equals
    Brussels.

    Args:
        text: String expression; parts of an instant are joined by one blank before.
        formats: formats of the language, tried in order.
        timezone: IANA name of the zone of formats without ``Z``; needed when there is one.
        ambiguous: which of the two moments a local time at the end of summer time is: ``reject``, ``earliest`` or
            ``latest``.
        not_before: an instant (Datetime UTC); takes the earliest of the two moments that is not before it.  Where it is
            NULL, or both moments lie before it: ``time-ambiguous``.
        gap: a local time that does not exist: ``reject``, or ``shift`` by the length of the gap (02:30 becomes 03:30).
        pivot_year: as for `date`.
        past: as for `date`.
        place: where the stage stands, for errors.

    Raises:
        RefusedError: MAP-028.
    """
    read = [parse_format(item, time=True, place=place) for item in formats]
    _check(read, timezone, place)
    check_pivot(read, pivot_year, past, place)
    # No text matches both a format with and one without an offset, therefore the two kinds may be read apart.
    local = [read_micros(text, item, pivot_year, past) for item in read if not item.has_offset]
    fixed = [read_micros(text, item, pivot_year, past) for item in read if item.has_offset]
    parts = [text.is_not_null().alias("given")]
    if fixed:
        parts.append(pl.coalesce(fixed).dt.replace_time_zone("UTC").alias("moment"))
    if local:
        parts.append(pl.coalesce(local).alias("local"))
    if not_before is not None:
        parts.append(not_before.alias("bound"))
    whole = pl.struct(parts)
    if local and timezone is not None:
        whole = _placed(whole, timezone, ambiguous, not_before is not None, gap)
    else:
        whole = whole.struct.with_fields(value=pl.lit(None, INSTANT), code=pl.lit(None, pl.String))
    if fixed:
        whole = whole.struct.with_fields(value=pl.coalesce(pl.field("value"), pl.field("moment")))
    # 0001-01-01 in Amsterdam lies in the year 0 in UTC
    whole = whole.struct.with_fields(value=known_moment(pl.field("value")))
    invalid = pl.field("given") & pl.field("value").is_null() & pl.field("code").is_null()
    failed = pl.when(invalid).then(pl.lit("datetime-invalid")).otherwise(pl.field("code"))
    return from_struct(whole.struct.with_fields(failed=failed))


def local_date(instant: pl.Expr, timezone: str, *, place: Place | None = None) -> pl.Expr:
    """Return the date of an instant (Datetime UTC) in a zone, NULL where that is after the year 9999."""
    check_zone(timezone, place)
    return known_day(instant.dt.convert_time_zone(timezone).dt.date())


def check_zone(timezone: str, place: Place | None) -> None:
    """Refuse a zone that the time zone database does not know."""
    if not _known_zone(timezone):
        raise RefusedError(
            "MAP-028",
            f"the time zone '{timezone}' is not known",
            hint="Use a name of the IANA time zone database, such as Europe/Amsterdam.",
            place=place,
        )


@cache
def _known_zone(timezone: str) -> bool:
    try:
        pl.Series([0]).cast(pl.Datetime("us")).dt.replace_time_zone(timezone)
    except PolarsError:
        return False
    return True


def _check(read: Sequence[Format], timezone: str | None, place: Place | None) -> None:
    if not read:
        raise RefusedError(
            "MAP-028",
            "a datetime needs at least one format",
            hint="Write datetime: [YYYY-MM-DD HH:mm:ss].",
            place=place,
        )
    if timezone is not None:
        check_zone(timezone, place)
    without = [item.text for item in read if not item.has_offset]
    if without and timezone is None:
        raise RefusedError(
            "MAP-028",
            f"the format '{without[0]}' has no offset, and no time zone is named",
            hint="Add timezone: Europe/Amsterdam.",
            place=place,
        )


def _placed(whole: pl.Expr, timezone: str, ambiguous: str, bounded: bool, gap: str) -> pl.Expr:
    """Add ``value``, the instant of the local time, and ``code``, what is wrong with it.

    Polars stops the column at a time in the gap or the fold, unless it is told to give NULL.  The few local times that
    gave NULL (``odd``) are placed again, to see in which of the two they lie.
    """

    def at(choice: str, moment: pl.Expr) -> pl.Expr:
        zoned = moment.dt.replace_time_zone(timezone, ambiguous=choice, non_existent="null")  # type: ignore[arg-type]
        return zoned.dt.convert_time_zone("UTC")

    local, value, odd, first = (pl.field(name) for name in ("local", "value", "odd", "first"))
    chooses = ambiguous in ("earliest", "latest") and not bounded
    whole = whole.struct.with_fields(value=at(ambiguous if chooses else "null", local))
    whole = whole.struct.with_fields(odd=pl.when(value.is_null()).then(local))
    if chooses:
        whole = whole.struct.with_fields(code=pl.when(odd.is_not_null()).then(pl.lit("time-gap")))
    else:
        whole = whole.struct.with_fields(first=at("earliest", odd))
        if bounded:
            last, bound = at("latest", odd), pl.field("bound")
            whole = whole.struct.with_fields(
                value=pl.coalesce(value, pl.when(first >= bound).then(first).when(last >= bound).then(last))
            )
        in_gap, in_fold = odd.is_not_null() & first.is_null(), first.is_not_null() & value.is_null()
        code = pl.when(in_gap).then(pl.lit("time-gap")).when(in_fold).then(pl.lit("time-ambiguous"))
        whole = whole.struct.with_fields(code=code)
    if gap != "shift":
        return whole
    # The offset from before the gap, found a day earlier, moves the time by the length of the gap.
    in_gap = pl.field("code") == "time-gap"
    before = at("earliest", pl.when(in_gap).then(local.dt.offset_by(f"-{_GAP_LOOK_BACK}")))
    return whole.struct.with_fields(
        value=pl.coalesce(value, before.dt.offset_by(_GAP_LOOK_BACK)),
        code=pl.when(in_gap.not_().fill_null(True)).then(pl.field("code")),
    )
