"""Locale, time zone, hash seed and umask of the machine change nothing that is written (C16)."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from command_line import ROOT, CommandLine
from targets import assert_same_target
from tiny_workspace import make_workspace

ELSEWHERE = {
    "LC_ALL": "tr_TR.UTF-8",
    "LANG": "C",
    "TZ": "Asia/Kathmandu",
    "PYTHONHASHSEED": "4711",
    "PYTHONUTF8": "0",
}
OF_THE_MOMENT = {"reconciled_at", "seconds", "machine", "user", "started_at", "ended_at", "as_of"}


def still(document: Any) -> Any:
    """Return a document without what belongs to the moment of a run."""
    if isinstance(document, dict):
        return {name: still(value) for name, value in document.items() if name not in OF_THE_MOMENT}
    return [still(each) for each in document] if isinstance(document, list) else document


def test_c16_surroundings_change_nothing(tmp_path: Path, omnicase: CommandLine) -> None:
    documents = []
    for name, surroundings in (("here", {"TZ": "UTC", "PYTHONHASHSEED": "0"}), ("there", ELSEWHERE)):
        folder = tmp_path / name
        make_workspace(folder)
        env = omnicase.environment(surroundings)
        for words in ("db upgrade", "run", "--format json reconcile"):
            command = f'umask 000; exec "$0" -P -m migrate -C "$1" {words}'
            done = subprocess.run(
                ["bash", "-c", command, sys.executable, str(folder)], env=env, cwd=ROOT, capture_output=True
            )
            assert done.returncode in (0, 3), done.stderr
        documents.append(still(json.loads(done.stdout)))
        assert stat.S_IMODE((folder / "target.db").stat().st_mode) == 0o600
    assert_same_target(tmp_path / "there/target.db", tmp_path / "here/target.db")
    assert documents[0] == documents[1]
