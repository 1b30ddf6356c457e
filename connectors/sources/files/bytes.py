"""The bytes of a file: opened safely, unpacked, decoded as far as needed to find records.

A compressed file, or a member of an archive, is a file like every other to those who use these functions.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from casemodel import Place, SystemFailure
from connectors.scratch import writing
from connectors.sources.files.packed import Limits, Packed, form_of, nested, packed_in, unpacked

CHUNK = 4 << 20
_SMALL = 1 << 16
"""Bytes for which no thread is started."""
MAX_FIELD = 1_000_000
MAX_RECORD = 10_000_000
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Named(Protocol):
    """What has a name to be shown: a path, or the bytes of a file."""

    @property
    def name(self) -> str:
        """The name of the file."""
        ...


class Recoding(Protocol):
    """Makes text of bytes that are none, or in which ASCII is not ASCII."""

    @property
    def encoding(self) -> str:
        """The encoding of the text."""
        ...

    def blocks(self, found: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the text of blocks of bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Bytes:
    """A file and how its bytes are read: ``skip`` bytes of byte order mark, then text in ``encoding``.

    UTF-16 and UTF-32 are turned into UTF-8 while reading, so that everything after sees an encoding in which ASCII is
    ASCII; what else is not text becomes it by a ``recoding``.  ``path`` is the file on disk; ``packed`` says which
    compressed content of it is meant, if any.
    """

    path: Path
    state: tuple[int, ...]
    encoding: str = "binary"
    skip: int = 0
    packed: Packed | None = None
    recoding: Recoding | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The file's name, of a member ``archive.zip!member``: what errors and the column ``_file`` show."""
        member = self.packed.member if self.packed else ""
        return f"{self.path.name}!{member}" if member else self.path.name

    @property
    def wide(self) -> bool:
        """Tell whether the bytes that `blocks` gives are not the file's own."""
        return self.recoding is not None or self.encoding.startswith(("utf-16", "utf-32"))

    @property
    def text_encoding(self) -> str:
        """The encoding of the bytes that `blocks` gives."""
        if self.recoding is not None:
            return self.recoding.encoding
        return "utf-8" if self.wide else self.encoding


def contents(path: Path, limits: Limits | None = None, members: str = "*") -> tuple[Bytes, ...]:
    """Open a file once to see what it holds: itself, what is compressed in it, or the members of an archive.

    Args:
        path: the file.
        limits: how far it may grow when it is compressed.
        members: pattern for the names of members.

    Raises:
        SystemFailure: CON-010 to CON-012 it cannot be read, CON-070 to CON-074 not unpacked (exit 5).
    """
    with _opened(path) as fd:
        _read(fd, 0, path)
        state = _state(os.fstat(fd))
        found = packed_in(fd, path.name, limits or Limits())
    if found is None:
        return (Bytes(path, state),)
    chosen = [packed for packed in found if fnmatchcase(packed.member, members)]
    if not chosen:
        raise SystemFailure(
            "CON-074",
            "no member of the archive answers to the relation's setting files",
            hint=f"Check the archive and the pattern behind the exclamation mark, {members}.",
            place=path.name,
        )
    return tuple(Bytes(path, state, packed=packed) for packed in chosen)


def look_at(path: Path, declared: str) -> Bytes:
    """Open a file that holds one text to see that it can be read and how: see `as_text`."""
    found = contents(path)
    if len(found) > 1:
        raise SystemFailure(
            "CON-074",
            f"the archive holds {len(found):,} members where one is expected",
            hint="Ask for an archive with one file.",
            place=path.name,
        )
    return as_text(found[0], declared)


