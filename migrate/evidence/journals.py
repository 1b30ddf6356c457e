"""Journals of runbooks in the evidence: every entry of a journal is told of at once, approvals with what was signed."""

from __future__ import annotations

from typing import Any

from casemodel import OmnicaseError
from migrate.evidence.head import head_of
from migrate.evidence.invocation import finish
from migrate.evidence.recorder import Recorder
from migrate.workspace import Workspace
from runbooks import Entry, Happening, RunState

_SIGNED = {"approved": "approval", "withdrawn": "withdrawal"}


def tell_of_journal(workspace: Workspace, entry: Entry, state: RunState) -> None:
    """Chain what a journal says: which line of which run, by whom; of what is signed the document and the signature."""
    what: dict[str, Any] = {
        "run": state.run,
        "runbook": state.runbook,
        "runbook_sha256": state.digest,
        "line": entry.seq,
        "type": entry.type,
        "sha256": entry.hash,
        "person": entry.person,
    }
    step = entry.body.get("step")
    if isinstance(step, str):
        what["step"] = step
    kind = _SIGNED.get(entry.type, "runbook")
    if kind != "runbook":
        what |= {"runners": list(state.runners), "document": entry.body["document"], "signed": entry.body["signed"]}
    finish(Recorder(workspace), [Happening(kind, what)])


def head_seen(workspace: Workspace) -> str | None:
    """Return the head of the evidence as approvals sign it, ``number:hash``; None while there is none."""
    try:
        head, _ = head_of(workspace)
    except OmnicaseError:
        return None
    return f"{head.seq}:{head.hash}"
