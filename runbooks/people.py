"""Who may do what: the persons of a role, by the front matter or by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from casemodel import GuardError
from runbooks.keys import MACHINE, Trust, moment
from runbooks.runbook import Runbook, Step


def key_roles(trust: Trust, at: str) -> dict[str, frozenset[str]]:
    """Return by role the persons whose key has it and counts at a moment."""
    found: dict[str, set[str]] = {}
    for key in trust.keys.values():
        if key.state(at) == "valid" and MACHINE not in key.roles and trust.counts(key, at):
            for role in key.roles:
                found.setdefault(role, set()).add(key.person)
    return {role: frozenset(persons) for role, persons in found.items()}


def persons_of(runbook: Runbook, role: str, roles: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return who has a role: the persons of the front matter; where it names none, those whose key has it."""
    return frozenset(runbook.roles.get(role, ())) or roles.get(role, frozenset())


def require_owner(step: Step, runbook: Runbook, trust: Trust, person: str) -> None:
    """Refuse who has not the role of a step; a role that nobody has yet is anybody's.

    Raises:
        GuardError: RBK-024 (exit 6).
    """
    persons = persons_of(runbook, step.owner, key_roles(trust, moment(datetime.now(UTC))))
    if persons and person not in persons:
        raise GuardError(
            "RBK-024",
            f"the step '{step.id}' is for the {step.owner} ({', '.join(sorted(persons))}), and {person} is not",
            hint="Let one of them go on: --by PERSON.",
            place=f"{runbook.file}:{step.line}",
        )
