"""Words and figures in Dutch and English: texts by key, numbers, shares, dates and moments as people write them."""

from __future__ import annotations

import functools
import json
from datetime import date, datetime
from importlib.resources import files

from casemodel import ISSUE_CODES

LANGUAGES = ("nl", "en")


@functools.cache
def texts(lang: str) -> dict[str, str]:
    """Return all texts of a language by key."""
    loaded: dict[str, str] = json.loads((files("reconciliation") / "texts" / f"{lang}.json").read_text("utf-8"))
    return loaded


def text(lang: str, key: str, /, **values: object) -> str:
    """Return a text with its values filled in; whole numbers are written as figures of the language.

    A key with ``n`` looks for ``<key>.one`` first when n is 1.
    """
    known = texts(lang)
    if values.get("n") == 1 and f"{key}.one" in known:
        key = f"{key}.one"
    return known[key].format(**{name: figure(lang, value) for name, value in values.items()})


def difference_text(lang: str, kind: str) -> str:
    """Return a kind of difference (`differences.KINDS`) in the words of a language."""
    return text(lang, f"kind.{kind}")


def has_text(key: str) -> bool:
    """Tell whether a key has a text."""
    return key in texts("en")


def figure(lang: str, value: object) -> str:
    """Write a value: 1.234.567 in Dutch, 1,234,567 in English; dates 24-11-2026 and 24 November 2026."""
    if isinstance(value, bool):
        return text(lang, "yes" if value else "no")
    if isinstance(value, int):
        return f"{value:,}".replace(",", ".") if lang == "nl" else f"{value:,}"
    if isinstance(value, datetime):
        return f"{figure(lang, value.date())} {value:%H:%M}"
    if isinstance(value, date):
        return f"{value:%d-%m-%Y}" if lang == "nl" else f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
    return str(value)


def share(lang: str, part: float) -> str:
    """Write a share with one decimal: 99,8 % in Dutch, 99.8 % in English; a trace is < 0,1 %, almost all is > 99,9 %.

    Nothing but nothing is 0 % and nothing but the whole is 100 %.
    """
    if part <= 0 or part >= 1:
        shown = "0" if part <= 0 else "100"
    elif part < 0.001:
        shown = "< 0.1"
    elif part > 0.999:
        shown = "> 99.9"
    else:
        shown = f"{part * 100:.1f}"
    return f"{shown.replace('.', ',') if lang == 'nl' else shown} %"


def duration(lang: str, seconds: float) -> str:
    """Write a duration: 0,3 s, 12 s, 4 min 5 s, 1 h 2 min (Dutch: 1 u 2 min)."""
    if seconds < 10:
        shown = f"{seconds:.1f} s"
        return shown.replace(".", ",") if lang == "nl" else shown
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} {'u' if lang == 'nl' else 'h'} {whole % 3600 // 60} min"


def issue_text(lang: str, code: str) -> str:
    """Return what an issue code means; an unknown code stands for itself."""
    known = ISSUE_CODES.get(code)
    if known is None:
        return code
    sentence = known.dutch if lang == "nl" else known.english
    return sentence[:1].upper() + sentence[1:]


def remedy_text(lang: str, code: str) -> str:
    """Return what to do about an issue code, empty for an unknown one."""
    known = ISSUE_CODES.get(code)
    if known is None:
        return ""
    return known.remedy_dutch if lang == "nl" else texts("en")[f"remedy.{code}"]


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
