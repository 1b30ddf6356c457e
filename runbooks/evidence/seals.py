"""Seals: the head of a chain, signed, and short enough to type: kept elsewhere, it shows what was cut or rewritten."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casemodel import UsageError, read_regular_file
from runbooks.evidence.entries import Head
from runbooks.signing import SigningKey

FORM = "omnicase seal 1"
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that looks like a digit."""
_LOOKS_LIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_HEAD_SIGNS = 20
_CODE = re.compile(r"(\d{1,16})-([0-9A-Z-]{22,40})\Z")
_HASH = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Expected:
    """A head that somebody kept.

    Args:
        text: as it was given.
        start: the first signs of the hash (hex); 64 when it is whole.
        bits: how many bits of the hash are known.
        seq: the number of the entry; None when only the hash is known.
        seal: the whole seal, when that was given.
    """

    text: str
    value: int
    bits: int
    seq: int | None = None
    seal: dict[str, Any] | None = None

    def is_head(self, seq: int, digest: bytes) -> bool:
        """Return whether the line with this SHA-256 at this number is the one that was kept."""
        return self.seq in (None, seq) and int.from_bytes(digest) >> (256 - self.bits) == self.value


def short_code(head: Head) -> str:
    """Return a head as something to type: the number, then 100 bits of the hash and a check, in groups of five."""
    value = int(head.hash, 16) >> (256 - 5 * _HEAD_SIGNS)
    signs = "".join(_DIGITS[(value >> 5 * place) & 31] for place in reversed(range(_HEAD_SIGNS)))
    signs += _check(head.seq, signs)
    return f"{head.seq}-" + "-".join(signs[start : start + 5] for start in range(0, len(signs), 5))


def _check(seq: int, signs: str) -> str:
    digest = hashlib.sha256(f"{seq}-{signs}".encode()).digest()
    return _DIGITS[digest[0] & 31] + _DIGITS[digest[1] & 31]


def seal_statement(head: Head, project: str, at: str) -> dict[str, Any]:
    """Return what a seal says: that the chain of a project had this head, and so many entries, at this moment."""
    return {"form": FORM, "project": project, "seq": head.seq, "count": head.seq, "head": head.hash, "at": at}


def sealed(key: SigningKey, statement: dict[str, Any]) -> dict[str, Any]:
    """Return a seal: the statement, its short form, and the signature of a person or a machine."""
    code = short_code(Head(statement["seq"], statement["head"]))
    return {**statement, "code": code, "signed": key.sign("seal", statement)}


def expected_head(text: str) -> Expected:
    """Return the head that somebody kept: a SHA-256 in hex, the short form of a seal, or the file of a seal.

    Raises:
        UsageError: EVI-004 it is none of the three, or mistyped.
    """
    lower, upper = text.strip().lower(), text.strip().upper().translate(_LOOKS_LIKE)
    if _HASH.match(lower):
        return Expected(text, int(lower, 16), 256)
    code = _CODE.match(upper)
    if code is not None:
        return _of_code(text, int(code.group(1)), code.group(2).replace("-", ""))
    try:
        seal = json.loads(read_regular_file(Path(text)))
        if seal["form"] == FORM and _HASH.match(seal["head"]) and type(seal["seq"]) is int:
            return Expected(text, int(seal["head"], 16), 256, seal["seq"], seal)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise _mistyped("it is neither a head, nor the short form of one, nor the file of a seal")


def _of_code(text: str, seq: int, signs: str) -> Expected:
    known, check = signs[:_HEAD_SIGNS], signs[_HEAD_SIGNS:]
    if any(sign not in _DIGITS for sign in signs) or check != _check(seq, known):
        raise _mistyped("its check signs do not fit: a sign was mistyped")
    value = 0
    for sign in known:
        value = value << 5 | _DIGITS.index(sign)
    return Expected(text, value, 5 * _HEAD_SIGNS, seq)


def _mistyped(cause: str) -> UsageError:
    return UsageError(
        "EVI-004",
        f"the expected head cannot be used: {cause}",
        hint="Copy it from `omnicase evidence head`, from a seal, or name the file of a seal.",
        place="--expect-head",
    )
