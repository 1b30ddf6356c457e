"""`evidence verify`, `head`, `seal`: the file is brought up to date where the target can be reached, then judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from casemodel import BrokenError, SystemFailure
from migrate.evidence.head import head_of, seals_folder
from migrate.evidence.invocation import bring_up_to_date
from migrate.evidence.record import tell
from migrate.evidence.recorder import Recorder
from migrate.evidence.waiting import waiting
from migrate.keys import AsksPassphrase, machine_signer
from migrate.paper import write_paper
from migrate.workspace import Workspace
from runbooks import (
    Expected,
    Head,
    Problem,
    SigningKey,
    Verdict,
    expected_head,
    load_trust,
    moment,
    seal_statement,
    sealed,
    verify_file,
)


@dataclass(frozen=True)
class Verified:
    """The verdict on one file.

    Args:
        waiting: how many entries wait for the target.
        current: whether the file was brought up to date: None where the target could not be reached.
    """

    file: Path
    verdict: Verdict
    waiting: int
    current: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return {**self.verdict.as_dict(), "file": str(self.file), "waiting": self.waiting, "current": self.current}


def verify(workspace: Workspace, file: Path | None, keys: Path | None, expected: Sequence[str]) -> Verified:
    """Judge the evidence of the workspace's target, or a file; nothing is added to the evidence.

    Args:
        file: another file; then neither workspace.yml nor target is needed.
        keys: another trust folder than the workspace's ``keys/``.
        expected: heads, short codes or files of seals that were kept elsewhere.

    Raises:
        UsageError: EVI-004 an expected head cannot be used.
        RefusedError: KEY-001 a file of the trust folder is no key.
        SystemFailure: EVI-005 the file cannot be read.
    """
    recorder = Recorder(workspace)
    return _verified(
        file or recorder.file,
        keys or workspace.root / "keys",
        [expected_head(each) for each in expected],
        waiting(recorder.pending) if file is None else 0,
        bring_up_to_date(recorder) if file is None else None,
    )


def verify_alone(file: Path, keys: Path, expected: Sequence[str]) -> Verified:
    """Judge a file by a trust folder, without a workspace (errors as `verify`)."""
    return _verified(file, keys, [expected_head(each) for each in expected], 0, None)


def _verified(file: Path, keys: Path, expected: Sequence[Expected], wait: int, current: bool | None) -> Verified:
    trust = load_trust(keys)
    if not file.exists():
        problem = Problem(0, "missing", "there is no file of evidence")
        return Verified(file, Verdict(0, Head(), "", (problem,), (), ()), wait, current)
    try:
        verdict = verify_file(file, trust, expected)
    except OSError:
        raise SystemFailure(
            "EVI-005", "the file of the evidence cannot be read", hint="See whose it is.", place=str(file)
        ) from None
    return Verified(file, verdict, wait, current)


def seal(workspace: Workspace, person: str | None, ask: AsksPassphrase) -> tuple[dict[str, Any], Path]:
    """Sign the head of the chain and write the seal into ``evidence/seals/``.

    Args:
        person: who signs; None: this machine.

    Raises:
        GuardError: DBS-003, EVI-002 there is no evidence yet (exit 6).
        BrokenError: EVI-011 evidence is gone, EVI-003 it is broken, so it is not sealed (exit 8).
        GuardError: KEY-… the key does not count, is not here or does not open (exit 6).
    """
    head, _ = head_of(workspace)
    found = verify(workspace, None, None, ())
    if not found.verdict.valid:
        raise BrokenError(
            "EVI-003",
            f"the evidence is broken ({found.verdict.problems[0].kind}), so it is not sealed",
            hint="See `omnicase evidence verify`.",
            place=str(found.file.relative_to(workspace.root)),
        )
    made = sealed(
        _signer(workspace, person, ask), seal_statement(head, found.verdict.project, moment(datetime.now(UTC)))
    )
    file = seals_folder(workspace) / f"{found.file.stem}-{head.seq}.json"
    write_paper(file, json.dumps(made, indent=2) + "\n")
    tell("seal", {"seal": made})
    return made, file


def _signer(workspace: Workspace, person: str | None, ask: AsksPassphrase) -> SigningKey:
    if person is not None:
        from migrate.countersign import counting_signer

        return counting_signer(workspace, person, ask)
    machine = machine_signer(workspace)
    if machine is None:
        from casemodel import GuardError

        raise GuardError(
            "EVI-006",
            "this machine has no key that counts, and nobody was named who signs",
            hint="Add --person NAME, or make a key with `omnicase key new --machine`.",
            place="keys/",
        )
    return machine
