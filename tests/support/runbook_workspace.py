"""A small workspace with runbooks of the test's own, and people with keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from command_line import Answer, in_process
from key_circle import countersign_all
from waves_workspace import make

PASSPHRASE = "vier ogen zien meer"
RUNBOOK = """\
---
runbook: switch
title: Switch a wave
version: 1
wave: a
roles:
  engineer: [m.engineer]
  administrator: [f.beheer, g.beheer]
  owner: [p.eigenaar]
---

## Tell
```manual id=tell owner=administrator timeout=30m rollback=untell
Everybody knows.
```

## Go
```gate id=go owner=owner approvals=2 roles=administrator,owner timeout=1h
waves.open == 3 and not wave.a.live
```

## Live
```console id=live owner=engineer timeout=5m expect=0 rollback=back
omnicase unlock --reason "nobody works now"
```

## Back
```console id=back owner=engineer timeout=5m expect=0,3
omnicase unlock --reason "rolled back"
```
```manual id=untell owner=administrator timeout=30m
Everybody knows the other thing.
```
"""


@dataclass
class People:
    """Invokes the command line in a workspace, with the private keys of everybody in one folder."""

    folder: Path
    keys: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Answer:
        given = {"OMNICASE_KEYS": str(self.keys), "OMNICASE_PASSPHRASE": PASSPHRASE, **self.env, **(env or {})}
        return in_process("-C", self.folder, *arguments, env=given)

    def key(self, person: str, *roles: str, until: str | None = None) -> str:
        """Make a key, have it countersigned where somebody can, and return its id."""
        options = [part for role in roles for part in ("--role", role)] + (["--until", until] if until else [])
        answer = self("--format", "json", "key", "new", "--person", person, *options)
        assert answer.status == 0, answer.err
        countersign_all(self)
        return str(answer.document["key"]["key"])

    def run(self, name: str = "switch", by: str = "m.engineer", *options: str) -> Answer:
        """Run a runbook as far as it goes."""
        return self("--format", "json", "runbook", "run", name, "--by", by, *options)

    def approve(self, gate: str, by: str, run: str = "last") -> Answer:
        """Approve a gate."""
        return self("--format", "json", "runbook", "approve", run, gate, "--by", by)

    def confirm(self, step: str, by: str, run: str = "last") -> Answer:
        """Confirm a manual step."""
        return self("--format", "json", "runbook", "confirm", run, step, "--by", by)

    def status(self, run: str = "last") -> dict:
        """Return the document of `runbook status`."""
        answer = self("--format", "json", "runbook", "status", run)
        assert answer.status == 0, answer.err
        return answer.document

    def steps(self, run: str = "last") -> dict[str, str]:
        """Return the status of every step of a run."""
        return {each["step"]: each["status"] for each in self.status(run)["steps"]}

    def journal(self, run: str) -> Path:
        """Return the journal of a run."""
        return self.folder / "reports/runbooks" / run / "journal.jsonl"

    def entries(self, run: str, kind: str) -> list[dict]:
        """Return the bodies of the entries of a type."""
        lines = map(json.loads, self.journal(run).read_text().splitlines())
        return [each["body"] for each in lines if each["type"] == kind]


def people(folder: Path, text: str = RUNBOOK) -> People:
    """Make a workspace of three waves with one runbook, upgraded and not loaded."""
    made = make(folder / "workspace")
    write(made, text)
    return People(made, folder / "private")


def write(workspace: Path, text: str) -> None:
    """Write the runbook ``switch`` of a workspace."""
    (workspace / "runbooks").mkdir(exist_ok=True)
    (workspace / "runbooks/switch.md").write_text(text)


def code(answer: Answer) -> str:
    """Return the code of the error with which a command ended."""
    text = answer.out.strip().splitlines()
    return str(json.loads(text[-1])["code"]) if text and text[-1].startswith("{") else answer.err.split()[0]


