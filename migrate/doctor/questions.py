"""The questions of the doctor in their order."""

from __future__ import annotations

from pathlib import Path

from migrate.doctor.diagnosis import Diagnosis
from migrate.doctor.machine import limits, packages, versions
from migrate.doctor.workspace import examine_workspace


def examine(folder: Path, env: str | None) -> list[Diagnosis]:
    """Answer every question about the program, the machine and the workspace in a folder; nothing is changed."""
    return [*packages(), *versions(), *limits(folder), *examine_workspace(folder, env)]
