"""Parts of house numbers and telephone numbers as people type them."""

from __future__ import annotations

from typing import Final

import polars as pl

_NUMBER: Final = r"(?is)\A\s*([0-9]{1,5})(?:[^0-9]|\z)"
_LETTER: Final = r"(?is)\A\s*[0-9]{1,5}\s*([a-z])(?:[^a-z]|\z)"
_BEHIND_LETTER: Final = r"(?is)\A\s*[0-9]{1,5}\s*[a-z]([^a-z].*)?\z"
_BEHIND_NUMBER: Final = r"(?is)\A\s*[0-9]{1,5}(.*)\z"
_ABROAD: Final = r"(?:\+31|0031)[ \-.]{0,3}(?:\(0\))?"
_PHONE: Final = (
    rf"(?s)(\A|[^0-9+])({_ABROAD}(?:[ \-.]{{0,3}}[0-9]){{9}}|\(?0[1-9](?:[ \-.)]{{0,3}}[0-9]){{8}})([^0-9]|\z)"
)
"""What stands before the number, the number, what stands behind it."""


def house_number(text: pl.Expr) -> pl.Expr:
    """Return the number in front, without leading zeros; NULL where there is none of 1 to 5 digits."""
    return text.str.extract(_NUMBER, 1).str.replace(r"\A0+([0-9])", "$1")


def house_letter(text: pl.Expr) -> pl.Expr:
    """Return the single letter behind the number as a capital, NULL where there is none."""
    return text.str.extract(_LETTER, 1).str.to_uppercase()


def house_addition(text: pl.Expr) -> pl.Expr:
    """Return what stands behind number and letter, NULL where there is nothing or no number."""
    behind = pl.when(text.str.contains(_LETTER)).then(text.str.extract(_BEHIND_LETTER, 1)).otherwise(
        pl.when(text.str.contains(_NUMBER)).then(text.str.extract(_BEHIND_NUMBER, 1))
    )
    rest = behind.str.replace(r"\A[\s\-/.,]+", "").str.strip_chars_end()
    return pl.when(rest != "").then(rest)


def phone_number(text: pl.Expr) -> pl.Expr:
    """Return the first Dutch telephone number of ten digits in a text as digits (0031 and +31 become 0), or NULL."""
    digits = text.str.extract(_PHONE, 2).str.replace(rf"\A{_ABROAD}", "0")
    return digits.str.replace_all("[^0-9]", "")


def phone_rest(text: pl.Expr) -> pl.Expr:
    """Return what stands around the number, the whole text where there is none; NULL where nothing is left."""
    around = text.str.replace(_PHONE, "$1 $3").str.replace_all(r"\s+", " ").str.strip_chars(" ,;:/-")
    return pl.when(around != "").then(around)
