"""Numbers of persons and companies with their check digit."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from casemodel import Place
from mappings.steps.step import Step, StepResult, fails_where_null, no_params

FILLERS: Final = ("000000000", "111111111", "123456789", "999999999")
"""Numbers that people type when they have none; 000000000 and 111111111 … some of them pass the check."""
KVK_FILLERS: Final = ("00000000", "11111111", "12345678", "99999999")
"""The same for numbers of the trade register, which have no check digit."""
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


def _kvk(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    no_params("kvk", params, place)
    bare = text.str.replace_all(r"[\s.]", "")
    padded = pl.when(bare.str.contains(r"\A[0-9]{7,8}\z")).then(bare.str.pad_start(8, "0"))
    return fails_where_null(text, pl.when(~padded.is_in(list(KVK_FILLERS))).then(padded))


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
    Step(
        "kvk",
        "Number in the trade register (KvK): removes blanks and points, gives a number of seven digits its leading zero"
        f" back, and fails where there are no eight digits or a filler ({', '.join(KVK_FILLERS)}). It has no"
        " check digit.",
        "kvk",
        (("1803 6421", "18036421"), ("8036421", "08036421"), ("12345678", None), ("123", None)),
        _kvk,
        repairs=True,
    ),
)
