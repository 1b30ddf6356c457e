"""Plug-ins that do what they must not."""

import polars as pl


def raises(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Raise with a text that must not be shown."""
    raise ValueError("secret")


def one(text: pl.Expr) -> pl.Expr:
    """Return one expression where two are asked for."""
    return text


def short(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return another number of rows."""
    return text.drop_nulls(), text.is_null()


def typed(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return a type that the language does not have."""
    return text.str.split(","), text.is_null()


def unsure(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Not say for NULL whether it failed."""
    return text, text == "x"


def strict(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Fail on the first text that is no number."""
    return text.cast(pl.Int64), text.is_null()


def other(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Use a column that it was not given."""
    return pl.col("_key"), text.is_null()
