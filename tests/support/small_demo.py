"""The dirty demo, small: for tests that only read it or take a copy."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import in_process
from made_once import made_once
from targets import copy_workspace

CASES = 80
KEYED_CASES = 1_500
MONTHS = ("201403", "201404", "201412", "201501", "201503", "201504")
"""Of the contact centre's two years: the change of its columns, a file with a BOM, one with American dates."""


def fresh_demo(factory: pytest.TempPathFactory) -> Path:
    """Return a demo of 80 cases without an answer key, upgraded and not loaded.

    It has 97 rows a batch, so there are many, and six of the 24 files of the contact centre: each file costs every run
    as much as a mapping does.
    """
    return made_once(factory, "fresh-demo", _make)


def loaded_demo(factory: pytest.TempPathFactory) -> Path:
    """Return the same workspace after one undisturbed run."""
    return made_once(factory, "loaded-demo", lambda folder: _load(copy_workspace(fresh_demo(factory), folder)))


def keyed_demo(factory: pytest.TempPathFactory) -> Path:
    """Return a demo of 1,500 cases with its answer key after one run: of this size nearly every kind of dirt is in it."""
    return made_once(factory, "keyed-demo", _make_keyed)


def _make_keyed(folder: Path) -> None:
    assert in_process("demo", folder, "--cases", KEYED_CASES, "--seed", 5).status == 0
    assert in_process("-C", folder, "db", "upgrade").status == 0
    _load(folder)


def _make(folder: Path) -> None:
    assert in_process("demo", folder, "--cases", CASES, "--no-answer-key", "--no-machine-key").status == 0
    for file in (folder / "systems/kcc").glob("*.CSV"):
        if not file.stem.endswith(MONTHS):
            file.unlink()
    settings = folder / "workspace.yml"
    settings.write_text(settings.read_text().replace("batch_rows: 10000", "batch_rows: 97"))
    assert "batch_rows: 97" in settings.read_text()
    assert in_process("-C", folder, "db", "upgrade").status == 0


def _load(folder: Path) -> None:
    answer = in_process("-C", folder, "run")
    assert answer.status == 3, answer.err
