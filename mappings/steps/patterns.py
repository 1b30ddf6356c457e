"""Steps with regular expressions.  They are compiled when the mapping is checked, and run in linear time."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from casemodel import Place
from mappings.steps.step import Step, StepResult, fails_where_null, one_text, regex_groups, replacement, wrong


def _extract(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    pattern = one_text("extract", params, place, hint='Write {extract: "([0-9]{4})"}.')
    if regex_groups("extract", pattern, place) != 1:
        raise wrong(
            "extract", "needs exactly one group", "Put the part to keep into brackets ( ), others into (?: ).", place
        )
    return fails_where_null(text, text.str.extract(pattern, 1))


def _rewrite(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    hint = 'Write {rewrite: {match: "^0*", to: ""}}.'
    if not isinstance(params, dict) or set(params) != {"match", "to"}:
        raise wrong("rewrite", "needs match and to", hint, place)
    to = params["to"] if isinstance(params["to"], str) else None
    pattern = one_text("rewrite", params["match"], place, hint=hint)
    if to is None:
        raise wrong("rewrite", "needs a text in to", hint, place)
    groups = regex_groups("rewrite", pattern, place)
    return StepResult(text.str.replace_all(pattern, replacement("rewrite", to, groups, place)))


def _must_match(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    pattern = one_text("must_match", params, place, hint='Write {must_match: "[0-9]{8}"}.')
    regex_groups("must_match", pattern, place)
    whole = rf"\A(?:{pattern})\z"
    regex_groups("must_match", whole, place)
    return fails_where_null(text, pl.when(text.str.contains(whole)).then(text))


STEPS: Final = (
    Step(
        "extract",
        "Keeps what the one group of a regular expression finds first; fails where it finds nothing.",
        '{extract: "([0-9]+)"}',
        (("art. 12", "12"), ("none", None)),
        _extract,
    ),
    Step(
        "rewrite",
        "Replaces every find of a regular expression; \\1 is its first group.",
        '{rewrite: {match: "^0+", to: ""}}',
        (("0012", "12"),),
        _rewrite,
        repairs=True,
    ),
    Step(
        "must_match",
        "Fails where the whole text does not match a regular expression.",
        '{must_match: "[0-9]+"}',
        (("12", "12"), ("12a", None)),
        _must_match,
    ),
)
