"""Postcodes and telephone numbers in the one form in which they are stored."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from casemodel import Place
from mappings.steps.step import Step, StepResult, fails_where_null, no_params, wrong

_POSTCODE: Final = r"(?i)\A\s*([1-9][0-9]{3})\s*([A-Z]{2})\s*\z"
_NEVER: Final = ("SA", "SD", "SS")
"""Letters that PostNL never gives out."""
_LONGEST: Final = 60
"""Characters of a text that can still be a telephone number."""


def _postcode(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    no_params("postcode", params, place)
    letters = text.str.extract(_POSTCODE, 2).str.to_uppercase()
    made = pl.when(~letters.is_in(list(_NEVER))).then(text.str.extract(_POSTCODE, 1) + letters)
    return fails_where_null(text, made)


def _phone(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    import phonenumbers  # a fifth of a second, for the few mappings that have telephone numbers

    region = "NL" if params is None else params
    if not isinstance(region, str) or region not in phonenumbers.SUPPORTED_REGIONS:
        raise wrong("phone", "needs a country such as NL, or nothing", "Write phone, or {phone: BE}.", place)

    def e164(number: str) -> str | None:
        try:
            found = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            return None
        if found.extension or not phonenumbers.is_valid_number(found):
            return None
        return str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))

    def formatted(texts: pl.Series) -> pl.Series:
        """Format each distinct text; phonenumbers has no form that works on columns."""
        distinct = texts.filter(texts.str.len_chars() <= _LONGEST).drop_nulls().unique()
        made = pl.Series([e164(number) for number in distinct.to_list()], dtype=pl.String)
        return texts.replace_strict(distinct, made, default=None, return_dtype=pl.String)

    return fails_where_null(text, text.map_batches(formatted, return_dtype=pl.String, is_elementwise=True))


STEPS: Final = (
    Step(
        "postcode",
        "Dutch postcode as 5038TC: blanks removed, capitals; fails where the text is no postcode.",
        "postcode",
        (("5038 tc", "5038TC"), ("0123AB", None), ("1234 SS", None), ("5038", None)),
        _postcode,
        repairs=True,
    ),
    Step(
        "phone",
        "Telephone number in the international form E.164; without a country code it is a number of the Netherlands, or"
        " of the country named. Fails where the text is not one number that can exist, or has an extension.",
        "phone",
        (("013-542 88 11", "+31135428811"), ("0031 6 12345678", "+31612345678"), ("12345", None), ("nvt", None)),
        _phone,
        repairs=True,
    ),
)
