"""What a run of a runbook works with in a workspace: its commands, their environment, facts, and ways back."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import migrate
from casemodel import GuardError, SystemFailure
from migrate.countersign import counting_trust
from migrate.runbook.facts import gate_facts, newest_run, standing_runs
from migrate.waves.status import read_journey
from migrate.workspace import FILE as WORKSPACE_FILE
from migrate.workspace import Workspace
from runbooks import Hands, Talk, cleaned

_NOT_UPGRADED: Final = "DBS-003"
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
_SECRET_NAME: Final = re.compile(r"PASS|SECRET|TOKEN|NAMESPACE|_KEY$")


def make_hands(workspace: Workspace, talk: Talk) -> Hands:
    """Return what the engine works with in a workspace."""
    names = set(_VARIABLE.findall((workspace.root / WORKSPACE_FILE).read_text(encoding="utf-8", errors="replace")))
    if workspace.model.namespace.env:
        names.add(workspace.model.namespace.env)
    environment = cleaned(os.environ, sorted(names)) | {"PYTHONPATH": str(Path(migrate.__file__).resolve().parents[1])}
    options = ["-C", str(workspace.root), *(["--env", workspace.env] if workspace.env else [])]
    return Hands(
        program=[sys.executable, "-P", "-m", "migrate", *options],
        folder=workspace.root,
        environment=environment,
        facts=lambda: gate_facts(workspace),
        mark=lambda: _mark(workspace),
        undo=lambda words, marks: _undo(workspace, words, marks),
        trust=lambda: counting_trust(workspace),
        talk=talk,
        secrets=list(_secrets(environment, names)),
    )


def _secrets(environment: Mapping[str, str], read: set[str]) -> Iterator[str]:
    """Yield the values of the environment that no log may hold: passwords in URLs, and what is named a secret."""
    for name, value in environment.items():
        if _SECRET_NAME.search(name) or (name in read and "://" not in value and "/" not in value):
            yield value
        try:
            yield urlsplit(value).password or ""
        except ValueError:
            yield value


def _mark(workspace: Workspace) -> int | None:
    """Return the newest run before a step, which its rollback goes back to; None when that is not known."""
    try:
        return newest_run(workspace)
    except GuardError as error:
        return 0 if error.code == _NOT_UPGRADED else None
    except (SystemFailure, OSError):
        return None


def _never_live(workspace: Workspace, wave: str) -> bool:
    """Return whether a wave is not live yet: the step that was to make it so failed before it did."""
    return any(each.name == wave and each.state in ("planned", "rehearsing") for each in read_journey(workspace).waves)


def _undo(workspace: Workspace, words: Sequence[str], marks: Sequence[tuple[Any, Any]]) -> list[list[str]]:
    """Return the commands of a rollback step; ``rollback last`` becomes the runs that its steps made, the newest first.

    Raises:
        GuardError: RBK-027 it is not known which runs those are.
    """
    if list(words[:2]) == ["wave", "back"] and len(words) > 2 and _never_live(workspace, words[2]):
        return []
    if list(words[:2]) != ["rollback", "last"] or not marks:
        return [list(words)]
    known = [(mark, until) for mark, until in marks if isinstance(mark, int)]
    if len(known) < len(marks):
        raise GuardError(
            "RBK-027",
            "the target could not be read when the step began, so it is not known which runs are its own",
            hint="See `omnicase status`, take back by hand with `omnicase rollback RUN`, then skip the step.",
            place="rollback last",
        )
    # What came after a step ended is of somebody else, whose run is not taken back unasked.
    mine = [
        run
        for run in standing_runs(workspace, min(mark for mark, _ in known))
        if any(mark < run and (until is None or run <= until) for mark, until in known)
    ]
    return [["rollback", str(run), *words[2:]] for run in mine]
