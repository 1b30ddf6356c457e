"""What a runbook is: a Markdown procedure whose fenced blocks are steps (DESIGN.md, section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

CONSOLE: Final = "console"
MANUAL: Final = "manual"
GATE: Final = "gate"
KINDS: Final = (CONSOLE, MANUAL, GATE)
WAVE: Final = "{wave}"
"""Stands in a step for the wave that a run is about."""


@dataclass(frozen=True, slots=True)
class Step:
    """One fenced block.

    Args:
        kind: ``console``, ``manual`` or ``gate``.
        id: its name, unique in the runbook.
        owner: the role that does it; of a gate, the role that sees to it.
        timeout: seconds after which a command is killed, or a person is overdue; of a gate, how long an approval
            counts. None where none was given.
        title: the heading above it.
        about: the text between the heading, or the step before, and the block.
        commands: of a console step, its command lines with the line on which each stands.
        text: of a manual step what to do, of a gate its condition.
        expect: the exit statuses that are right.
        rollback: the id of the step that takes it back.
        irreversible: why it has none.
        approvals: of a gate, how many people must approve.
        roles: of a gate, who may.
        line: the line of its opening fence, from 1.
        body_line: the line on which its text begins.
    """

    kind: str
    id: str
    owner: str
    timeout: int | None
    title: str
    about: str
    commands: tuple[tuple[int, str], ...]
    text: str
    expect: tuple[int, ...] = (0,)
    rollback: str | None = None
    irreversible: str | None = None
    approvals: int = 0
    roles: tuple[str, ...] = ()
    line: int = 0
    body_line: int = 0


@dataclass(frozen=True)
class Runbook:
    """A runbook as read.

    Args:
        name: as the front matter says.
        title: for people.
        version: number that its author raises with each change.
        environment: an entry of ``environments:`` in workspace.yml, or None: that of the invocation.
        wave: the wave it moves, or None.
        roles: role to the persons who have it; none named means those whose key has the role.
        steps: every step, in the order of the text.
        file: its place in the workspace, for messages.
        digest: SHA-256 of the file's bytes, in hexadecimal digits.
        text: the whole text.
        lines: the line of each front-matter key.
    """

    name: str
    title: str
    version: int
    environment: str | None
    wave: str | None
    roles: Mapping[str, tuple[str, ...]]
    steps: tuple[Step, ...]
    file: str
    digest: str
    text: str
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def asks_for_wave(self) -> bool:
        """Whether its text leaves open which wave it is about: ``{wave}``, and no wave in the front matter."""
        return self.wave is None and WAVE in self.text

    def about_wave(self, wave: str | None) -> Runbook:
        """Return the runbook with the wave filled in where its steps say ``{wave}``; None: that of the front matter."""
        name = wave or self.wave
        if name is None:
            return self
        steps = tuple(
            replace(
                step,
                title=step.title.replace(WAVE, name),
                about=step.about.replace(WAVE, name),
                text=step.text.replace(WAVE, name),
                commands=tuple((line, text.replace(WAVE, name)) for line, text in step.commands),
            )
            for step in self.steps
        )
        return replace(self, wave=name, steps=steps)

    def step(self, name: str) -> Step | None:
        """Return a step by its id, or None."""
        return next((step for step in self.steps if step.id == name), None)

    @property
    def rollback_ids(self) -> frozenset[str]:
        """The steps that run only as the rollback of another one."""
        return frozenset(step.rollback for step in self.steps if step.rollback)

    @property
    def forward(self) -> tuple[Step, ...]:
        """The steps of the way forward, in order."""
        return tuple(step for step in self.steps if step.id not in self.rollback_ids)

    def persons(self, roles: tuple[str, ...]) -> frozenset[str]:
        """Return everybody whom the front matter gives one of the roles."""
        return frozenset(person for role in roles for person in self.roles.get(role, ()))