def as_text(content: Bytes, declared: str) -> Bytes:
    """Return a content as text in the declared encoding, unless a byte order mark overrules it.

    Raises:
        SystemFailure: CON-038 it is no such text, CON-070 to CON-072 it cannot be unpacked (exit 5).
    """
    head = next(raw_blocks(content), b"")
    if content.packed is not None and (form := form_of(head)) is not None:
        raise nested(content.name, form)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return replace(content, encoding=encoding, skip=len(mark))
    workbook = form_of(head) == "zip"
    if workbook or (not declared.startswith(("utf-16", "utf-32")) and head.count(0) > len(head) // 5):
        raise SystemFailure(
            "CON-038",
            f"the file is not {declared} text: "
            + ("it is a workbook or another document" if workbook else "more than a fifth of its first bytes are NUL"),
            hint="It may be UTF-16 without a byte order mark (encoding: utf-16-le) or no text at all.",
            place=content.name,
        )
    wide = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
    return replace(content, encoding=wide.get(declared, declared), skip=0)


def look_at_any(path: Path) -> Bytes:
    """Open a file that is no text once to see that it can be read; `blocks` has no meaning for it."""
    with _opened(path) as fd:
        return Bytes(path, _state(os.fstat(fd)), "", 0)


def blocks(source: Bytes, start: int = 0) -> Iterator[bytes]:
    """Yield the text bytes from an offset (in these bytes) on, about `CHUNK` at a time."""
    if not source.wide:
        yield from raw_blocks(source, source.skip + start)
        return
    if source.recoding is not None:
        for block in source.recoding.blocks(raw_blocks(source, source.skip)):
            if start < len(block):
                yield block[start:]
            start = max(start - len(block), 0)
        return
    decoder = codecs.getincrementaldecoder(source.encoding)("surrogatepass")
    following = raw_blocks(source, source.skip)
    offset, done = source.skip, 0
    while True:
        block = next(following, b"")
        offset += len(block)
        try:
            text = decoder.decode(block, final=not block).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise SystemFailure(
                "CON-037",
                f"the bytes up to {offset:,} are not {source.encoding}",
                hint="Check how the file was written; it may be cut off.",
                place=source.name,
            ) from None
        done += len(text)
        if done > start and text:
            yield text[max(len(text) - (done - start), 0) :]
        if not block:
            return


def raw_blocks(source: Bytes, start: int = 0) -> Iterator[bytes]:
    """Yield the file's own bytes, unpacked, from an offset on: for its digest, or for who reads no text."""
    with _opened(source.path) as fd:
        if source.packed is None:
            offset = start
            while block := _read(fd, offset, source.path):
                offset += len(block)
                yield block
            return
        # Behind a change its own offsets would point elsewhere.
        if _state(os.fstat(fd)) != source.state:
            raise changed(source.path)
        done = 0
        for block in unpacked(fd, source.packed, source.name, CHUNK):
            done += len(block)
            if done > start:
                yield block[max(len(block) - (done - start), 0) :]


def added(found: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    """Yield blocks that are added to a digest, each by a thread beside who uses it."""
    with ThreadPoolExecutor(1) as thread:
        for block in found:
            if len(block) < _SMALL:
                digest.update(block)
                yield block
                continue
            adding = thread.submit(digest.update, block)
            yield block
            adding.result()


def on_disk(source: Bytes, folder: Path) -> Path:
    """Return a path with the file's bytes, for readers that want a path: its own, or a copy unpacked into a folder.

    Raises:
        SystemFailure: CON-023 no room for the copy; as `raw_blocks`.
    """
    if source.packed is None:
        return source.path
    unpacked_to = folder / f"unpacked{len(list(folder.glob('unpacked*')))}"
    with writing(), unpacked_to.open("xb") as file:
        for block in raw_blocks(source):
            file.write(block)
    return unpacked_to


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


def changed(file: Named) -> SystemFailure:
    """Return the error for a file that changed while it was used."""
    return SystemFailure(
        "CON-018",
        "the file changed during the run",
        hint="What is committed stays; wait until the delivery is complete and run again.",
        place=file.name,
    )


def line_ends(data: bytes) -> int:
    """Count line ends: CR LF, LF and CR."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def never_closed(file: Named, line: int) -> SystemFailure:
    """Return the error for a quote that swallows the rest of a file."""
    return SystemFailure(
        "CON-034",
        f"the quote opened at line {line} is never closed",
        hint="Correct the line in the delivery, or check the settings quote and delimiter.",
        place=Place(file.name, line),
    )


def too_large(file: Named, line: int) -> SystemFailure:
    """Return the error for a record or field beyond the limits."""
    return SystemFailure(
        "CON-035",
        f"the record at line {line} is larger than {MAX_RECORD:,} bytes, or a field of it than {MAX_FIELD:,}",
        hint="Check the settings quote and delimiter, and whether the file has line ends.",
        place=Place(file.name, line),
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
