"""Code pages of mainframes (EBCDIC), read by way of encodings in which ASCII is ASCII.

An encoding of the latter kind has the characters of a code page in another order, so that no byte is lost on the way.
Python knows some of these pages; the others differ from one of them by a few characters
(IBM CDRA, https://www.ibm.com/docs/en/i/latest?topic=information-ccsid-values).
"""

from __future__ import annotations

import codecs
from functools import cache

_PYTHONS = ("cp037", "cp273", "cp500", "cp1026", "cp1140")
_EURO = {"cp1141": "cp273", "cp1148": "cp500"}
"""Pages that have a euro sign where another one has a currency sign."""
_OPEN_SYSTEMS = {0x5F: "^", 0xAD: "[", 0xB0: "¬", 0xBA: "Ý", 0xBB: "¨", 0xBD: "]"}
"""Where cp1047, of Unix on mainframes, is not cp037."""
PAGES = tuple(sorted((*_PYTHONS, *_EURO, "cp1047"), key=lambda name: int(name[2:])))
_PREFIX = "omnicase_"
_UNDEFINED = "\ufffe"


def page_of(encoding: str) -> str | None:
    """Return the code page that a name means (`cp500`, `IBM-1047`, `ibm037`), None: it is not one of `PAGES`."""
    name = encoding.lower().replace("-", "").replace("_", "").replace(" ", "")
    name = name.replace("ibm", "cp", 1) if name.startswith("ibm") else name
    return name if name in PAGES else None


@cache
def characters(page: str) -> str:
    """Return the 256 characters of a code page."""
    if page in _EURO:
        return characters(_EURO[page]).replace("¤", "€")
    found = bytes(range(256)).decode("cp037" if page == "cp1047" else page, "replace").replace("\ufffd", _UNDEFINED)
    if page != "cp1047":
        return found
    return "".join(_OPEN_SYSTEMS.get(at, char) for at, char in enumerate(found))


@cache
def order_of(page: str) -> bytes:
    """Return for each byte of a code page the byte of `encoding_of` that stands for the same character."""
    ours: dict[int, int] = {}
    page_characters = characters(page)
    for at, char in enumerate(page_characters):
        if ord(char) < 256:
            ours[at] = ord(char)
    free = iter(sorted(set(range(256)) - set(ours.values()), reverse=True))
    return bytes(ours[at] if at in ours else next(free) for at in range(256))


def encoding_of(page: str) -> str:
    """Return the name of an encoding that has the characters of a code page, and ASCII in its place."""
    return _PREFIX + page


def _search(name: str) -> codecs.CodecInfo | None:
    page = name.removeprefix(_PREFIX)
    if page == name or page not in PAGES:
        return None
    reordered = [_UNDEFINED] * 256
    for byte, char in zip(order_of(page), characters(page), strict=True):
        reordered[byte] = char
    table = "".join(reordered)
    back = codecs.charmap_build(table)
    return codecs.CodecInfo(
        name=name,
        encode=lambda text, errors="strict": codecs.charmap_encode(text, errors, back),
        decode=lambda data, errors="strict": codecs.charmap_decode(data, errors, table),
    )


codecs.register(_search)
