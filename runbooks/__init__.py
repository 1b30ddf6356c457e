"""Runbooks of rehearsal, cutover and rollback; keys, signatures and evidence.

The shipped runbooks lie in ``library/`` as Markdown; a workspace gets copies, and what runs is the copy.
"""

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
    "MACHINE",
    "SigningKey",
    "Trust",
    "TrustedKey",
    "canonical",
    "holds",
    "is_encrypted",
    "key_id",
    "load_trust",
    "make_private",
    "moment",
    "new_key",
    "open_private",
    "private_file",
    "private_folder",
    "refuse_short",
    "refuse_worthless",
    "require_persons",
    "revoked_key",
    "save_in_keyring",
    "save_private",
    "shipped_runbooks",
    "signed_bytes",
    "write_key",
]
