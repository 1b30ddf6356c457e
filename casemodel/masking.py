"""The one way out for values: what is personal is shown as a kind and a keyed token (promise 9)."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator

_TOKEN_HEX = 8
_NINE_DIGITS = re.compile(r"(?<![0-9A-Za-z.])(?:\d{9}|\d{4}\.\d{2}\.\d{3}|\d{3} \d{3} \d{3})(?![0-9A-Za-z])", re.ASCII)
_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def token(value: str, key: bytes) -> str:
    """Return a short keyed token for a value: equal values give equal tokens, nobody without the key can guess one."""
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_TOKEN_HEX]


def kind_of(value: str) -> str:
    """Describe the form of a text without showing it: letters become a, digits 9, runs are shortened (``a+ 9(4)``)."""
    shape = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "9", value))
    shape = re.sub(r"9{2,}", lambda m: f"9({len(m.group())})", shape)
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shape[:24])


def show(value: str | None, *, personal: bool, key: bytes) -> str:
    """Return what may be shown of a value: itself when not personal, else its form and token; NULL as ``∅``.

    Args:
        value: canonical text or None.
        personal: as the case model or the source profile declares; unknown means True.
        key: the workspace's masking key.
    """
    if value is None:
        return "∅"
    if not personal:
        return printable(value)
    return f"‹{kind_of(value)} #{token(value, key)}›"


def printable(value: str) -> str:
    """Return the text with control and direction characters written out, so that it cannot steer a terminal."""
    if value.isprintable():
        return value
    return "".join(
        f"\\x{ord(c):02x}"
        if ord(c) < 0x100 and unicodedata.category(c) == "Cc"
        else f"\\u{ord(c):04x}"
        if unicodedata.category(c) in ("Cf", "Cs", "Zl", "Zp")
        else c
        for c in value
    )


def citizen_numbers(text: str) -> Iterator[re.Match[str]]:
    """Find what may be a BSN in a text, as people and programs write one: whole, with dots, or in threes."""
    for found in _NINE_DIGITS.finditer(text):
        if passes_eleven_test("".join(sign for sign in found[0] if sign.isdecimal())):
            yield found


def passes_eleven_test(digits: str) -> bool:
    """Return whether nine digits are a BSN by their last digit; nine zeros are none."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return total % 11 == 0 and digits.strip("0") != ""


def difference_kind(expected: str | None, found: str | None) -> str:
    """Name the kind of difference between two values without showing them."""
    if expected is None or found is None:
        return "empty instead of a value" if found is None else "a value instead of empty"
    if expected.strip() == found.strip():
        return "white space"
    if expected.casefold() == found.casefold():
        return "upper or lower case"
    if _bare(expected) == _bare(found):
        return "an accent lost"
    if expected.startswith(found) or found.startswith(expected):
        return "cut off"
    if expected.lstrip("0") == found.lstrip("0"):
        return "leading zero"
    return "another value"


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn").casefold()
