"""Waivers in the ledger: proposed by one person, approved by another, revoked by anybody (DESIGN.md, section 8)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from casemodel import (
    GuardError,
    SystemFailure,
    Target,
    UsageError,
    citizen_numbers,
    passes_eleven_test,
    split_key,
)
from migrate.countersign import counting_signer
from migrate.evidence.record import record as add_evidence
from migrate.keys import AsksPassphrase, workspace_trust
from migrate.ledger.store import doer, new_id, table
from migrate.session import Session
from migrate.verdicts import VerdictRecord, verdicts
from migrate.waivers.kept import (
    PURPOSE,
    KeptWaiver,
    approved_document,
    folded,
    kept_waiver,
    proposed_document,
    today,
)
from migrate.workspace import Workspace
from reconciliation import may_be_waived, meaning_of
from runbooks import MACHINE, SigningKey

_SHORTEST_REASON, _LONGEST_REASON = 5, 500
_LONGEST_NAME = 100
_LARGEST = 2_000_000_000
_LOOKED_BACK = 50
"""Verdicts in which a group or check is looked for, the newest first."""
_EIGHT = re.compile(r"(?<!\d)\d{8}(?!\d)", re.ASCII)
"""What may be a BSN that lost its leading zero."""


@dataclass(frozen=True)
class Proposal:
    """What somebody asks to accept, as it was typed.

    group: id of a group of findings; None: findings of the check with one of `keys`.
    keys: as the report shows them.
    maximum: None: as many as there are now.
    """

    check: str | None
    mapping: str | None
    group: str | None
    keys: tuple[str, ...]
    maximum: int | None
    until: str
    reason: str


def propose(
    session: Session,
    target: Target,
    proposal: Proposal,
    person: str,
    ask: AsksPassphrase,
    key: SigningKey | None = None,
) -> KeptWaiver:
    """Keep a proposal; it is signed as soon as anybody has a key.

    Args:
        person: who proposes.
        key: opened before, for many proposals at once.

    Raises:
        UsageError: WAI-001 no verdict asked this check of this mapping, WAI-002 no verdict found this group, WAI-003
            the reason, WAI-004 the end date, WAI-006 neither group nor keys, WAI-010 the maximum.
        GuardError: WAI-005 nobody can accept this; KEY-… the person has no key that counts.
        SystemFailure: WAI-011 the ledger cannot be written.
    """
    until, reason, person = _until(proposal.until), checked_reason(proposal.reason), checked_person(person)
    keys = tuple(dict.fromkeys(tuple(split_key(text)) for text in proposal.keys))
    with target.engine.connect() as connection:
        found = _found(verdicts(connection, _LOOKED_BACK), proposal)
    _refuse_never(found)
    owner = ", ".join(dict.fromkeys(filter(None, (_owner(session, name) for name in found.mapping.split(" + ")))))
    maximum = _maximum(proposal, found, len(keys))
    values = {
        **doer(), "check_name": found.check, "mapping": found.mapping, "group_id": proposal.group,
        "keys": json.dumps(keys, ensure_ascii=False), "maximum": maximum, "meaning": found.meaning,
        "until": until.isoformat(), "reason": reason, "person": person, "owner": owner, "verdict_id": found.verdict,
    }  # fmt: skip
    key = key or person_signer(session.workspace, person, ask)
    document = proposed_document(values, session.workspace)
    values["signature"] = None if key is None else json.dumps(key.sign(PURPOSE, document))
    number = _write(target, "waiver", values)
    return kept_waiver(target, session.workspace, number)


def approve(session: Session, target: Target, number: int, person: str, ask: AsksPassphrase) -> KeptWaiver:
    """Approve a waiver of somebody else; it is signed as soon as anybody has a key.

    Raises:
        UsageError: WAI-007 there is no such waiver.
        GuardError: WAI-008 it is the person's own proposal or mapping, WAI-009 it is approved or revoked already,
            WAI-012 the mapping changed since, WAI-013 its end date is past, WAI-019 the key has no role that approves;
            KEY-… the person has no key that counts.
        SystemFailure: WAI-011 the ledger cannot be written.
    """
    kept, person = kept_waiver(target, session.workspace, number), checked_person(person)
    if kept.state in ("approved", "revoked"):
        raise GuardError(
            "WAI-009", f"waiver {number} is {kept.state} already", hint="See `omnicase waiver list`.", place="waiver"
        )
    if kept.state == "expired":
        raise GuardError(
            "WAI-013",
            f"the end date of waiver {number} is past",
            hint="Propose it again with a later --until.",
            place="waiver",
        )
    _refuse_own(session, kept, person)
    names = kept.waiver.mapping.split(" + ")
    meanings = {name: session.mapping(name).meaning for name in names if name in session.files}
    if meaning_of(kept.waiver.mapping, meanings) != kept.waiver.meaning:
        raise GuardError(
            "WAI-012",
            f"the mapping {kept.waiver.mapping} changed since waiver {number} was proposed",
            hint="Reconcile, and propose it anew if the difference is still there.",
            place="waiver",
        )
    key = person_signer(session.workspace, person, ask)
    if key is not None:
        _refuse_role(session.workspace, key, person)
    values = {**doer(), "waiver_id": number, "event": "approved", "person": person, "reason": None}
    document = approved_document(target, number, values, session.workspace)
    values["signature"] = None if key is None else json.dumps(key.sign(PURPOSE, document))
    _write(target, "waiver_event", values)
    return kept_waiver(target, session.workspace, number)


def revoke(workspace: Workspace, target: Target, number: int, person: str, reason: str) -> KeptWaiver:
    """Let a waiver count for nothing from now on; anybody may, since it makes nothing green.

    Raises:
        UsageError: WAI-003 the reason, WAI-007 there is no such waiver.
        GuardError: WAI-009 it is revoked already.
        SystemFailure: WAI-011 the ledger cannot be written.
    """
    told, person = checked_reason(reason), checked_person(person)
    if kept_waiver(target, workspace, number).state == "revoked":
        raise GuardError(
            "WAI-009", f"waiver {number} is revoked already", hint="See `omnicase waiver list`.", place="waiver"
        )
    values = {**doer(), "waiver_id": number, "event": "revoked", "person": person, "reason": told, "signature": None}
    _write(target, "waiver_event", values)
    return kept_waiver(target, workspace, number)


def person_signer(workspace: Workspace, person: str, ask: AsksPassphrase) -> SigningKey | None:
    """Return a person's key; None while nobody has one (GuardError KEY-… when others do and this person does not)."""
    people = [key for key in workspace_trust(workspace).keys.values() if MACHINE not in key.roles]
    return counting_signer(workspace, person, ask) if people else None


