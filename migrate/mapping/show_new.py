"""What `mapping new` says to a person, in Dutch or English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from migrate.mapping.new import NewMapping

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "fields": (
        "{file}: {n} waarschijnlijke velden van {target}: {names}",
        "{file}: {n} likely fields of {target}: {names}",
    ),
    "field": (
        "{file}: 1 waarschijnlijk veld van {target}: {names}",
        "{file}: 1 likely field of {target}: {names}",
    ),
    "none": ("geen", "none"),
    "decide": ("beslis", "decide"),
    "asked": (
        "{n} van {of} beslissingen worden door `omnicase mapping check` gevraagd tot ze genomen zijn.",
        "{n} of {of} decisions are asked by `omnicase mapping check` until they are made.",
    ),
    "next": (
        "Verder: lees {file} en maak het af, dan omnicase mapping check",
        "Next: read and complete {file}, then omnicase mapping check",
    ),
}
_KINDS: Final = {
    "integer": "geheel getal",
    "decimal": "getal",
    "text": "tekst",
    "date": "datum",
    "instant": "moment",
    "boolean": "ja of nee",
    "json": "JSON",
}
_DUTCH: Final[tuple[tuple[str, str], ...]] = (
    ("^must be filled:", "moet gevuld worden:"),
    ("^fill it, or give a reason:", "vul hem, of geef een reden:"),
    ("^use it, or give a reason:", "gebruik hem, of geef een reden:"),
    ("^name who owns the mapping$", "noem wie de mapping beheert"),
    (
        "^no key was found: rows with the same key are rejected, so name one that holds$",
        "er is geen sleutel gevonden: rijen met dezelfde sleutel worden geweigerd, noem er dus een die klopt",
    ),
    (
        " have no value here and would be rejected: add a default, or let them$",
        " hebben hier geen waarde en worden geweigerd: geef een standaardwaarde, of laat het zo",
    ),
    (r"^texts are up to ([0-9,]+) characters long, ([0-9,]+) fit: what is cut off is lost$",
     r"teksten zijn tot \1 tekens lang, er passen er \2: wat wordt afgekapt, gaat verloren"),
    ("^say what these codes mean:", "zeg wat deze codes betekenen:"),
    ("^a year of two digits is read as 1950 to 2049$", "een jaar van twee cijfers wordt gelezen als 1950 tot 2049"),
    ("of the values fit no format and would be rejected: add a format, or on_error",
     "van de waarden past in geen formaat en wordt geweigerd: voeg een formaat toe, of on_error"),
    ("^only one of yes and no was seen: check what stands for the other$",
     "alleen ja of alleen nee is gezien: ga na wat het andere betekent"),
    (r"\ba first guess did not hold\b", "een eerste gok hield geen stand"),
    ("it holds nothing but NULL$", "er staat niets in dan NULL"),
    (r": one value\b", ": één waarde"),
    (r"\bdifferent values\b", "verschillende waarden"),
    (r", such as ", ", zoals "),
    (r"\bpoints to ", "wijst naar "),
    *((rf"\blooks like {english}\b", f"lijkt op {dutch}") for english, dutch in _KINDS.items()),
    *((rf"\({english}\)$", f"({dutch})") for english, dutch in _KINDS.items()),
    (r"\blooks like ", "lijkt op "),
    (r"\(one of ", "(een van "),
    (r"\(a link to ", "(een verwijzing naar "),
    (r"^([0-9,]+) rows\b", r"\1 rijen"),
    (r"^at least ([0-9,]+) rows\b", r"minstens \1 rijen"),
)  # fmt: skip
"""English of the draft to Dutch; what a profile or the model says, such as names and Dutch terms, stays."""


def new_lines(made: NewMapping, lang: str) -> Iterator[str]:
    """Return what was drafted and what stays to be decided."""
    names = ", ".join(made.fields) or _word(lang, "none")
    how_many = "field" if len(made.fields) == 1 else "fields"
    yield _word(lang, how_many, file=made.file, n=len(made.fields), target=made.target, names=names)
    for each in made.decisions:
        yield f"{_word(lang, 'decide')} {each.code or '-':<7}  {each.about}: {_said(each.message, lang)}"
    asking = sum(bool(each.code) for each in made.decisions)
    yield _word(lang, "asked", n=asking, of=len(made.decisions))
    yield _word(lang, "next", file=made.file)


def _said(message: str, lang: str) -> str:
    if lang == "nl":
        for english, dutch in _DUTCH:
            message = re.sub(english, dutch, message)
    return message


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
