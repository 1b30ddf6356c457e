"""Where a run of a runbook stands: its journal, added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runbooks.journal import Entry
from runbooks.runbook import Runbook, Step

WAITING: Final = "waiting"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
INTERRUPTED: Final = "interrupted"
SKIPPED: Final = "skipped"

OPEN: Final = "open"
STOPPED: Final = "stopped"
"""A step failed: try it again, or take back."""
BACK: Final = "rolling back"
ENDED: Final = ("completed", "rolled back", "given up")


@dataclass
class StepState:
    """How one step stands.

    Args:
        status: ``waiting``, ``running`` (begun, and not known to have ended), ``done``, ``failed``, ``interrupted``,
            ``skipped``.
        began: when it was first begun, UTC.
        ended: when it last ended.
        attempts: how often it was begun.
        mark: where the target stood when it was first begun.
        until: where the target stood when it last ended; None: it has not ended, or nobody could look.
        by: who did it or confirmed it.
        exits: the exit status of each of its commands.
        pid: the process of its command.
        log: the file of its output.
        log_sha256: of that file.
        why: why it failed or was skipped.
    """

    status: str = WAITING
    began: str | None = None
    ended: str | None = None
    attempts: int = 0
    mark: Any = None
    until: Any = None
    by: str = ""
    exits: tuple[int, ...] = ()
    pid: int | None = None
    started_ticks: int | None = None
    log: str | None = None
    log_sha256: str | None = None
    why: str = ""


@dataclass
class RunState:
    """A run of a runbook as far as its journal goes."""

    run: str
    runbook: str = ""
    version: int = 0
    digest: str = ""
    nonce: str = ""
    environment: str | None = None
    wave: str | None = None
    state: str = OPEN
    began: str = ""
    ended: str | None = None
    steps: dict[str, StepState] = field(default_factory=dict)
    runners: list[str] = field(default_factory=list)
    """Everybody who ran it or went on with it; none of them may approve."""
    accounts: set[str] = field(default_factory=set)
    """The accounts of the operating system under which it was run."""
    same_account: set[str] = field(default_factory=set)
    """The ids of approvals that were given under one of these accounts: no proof of anything, but worth a look."""
    approvals: list[Mapping[str, Any]] = field(default_factory=list)
    """The approvals in the order in which they came, signatures not looked at yet."""
    withdrawn: set[str] = field(default_factory=set)
    """The ids of approvals that were withdrawn."""
    deviations: list[Entry] = field(default_factory=list)
    skip_asked: dict[str, Entry] = field(default_factory=dict)
    """The steps that somebody asked to leave out."""

    def of(self, step: Step | str) -> StepState:
        """Return how a step stands."""
        return self.steps.setdefault(step if isinstance(step, str) else step.id, StepState())

    @property
    def over(self) -> bool:
        """Whether nothing more can be done."""
        return self.state in ENDED

    def next_step(self, runbook: Runbook) -> Step | None:
        """Return the step that is to be done now, on the way forward or back; None when none is left."""
        way = self.way_back(runbook) if self.state == BACK else list(runbook.forward)
        return next((step for step in way if self.of(step).status not in (DONE, SKIPPED)), None)

    def way_back(self, runbook: Runbook) -> list[Step]:
        """Return the rollback steps of everything that was begun, the last first, each once."""
        begun = [step for step in reversed(runbook.forward) if self.of(step).attempts or self.of(step).status == DONE]
        names = dict.fromkeys(step.rollback for step in begun if step.rollback)
        return [step for name in names if (step := runbook.step(name)) is not None]

    def undoes(self, back: Step, runbook: Runbook) -> list[Step]:
        """Return the steps that a rollback step takes back, as far as they were begun."""
        return [step for step in runbook.forward if step.rollback == back.id and self.of(step).attempts]

    def lasting(self, runbook: Runbook) -> list[Step]:
        """Return what was done and stays although the run goes back: it has no way back."""
        done = [step for step in runbook.forward if self.of(step).status == DONE]
        return [step for step in done if step.irreversible]


def fold(run: str, entries: Sequence[Entry]) -> RunState:
    """Add up a journal."""
    found = RunState(run)
    for entry in entries:
        _BY_TYPE.get(entry.type, _nothing)(found, entry)
    return found


def _nothing(_state: RunState, _entry: Entry) -> None:
    """A type of a later version says nothing to this one."""


def _run_started(state: RunState, entry: Entry) -> None:
    body = entry.body
    state.runbook, state.version, state.digest = body["runbook"], body["version"], body["digest"]
    state.nonce, state.environment, state.began = body["nonce"], body["environment"], entry.at
    state.wave = body["wave"]
    _went_on(state, entry)


def _went_on(state: RunState, entry: Entry) -> None:
    if entry.person not in state.runners:
        state.runners.append(entry.person)
    state.accounts.add(f"{entry.os_user}@{entry.host}")
    if state.state == STOPPED:
        state.state = OPEN


def _step_started(state: RunState, entry: Entry) -> None:
    step = state.of(entry.body["step"])
    step.status, step.attempts, step.ended = RUNNING, step.attempts + 1, None
    step.exits, step.pid, step.why, step.until = (), None, "", None
    if step.began is None:
        step.began, step.mark = entry.at, entry.body.get("mark")
    step.by = entry.person


def _command_started(state: RunState, entry: Entry) -> None:
    step = state.of(entry.body["step"])
    step.pid, step.started_ticks = entry.body["pid"], entry.body["ticks"]


def _step_ended(state: RunState, entry: Entry) -> None:
    step, body = state.of(entry.body["step"]), entry.body
    step.status, step.ended, step.pid = body["status"], entry.at, None
    step.exits, step.why = tuple(body.get("exits", ())), body.get("why", "")
    step.log, step.log_sha256, step.until = body.get("log"), body.get("log_sha256"), body.get("mark")
    if step.status == FAILED and state.state == OPEN:
        state.state = STOPPED


def _confirmed(state: RunState, entry: Entry) -> None:
    step = state.of(entry.body["step"])
    step.status, step.ended, step.by = entry.body["status"], entry.at, entry.person
    step.why = entry.body.get("why", "")
    step.began, step.attempts = step.began or entry.at, max(step.attempts, 1)
    if step.status == FAILED and state.state == OPEN:
        state.state = STOPPED


def _gate_passed(state: RunState, entry: Entry) -> None:
    step = state.of(entry.body["step"])
    step.status, step.ended, step.began = DONE, entry.at, step.began or entry.at


def _gate_asked(state: RunState, entry: Entry) -> None:
    step = state.of(entry.body["step"])
    step.began = step.began or entry.at


def _gate_closed(state: RunState, entry: Entry) -> None:
    state.of(entry.body["step"]).status = WAITING


def _approved(state: RunState, entry: Entry) -> None:
    state.approvals.append(entry.body)
    if f"{entry.os_user}@{entry.host}" in state.accounts:
        state.same_account.add(str(entry.body["document"]["approval"]))


def _withdrawn(state: RunState, entry: Entry) -> None:
    state.withdrawn.add(entry.body["approval"])


def _deviation(state: RunState, entry: Entry) -> None:
    state.deviations.append(entry)
    if entry.body["kind"] == "skip-asked":
        state.skip_asked[entry.body["step"]] = entry
    elif entry.body["kind"] == "skipped":
        step = state.of(entry.body["step"])
        step.status, step.ended, step.by, step.why = SKIPPED, entry.at, entry.person, entry.body["reason"]
        if state.state == STOPPED:
            state.state = OPEN


def _rollback_started(state: RunState, entry: Entry) -> None:
    state.state = BACK


def _run_ended(state: RunState, entry: Entry) -> None:
    state.state, state.ended = entry.body["result"], entry.at


_BY_TYPE: Final = {
    "run-started": _run_started,
    "run-resumed": _went_on,
    "step-started": _step_started,
    "command-started": _command_started,
    "step-ended": _step_ended,
    "step-confirmed": _confirmed,
    "gate-asked": _gate_asked,
    "gate-passed": _gate_passed,
    "gate-closed": _gate_closed,
    "approved": _approved,
    "withdrawn": _withdrawn,
    "deviation": _deviation,
    "rollback-started": _rollback_started,
    "run-ended": _run_ended,
}
