"""Whether each step can be taken back, and what stands before that which cannot."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.findings import LintFinding, nearest
from runbooks.lint_commands import changes
from runbooks.runbook import GATE, Runbook, Step
from runbooks.surroundings import Surroundings


def order_findings(runbook: Runbook, around: Surroundings) -> Iterator[LintFinding]:
    """Find steps without a way back, wrong ways back, and what cannot be undone without a gate before it."""
    if not runbook.forward:
        yield LintFinding(runbook.file, 1, "RBK-119", "there is no step on the way forward", "Write a step.")
    for step in runbook.steps:
        yield from _role_findings(step, runbook)
        yield from _way_back(step, runbook, around)
    gated = False
    for step in runbook.forward:
        gated = gated or (step.kind == GATE and step.approvals > 0)
        if step.irreversible and not gated:
            message = f"'{step.id}' cannot be undone, and no gate stands before it"
            hint = "Put a gate with approvals before it, or give it a rollback step."
            yield LintFinding(runbook.file, step.line, "RBK-134", message, hint)
    yield from _unused_roles(runbook)


def _role_findings(step: Step, runbook: Runbook) -> Iterator[LintFinding]:
    for role in dict.fromkeys([*([step.owner] if step.owner else []), *step.roles]):
        if role not in runbook.roles:
            hint = nearest(role, runbook.roles)
            yield LintFinding(runbook.file, step.line, "RBK-120", f"the front matter has no role '{role[:40]}'", hint)


def _way_back(step: Step, runbook: Runbook, around: Surroundings) -> Iterator[LintFinding]:
    if step.rollback and step.irreversible:
        message, hint = f"'{step.id}' has a rollback and a reason why it has none", "Remove one of the two."
        yield LintFinding(runbook.file, step.line, "RBK-133", message, hint)
    if step.rollback:
        yield from _rollback(step, runbook)
    elif not step.irreversible and step.id not in runbook.rollback_ids and changes(step, around):
        message = f"'{step.id}' changes something and says no way back"
        hint = 'Add rollback=step, or irreversible="why" behind a gate.'
        yield LintFinding(runbook.file, step.line, "RBK-132", message, hint)


def _rollback(step: Step, runbook: Runbook) -> Iterator[LintFinding]:
    back = runbook.step(str(step.rollback))
    if back is None:
        hint = nearest(str(step.rollback), [each.id for each in runbook.steps if each.id != step.id])
        message = f"the rollback of '{step.id}' is not there: '{step.rollback}'"
        yield LintFinding(runbook.file, step.line, "RBK-130", message, hint)
        return
    why = None
    if back.id == step.id:
        why = "a step is not its own rollback"
    elif back.kind == GATE:
        why = "a gate takes nothing back"
    elif back.rollback or back.irreversible:
        why = "a rollback step has neither a rollback nor a reason why not"
    if why is not None:
        hint = "Name a console or manual step that only takes back."
        yield LintFinding(runbook.file, step.line, "RBK-131", f"'{back.id}' cannot be a rollback: {why}", hint)


def _unused_roles(runbook: Runbook) -> Iterator[LintFinding]:
    used = {role for step in runbook.steps for role in (step.owner, *step.roles)}
    for role in runbook.roles:
        if role not in used:
            line = runbook.lines.get(f"roles.{role}", 1)
            yield LintFinding(
                runbook.file, line, "RBK-122", f"no step names the role '{role}'", "Remove it, or use it."
            )
