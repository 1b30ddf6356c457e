"""What people do in a run of a runbook: confirm, approve, withdraw, ask to leave a step out, give up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from casemodel import GuardError, UsageError
from migrate.countersign import counting_signer, counting_trust
from migrate.keys import AsksPassphrase
from migrate.runbook.facts import gate_facts
from migrate.runbook.runs import Run
from migrate.workspace import Workspace
from runbooks import (
    GATE,
    MANUAL,
    WITHDRAWING,
    GateView,
    Runbook,
    RunState,
    Step,
    approve,
    nearest,
    own_approval,
    require_owner,
    skip_gate,
    view_gate,
    withdrawal_document,
)

_SHORTEST_REASON: Final = 5
_LONGEST_REASON: Final = 500


def confirm_step(run: Run, workspace: Workspace, step: str, person: str, *, failed: str | None) -> Step:
    """Note that a person did a manual step, or that it failed.

    Args:
        failed: why it failed; None: it is done.

    Raises:
        UsageError: RBK-005 there is no such step, or it is not a manual one.
        GuardError: RBK-024 the person has not its role, RBK-028 it is not its turn (exit 6).
    """
    found = _step(run.runbook, step, MANUAL)
    state = run.state
    _its_turn(run, state, found)
    require_owner(found, run.runbook, counting_trust(workspace), person)
    why = f"{person} says: {_reason(failed)}" if failed is not None else ""
    body = {"step": found.id, "status": "done" if failed is None else "failed", "why": why}
    run.journal.add("step-confirmed", body, person)
    return found


def _step(runbook: Runbook, name: str, kind: str) -> Step:
    step = runbook.step(name)
    if step is None or step.kind != kind:
        known = [each.id for each in runbook.steps if each.kind == kind]
        raise UsageError(
            "RBK-005", f"the runbook has no {kind} step '{name}'", hint=nearest(name, known), place=runbook.file
        )
    return step


def _its_turn(run: Run, state: RunState, step: Step) -> None:
    now = None if state.over else state.next_step(run.runbook)
    if now is None or now.id != step.id:
        raise GuardError(
            "RBK-028",
            f"it is not the turn of the step '{step.id}'"
            + (f": that of '{now.id}' is" if now else ": the run is over"),
            hint="Steps are done in their order; `omnicase runbook skip` asks to leave one out.",
            place=f"{run.runbook.file}:{step.line}",
        )


def _reason(text: str | None) -> str:
    told = (text or "").strip()
    if not _SHORTEST_REASON <= len(told) <= _LONGEST_REASON:
        raise UsageError(
            "RBK-006",
            f"a reason of {_SHORTEST_REASON} to {_LONGEST_REASON} characters is needed, which is kept",
            hint='Add --reason "why".',
        )
    return told


def gate_view(run: Run, workspace: Workspace, name: str) -> GateView:
    """Return how a gate stands, or the gate through which a step may be left out.

    Raises:
        UsageError: RBK-005 there is no such gate.
    """
    state = run.state
    asked = state.skip_asked.get(name)
    found = run.runbook.step(name)
    if asked is not None and found is not None and state.of(found).status != "skipped":
        step = skip_gate(found, run.runbook, asked)
    else:
        step = _step(run.runbook, name, GATE)
    return view_gate(step, run.runbook, state, gate_facts(workspace), counting_trust(workspace), datetime.now(UTC))


def approve_gate(
    run: Run, workspace: Workspace, view: GateView, person: str, ask: AsksPassphrase, head: str | None
) -> str:
    """Sign an approval of a gate as it stands, and return its id.

    Args:
        view: as the person saw it.
        head: the newest entry of the evidence.

    Raises:
        GuardError: RBK-028 it is not the turn of the gate, RBK-041 to RBK-043 the approval would not count, KEY-… the
            key does not count (exit 6).
    """
    state = run.state
    name = view.step.id.split(":")[1] if view.step.id.startswith("skip:") else view.step.id
    step = run.runbook.step(name)
    assert step is not None
    _its_turn(run, state, step)
    key = counting_signer(workspace, person, ask)
    body = approve(view, run.runbook, state, counting_trust(workspace), key, head)
    run.journal.add("approved", body, person)
    return str(body["document"]["approval"])


def withdraw_approval(run: Run, workspace: Workspace, gate: str, person: str, reason: str, ask: AsksPassphrase) -> str:
    """Withdraw the approval that a person gave of a gate, signed, and return its id.

    Raises:
        GuardError: RBK-044 there is none, RBK-029 the gate opened and the step after it began (exit 6).
    """
    told, state = _reason(reason), run.state
    mine = own_approval(state, gate, person)
    after = _after(run.runbook, gate)
    if state.over or (after is not None and state.of(after).began is not None):
        raise GuardError(
            "RBK-029",
            f"what the gate '{gate}' guards has begun, so an approval of it can no longer be withdrawn",
            hint="Stop the run, and take back what was done with `omnicase runbook run NAME --rollback`.",
            place=gate,
        )
    document = withdrawal_document(state, mine, person, told)
    signed = counting_signer(workspace, person, ask).sign(WITHDRAWING, document)
    run.journal.add("withdrawn", {"approval": mine, "gate": gate, "document": document, "signed": signed}, person)
    return mine


def _after(runbook: Runbook, gate: str) -> Step | None:
    way = list(runbook.forward)
    names = [step.id for step in way]
    if gate not in names:
        return None
    return next((step for step in way[names.index(gate) :] if step.kind != GATE), None)


def ask_to_skip(run: Run, step: str, person: str, reason: str) -> Step:
    """Ask to leave a step out: noted as a deviation, done when somebody else has approved it.

    Raises:
        UsageError: RBK-005 there is no such step.
        GuardError: RBK-028 it is not the turn of the step (exit 6).
    """
    told = _reason(reason)
    found = run.runbook.step(step)
    if found is None:
        hint = nearest(step, [each.id for each in run.runbook.steps])
        raise UsageError("RBK-005", f"the runbook has no step '{step}'", hint=hint, place=run.runbook.file)
    _its_turn(run, run.state, found)
    run.journal.add("deviation", {"kind": "skip-asked", "step": found.id, "reason": told}, person)
    return found


def give_up(run: Run, person: str, reason: str) -> None:
    """End a run that will not be finished; what was done stays done.

    Raises:
        GuardError: RBK-034 it is over already (exit 6).
    """
    told = _reason(reason)
    if run.state.over:
        raise GuardError(
            "RBK-034", "the run is over already", hint="See `omnicase runbook status`.", place=run.journal.folder.name
        )
    with run.journal.running():
        run.journal.add("deviation", {"kind": "given up", "step": "", "reason": told}, person)
        run.journal.add("run-ended", {"result": "given up"}, person)
