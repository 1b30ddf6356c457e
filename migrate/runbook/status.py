"""`runbook status` and `runbook list`: who must do what now, and what took how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from casemodel import OmnicaseError
from migrate.countersign import counting_trust
from migrate.runbook.files import all_runbooks
from migrate.runbook.people import gate_view
from migrate.runbook.runs import Run, open_run, run_names
from migrate.workspace import Workspace
from runbooks import CONSOLE, GATE, GateView, RunState, Step, StepState, key_roles, moment, persons_of

_LEDGER = "%Y-%m-%d %H:%M:%S.%f"


@dataclass(frozen=True)
class StepLine:
    """One step as `status` shows it; seconds are None where there is no such time."""

    step: Step
    state: StepState
    back: bool
    seconds: float | None
    last_seconds: float | None

    @property
    def late(self) -> bool:
        """Whether it takes, or took, longer than its timeout; a gate has no such time."""
        return self.step.kind != GATE and self.seconds is not None and self.seconds > (self.step.timeout or 0) > 0

    def as_dict(self) -> dict[str, Any]:
        """Return the step as the published schema has it."""
        state = self.state
        return {
            "step": self.step.id,
            "kind": self.step.kind,
            "title": self.step.title,
            "owner": self.step.owner,
            "way": "back" if self.back else "forward",
            "status": state.status,
            "timeout_seconds": self.step.timeout,
            "last_seconds": self.last_seconds,
            "seconds": self.seconds,
            "overdue": self.late,
            "began": state.began,
            "ended": state.ended,
            "attempts": state.attempts,
            "by": state.by or None,
            "exits": list(state.exits),
            "log": state.log,
            "log_sha256": state.log_sha256,
            "why": state.why or None,
        }


@dataclass(frozen=True)
class Next:
    """What is to be done now: the step, by whom, with which commands, and how its gate stands."""

    step: Step
    persons: tuple[str, ...]
    commands: tuple[str, ...]
    gate: GateView | None
    unknown: str | None
    """Why the facts of the gate are not known."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as the published schema has it."""
        return {
            "step": self.step.id,
            "kind": self.step.kind,
            "owner": self.step.owner,
            "persons": list(self.persons),
            "commands": list(self.commands),
            "gate": None if self.gate is None else gate_document(self.gate),
            "facts_unknown": self.unknown,
        }


@dataclass(frozen=True)
class RunStatus:
    """A run of a runbook as it stands."""

    run: Run
    state: RunState
    steps: tuple[StepLine, ...]
    next: Next | None

    def as_dict(self) -> dict[str, Any]:
        """Return the document of the published schema."""
        state, runbook = self.state, self.run.runbook
        return {
            "run": state.run,
            "runbook": runbook.name,
            "title": runbook.title,
            "version": runbook.version,
            "digest": state.digest,
            "environment": state.environment,
            "wave": state.wave,
            "state": state.state,
            "began": state.began,
            "ended": state.ended,
            "runners": list(state.runners),
            "deviations": deviations(state),
            "next": None if self.next is None else self.next.as_dict(),
            "steps": [each.as_dict() for each in self.steps],
        }


def deviations(state: RunState) -> list[dict[str, Any]]:
    """Return what went otherwise than the runbook says, the first thing to read."""
    return [
        {
            "at": each.at,
            "kind": each.body["kind"],
            "step": each.body.get("step", ""),
            "reason": each.body.get("reason", ""),
            "by": each.person,
            "approved_by": list(each.body.get("approved_by", [])),
        }
        for each in state.deviations
    ]


def gate_document(view: GateView) -> dict[str, Any]:
    """Return how a gate stands, as JSON values."""
    return {
        "condition": view.condition.text,
        "holds": view.holds,
        "parts": [{"text": text, "now": values, "holds": holds} for text, values, holds in view.shown],
        "needed": view.step.approvals,
        "lacking": view.lacking,
        "approvals": [
            {
                "approval": each.id,
                "person": each.person,
                "counts": each.why_not is None,
                "why_not": each.why_not,
                "same_account": each.same_account,
            }
            for each in view.approvals
        ],
    }


