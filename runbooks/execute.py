"""One command of a step: a process group of its own, a time after which it is killed, its output kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from runbooks.mask import Mask

TIMED_OUT: Final = 124
"""The exit status that is noted for a command that was killed since its time was over, as timeout(1) has it."""
_MOST_BYTES: Final = 50_000_000
_GRACE_SECONDS: Final = 15.0
_LINE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit status (128 + the signal that ended it), and whether its time was over."""

    exit_status: int
    timed_out: bool


class Log:
    """The file of a step's output: private, never following a link, masked line by line, hashed as it grows.

    Args:
        file: is made; must not be there yet.
        mask: what masks each line.
        echo: told each line as it was kept.
    """

    def __init__(self, file: Path, mask: Mask, echo: Callable[[str], None]) -> None:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._out: IO[bytes] = os.fdopen(handle, "wb")
        self._mask, self._echo = mask, echo
        self._hash = hashlib.sha256()
        self._bytes = 0

    def line(self, text: str) -> None:
        """Keep a line; beyond 50 MB none is kept, and the file says so."""
        shown = self._mask.line(text)
        self._echo(shown)
        self._keep(shown)

    def _keep(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace") + b"\n"
        if self._bytes <= _MOST_BYTES:
            self._bytes += len(data)
            if self._bytes > _MOST_BYTES:
                data = b"(the rest was not kept: more than 50 MB)\n"
            self._out.write(data)
            self._hash.update(data)

    def close(self) -> str:
        """Sync the file and return its SHA-256 in hexadecimal digits."""
        if not self._out.closed:
            self._out.flush()
            os.fsync(self._out.fileno())
            self._out.close()
        return self._hash.hexdigest()


def execute(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    log: Log,
    began: Callable[[int], None],
) -> Ended:
    """Run a command to its end; never through a shell, without a terminal, with nothing on its standard input.

    Args:
        command: program and arguments.
        folder: its current folder.
        environment: all of its environment.
        seconds: after this long its whole process group is asked to stop, and killed when it does not.
        began: told the process number as soon as there is one.
    """
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        began(process.pid)
        timed_out = not _follow(process, time.monotonic() + seconds, log)
        if timed_out:
            log.line(f"(stopped: the {seconds:.0f} seconds of the step are over)")
            _end_group(process)
        status = process.wait()
        return Ended(TIMED_OUT if timed_out else status if status >= 0 else 128 - status, timed_out)
    except BaseException:
        # Interrupted: the command gets the chance to commit what it has in hand.
        _end_group(process, first=signal.SIGINT)
        raise
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdout is not None:
            process.stdout.close()


def _follow(process: subprocess.Popen[bytes], deadline: float, log: Log) -> bool:
    """Keep what the process prints until it ends; False when the deadline comes first."""
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            # Something that the command left behind may hold the pipe open: look at the process itself too.
            ready = selector.select(min(left, 1.0))
            data = os.read(process.stdout.fileno(), _LINE) if ready else b""
            if data:
                *lines, rest = (rest + data).split(b"\n")
                _keep(lines, log)
                if len(rest) > _LINE:
                    _keep([rest], log)
                    rest = b""
            elif ready or process.poll() is not None:
                _keep([rest] if rest else [], log)
                return _ended_before(process, deadline)


def _keep(lines: Sequence[bytes], log: Log) -> None:
    for line in lines:
        # A bar of progress writes over its own line: the last form of it is what stays.
        log.line(line.decode("utf-8", "backslashreplace").rstrip("\r").rpartition("\r")[2])


def _ended_before(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(deadline - time.monotonic(), 0.01))
    except subprocess.TimeoutExpired:
        return False
    return True


def _end_group(process: subprocess.Popen[bytes], first: signal.Signals = signal.SIGTERM) -> None:
    for number in (first, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
            os.killpg(process.pid, signal.SIGCONT)  # one that was stopped hears nothing else
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(_GRACE_SECONDS)
            return


def started_ticks(pid: int) -> int | None:
    """Return when a process started, in ticks since the machine did; None when there is none, or it cannot be told.

    A number of a process is given again: number and start together are one process.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def cleaned(environment: Mapping[str, str], also: Iterator[str] | Sequence[str] = ()) -> dict[str, str]:
    """Return what a command may see of an environment: a list of what it needs, so that nothing else reaches it.

    Args:
        also: further names, such as those that workspace.yml reads.
    """
    names = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR",
             "DBUS_SESSION_BUS_ADDRESS", "POLARS_MAX_THREADS", "SSL_CERT_FILE", "SSL_CERT_DIR", *also}  # fmt: skip
    kept = {
        name: value
        for name, value in environment.items()
        if name in names or name.startswith(("LC_", "OMNICASE_", "PGSSL", "PYTHON_KEYRING_", "TNS_", "ORA"))
    }
    return {name: value for name, value in kept.items() if "PASSPHRASE" not in name} | {"PYTHONUNBUFFERED": "1"}
