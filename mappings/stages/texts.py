"""Texts that must fit: truncate."""

from __future__ import annotations

import polars as pl

from mappings.stages.result import Cut


def truncate(text: pl.Expr, length: int, *, word: bool = False) -> Cut:
    """Cut a text to a number of characters (Unicode code points).

    Args:
        text: String expression.
        length: most characters of the result.
        word: cut after the last whole word that fits, without the blanks behind it; a first word too long is cut.
    """
    cut = (text.str.len_chars() > length).fill_null(False)
    long = pl.when(cut).then(text)
    if not word:
        return Cut(pl.when(cut).then(long.str.head(length)).otherwise(text), cut)
    # One character more than fits shows whether the last word ends right there.
    # Nothing is taken off where no blank stands, nor where a blank stands in front of the first word only.
    whole_words = long.str.head(length + 1).str.replace(r"\s+\S*\z", "").str.head(length)
    short = whole_words.replace("", None)
    return Cut(pl.coalesce([short, pl.when(cut).then(long.str.head(length)).otherwise(text)]), cut)
