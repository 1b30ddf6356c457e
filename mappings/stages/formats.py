"""Formats of dates and times: the tokens of the language, and what each becomes (LANGUAGE.md, "Fields and values").

A format is a text such as ``D-M-YYYY`` or ``YYYY-MM-DD HH:mm:ss.fffZ``.  Digits are ASCII digits, the whole text must
match, and a token is there at most once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from casemodel import Place, RefusedError

TOKENS: Final[dict[str, tuple[str, str, str, str]]] = {
    "YYYY": (
        "year", "[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9]", "%Y", "year, four digits (0001 to 9999)",
    ),
    "YY": ("short_year", "[0-9]{2}", "%y", "year without century; needs pivot_year or pivot"),
    "MM": ("month", "[0-9]{2}", "%m", "month, two digits"),
    "M": ("month", "[0-9]{1,2}", "%-m", "month, one or two digits"),
    "DD": ("day", "[0-9]{2}", "%d", "day, two digits"),
    "D": ("day", "[0-9]{1,2}", "%-d", "day, one or two digits"),
    "HH": ("hour", "[01][0-9]|2[0-3]", "%H", "hour 00 to 23, two digits"),
    "H": ("hour", "[01]?[0-9]|2[0-3]", "%-H", "hour 0 to 23, one or two digits"),
    "mm": ("minute", "[0-5][0-9]", "%M", "minutes 00 to 59, two digits"),
    "ss": ("second", "[0-5][0-9]", "%S", "seconds 00 to 59, two digits"),
    "fff": (
        "fraction", "[0-9]{1,9}", "%3f",
        "fraction of a second, one to nine digits, optional together with the point or comma before it; kept to the"
        " microsecond, written as milliseconds",
    ),
    "Z": (
        "offset", "Z|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?", "%:z",
        "offset to UTC: Z, +01:00, +0100, +01, +00:19:32; written as +01:00",
    ),
}  # fmt: skip
"""Token -> (what it gives, regex of what is read, directive of Polars, description)."""

_TOKEN = re.compile("YYYY|YY|MM|M|DD|D|HH|H|mm|ss|fff|Z")
_VARIABLE = frozenset({"M", "D", "H", "fff"})
_FRACTION = frozenset({"fff"})
_OFFSET = frozenset({"Z"})
_NEAR: Final = {
    "y": "YYYY",
    "d": "DD",
    "h": "HH",
    "S": "ss",
    "s": "ss",
    "m": "mm",
    "z": "Z",
    "f": "fff",
    "A": "HH",
    "a": "HH",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a format: a token, or literal text when ``token`` is empty."""

    token: str
    text: str


@dataclass(frozen=True, slots=True)
class Format:
    """A format that has been read."""

    text: str
    parts: tuple[Part, ...]

    @property
    def gives(self) -> tuple[str, ...]:
        """What the format reads, in its order: year, short_year, month, day, hour, minute, second, fraction, offset."""
        return tuple(TOKENS[part.token][0] for part in self.parts if part.token)

    @property
    def has_time(self) -> bool:
        """True when the format reads an hour."""
        return "hour" in self.gives

    @property
    def has_offset(self) -> bool:
        """True when the format reads an offset to UTC."""
        return "offset" in self.gives

    @property
    def needs_pivot(self) -> bool:
        """True when the format reads a year without its century."""
        return "short_year" in self.gives

    @property
    def is_simple(self) -> bool:
        """True when Polars can parse the format itself: no year without century, no fraction, no offset."""
        return not {"short_year", "fraction", "offset"} & set(self.gives)

    @property
    def directives(self) -> str:
        """The format in the directives of Polars."""
        texts = (TOKENS[part.token][2] if part.token else part.text.replace("%", "%%") for part in self.parts)
        return "".join(texts)

    @property
    def regex(self) -> str:
        """The regular expression of the whole text, one group per token."""
        out = ""
        for index, part in enumerate(self.parts):
            following = self.parts[index + 1] if index + 1 < len(self.parts) else None
            if part.token in _FRACTION:
                out += f"({TOKENS[part.token][1]}))?"
            elif part.token:
                out += f"({TOKENS[part.token][1]})"
            elif following is not None and following.token in _FRACTION:
                out += re.escape(part.text[:-1]) + "(?:" + re.escape(part.text[-1])
            else:
                out += re.escape(part.text)
        return rf"\A(?:{out})\z"


