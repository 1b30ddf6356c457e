"""What an entry says, judged where it stands: its form, its moment, the keys it tells of, and what is signed in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from runbooks.evidence.announced import Announced
from runbooks.evidence.chain import Chain, Line
from runbooks.evidence.entries import START
from runbooks.evidence.problems import Problem
from runbooks.keys import MACHINE, Trust

CLOCK_SECONDS = 5
"""By so much may clocks of several machines differ without a word."""
SIGNED_KINDS = ("command", "genesis", "seal")
"""Kinds of entries that a machine with a key signs."""
_MOST_DIGITS = 17
"""Numbers of entries have fewer: they are below 2^53."""
_PLAIN = 10
"""So many fields has an entry that is neither signed nor late."""


class Content:
    """Judges entries one after the other.

    Args:
        trust: the keys of the trust folder.
        chain: the chain that they stand in, for the heads that signatures name.
    """

    def __init__(self, trust: Trust, chain: Chain) -> None:
        self.last_signed = 0
        self.declared = 0
        self.late = 0
        self.set_back = 0
        self._trust = trust
        self._chain = chain
        self._last_at = ""
        self.keys = Announced(trust)
        self._runners: dict[str, set[str]] = {}
        self._given: set[str] = set()

    def problems(self, seq: int, line: Line) -> list[Problem]:
        """Return what is wrong with the entry in a place."""
        entry = line.entry
        if entry is None:
            return []
        found = []
        if not line.is_canonical:
            found.append(Problem(seq, "not-canonical", "the entry is not written in canonical JSON"))
        if seq == 1 and (entry["kind"] != "genesis" or entry["prev"] != START):
            found.append(Problem(seq, "no-genesis", "the first entry does not begin a chain"))
        if entry["at"] < self._last_at or len(entry) > _PLAIN:
            found += self._clock(seq, entry)
        self._last_at = entry["at"]
        # Most entries are batches, which nobody signs.
        if entry["kind"] != "batch" or "signed" in entry:
            self.set_back += entry["kind"] == "set-back"
            found += self.keys.learn(seq, entry)
            found += self._signed(seq, entry)
            found += self._of_people(seq, entry)
        return found

    def _of_people(self, seq: int, entry: Mapping[str, Any]) -> Iterator[Problem]:
        kind, what = entry["kind"], entry["what"]
        if kind == "runbook" and what.get("type") in ("run-started", "run-resumed"):
            self._runners.setdefault(str(what.get("run")), set()).add(str(what.get("person")))
        elif kind in ("approval", "withdrawal"):
            yield from self._approval(seq, entry["at"], kind, what)
        elif kind == "seal":
            yield from self._seal(seq, entry["at"], what)
        elif kind == "key" and isinstance(what.get("document"), dict):
            yield from self._names_seen(seq, what["document"])

    def _clock(self, seq: int, entry: Mapping[str, Any]) -> Iterator[Problem]:
        self.late += "late" in entry
        if "clock" in entry:
            self.declared += 1
        elif entry["at"] < self._last_at:
            behind = _seconds(entry["at"], self._last_at)
            if behind is None:
                yield Problem(seq, "malformed", "its moment, or that of the entry before, is none")
            elif behind > CLOCK_SECONDS:
                yield Problem(seq, "clock", f"the clock stands {int(behind)} s before that of the entry before")

    def _signed(self, seq: int, entry: dict[str, Any]) -> Iterator[Problem]:
        """Judge the machine's signature, which also signs the head before."""
        signed = entry.get("signed")
        if signed is None:
            if entry["kind"] in SIGNED_KINDS and str(entry["where"].get("machine")) in self.keys.machines:
                yield Problem(seq, "unsigned", "the machine has a key and did not sign")
            return
        bare = {name: value for name, value in entry.items() if name != "signed"}
        found = list(self.keys.judged(seq, "entry", bare, signed, entry["at"]))
        if not found:
            key = self._trust.keys[signed["key"]]
            # What waited may be chained by another machine than it happened on.
            here = "late" in entry or key.person == entry["where"].get("machine")
            if MACHINE not in key.roles or not here:
                found = [Problem(seq, "wrong-role", f"key {key.id} is not that of the machine it comes from")]
        if not found:
            self.last_signed = seq
            self.keys.signers.add(signed["key"])
        yield from found

    def _approval(self, seq: int, at: str, purpose: str, what: Mapping[str, Any]) -> Iterator[Problem]:
        """Judge an approval of a gate, or its withdrawal: who signed it, for which run, and which head was seen."""
        document, signed = what.get("document"), what.get("signed")
        if not isinstance(document, dict) or not isinstance(signed, dict):
            yield Problem(seq, "malformed", "it is an approval without what was signed")
            return
        found = list(self.keys.judged(seq, purpose, document, signed, at))
        if found:
            yield from found
            return
        key = self._trust.keys[signed["key"]]
        run = str(document.get("run"))
        runners = what.get("runners")
        if purpose == "approval" and (
            key.person in self._runners.get(run, ()) or (isinstance(runners, list) and key.person in runners)
        ):
            yield Problem(seq, "self-approval", f"{key.person} runs {run} and approved it")
        if key.person != document.get("person") or MACHINE in key.roles:
            yield Problem(seq, "wrong-role", f"key {key.id} is not that of the person who is named")
        name = f"{purpose} {document.get('approval')}"
        if name in self._given or what.get("run", run) != run:
            yield Problem(seq, "replayed-approval", f"it was given before by {key.person}, or for another run")
        self._given.add(name)
        yield from self._names_seen(seq, document)
        self.last_signed = seq

    def _seal(self, seq: int, at: str, what: Mapping[str, Any]) -> Iterator[Problem]:
        seal = what.get("seal")
        signed = seal.get("signed") if isinstance(seal, dict) else None
        if not isinstance(seal, dict) or not isinstance(signed, dict):
            yield Problem(seq, "malformed", "it is a seal without a signature")
            return
        statement = {name: value for name, value in seal.items() if name not in ("signed", "code")}
        found = list(self.keys.judged(seq, "seal", statement, signed, at))
        if not found and statement.get("project") != self._chain.project:
            found = [Problem(seq, "another-project", "it is a seal of another project")]
        yield from found or self._names_head(seq, statement.get("seq"), statement.get("head"))

    def _names_seen(self, seq: int, document: Mapping[str, Any]) -> Iterator[Problem]:
        named = document.get("evidence_head")
        if isinstance(named, str):
            number, _, value = named.partition(":")
            is_number = number.isascii() and number.isdigit() and len(number) < _MOST_DIGITS
            yield from self._names_head(seq, int(number) if is_number else None, value)

    def _names_head(self, seq: int, named: object, value: object) -> Iterator[Problem]:
        """Judge a head that somebody signed: it must stand before, as it was seen."""
        if type(named) is not int or not isinstance(value, str) or named < 0:
            yield Problem(seq, "malformed", "it names a head that is none")
        elif named >= seq:
            yield Problem(seq, "cut-off", f"entry {named} was seen by who signed it, and does not stand before it")
        elif (START if named == 0 else (self._chain.digest(named) or b"").hex()) != value:
            yield Problem(named, "rewritten", f"entry {seq} signs another entry {named} than stands there")


def _seconds(earlier: str, later: str) -> float | None:
    """Return how long after one moment another is; None when one of them has the form of a moment and is none."""
    try:
        return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
    except ValueError:
        return None
