"""What the engine of runbooks is handed: how commands run, where facts come from, who is talked to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from runbooks.approvals import GateView
from runbooks.facts import FactValue
from runbooks.keys import Trust
from runbooks.runbook import Runbook, Step
from runbooks.state import RunState


class Talk(Protocol):
    """The person at the terminal, if there is one."""

    @property
    def interactive(self) -> bool:
        """Whether somebody can answer."""

    def step(self, step: Step, runbook: Runbook, state: RunState, commands: Sequence[Sequence[str]]) -> None:
        """Show a step before it is done, with the commands as they will run."""

    def gate(self, view: GateView) -> None:
        """Show how a gate stands."""

    def output(self, line: str) -> None:
        """Show a line that a command printed."""

    def tell(self, event: str, **facts: Any) -> None:
        """Tell what happened, by the name of its sentence."""

    def ask(self, question: str, choices: str, **facts: Any) -> str:
        """Ask; return one letter of the choices. Only called when somebody can answer."""


@dataclass(frozen=True)
class Hands:
    """What the engine works with.

    Args:
        program: the command line up to the words after ``omnicase``.
        folder: in which commands run.
        environment: all that commands see of the environment.
        secrets: texts that must not be kept.
        facts: reads the facts of the target now.
        mark: says where the target stands, before a step and after it.
        undo: the words of a rollback's command and the marks before and after each step that it takes back (None: not
            known), to the commands that do just that.
        trust: reads the keys whose signatures count.
    """

    program: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    facts: Callable[[], Mapping[str, FactValue]]
    mark: Callable[[], Any]
    undo: Callable[[Sequence[str], Sequence[tuple[Any, Any]]], list[list[str]]]
    trust: Callable[[], Trust]
    talk: Talk
    secrets: Sequence[str] = field(default=())
