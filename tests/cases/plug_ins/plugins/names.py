"""Functions that the language has no words for."""

import polars as pl


def backwards(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Turn a text around; a text with a question mark fails."""
    return text.str.reverse(), text.str.contains("?", literal=True).fill_null(False)


def split(frame: pl.DataFrame) -> pl.DataFrame:
    """Cut a code in two."""
    return frame.select(HEAD=pl.col("CODE").str.head(1), TAIL=pl.col("CODE").str.slice(1))