def checked_reason(reason: str) -> str:
    """Return a reason that says something and holds no BSN: it is shown in every report.

    Raises:
        UsageError: WAI-003.
    """
    told = " ".join(reason.split())
    if not _SHORTEST_REASON <= len(told) <= _LONGEST_REASON:
        raise UsageError(
            "WAI-003",
            "a waiver has a reason that others can judge",
            hint=f'Add --reason "why this may differ" ({_SHORTEST_REASON} to {_LONGEST_REASON} characters).',
            place="--reason",
        )
    if _may_name_a_citizen(told):
        raise UsageError(
            "WAI-003",
            "the reason holds a number that may be a BSN, and a reason is shown in every report",
            hint="Name the record by its case number or by the id of the finding.",
            place="--reason",
        )
    return told


def checked_person(name: str) -> str:
    """Return the name of a person that can stand in every report.

    Raises:
        UsageError: WAI-018.
    """
    told = " ".join(name.split())
    if not 0 < len(told) <= _LONGEST_NAME or not told.isprintable() or _may_name_a_citizen(told):
        raise UsageError(
            "WAI-018",
            "that is not the name of a person as reports can show it",
            hint="Give the name of your key, such as --by j.jansen.",
            place="--by",
        )
    return told


def _may_name_a_citizen(text: str) -> bool:
    short = any(passes_eleven_test(f"0{number}") for number in _EIGHT.findall(text))
    return short or next(citizen_numbers(text), None) is not None


