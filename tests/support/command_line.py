"""The command line: in this process, or in one of its own where the process itself is what is tested."""

from __future__ import annotations

import gc
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """What one invocation of the command line gave."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, read as one JSON document."""
        return json.loads(self.out)


class CommandLine:
    """Runs ``omnicase``: in this process, which spares the seconds of a start, or spawned as a person would."""

    def __call__(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Answer:
        return in_process(*arguments, env=env)

    def spawn(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout: float = 300,
    ) -> Answer:
        """Run ``omnicase`` in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "migrate", *map(str, arguments)],
            cwd=cwd,
            env=self.environment(env),
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    @staticmethod
    def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return this process's environment without settings of omnicase and of the tests, with the clone on the module path."""
        ours = ("OMNICASE_", "POLARS_MAX_THREADS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        # Keys of machines that `demo` and `init` make go into no home of anybody; one folder, since workspaces are copied.
        config = Path(tempfile.gettempdir()) / f"omnicase-tests-{os.getuid()}"
        return kept | {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(config)} | dict(extra or {})


def in_process(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Answer:
    """Run the command line in this process: the same door and the same answers, without the seconds of a start."""
    from migrate.cli import main

    assert "OMNICASE_FAILPOINT" not in dict(env or {}), "a failpoint kills its process: spawn one"
    # A test's own connection that nobody closed is in a cycle; closed in the midst of a run it would drop the run's locks.
    gc.collect(1)
    out, err = io.StringIO(), io.StringIO()
    plain = CommandLine.environment(env)
    with mock.patch.dict(os.environ, plain, clear=True), redirect_stdout(out), redirect_stderr(err):
        status = main([str(argument) for argument in arguments])
    return Answer(status, out.getvalue(), err.getvalue())
