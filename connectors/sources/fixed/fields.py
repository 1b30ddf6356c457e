"""From a column of records to columns of their fields: cut by position, trimmed, numbers written plainly."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from connectors.sources.fixed.layout import FixedField

_DIGITS = "0123456789"
_LAST_DIGIT = dict(zip("{ABCDEFGHI}JKLMNOPQR", _DIGITS * 2, strict=True))
_FEW = 200
_CONTINUED = pl.Series([bytes([byte]) for byte in range(0x80, 0xC0)], dtype=pl.Binary)
"""Bytes in UTF-8 with which no character begins."""


def cut(record: pl.Expr, field: FixedField) -> pl.Expr:
    """Return a field of a column of records as it stands there: of texts by characters, of binaries by bytes."""
    return record.str.slice(field.start - 1, field.length)


def cut_bytes(record: pl.Expr, field: FixedField) -> pl.Expr:
    """Return a field by bytes; NULL where its border cuts a character in two."""
    inside = pl.lit(_CONTINUED).implode()
    borders = (record.bin.slice(at, 1).is_in(inside) for at in (field.start - 1, field.stop))
    return pl.when(~pl.any_horizontal(borders)).then(record.bin.slice(field.start - 1, field.length)).cast(pl.String)


def trimmed(text: pl.Expr, field: FixedField) -> pl.Expr:
    """Return a text without the spaces behind it; what is to be a number is left as it stands."""
    return text if field.sign is not None else text.str.strip_chars_end(" ")


def plain_number(text: pl.Series, field: FixedField) -> pl.Series:
    """Return a plain number; NULL where it is none.

    Numbers are written for each value that occurs, since amounts are often the same.
    """
    once = text.drop_nulls().unique()
    if once.len() <= _FEW:
        once = once.sort()
        numbers = _same_numbers(tuple(once), field)
    else:
        numbers = _numbers(once, field)
    return text.replace_strict(once, numbers, default=None, return_dtype=pl.String)


@lru_cache(64)
def _same_numbers(texts: tuple[str, ...], field: FixedField) -> pl.Series:
    """Return the same as `_numbers`: one block after the other may have the same few amounts."""
    return _numbers(pl.Series(texts, dtype=pl.String), field)


def _numbers(texts: pl.Series, field: FixedField) -> pl.Series:
    return pl.select(_number(pl.lit(texts).str.strip_chars(" "), field)).to_series()


def _number(text: pl.Expr, field: FixedField) -> pl.Expr:
    negative, digits = pl.lit(False), text
    if field.sign == "overpunch":
        last = text.str.tail(1)
        negative = last.is_in(list("}JKLMNOPQR"))
        digits = text.str.head(-1) + last.replace(_LAST_DIGIT)
    elif field.sign == "trailing":
        negative = text.str.ends_with("-")
        digits = pl.when(negative | text.str.ends_with("+")).then(text.str.head(-1)).otherwise(text)
    elif field.sign == "leading":
        negative = text.str.starts_with("-")
        signed = text.str.slice(1).str.strip_chars_start(" ")
        digits = pl.when(negative | text.str.starts_with("+")).then(signed).otherwise(text)
    significant = digits.str.strip_chars_start("0")
    plain = significant.str.zfill(field.decimals + 1)
    if field.decimals:
        plain = plain.str.head(-field.decimals) + "." + plain.str.tail(field.decimals)
    number = pl.when(negative & (significant != "")).then("-" + plain).otherwise(plain)
    only_digits = (digits != "") & (digits.str.strip_chars(_DIGITS) == "")
    return pl.when(text == "").then(pl.lit("")).when(only_digits).then(number)
