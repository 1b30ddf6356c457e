"""What is refused and warned of, in Dutch: texts are made in English and translated when they are shown.

A text is found by its English form, in which ``{a}`` stands for something that is kept (a name, a number), ``{w}`` for
words that are translated themselves, ``{l}`` for a list of names and ``{s}`` for other texts, with ``; `` between them.
Commands with ``--lang nl`` ask; JSON stays English, since machines compare it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from migrate.dutch.calculations import CALCULATIONS
from migrate.dutch.declaration import DECLARATION
from migrate.dutch.deliveries import DELIVERIES
from migrate.dutch.evidence import EVIDENCE
from migrate.dutch.hints import HINTS
from migrate.dutch.lint import LINT
from migrate.dutch.messages import MESSAGES
from migrate.dutch.procedures import PROCEDURES
from migrate.dutch.words import WORDS

__all__ = ["FORMS", "in_dutch"]

FORMS: Final = (*MESSAGES, *CALCULATIONS, *DELIVERIES, *HINTS, *PROCEDURES, *EVIDENCE, *LINT, *DECLARATION)
"""Every text in English and in Dutch."""
_HOLE: Final = re.compile(r"\{([a-z])\}")
_WORDS: Final = "uvw"
_LISTS: Final = "l"
_TEXTS: Final = "s"
"""Names of holes that hold words, of those that hold a list of names, and of those that hold texts with a form."""
_AT: Final = re.compile(r"(?s)(.*) \(at character (\d+)(?: of line (\d+))?\)")
_IN: Final = re.compile(
    r"(?s)(.*?) in ((?:mapping|owner|formerly|target|source|scope|incremental|values|fields|unfilled|ignore|rules"
    r"|controls|children|tests|identity|use)(?:\..*)?)"
)
_FILE: Final = re.compile(r"(?s)([^ :]+/[^ :]+): (.*)")


def in_dutch(text: str) -> str | None:
    """Return a message or hint in Dutch, or None when nobody has translated it."""
    if at := _AT.fullmatch(text):
        where = f"bij teken {at[2]}" + (f" van regel {at[3]}" if at[3] else "")
        return f"{inner} ({where})" if (inner := in_dutch(at[1])) else None
    if (file := _FILE.fullmatch(text)) and (inner := in_dutch(file[2])):
        return f"{file[1]}: {inner}"
    if (place := _IN.fullmatch(text)) and (inner := _of_form(place[1])):
        return f"{inner} in {place[2]}"
    return _of_form(text)


def _of_form(text: str) -> str | None:
    if text in _exact():
        return _exact()[text]
    for form, dutch in _forms():
        if found := form.fullmatch(text):
            parts = {name: _part(name, part) for name, part in found.groupdict().items()}
            return _HOLE.sub(lambda hole, parts=parts: parts[hole[1]], dutch)  # type: ignore[misc]
    return None


def _part(hole: str, text: str) -> str:
    """Return what stands in a hole in Dutch: words, those of a list one by one; what is not known is kept."""
    if hole in _TEXTS:
        return "; ".join(in_dutch(each) or each for each in text.split("; "))
    if hole not in _WORDS + _LISTS:
        return text
    if hole in _WORDS and text in WORDS:
        return WORDS[text]
    for sign, dutch in ((", ", ", "), (" and ", " en "), (" or ", " of ")):
        if sign in text:
            return dutch.join(_part(hole, part) for part in text.split(sign))
    return text


@cache
def _exact() -> dict[str, str]:
    return {english: dutch for english, dutch in FORMS if not _HOLE.search(english)}


@cache
def _forms() -> list[tuple[re.Pattern[str], str]]:
    """Return the forms with holes, those with most text of their own first."""
    with_holes = [(english, dutch) for english, dutch in FORMS if _HOLE.search(english)]
    with_holes.sort(key=lambda pair: -len(_HOLE.sub("", pair[0])))
    return [(_pattern(english), dutch) for english, dutch in with_holes]


def _pattern(english: str) -> re.Pattern[str]:
    pieces = _HOLE.split(english)
    made = [f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)]
    return re.compile(f"(?s){''.join(made)}")
