"""A run of a runbook: step by step, kept in its journal before and after each, until something must be waited for."""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from casemodel import GuardError, LockedError
from runbooks.approvals import GateView, skip_gate, view_gate
from runbooks.execute import Log, execute, started_ticks
from runbooks.facts import fact_text
from runbooks.hands import Hands
from runbooks.journal import Journal
from runbooks.lint_commands import words_of
from runbooks.mask import Mask
from runbooks.people import require_owner
from runbooks.runbook import CONSOLE, GATE, Runbook, Step
from runbooks.state import BACK, DONE, FAILED, INTERRUPTED, RUNNING, SKIPPED, STOPPED, WAITING, RunState, fold

COMPLETED: Final = "completed"
ROLLED_BACK: Final = "rolled back"


@dataclass(frozen=True, slots=True)
class Waits:
    """A run that stopped before its end: at which step, and why (None: somebody chose to stop)."""

    step: Step
    error: GuardError | None


class Engine:
    """Does the steps of one run.

    Args:
        runbook: as it is on disk now.
        journal: of the run.
        hands: what it works with.
        person: who runs it.
    """

    def __init__(self, runbook: Runbook, journal: Journal, hands: Hands, person: str) -> None:
        self.runbook, self.journal, self.hands, self.person = runbook, journal, hands, person
        self._agreed = ""
        """The step of which somebody just said that it is to be done again: they are not asked twice."""

    @property
    def state(self) -> RunState:
        """Where the run stands, read anew: other processes confirm and approve meanwhile."""
        return fold(self.journal.folder.name, self.journal.entries())

    def go(self, *, back: bool) -> Waits | None:
        """Go on with the run until it ends or must wait; None when it ended.

        Args:
            back: take back what was done, instead of going forward.

        Raises:
            LockedError: RBK-032 another process does it, RBK-033 a command of a dead one still runs.
            GuardError: RBK-022 the runbook was changed since the run began.
            SystemFailure, BrokenError: facts or journal cannot be read.
        """
        with self.journal.running():
            state = self.state
            refuse_changed(state, self.runbook)
            self._settle_interrupted(state)
            if self.person not in state.runners or (state.state == STOPPED and not back):
                self.journal.add("run-resumed", {}, self.person)
            if back and self.state.state != BACK:
                self._begin_back()
            return self._steps()

    def _begin_back(self) -> None:
        state = self.state
        self.journal.add("rollback-started", {"from": [s.id for s in state.way_back(self.runbook)]}, self.person)
        lasting = state.lasting(self.runbook)
        if lasting:
            self.hands.talk.tell("lasting", steps=", ".join(step.id for step in lasting))

    def _steps(self) -> Waits | None:
        while True:
            state = self.state
            step = state.next_step(self.runbook)
            if step is None:
                result = ROLLED_BACK if state.state == BACK else COMPLETED
                self.journal.add("run-ended", {"result": result}, self.person)
                self.hands.talk.tell("ended", result=result, run=state.run)
                return None
            if self._left_out(step, state):
                continue
            waits = self._closed_gate(step, state) or self._do(step, state)
            if waits is not None:
                if waits.error is not None and self._offer(waits, state):
                    continue
                return waits

    def _do(self, step: Step, state: RunState) -> Waits | None:
        if step.kind == GATE:
            return self._gate(step, state)
        if step.kind == CONSOLE:
            require_owner(step, self.runbook, self.hands.trust(), self.person)
        commands = self._commands(step, state)
        self.hands.talk.step(step, self.runbook, state, commands)
        return self._console(step, state, commands) if step.kind == CONSOLE else self._manual(step, state)

    def _commands(self, step: Step, state: RunState) -> list[list[str]]:
        found = [words_of(text) for _, text in step.commands]
        if state.state != BACK:
            return found
        marks = [(state.of(each).mark, state.of(each).until) for each in state.undoes(step, self.runbook)]
        return [words for command in found for words in self.hands.undo(command, marks)]

    # -- console -----------------------------------------------------------------------------------------------

    def _console(self, step: Step, state: RunState, commands: Sequence[Sequence[str]]) -> Waits | None:
        talk = self.hands.talk
        again = state.of(step).status in (INTERRUPTED, FAILED)
        asks = talk.interactive and (again or state.state != BACK) and step.id != self._agreed
        self._agreed = ""
        if asks and talk.ask("again" if again else "do", "ys", step=step.id, by=self.person) != "y":
            return Waits(step, None)
        first = state.of(step).began is None
        self.journal.add(
            "step-started", {"step": step.id, **({"mark": self.hands.mark()} if first else {})}, self.person
        )
        log, name = self._log(step, state.of(step).attempts + 1)
        exits: list[int] = []
        try:
            why = self._run_commands(step, commands, log, exits)
        except BaseException as error:
            why = "interrupted" if isinstance(error, KeyboardInterrupt) else "it could not be begun"
            self._ended(step, INTERRUPTED, exits, why, log, name)
            raise
        self._ended(step, FAILED if why else DONE, exits, why, log, name)
        talk.tell("step failed" if why else "step done", step=step.id, why=why, exits=exits)
        if not why:
            return None
        shown = self.journal.folder / name
        return Waits(
            step,
            GuardError(
                "RBK-021",
                f"the step '{step.id}' failed: {why}",
                hint=f"Read {_below(shown, self.hands.folder)}. Then run again to try it once more, or take back"
                " everything that was done with --rollback.",
                place=f"{self.runbook.file}:{step.line}",
            ),
        )

    def _run_commands(self, step: Step, commands: Sequence[Sequence[str]], log: Log, exits: list[int]) -> str:
        """Run the commands one after the other; return why the step failed, or the empty text."""
        if not commands:
            log.line("(nothing to take back)")
        deadline = time.monotonic() + (step.timeout or 0)
        for words in commands:
            log.line(f"$ omnicase {shlex.join(words)}")
            ended = execute(
                [*self.hands.program, *words],
                folder=self.hands.folder,
                environment=self.hands.environment,
                seconds=max(deadline - time.monotonic(), 0.0),
                log=log,
                began=lambda pid: self._command_began(step, pid),
            )
            exits.append(ended.exit_status)
            log.line(f"(exit status {ended.exit_status})")
            if ended.timed_out:
                return f"it took longer than its {step.timeout} seconds and was stopped"
            if ended.exit_status not in step.expect:
                right = " or ".join(map(str, step.expect))
                return f"`omnicase {_called(words)}` ended with {ended.exit_status}, and {right} was expected"
        return ""

    def _command_began(self, step: Step, pid: int) -> None:
        self.journal.add("command-started", {"step": step.id, "pid": pid, "ticks": started_ticks(pid)}, self.person)

    def _log(self, step: Step, attempt: int) -> tuple[Log, str]:
        while True:
            name = f"{step.id}.log" if attempt == 1 else f"{step.id}.{attempt}.log"
            try:
                return Log(self.journal.folder / name, Mask(self.hands.secrets), self.hands.talk.output), name
            except FileExistsError:
                attempt += 1

    def _ended(self, step: Step, status: str, exits: Sequence[int], why: str, log: Log, name: str) -> None:
        told = {"step": step.id, "status": status, "exits": list(exits), "why": why, "log": name}
        body = told | {"mark": self.hands.mark()}
        self.journal.add("step-ended", {**body, "log_sha256": log.close()}, self.person)

    def _settle_interrupted(self, state: RunState) -> None:
        """Note the step that was being done when a process died, unless its command still runs."""
        for name, step in state.steps.items():
            found = self.runbook.step(name)
            if step.status != RUNNING or found is None or found.kind != CONSOLE:
                continue
            ticks = step.started_ticks
            if step.pid is not None and ticks is not None and started_ticks(step.pid) == ticks:
                raise LockedError(
                    "RBK-033",
                    f"the process that did this run is gone, but the command of '{name}' still runs"
                    f" (process {step.pid})",
                    hint=f"Wait for it, or end it with `kill {step.pid}`, and run again.",
                    place=state.run,
                )
            self.journal.add(
                "step-ended", {"step": name, "status": INTERRUPTED, "why": "its process died"}, self.person
            )
            self.hands.talk.tell("was interrupted", step=name)

    # -- manual ------------------------------------------------------------------------------------------------

    def _manual(self, step: Step, state: RunState) -> Waits | None:
        if state.of(step).status in (WAITING, FAILED):
            mark = {"mark": self.hands.mark()} if state.of(step).began is None else {}
            self.journal.add("step-started", {"step": step.id, **mark}, self.person)
        if self.hands.talk.interactive and self._may_confirm(step):
            answer = self.hands.talk.ask("manual", "yns", step=step.id, by=self.person)
            if self.state.of(step).status == DONE:
                return None
            if answer == "s":
                return Waits(step, None)
            status = DONE if answer == "y" else FAILED
            why = "" if answer == "y" else f"{self.person} says that it failed"
            self.journal.add("step-confirmed", {"step": step.id, "status": status, "why": why}, self.person)
            if answer == "y":
                return None
            return Waits(step, _failed_by_hand(step, self.runbook, why))
        return Waits(
            step,
            GuardError(
                "RBK-020",
                f"the step '{step.id}' waits for the {step.owner} to do it and to say so",
                hint=f"omnicase runbook confirm {state.run} {step.id} --by PERSON; then run again.",
                place=f"{self.runbook.file}:{step.line}",
            ),
        )

    def _may_confirm(self, step: Step) -> bool:
        try:
            require_owner(step, self.runbook, self.hands.trust(), self.person)
        except GuardError:
            return False
        return True

    # -- gates -------------------------------------------------------------------------------------------------

    def _view(self, step: Step, state: RunState) -> GateView:
        return view_gate(step, self.runbook, state, self.hands.facts(), self.hands.trust(), datetime.now(UTC))

    def _gate(self, step: Step, state: RunState) -> Waits | None:
        while True:
            if state.of(step).began is None:
                self.journal.add("gate-asked", {"step": step.id}, self.person)
            view = self._view(step, state)
            self.hands.talk.gate(view)
            if view.is_open:
                body = {"step": step.id, "condition": view.condition.text, **gate_facts(view)}
                self.journal.add("gate-passed", body, self.person)
                return None
            if not self.hands.talk.interactive or self.hands.talk.ask("gate", "ls", step=step.id) == "s":
                return Waits(step, closed(view, self.runbook, state))
            state = self.state

    def _closed_gate(self, step: Step, state: RunState) -> Waits | None:
        """Look again at the gates right before a step that is to begin: what opened them may be gone since."""
        if state.state == BACK or step.kind == GATE or state.of(step).began is not None:
            return None
        way = list(self.runbook.forward)
        before: list[Step] = []
        for each in reversed(way[: way.index(step)]):
            if each.kind != GATE or state.of(each).status == SKIPPED:
                break
            before.append(each)
        for gate in reversed(before):
            view = self._view(gate, state)
            if not view.is_open:
                self.journal.add("gate-closed", {"step": gate.id}, self.person)
                self.hands.talk.tell("gate closed", step=gate.id)
                return self._gate(gate, self.state)
        return None

    def _left_out(self, step: Step, state: RunState) -> bool:
        """Leave a step out when that was asked for and somebody else approved it."""
        asked = state.skip_asked.get(step.id)
        if asked is None:
            return False
        view = self._view(skip_gate(step, self.runbook, asked), state)
        if not view.is_open:
            return False
        body = {"kind": "skipped", "step": step.id, "reason": asked.body["reason"], "approved_by": list(view.persons)}
        self.journal.add("deviation", body, asked.person)
        self.hands.talk.tell("left out", step=step.id)
        return True

    # -- after a failure -----------------------------------------------------------------------------------------

    def _offer(self, waits: Waits, state: RunState) -> bool:
        """Offer on a terminal what a failed step leaves to choose; True when the run goes on."""
        talk = self.hands.talk
        if not talk.interactive or waits.error is None or waits.error.code != "RBK-021":
            return False
        now = self.state
        if now.state == BACK:
            answer = talk.ask("back failed", "as", step=waits.step.id)
            self._agreed = waits.step.id if answer == "a" else ""
            return answer == "a"
        steps = ", ".join(step.id for step in now.way_back(self.runbook))
        answer = talk.ask("failed", "ars", step=waits.step.id, steps=steps)
        if answer == "a":
            self._agreed = waits.step.id
            self.journal.add("run-resumed", {}, self.person)
        elif answer == "r":
            self._begin_back()
        return answer != "s"


