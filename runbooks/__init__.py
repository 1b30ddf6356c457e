"""Runbooks of rehearsal, cutover and rollback; keys, signatures and evidence.

The shipped runbooks lie in ``library/`` as Markdown; a workspace gets copies, and what runs is the copy.
"""

from runbooks.approvals import (
    WITHDRAWING,
    GateView,
    approve,
    own_approval,
    skip_gate,
    view_gate,
    withdrawal_document,
)
from runbooks.engine import Engine, Waits, refuse_changed, start_run
from runbooks.execute import cleaned
from runbooks.facts import FACTS, WAVE_FACTS, Fact, FactValue, fact_names
from runbooks.findings import LINT_CODES, LintFinding, nearest
from runbooks.hands import Hands, Talk
from runbooks.journal import Entry, Journal
from runbooks.keys import (
    MACHINE,
    Trust,
    TrustedKey,
    load_trust,
    moment,
    new_key,
    refuse_worthless,
    require_persons,
    revoked_key,
    write_key,
)
from runbooks.lint import errors, lint, read_runbook, runbook_files, twins
from runbooks.lint_commands import words_of
from runbooks.parse import Parsed
from runbooks.people import key_roles, persons_of, require_owner
from runbooks.private_keys import (
    is_encrypted,
    make_private,
    open_private,
    private_file,
    private_folder,
    refuse_short,
    save_in_keyring,
    save_private,
)
from runbooks.runbook import CONSOLE, GATE, MANUAL, Runbook, Step
from runbooks.shipped import shipped_runbooks
from runbooks.signing import SigningKey, canonical, holds, key_id, signed_bytes
from runbooks.state import RunState, StepState, fold
from runbooks.surroundings import CHANGES, FORBIDDEN, READS, CommandCheck, Surroundings

__all__ = [
    "CHANGES",
    "CONSOLE",
    "FACTS",
    "FORBIDDEN",
    "GATE",
    "LINT_CODES",
    "MACHINE",
    "MANUAL",
    "READS",
    "WAVE_FACTS",
    "WITHDRAWING",
    "CommandCheck",
    "Engine",
    "Entry",
    "Fact",
    "FactValue",
    "GateView",
    "Hands",
    "Journal",
    "LintFinding",
    "Parsed",
    "RunState",
    "Runbook",
    "SigningKey",
    "Step",
    "StepState",
    "Surroundings",
    "Talk",
    "Trust",
    "TrustedKey",
    "Waits",
    "approve",
    "canonical",
    "cleaned",
    "errors",
    "fact_names",
    "fold",
    "holds",
    "is_encrypted",
    "key_id",
    "key_roles",
    "lint",
    "load_trust",
    "make_private",
    "moment",
    "nearest",
    "new_key",
    "open_private",
    "own_approval",
    "persons_of",
    "private_file",
    "private_folder",
    "read_runbook",
    "refuse_changed",
    "refuse_short",
    "refuse_worthless",
    "require_owner",
    "require_persons",
    "revoked_key",
    "runbook_files",
    "save_in_keyring",
    "save_private",
    "shipped_runbooks",
    "signed_bytes",
    "skip_gate",
    "start_run",
    "twins",
    "view_gate",
    "withdrawal_document",
    "words_of",
    "write_key",
]
