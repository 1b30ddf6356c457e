"""Waivers as the ledger keeps them: read back, with what happened to each, and with its signatures checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from casemodel import BrokenError, OmnicaseError, SystemFailure, Target, UsageError
from migrate.countersign import counting_trust
from migrate.keys import workspace_trust
from migrate.ledger.store import table
from migrate.workspace import Workspace
from reconciliation import Waiver
from runbooks import Trust, moment

PURPOSE = "waiver"
"""What a signature under a waiver is for."""
_ZONE = ZoneInfo("Europe/Amsterdam")
_MOMENT = "%Y-%m-%d %H:%M:%S.%f"


@dataclass(frozen=True)
class KeptWaiver:
    """A waiver of the ledger, with what happened to it.

    state: ``proposed``, ``approved``, ``expired`` or ``revoked``.
    """

    waiver: Waiver
    state: str
    owner: str
    proposed_at: str
    approved_at: str | None = None
    revoked_by: str | None = None
    revoked_reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as the published schema has it."""
        each = self.waiver
        return {
            "id": each.number, "state": self.state, "check": each.check, "mapping": each.mapping, "group": each.group,
            "keys": [list(key) for key in each.keys], "max": each.maximum, "until": each.until.isoformat(),
            "meaning": each.meaning, "reason": each.reason, "owner": self.owner, "proposed_by": each.proposed_by,
            "proposed_at": self.proposed_at, "approved_by": each.approved_by, "approved_at": self.approved_at,
            "signature": each.signature, "revoked_by": self.revoked_by, "revoked_reason": self.revoked_reason,
        }  # fmt: skip


def today() -> date:
    """Return the day that end dates are held against: that of the people who work with the counter."""
    return datetime.now(_ZONE).date()


def kept_waivers(target: Target, workspace: Workspace) -> list[KeptWaiver]:
    """Return every waiver of the ledger by number, its signatures checked."""
    with target.engine.connect() as connection:
        waiver, event = table(connection, "waiver"), table(connection, "waiver_event")
        rows = [dict(row) for row in connection.execute(sa.select(waiver).order_by(waiver.c.id)).mappings()]
        events = [dict(row) for row in connection.execute(sa.select(event).order_by(event.c.id)).mappings()]
    try:
        trust = counting_trust(workspace)
    except (BrokenError, SystemFailure):
        # A verdict is given all the same; no signature counts in it.
        trust = replace(workspace_trust(workspace), since={})
    return [_kept(row, [each for each in events if each["waiver_id"] == row["id"]], trust, workspace) for row in rows]


def signed_deeds(target: Target, workspace: Workspace) -> dict[int, list[dict[str, Any]]]:
    """Return by waiver what its proposer and approver signed, with the signatures, for who trusts no check of ours.

    ``signed`` is None where a deed was not signed.
    """
    with target.engine.connect() as connection:
        waiver, event = table(connection, "waiver"), table(connection, "waiver_event")
        rows = [dict(row) for row in connection.execute(sa.select(waiver).order_by(waiver.c.id)).mappings()]
        approvals = {
            row["waiver_id"]: dict(row)
            for row in connection.execute(
                sa.select(event).where(event.c.event == "approved").order_by(event.c.id.desc())
            ).mappings()
        }
    found = {}
    for row in rows:
        proposed, approval = proposed_document(row, workspace), approvals.get(row["id"])
        deeds = [(proposed, row)]
        if approval is not None:
            deeds.append((_with_approval(proposed, approval), approval))
        found[row["id"]] = [
            {"document": document, "signed": json.loads(deed["signature"] or "null")} for document, deed in deeds
        ]
    return found


def counting_waivers(target: Target, workspace: Workspace) -> list[Waiver]:
    """Return the waivers that a verdict is held against: those that were not revoked."""
    return [each.waiver for each in kept_waivers(target, workspace) if each.state != "revoked"]


