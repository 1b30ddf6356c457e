"""What a step is, and how its parameters are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from casemodel import Place, RefusedError
from mappings.replacements import NoSuchGroup, rust_replacement


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step makes of a text.

    value: String, NULL where the text was NULL or the step failed.
    failed: Boolean, never NULL, True where the step could not treat the text; None for a step that cannot fail.
    """

    value: pl.Expr
    failed: pl.Expr | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of ``do``.

    Args:
        name: as the mapping writes it.
        doc: what it does, in one or two sentences.
        written: how it is written, for example ``{pad_left: [9, "0"]}``.
        examples: pairs of a text and what becomes of it (None: the step fails).
        make: from text, parameters (None, text, tuple or dict of texts, as in the file) and place to the result.
        repairs: True when a changed value counts as repaired.
    """

    name: str
    doc: str
    written: str
    examples: tuple[tuple[str, str | None], ...]
    make: Callable[[pl.Expr, Any, Place | None], StepResult]
    repairs: bool = False

    def build(self, text: pl.Expr, params: Any = None, *, place: Place | None = None) -> StepResult:
        """Return the step applied to a text.

        Raises:
            RefusedError: MAP-027 when the parameters are wrong.
        """
        return self.make(text, params, place)


def fails_where_null(text: pl.Expr, value: pl.Expr) -> StepResult:
    """Return a step that failed wherever there was a text and nothing came of it."""
    return StepResult(value, text.is_not_null() & value.is_null())


def plain(change: Callable[[pl.Expr], pl.Expr], name: str) -> Callable[[pl.Expr, Any, Place | None], StepResult]:
    """Return the maker of a step that has no parameters and cannot fail."""

    def make(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
        no_params(name, params, place)
        return StepResult(change(text))

    return make


def no_params(name: str, params: Any, place: Place | None) -> None:
    """Refuse parameters of a step that has none."""
    if params is not None:
        raise wrong(name, "has no parameters", f"Write {name} alone.", place)


def wrong(name: str, problem: str, hint: str, place: Place | None) -> RefusedError:
    """Return the error for wrong parameters of a step."""
    return RefusedError("MAP-027", f"the step '{name}' {problem}", hint=hint, place=place)


def one_text(name: str, params: Any, place: Place | None, *, hint: str) -> str:
    """Return the one text that a step needs, or refuse."""
    if isinstance(params, str) and params:
        return params
    raise wrong(name, "needs one text", hint, place)


def regex_groups(name: str, pattern: str, place: Place | None) -> int:
    """Compile a regular expression as Polars will, and return the number of its groups.

    Raises:
        RefusedError: MAP-027; Rust regexes know no look-around and no back references, which keeps them linear in time.
    """
    try:
        return _groups(pattern)
    except PolarsError:
        raise wrong(
            name,
            "has a regular expression that cannot be compiled",
            "Check brackets and quantifiers; look-around (?=…) and back references are not available.",
            place,
        ) from None


@lru_cache(maxsize=4_096)
def _groups(pattern: str) -> int:
    """Return the number of groups; asked once per pattern: the steps of the library come back in every mapping."""
    if "(" in pattern:
        return len(pl.Series([""]).str.extract_groups(pattern).struct.fields)
    pl.Series([""]).str.contains(pattern, strict=True)
    return 0


def replacement(name: str, text: str, groups: int, place: Place | None) -> str:
    """Return a replacement as Polars writes it.

    Raises:
        RefusedError: MAP-027 when it names a group that the expression does not have.
    """
    try:
        return rust_replacement(text, groups)
    except NoSuchGroup as error:
        raise wrong(name, f"names group {error} of {groups}", "Put the part into brackets ( ).", place) from None
