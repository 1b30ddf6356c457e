"""What waits: entries of an invocation that could not reach the target, kept in a local file and chained later."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from migrate.evidence.outbox import append, knows
from migrate.evidence.recorder import Recorder
from runbooks import Happening, Origin


def keep(recorder: Recorder, told: Happening) -> None:
    """Add what happened to the file of what waits (OSError when it cannot be written)."""
    document = {"id": told.id, "kind": told.kind, "at": told.at, "what": told.what}
    origin = {"who": recorder.origin.who, "where": recorder.origin.where}
    text = json.dumps(document | origin, sort_keys=True)
    with _opened(recorder.pending) as handle:
        os.write(handle, f"\n{text}\n".encode())
        os.fsync(handle)


def chain(connection: sa.Connection, recorder: Recorder) -> int:
    """Append what waits, each once and marked late, in the transaction; return how much waited."""
    found = list(_waiting(recorder.pending))
    for told, who, where in found:
        if not knows(connection, told.id):
            append(connection, recorder, told, late=Origin("", who, where))
    return len(found)


def forget(file: Path, count: int) -> None:
    """Empty the file once what waited is committed, unless more came meanwhile (that is chained once, by its id)."""
    with _opened(file) as handle:
        if len(list(_waiting(file))) <= count:
            os.ftruncate(handle, 0)


def waiting(file: Path) -> int:
    """Return how many entries wait."""
    return len(list(_waiting(file)))


def _waiting(file: Path) -> Iterator[tuple[Happening, dict[str, str], dict[str, str]]]:
    """Yield what waits; a line that a crash tore tells of a command that was killed before it had ended."""
    if not file.exists():
        return
    for line in file.read_bytes().splitlines():
        try:
            told = json.loads(line)
            yield Happening(told["kind"], told["what"], told["at"], told["id"]), told["who"], told["where"]
        except (ValueError, KeyError, TypeError):
            continue


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)
