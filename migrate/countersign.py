"""Which keys count, by what the evidence tells; and countersigning them, or their revocation, with a key that does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from casemodel import BrokenError, GuardError, OmnicaseError, SystemFailure, UsageError
from migrate.evidence.head import head_of
from migrate.evidence.invocation import bring_up_to_date
from migrate.evidence.record import tell
from migrate.evidence.recorder import Recorder
from migrate.keys import AsksPassphrase, described, signer, workspace_trust
from migrate.workspace import Workspace
from runbooks import (
    COUNTERSIGN,
    COUNTERSIGNATURE,
    REVOKE,
    Announced,
    SigningKey,
    Telling,
    Trust,
    TrustedKey,
    announced_in,
    countersigned_document,
    moment,
    refuse_voucher,
    revoked_key,
    telling_lines,
    write_key,
)

_LONGEST_REASON = 500


@dataclass(frozen=True)
class Countersigned:
    """What countersigning brought.

    Args:
        keys: those that were countersigned.
        counting: those that count from now on.
        waiting: those of `keys` that do not count yet: whoever signed has a key that does not either.
    """

    keys: tuple[TrustedKey, ...]
    counting: tuple[TrustedKey, ...]
    waiting: tuple[TrustedKey, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {"countersigned": [key.id for key in self.keys], "counting": [key.id for key in self.counting]}


def announced(workspace: Workspace) -> Announced:
    """Return what the evidence of the workspace's target tells of keys; without evidence no key counts.

    Raises:
        BrokenError: EVI-008 the file is no whole chain, or not that of the ledger: then nobody knows (exit 8).
        SystemFailure: EVI-005 the file cannot be read: nobody knows either (exit 5).
    """
    trust = workspace_trust(workspace)
    told = _told(workspace)
    return Announced(trust) if told is None else announced_in(told.lines, trust)


def _told(workspace: Workspace) -> Telling | None:
    """Return what the evidence of the target at hand tells; None while there is none (errors as `announced`)."""
    try:
        file = Recorder(workspace).file
        current = bring_up_to_date(Recorder(workspace))
        told = _telling(file, file.stat().st_size, file.stat().st_mtime_ns)
    except (OmnicaseError, FileNotFoundError):
        return None
    except OSError:
        raise SystemFailure(
            "EVI-005",
            "the file of the evidence cannot be read, so it is not known which keys count",
            hint="See whose it is.",
            place=f"evidence/{file.name}",
        ) from None
    if current is False or told is None:
        raise BrokenError(
            "EVI-008",
            "the evidence is broken, so it is not known which keys count",
            hint="See `omnicase evidence verify`.",
            place=f"evidence/{file.name}",
        )
    return told


@lru_cache(maxsize=4)
def _telling(file: Path, _size: int, _changed: int) -> Telling | None:
    """Return what a file tells of keys; read once as long as it does not change."""
    with file.open("rb") as lines:
        return telling_lines(lines)


def counting_trust(workspace: Workspace) -> Trust:
    """Return the public keys of a workspace, from when on each counts by the evidence of the target, and its heads.

    Raises:
        RefusedError: KEY-001 a file in keys/ is no key.
        BrokenError: EVI-008 the evidence is broken.
    """
    trust, told = workspace_trust(workspace), _told(workspace)
    if told is None:
        return replace(trust, since=Announced(trust).counting_since(), stands=lambda _head: False)
    return replace(trust, since=announced_in(told.lines, trust).counting_since(), stands=told.stands)


def counting_signer(workspace: Workspace, person: str, ask: AsksPassphrase) -> SigningKey:
    """Open the key of a person, which somebody countersigned.

    Raises:
        GuardError: KEY-019 nobody did; else as `signer`.
    """
    trust = counting_trust(workspace)
    key = signer(workspace, person, ask)
    trust.refuse_uncounted(trust.keys[key.id], moment(datetime.now(UTC)))
    return key


def listed_keys(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the keys of a workspace with their state, and who countersigned them."""
    known, trust = announced(workspace), workspace_trust(workspace)
    since = known.counting_since()
    found = []
    for key in trust.keys.values():
        by = sorted(trust.keys[signer].person for signer, to in known.pairs if to == key.id and signer in trust.keys)
        found.append({**described(key), "countersigned_by": by, "counts": key.id in since})
    return found


