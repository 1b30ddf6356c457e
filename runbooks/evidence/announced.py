"""The keys as the entries of a chain tell of them: which there are, which count from where on, which no longer do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runbooks.countersign import COUNTERSIGN, PURPOSE, VOUCHERS
from runbooks.evidence.entries import START, parsed
from runbooks.evidence.problems import Problem
from runbooks.keys import MACHINE, Trust, TrustedKey
from runbooks.signing import holds

_BOUND = ("person", "roles", "public", "from", "until")
_PREV = re.compile(rb'"prev":"([0-9a-f]{64})"')
"""The first one in a line is the entry's own: the names of its fields are sorted, and none before it holds another."""
_HASH_BYTES = 32
_MOST_DIGITS = 16
_TELLING = (b'"kind":"genesis"', b'"kind":"key"')


class Announced:
    """Learns from entries, one after the other.

    Args:
        trust: the keys of the trust folder.
    """

    def __init__(self, trust: Trust) -> None:
        self.first: tuple[str, ...] = ()
        """The two keys that countersigned each other before any other counted; empty: no key counts yet."""
        self.counts: dict[str, str] = {}
        """The keys that somebody countersigned, and from which moment on they count."""
        self.pairs: set[tuple[str, str]] = set()
        """Who countersigned whose key, by their ids."""
        self.revoked: set[str] = set()
        self.machines: set[str] = set()
        """The machines that have a key, and so sign."""
        self.signers: set[str] = set()
        """The keys of machines under entries that hold."""
        self._trust = trust
        self.told: dict[str, Mapping[str, Any]] = {}
        """The keys by id, as they were first told of."""

    def learn(self, seq: int, entry: Mapping[str, Any]) -> Iterator[Problem]:
        """Learn the keys that an entry tells of, and yield what is wrong with it."""
        what = entry["what"]
        if entry["kind"] == "genesis":
            told = what.get("keys", [])
        elif entry["kind"] == "key":
            told = [what.get("key")]
        else:
            return
        for each in told if isinstance(told, list) else [None]:
            if isinstance(each, dict) and isinstance(each.get("key"), str):
                yield from self._tell(seq, entry, each)
            else:
                yield Problem(seq, "malformed", "it tells of a key that is none")

    def _tell(self, seq: int, entry: Mapping[str, Any], key: Mapping[str, Any]) -> Iterator[Problem]:
        what, name = entry["what"], key["key"]
        self.told.setdefault(name, key)
        if entry["kind"] == "key" and ("document" in what or "signed" in what):
            found = list(self._vouched(seq, entry["at"], key, what))
            if found:
                yield from found
                return
        elif key.get("revoked") is not None and self.first:
            # What a later genesis says of keys is what entries before it said.
            if entry["kind"] == "key":
                yield Problem(seq, "uncountersigned-key", f"nobody signed that key {name} is revoked")
            return
        if key.get("revoked") is not None:
            self.revoked.add(name)
            self.machines.discard(str(key.get("person")))
        elif isinstance(key.get("roles"), list) and MACHINE in key["roles"]:
            self.machines.add(str(key.get("person")))

    def _vouched(self, seq: int, at: str, key: Mapping[str, Any], what: Mapping[str, Any]) -> Iterator[Problem]:
        """Judge a countersignature, and learn whom it lets count."""
        document, signed = what.get("document"), what.get("signed")
        if not isinstance(document, dict) or not isinstance(signed, dict):
            yield Problem(seq, "malformed", "it is a countersignature without what was signed")
            return
        bound = document.get("key") == key and document.get("action") == what.get("action")
        if not bound or not isinstance(document.get("evidence_head"), str):
            yield Problem(seq, "malformed", "what was countersigned is not what the entry tells of")
            return
        found = list(self.judged(seq, PURPOSE, document, signed, at))
        if found:
            yield from found
            return
        mine = self._trust.keys[signed["key"]]
        if mine.person != document.get("person") or not VOUCHERS & set(mine.roles):
            yield Problem(seq, "wrong-role", f"key {mine.id} of {mine.person} countersigns no keys")
        elif mine.person == key.get("person"):
            yield Problem(seq, "self-approval", f"{mine.person} countersigned a key of their own")
        elif what.get("action") == COUNTERSIGN:
            self._pair(mine.id, str(key["key"]), at)

    def _pair(self, signer: str, key: str, at: str) -> None:
        self.pairs.add((signer, key))
        if not self.first and (key, signer) in self.pairs:
            self.first = (key, signer)
            self.counts |= {key: at, signer: at}
        for name in {to for by, to in self.pairs if by in self.counts}:
            self.counts.setdefault(name, at)

    def judged(
        self, seq: int, purpose: str, document: Mapping[str, Any], signed: Mapping[str, Any], at: str
    ) -> Iterator[Problem]:
        """Judge a signature: whether the key is known, told of, counts at the moment, and signed this."""
        name = signed.get("key")
        key = self._trust.keys.get(name) if isinstance(name, str) else None
        if key is None:
            yield Problem(seq, "unknown-key", "the key is not in the trust folder")
            return
        moment = f"{at[:19]}Z"
        state = key.state(moment)
        if key.id in self.revoked or state == "revoked":
            yield Problem(seq, "revoked-key", f"key {key.id} of {key.person} was revoked")
        elif state != "valid":
            yield Problem(seq, "expired-key", f"key {key.id} of {key.person} was {state} at {moment}")
        elif not holds(key.public, purpose, document, signed.get("signature")):
            yield Problem(seq, "bad-signature", f"the signature is not that of key {key.id} of {key.person}")
        elif key.id not in self.told or not self._is_as_told(key):
            yield Problem(seq, "unannounced-key", f"no entry before tells of key {key.id} of {key.person} as it is")
        elif MACHINE not in key.roles and key.id not in self.counts and (self.first or purpose != PURPOSE):
            yield Problem(seq, "uncountersigned-key", f"nobody had countersigned key {key.id} of {key.person}")

    def left(self) -> Iterator[Problem]:
        """Yield what is wrong with the trust folder once all entries are known."""
        for key in self._trust.keys.values():
            whose = f"key {key.id} of {key.person}"
            if key.id not in self.told:
                yield Problem(0, "unannounced-key", f"no entry tells of {whose}")
            elif not self._is_as_told(key):
                yield Problem(0, "unannounced-key", f"entries tell otherwise of {whose}")
            elif key.id in self.revoked and key.revoked is None:
                yield Problem(0, "unannounced-key", f"{whose} was revoked, its file does not say so")
            elif key.revoked is not None and key.id not in self.revoked:
                yield Problem(0, "unannounced-key", f"no entry tells that {whose} was revoked, its file does")
            elif self._lacks_voucher(key):
                yield Problem(0, "uncountersigned-key", f"nobody countersigned {whose}")
        for name in sorted(self.told.keys() - self._trust.keys.keys()):
            yield Problem(0, "missing-key", f"entries tell of key {name}, which is not in the trust folder")

    def _lacks_voucher(self, key: TrustedKey) -> bool:
        """Return whether a key should have been countersigned: a machine's once there is somebody who can."""
        needs = bool(self.first) if MACHINE in key.roles else key.revoked is None
        return needs and key.id not in self.counts

    def counting_since(self) -> dict[str, str]:
        """Return by id from when each key counts whose file says what entries told of it, revocation too."""
        return {
            name: f"{at[:19]}Z"
            for name, at in self.counts.items()
            if (key := self._trust.keys.get(name)) is not None
            and self._is_as_told(key)
            and (key.id in self.revoked) == (key.revoked is not None)
        }

    def _is_as_told(self, key: TrustedKey) -> bool:
        told, is_now = self.told[key.id], key.as_dict()
        return all(told.get(name) == is_now[name] for name in _BOUND)


