"""Numbers of persons and companies with their check digit."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from casemodel import Place
from mappings.steps.step import Step, StepResult, fails_where_null, no_params

FILLERS: Final = ("000000000", "111111111", "123456789", "999999999")
"""Numbers that people type when they have none; 000000000 and 111111111 … some of them pass the check."""
_WEIGHTS: Final = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def _nine_digits(text: pl.Expr, params: Any, place: Place | None, name: str) -> StepResult:
    no_params(name, params, place)
    bare = text.str.replace_all(r"[\s.]", "")
    padded = pl.when(bare.str.contains(r"\A[0-9]{8,9}\z")).then(bare.str.pad_start(9, "0"))
    # The fields of a struct keep Polars from making the text again for each of its nine digits.
    whole, value = pl.field("number"), pl.field("value")
    digits = (value // 10 ** (8 - index) % 10 * weight for index, weight in enumerate(_WEIGHTS))
    right = (pl.sum_horizontal(digits) % 11 == 0) & ~whole.is_in(list(FILLERS))
    made = (
        pl.struct(padded.alias("number"))
        .struct.with_fields(value=whole.cast(pl.Int32, strict=False))
        .struct.with_fields(number=pl.when(right).then(whole))
        .struct.field("number")
    )
    return fails_where_null(text, made)


def _bsn(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    return _nine_digits(text, params, place, "bsn")


def _rsin(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    return _nine_digits(text, params, place, "rsin")


_DOC = (
    "Removes blanks and points, gives a number of eight digits its leading zero back, and fails where nine digits do"
    " not pass the 11-proef or are a filler ({}) such as people type when they have none."
)

STEPS: Final = (
    Step(
        "bsn",
        "Citizen number. " + _DOC.format(", ".join(FILLERS)),
        "bsn",
        (("1112 22333", "111222333"), ("12345672", "012345672"), ("123456789", None), ("999999999", None)),
        _bsn,
        repairs=True,
    ),
    Step(
        "rsin",
        "Number of a legal person. " + _DOC.format("the same"),
        "rsin",
        (("002564440", "002564440"), ("2564440", None)),
        _rsin,
        repairs=True,
    ),
)
