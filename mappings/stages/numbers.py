"""Text to number, exact: the result is decimal text in one canonical form."""

from __future__ import annotations

import re

import polars as pl

from casemodel import Place, RefusedError
from mappings.stages.result import Staged, staged


def number(text: pl.Expr, *, decimal: str = ".", thousands: str | None = None, place: Place | None = None) -> Staged:
    """Return a number as canonical decimal text: value String, failed Boolean.

    Canonical: no exponent, no plus, no leading zeros, a point as decimal sign, the digits behind it as they were
    written, minus in front, and none on zero.  A minus may stand before or behind the number, a plus before it.  The
    sign between thousands is optional, but where there is one it stands between groups of three.

    Args:
        text: String expression.
        decimal: decimal sign, ``.`` or ``,``.
        thousands: sign between thousands, one character, or None.
        place: where the stage stands, for errors.

    Raises:
        RefusedError: MAP-028 for signs that cannot be meant.
    """
    if decimal not in (".", ","):
        raise RefusedError(
            "MAP-028", "the decimal sign is neither a point nor a comma", hint='Write decimal: ",".', place=place
        )
    if thousands is not None and (len(thousands) != 1 or thousands.isalnum() or thousands in (decimal, "+", "-")):
        raise RefusedError(
            "MAP-028",
            "the sign between thousands is not one sign that differs from the decimal sign",
            hint='Write thousands: ".".',
            place=place,
        )
    whole = "[0-9]+"
    if thousands is not None:
        whole = f"(?:[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|[0-9]+)"
    size = f"{whole}(?:{re.escape(decimal)}[0-9]+)?"
    plain = pl.when(text.str.contains(rf"\A(?:[+-]?{size}|{size}-)\z")).then(text)
    value = plain.str.strip_chars("+-")
    if thousands is not None:
        value = value.str.replace_all(thousands, "", literal=True)
    if decimal == ",":
        value = value.str.replace(",", ".", literal=True)
    value = value.str.replace(r"\A0+([0-9])", "$1")
    below = plain.str.contains("-", literal=True) & value.str.contains("[1-9]")
    signed = pl.when(below).then(pl.concat_str(pl.lit("-"), value)).otherwise(value)
    return staged(text, signed)