def start_run(journal: Journal, runbook: Runbook, person: str, environment: str | None) -> None:
    """Write the first entry of a run: what it is bound to."""
    body: dict[str, Any] = {
        "runbook": runbook.name,
        "title": runbook.title,
        "version": runbook.version,
        "digest": runbook.digest,
        "nonce": secrets.token_hex(16),
        "environment": environment,
        "wave": runbook.wave,
        "steps": [step.id for step in runbook.forward],
    }
    journal.add("run-started", body, person)


def refuse_changed(state: RunState, runbook: Runbook) -> None:
    """Refuse a runbook that is not the one with which the run began.

    Raises:
        GuardError: RBK-022 (exit 6).
    """
    if state.digest != runbook.digest:
        raise GuardError(
            "RBK-022",
            f"the runbook was changed since the run {state.run} began (version {state.version} then)",
            hint=f"Put it back as it was: a copy lies in reports/runbooks/{state.run}/. Or give the run up with"
            f" `omnicase runbook end {state.run} --reason TEXT` and begin anew.",
            place=runbook.file,
        )


def gate_facts(view: GateView) -> dict[str, Any]:
    """Return what is kept of a gate that opened: the facts and who approved."""
    facts = {name: fact_text(value) for name, value in view.facts.items()}
    return {"facts": facts, "approved_by": list(view.persons)}


