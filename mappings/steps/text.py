"""Steps on blanks, case and signs."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from casemodel import Place
from mappings.steps.step import Step, StepResult, one_text, plain, wrong

_CONTROLS = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u202a-\u202e\u2066-\u2069\ufeff]"
_STROKES: Final = {
    "ß": "ss",
    "ẞ": "SS",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "Œ": "OE",
    "þ": "th",
    "Þ": "Th",
    "ð": "d",
    "Ð": "D",
    "ı": "i",
    "ĳ": "ij",
    "Ĳ": "IJ",
}
"""Letters that Unicode does not take apart into a letter and an accent."""


def _strip_accents(text: pl.Expr) -> pl.Expr:
    folded = text.str.normalize("NFD").str.replace_all(r"\p{Mn}", "").str.normalize("NFC").str.replace_many(_STROKES)
    return pl.when(text.str.contains(r"[^\x00-\x7f]")).then(folded).otherwise(text)


def collapse(text: pl.Expr) -> pl.Expr:
    """Make one blank of any run of white space and remove it at both ends."""
    # Most texts have single blanks only; they are found faster than their blanks are replaced by blanks.
    uneven = pl.when(text.str.contains(r"\s{2}|[^\S ]")).then(text)
    return pl.coalesce([uneven.str.replace_all(r"\s+", " "), text]).str.strip_chars(" ")


def _strip_control(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_CONTROLS, "")


def _digits(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all("[^0-9]", "")


def _pad_left(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    hint = 'Write {pad_left: [9, "0"]}.'
    if not isinstance(params, tuple) or len(params) != 2 or not all(isinstance(item, str) for item in params):
        raise wrong("pad_left", "needs a length and one character", hint, place)
    length, char = params
    if not (length.isascii() and length.isdigit() and 1 <= int(length) <= 1000) or len(char) != 1:
        raise wrong("pad_left", "needs a length from 1 to 1000 and one character", hint, place)
    return StepResult(pl.when(text == "").then(text).otherwise(text.str.pad_start(int(length), char)))


def _remove(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    texts = params if isinstance(params, tuple) else (params,)
    if not texts or not all(isinstance(item, str) and item for item in texts):
        raise wrong(
            "remove", "needs the text or texts to remove", 'Write {remove: " "} or {remove: [" ", "-"]}.', place
        )
    for item in texts:
        text = text.str.replace_all(item, "", literal=True)
    return StepResult(text)


def _after_last(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    separator = one_text("after_last", params, place, hint='Write {after_last: "/"}.')
    return StepResult(text.str.split(separator).list.last())


STEPS: Final = (
    Step(
        "trim",
        "Removes white space at both ends, also tabs, line ends and no-break spaces.",
        "trim",
        ((" a b ", "a b"),),
        plain(lambda text: text.str.strip_chars(), "trim"),
        repairs=True,
    ),
    Step(
        "collapse_space",
        "Makes one blank of any run of white space, line ends too, and removes it at both ends.",
        "collapse_space",
        (("  a \t b ", "a b"),),
        plain(collapse, "collapse_space"),
        repairs=True,
    ),
    Step(
        "upper",
        "Writes capitals, the same in every locale.",
        "upper",
        (("abc é", "ABC É"),),
        plain(lambda text: text.str.to_uppercase(), "upper"),
        repairs=True,
    ),
    Step(
        "lower",
        "Writes small letters, the same in every locale.",
        "lower",
        (("ABC É", "abc é"),),
        plain(lambda text: text.str.to_lowercase(), "lower"),
        repairs=True,
    ),
    Step(
        "strip_control",
        "Removes control characters but tab, line feed and carriage return, NUL too, and signs that turn"
        " the direction of text around.",
        "strip_control",
        (("a\x00b\x0bc\u202ed\ne", "abcd\ne"),),
        plain(_strip_control, "strip_control"),
        repairs=True,
    ),
    Step(
        "strip_accents",
        "Removes accents and writes letters such as ø and ß in ASCII.",
        "strip_accents",
        (("José Strauß", "Jose Strauss"),),
        plain(_strip_accents, "strip_accents"),
        repairs=True,
    ),
    Step(
        "digits",
        "Keeps the digits 0 to 9 and nothing else.",
        "digits",
        (("013-542 88 11", "0135428811"),),
        plain(_digits, "digits"),
        repairs=True,
    ),
    Step(
        "pad_left",
        "Fills a text that is too short on the left; an empty text stays empty.",
        '{pad_left: [9, "0"]}',
        (("23456789", "023456789"), ("", "")),
        _pad_left,
        repairs=True,
    ),
    Step(
        "remove",
        "Removes a text wherever it stands, or each of several.",
        '{remove: " "}',
        (("5038 TC", "5038TC"),),
        _remove,
        repairs=True,
    ),
    Step(
        "after_last",
        "Keeps what stands behind the last of a separator; all of it when there is none.",
        '{after_last: "\\\\"}',
        ((r"\\SRV01\DOCS\brief.doc", "brief.doc"),),
        _after_last,
    ),
)
