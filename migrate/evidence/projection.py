"""The file of the evidence: a projection of the outbox, only added to, and whole again after any crash."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from migrate.ledger.evidence_tables import OUTBOX
from migrate.ledger.store import table
from runbooks import Happening, Head, last_line, line_hash, parsed

_PAGE = 1_000


def project(connection: sa.Connection, file: Path) -> tuple[bool, Happening | None]:
    """Append to the file what the outbox has beyond it.

    A line that a crash tore is made whole; what is no beginning of the outbox's next line is cut, and told of.

    Returns:
        Whether the file is the outbox's projection (False: it holds something else, and nothing was written), and what
        was cut.

    Raises:
        OSError: the file cannot be written.
    """
    with _opened(file) as handle:
        last = last_line(file)
        head = Head() if last is None else _head_of(last)
        if head is None or not _is_of(connection, head):
            return False, None
        cut = _mend(connection, handle, file, head)
        kept = table(connection, OUTBOX)
        while True:
            page = sa.select(kept.c.seq, kept.c.line).where(kept.c.seq > head.seq).order_by(kept.c.seq).limit(_PAGE)
            rows = connection.execute(page).all()
            if not rows:
                break
            _write(handle, "".join(f"{row.line}\n" for row in rows).encode())
            head = Head(rows[-1].seq)
        os.fsync(handle)
        return True, cut


def stands_in(file: Path, head: Head) -> bool:
    """Return whether the line of a number has this hash in the file."""
    with file.open("rb") as lines:
        for line in lines:
            entry = parsed(line[:-1])
            if entry is not None and entry["seq"] == head.seq:
                return line_hash(line[:-1]) == head.hash
    return False


def _head_of(line: bytes) -> Head | None:
    entry = parsed(line)
    return None if entry is None else Head(entry["seq"], line_hash(line))


def _is_of(connection: sa.Connection, head: Head) -> bool:
    """Return whether the outbox has the file's last entry, or goes on behind it."""
    kept = table(connection, OUTBOX)
    same = connection.scalar(sa.select(kept.c.hash).where(kept.c.seq == head.seq))
    if same is not None:
        return bool(same == head.hash)
    following = connection.scalar(sa.select(kept.c.line).where(kept.c.seq > head.seq).order_by(kept.c.seq).limit(1))
    entry = None if following is None else parsed(following.encode())
    return entry is not None and entry["prev"] == head.hash


def _mend(connection: sa.Connection, handle: int, file: Path, head: Head) -> Happening | None:
    """Make the last line whole, or cut what no line begins with."""
    size = os.fstat(handle).st_size
    whole = _end_of_lines(file, size)
    if whole == size:
        return None
    torn = os.pread(handle, size - whole, whole)
    kept = table(connection, OUTBOX)
    following = connection.scalar(sa.select(kept.c.line).where(kept.c.seq > head.seq).order_by(kept.c.seq).limit(1))
    if following is not None and f"{following}\n".encode().startswith(torn):
        os.ftruncate(handle, whole)
        return None
    os.ftruncate(handle, whole)
    return Happening("torn", {"bytes": len(torn), "sha256": hashlib.sha256(torn).hexdigest(), "after": head.seq})


def _end_of_lines(file: Path, size: int) -> int:
    """Return where the last whole line ends."""
    with file.open("rb") as opened:
        end = size
        while end > 0:
            start = max(0, end - 65_536)
            opened.seek(start)
            found = opened.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    """Open the file for adding, private, never through a link, and keep other processes out."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    made = not file.exists()
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if made:
            _keep_name(file.parent)
        yield handle
    finally:
        os.close(handle)


def _keep_name(folder: Path) -> None:
    """Let the name of a new file outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
