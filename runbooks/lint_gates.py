"""Gates: a condition that can be read, and enough people besides the one who runs the runbook."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.condition import ConditionError, read_condition
from runbooks.facts import fact_names, wave_of
from runbooks.findings import LintFinding, nearest
from runbooks.people import persons_of
from runbooks.runbook import CONSOLE, GATE, Runbook, Step
from runbooks.surroundings import Surroundings


def gate_findings(runbook: Runbook, around: Surroundings) -> Iterator[LintFinding]:
    """Find conditions that mean nothing, and gates that nobody could open."""
    nobody = [role for role in runbook.roles if not persons_of(runbook, role, around.key_roles)]
    if nobody:
        hint = "Write role: [person, …], or make keys with `omnicase key new --person NAME --role ROLE`."
        message = f"nobody has the role {', '.join(nobody)} yet"
        yield LintFinding(runbook.file, runbook.lines.get("roles", 1), "RBK-121", message, hint)
    for step in runbook.steps:
        if step.kind == GATE:
            yield from _condition(step, runbook, around)
            yield from _people(step, runbook, around)


def _condition(step: Step, runbook: Runbook, around: Surroundings) -> Iterator[LintFinding]:
    if not step.text:
        return
    try:
        names = read_condition(step.text).names
    except ConditionError as error:
        hint = "See the list of facts and the form of conditions in docs/runbooks.md."
        if error.name is not None:
            hint = nearest(error.name, fact_names(around.waves), hint)
        yield LintFinding(runbook.file, step.body_line, error.code, error.message, hint)
        return
    for name in names:
        wave = wave_of(name)
        if wave is not None and wave not in around.waves:
            hint = nearest(wave, around.waves)
            message = f"there is no fact '{name}': the workspace has no wave '{wave}'"
            yield LintFinding(runbook.file, step.body_line, "RBK-143", message, hint)


def _people(step: Step, runbook: Runbook, around: Surroundings) -> Iterator[LintFinding]:
    given = [persons_of(runbook, role, around.key_roles) for role in step.roles]
    runners = runners_of(runbook, around)
    if step.approvals and all(given) and given and runners:
        approvers = frozenset[str]().union(*given)
        able = [runner for runner in sorted(runners) if len(approvers - {runner}) >= step.approvals]
        message = f"'{step.id}' asks for {step.approvals} approvals, and the roles {', '.join(step.roles)} have"
        hint = "Nobody approves what they run: name more people, or ask for fewer approvals."
        if not able:
            left = max(len(approvers - {runner}) for runner in runners)
            yield LintFinding(runbook.file, step.line, "RBK-140", f"{message} {left} besides the runner", hint)
        elif len(able) < len(runners):
            who = ", ".join(able)
            yield LintFinding(runbook.file, step.line, "RBK-141", f"{message} enough only when {who} runs it", hint)
    if step.approvals == 1 and runbook.environment and around.environments.get(runbook.environment):
        hint = "Write approvals=2: four eyes besides the runner's."
        yield LintFinding(runbook.file, step.line, "RBK-145", f"'{step.id}' asks for one approval in production", hint)


def runners_of(runbook: Runbook, around: Surroundings) -> frozenset[str]:
    """Return who can run the runbook: those with the role of its console steps, or of its steps where it has none."""
    steps = [step for step in runbook.forward if step.kind == CONSOLE] or list(runbook.forward)
    return frozenset(person for step in steps for person in persons_of(runbook, step.owner, around.key_roles))
