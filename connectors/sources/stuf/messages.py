"""What a StUF message (03.01: Lk01 of StUF-ZKN, StUF-BG) says of the entity it is about, as rows to be folded.

A missing element says nothing; an element with ``StUF:noValue`` says that there is no value, or that the sender does
not tell (``nietOndersteund``, ``nietGeautoriseerd``), which is nothing, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sources.records.pieces import Unreadable
from connectors.sources.xml.paths import NIL, REPEATED, Reading, Tree, text_of

STUF = "{http://www.egem.nl/StUF/StUF0301}"
CLEAR = "\x01"
"""Stands where a message says that there is no value; no XML text holds this character."""
KEY, TIME, SORT, REFERENCE, WAS = "\x01key", "\x01time", "\x01sort", "\x01reference", "\x01was "
_NO_VALUE, _PROCESSING = f"{STUF}noValue", f"{STUF}verwerkingssoort"
_NOT_TOLD = ("nietOndersteund", "nietGeautoriseerd")
_KINDS = (*_NOT_TOLD, "geenWaarde", "waardeOnbekend", "vastgesteldOnbekend")
_TIME = re.compile(r"[0-9]{8,17}")
_LEFT = ("V", "E", "R")
"""Kinds of processing that end a relation."""


def _text(element: Any) -> str | None:
    if element.attrib and _is_nil(element):
        return None if element.get(_NO_VALUE) in _NOT_TOLD else CLEAR
    return text_of(element)


def _is_nil(element: Any) -> bool:
    return element.get(NIL) in ("true", "1") or element.get(_NO_VALUE) in _KINDS


def _gone(element: Any) -> bool:
    """Tell whether a part says of itself that it is not there (any more)."""
    return (_is_nil(element) and element.get(_NO_VALUE) not in _NOT_TOLD) or element.get(_PROCESSING) == "V"


_READING = Reading(_text, CLEAR, _gone)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a relation takes of a message.

    Args:
        width: the number of fields.
        key: which of them identify a row.
        each: names from the object to the part that is a row; empty: the object is.
        trees: as `xml.files.Shape`.
        numbers: fields that want the row's number in its message.
    """

    width: int
    key: tuple[int, ...]
    each: tuple[str, ...]
    trees: Mapping[int, Tree]
    numbers: tuple[int, ...]


Row = list[str | None]


def rows_of(message: Any, wanted: Wanted) -> list[Row] | Unreadable:
    """Return what a message says, a row each: key, time, kind of change, reference, values, values it says were.

    The rows of a message of a child relation may be none.
    """
    time = _meta(message, "stuurgegevens", "tijdstipBericht")
    if time is None or not _TIME.fullmatch(time):
        return _wrong("tijdstipBericht is missing or not 8 to 17 digits")
    kind = _meta(message, "parameters", "mutatiesoort")
    objects = message.findall("{*}object")
    if kind not in ("T", "W", "V", "C", "F", "I", "R") or not objects or len(objects) > 2:
        return _wrong("no message about one change: mutatiesoort or object is missing, or there are several")
    if kind in ("W", "C", "F") and len(objects) != 2:
        return _wrong("a change without was and wordt")
    head: Row = [time.ljust(17, "0"), kind, _meta(message, "stuurgegevens", "referentienummer")]
    found = []
    for sort, values, was in _parts(objects, kind, wanted):
        if REPEATED in values or REPEATED in was:
            return _wrong("a field has more than one value: name the first [1], or use each")
        keys = [None if values[place] == CLEAR else values[place] for place in wanted.key]
        if not any(keys) or (not wanted.each and not all(keys)):
            return _wrong("the key is missing")
        found.append([json.dumps(keys, ensure_ascii=False), head[0], sort, head[2], *values, *was])
    return found


def _meta(message: Any, part: str, name: str) -> str | None:
    element = message.find(f"{{*}}{part}/{{*}}{name}")
    return None if element is None else (element.text or "").strip()


def _wrong(why: str) -> Unreadable:
    return Unreadable("record-unparsable", why)


def _parts(objects: Sequence[Any], kind: str, wanted: Wanted) -> Iterator[tuple[str, Row, Row]]:
    """Yield how each part of a message is processed, its values, and those it says it had."""
    nothing: Row = [None] * wanted.width
    if not wanted.each:
        values = _values((objects[-1],), wanted, 1)
        if kind in ("V", "I"):
            values = _only_key(values, wanted)
        was = _values((objects[0],), wanted, 1) if len(objects) == 2 else nothing
        yield kind, values, was
        return
    if len(objects) == 2:
        for number, chain in enumerate(_chains(objects[0], wanted.each), 1):
            sort = chain[-1].get(_PROCESSING)
            if sort in _LEFT and not _is_nil(chain[-1]):
                yield sort, _only_key(_values(chain, wanted, number), wanted), nothing
    for number, chain in enumerate(_chains(objects[-1], wanted.each), 1):
        sort = chain[-1].get(_PROCESSING) or kind
        if _is_nil(chain[-1]) or (len(objects) == 2 and sort == "V"):
            continue
        values = _values(chain, wanted, number)
        # What replaces another relation is there from then on; the other one was told of above.
        yield "T" if sort == "R" else sort, _only_key(values, wanted) if sort == "V" else values, nothing


def _chains(element: Any, path: Sequence[str]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = [(element,)]
    for name in path:
        found = [(*chain, child) for chain in found for child in chain[-1].iterchildren(name)]
    return found


def _values(chain: Sequence[Any], wanted: Wanted, number: int) -> Row:
    values: Row = [None] * wanted.width
    for up, tree in wanted.trees.items():
        element = chain[-1 - up]
        tree.take_in(element, values, _READING)
    for place in wanted.numbers:
        values[place] = str(number)
    return values


def _only_key(values: Row, wanted: Wanted) -> Row:
    return [value if place in wanted.key else None for place, value in enumerate(values)]
