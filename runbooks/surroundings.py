"""What the lint must be told of the workspace and of the program: this package knows neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

READS: Final = "reads"
CHANGES: Final = "changes"
FORBIDDEN: Final = "forbidden"


@dataclass(frozen=True, slots=True)
class CommandCheck:
    """What the command line says of a command that it did not run.

    Args:
        effect: ``reads``, ``changes``, or ``forbidden`` when it must not stand in a runbook.
        problem: why it would be refused, or None.
        hint: what to do then.
        wave: the wave that it names, or None.
    """

    effect: str
    problem: str | None = None
    hint: str = ""
    wave: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a runbook lies in.

    Args:
        root: the folder of the workspace.
        check_command: asked for each command, its words after ``omnicase``.
        waves: the waves of the workspace.
        environments: its environments, and whether each is production.
        key_roles: role to the persons whose valid key has it.
    """

    root: Path
    check_command: Callable[[Sequence[str]], CommandCheck]
    waves: tuple[str, ...] = ()
    environments: Mapping[str, bool] = field(default_factory=dict)
    key_roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
