"""Which elements of the records hold a value that no field reads: otherwise nobody would see that they are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sources.files.bytes import check_unchanged
from connectors.sources.records.pieces import Unreadable
from connectors.sources.records.unread import OTHERS, PLAIN, Path, count_path, told
from connectors.sources.xml.files import Shape, XmlFiles, elements
from connectors.sources.xml.paths import Tree


@dataclass(slots=True)
class _Read:
    """What is read of an element: all of it, or parts by name, or only those with an attribute of some value."""

    whole: bool = False
    parts: dict[str, _Read] = field(default_factory=dict)
    chosen: dict[str, list[tuple[str, str, _Read]]] = field(default_factory=dict)

    def of(self, element: Any) -> _Read | None:
        """Return what is read of a part of it; None: nothing."""
        for attribute, wanted, part in self.chosen.get(element.tag, ()):
            if element.get(attribute) == wanted:
                return part
        return self.parts.get(element.tag)

    def add(self, tree: Tree) -> None:
        """Take what a tree wants of this element."""
        self.whole = self.whole or bool(tree.text)
        for name, part in (*tree.parts.items(), *tree.firsts.items()):
            self.parts.setdefault(name, _Read()).add(part)
        for name, several in tree.chosen.items():
            for attribute, wanted, part in several:
                known = self.chosen.setdefault(name, [])
                mine = next((one for each, value, one in known if (each, value) == (attribute, wanted)), None)
                if mine is None:
                    mine = _Read()
                    known.append((attribute, wanted, mine))
                mine.add(part)


def unread(files: XmlFiles, others: Iterable[Shape], namespaces: Mapping[str, str]) -> dict[str, int]:
    """Return the paths of elements with a value that no relation reads, and how often each occurs.

    Args:
        files: of the relation; its records are walked through.
        others: every relation of the system; those of the same record count.
        namespaces: what the prefixes of the settings stand for.
    """
    folded = files.shape.relation.option("fold") is not None
    read = _Read()
    for shape in others:
        if shape.steps == files.shape.steps:
            _add(read, shape)
    found: Counter[Path] = Counter()
    for source in files.sources:
        for _, element in elements(source, files.shape.whole):
            if isinstance(element, Unreadable):
                continue
            for top in element.findall("{*}object") if folded else (element,):
                _walk(top, read, (), found)
        check_unchanged(source)
    prefixes = {space: prefix for prefix, space in namespaces.items()}
    return told(found, lambda step: _shown(step, prefixes))


def _add(read: _Read, shape: Shape) -> None:
    """Take what a relation reads of its record: its fields start at the part that is a row, and may go up from it."""
    chain = [read]
    for name in shape.each:
        chain.append(chain[-1].parts.setdefault(name, _Read()))
    for up, tree in shape.trees.items():
        chain[-1 - up].add(tree)


def _walk(element: Any, read: _Read, path: Path, found: Counter[Path]) -> None:
    for child in element:
        part = read.of(child)
        if part is not None and part.whole:
            continue
        below = (*path, _step(child, read))
        if len(child):
            _walk(child, part or _Read(), below, found)
        elif child.text and child.text.strip():
            count_path(found, below)


def _step(element: Any, read: _Read) -> str:
    """Return the name of an element, and what tells it from those of its name that are read."""
    chosen: Sequence[tuple[str, str, _Read]] = read.chosen.get(element.tag, ())
    for attribute, _, _ in chosen:
        value = element.get(attribute, "")
        return f"{element.tag}[@{attribute.rpartition('}')[2]}='{value if PLAIN.fullmatch(value) else OTHERS}']"
    return str(element.tag)


def _shown(step: str, prefixes: Mapping[str, str]) -> str:
    space, _, local = step.rpartition("}")
    name = local.partition("[")[0]
    if step == OTHERS or not PLAIN.fullmatch(name):
        return OTHERS
    prefix = prefixes.get(space[1:], "") if space else ""
    return f"{prefix}:{local}" if prefix else local