class Telling:
    """What a whole chain tells of keys, and which heads it ever had.

    Args:
        lines: the entries that tell of keys, in their order.
        digests: the SHA-256 of every line, one after the other.
    """

    def __init__(self, lines: list[bytes], digests: bytearray) -> None:
        self.lines = lines
        self._digests = digests

    def stands(self, head: object) -> bool:
        """Return whether a head that somebody signed (``number:hash``) is one of this chain."""
        number, _, value = head.partition(":") if isinstance(head, str) else ("", "", "")
        if not (number.isascii() and number.isdigit() and 0 < len(number) < _MOST_DIGITS):
            return False
        place = int(number)
        if place == 0:
            return value == START
        return self._digests[(place - 1) * _HASH_BYTES : place * _HASH_BYTES].hex() == value


def telling_lines(lines: Iterable[bytes]) -> Telling | None:
    """Return what a chain tells of keys.

    None when an entry does not hold the hash of the one before, or when a countersignature was given over the head of
    another chain: who can add entries could bring it over from there.

    Args:
        lines: those of a file of evidence, with their newlines.
    """
    before, found = START, Telling([], bytearray())
    for line in lines:
        text = line.rstrip(b"\n")
        named = _PREV.search(text)
        if named is None or named[1].decode() != before:
            return None
        if any(each in text for each in _TELLING):
            if not _saw_this_chain(text, found):
                return None
            found.lines.append(text)
        digest = hashlib.sha256(text)
        before = digest.hexdigest()
        found._digests += digest.digest()
    return found


def _saw_this_chain(line: bytes, before: Telling) -> bool:
    entry = parsed(line)
    document = entry["what"].get("document") if entry is not None and entry["kind"] == "key" else None
    return not isinstance(document, dict) or before.stands(document.get("evidence_head"))


def announced_in(lines: Iterable[bytes], trust: Trust) -> Announced:
    """Return what entries tell of keys: those of `telling_lines`, in their order."""
    found = Announced(trust)
    for line in lines:
        entry = parsed(line)
        if entry is not None:
            list(found.learn(entry["seq"], entry))
    return found