def kept_waiver(target: Target, workspace: Workspace, number: int) -> KeptWaiver:
    """Return one waiver (UsageError WAI-007 when there is no such one)."""
    for kept in kept_waivers(target, workspace):
        if kept.waiver.number == number:
            return kept
    raise UsageError(
        "WAI-007", f"there is no waiver {number}", hint="See `omnicase waiver list`.", place="waiver"
    )


def folded(names: set[str]) -> set[str]:
    """Return names as they are compared: without case, none empty."""
    return {name.strip().casefold() for name in names if name.strip()}


def _kept(
    row: Mapping[str, Any], events: Sequence[Mapping[str, Any]], trust: Trust, workspace: Workspace
) -> KeptWaiver:
    approval = next((each for each in events if each["event"] == "approved"), None)
    revoked = next((each for each in events if each["event"] == "revoked"), None)
    waiver = Waiver(
        number=row["id"], check=row["check_name"], mapping=row["mapping"], group=row["group_id"],
        keys=tuple(tuple(key) for key in json.loads(row["keys"])), maximum=row["maximum"], meaning=row["meaning"],
        until=date.fromisoformat(row["until"]), reason=row["reason"], proposed_by=row["person"],
        approved_by=approval["person"] if approval else "",
    )  # fmt: skip
    if approval is not None:
        waiver = replace(waiver, signature=_signature(row, approval, trust, workspace))
    state = "proposed" if approval is None else "approved"
    if today() > waiver.until:
        state = "expired"
    if revoked is not None:
        state = "revoked"
    by, why = (revoked["person"], revoked["reason"]) if revoked else (None, None)
    return KeptWaiver(waiver, state, row["owner"], row["at"], approval["at"] if approval else None, by, why)


def _signature(row: Mapping[str, Any], approval: Mapping[str, Any], trust: Trust, workspace: Workspace) -> str:
    """Return ``signed`` when two persons signed what stands here, ``unsigned`` when neither did, else ``broken``."""
    if folded({row["person"]}) & folded({approval["person"]}) or folded(
        {row["owner"], *row["owner"].split(", ")}
    ) & folded({approval["person"]}):
        return "broken"
    if row["signature"] is None and approval["signature"] is None:
        return "unsigned"
    proposed = proposed_document(row, workspace)
    try:
        approvers = workspace.model.waivers.approvers
        for document, deed, roles in (
            (proposed, row, None), (_with_approval(proposed, approval), approval, approvers)
        ):  # fmt: skip
            signed = json.loads(deed["signature"] or "{}")
            key = trust.check(PURPOSE, document, signed, at=_signed_at(deed["at"]), roles=roles)
            if key.person != deed["person"]:
                return "broken"
    except (OmnicaseError, ValueError):
        return "broken"
    return "signed"


def _signed_at(at: str) -> str:
    return moment(datetime.strptime(at, _MOMENT).replace(tzinfo=UTC))


def proposed_document(row: Mapping[str, Any], workspace: Workspace) -> dict[str, Any]:
    """Return what the proposer signs: all of the waiver, and in which namespace it holds."""
    return {
        "deed": "proposed", "namespace": workspace.secrets.fingerprint, "check": row["check_name"],
        "mapping": row["mapping"], "group": row["group_id"], "keys": json.loads(row["keys"]),
        "max": row["maximum"], "meaning": row["meaning"], "until": row["until"], "reason": row["reason"],
        "proposed_by": row["person"], "proposed_at": row["at"], "owner": row["owner"],
    }  # fmt: skip


def _with_approval(proposed: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **proposed, "deed": "approved", "waiver": event["waiver_id"], "approved_by": event["person"],
        "approved_at": event["at"],
    }  # fmt: skip


def approved_document(target: Target, number: int, event: Mapping[str, Any], workspace: Workspace) -> dict[str, Any]:
    """Return what the approver signs: the proposal as it stands in the ledger, and who approves it when."""
    with target.engine.connect() as connection:
        waiver = table(connection, "waiver")
        row = dict(connection.execute(sa.select(waiver).where(waiver.c.id == number)).mappings().one())
    return _with_approval(proposed_document(row, workspace), event)
