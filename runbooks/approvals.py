"""Approvals of gates: what a person signs, and which of the approvals that were given count now.

An approval is bound to the run (with its nonce), the digest of the runbook, the gate, its condition, the facts as they
were seen and the head of the evidence. Whatever of these changes afterwards, it no longer counts.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from casemodel import GuardError
from runbooks.condition import Comparison, Condition, ConditionError, read_condition, value_text
from runbooks.facts import FactValue, fact_text
from runbooks.journal import Entry
from runbooks.keys import Trust, moment, require_persons
from runbooks.runbook import GATE, Runbook, Step
from runbooks.signing import SigningKey
from runbooks.state import RunState

FORM: Final = "omnicase approval 1"
WITHDRAWAL: Final = "omnicase withdrawal 1"
PURPOSE: Final = "approval"
WITHDRAWING: Final = "withdrawal"
_A_DAY: Final = 86_400
_ALWAYS: Final = ("run.last",)
"""Facts that are signed with every approval: what is approved is the target as that run left it."""
_EARLY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Counted:
    """One approval as it counts now.

    Args:
        id: its own.
        person: who gave it.
        why_not: why it does not count; None: it does.
        same_account: whether it was given under an account under which the runbook was run.
    """

    id: str
    person: str
    why_not: str | None
    same_account: bool = False


@dataclass(frozen=True)
class GateView:
    """A gate as it stands at a moment.

    Args:
        step: the gate.
        condition: as read.
        facts: every fact that an approval of it signs.
        approvals: all that were given for it, in order.
    """

    step: Step
    condition: Condition
    facts: Mapping[str, FactValue]
    approvals: tuple[Counted, ...]

    @property
    def holds(self) -> bool:
        """Whether its condition is true now."""
        return self.condition.holds(self.facts)

    @property
    def persons(self) -> tuple[str, ...]:
        """Who approved, each person once."""
        return tuple(dict.fromkeys(each.person for each in self.approvals if each.why_not is None))

    @property
    def lacking(self) -> int:
        """How many approvals it still needs."""
        return max(self.step.approvals - len(self.persons), 0)

    @property
    def is_open(self) -> bool:
        """Whether the run may go on."""
        return self.holds and not self.lacking

    @property
    def shown(self) -> tuple[tuple[str, str, bool | None], ...]:
        """Each part of the condition, with the values of now and whether it holds."""
        return tuple(
            (each.text, _values(each, self.facts), each.now(self.facts)) for each in self.condition.comparisons
        )


def _values(part: Comparison, facts: Mapping[str, FactValue]) -> str:
    terms = [term for term in (part.left, part.right) if term is not None and term.name is not None]
    return ", ".join(f"{term.name} = {value_text(facts.get(str(term.name)), term.kind)}" for term in terms)


def view_gate(
    step: Step, runbook: Runbook, state: RunState, facts: Mapping[str, FactValue], trust: Trust, at: datetime
) -> GateView:
    """Return how a gate stands.

    Raises:
        GuardError: RBK-040 its condition cannot be read (a lint would have said so).
    """
    try:
        condition = read_condition(step.text)
    except ConditionError as error:
        raise GuardError(
            "RBK-040",
            f"the condition of the gate '{step.id}' cannot be read: {error.message}",
            hint="See `omnicase runbook lint`.",
            place=runbook.file,
        ) from None
    seen = {name: facts.get(name) for name in dict.fromkeys([*condition.names, *_ALWAYS])}
    counted = tuple(
        _counted(body, step, runbook, state, seen, trust, at)
        for body in state.approvals
        if body["document"].get("gate") == step.id
    )
    return GateView(step, condition, seen, tuple(_still_said(counted)))


def _still_said(approvals: Sequence[Counted]) -> Iterator[Counted]:
    """Leave out what a person said before and said anew."""
    newest = {each.person: each for each in approvals if each.why_not is None}
    for position, each in enumerate(approvals):
        later = any(other.person == each.person for other in approvals[position + 1 :])
        if each is newest.get(each.person) or (each.person not in newest and not later):
            yield each


def approval_document(
    view: GateView, runbook: Runbook, state: RunState, person: str, head: str | None
) -> dict[str, Any]:
    """Return what a person signs who approves a gate as it stands.

    Args:
        head: the newest entry of the evidence, as that names it.
    """
    return {
        "form": FORM,
        "approval": secrets.token_hex(8),
        "run": state.run,
        "run_nonce": state.nonce,
        "runbook": runbook.name,
        "version": runbook.version,
        "digest": state.digest,
        "gate": view.step.id,
        "condition": view.condition.text,
        "facts": {name: fact_text(value) for name, value in view.facts.items()},
        "evidence_head": head,
        "person": person,
        "at": moment(datetime.now(UTC)),
    }


def withdrawal_document(state: RunState, approval: str, person: str, reason: str) -> dict[str, Any]:
    """Return what a person signs who withdraws an approval."""
    at = moment(datetime.now(UTC))
    return {"form": WITHDRAWAL, "approval": approval, "run": state.run, "run_nonce": state.nonce, "person": person,
            "reason": reason, "at": at}  # fmt: skip


def approve(
    view: GateView, runbook: Runbook, state: RunState, trust: Trust, key: SigningKey, head: str | None
) -> dict[str, Any]:
    """Return the body of the entry with which the owner of a key approves a gate.

    Raises:
        GuardError: RBK-041 the condition does not hold, RBK-042 the person approved already, RBK-043 the approval would
            not count; KEY-… the key does not count (exit 6).
    """
    if not view.holds:
        false = ", ".join(values or text for text, values, holds in view.shown if holds is not True)
        raise GuardError(
            "RBK-041",
            f"the condition of the gate '{view.step.id}' does not hold, so there is nothing to approve: {false}",
            hint="See `omnicase runbook status` for what is missing.",
            place=runbook.file,
        )
    if key.person in view.persons:
        raise GuardError(
            "RBK-042",
            f"{key.person} approved the gate '{view.step.id}' already; the same person counts once, with every key",
            hint="Have somebody else approve.",
            place=view.step.id,
        )
    document = approval_document(view, runbook, state, key.person, head)
    body = {"document": document, "signed": key.sign(PURPOSE, document)}
    try:
        # As the gate will look at it: what would not count there is not written.
        _check(body, view.step, runbook, state, view.facts, trust, datetime.now(UTC))
    except _DoesNotCount as error:
        raise GuardError(
            "RBK-043",
            f"the approval would not count: {error}",
            hint="See the roles of the gate in the runbook, and `omnicase key list`.",
            place=view.step.id,
        ) from None
    return body


class _DoesNotCount(Exception):
    """Why an approval does not count, in words without a value of a source."""


def _counted(
    body: Mapping[str, Any], step: Step, runbook: Runbook, state: RunState, facts: Mapping[str, FactValue],
    trust: Trust, at: datetime,
) -> Counted:  # fmt: skip
    document = body["document"]
    name, person = str(document.get("approval")), str(document.get("person"))
    try:
        if name in state.withdrawn:
            raise _DoesNotCount("it was withdrawn")
        _check(body, step, runbook, state, facts, trust, at)
    except _DoesNotCount as error:
        return Counted(name, person, str(error))
    except GuardError as error:
        return Counted(name, person, error.message)
    return Counted(name, person, None, name in state.same_account)


def _check(
    body: Mapping[str, Any], step: Step, runbook: Runbook, state: RunState, facts: Mapping[str, FactValue],
    trust: Trust, at: datetime,
) -> None:  # fmt: skip
    """Raise what makes an approval worthless at a moment.

    Raises:
        GuardError: KEY-… what is wrong with the key or the signature.
    """
    document: Mapping[str, Any] = body["document"]
    bound = {
        "form": FORM,
        "run": state.run,
        "run_nonce": state.nonce,
        "runbook": runbook.name,
        "digest": runbook.digest,
        "gate": step.id,
    }
    for name, value in bound.items():
        if document.get(name) != value:
            raise _DoesNotCount(f"it was given for another {_SAID.get(name, name)}")
    # At the moment of the gate: a key that was revoked or expired since opens nothing more.
    key = trust.check(PURPOSE, document, body["signed"], at=moment(at), roles=step.roles)
    signed_at = _signed_at(document)
    trust.check(PURPOSE, document, body["signed"], at=moment(signed_at), roles=step.roles)
    if key.person != document.get("person"):
        raise _DoesNotCount("the key belongs to somebody else than who is named")
    named = runbook.persons(tuple(set(step.roles) & set(key.roles)))
    if runbook.persons(step.roles) and key.person not in named:
        raise _DoesNotCount(f"the runbook gives {key.person} none of the roles {', '.join(step.roles)}")
    require_persons([key], at_least=1, never=state.runners)
    if trust.stands is not None and not trust.stands(document.get("evidence_head")):
        raise _DoesNotCount("it was given over the evidence of another target")
    if at - signed_at > timedelta(seconds=step.timeout or _A_DAY):
        raise _DoesNotCount(
            f"it expired: it was given at {document['at']} and counts for {_span(step.timeout or _A_DAY)}"
        )
    if signed_at - at > _EARLY:
        raise _DoesNotCount(f"it is dated {document['at']}, which is yet to come")
    _same_facts(document.get("facts"), facts)


_SAID: Final = {"run_nonce": "run", "digest": "version of the runbook", "form": "form"}


def _signed_at(document: Mapping[str, Any]) -> datetime:
    try:
        return datetime.strptime(str(document.get("at")), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _DoesNotCount("it does not say when it was given") from None


def _same_facts(signed: Any, facts: Mapping[str, FactValue]) -> None:
    now = {name: fact_text(value) for name, value in facts.items()}
    if not isinstance(signed, Mapping):
        raise _DoesNotCount("it names no facts")
    for name in sorted({*signed, *now}):
        # 1 and true are equal in Python, and not the same fact.
        if type(signed.get(name)) is not type(now.get(name)) or signed.get(name) != now.get(name):
            raise _DoesNotCount(
                f"a fact changed since: {name} was {_plain(signed.get(name))} and is {_plain(now.get(name))}"
            )


def _plain(value: Any) -> str:
    return "not known" if value is None else str(value).lower()[:20]


def _span(seconds: int) -> str:
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"


def own_approval(state: RunState, gate: str, person: str) -> str:
    """Return the id of the newest approval of a gate that a person gave and did not withdraw.

    Raises:
        GuardError: RBK-044 there is none.
    """
    mine = [
        str(each["document"]["approval"])
        for each in state.approvals
        if each["document"].get("gate") == gate and each["document"].get("person") == person
    ]
    left = [each for each in mine if each not in state.withdrawn]
    if not left:
        raise GuardError(
            "RBK-044",
            f"{person} has no approval of '{gate}' to withdraw",
            hint="See `omnicase runbook status` for the approvals.",
            place=gate,
        )
    return left[-1]


def skip_gate(step: Step, runbook: Runbook, asked: Entry) -> Step:
    """Return the gate through which a step may be left out: one person besides the runner, in a role that signs.

    Its name holds the hash of the entry that asked for it, so that the reason is signed with it.
    """
    name = f"skip:{step.id}:{asked.hash[:16]}"
    return Step(GATE, name, step.owner, None, step.title, str(asked.body["reason"]), (), "true", approvals=1,
                roles=_signing_roles(runbook), line=step.line)  # fmt: skip


def _signing_roles(runbook: Runbook) -> tuple[str, ...]:
    """Return the roles that the gates of a runbook ask for, or all of its roles when it has no gate."""
    return tuple(dict.fromkeys(role for step in runbook.steps for role in step.roles)) or tuple(runbook.roles)
