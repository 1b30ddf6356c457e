"""Likely causes: what probably happened to a value, from the pattern of what was expected and what is there.

Nothing is guessed: a cause is named only where both values have its pattern, and never from what people are called.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from reconciliation.differences import as_date, as_moment
from reconciliation.sides import ProofColumn

ENDLESS = ("9999-12-31", "2099-12-31", "9999-12-31 23:00:00.000000", "9999-12-31 22:59:59.000000")
"""Days by which old systems say that there is no end."""
FILLERS = (*ENDLESS, "1900-01-01", "1899-12-31", "1970-01-01", "0001-01-01")
"""Days by which systems say that there is no day."""

NO_VALUE = frozenset(
    ("", "nvt", "na", "nb", "onbekend", "geen", "leeg", "null", "none", "niet van toepassing", "niet bekend", "x", "xx",
     "xxx", "unknown")
)  # fmt: skip
"""Texts by which people say that there is no value, bare: signs and case left out."""

LIKELY = (
    "previous value", "null_if missing", "null_if lacks text", "filler date", "other day by utc",
    "summer time or utc", "time of day lost",
    "day and month swapped", "century", "another year", "accent lost", "encoding", "case changed", "white space",
    "leading zero lost", "cut off", "doubled", "digits transposed", "sign turned", "decimal point moved", "rounded",
    "flag turned", "code swapped", "another record's value", "moved to another record", "link lost", "value lost",
)  # fmt: skip
"""Every likely cause that can be named."""

_BROKEN = "[ÂÃâ€†‚„…‡Œœ¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿\ufffd\x80-\x9f]"
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"


CUT_AT = "cut off at "
"""Before a number of characters: all texts of a group were cut at the same length."""


def likely_causes(
    wrong: pl.DataFrame, expected: str, found: str, column: ProofColumn, all_expected: pl.Series,
    previous: str | None = None,
) -> list[tuple[str, int]]:  # fmt: skip
    """Count the likely causes of differences of one column.

    Args:
        wrong: rows that differ.
        expected, found: names of the columns of both sides.
        all_expected: what is expected of all records of the batch, these and others.
        previous: name of the column with the values from before the last load that wrote the records (a Struct of
            ``value``; NULL where there was none); None: nothing is known of them.
    """
    known = all_expected.drop_nulls()
    once = known.filter(known.is_in(wrong[found].implode()) & known.is_unique())
    likely = likely_expr(expected, found, column, once)
    if previous is not None:
        undone = pl.col(previous).is_not_null() & pl.col(previous).struct.field("value").eq_missing(pl.col(found))
        likely = pl.when(undone).then(pl.lit("previous value")).otherwise(likely)
    named = wrong.select(likely.alias("likely"), pl.col(found).alias("found"))
    counts = {str(name): int(n) for name, n in named["likely"].drop_nulls().value_counts().iter_rows()}
    lengths = named.filter(pl.col("likely") == "cut off")["found"].str.len_chars().unique()
    if lengths.len() == 1 and counts["cut off"] > 1:
        counts[f"{CUT_AT}{lengths[0]}"] = counts.pop("cut off")
    return list(counts.items())


def likely_expr(expected: str, found: str, column: ProofColumn, others: Iterable[str] = ()) -> pl.Expr:
    """Name the likely cause of the difference of two String columns that differ; NULL where no pattern fits.

    Args:
        expected, found: names of the columns.
        column: what it holds.
        others: values that are expected of exactly one other record; a found value among them belongs to that record.
    """
    left, right = pl.col(expected), pl.col(found)
    given = pl.Series("others", list(others), dtype=pl.String)
    taken = right.is_in(given.implode()) if given.len() else pl.lit(False)
    patterns = [
        (right.is_null() & left.is_in(list(ENDLESS)), "null_if missing"),
        (right.is_null() & _says_nothing(left, column), "null_if lacks text"),
        (right.is_in(list(FILLERS)) & ~left.is_in(list(FILLERS)).fill_null(False), "filler date"),
        (right.is_null() & pl.lit(column.kind == "uuid"), "link lost"),
        (right.is_null(), "value lost"),
        *_of_kind(left, right, column),
        (taken & pl.lit(column.kind == "text" and not column.coded), "another record's value"),
        *(_of_text(left, right) if column.kind == "text" and not column.coded else ()),
    ]  # fmt: skip
    named = pl.coalesce(pl.when(holds).then(pl.lit(name)) for holds, name in patterns)
    return pl.when(left.is_not_null() | right.is_in(list(FILLERS))).then(named)


def _says_nothing(text: pl.Expr, column: ProofColumn) -> pl.Expr:
    """Return whether a text is one that people write for no value, or one of `null_if` written otherwise."""
    if column.kind != "text" or column.coded:
        return pl.lit(False)
    listed = [_bare_word(pl.lit(each)) for each in column.null_texts]
    known = _bare_word(text).is_in(list(NO_VALUE))
    return pl.any_horizontal([known, *(_bare_word(text) == each for each in listed)]).fill_null(False)


def _bare_word(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.replace_all(r"[^\pL\pN ]", "").str.strip_chars()


def _of_kind(left: pl.Expr, right: pl.Expr, column: ProofColumn) -> list[tuple[pl.Expr, str]]:
    if column.kind == "date":
        return _of_date(left, right)
    if column.kind == "instant":
        return _of_moment(left, right)
    if column.kind == "boolean":
        return [(right.is_not_null(), "flag turned")]
    if column.kind == "uuid" and not column.coded:
        return [(right.is_not_null(), "moved to another record")]
    if column.kind in ("integer", "decimal"):
        return _of_number(left, right)
    return [(right.is_not_null(), "code swapped")] if column.coded else []


def _of_date(left: pl.Expr, right: pl.Expr) -> list[tuple[pl.Expr, str]]:
    a, b = as_date(left), as_date(right)
    same_day = (a.dt.month() == b.dt.month()) & (a.dt.day() == b.dt.day())
    years = (b.dt.year() - a.dt.year()).abs()
    return [
        ((b - a).dt.total_days() == -1, "other day by utc"),
        (same_day & (years == 100), "century"),
        (same_day & (years > 0), "another year"),
        ((a.dt.year() == b.dt.year()) & (a.dt.month() == b.dt.day()) & (a.dt.day() == b.dt.month()),
         "day and month swapped"),
    ]  # fmt: skip


def _of_moment(left: pl.Expr, right: pl.Expr) -> list[tuple[pl.Expr, str]]:
    a, b = as_moment(left), as_moment(right)
    hours = (b - a).dt.total_microseconds().abs() / 3_600_000_000
    local = b.dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Amsterdam")
    at_midnight = (b.dt.truncate("1d") == b) | (local.dt.truncate("1d") == local)
    return [
        (hours.is_in([1.0, 2.0]), "summer time or utc"),
        (at_midnight & (hours < 26), "time of day lost"),
    ]  # fmt: skip


def _of_number(left: pl.Expr, right: pl.Expr) -> list[tuple[pl.Expr, str]]:
    a, b = (pl.when(each.str.contains(_NUMBER)).then(each).cast(pl.Float64, strict=False) for each in (left, right))
    moved = pl.any_horizontal([((a * ten - b).abs() < 1e-9) | ((b * ten - a).abs() < 1e-9) for ten in (10, 100, 1000)])
    return [
        ((a + b).abs() < 1e-9, "sign turned"),
        (moved & (a != 0) & (b != 0), "decimal point moved"),
        (((a - b).abs() < 1) & (b == b.round(0)), "rounded"),
        (_same_characters(left, right), "digits transposed"),
    ]  # fmt: skip


def _of_text(left: pl.Expr, right: pl.Expr) -> list[tuple[pl.Expr, str]]:
    bare = [each.str.normalize("NFD").str.replace_all(r"\p{Mn}", "") for each in (left, right)]
    unlike = right.str.contains(_BROKEN) & ~left.str.contains(_BROKEN)
    question = left.str.contains(r"[^\x00-\x7f]") & (left.str.replace_all(r"[^\x00-\x7f]", "?") == right)
    digits = left.str.contains("^[0-9]+$") & right.str.contains("^[0-9]+$")
    number = [pl.when(digits).then(each.str.strip_chars_start("0")) for each in (left, right)]
    half = left + left
    return [
        (_without_blanks(left) == _without_blanks(right), "white space"),
        (left.str.to_lowercase() == right.str.to_lowercase(), "case changed"),
        (bare[0].str.to_lowercase() == bare[1].str.to_lowercase(), "accent lost"),
        (unlike | question, "encoding"),
        ((number[0] == number[1]) & (left.str.len_chars() > right.str.len_chars()), "leading zero lost"),
        ((half == right) | ((left + " " + left) == right), "doubled"),
        (left.str.starts_with(right.str.strip_chars_end()) & (left.str.len_chars() > right.str.len_chars()), "cut off"),
        (digits & _same_characters(left, right), "digits transposed"),
    ]  # fmt: skip


def _without_blanks(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"\s+", " ").str.strip_chars()


def _same_characters(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Return whether both have the same characters in another order."""
    return (left.str.len_chars() == right.str.len_chars()) & (
        left.str.split("").list.sort().list.join("") == right.str.split("").list.sort().list.join("")
    )
