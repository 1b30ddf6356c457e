"""What functions, casts and windows ask of the translator that calls them: their arguments, translated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl
from sqlglot import exp

from casemodel import Place
from mappings.expressions.typed import Typed


class Translation(Protocol):
    """An expression being translated (`mappings.expressions.translate.Translator`)."""

    @property
    def place(self) -> Place:
        """Where the expression stands."""

    @property
    def alone(self) -> pl.Expr | None:
        """Which rows stand alone in every window; None: none does."""

    def translate(self, node: exp.Expr) -> Typed:
        """Translate a node and what is below it."""

    def same(self, nodes: Sequence[exp.Expr]) -> list[Typed]:
        """Translate values that are to be of one kind."""

    def compare(self, kind: type[exp.Expr], left: Typed, right: Typed) -> pl.Expr:
        """Compare two values."""

    def unknown(self, node: exp.Expr) -> Exception:
        """Return the refusal of a function that does not exist."""
