"""What waits: entries of an invocation that could not reach the target, kept in a local file and chained later."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from casemodel import BugError
from migrate.evidence.outbox import append, knows
from migrate.evidence.recorder import Recorder
from runbooks import MACHINE, Happening, Origin, Trust, holds

PURPOSE: Final = "waiting"

_ID = re.compile(r"[0-9a-f]{32}\Z")


def keep(recorder: Recorder, told: Happening) -> None:
    """Add what happened to the file of what waits (OSError when it cannot be written)."""
    document = {"id": told.id, "kind": told.kind, "at": told.at, "what": told.what}
    document |= {"who": dict(recorder.origin.who), "where": dict(recorder.origin.where)}
    if recorder.signer is not None:
        document["signed"] = recorder.signer.sign(PURPOSE, document)
    text = json.dumps(document, sort_keys=True)
    with _opened(recorder.pending) as handle:
        os.write(handle, f"\n{text}\n".encode())
        os.fsync(handle)


def chain(connection: sa.Connection, recorder: Recorder) -> int:
    """Append what waits, each once and marked late, in the transaction; return how many lines there were.

    A line that is no entry (a crash tore it, or somebody wrote into the file) is told of by its digest, lest it hold up
    all that comes after it; so is one that the machine it says to come from would have signed, and did not.
    """
    lines = _lines(recorder.pending)
    for line in lines:
        read = _read(line, recorder.trust)
        told, origin = read or (_stray(line), recorder.origin)
        if knows(connection, told.id):
            continue
        try:
            append(connection, recorder, told, late=origin)
        except (BugError, ValueError, TypeError):
            append(connection, recorder, _stray(line), late=recorder.origin)
    return len(lines)


def forget(file: Path, count: int) -> None:
    """Empty the file once what waited is committed, unless more came meanwhile (that is chained once, by its id)."""
    with _opened(file) as handle:
        if len(_lines(file)) <= count:
            os.ftruncate(handle, 0)


def waiting(file: Path) -> int:
    """Return how many entries wait."""
    return len(_lines(file))


def _lines(file: Path) -> list[bytes]:
    return [line for line in file.read_bytes().split(b"\n") if line] if file.exists() else []


def _read(line: bytes, trust: Trust) -> tuple[Happening, Origin] | None:
    try:
        told = json.loads(line)
        if not _is_of_machine(told, trust):
            return None
        texts = (told["id"], told["kind"], told["at"])
        things = (told["what"], told["who"], told["where"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not all(isinstance(each, str) for each in texts) or not all(isinstance(each, dict) for each in things):
        return None
    if not _ID.match(told["id"]):
        return None
    return Happening(told["kind"], told["what"], told["at"], told["id"]), Origin("", told["who"], told["where"])


def _is_of_machine(told: dict[str, Any], trust: Trust) -> bool:
    """Return whether a machine that has a key signed what it says; one without a key cannot."""
    mine = [key for key in trust.of_person(str(told["where"].get("machine"))) if MACHINE in key.roles]
    bare = {name: value for name, value in told.items() if name != "signed"}
    signed = told.get("signed") or {}
    at = f"{str(told['at'])[:19]}Z"
    counting = [key for key in mine if key.state(at) == "valid"]
    return not counting or any(
        key.id == signed.get("key") and holds(key.public, PURPOSE, bare, signed.get("signature")) for key in counting
    )


def _stray(line: bytes) -> Happening:
    digest = hashlib.sha256(line).hexdigest()
    return Happening("torn", {"bytes": len(line), "sha256": digest, "of": "waiting"}, id=digest[:32])


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)
