"""From a column of records to columns of their fields: cut by position, trimmed, numbers written plainly."""

from __future__ import annotations

import polars as pl

from connectors.sources.fixed_layout import FixedField

_DIGITS = "0123456789"
_LAST_DIGIT = dict(zip("{ABCDEFGHI}JKLMNOPQR", _DIGITS * 2, strict=True))
_CONTINUED = pl.Series([bytes([byte]) for byte in range(0x80, 0xC0)], dtype=pl.Binary)
"""Bytes in UTF-8 with which no character begins."""
_NEGATIVE = "[}J-R]$"


def cut(record: pl.Expr, field: FixedField) -> pl.Expr:
    """Return a field of a column of records as it stands there: of texts by characters, of binaries by bytes."""
    return record.str.slice(field.start - 1, field.length)


def cut_bytes(record: pl.Expr, field: FixedField) -> pl.Expr:
    """Return a field by bytes; NULL where its border cuts a character in two."""
    inside = pl.lit(_CONTINUED).implode()
    borders = (record.bin.slice(at, 1).is_in(inside) for at in (field.start - 1, field.stop))
    return pl.when(~pl.any_horizontal(borders)).then(record.bin.slice(field.start - 1, field.length)).cast(pl.String)


def value(text: pl.Expr, field: FixedField) -> pl.Expr:
    """Return what a field holds: a text without the spaces behind it, or a plain number; NULL where it is none."""
    if field.sign is None:
        return text.str.strip_chars_end(" ")
    return _number(text.str.strip_chars(" "), field)


def _number(text: pl.Expr, field: FixedField) -> pl.Expr:
    negative = pl.lit(False)
    digits = text
    if field.sign == "overpunch":
        last = text.str.tail(1)
        negative = text.str.contains(_NEGATIVE)
        digits = text.str.head(-1) + last.replace(_LAST_DIGIT)
    elif field.sign == "trailing":
        negative = text.str.ends_with("-")
        digits = text.str.replace("[+-]$", "")
    elif field.sign == "leading":
        negative = text.str.starts_with("-")
        digits = text.str.replace("^[+-] *", "")
    whole = digits.str.strip_chars_start("0").str.zfill(field.decimals + 1)
    plain = whole
    if field.decimals:
        plain = whole.str.head(-field.decimals) + "." + whole.str.tail(field.decimals)
    signed = pl.when(negative & digits.str.contains("[1-9]")).then("-" + plain).otherwise(plain)
    return pl.when(text == "").then(pl.lit("")).when(digits.str.contains("^[0-9]+$")).then(signed)
