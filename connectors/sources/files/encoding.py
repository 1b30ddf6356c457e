"""Which encoding a text file is in, where the settings ask to find out: `encoding: detect`."""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from casemodel import SystemFailure
from connectors.sources.files.bytes import Bytes, as_text, raw_blocks

DETECT = "detect"
_CANDIDATES = ("cp1252", "cp850", "cp437")
"""What Dutch systems wrote before UTF-8, the likelier first: some bytes fit several."""
_MOST = 100_000
_DUTCH = frozenset("áàâäãéèêëíìîïóòôöúùûüçñÁÄÉÈËÏÖÜÇßø€£‘’“”„–—…•°½¼²³«»·´§©®\xa0")
_CERTAIN = 0.9
_ASCII = bytes(range(0x80))
_FEW = 8
"""So many different bytes beyond ASCII are replaced one after the other, which is faster than by a table."""
_TELLING = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")


def text_of(content: Bytes, declared: str) -> Bytes:
    """Return a content as text in the declared encoding, or in the one that its first block seems to be in.

    Raises:
        SystemFailure: CON-038 the encoding cannot be told, or it is no text (exit 5); as `as_text`.
    """
    if declared != DETECT:
        return as_text(content, declared)
    found = as_text(content, "utf-8")
    if found.skip:
        return found
    head = next(raw_blocks(content), b"")
    return replace(found, encoding=_detected(head, content.name))


def _detected(head: bytes, name: str) -> str:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    # Lines of plain ASCII say nothing, and there may be many of them.
    telling = b"\n".join(line[0] for line in _TELLING.finditer(head))[:_MOST]
    likely = max(_CANDIDATES, key=lambda candidate: _dutch(telling, candidate))
    if _dutch(telling, likely) >= _CERTAIN:
        return likely
    from charset_normalizer import from_bytes

    best = from_bytes(telling, cp_isolation=list(_CANDIDATES)).best()
    fits = () if best is None else (best.encoding, *best.could_be_from_charset)
    for candidate in _CANDIDATES:
        if candidate in fits:
            return candidate
    raise SystemFailure(
        "CON-038",
        "the encoding of the file cannot be told from its bytes",
        hint="Ask who made it, and declare it: encoding: cp1252.",
        place=name,
    )


def _dutch(text: bytes, encoding: str) -> float:
    """Return which share of the characters beyond ASCII are such as Dutch texts have.

    Beside what charset-normalizer thinks, which takes a few words in cp1252 for Greek letters of cp437.
    """
    try:
        beyond = [char for char in text.decode(encoding) if char > "\x7f"]
    except UnicodeDecodeError:
        return 0
    return sum(char in _DUTCH for char in beyond) / len(beyond) if beyond else 0


def decode_line(line: bytes, encodings: tuple[str, ...]) -> tuple[str, int] | None:
    """Return a line in the first of some encodings that it fits, and which that was; None: it fits none."""
    for number, encoding in enumerate(encodings):
        try:
            return line.decode(encoding), number
        except UnicodeDecodeError:
            continue
    return None


def utf8_of(text: bytes, encoding: str) -> bytes:
    """Return bytes of an encoding as UTF-8; those of a code page by a table, since most of them are ASCII.

    Raises:
        UnicodeDecodeError: a byte does not fit the encoding.
    """
    sizes, codes = _utf8(encoding)
    there = set(text.translate(None, _ASCII))
    order = _replacing(frozenset(there), encoding) if len(there) <= _FEW else None
    if order is not None:
        for byte, instead in order:
            text = text.replace(byte, instead)
        return text
    found = np.frombuffer(text, np.uint8)
    high = np.flatnonzero(found >= 0x80)
    values = found[high]
    size = sizes[values]
    if (size == 0).any():
        return text.decode(encoding).encode()
    more = size - 1
    first = high + np.cumsum(more) - more
    made = np.empty(len(text) + int(more.sum()), np.uint8)
    ours = np.ones(len(made), bool)
    for number in (1, 2):
        ours[first[size > number] + number] = False
    made[ours] = found
    for number in range(3):
        longer = size > number
        made[first[longer] + number] = codes[values[longer], number]
    return made.tobytes()


@cache
def _replacing(there: frozenset[int], encoding: str) -> tuple[tuple[bytes, bytes], ...] | None:
    """Return by what each of a few bytes is to be replaced, in an order in which nothing is replaced twice.

    None: a byte is no character by itself, or there is no such order.
    """
    sizes, codes = _utf8(encoding)
    if not all(sizes[byte] for byte in there):
        return None
    made = {byte: codes[byte, : sizes[byte]].tobytes() for byte in there}
    order: list[tuple[bytes, bytes]] = []
    while made:
        # A byte comes before those that are replaced by something with it in it.
        free = [byte for byte in made if not any(other in made[byte] for other in made if other != byte)]
        if not free:
            return None
        order.extend((bytes([byte]), made[byte]) for byte in free)
        made = {byte: text for byte, text in made.items() if byte not in free}
    return tuple(order)


@cache
def _utf8(encoding: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return of each byte how many bytes of UTF-8 it becomes (0: it is no character by itself), and which."""
    characters = [bytes([byte]).decode(encoding, "ignore") for byte in range(256)]
    # An encoding that needs several bytes for a character has few that are one by themselves.
    alone = len(b"\xc3\xa9".decode(encoding, "replace")) == 2
    made = [each.encode() if len(each) == 1 and alone else b"" for each in characters]
    sizes = np.array([len(each) for each in made], np.int64)
    return sizes, np.frombuffer(b"".join(each.ljust(3, b"\0") for each in made), np.uint8).reshape(256, 3)
