"""`runbook run`: runs of runbooks, in ``reports/runbooks/`` of the workspace."""

from __future__ import annotations

import getpass
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import click

from casemodel import GuardError, OmnicaseError, RefusedError, UsageError
from migrate.countersign import counting_trust
from migrate.evidence.journals import head_seen, tell_of_journal
from migrate.runbook.facts import gate_facts
from migrate.runbook.files import named_runbook, sound_runbook
from migrate.runbook.hands import make_hands
from migrate.workspace import Workspace, load_workspace
from runbooks import (
    GATE,
    Engine,
    Entry,
    GateView,
    Journal,
    Runbook,
    RunState,
    Talk,
    Waits,
    fold,
    nearest,
    read_runbook,
    refuse_changed,
    start_run,
    view_gate,
)

FOLDER: Final = "runbooks"
COPY: Final = "runbook.md"
JOURNAL: Final = "journal.jsonl"
_RUN: Final = re.compile(r"([a-z0-9][a-z0-9_-]{0,39})-(\d{1,6})")
Witness = Callable[[Entry, RunState], None]
"""Told of each entry of a journal: the evidence."""


@dataclass(frozen=True)
class Run:
    """A run of a runbook: its journal, and the runbook as it was when the run began."""

    journal: Journal
    runbook: Runbook

    @property
    def state(self) -> RunState:
        """Where it stands now."""
        return fold(self.journal.folder.name, self.journal.entries())


def open_run(workspace: Workspace, name: str, witness: Witness | None = None) -> Run:
    """Open a run by its name; ``last`` is the newest.

    Raises:
        UsageError: RBK-003 there is no such run.
        BrokenError: RBK-030 its journal is broken.
    """
    runs = run_names(workspace)
    if name == "last" and runs:
        name = runs[-1]
    if name not in runs:
        hint = nearest(name, runs[-10:], "Begin one with `omnicase runbook run NAME`.")
        raise UsageError("RBK-003", "there is no such run of a runbook", hint=hint, place="reports/runbooks/")
    folder = workspace.reports / FOLDER / name
    runbook = read_runbook(folder / COPY, workspace.root).runbook
    if runbook is None:
        raise RefusedError(
            "RBK-004",
            "the copy of the runbook with which the run began cannot be read",
            hint="Put it back from a copy of reports/.",
            place=f"{name}/{COPY}",
        )
    journal = _journal(folder, witness)
    state = fold(name, journal.entries())
    refuse_changed(state, runbook)
    return Run(journal, runbook.about_wave(state.wave))


def _journal(folder: Path, witness: Witness | None) -> Journal:
    if witness is None:
        return Journal(folder)
    journal = Journal(folder)
    return Journal(folder, lambda entry: witness(entry, fold(folder.name, journal.entries())))


def run_names(workspace: Workspace) -> list[str]:
    """Return the runs of the workspace, the oldest first; a folder in which no run began is none."""
    folder = workspace.reports / FOLDER
    found = [path for path in folder.iterdir() if _RUN.fullmatch(path.name)] if folder.is_dir() else []
    began = [(at, path.name) for path in found if (at := _began(path)) is not None]
    return [name for _, name in sorted(began)]


def _began(folder: Path) -> str | None:
    """Return when a run began, as its first line says; a broken one comes last, so that it is seen."""
    try:
        with (folder / JOURNAL).open("rb") as journal:
            line = journal.readline()
    except OSError:
        return None
    found = re.search(rb'"at":"([0-9 :.-]{26})"', line)
    if not line.endswith(b"\n"):
        return None
    return found[1].decode() if found else "9"


def unfinished(workspace: Workspace, runbook: str, wave: str | None = None) -> Run | None:
    """Return the run of a runbook that is not over, of a wave when one is given, or None."""
    for name in reversed(run_names(workspace)):
        found = _RUN.fullmatch(name)
        if found is not None and found[1] == runbook:
            run = open_run(workspace, name)
            state = run.state
            if not state.over and wave in (None, state.wave):
                return run
    return None


def to_run(folder: Path, env: str | None, name: str, wave: str | None, root: click.Group) -> tuple[Workspace, Runbook]:
    """Return the workspace in the environment of a runbook, and the runbook, sound or in the midst of its run.

    A runbook is looked over when a run of it begins; in its midst it is the one that was looked over, or refused, so
    that nothing that changed around it keeps a run from being taken back.

    Raises:
        UsageError: RBK-002 there is no such runbook, RBK-007 it needs a wave, RBK-008 there is no such wave.
        RefusedError: the lint finds errors (exit 4).
        GuardError: RBK-022 it was changed since its run began, RBK-026 it is for another environment (exit 6).
    """
    plain = load_workspace(folder, env)
    found = named_runbook(plain, name)
    if found is not None:
        if found.environment is not None and env not in (None, found.environment):
            raise GuardError(
                "RBK-026",
                f"the runbook is for the environment {found.environment}",
                hint="Leave --env out, or correct the front matter.",
                place=found.file,
            )
        run = unfinished(plain, found.name, wave)
        if run is not None:
            state = run.state
            refuse_changed(state, found)
            return load_workspace(folder, env or state.environment), found.about_wave(state.wave)
    sound = sound_runbook(plain, name, root)
    _refuse_wave(plain, sound, wave)
    return load_workspace(folder, env or sound.environment), sound.about_wave(wave)


