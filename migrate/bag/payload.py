"""What the payload of a bag is made of: content of our own, and files that are copied as a stream."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from casemodel import SystemFailure

CHUNK: Final = 1 << 20
_LARGEST: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the workspace as it was found: reports and evidence may be larger than the memory.

    Args:
        size: how many bytes of it belong to the bag; what was appended meanwhile does not.
        sha256: of these bytes (hex).
    """

    file: Path
    size: int
    sha256: str


Payload = bytes | Kept


def size_of(payload: Payload) -> int:
    """Return how many bytes a part of the payload has."""
    return payload.size if isinstance(payload, Kept) else len(payload)


def chunks_of(payload: Payload) -> Iterator[bytes]:
    """Yield the bytes of a part of the payload.

    Raises:
        SystemFailure: BAG-007 the file is not what it was when it was looked at (exit 5).
    """
    if not isinstance(payload, Kept):
        yield payload
        return
    digest = hashlib.sha256()
    for chunk in _chunks(payload.file, payload.size):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != payload.sha256:
        raise _changed(payload.file)


def kept(file: Path) -> Kept | None:
    """Return a regular file as it is now; None when it cannot be read: a link, pipe or device is not waited for."""
    try:
        handle = _opened(file)
    except OSError:
        return None
    with os.fdopen(handle, "rb"):
        facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
        return None
    digest = hashlib.sha256()
    try:
        for chunk in _chunks(file, facts.st_size):
            digest.update(chunk)
    except (OSError, SystemFailure):
        return None
    return Kept(file, facts.st_size, digest.hexdigest())


def _chunks(file: Path, size: int) -> Iterator[bytes]:
    left = size
    with os.fdopen(_opened(file), "rb") as stream:
        while left > 0:
            chunk = stream.read(min(CHUNK, left))
            if not chunk:
                raise _changed(file)
            left -= len(chunk)
            yield chunk


def _opened(file: Path) -> int:
    return os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)


def _changed(file: Path) -> SystemFailure:
    return SystemFailure(
        "BAG-007",
        "the file was changed while the bag was made, and nothing was written",
        hint="Export when nothing else runs in the workspace.",
        place=file.name,
    )