def countersign_keys(workspace: Workspace, names: Sequence[str], person: str, ask: AsksPassphrase) -> Countersigned:
    """Vouch for keys of others: each counts from then on, the first two once they have vouched for each other.

    Args:
        names: ids of the keys.
        person: who countersigns.

    Raises:
        UsageError: KEY-017 there is no such key (exit 2).
        GuardError: DBS-003, EVI-002 there is no evidence yet that could be signed (exit 6).
        GuardError: KEY-010, KEY-011, KEY-019 the person may not; KEY-… the person has no key that counts (exit 6).
    """
    known, trust = announced(workspace), workspace_trust(workspace)
    keys = [_known(trust, name) for name in names]
    mine = _voucher(workspace, known, person, keys, ask)
    head = _head(workspace)
    pairs = set(known.pairs)
    for key in keys:
        _tell(COUNTERSIGN, key, mine, head)
        pairs.add((mine.id, key.id))
    first = known.first or next((pair for pair in pairs if pair[::-1] in pairs), ())
    counting = {*known.counts, *first}
    counting |= {to for by, to in pairs if by in counting}
    new = [trust.keys[name] for name in sorted(counting - known.counts.keys()) if name in trust.keys]
    return Countersigned(tuple(keys), tuple(new), tuple(key for key in keys if key.id not in counting))


def revoke_key(workspace: Workspace, name: str, reason: str, person: str | None, ask: AsksPassphrase) -> TrustedKey:
    """Write into a public key that it no longer counts from now on.

    Args:
        person: who signs the revocation; None: nobody, as long as no key counts.

    Raises:
        UsageError: KEY-017 there is no such key, or it is revoked already; KEY-018 no reason (exit 2).
        GuardError: KEY-020 somebody must sign; KEY-… the person may not, or has no key that counts (exit 6).
    """
    told = reason.strip()
    if not 0 < len(told) <= _LONGEST_REASON:
        raise UsageError("KEY-018", "a key is revoked with a reason, which is kept", hint='Add --reason "why".')
    known, trust = announced(workspace), workspace_trust(workspace)
    key = _known(trust, name)
    if key.revoked is not None and (key.id in known.revoked or key.id not in known.told):
        raise _unknown(trust)
    if person is None and known.first:
        raise GuardError(
            "KEY-020",
            "keys of this workspace count, so the revocation of one is signed by an administrator or owner",
            hint="Add --by PERSON; nobody signs for their own key.",
            place="--by",
        )
    # Of one that another target's evidence tells of, the moment stays.
    gone = key if key.revoked is not None else revoked_key(key, datetime.now(UTC), told)
    if person is None:
        write_key(workspace.root / "keys", gone)
        tell("key", {"action": REVOKE, "key": gone.as_dict()})
        return gone
    mine = _voucher(workspace, known, person, [key], ask)
    head = _head(workspace)
    write_key(workspace.root / "keys", gone)
    _tell(REVOKE, gone, mine, head)
    return gone


def _tell(action: str, key: TrustedKey, signer: SigningKey, head: str) -> None:
    document = countersigned_document(action, key, signer.person, head)
    signed = signer.sign(COUNTERSIGNATURE, document)
    tell("key", {"action": action, "key": key.as_dict(), "document": document, "signed": signed})


def _voucher(
    workspace: Workspace, known: Announced, person: str, keys: Sequence[TrustedKey], ask: AsksPassphrase
) -> SigningKey:
    trust = counting_trust(workspace)
    mine = signer(workspace, person, ask)
    for key in keys:
        refuse_voucher(trust, trust.keys[mine.id], key, first=not known.first)
    return mine


def _head(workspace: Workspace) -> str:
    head, _current = head_of(workspace)
    return f"{head.seq}:{head.hash}"


def _known(trust: Trust, name: str) -> TrustedKey:
    key = trust.keys.get(name)
    if key is None:
        raise _unknown(trust)
    return key


def _unknown(trust: Trust) -> UsageError:
    known = ", ".join(sorted(each.id for each in trust.keys.values() if each.revoked is None)) or "none"
    return UsageError(
        "KEY-017",
        "there is no such key that still counts",
        hint=f"Known: {known}; see `omnicase key list`.",
        place="keys/",
    )