def run_status(workspace: Workspace, name: str) -> RunStatus:
    """Return how a run stands; ``last`` is the newest.

    Raises:
        UsageError: RBK-003 there is no such run.
    """
    run = open_run(workspace, name)
    state = run.state
    before = _times_before(workspace, run, state)
    forward = [_line(step, state, before, back=False) for step in run.runbook.forward]
    began_back = state.state in ("rolling back", "rolled back")
    back = [_line(step, state, before, back=True) for step in state.way_back(run.runbook)] if began_back else []
    return RunStatus(run, state, (*forward, *back), None if state.over else _next(workspace, run, state))


def _line(step: Step, state: RunState, before: Mapping[str, float], *, back: bool) -> StepLine:
    found = state.steps.get(step.id, StepState())
    return StepLine(step, found, back, _seconds(found), before.get(step.id))


def _seconds(state: StepState) -> float | None:
    if state.began is None:
        return None
    began = datetime.strptime(state.began, _LEDGER).replace(tzinfo=UTC)
    ended = datetime.strptime(state.ended, _LEDGER).replace(tzinfo=UTC) if state.ended else datetime.now(UTC)
    return round(max((ended - began).total_seconds(), 0.0), 1)


def _times_before(workspace: Workspace, run: Run, state: RunState) -> dict[str, float]:
    """Return how long the steps took in the last finished run of the same runbook: the plan of this one."""
    for name in reversed(run_names(workspace)):
        if name == state.run or name.rpartition("-")[0] != state.run.rpartition("-")[0]:
            continue
        try:
            other = open_run(workspace, name).state
        except OmnicaseError:
            continue
        if other.state == "completed" and other.began < state.began:
            return {step: seconds for step, each in other.steps.items() if (seconds := _seconds(each)) is not None}
    return {}


def _next(workspace: Workspace, run: Run, state: RunState) -> Next | None:
    step = state.next_step(run.runbook)
    if step is None:
        return None
    roles = key_roles(counting_trust(workspace), moment(datetime.now(UTC)))
    of_gate = step.kind == GATE
    persons = {p for role in (step.roles if of_gate else (step.owner,)) for p in persons_of(run.runbook, role, roles)}
    view, unknown = None, None
    if of_gate or step.id in state.skip_asked:
        try:
            view = gate_view(run, workspace, step.id)
        except OmnicaseError as error:
            unknown = error.message
    again = (
        f"omnicase runbook run {run.runbook.name}{f' --wave {state.wave}' if run.runbook.name and state.wave else ''}"
    )
    if of_gate:
        mine = persons - set(state.runners) - set(view.persons if view else ())
        commands = (
            [f"omnicase runbook approve {state.run} {step.id} --by PERSON"] if view is None or view.lacking else []
        )
        return Next(step, tuple(sorted(mine)), (*commands, again), view, unknown)
    if step.kind == CONSOLE:
        return Next(step, tuple(sorted(persons)), _console(again, state), view, unknown)
    return Next(
        step,
        tuple(sorted(persons)),
        (f"omnicase runbook confirm {state.run} {step.id} --by PERSON", again),
        view,
        unknown,
    )


def _console(again: str, state: RunState) -> tuple[str, ...]:
    return (again, f"{again} --rollback") if state.state == "stopped" else (again,)


def listed(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the runbooks of the workspace with their last runs."""
    last: dict[str, tuple[str, str]] = {}
    for name in run_names(workspace):
        try:
            last[name.rpartition("-")[0]] = (name, open_run(workspace, name).state.state)
        except OmnicaseError as error:
            last[name.rpartition("-")[0]] = (name, error.code)
    found: list[dict[str, Any]] = []
    for parsed in all_runbooks(workspace):
        runbook = parsed.runbook
        if runbook is None:
            continue
        run, state = last.get(runbook.name, (None, None))
        found.append(
            {
                "runbook": runbook.name,
                "title": runbook.title,
                "version": runbook.version,
                "environment": runbook.environment,
                "wave": runbook.wave,
                "file": runbook.file,
                "steps": len(runbook.forward),
                "last_run": run,
                "last_state": state,
            }
        )
    return found


def seconds_text(seconds: float | None) -> str:
    """Return a span of time for people: ``1h05``, ``12m``, ``8s``."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole >= 2 * 86_400:
        return f"{whole // 86_400}d"
    if whole >= 3_600:
        return f"{whole // 3_600}h{whole % 3_600 // 60:02d}"
    return f"{whole // 60}m" if whole >= 120 else f"{whole}s"


def persons_text(persons: Sequence[str], role: str) -> str:
    """Return who is meant: the persons, or the role when nobody is named."""
    return ", ".join(persons) if persons else role
