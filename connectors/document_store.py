"""The content store: documents under the SHA-256 of their bytes, so that each content is kept once.

`sha256/ab/abcdef…` below a folder.  A content is written under another name, read again, and only then gets its name:
what has a name is complete and right, whenever a run was cut off.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from casemodel import SystemFailure

CHUNK = 1 << 20
_UNFINISHED = ".unfinished"
_LEFT_BEHIND = 24 * 3600
"""Seconds after which what is unfinished is nobody's any more."""


def reference(digest: str) -> str:
    """Return where a content lies in its store."""
    return f"sha256/{digest[:2]}/{digest}"


def digest_of(file: BinaryIO) -> tuple[str, int]:
    """Return the SHA-256 and the number of bytes of a file, from where it stands to its end."""
    digest, size = hashlib.sha256(), 0
    while block := file.read(CHUNK):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


class DocumentStore:
    """A folder of documents.

    Args:
        place: a folder, made when it is not there; only this user may enter it.

    Raises:
        SystemFailure: CON-077 from every method: it cannot be written, or what was written is not what was read.
    """

    def __init__(self, place: str | Path) -> None:
        folder = self._folder = Path(place)
        self._made: set[str] = set()
        self._lock = threading.Lock()
        self._written = 0
        with _writing(folder):
            for path in (folder, folder / "sha256", folder / _UNFINISHED):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in (folder / _UNFINISHED).iterdir():
                with suppress(OSError):
                    if left.stat().st_mtime < time.time() - _LEFT_BEHIND:
                        left.unlink()

    def has(self, digest: str, size: int) -> bool:
        """Tell whether a content is there, as far as its length says."""
        try:
            return (self._folder / reference(digest)).stat().st_size == size
        except OSError:
            return False

    def keep(self, digest: str, size: int, content: BinaryIO) -> None:
        """Keep a content, which is read from where it stands; nothing is written when it is there already."""
        if self.has(digest, size):
            return
        place = self._folder / reference(digest)
        unfinished = self._folder / _UNFINISHED / secrets.token_hex(16)
        try:
            with _writing(self._folder):
                self._make(place.parent)
                with unfinished.open("xb") as file:
                    while block := content.read(CHUNK):
                        file.write(block)
                with unfinished.open("rb") as file:
                    if digest_of(file) != (digest, size):
                        raise cut_short(self._folder.name)
                unfinished.rename(place)
        finally:
            unfinished.unlink(missing_ok=True)
        with self._lock:
            self._written += 1

    def settle(self) -> None:
        """Bring what was kept to the disk: records that refer to it may be committed now."""
        with self._lock:
            written, self._written = self._written, 0
        if written:
            # One for a whole batch: a hundred thousand small files, each brought to the disk alone, take minutes.
            os.sync()

    def _make(self, folder: Path) -> None:
        if folder.name not in self._made:
            folder.mkdir(mode=0o700, exist_ok=True)
            self._made.add(folder.name)


def cut_short(place: str) -> SystemFailure:
    """Return the error for a content that is not what was read."""
    return SystemFailure(
        "CON-077",
        "a document was not written as it was read: it changed meanwhile, or the disk fails",
        hint="Wait until nobody writes to the documents, check the disk, and run again.",
        place=place.rpartition("/")[2],
    )


def not_kept(place: str) -> SystemFailure:
    """Return the error for a store that cannot be written."""
    return SystemFailure(
        "CON-077",
        "documents cannot be written to the content store",
        hint="Free space, ask for the right to write, or name another folder as documents: in workspace.yml.",
        place=place.rpartition("/")[2],
    )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn an error of the disk into one that names the remedy."""
    try:
        yield
    except OSError:
        raise not_kept(folder.name) from None
