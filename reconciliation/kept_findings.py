"""All findings of a reconciliation, in a file without a name, so that memory stays bounded however many there are."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from casemodel import SystemFailure

Line = tuple[str, tuple[str, ...], str | None, str | None]
"""What tells one finding from the others of its group: id, key, expected, found; as it may be shown."""
_AT_ONCE = 2_000
"""Lines turned into bytes at once."""
_BLOCK = 1 << 18


class Part(NamedTuple):
    """A stretch of the file: where it begins and how many bytes it has."""

    start: int
    size: int


class KeptFindings:
    """The file; it has no name, so that nothing stays behind when the program is killed.

    Args:
        folder: where the file lies; a disk that takes the reports takes it too.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = tempfile.TemporaryFile(dir=folder, prefix=".findings-")  # noqa: SIM115  (closed by `close`)
        except OSError as error:
            raise _failure(error) from None
        self._end = 0

    def __enter__(self) -> KeptFindings:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go; what was kept cannot be read any more."""
        self._file.close()

    def keep(self, lines: Iterable[Line]) -> Part:
        """Write findings at the end of the file and return where they are.

        Raises:
            SystemFailure: REC-003 the disk is full.
        """
        start, waiting = self._end, []
        try:
            self._file.seek(start)
            for line in lines:
                waiting.append(json.dumps(line, ensure_ascii=False))
                if len(waiting) == _AT_ONCE:
                    self._put(waiting)
                    waiting = []
            self._put(waiting)
        except OSError as error:
            raise _failure(error) from None
        return Part(start, self._end - start)

    def read(self, parts: Sequence[Part]) -> Iterator[Line]:
        """Yield what was kept in these parts, in the order of the parts."""
        for place, size in parts:
            stop = place + size
            while place < stop:
                self._file.seek(place)
                # `readlines` stops when it has more bytes than asked for, at the end of a line; a part ends there too.
                for text in self._file.readlines(min(_BLOCK, stop - place) - 1):
                    place += len(text)
                    name, key, expected, found = json.loads(text)
                    yield name, tuple(key), expected, found

    def _put(self, texts: list[str]) -> None:
        if texts:
            content = ("\n".join(texts) + "\n").encode("utf-8", "surrogatepass")
            self._file.write(content)
            self._end += len(content)


def _failure(error: OSError) -> SystemFailure:
    return SystemFailure(
        "REC-003",
        f"the findings cannot be kept ({error.strerror or 'unknown reason'})",
        hint="Check that reports/ may be written to and that the disk has room, then reconcile again.",
        place="reports",
    )
