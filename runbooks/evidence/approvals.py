"""Approvals: a person's signature under the exact facts seen at a gate, and under the head of the evidence seen."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from casemodel import GuardError
from runbooks.evidence.entries import Head
from runbooks.keys import Trust, TrustedKey, is_moment
from runbooks.signing import SigningKey, canonical

KIND = "approval"
_FIELDS = {"run", "gate", "plan", "runner", "facts", "head", "person", "roles", "nonce", "at", "until"}


def facts_digest(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of facts in canonical JSON: one fact that changes makes another."""
    return hashlib.sha256(canonical(facts)).hexdigest()


def approval_statement(
    *,
    run: str,
    gate: str,
    plan: str,
    runner: str,
    facts: Mapping[str, Any],
    head: Head,
    person: str,
    roles: Iterable[str],
    at: str,
    until: str | None = None,
) -> dict[str, Any]:
    """Return what an approver signs.

    Args:
        run: id of the run of the runbook.
        gate: id of the gate.
        plan: digest of the runbook that runs; an approval of another text is none.
        runner: who runs it, and may not approve.
        facts: the condition's facts as they are now; only their digest is signed.
        head: the end of the evidence that was seen.
        person: who approves.
        roles: the roles that the gate asks for.
        at: UTC text of `moment`.
        until: when it lapses, the same; None: with the run.
    """
    return {
        "run": run,
        "gate": gate,
        "plan": plan,
        "runner": runner,
        "facts": facts_digest(facts),
        "head": {"seq": head.seq, "hash": head.hash},
        "person": person,
        "roles": sorted(roles),
        "nonce": uuid.uuid4().hex,
        "at": at,
        "until": until,
    }


def signed_approval(key: SigningKey, statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload of an entry of the kind ``approval``: ``{"statement", "signed": {"key", "signature"}}``."""
    return {"statement": dict(statement), "signed": key.sign(KIND, statement)}


def check_approval(
    trust: Trust,
    approval: Mapping[str, Any],
    *,
    run: str,
    gate: str,
    plan: str,
    runner: str,
    facts: Mapping[str, Any],
    roles: Iterable[str],
    now: str,
) -> TrustedKey:
    """Return the key of an approval that counts for this gate, now.

    Raises:
        GuardError: EVI-020 of another run, gate or runbook; EVI-021 the facts changed since; EVI-022 it lapsed;
            KEY-005 to KEY-010 the key or signature does not count, or has not the role; KEY-011 the approver is the
            runner (exit 6).
    """
    statement, signed = approval.get("statement"), approval.get("signed")
    if not _is_whole(statement) or not isinstance(signed, dict):
        raise GuardError("EVI-020", "an approval is not whole", hint="Have it given again.", place=gate)
    trust.check(KIND, statement, signed, at=statement["at"], roles=roles)
    key = trust.check(KIND, statement, signed, at=now, roles=roles)
    wanted = {"run": run, "gate": gate, "plan": plan, "runner": runner, "person": key.person}
    other = [name for name, value in wanted.items() if statement[name] != value]
    if other:
        raise GuardError(
            "EVI-020",
            f"the approval of {key.person} is not of this {', '.join(other)}",
            hint="Have it given for what runs here.",
            place=gate,
        )
    if key.person == runner:
        raise GuardError(
            "KEY-011", f"{runner} runs this and may not approve it", hint="Have somebody else approve.", place=gate
        )
    if statement["facts"] != facts_digest(facts):
        raise GuardError(
            "EVI-021", f"the facts changed since {key.person} approved", hint="Look, and approve again.", place=gate
        )
    if statement["until"] is not None and now >= statement["until"]:
        raise GuardError(
            "EVI-022",
            f"the approval of {key.person} lapsed at {statement['until']}",
            hint="Have it given again.",
            place=gate,
        )
    return key


def _is_whole(statement: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(statement, dict) or not statement.keys() >= _FIELDS or not is_moment(statement["at"]):
        return False
    return statement["until"] is None or is_moment(statement["until"])
