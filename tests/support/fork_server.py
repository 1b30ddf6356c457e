"""Real processes of the command line without the seconds of its imports: a process that imported them forks.

Each is a process of its own that can be killed, stopped and watched; only its start is cheaper than a person's.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from command_line import ROOT, Answer, CommandLine

IMPORTED = ("migrate.cli.run", "migrate.running.run", "migrate.session", "psycopg", "psycopg.types.json", "adbc_driver_sqlite.dbapi",
            "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite")
"""What a run imports at some time."""
SECONDS = 120
"""So long a process may take before a test fails."""


@dataclass
class Running:
    """A process of the command line that may still run."""

    server: ForkServer
    pid: int
    folder: Path
    _status: int | None = field(default=None)

    def stopped(self) -> bool:
        """Wait until it is stopped by a failpoint, or has ended; return whether it is stopped."""
        for _ in range(SECONDS * 200):
            letter = _letter(self.pid)
            if letter in "TtZX":
                return letter in "Tt"
            time.sleep(0.005)
        raise AssertionError("it neither stopped nor ended")

    def go_on(self) -> None:
        """Let it go on from where it was stopped."""
        os.kill(self.pid, signal.SIGCONT)

    def told(self, text: str) -> None:
        """Wait until it says something on standard error, or has ended."""
        err = self.folder / "err"    # not there before the process has begun
        for _ in range(SECONDS * 200):
            if (err.exists() and text in err.read_text()) or _letter(self.pid) in "ZX":
                return
            time.sleep(0.005)

    def kill_after(self, seconds: float) -> None:
        """Kill it after so many seconds, if it still runs."""
        time.sleep(seconds)
        if _letter(self.pid) not in "ZX":
            os.kill(self.pid, signal.SIGKILL)

    def answer(self) -> Answer:
        """Wait for its end and return what it gave; the status is negative where a signal ended it."""
        out, err = (self.folder / name for name in ("out", "err"))
        status = self.server.wait(self.pid)
        return Answer(status, out.read_text(), err.read_text())


def _letter(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


class ForkServer:
    """Starts processes of the command line.

    Args:
        folder: where what they say is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0
        found = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
        environment = CommandLine.environment({"POLARS_MAX_THREADS": "1", "PYTHONPATH": found})
        self._server = subprocess.Popen(
            [sys.executable, "-P", __file__], env=environment, cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )

    def start(self, *arguments: str | Path, env: Mapping[str, str] | None = None, most_bytes: int = 0) -> Running:
        """Start one.

        Args:
            most_bytes: no file may grow beyond it, as on a full disk; 0 for no limit.
        """
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        asked = {"arguments": [str(each) for each in arguments], "env": dict(env or {}), "folder": str(folder),
                 "most_bytes": most_bytes}
        return Running(self, int(self._ask({"start": asked})), folder)

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None, most_bytes: int = 0) -> Answer:
        """Start one and wait for its end."""
        return self.start(*arguments, env=env, most_bytes=most_bytes).answer()

    def wait(self, pid: int) -> int:
        """Wait for the end of one and return its status."""
        return int(self._ask({"wait": pid}))

    def _ask(self, question: dict[str, Any]) -> str:
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(question) + "\n")
        self._server.stdin.flush()
        return self._server.stdout.readline()

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()


def _serve() -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    from migrate.cli import main

    # Polars' workers start at the first query; what it starts at import only cleans up.
    assert threading.active_count() == 1, "a thread would not live on in what is forked"
    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            _, status = os.waitpid(question["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            _run(main, **question["start"])
        print(pid, flush=True)


def _run(main: Any, arguments: list[str], env: dict[str, str], folder: str, most_bytes: int) -> None:
    status = 1
    try:
        os.environ.update(env)
        for number, name in ((0, "in"), (1, "out"), (2, "err")):
            file = os.open(Path(folder) / name, os.O_RDWR | os.O_CREAT, 0o600)
            os.dup2(file, number)
            os.close(file)
        if most_bytes:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        status = main(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


@contextlib.contextmanager
def fork_server(folder: Path) -> Iterator[ForkServer]:
    """Have a server while it lasts."""
    folder.mkdir()
    server = ForkServer(folder)
    try:
        yield server
    finally:
        server.close()


if __name__ == "__main__":
    _serve()
