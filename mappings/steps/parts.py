"""The step ``part``: one part of a text that people typed as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import polars as pl

from casemodel import Place
from mappings.steps.addresses import house_addition, house_letter, house_number, phone_number, phone_rest
from mappings.steps.cases import case_number
from mappings.steps.names import initials, prefix, surname
from mappings.steps.step import Step, StepResult, one_text, wrong


@dataclass(frozen=True, slots=True)
class TextPart:
    """One part that `part` can take: its name, what it is, examples (None: the text has no such part)."""

    name: str
    doc: str
    examples: tuple[tuple[str, str | None], ...]
    take: Callable[[pl.Expr], pl.Expr]


PARTS: Final = {
    part.name: part
    for part in (
        TextPart(
            "dutch_name.prefix",
            "prefix of a surname, before it or behind a comma, in small letters, else NULL; short"
            " forms such as vd stay short, since van der, van den and van de are all possible",
            (("Berg, van den", "van den"), ("VAN DEN BERG", "van den"), ("VD BERG", "vd"), ("Jansen", None)),
            prefix,
        ),
        TextPart(
            "dutch_name.surname",
            "surname without its prefix, as it was typed",
            (("Berg, van den", "Berg"), ("VAN DEN BERG", "BERG"), ("Jansen", "Jansen")),
            surname,
        ),
        TextPart(
            "dutch_name.initials",
            "first letter of each first name as a capital with a point, from names or from initials typed anyhow",
            (("Jan Peter", "J.P."), ("j.p.", "J.P."), ("A B", "A.B."), ("-", None)),
            initials,
        ),
        TextPart(
            "phone_nl.number",
            "first Dutch telephone number of ten digits, +31 and 0031 written as 0, else NULL",
            (("013-542 88 11 na 18u", "0135428811"), ("+31 6 12345678", "0612345678"), ("nvt", None)),
            phone_number,
        ),
        TextPart(
            "phone_nl.rest",
            "what stands around that number, the whole text where there is none, else NULL",
            (("013-542 88 11 na 18u", "na 18u"), ("0612345678", None), ("nvt", "nvt")),
            phone_rest,
        ),
        TextPart(
            "case_number",
            "first case number typed in any form, as 2011.04567 before 2014 and Z2014-00001234 since 2014, else NULL",
            (("zaak 2011/4567", "2011.04567"), ("Z2014-1234", "Z2014-00001234"), ("zie mail", None)),
            case_number,
        ),
        TextPart(
            "house_number.number",
            "house number of one to five digits in front, without leading zeros, else NULL",
            (("12 A-3", "12"), ("45bis", "45"), ("t/o 8", None)),
            house_number,
        ),
        TextPart(
            "house_number.letter",
            "the one letter behind the number, as a capital, else NULL",
            (("12 a-3", "A"), ("45bis", None)),
            house_letter,
        ),
        TextPart(
            "house_number.addition",
            "what stands behind number and letter, else NULL",
            (("12 A-3", "3"), ("45bis", "bis"), ("12", None), ("t/o 8", None)),
            house_addition,
        ),
    )
}
"""Every part by its name."""


def _part(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    name = one_text("part", params, place, hint="Write {part: dutch_name.surname}.")
    if name not in PARTS:
        close = get_close_matches(name, list(PARTS), n=1)
        hint = f"Did you mean '{close[0]}'?" if close else f"Parts: {', '.join(PARTS)}."
        raise wrong("part", f"does not know the part '{name}'", hint, place)
    return StepResult(PARTS[name].take(text))


STEPS: Final = (
    Step(
        "part",
        "Takes one part of a text that people typed as a whole; NULL where the text has no such part.",
        "{part: dutch_name.surname}",
        (),
        _part,
    ),
)