def _until(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found < today():
        raise UsageError(
            "WAI-004",
            "a waiver has an end date that is still to come",
            hint="Write the last day on which it counts, such as 2027-06-30.",
            place="--until",
        )
    return found


@dataclass(frozen=True)
class _Asked:
    """What a verdict says of what is proposed."""

    verdict: int
    check: str
    mapping: str
    meaning: str
    cause: str
    count: int | None
    difference: str | None


def _found(known: Sequence[VerdictRecord], proposal: Proposal) -> _Asked:
    if proposal.group is None and (not proposal.keys or not proposal.check or not proposal.mapping):
        raise UsageError(
            "WAI-006",
            "a waiver is about one group of findings, or about keys of one check of one mapping",
            hint="Give --group ID, or --check, --mapping and --key; copy them from the report.",
        )
    for record in known:
        meanings = {each["mapping"]: each["meaning"] for each in record.mappings}
        for each in record.checks if proposal.group is None else record.groups:
            if _matches(each, proposal):
                meaning = meaning_of(each["mapping"], meanings) or ""
                rest = each.get("cause", ""), each.get("count"), each.get("difference")
                return _Asked(record.number, each["check"], each["mapping"], meaning, *rest)
    if proposal.group is not None:
        raise UsageError(
            "WAI-002",
            "no reconciliation found this group of differences, with this check and mapping",
            hint="Copy the id of the group from the JSON report or the work list; reconcile first.",
            place="--group",
        )
    raise UsageError(
        "WAI-001",
        "no reconciliation asked this check of this mapping",
        hint="Copy check and mapping from the JSON report; reconcile first.",
        place="--check",
    )


def _matches(known: Mapping[str, Any], proposal: Proposal) -> bool:
    return (
        proposal.check in (None, known["check"])
        and proposal.mapping in (None, known["mapping"])
        and proposal.group in (None, known.get("id"))
    )


def _refuse_never(found: _Asked) -> None:
    if not may_be_waived(found.check, found.cause, found.difference):
        raise GuardError(
            "WAI-005",
            "nobody can accept this: it says that the toolkit or the mapping is wrong, not that the data differ",
            hint="See `waivers` in docs/auditor.md; load again, mend the mapping, or report it as our bug.",
            place="--check",
        )


def _maximum(proposal: Proposal, found: _Asked, keys: int) -> int:
    if proposal.maximum is not None:
        if not 1 <= proposal.maximum <= _LARGEST:
            raise UsageError(
                "WAI-010", "a waiver accepts at least one finding and no boundless number", hint="Give --max 1 or more."
            )
        return proposal.maximum
    return keys or found.count or 1


def _owner(session: Session, mapping: str) -> str:
    return session.mapping(mapping).owner or "" if mapping in session.files else ""


def _refuse_own(session: Session, kept: KeptWaiver, person: str) -> None:
    names = kept.waiver.mapping.split(" + ")
    owners = {kept.owner, *kept.owner.split(", "), *(_owner(session, name) for name in names)}
    mine = {person, *(role for key in workspace_trust(session.workspace).of_person(person) for role in key.roles)}
    if folded({kept.waiver.proposed_by}) & folded({person}) or folded(owners) & folded(mine):
        raise GuardError(
            "WAI-008",
            "who proposed a waiver or owns its mapping may not approve it",
            hint="Have somebody else approve: four eyes are two persons.",
            place="waiver",
        )


def _refuse_role(workspace: Workspace, key: SigningKey, person: str) -> None:
    wanted, trusted = workspace.model.waivers.approvers, workspace_trust(workspace).keys[key.id]
    if not set(wanted) & set(trusted.roles):
        raise GuardError(
            "WAI-019",
            f"{person} has the role {', '.join(trusted.roles)}, and {' or '.join(wanted)} approves waivers",
            hint="Have somebody in that role approve; waivers.approvers of workspace.yml names the roles.",
            place="waiver",
        )


_TOLD = (
    "event", "waiver_id", "person", "owner", "check_name", "mapping", "group_id", "maximum", "until", "signature",
)  # fmt: skip
"""What the evidence says of a waiver or what became of it; the rest by its digest."""


def _write(target: Target, name: str, values: Mapping[str, Any]) -> int:
    try:
        with target.engine.begin() as connection:
            number = new_id(connection.execute(sa.insert(table(connection, name)).values(**values)))
            told = {each: values[each] for each in _TOLD if each in values}
            whole = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
            add_evidence(connection, "waiver", {"table": name, "number": number, "sha256": whole, **told})
            return number
    except sa.exc.DBAPIError:
        raise SystemFailure(
            "WAI-011",
            "the waiver could not be written into the ledger",
            hint="Look whether the target can be written, and by whom; a run may hold it.",
            place="ledger",
        ) from None