def _refuse_wave(workspace: Workspace, runbook: Runbook, wave: str | None) -> None:
    known = list(workspace.model.waves)
    if wave is None and runbook.asks_for_wave:
        raise UsageError(
            "RBK-007",
            f"the runbook '{runbook.name}' is about a wave, and leaves open which",
            hint=f"Add --wave NAME. Known: {', '.join(known) or 'none; name waves in workspace.yml'}.",
            place=runbook.file,
        )
    if wave is not None and (wave not in known or runbook.wave not in (None, wave)):
        cause = "there is no such wave" if wave not in known else f"the runbook is about the wave {runbook.wave}"
        raise UsageError("RBK-008", cause, hint=nearest(wave, known), place="--wave")


def run_environment(folder: Path, env: str | None, name: str) -> Workspace:
    """Return the workspace in the environment in which a run began.

    Raises:
        UsageError: RBK-003 there is no such run.
    """
    plain = load_workspace(folder, env)
    return plain if env is not None else load_workspace(folder, open_run(plain, name).state.environment)


def dry_views(workspace: Workspace, runbook: Runbook) -> dict[str, GateView | str]:
    """Return how each gate would stand in a run that began now, or why that is not known."""
    found: dict[str, GateView | str] = {}
    state = RunState("", runbook=runbook.name, digest=runbook.digest)
    for step in runbook.forward:
        if step.kind == GATE:
            try:
                facts = gate_facts(workspace)
                found[step.id] = view_gate(step, runbook, state, facts, counting_trust(workspace), datetime.now(UTC))
            except OmnicaseError as error:
                found[step.id] = error.message
    return found


def witness(workspace: Workspace) -> Witness:
    """Return what writes the entries of journals into the evidence."""
    return partial(tell_of_journal, workspace)


def evidence_head(workspace: Workspace) -> str | None:
    """Return the newest entry of the evidence, which an approval signs; None while there is none."""
    return head_seen(workspace)


def do_run(
    workspace: Workspace, runbook: Runbook, talk: Talk, person: str | None, witness: Witness | None, *, back: bool
) -> tuple[Run, Waits | None]:
    """Begin a run of a runbook, or go on with the one that is not over.

    Raises:
        GuardError: RBK-022 the runbook was changed meanwhile, RBK-024 a step is for somebody else, RBK-025 there is
            nothing to take back, RBK-026 another environment was asked for (exit 6).
        LockedError: RBK-032 another process does it, RBK-033 a command of a dead one still runs (exit 7).
    """
    who = person or getpass.getuser()
    found = unfinished(workspace, runbook.name, runbook.wave)
    if found is None and back:
        raise GuardError(
            "RBK-025",
            f"no run of '{runbook.name}' is under way, so there is nothing to take back",
            hint="See `omnicase runbook status` for runs that ended, and the runbook for a rollback.",
            place=runbook.file,
        )
    if found is None:
        run = Run(_journal(_new_folder(workspace, runbook), witness), runbook)
        start_run(run.journal, runbook, who, workspace.env)
        talk.tell("began", run=run.journal.folder.name, title=runbook.title, version=runbook.version, by=who)
    else:
        run = Run(_journal(found.journal.folder, witness), found.runbook)
        state = run.state
        refuse_changed(state, runbook)
        if state.environment != workspace.env:
            raise GuardError(
                "RBK-026",
                "the run began in another environment",
                hint=f"Give --env {state.environment}." if state.environment else "Leave --env out.",
                place=runbook.file,
            )
        talk.tell("goes on", run=state.run, title=runbook.title, version=runbook.version, by=who)
    return run, Engine(runbook, run.journal, make_hands(workspace, talk), who).go(back=back)


def _new_folder(workspace: Workspace, runbook: Runbook) -> Path:
    """Make the folder of a new run, private, with a copy of the runbook."""
    above = workspace.reports / FOLDER
    above.mkdir(parents=True, exist_ok=True, mode=0o700)
    numbers = [
        int(found[2]) for each in above.iterdir() if (found := _RUN.fullmatch(each.name)) and found[1] == runbook.name
    ]
    folder = above / f"{runbook.name}-{max(numbers, default=0) + 1}"
    folder.mkdir(mode=0o700)
    data = (workspace.root / runbook.file).read_bytes()
    (folder / COPY).write_bytes(data)
    if hashlib.sha256(data).hexdigest() != runbook.digest:
        raise GuardError(
            "RBK-022",
            "the runbook was changed while its run began",
            hint="Run it again.",
            place=runbook.file,
        )
    return folder
