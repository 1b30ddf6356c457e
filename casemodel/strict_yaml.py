"""YAML read safely: text stays text, duplicate keys, anchors, tags and merge keys are refused, places are kept.

A mapping tested in Tilburg (0855) must not break in Utrecht (0344), so no scalar is ever given a type here.
"""

from __future__ import annotations

import errno
import os
import stat
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
    """Read a YAML file whose root is a mapping; every scalar is text, an empty value is None.

    Raises:
        RefusedError: YML-001 unreadable, YML-002 not YAML, YML-003 duplicate key, YML-004 anchor, alias, tag or merge
            key, YML-005 too large or too deep, YML-006 the root is not a mapping.
    """
    name = shown_as or path.name
    try:
        data = read_regular_file(path)
    except OSError as error:
        raise RefusedError(
            "YML-001",
            f"the file cannot be read ({error.strerror or 'unknown reason'})",
            hint="Check that the file exists and that you may read it.",
            place=name,
        ) from None
    return parse_strict_yaml(data, shown_as=name)


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
        _refuse_tricks(text, shown_as)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(shown_as, mark.line + 1, mark.column + 1) if mark else Place(shown_as)
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise RefusedError(
            "YML-002", f"this is not valid YAML: {problem}", hint="Mend the line named.", place=place
        ) from None
    if root is None:
        raise RefusedError("YML-006", "the file is empty", hint="Start from `omnicase init`.", place=shown_as)
    value = _build(root, shown_as)
    if not isinstance(value, PlacedDict):
        raise RefusedError(
            "YML-006", "the file must hold keys and values at its top", hint="Write `key: value` lines.", place=shown_as
        )
    return value


def _refuse_tricks(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        mark = event.start_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark is not None else Place(name)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise RefusedError(
                "YML-004", "anchors and aliases are not allowed", hint="Write the value out.", place=place
            )
        if getattr(event, "tag", None) not in (None, "!"):
            raise RefusedError("YML-004", "tags are not allowed", hint="Write plain text.", place=place)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise RefusedError("YML-005", f"nested deeper than {MAX_DEPTH} levels", hint="Flatten it.", place=place)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _build(node: yaml.Node, name: str) -> Any:
    if isinstance(node, yaml.ScalarNode):
        plain_null = node.style is None and node.value in ("", "~")
        return None if plain_null else node.value
    if isinstance(node, yaml.SequenceNode):
        items = PlacedList(_build(child, name) for child in node.value)
        items.place, items.value_places = _mark(node), [_mark(child) for child in node.value]
        return items
    return _build_dict(node, name)


def _build_dict(node: yaml.Node, name: str) -> PlacedDict:
    result = PlacedDict()
    result.place, result.key_places, result.value_places = _mark(node), {}, {}
    for key_node, value_node in node.value:
        line, column = _mark(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            raise RefusedError(
                "YML-002", "a key must be text", hint="Write a plain key.", place=Place(name, line, column)
            )
        key = key_node.value
        if key == "<<":
            raise RefusedError(
                "YML-004", "merge keys are not allowed", hint="Write the keys out.", place=Place(name, line, column)
            )
        if key in result:
            first = result.key_places[key][0]
            raise RefusedError(
                "YML-003",
                f"the key '{key}' stands twice, on lines {first} and {line}",
                hint="Remove one of the two.",
                place=Place(name, line, column),
            )
        result[key] = _build(value_node, name)
        result.key_places[key], result.value_places[key] = (line, column), _mark(value_node)
    return result
