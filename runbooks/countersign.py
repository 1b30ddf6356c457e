"""Countersignatures: who may vouch for a key, and what they sign.

A key counts when somebody else, whose key counts and who is administrator or owner, has countersigned it. The first two
countersign each other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from casemodel import GuardError
from runbooks.keys import Trust, TrustedKey, key_file, moment

FORM: Final = "omnicase countersignature 1"
PURPOSE: Final = "countersignature"
COUNTERSIGN: Final = "countersign"
REVOKE: Final = "revoke"
VOUCHERS: Final = frozenset({"administrator", "owner"})
"""The roles whose holders countersign keys and revocations."""


def countersigned_document(action: str, key: TrustedKey, person: str, head: str) -> dict[str, Any]:
    """Return what a person signs who countersigns a key or its revocation.

    Args:
        action: ``countersign`` or ``revoke``.
        head: the newest entry of the evidence: it binds the signature to this chain.
    """
    at = moment(datetime.now(UTC))
    return {"form": FORM, "action": action, "key": key.as_dict(), "person": person, "evidence_head": head, "at": at}


def refuse_voucher(trust: Trust, signer: TrustedKey, key: TrustedKey, *, first: bool) -> None:
    """Refuse who may not countersign a key.

    Args:
        first: whether no key counts yet, so that the first two countersign each other.

    Raises:
        GuardError: KEY-010 without the role, KEY-011 it is their own, KEY-019 nobody countersigned theirs (exit 6).
    """
    if not VOUCHERS & set(signer.roles):
        raise GuardError(
            "KEY-010",
            f"{signer.person} does not have the role administrator or owner; only those countersign keys",
            hint=f"It has: {', '.join(signer.roles)}. Have somebody in that role sign.",
            place=key_file(signer),
        )
    if signer.person == key.person:
        raise GuardError(
            "KEY-011",
            f"{signer.person} may not countersign what is their own",
            hint="Have somebody else do it: four eyes are two persons, not two keys.",
            place=key_file(key),
        )
    if not first:
        trust.refuse_uncounted(signer, moment(datetime.now(UTC)))
