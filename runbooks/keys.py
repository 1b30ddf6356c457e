"""The trust folder: whose public keys count, in which roles, from when until when (`keys/*.json` of a workspace)."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from casemodel import GuardError, RefusedError, UsageError, read_regular_file
from runbooks.signing import decoded, holds, key_id

FORM = "omnicase key 1"
MACHINE = "machine"
"""The role of a key that belongs to no person: it signs heads, never an approval or a waiver."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}\Z")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_FIELDS = {"form", "algorithm", "key", "person", "roles", "public", "from", "until", "revoked", "revoked_reason"}


def moment(at: datetime) -> str:
    """Return an instant as keys and entries write it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime(_MOMENT)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key and what it is trusted for.

    Args:
        id: its short name, which follows from the key.
        person: whose it is; of a machine's key the machine.
        roles: in which its owner may sign.
        public: the raw 32 bytes.
        valid_from: UTC text ``YYYY-MM-DDTHH:MM:SSZ``; signatures before it do not count.
        valid_until: the same; None: without an end.
        revoked: since when it no longer counts; None: it does.
        reason: why it was revoked.
    """

    id: str
    person: str
    roles: tuple[str, ...]
    public: bytes
    valid_from: str
    valid_until: str | None = None
    revoked: str | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the key as the JSON of its file."""
        return {
            "form": FORM,
            "algorithm": "Ed25519",
            "key": self.id,
            "person": self.person,
            "roles": list(self.roles),
            "public": base64.b64encode(self.public).decode(),
            "from": self.valid_from,
            "until": self.valid_until,
            "revoked": self.revoked,
            "revoked_reason": self.reason,
        }

    def state(self, at: str) -> str:
        """Return ``valid``, ``revoked``, ``expired`` or ``not yet valid``: what the key is worth at a moment."""
        if self.revoked is not None and at >= self.revoked:
            return "revoked"
        if at < self.valid_from:
            return "not yet valid"
        if self.valid_until is not None and at >= self.valid_until:
            return "expired"
        return "valid"


@dataclass(frozen=True)
class Trust:
    """The keys of a trust folder by their ids.

    Args:
        since: by id from when each counts, as the evidence tells (`Announced`); None: the folder alone is asked.
        stands: whether a head that somebody signed is one of the evidence at hand; None: the evidence is not asked.
    """

    keys: Mapping[str, TrustedKey]
    since: Mapping[str, str] | None = None
    stands: Callable[[object], bool] | None = None

    def counts(self, key: TrustedKey, at: str) -> bool:
        """Return whether somebody had countersigned a key at a moment."""
        return self.since is None or self.since.get(key.id, "~") <= at

    def of_person(self, person: str) -> list[TrustedKey]:
        """Return the keys of a person, the newest first."""
        mine = [each for each in self.keys.values() if each.person == person]
        return sorted(mine, key=lambda each: (each.valid_from, each.id), reverse=True)

    def check(
        self,
        purpose: str,
        document: Mapping[str, Any],
        signed: Mapping[str, Any],
        *,
        at: str | None = None,
        roles: Iterable[str] | None = None,
    ) -> TrustedKey:
        """Return the key under a signature that counts.

        Args:
            purpose: what was signed for: ``waiver``, ``approval``, ``seal`` …
            document: what was signed.
            signed: ``{"key": id, "signature": base64}`` as `SigningKey.sign` returned it.
            at: the moment of signing (UTC text of `moment`); by default now.
            roles: one of them is asked for; None: whatever role, but not a machine's.

        Raises:
            GuardError: KEY-005 revoked, KEY-006 expired, KEY-007 not yet valid, KEY-008 unknown, KEY-009 the signature
                is not this key's under this document, KEY-010 without the role, KEY-019 nobody
                countersigned it (exit 6).
        """
        key = self.keys.get(str(signed.get("key")))
        if key is None:
            raise GuardError(
                "KEY-008",
                "the signature is of a key that is not in the workspace's keys/",
                hint="Have its owner make one with `omnicase key new`, and commit the file in keys/.",
                place="keys/",
            )
        refuse_worthless(key, at or moment(datetime.now(UTC)))
        if not holds(key.public, purpose, document, signed.get("signature")):
            raise GuardError(
                "KEY-009",
                f"the signature is not that of key {key.id} under this {purpose}",
                hint="What was signed was changed, or is another one; have it signed again.",
                place=key_file(key),
            )
        asked = None if roles is None else sorted(roles)
        if MACHINE in key.roles if asked is None else not set(asked) & set(key.roles):
            wanted = "a person" if asked is None else " or ".join(asked)
            raise GuardError(
                "KEY-010",
                f"{key.person} signed with key {key.id}, which does not have the role {wanted}",
                hint=f"It has: {', '.join(key.roles)}. Have somebody in that role sign.",
                place=key_file(key),
            )
        if MACHINE not in key.roles:
            self.refuse_uncounted(key, at or moment(datetime.now(UTC)))
        return key

    def refuse_uncounted(self, key: TrustedKey, at: str) -> None:
        """Refuse a key that nobody had countersigned at a moment (GuardError KEY-019, exit 6)."""
        if not self.counts(key, at):
            raise GuardError(
                "KEY-019",
                f"nobody had countersigned key {key.id} of {key.person} as its file has it at {at},"
                " so it counts for nothing",
                hint=f"Have an administrator or owner do so: `omnicase key countersign {key.id} --by PERSON`.",
                place=key_file(key),
            )


def refuse_worthless(key: TrustedKey, at: str) -> None:
    """Refuse a key that counts for nothing at a moment.

    Raises:
        GuardError: KEY-005 revoked, KEY-006 expired, KEY-007 not yet valid (exit 6).
    """
    state = key.state(at)
    again = "Sign with another key, or make one with `omnicase key new`."
    if state == "revoked":
        raise GuardError(
            "KEY-005", f"key {key.id} of {key.person} is revoked since {key.revoked}", hint=again, place=key_file(key)
        )
    if state == "expired":
        raise GuardError(
            "KEY-006", f"key {key.id} of {key.person} expired at {key.valid_until}", hint=again, place=key_file(key)
        )
    if state == "not yet valid":
        raise GuardError(
            "KEY-007",
            f"key {key.id} of {key.person} is valid from {key.valid_from} on",
            hint=again,
            place=key_file(key),
        )


def require_persons(keys: Sequence[TrustedKey], *, at_least: int, never: Iterable[str] = ()) -> list[str]:
    """Return the different persons behind keys that signed; somebody with two keys counts once.

    Args:
        keys: what `Trust.check` returned for each signature.
        at_least: how many persons are asked for.
        never: persons who may not be among them, such as who proposed or runs.

    Raises:
        GuardError: KEY-011 one of them may not, or they are too few (exit 6).
    """
    persons = sorted({key.person for key in keys})
    own = sorted(set(persons) & set(never))
    if own:
        raise GuardError(
            "KEY-011",
            f"{', '.join(own)} may not approve what is their own",
            hint="Have somebody else approve: four eyes are two persons, not two keys.",
            place="keys/",
        )
    if len(persons) < at_least:
        raise GuardError(
            "KEY-011",
            f"{at_least} persons are asked for and {len(persons)} signed",
            hint="Somebody with two keys counts once.",
            place="keys/",
        )
    return persons


def key_file(key: TrustedKey) -> str:
    """Return the place of a key in the workspace."""
    return f"keys/{key.person}-{key.id}.json"


def load_trust(folder: Path) -> Trust:
    """Read the public keys of a folder; one that does not exist holds none.

    Raises:
        RefusedError: KEY-001 a file is not a key as `key new` writes it (exit 4).
    """
    found: dict[str, TrustedKey] = {}
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        key = _read_key(file)
        if key.id in found:
            raise _refused(file, "the same key stands in two files")
        found[key.id] = key
    return Trust(found)


def _read_key(file: Path) -> TrustedKey:
    try:
        document = json.loads(read_regular_file(file), object_pairs_hook=_once)
    except (OSError, ValueError, RecursionError):
        raise _refused(file, "it cannot be read as JSON, or says something twice") from None
    return key_of(document, file)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def key_of(document: Any, file: Path) -> TrustedKey:
    """Return the key that the JSON of a file describes; RefusedError KEY-001 when it describes none."""
    if not isinstance(document, dict) or set(document) != _FIELDS or document["form"] != FORM:
        raise _refused(file, f"it is not a key of the form '{FORM}'")
    public = decoded(document["public"], 32)
    if document["algorithm"] != "Ed25519" or public is None:
        raise _refused(file, "it holds no Ed25519 key")
    if document["key"] != key_id(public):
        raise _refused(file, "its id does not belong to its key")
    roles = document["roles"]
    if not _is_name(document["person"]) or not isinstance(roles, list) or not roles or not all(map(_is_name, roles)):
        raise _refused(file, "person or roles are no names")
    times = (document["from"], document["until"], document["revoked"])
    if not is_moment(times[0]) or not all(each is None or is_moment(each) for each in times[1:]):
        raise _refused(file, "from, until or revoked is not written like 2026-11-30T12:00:00Z")
    reason = document["revoked_reason"]
    if not (reason is None or isinstance(reason, str)):
        raise _refused(file, "revoked_reason is no text")
    return TrustedKey(document["key"], document["person"], tuple(roles), public, *times, reason)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.match(value) is not None


def is_moment(value: object) -> bool:
    """Return whether a value is an instant as `moment` writes it."""
    try:
        return isinstance(value, str) and moment(datetime.strptime(value, _MOMENT).replace(tzinfo=UTC)) == value
    except ValueError:
        return False


def _refused(file: Path, cause: str) -> RefusedError:
    return RefusedError(
        "KEY-001",
        f"a file in keys/ is not to be used: {cause}",
        hint="Restore it from the history of the workspace; make keys with `omnicase key new` only.",
        place=f"keys/{file.name}",
    )


def new_key(
    public: bytes, person: str, roles: Sequence[str], valid_from: datetime, valid_until: datetime | None
) -> TrustedKey:
    """Return a public key bound to a person and roles.

    Raises:
        UsageError: KEY-012 a name cannot be used, or the end lies before the beginning (exit 2).
    """
    wrong = [each for each in (person, *roles) if not _is_name(each)]
    if wrong or not roles:
        raise UsageError(
            "KEY-012",
            "a person or role is not a name that keys can bear",
            hint="Small letters, digits, dots, dashes: --person p.eigenaar --role owner.",
            place="--person" if wrong and wrong[0] == person else "--role",
        )
    if MACHINE in roles and len(roles) > 1:
        raise UsageError("KEY-012", "a machine has no other role", hint="Leave the other roles out.", place="--role")
    if valid_until is not None and valid_until <= valid_from:
        raise UsageError("KEY-012", "the key ends before it begins", hint="Give a later --until.", place="--until")
    until = None if valid_until is None else moment(valid_until)
    return TrustedKey(key_id(public), person, tuple(dict.fromkeys(roles)), public, moment(valid_from), until)


def write_key(folder: Path, key: TrustedKey) -> Path:
    """Write a public key into the trust folder, whole or not at all, and return its file.

    Raises:
        RefusedError: KEY-002 it cannot be written (exit 4).
    """
    file = folder / f"{key.person}-{key.id}.json"
    partial = file.with_suffix(".partial")
    text = json.dumps(key.as_dict(), ensure_ascii=False, indent=2) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(file)
    except OSError:
        raise RefusedError(
            "KEY-002", "the public key cannot be written", hint="See who may write to keys/.", place=f"keys/{file.name}"
        ) from None
    return file


def revoked_key(key: TrustedKey, at: datetime, reason: str) -> TrustedKey:
    """Return a key that no longer counts from a moment on; what it signed before stays signed."""
    return replace(key, revoked=moment(at), reason=reason)
