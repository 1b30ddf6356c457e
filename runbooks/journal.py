"""The journal of one run of a runbook: lines of canonical JSON, chained by hash, only ever added to.

A line is written and synced before anything depends on it, so a run that is killed knows what it had begun.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import rfc8785

from casemodel import BrokenError, LockedError, SystemFailure

FILE: Final = "journal.jsonl"
_FIRST: Final = "0" * 64
_LOCK: Final = "running.lock"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal.

    Args:
        seq: from 1, without gaps.
        type: what happened, e.g. ``step-started``.
        at: UTC, as the machine said.
        person: who, as the runbook knows people; empty for the machine itself.
        os_user: the account under which the program ran.
        host: the machine.
        body: what belongs to the type.
        hash: SHA-256 of the line's bytes, in hexadecimal digits.
    """

    seq: int
    type: str
    at: str
    person: str
    os_user: str
    host: str
    body: Mapping[str, Any]
    hash: str


class Journal:
    """The journal in the folder of a run.

    Args:
        folder: ``reports/runbooks/RUN`` of the workspace.
        witness: told of each entry that was added: the evidence.
    """

    def __init__(self, folder: Path, witness: Callable[[Entry], None] | None = None) -> None:
        self.folder = folder
        self._file = folder / FILE
        self._witness = witness

    def entries(self) -> list[Entry]:
        """Return the entries so far.

        Raises:
            BrokenError: RBK-030 a line was changed, removed, added or moved (exit 8).
            SystemFailure: RBK-031 the journal cannot be read.
        """
        try:
            data = self._file.read_bytes()
        except OSError as error:
            raise SystemFailure(
                "RBK-031",
                f"the journal of the run cannot be read ({error.strerror or 'unknown reason'})",
                hint="Check the folder reports/runbooks/ and its rights.",
                place=f"{self.folder.name}/{FILE}",
            ) from None
        # A last line without its end was being written when the machine stopped: it never counted.
        return list(self._read(data[: data.rfind(b"\n") + 1]))

    def _read(self, data: bytes) -> Iterator[Entry]:
        before = _FIRST
        for number, line in enumerate(data.split(b"\n")[:-1], 1):
            try:
                found = json.loads(line)
                good = found["prev"] == before and found["seq"] == number and rfc8785.dumps(found) == line
                before = hashlib.sha256(line).hexdigest()
                entry = Entry(
                    number, found["type"], found["at"], found["person"], found["os_user"], found["host"], found["body"],
                    before,
                )  # fmt: skip
            except (ValueError, KeyError, TypeError, RecursionError):
                good = False
            if not good:
                raise BrokenError(
                    "RBK-030",
                    f"the journal of the run is broken: line {number} is not the one that was written after the one"
                    " before it",
                    hint="Restore the file from a copy. If there is none, begin a new run and write down why.",
                    place=f"{self.folder.name}/{FILE}:{number}",
                )
            yield entry

    def add(self, type: str, body: Mapping[str, Any], person: str = "") -> Entry:
        """Add an entry, synced to disk; another process may add at the same time.

        Raises:
            BrokenError: RBK-030 the journal is broken.
        """
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            data = self._file.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                os.ftruncate(handle, whole)
            last = list(self._read(data[:whole]))
            line = rfc8785.dumps(
                {
                    "seq": len(last) + 1,
                    "prev": last[-1].hash if last else _FIRST,
                    "type": type,
                    "at": now(),
                    "person": person,
                    "os_user": getpass.getuser(),
                    "host": socket.gethostname(),
                    "body": dict(body),
                }
            )
            left = line + b"\n"
            while left:    # a disk that is filling takes a part of it
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        entry = self.entries()[len(last)]
        if self._witness is not None:
            self._witness(entry)
        return entry

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold the run while its steps are done: one process at a time.

        Raises:
            LockedError: RBK-032 another process runs it (exit 7).
        """
        handle = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LockedError(
                    "RBK-032",
                    f"another process is doing the run {self.folder.name}",
                    hint="Look there, or see `omnicase runbook status`; a dead process holds nothing.",
                    place=self.folder.name,
                ) from None
            yield
        finally:
            os.close(handle)


def now() -> str:
    """Return the time as the journal writes it: UTC, to the microsecond."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def moment(text: str) -> datetime:
    """Return the time that the journal wrote."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
