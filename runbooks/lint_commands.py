"""The commands of console steps: ours, as the command line has them, and for no shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final

from runbooks.findings import LintFinding
from runbooks.runbook import CONSOLE, Runbook, Step
from runbooks.surroundings import CHANGES, FORBIDDEN, Surroundings

PROGRAM: Final = "omnicase"
_SHELL: Final = re.compile(r"[|&;<>`]|\$[({A-Za-z_]")
_DECIDED: Final = ("-C", "--workspace", "--env", "--format", "--debug")


def words_of(command: str) -> list[str]:
    """Return the words of a command line after the program's name, quotes read as a shell would, nothing expanded.

    Raises:
        ValueError: a quote is not closed.
    """
    return shlex.split(command)[1:]


def command_findings(runbook: Runbook, around: Surroundings) -> Iterator[LintFinding]:
    """Find commands that would not run, or must not."""
    for step in runbook.steps:
        for line, text in step.commands:
            for code, message, hint in _wrong(text, runbook, around):
                yield LintFinding(runbook.file, line, code, message, hint)


def changes(step: Step, around: Surroundings) -> bool:
    """Return whether a console step changes something, as far as its commands are commands of ours."""
    return step.kind == CONSOLE and any(_changes(text, around) for _, text in step.commands)


def _changes(text: str, around: Surroundings) -> bool:
    try:
        program, *words = shlex.split(text)
    except ValueError:
        return False
    check = around.check_command(words) if program == PROGRAM else None
    return check is not None and check.problem is None and check.effect == CHANGES


def _wrong(text: str, runbook: Runbook, around: Surroundings) -> Iterator[tuple[str, str, str]]:
    try:
        parts = shlex.split(text)
    except ValueError:
        yield "RBK-152", "a quote or backslash is not closed", "Close it on the same line."
        return
    if parts[:1] in (["$"], ["#"]):
        yield "RBK-150", "the line begins with a prompt or comment sign", "Write the command alone, one a line."
        return
    if not parts or parts[0] != PROGRAM:
        hint = "Console steps run omnicase alone; let a person do the rest in a manual step."
        yield "RBK-150", f"the command is not {PROGRAM}", hint
        return
    bare = re.sub(r"'[^']*'", "", re.sub(r'"[^"$`]*"', "", text))
    if _SHELL.search(bare):
        hint = "Write one command a line; put a value with such signs in quotes."
        yield "RBK-152", "the command holds signs of a shell, and no shell reads it", hint
        return
    decided = [word for word in parts if word.partition("=")[0] in _DECIDED or re.match(r"-C\S", word)]
    if decided:
        name = decided[0].partition("=")[0]
        hint = "Remove it: the runbook runs in its own workspace, in the environment of its front matter."
        yield "RBK-153", f"the option {name[:20]} is decided by the runbook", hint
        return
    check = around.check_command(parts[1:])
    if check.problem is not None:
        code = "RBK-154" if check.effect == FORBIDDEN else "RBK-151"
        yield code, check.problem, check.hint
    elif check.wave is not None and runbook.wave is not None and check.wave != runbook.wave:
        message = f"the command names the wave '{check.wave}', the runbook is about '{runbook.wave}'"
        yield "RBK-155", message, "Correct one of the two."
