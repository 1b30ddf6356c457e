"""A chain of evidence made for tests: keys, a run with batches, a runbook with approvals, a seal, signed heads."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runbooks import (
    Happening,
    Head,
    Origin,
    SigningKey,
    TrustedKey,
    canonical,
    entry_line,
    instant,
    line_hash,
    make_private,
    moment,
    new_key,
    revoked_key,
    seal_statement,
    sealed,
    write_key,
)

START = datetime(2026, 11, 30, 12, tzinfo=UTC)
PROJECT = "demo:0123456789abcdef"
MACHINE = "machine-vm-root"
Change = Callable[[dict[str, Any]], None]


@dataclass
class World:
    """Keys by person, and the lines of a chain as they grow.

    Args:
        project: of the chain.
    """

    project: str = PROJECT
    lines: list[bytes] = field(default_factory=list)
    private: dict[str, SigningKey] = field(default_factory=dict)
    public: dict[str, TrustedKey] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    """The numbers of entries by what they are."""

    def key(self, person: str, *roles: str, start: datetime = START, end: datetime | None = None) -> None:
        self.private[person] = make_private(person)
        self.public[person] = new_key(self.private[person].public, person, roles, start, end)

    @property
    def head(self) -> Head:
        return Head(len(self.lines), line_hash(self.lines[-1])) if self.lines else Head()

    def now(self, number: int | None = None) -> datetime:
        return START + timedelta(minutes=len(self.lines) if number is None else number)

    def add(self, kind: str, what: Mapping[str, Any], *, name: str = "", signer: SigningKey | None = None, **more: Any) -> None:
        at = more.pop("at", instant(self.now()))
        origin = Origin(self.project, {"user": "root"}, {"host": "vm", "machine": MACHINE, "workspace": "demo"})
        told = Happening(kind, what, at, f"{len(self.lines):032x}")
        self.lines.append(entry_line(self.head, origin, told, at=at, signer=signer, **more))
        self.places[name or kind] = len(self.lines)

    def command(self, *words: str) -> None:
        self.add("command", {"command": list(words), "status": 0}, signer=self.private["machine"])

    def approval(self, signer: str, *, run: str = "cutover-1", name: str = "4f", by: str = "m.engineer", **changed: Any) -> dict[str, Any]:
        document = {
            "form": "omnicase approval 1", "approval": name, "run": run, "gate": "go", "digest": "ab" * 32,
            "facts": {"reconcile.findings": 0}, "evidence_head": f"{self.head.seq}:{self.head.hash}",
            "person": signer, "at": moment(self.now()),
        } | changed
        return {"run": run, "runners": [by], "document": document, "signed": self.private[signer].sign("approval", document)}

    def countersign(self, signer: str, whose: str, key: TrustedKey | None = None, *, action: str = "countersign", **changed: Any) -> dict[str, Any]:
        """Somebody countersigns the key of a person, or its revocation."""
        told = (key or self.public[whose]).as_dict()
        document = {
            "form": "omnicase countersignature 1", "action": action, "key": told, "person": self.private[signer].person,
            "evidence_head": f"{self.head.seq}:{self.head.hash}", "at": moment(self.now()),
        } | changed
        return {"action": action, "key": told, "document": document, "signed": self.private[signer].sign("countersignature", document)}

    def seal(self, signer: str = "p.eigenaar") -> dict[str, Any]:
        return sealed(self.private[signer], seal_statement(self.head, self.project, moment(self.now())))


def made_world() -> World:
    """Return a chain of 30 entries or so in which everything is as it should be."""
    world = World()
    for person, role in (("machine", "machine"), ("m.engineer", "engineer"), ("f.beheer", "administrator"), ("p.eigenaar", "owner")):
        world.key(person, role)
    world.public["machine"] = new_key(world.private["machine"].public, MACHINE, ["machine"], START, None)
    first = [world.public[name].as_dict() for name in ("machine", "m.engineer", "p.eigenaar", "f.beheer")]
    world.add("genesis", {"keys": first, "project": world.project}, signer=world.private["machine"])
    for by, whose in (("f.beheer", "p.eigenaar"), ("p.eigenaar", "f.beheer"), ("p.eigenaar", "machine"), ("f.beheer", "m.engineer")):
        world.add("key", world.countersign(by, whose))
    for number in range(1, 8):
        world.add("batch", {"run": 1, "mapping": "zaak.case", "batch": number, "books": {"read": 97, "inserted": 90 + number % 7}})
    world.add("run-ended", {"run": 1, "state": "completed"})
    world.command("run", "--label", "generale")
    world.add("verdict", {"number": 1, "verdict": "in_balance"}, late=instant(START))
    world.command("reconcile")
    world.add("runbook", {"run": "cutover-1", "type": "run-started", "person": "m.engineer", "line": 1})
    world.add("approval", world.approval("f.beheer", name="01"), name="first approval")
    world.add("approval", world.approval("p.eigenaar", name="02"), name="second approval")
    world.add("wave", {"wave": "parking", "event": "live"})
    world.command("wave", "live", "parking")
    world.add("seal", {"seal": world.seal()}, signer=world.private["machine"])
    for number in range(4):
        world.add("batch", {"run": 2, "mapping": "zaak.case", "batch": number, "books": {"read": 3}})
    world.command("run")
    return world


def rechained(lines: Iterable[bytes], start: int, *, resign: SigningKey | None = None, unsign: bool = False) -> list[bytes]:
    """Return lines of which those from number `start` on hold the hashes as an insider works them out anew.

    Args:
        resign: a key that signs what was signed.
        unsign: leave signatures of the machine out.
    """
    made: list[bytes] = []
    for number, line in enumerate(lines, 1):
        if number < start:
            made.append(line)
            continue
        entry = json.loads(line)
        entry["seq"], entry["prev"] = number, line_hash(made[-1]) if made else "0" * 64
        if "signed" in entry and (resign or unsign):
            entry.pop("signed")
            if resign is not None:
                entry["signed"] = resign.sign("entry", entry)
        made.append(canonical(entry))
    return made


def changed(line: bytes, change: Change) -> bytes:
    """Return a line with something changed, in canonical form."""
    entry = copy.deepcopy(json.loads(line))
    change(entry)
    return canonical(entry)


def write_evidence(folder: Path, lines: Iterable[bytes], keys: Iterable[TrustedKey], *, end: bytes = b"\n") -> tuple[Path, Path]:
    """Write a file and a trust folder, and return both."""
    folder.mkdir(parents=True, exist_ok=True)
    file, trust = folder / "evidence.jsonl", folder / "keys"
    file.write_bytes(b"".join(line + end for line in lines))
    trust.mkdir(exist_ok=True)
    for each in trust.iterdir():
        each.unlink()
    for key in keys:
        write_key(trust, key)
    return file, trust


def lost(key: TrustedKey, at: datetime) -> TrustedKey:
    """Return a key that was revoked."""
    return revoked_key(key, at, "laptop lost")
