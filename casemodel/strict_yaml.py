"""YAML read safely: text stays text, duplicate keys, anchors, tags and merge keys are refused, places are kept.

A mapping tested in Tilburg (0855) must not break in Utrecht (0344), so no scalar is ever given a type here.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from casemodel.errors import Place, RefusedError

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
# libyaml's parser when the wheel has it: the same language, ten times faster.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PlacedDict(dict[str, Any]):
    """A mapping that knows where it and each of its keys and values stand (line, column from 1)."""

    place: tuple[int, int]
    key_places: dict[str, tuple[int, int]]
    value_places: dict[str, tuple[int, int]]


class PlacedList(list[Any]):
    """A list that knows where it and each of its items stand."""

    place: tuple[int, int]
    value_places: list[tuple[int, int]]


def read_regular_file(path: Path) -> bytes:
    """Read a file that somebody wrote by hand, without waiting for a pipe or device that stands in its place.

    Raises:
        OSError: it cannot be read, or it is not a regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is a folder, pipe or device")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def read_strict_yaml(path: Path, *, shown_as: str | None = None) -> PlacedDict:
    """Read a YAML file whose root is a mapping; every scalar is text, an empty value the empty text.

    Raises:
        RefusedError: YML-001 unreadable, YML-002 not YAML, YML-003 duplicate key, YML-004 anchor, alias, tag or merge
            key, YML-005 too large or too deep, YML-006 the root is not a mapping.
    """
    name = shown_as or path.name
    return parse_strict_yaml(read_yaml_bytes(path, name), shown_as=name)


def read_yaml_bytes(path: Path, shown_as: str) -> bytes:
    """Return the content of a YAML file.

    Raises:
        RefusedError: YML-001 the file cannot be read.
    """
    try:
        return read_regular_file(path)
    except OSError as error:
        raise RefusedError(
            "YML-001",
            f"the file cannot be read ({error.strerror or 'unknown reason'})",
            hint="Check that the file exists and that you may read it.",
            place=shown_as,
        ) from None


def parse_strict_yaml(data: bytes, *, shown_as: str) -> PlacedDict:
    """Parse YAML bytes as `read_strict_yaml` does."""
    if len(data) > MAX_BYTES:
        raise RefusedError(
            "YML-005", f"the file is larger than {MAX_BYTES:,} bytes", hint="Split the file.", place=shown_as
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError(
            "YML-002",
            f"the file is not UTF-8 text (byte {error.start})",
            hint="Save the file as UTF-8.",
            place=shown_as,
        ) from None
    try:
        value = _document(text, shown_as)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(shown_as, mark.line + 1, mark.column + 1) if mark else Place(shown_as)
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise RefusedError(
            "YML-002", f"this is not valid YAML: {problem}", hint="Mend the line named.", place=place
        ) from None
    if value is None:
        raise RefusedError("YML-006", "the file is empty", hint="Start from `omnicase init`.", place=shown_as)
    if not isinstance(value, PlacedDict):
        raise RefusedError(
            "YML-006", "the file must hold keys and values at its top", hint="Write `key: value` lines.", place=shown_as
        )
    return value


def _document(text: str, name: str) -> Any:
    """Build the one document of a text from the parser's events; an empty text gives None."""
    events = yaml.parse(text, Loader=_LOADER)
    next(events)  # the stream begins
    if not isinstance(next(events), yaml.DocumentStartEvent):
        return None
    first = next(events)
    value = _value(first, events, name, 0)
    next(events)  # the document ends
    after = next(events)
    if not isinstance(after, yaml.StreamEndEvent):
        line, column = _mark(after)
        raise RefusedError(
            "YML-002",
            "this is not valid YAML: but found another document",
            hint="Mend the line named.",
            place=Place(name, line, column),
        )
    return value


def _value(event: Any, events: Iterator[Any], name: str, depth: int) -> Any:
    """Build what an event begins, taking the events that belong to it."""
    if type(event) is yaml.AliasEvent or event.anchor:
        raise _refused("YML-004", "anchors and aliases are not allowed", "Write the value out.", event, name)
    if event.tag not in (None, "!"):
        raise _refused("YML-004", "tags are not allowed", "Write plain text.", event, name)
    if type(event) is yaml.ScalarEvent:
        return event.value
    if depth == MAX_DEPTH:
        raise _refused("YML-005", f"nested deeper than {MAX_DEPTH} levels", "Flatten it.", event, name)
    if type(event) is yaml.MappingStartEvent:
        return _dict(event, events, name, depth + 1)
    items = PlacedList()
    items.place, items.value_places = _mark(event), []
    for item in events:
        if type(item) is yaml.SequenceEndEvent:
            break
        items.value_places.append(_mark(item))
        items.append(_value(item, events, name, depth + 1))
    return items


def _dict(event: Any, events: Iterator[Any], name: str, depth: int) -> PlacedDict:
    result = PlacedDict()
    result.place, result.key_places, result.value_places = _mark(event), {}, {}
    for item in events:
        if type(item) is yaml.MappingEndEvent:
            break
        key = _value(item, events, name, depth)
        if type(item) is not yaml.ScalarEvent:
            raise _refused("YML-002", "a key must be text", "Write a plain key.", item, name)
        if key == "<<":
            raise _refused("YML-004", "merge keys are not allowed", "Write the keys out.", item, name)
        place = _mark(item)
        if key in result:
            cause = f"the key '{key}' stands twice, on lines {result.key_places[key][0]} and {place[0]}"
            raise _refused("YML-003", cause, "Remove one of the two.", item, name)
        value = next(events)
        result.key_places[key], result.value_places[key] = place, _mark(value)
        result[key] = _value(value, events, name, depth)
    return result


def _mark(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _refused(code: str, cause: str, hint: str, event: Any, name: str) -> RefusedError:
    line, column = _mark(event)
    return RefusedError(code, cause, hint=hint, place=Place(name, line, column))
