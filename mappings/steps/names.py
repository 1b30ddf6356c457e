"""Parts of Dutch personal names."""

from __future__ import annotations

from typing import Final

import polars as pl

_PREFIXES: Final = (
    "'s-?",
    "'s",
    "'t",
    "a",
    "aan den",
    "aan der",
    "aan de",
    "aan het",
    "aan 't",
    "af",
    "al",
    "am",
    "auf dem",
    "auf der",
    "auf",
    "aus der",
    "aus dem",
    "aus 'm",
    "aus",
    "ben",
    "bij den",
    "bij de",
    "bij het",
    "bij 't",
    "bij",
    "boven d'",
    "bin",
    "d'",
    "da",
    "dal",
    "dalla",
    "das",
    "de die le",
    "de die",
    "de la",
    "de las",
    "de le",
    "de l'",
    "de van der",
    "de",
    "degli",
    "dei",
    "del",
    "della",
    "den",
    "der",
    "des",
    "di",
    "die le",
    "die",
    "do",
    "don",
    "dos",
    "du",
    "el",
    "het",
    "i",
    "im",
    "in den",
    "in der",
    "in de",
    "in het",
    "in 't",
    "in",
    "l'",
    "la",
    "las",
    "le",
    "les",
    "lo",
    "los",
    "o'",
    "onder den",
    "onder de",
    "onder het",
    "onder 't",
    "onder",
    "op den",
    "op der",
    "op de",
    "op gen",
    "op het",
    "op ten",
    "op 't",
    "op",
    "over den",
    "over de",
    "over het",
    "over 't",
    "over",
    "te",
    "ten",
    "ter",
    "tho",
    "thoe",
    "thor",
    "to",
    "toe",
    "tot",
    "uijt de",
    "uijt den",
    "uijt ten",
    "uijt te de",
    "uijt",
    "uit den",
    "uit de",
    "uit het",
    "uit 't",
    "uit te de",
    "uit ten",
    "uit",
    "unter",
    "v. d.",
    "v.d.",
    "v/d",
    "vd",
    "v.",
    "v",
    "van de l'",
    "van den",
    "van der",
    "van de",
    "van gen",
    "van het",
    "van la",
    "van ter",
    "van van de",
    "van 't",
    "van",
    "ver",
    "vom",
    "von dem",
    "von den",
    "von der",
    "von 't",
    "von",
    "voor den",
    "voor de",
    "voor in 't",
    "voor 't",
    "voor",
    "vor der",
    "vor",
    "zu",
    "zum",
    "zur",
)
"""Prefixes of surnames (Landelijke tabel 36, Voorvoegsels) with the short forms that people type."""


_QUOTE: Final = "['’‘`´]"
"""Word processors turn the apostrophe of 't and 's into ‘."""


def _alternatives() -> str:
    longest_first = sorted(
        set(_PREFIXES) - {"a", "i", "'s-?", "al", "am", "ben", "bin", "do", "don", "el", "im", "ver", "v"},
        key=lambda item: (-len(item), item),
    )
    return "|".join(item.replace(".", r"\.").replace(" ", r"\s+").replace("'", _QUOTE) for item in longest_first)


_WORDS: Final = _alternatives()
_BEHIND: Final = rf"(?is)\A\s*(.*?\S)\s*,\s*({_WORDS})\s*\z"
_BEFORE: Final = rf"(?is)\A\s*((?:{_WORDS}))(?:\s+|(?:(?:d|l|o){_QUOTE}))(\S.*?)\s*\z"
_GLUED: Final = rf"(?is)\A\s*((?:d|l){_QUOTE})(\S.*?)\s*\z"


def prefix(text: pl.Expr) -> pl.Expr:
    """Return the prefix of a surname in small letters with single blanks, NULL where there is none."""
    found = pl.coalesce(text.str.extract(_BEHIND, 2), text.str.extract(_GLUED, 1), text.str.extract(_BEFORE, 1))
    return found.str.to_lowercase().str.replace_all(r"\s+", " ")


def surname(text: pl.Expr) -> pl.Expr:
    """Return the surname without its prefix, as typed but for white space at both ends."""
    return pl.coalesce(
        text.str.extract(_BEHIND, 1), text.str.extract(_GLUED, 2), text.str.extract(_BEFORE, 2), text.str.strip_chars()
    )


def initials(text: pl.Expr) -> pl.Expr:
    """Return the first letter of each word as a capital with a point, NULL where there is no letter."""
    words = text.str.replace_all(r"[^\p{L}\p{M}'’-]+", " ").str.replace_all(r"(^|\s)[^\p{L}]+", "$1").str.strip_chars()
    made = words.str.replace_all(r"(\p{L}\p{M}*)\S*\s*", "$1.").str.to_uppercase()
    return pl.when(made != "").then(made)
