"""What is wrong with a runbook: one line each, with a stable code, a place and a remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from casemodel import Place, RefusedError

ERROR: Final = "error"
WARNING: Final = "warning"
NOTE: Final = "note"

LINT_CODES: Final[dict[str, tuple[str, str]]] = {
    "RBK-101": (ERROR, "the front matter is missing or cannot be read"),
    "RBK-102": (ERROR, "the front matter lacks a key"),
    "RBK-103": (ERROR, "the front matter has a key that is unknown"),
    "RBK-104": (ERROR, "a value of the front matter is wrong"),
    "RBK-105": (ERROR, "two runbooks have the same name"),
    "RBK-110": (ERROR, "a block looks like a step, but its kind is unknown"),
    "RBK-111": (ERROR, "the line that opens a step cannot be read"),
    "RBK-112": (ERROR, "a step has a key that is unknown, or that its kind does not have"),
    "RBK-113": (ERROR, "a step has a key twice"),
    "RBK-114": (ERROR, "a step lacks a key"),
    "RBK-115": (ERROR, "a value of a step is wrong"),
    "RBK-116": (ERROR, "two steps have the same id"),
    "RBK-117": (ERROR, "a step is empty"),
    "RBK-118": (ERROR, "a block is not closed"),
    "RBK-119": (ERROR, "there is no step on the way forward"),
    "RBK-120": (ERROR, "a step names a role that the front matter does not have"),
    "RBK-121": (NOTE, "a role has nobody yet, neither in the front matter nor by a key"),
    "RBK-122": (WARNING, "a role is used by no step"),
    "RBK-130": (ERROR, "a rollback names a step that is not there"),
    "RBK-131": (ERROR, "a step cannot be the rollback of another one"),
    "RBK-132": (ERROR, "a step changes something and says neither how it is taken back nor why it cannot be"),
    "RBK-133": (ERROR, "a step has a rollback and a reason why it has none"),
    "RBK-134": (ERROR, "a step that cannot be undone has no gate with approvals before it"),
    "RBK-140": (ERROR, "a gate asks for more approvals than there are people besides the runner"),
    "RBK-141": (WARNING, "whether a gate has enough people depends on who runs the runbook"),
    "RBK-142": (ERROR, "the condition of a gate cannot be read"),
    "RBK-143": (ERROR, "the condition of a gate names a fact that is unknown"),
    "RBK-144": (ERROR, "the condition of a gate compares what cannot be compared"),
    "RBK-145": (WARNING, "a gate in production asks for fewer than two approvals"),
    "RBK-150": (ERROR, "a command is not one of omnicase"),
    "RBK-151": (ERROR, "a command is not as the command line has it"),
    "RBK-152": (ERROR, "a command holds signs of a shell, and no shell reads it"),
    "RBK-153": (ERROR, "a command has an option that the runbook itself decides"),
    "RBK-154": (ERROR, "a command must not stand in a runbook"),
    "RBK-155": (WARNING, "a command names another wave than the runbook is about"),
    "RBK-160": (ERROR, "the text holds what looks like a secret"),
    "RBK-161": (ERROR, "a link leads nowhere"),
    "RBK-162": (ERROR, "a link leads out of the workspace"),
    "RBK-170": (ERROR, "the workspace has no such environment or wave"),
}
"""Every code of the lint: its severity and what it is about."""


@dataclass(frozen=True, slots=True, order=True)
class LintFinding:
    """One thing that is wrong with a runbook.

    Args:
        file: as shown, relative to the workspace.
        line: from 1; 0 when it is about the whole file.
        code: a key of `LINT_CODES`.
        message: what was found, in one sentence.
        hint: what to do.
    """

    file: str
    line: int
    code: str
    message: str
    hint: str

    @property
    def severity(self) -> str:
        """``error``, ``warning`` or ``note``."""
        return LINT_CODES[self.code][0]

    def as_dict(self) -> dict[str, str | int]:
        """Return the finding as the published schema has it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "message": self.message,
            "hint": self.hint,
        }

    def as_error(self) -> RefusedError:
        """Return the finding as the refusal of a runbook that was to be run."""
        return RefusedError(self.code, self.message, hint=self.hint, place=Place(self.file, self.line or None))


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return "Did you mean …?" when a known name is near, else the known ones, else the text given."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    return otherwise or (f"Known: {', '.join(sorted(names))}." if names else "None is known.")
