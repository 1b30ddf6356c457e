"""Runbooks of rehearsal, cutover and rollback; keys, signatures and evidence.

The shipped runbooks lie in ``library/`` as Markdown; a workspace gets copies, and what runs is the copy.
"""

from runbooks.evidence.approvals import approval_statement, check_approval, facts_digest, signed_approval
from runbooks.evidence.entries import Happening, Head, Origin, entry_line, instant, line_hash, parsed
from runbooks.evidence.problems import KINDS, Problem, Verdict
from runbooks.evidence.seals import Expected, expected_head, seal_statement, sealed, short_code
from runbooks.evidence.verify import chain_head, last_line, verify_file, verify_lines
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
from runbooks.shipped import shipped_runbooks
from runbooks.signing import SigningKey, canonical, holds, key_id, signed_bytes

__all__ = [
    "KINDS",
    "MACHINE",
    "Expected",
    "Happening",
    "Head",
    "Origin",
    "Problem",
    "SigningKey",
    "Trust",
    "TrustedKey",
    "Verdict",
    "approval_statement",
    "canonical",
    "chain_head",
    "check_approval",
    "entry_line",
    "expected_head",
    "facts_digest",
    "holds",
    "instant",
    "is_encrypted",
    "key_id",
    "last_line",
    "line_hash",
    "load_trust",
    "make_private",
    "moment",
    "new_key",
    "open_private",
    "parsed",
    "private_file",
    "private_folder",
    "refuse_short",
    "refuse_worthless",
    "require_persons",
    "revoked_key",
    "save_in_keyring",
    "save_private",
    "seal_statement",
    "sealed",
    "shipped_runbooks",
    "short_code",
    "signed_approval",
    "signed_bytes",
    "verify_file",
    "verify_lines",
    "write_key",
]
