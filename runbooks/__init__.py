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
from runbooks.countersign import COUNTERSIGN, REVOKE, VOUCHERS, countersigned_document, refuse_voucher
from runbooks.countersign import PURPOSE as COUNTERSIGNATURE
from runbooks.engine import Engine, Waits, refuse_changed, start_run
from runbooks.evidence.announced import Announced, Telling, announced_in, telling_lines
from runbooks.evidence.entries import Happening, Head, Origin, entry_line, instant, line_hash, parsed
from runbooks.evidence.problems import KINDS, Problem, Verdict
from runbooks.evidence.seals import Expected, expected_head, seal_statement, sealed, short_code
from runbooks.evidence.verify import chain_head, last_line, verify_file, verify_lines
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
    "COUNTERSIGN",
    "COUNTERSIGNATURE",
    "FACTS",
    "FORBIDDEN",
    "GATE",
    "KINDS",
    "LINT_CODES",
    "MACHINE",
    "MANUAL",
    "READS",
    "REVOKE",
    "VOUCHERS",
    "WAVE_FACTS",
    "WITHDRAWING",
    "Announced",
    "CommandCheck",
    "Engine",
    "Entry",
    "Expected",
    "Fact",
    "FactValue",
    "GateView",
    "Hands",
    "Happening",
    "Head",
    "Journal",
    "LintFinding",
    "Origin",
    "Parsed",
    "Problem",
    "RunState",
    "Runbook",
    "SigningKey",
    "Step",
    "StepState",
    "Surroundings",
    "Talk",
    "Telling",
    "Trust",
    "TrustedKey",
    "Verdict",
    "Waits",
    "announced_in",
    "approve",
    "canonical",
    "chain_head",
    "cleaned",
    "countersigned_document",
    "entry_line",
    "errors",
    "expected_head",
    "fact_names",
    "fold",
    "holds",
    "instant",
    "is_encrypted",
    "key_id",
    "key_roles",
    "last_line",
    "line_hash",
    "lint",
    "load_trust",
    "make_private",
    "moment",
    "nearest",
    "new_key",
    "open_private",
    "own_approval",
    "parsed",
    "persons_of",
    "private_file",
    "private_folder",
    "read_runbook",
    "refuse_changed",
    "refuse_short",
    "refuse_voucher",
    "refuse_worthless",
    "require_owner",
    "require_persons",
    "revoked_key",
    "runbook_files",
    "save_in_keyring",
    "save_private",
    "seal_statement",
    "sealed",
    "shipped_runbooks",
    "short_code",
    "signed_bytes",
    "skip_gate",
    "start_run",
    "telling_lines",
    "twins",
    "verify_file",
    "verify_lines",
    "view_gate",
    "withdrawal_document",
    "words_of",
    "write_key",
]
