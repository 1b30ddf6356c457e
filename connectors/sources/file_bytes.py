"""The bytes of a file: opened safely, decoded as far as needed to find records, with what is true of all of it."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from casemodel import Place, SystemFailure

CHUNK = 4 << 20
MAX_FIELD = 1_000_000
MAX_RECORD = 10_000_000
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Bytes:
    """A file and how its bytes are read: ``skip`` bytes of byte order mark, then text in ``encoding``.

    UTF-16 and UTF-32 are turned into UTF-8 while reading, so that everything after sees an encoding in which ASCII is
    ASCII.
    """

    path: Path
    state: tuple[int, ...]
    encoding: str
    skip: int

    @property
    def wide(self) -> bool:
        """Tell whether the bytes that `blocks` gives are not the file's own."""
        return self.encoding.startswith(("utf-16", "utf-32"))

    @property
    def text_encoding(self) -> str:
        """The encoding of the bytes that `blocks` gives."""
        return "utf-8" if self.wide else self.encoding


def look_at(path: Path, declared: str) -> Bytes:
    """Open a file once to see that it can be read and whether a byte order mark overrules the declared encoding."""
    with _opened(path) as fd:
        head = _read(fd, 0, path)
        state = _state(os.fstat(fd))
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return Bytes(path, state, encoding, len(mark))
    if not declared.startswith(("utf-16", "utf-32")) and head.count(0) > len(head) // 5:
        raise SystemFailure(
            "CON-038",
            f"the file is not {declared} text: more than a fifth of its first bytes are NUL",
            hint="It may be UTF-16 without a byte order mark (encoding: utf-16-le) or no text at all.",
            place=path.name,
        )
    wide = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
    return Bytes(path, state, wide.get(declared, declared), 0)


def look_at_any(path: Path) -> Bytes:
    """Open a file that is no text once to see that it can be read; `blocks` has no meaning for it."""
    with _opened(path) as fd:
        return Bytes(path, _state(os.fstat(fd)), "", 0)


def blocks(source: Bytes, start: int = 0) -> Iterator[bytes]:
    """Yield the text bytes from an offset (in these bytes) on, about `CHUNK` at a time."""
    with _opened(source.path) as fd:
        if not source.wide:
            offset = source.skip + start
            while block := _read(fd, offset, source.path):
                offset += len(block)
                yield block
            return
        decoder = codecs.getincrementaldecoder(source.encoding)("surrogatepass")
        offset, done = source.skip, 0
        while True:
            block = _read(fd, offset, source.path)
            offset += len(block)
            try:
                text = decoder.decode(block, final=not block).encode("utf-8", "surrogatepass")
            except UnicodeDecodeError:
                raise SystemFailure(
                    "CON-037",
                    f"the bytes up to {offset:,} are not {source.encoding}",
                    hint="Check how the file was written; it may be cut off.",
                    place=source.path.name,
                ) from None
            done += len(text)
            if done > start and text:
                yield text[max(len(text) - (done - start), 0) :]
            if not block:
                return


def raw_blocks(source: Bytes) -> Iterator[bytes]:
    """Yield the file's own bytes, for its digest."""
    with _opened(source.path) as fd:
        offset = 0
        while block := _read(fd, offset, source.path):
            offset += len(block)
            yield block


def check_unchanged(source: Bytes) -> None:
    """Raise CON-018 when the file is another one, or changed, since it was looked at."""
    try:
        same = _state(source.path.stat()) == source.state
    except OSError:
        raise SystemFailure(
            "CON-010",
            "the file disappeared during the run",
            hint="Bring it back and run again.",
            place=source.path.name,
        ) from None
    if not same:
        raise changed(source.path)


def changed(path: Path) -> SystemFailure:
    """Return the error for a file that changed while it was used."""
    return SystemFailure(
        "CON-018",
        "the file changed during the run",
        hint="What is committed stays; wait until the delivery is complete and run again.",
        place=path.name,
    )


def line_ends(data: bytes) -> int:
    """Count line ends: CR LF, LF and CR."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def never_closed(path: Path, line: int) -> SystemFailure:
    """Return the error for a quote that swallows the rest of a file."""
    return SystemFailure(
        "CON-034",
        f"the quote opened at line {line} is never closed",
        hint="Correct the line in the delivery, or check the settings quote and delimiter.",
        place=Place(path.name, line),
    )


def too_large(path: Path, line: int) -> SystemFailure:
    """Return the error for a record or field beyond the limits."""
    return SystemFailure(
        "CON-035",
        f"the record at line {line} is larger than {MAX_RECORD:,} bytes, or a field of it than {MAX_FIELD:,}",
        hint="Check the settings quote and delimiter, and whether the file has line ends.",
        place=Place(path.name, line),
    )


def _state(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _read(fd: int, offset: int, path: Path) -> bytes:
    try:
        return os.pread(fd, CHUNK, offset)
    except OSError:
        raise SystemFailure(
            "CON-012",
            f"the file could not be read beyond byte {offset:,}",
            hint="Check the disk or the network share, and run again.",
            place=path.name,
        ) from None


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        # Non-blocking, since opening a pipe that nobody writes to would wait for ever.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise SystemFailure("CON-010", "the file does not exist", hint="Check the path.", place=path.name) from None
    except OSError:
        raise SystemFailure(
            "CON-012", "the file may not be read", hint="Ask for the right to read it.", place=path.name
        ) from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise SystemFailure(
                "CON-011", "the source is a folder, pipe or device, not a file", hint="Name a file.", place=path.name
            )
        yield fd
    finally:
        os.close(fd)
