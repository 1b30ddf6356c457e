"""Memory is bounded by the batch, never by the source (R34): ten times the rows, under a limit of the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from targets import model_rows
from tiny_workspace import contact, edit, make_workspace, write_contacts

pytestmark = pytest.mark.no_cover

SPARE = 320 << 20
"""Bytes that the address space may grow by over ten times the rows: what SQLite maps of a target that is larger."""

RUN = """
import re, resource, sys
limit = int(sys.argv[1])
if limit:
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from migrate.cli import main
try:
    sys.exit(main(sys.argv[2:]))
finally:
    print(re.search(r"VmPeak:\\s+(\\d+) kB", open("/proc/self/status").read())[1], file=sys.stderr)
"""


def run(folder: Path, limit: int, *words: str) -> tuple[int, int]:
    """Run a command under a limit of its address space; return its exit status and how much it took at most, in bytes."""
    command = [sys.executable, "-c", RUN, str(limit), "-C", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    last = done.stderr.split()[-1] if done.stderr.split() else ""
    return done.returncode, int(last) << 10 if last.isdecimal() else 0


def workspace(folder: Path, rows: int) -> Path:
    """Make a workspace with contacts of 1 kB each."""
    made = make_workspace(folder)
    edit(made / "workspace.yml", "batch_rows: 50", "batch_rows: 2000")
    long = "Hoe laat gaat de balie open? " * 33
    write_contacts(made, (contact(number, VRAAG=f"{number} {long}") for number in range(rows)))
    assert run(made, 0, "db", "upgrade")[0] == 0
    return made


@pytest.mark.sample(0)
def test_r34_memory_is_bounded_by_the_batch(tmp_path: Path) -> None:
    status, taken = run(workspace(tmp_path / "few", 16_000), 0, "run")
    assert status == 0
    many = workspace(tmp_path / "many", 160_000)
    edit(many / "workspace.yml", "batch_rows: 2000", "batch_rows: 160000")
    status, _ = run(many, taken + SPARE, "run")
    assert status not in (0, 3), "the limit is one that a whole relation in a frame does not fit in"
    edit(many / "workspace.yml", "batch_rows: 160000", "batch_rows: 2000")
    assert run(many, taken + SPARE, "run")[0] == 0
    assert len(model_rows(many / "target.db")["customer_contact"]) == 160_000
