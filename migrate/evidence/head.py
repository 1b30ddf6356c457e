"""The end of the chain: what is sealed, shown, signed by people; without one a command is refused, and says why."""

from __future__ import annotations

from pathlib import Path

from casemodel import BrokenError, GuardError
from migrate.evidence.invocation import bring_up_to_date
from migrate.evidence.recorder import FOLDER, Recorder
from migrate.target.opened import workspace_target
from migrate.workspace import Workspace
from runbooks import Head, chain_head

_SEALS = "seals"


def seals_folder(workspace: Workspace) -> Path:
    """Return the folder of the seals, which may not be there yet."""
    return workspace.root / FOLDER / _SEALS


def head_of(workspace: Workspace) -> tuple[Head, bool | None]:
    """Return the end of the chain, and whether the file is up to date; None when the target cannot be reached.

    Raises:
        BrokenError: EVI-011 there was evidence, and it is gone or ends in no entry (exit 8).
        GuardError: DBS-003 the target is not upgraded, EVI-002 nothing was recorded yet (exit 6).
        SystemFailure: TGT-021 to TGT-023 there is no file, and the target is not there or cannot be reached (exit 5).
    """
    recorder = Recorder(workspace)
    current = bring_up_to_date(recorder)
    head = chain_head(recorder.file)
    if head.seq == 0:
        _refuse_gone(recorder, current)
        workspace_target(workspace).close()
        raise GuardError(
            "EVI-002",
            "there is no evidence yet, so it has no head that could be signed",
            hint="Run `omnicase db upgrade`; every command adds to it.",
            place=_shown(recorder),
        )
    return head, current


def _refuse_gone(recorder: Recorder, current: bool | None) -> None:
    """Refuse where there must have been evidence: something else stands in its file, or a seal of it was kept."""
    something = recorder.file.exists() and recorder.file.stat().st_size > 0
    named = (file.stem.rpartition("-") for file in seals_folder(recorder.workspace).glob("*.json"))
    sealed = any(target == recorder.target and number.isdigit() for target, _, number in named)
    if something or sealed or current is False:
        raise BrokenError(
            "EVI-011",
            "there was evidence, and it is gone or does not end in an entry",
            hint="See `omnicase evidence verify`; put the file back from a copy; the target has it too.",
            place=_shown(recorder),
        )


def _shown(recorder: Recorder) -> str:
    return str(recorder.file.relative_to(recorder.workspace.root))
