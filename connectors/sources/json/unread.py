"""Which values of JSON records no field reads: otherwise nobody would see that they are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.sources.json.parse import Field
from connectors.sources.records.unread import OTHERS, PLAIN, Path, count_path, told


@dataclass(slots=True)
class Read:
    """What is read of a value: all of it, or parts by key; of a list every item, or one by its number."""

    whole: bool = False
    parts: dict[str, Read] = field(default_factory=dict)

    def add(self, each: tuple[str, ...], fields: Iterable[Field]) -> None:
        """Take what a relation reads of its record: fields start at its rows, and may go up from them."""
        for wanted in fields:
            if wanted.number:
                continue
            node = self
            for key in (*each[: len(each) - wanted.up], *wanted.keys):
                node = node.parts.setdefault(key, Read())
            node.whole = True


def unread(records: Iterator[Any], read: Read) -> dict[str, int]:
    """Return the paths at which records hold a value that is not read, and how often each occurs."""
    found: Counter[Path] = Counter()
    for record in records:
        _walk(record, read, (), found)
    return told(found, lambda key: key if PLAIN.fullmatch(key) else OTHERS)


def _walk(value: Any, read: Read, path: Path, found: Counter[Path]) -> None:
    if read.whole:
        return
    if isinstance(value, dict):
        for key, part in value.items():
            _walk(part, read.parts.get(key) or Read(), (*path, key), found)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _walk(item, read.parts.get(str(number)) or read, path, found)
    elif value is not None and value != "":
        count_path(found, path)