def closed(view: GateView, runbook: Runbook, state: RunState) -> GuardError:
    """Return what a gate that does not open says: every part that is missing."""
    missing = [f"{text} does not hold ({values})" for text, values, holds in view.shown if holds is not True]
    if not view.holds and not missing:
        missing = [f"the condition does not hold: {view.condition.text}"]
    if view.holds:
        missing = []
    if view.lacking:
        missing.append(f"{len(view.persons)} of {view.step.approvals} approvals ({', '.join(view.step.roles)})")
    missing += [
        f"the approval of {each.person} does not count: {each.why_not}" for each in view.approvals if each.why_not
    ]
    how = f"omnicase runbook approve {state.run} {view.step.id} --by PERSON"
    return GuardError(
        "RBK-023",
        f"the gate '{view.step.id}' is closed: {'; '.join(missing)}",
        hint=f"{how}; then run again." if view.holds else "Settle what does not hold, then run again.",
        place=f"{runbook.file}:{view.step.line}",
    )


def _failed_by_hand(step: Step, runbook: Runbook, why: str) -> GuardError:
    return GuardError(
        "RBK-021",
        f"the step '{step.id}' failed: {why}",
        hint="Run again to ask for it once more, or take back everything that was done with --rollback.",
        place=f"{runbook.file}:{step.line}",
    )


def _called(words: Sequence[str]) -> str:
    """Return the verb of a command, without what may follow it."""
    return " ".join(word for word in words[:2] if not word.startswith("-"))


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
