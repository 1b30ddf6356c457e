"""Text to true or false."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from casemodel import Place, RefusedError
from mappings.stages.result import Staged, staged


def boolean(text: pl.Expr, true: Sequence[str], false: Sequence[str], *, place: Place | None = None) -> Staged:
    """Return true or false for the declared texts: value Boolean, failed Boolean.

    Args:
        text: String expression; texts are compared exactly.
        true: texts that mean true.
        false: texts that mean false.
        place: where the stage stands, for errors.

    Raises:
        RefusedError: MAP-028 when a text stands in both lists.
    """
    both = sorted(set(true) & set(false))
    if both:
        raise RefusedError(
            "MAP-028", f"the text '{both[0]}' means both true and false", hint="Keep it in one list.", place=place
        )
    value = pl.when(text.is_in(list(true))).then(True).when(text.is_in(list(false))).then(False)
    return staged(text, value)
