"""From the bytes of a JSON record to its values: every number as it is written, nothing guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sources.records.pieces import Unreadable

_SURROGATE = re.compile("[\ud800-\udfff]")


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


class _WrongError(ValueError):
    """What makes a record unreadable, in our own words."""


def _pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(found)
    if len(made) != len(found):
        raise _WrongError("a key stands twice in one object")
    return made


def _constant(_: str) -> Any:
    raise _WrongError("a number that is none: NaN or Infinity")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_Number, parse_int=_Number, parse_constant=_constant, strict=True
)


def parsed(data: bytes, encoding: str) -> Any | Unreadable:
    """Return the value of a record, whose numbers are texts of a kind of their own, or why there is none."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        return Unreadable("encoding-invalid", f"byte {error.start} of the record is not {encoding}")
    try:
        value = _DECODER.decode(text)
    except _WrongError as error:
        return Unreadable("record-unparsable", str(error))
    except RecursionError:
        return Unreadable("record-unparsable", "nested too deeply")
    except json.JSONDecodeError as error:
        return Unreadable("record-unparsable", f"not JSON at character {error.pos} of the record")
    if "\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        return Unreadable("encoding-invalid", "half of a character (a lone surrogate)")
    return value


@dataclass(frozen=True, slots=True)
class Field:
    """Where a field's value is: so many levels ``up`` from the row's value, then down along ``keys``.

    ``number``: the field is the row's number in its record.
    """

    up: int = 0
    keys: tuple[str, ...] = ()
    number: bool = False


def read_keys(path: str) -> tuple[str, ...]:
    """Return the keys of a path; ``~1`` is a slash in a key and ``~0`` a tilde, as in RFC 6901."""
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in path.strip("/").split("/") if key)


def read_field(path: str) -> Field:
    """Return what a field's path says."""
    if path == "position()":
        return Field(number=True)
    steps = path.split("/")
    up = 0
    while steps and steps[0] == "..":
        steps, up = steps[1:], up + 1
    return Field(up, () if steps == ["."] else read_keys("/".join(steps)))


def rows(record: Any, each: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the rows of a record, each behind the values around it; a list on the way is every item of it."""
    found: list[tuple[Any, ...]] = [(record,)]
    for key in each:
        inner = [(*chain, _at(chain[-1], key)) for chain in found]
        found = [
            (*chain[:-1], item)
            for chain in inner
            if chain[-1] is not None
            for item in (chain[-1] if isinstance(chain[-1], list) else [chain[-1]])
        ]
    return found


def value_of(chain: Sequence[Any], wanted: Field, number: int) -> str | None:
    """Return a field's value as canonical text; objects and lists as JSON."""
    if wanted.number:
        return str(number)
    value = chain[-1 - wanted.up]
    for key in wanted.keys:
        value = _at(value, key)
    return _text(value)


def _at(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        return value[int(key)]
    return None


def _text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _written(value)


def _written(value: Any) -> str:
    """Return a value as JSON text, numbers as they were written."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        inner = (f"{json.dumps(key, ensure_ascii=False)}:{_written(each)}" for key, each in value.items())
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
