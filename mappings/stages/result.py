"""What a stage gives back."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Staged:
    """The result of a typed stage.

    value: the typed value, NULL where the text was NULL or the stage failed.
    failed: for ``datetime`` a String: the code of the issue, or NULL where all is well; for the other stages a Boolean
        that is never NULL.
    shared: a Struct of both, where they share nearly all of their work.
    """

    value: pl.Expr
    failed: pl.Expr
    shared: pl.Expr | None = None

    @property
    def whole(self) -> pl.Expr:
        """A Struct of ``value`` and ``failed``.

        Make this a column and take the two fields from it: Polars does not see that ``value`` and ``failed`` are the
        same work, and does it twice.
        """
        return pl.struct(value=self.value, failed=self.failed) if self.shared is None else self.shared


@dataclass(frozen=True, slots=True)
class Cut:
    """The result of ``truncate``: the text, and a Boolean, never NULL, that says where something was cut off."""

    value: pl.Expr
    cut: pl.Expr


def from_struct(whole: pl.Expr) -> Staged:
    """Return a stage from a Struct of ``value`` and ``failed``."""
    return Staged(whole.struct.field("value"), whole.struct.field("failed"), whole)


def staged(text: pl.Expr, value: pl.Expr) -> Staged:
    """Return a stage that failed wherever there was a text and there is no value."""
    pair = pl.struct(text.is_not_null().alias("failed"), value.alias("value"))
    return from_struct(pair.struct.with_fields(failed=pl.field("failed") & pl.field("value").is_null()))
