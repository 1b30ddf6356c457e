"""Paths in XML with declared prefixes: of the record, and of the fields as one tree that is walked once a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.config import SystemConfig, refuse

_NAME = r"[^\W\d][\w.-]*"
_STEP = re.compile(rf"(?:({_NAME}):)?({_NAME})(?:\[(?:@((?:{_NAME}:)?{_NAME})='([^'\]]*)'|(1))\])?")
_ATTRIBUTE = re.compile(rf"@(?:({_NAME}):)?({_NAME})")
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
PREDEFINED = {"xml": "http://www.w3.org/XML/1998/namespace"}
REPEATED = "\x01repeated"
"""Stands where a field has more than one value; no XML text holds this character."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How elements are read.

    ``text`` gives an element's text or None; ``absent`` is what an element without the attribute has; ``gone`` tells
    of an element that it says: no value here and below.
    """

    text: Callable[[Any], str | None]
    absent: str | None = None
    gone: Callable[[Any], bool] | None = None


@dataclass(slots=True)
class Tree:
    """What is wanted of an element: its own text, attributes, and parts of it.

    ``text`` numbers the fields that take its text, ``attributes`` those that take an attribute; ``parts`` are its
    children by name, ``firsts`` the first child of a name, ``chosen`` those that have an attribute with a value.
    """

    text: list[int] = field(default_factory=list)
    attributes: list[tuple[int, str]] = field(default_factory=list)
    parts: dict[str, Tree] = field(default_factory=dict)
    firsts: dict[str, Tree] = field(default_factory=dict)
    chosen: dict[str, list[tuple[str, str, Tree]]] = field(default_factory=dict)

    def take(self, element: Any, into: list[str | None], reading: Reading) -> None:
        """Put the values of an element where they belong; `REPEATED` where there are two."""
        if reading.gone is None or not element.attrib or not reading.gone(element):
            self.take_in(element, into, reading)
            return
        for number, name in self.attributes:
            _put(into, number, element.get(name, reading.absent))
        self._clear(into, reading.absent, below=False)

    def take_in(self, element: Any, into: list[str | None], reading: Reading) -> None:
        """Do the same, whatever the element says of itself."""
        for number, name in self.attributes:
            _put(into, number, element.get(name, reading.absent))
        if self.text:
            value = reading.text(element)
            for number in self.text:
                _put(into, number, value)
        if self.parts:
            parts, take = self.parts, Tree.take_in if reading.gone is None else Tree.take
            for child in element.iterchildren(*parts):
                take(parts[child.tag], child, into, reading)
        if self.firsts or self.chosen:
            self._take_some(element, into, reading)

    def _clear(self, into: list[str | None], absent: str | None, *, below: bool) -> None:
        """Say of everything in an element that it has no value."""
        for number in self.text:
            _put(into, number, absent)
        for number, _ in self.attributes if below else ():
            _put(into, number, absent)
        parts = [*self.parts.values(), *self.firsts.values()]
        for part in (*parts, *(part for chosen in self.chosen.values() for _, _, part in chosen)):
            part._clear(into, absent, below=True)

    def _take_some(self, element: Any, into: list[str | None], reading: Reading) -> None:
        for name, part in self.firsts.items():
            found = element.find(name)
            if found is not None:
                part.take(found, into, reading)
        if self.chosen:
            for child in element:
                for attribute, wanted, part in self.chosen.get(child.tag, ()):
                    if child.get(attribute) == wanted:
                        part.take(child, into, reading)


def text_of(element: Any) -> str | None:
    """Return the text of an element and all in it; None where it is nil."""
    if element.attrib and element.get(NIL) in ("true", "1"):
        return None
    if len(element):
        return "".join(element.itertext())
    return element.text or ""


PLAIN = Reading(text_of)


def _put(into: list[str | None], number: int, value: str | None) -> None:
    if value is not None:
        into[number] = value if into[number] is None else REPEATED


class Paths:
    """Reads paths of one system.

    Args:
        namespaces: what each prefix stands for.
    """

    def __init__(self, config: SystemConfig, namespaces: Mapping[str, str]) -> None:
        self._config = config
        self._namespaces = PREDEFINED | dict(namespaces)

    def elements(self, path: str) -> tuple[str, ...]:
        """Return the names (``{namespace}name``) of a path of elements."""
        names = []
        for step in path.strip("/").split("/"):
            found = _STEP.fullmatch(step)
            if not found or "[" in step:
                raise self._wrong(path)
            names.append(self._name(path, found[1], found[2]))
        return tuple(names)

    def trees(self, fields: Sequence[tuple[int, str]], each: str) -> tuple[dict[int, Tree], list[int]]:
        """Return what to take of a row's element (0), its parent (1) and so on, and the fields that want its number."""
        trees: dict[int, Tree] = {}
        numbers = []
        for number, path in fields:
            if path == "position()":
                numbers.append(number)
                continue
            steps = path.split("/")
            up = 0
            while steps and steps[0] == "..":
                steps, up = steps[1:], up + 1
            if not steps or up > (len(each.strip("/").split("/")) if each else 0):
                raise self._wrong(path)
            self._add(trees.setdefault(up, Tree()), steps, number, path)
        return trees, numbers

    def _add(self, tree: Tree, steps: list[str], number: int, path: str) -> None:
        for step in steps:
            if attribute := _ATTRIBUTE.fullmatch(step):
                if step is not steps[-1]:
                    raise self._wrong(path)
                name = self._name(path, attribute[1], attribute[2]) if attribute[1] else attribute[2]
                tree.attributes.append((number, name))
                return
            if step == "." and len(steps) == 1:
                break
            found = _STEP.fullmatch(step)
            if not found:
                raise self._wrong(path)
            tree = self._part(tree, path, found)
        tree.text.append(number)

    def _part(self, tree: Tree, path: str, found: re.Match[str]) -> Tree:
        name = self._name(path, found[1], found[2])
        if found[3]:
            prefix, _, local = found[3].rpartition(":")
            attribute = self._name(path, prefix, local) if prefix else local
            parts = tree.chosen.setdefault(name, [])
            for known, value, part in parts:
                if (known, value) == (attribute, found[4]):
                    return part
            parts.append((attribute, found[4], Tree()))
            return parts[-1][2]
        if found[5]:
            return tree.firsts.setdefault(name, Tree())
        return tree.parts.setdefault(name, Tree())

    def _name(self, path: str, prefix: str | None, local: str) -> str:
        if not prefix:
            return local
        if prefix not in self._namespaces:
            raise refuse(
                self._config, f"the prefix {prefix} of the path {path} is not declared", f"Add {prefix} to namespaces."
            )
        return f"{{{self._namespaces[prefix]}}}{local}"

    def _wrong(self, path: str) -> Exception:
        return refuse(
            self._config,
            f"the path {path} cannot be read",
            "Write steps parted by /: names, name[@attribute='value'], name[1], and last @attribute; see the docs.",
        )