def parse_format(text: str, *, time: bool, place: Place | None = None) -> Format:
    """Read a format and refuse what cannot be meant.

    Args:
        text: the format, for example ``YYYYMMDD``.
        time: True for a datetime; a date may not read hours or an offset.
        place: where the format stands, for the error.

    Raises:
        RefusedError: MAP-028.
    """
    parts = tuple(_parts(text, place))
    made = Format(text, parts)
    _check_order(made, place)
    _check_whole(made, time, place)
    return made


def _refuse(text: str, problem: str, hint: str, place: Place | None) -> RefusedError:
    return RefusedError("MAP-028", f"the format '{text}' {problem}", hint=hint, place=place)


def _parts(text: str, place: Place | None) -> list[Part]:
    parts: list[Part] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match:
            parts.append(Part(match.group(), match.group()))
            at = match.end()
            continue
        char = text[at]
        if char.isalnum() and char != "T":
            near = _NEAR.get(char)
            hint = f"Did you mean '{near}'? " if near else ""
            raise _refuse(text, f"holds '{char}', which is no token", f"{hint}Tokens: {', '.join(TOKENS)}.", place)
        if parts and not parts[-1].token:
            parts[-1] = Part("", parts[-1].text + char)
        else:
            parts.append(Part("", char))
        at += 1
    return parts


def _check_order(made: Format, place: Place | None) -> None:
    seen: set[str] = set()
    for index, part in enumerate(made.parts):
        if not part.token:
            continue
        gives = TOKENS[part.token][0]
        before = made.parts[index - 1] if index else Part("", "")
        if part.token in ("MM", "M") and (gives in seen or before.text.endswith(":") or before.token in ("H", "HH")):
            raise _refuse(made.text, f"has '{part.token}' (month) in a time", "Minutes are written mm.", place)
        if gives in seen or (gives == "short_year" and "year" in seen) or (gives == "year" and "short_year" in seen):
            raise _refuse(made.text, f"names the {gives.removeprefix('short_')} twice", "Name each part once.", place)
        seen.add(gives)
        if before.token in _VARIABLE and part.token not in _OFFSET:
            raise _refuse(
                made.text,
                f"has '{part.token}' right after '{before.token}', which may be one digit or two",
                "Put a sign between them, or use tokens of two digits.",
                place,
            )
        if part.token in _FRACTION and not (before.text[-1:] in (".", ",") and "second" in seen):
            raise _refuse(made.text, "has 'fff' without seconds and a point or comma before it", "Write ss.fff.", place)


def _check_whole(made: Format, time: bool, place: Place | None) -> None:
    gives = set(made.gives)
    years = gives & {"year", "short_year"}
    missing = [name for name in ("month", "day") if name not in gives]
    if not years:
        missing.insert(0, "year")
    if missing:
        raise _refuse(
            made.text, f"does not read the {' and '.join(missing)}", "A date needs year, month and day.", place
        )
    times = gives - {"year", "short_year", "month", "day"}
    if times and not time:
        raise _refuse(made.text, "reads a time", "Use datetime instead of date.", place)
    order = ("hour", "minute", "second")
    for small, large in (("minute", "hour"), ("second", "minute")):
        if small in gives and large not in gives:
            raise _refuse(made.text, f"reads the {small} without the {large}", f"Times are {', '.join(order)}.", place)
    if "offset" in gives and "hour" not in gives:
        raise _refuse(made.text, "reads an offset without a time", "Add the time, or leave Z out.", place)
