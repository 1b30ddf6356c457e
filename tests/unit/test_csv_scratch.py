"""Scratch folders: for this user alone, gone at the end, and gone after a crash as well."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from connectors.scratch import Scratch

HOLD = """
from connectors.scratch import Scratch
scratch = Scratch()
(scratch.folder / "persoonsgegevens").write_text("x")
print(scratch.folder, flush=True)
input()
"""


def hold(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_uses_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (killed, left), (living, used) = hold(tmp_path), hold(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert (left / "persoonsgegevens").exists()
    mine = Scratch()
    assert mine.folder.stat().st_mode & 0o777 == 0o700
    assert not left.exists()
    assert (used / "persoonsgegevens").exists()
    living.communicate("\n")
    assert living.returncode == 0
    assert not used.exists()
    mine.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_only_when_needed_and_again_after_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch = Scratch()
    scratch.close()
    assert list(tmp_path.iterdir()) == []
    first = scratch.folder
    assert scratch.folder == first
    scratch.close()
    assert scratch.folder.is_dir()
    scratch.close()
