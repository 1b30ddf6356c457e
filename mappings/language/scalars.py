"""The scalars of the language: all are text in the file, each kind is converted here and nowhere else."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

RESERVED: Final = frozenset(
    {
        "all",
        "and",
        "as",
        "asc",
        "between",
        "by",
        "case",
        "cast",
        "desc",
        "distinct",
        "else",
        "end",
        "exists",
        "false",
        "from",
        "group",
        "having",
        "in",
        "interval",
        "is",
        "join",
        "like",
        "limit",
        "not",
        "null",
        "offset",
        "on",
        "or",
        "order",
        "over",
        "partition",
        "select",
        "table",
        "then",
        "top",
        "true",
        "union",
        "using",
        "when",
        "where",
        "with",
    }
)
"""Words of SQL that cannot be names, since an expression could not use them."""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    found = "nothing" if value is None else "a list" if isinstance(value, list) else "keys and values"
    raise PydanticCustomError("form", "expected text, found {found}", {"found": found})


def _filled(value: Any) -> str:
    text = _text(value)
    if not text.strip():
        raise PydanticCustomError("form", "expected text, found an empty text")
    return text


def _name(value: Any) -> str:
    text = _filled(value)
    if text.casefold() in RESERVED:
        raise PydanticCustomError("name", "'{text}' is a reserved word", {"text": text})
    if not text.replace("_", "a").isalnum() or text[0].isdigit() or text.startswith("_"):
        raise PydanticCustomError(
            "name",
            "'{text}' is not a name (letters, digits and underscores, not beginning with a digit or underscore)",
            {"text": text},
        )
    return text


def _flag(value: Any) -> bool:
    text = _text(value)
    if text not in ("true", "false"):
        raise PydanticCustomError("choice", "expected true or false, found '{text}'", {"text": text})
    return text == "true"


def _whole(value: Any) -> int:
    text = _text(value)
    if not re.fullmatch("-?[0-9]{1,18}", text):
        raise PydanticCustomError("form", "expected a whole number, found '{text}'", {"text": text})
    return int(text)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        if not value:
            raise PydanticCustomError("form", "expected at least one item, found an empty list")
        return tuple(_text(item) for item in value)
    return (_text(value),)


def _names(value: Any) -> tuple[str, ...]:
    items = _texts(value)
    for item in items:
        _filled(item)
    return items


_UNITS: Final = {
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}


def _duration(value: Any) -> int:
    text = _text(value)
    number, _, unit = text.partition(" ")
    scale = _UNITS.get(unit.removesuffix("s"))
    if not (number.isascii() and number.isdigit() and len(number) <= 6) or scale is None:
        raise PydanticCustomError(
            "form", "expected a number and a unit, such as 1 second or 2 days, found '{text}'", {"text": text}
        )
    return int(number) * scale


def _amount(value: Any) -> str:
    text = _text(value)
    whole, _, fraction = text.partition(".")
    digits = (whole + fraction).isascii() and whole.isdigit() and (fraction.isdigit() or "." not in text)
    if not digits or len(text) > 30 or not text.strip("0."):
        raise PydanticCustomError(
            "form", "expected a number above zero, such as 0.005, found '{text}'", {"text": text}
        )
    return text


def _within(value: Any) -> str:
    text = _text(value)
    if " " not in text:
        return _amount(text)
    if not _duration(text):
        raise PydanticCustomError("form", "expected a length of time above zero, found '{text}'", {"text": text})
    return text


def within(text: str) -> str:
    """Return a text that `Within` accepts; else it raises PydanticCustomError."""
    return _within(text)


def duration(text: str) -> int:
    """Return the microseconds of a text that `Duration` accepts."""
    return _duration(text)


def choice(*allowed: str) -> Any:
    """Return a validator that accepts one of some words."""

    def check(value: Any) -> str:
        text = _text(value)
        if text not in allowed:
            raise PydanticCustomError(
                "choice", "expected {allowed}, found '{text}'", {"allowed": _or(allowed), "text": text}
            )
        return text

    return BeforeValidator(check, json_schema_input_type=Literal[allowed])


def _or(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


Text = Annotated[str, BeforeValidator(_text)]
"""Any text, the empty one too."""
Filled = Annotated[str, BeforeValidator(_filled)]
"""A text that is not blank."""
Name = Annotated[str, BeforeValidator(_name)]
"""A name that an expression can use."""
Flag = Annotated[bool, BeforeValidator(_flag, json_schema_input_type=bool)]
"""``true`` or ``false``."""
Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int)]
"""A whole number."""
Duration = Annotated[int, BeforeValidator(_duration, json_schema_input_type=str)]
"""A length of time in microseconds, written as a number and a unit."""
Amount = Annotated[str, BeforeValidator(_amount, json_schema_input_type=str)]
"""A number above zero, as written."""
Within = Annotated[str, BeforeValidator(_within, json_schema_input_type=str)]
"""By how much two values may differ, as written: a number above zero, or a length of time."""
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts, json_schema_input_type=str | list[str])]
"""A text or a list of texts."""
Names = Annotated[tuple[str, ...], BeforeValidator(_names, json_schema_input_type=str | list[str])]
"""A name or a list of names, none of them blank."""
