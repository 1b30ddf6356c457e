"""The keys of a workspace: made, listed, revoked, and used to sign (`keys/`, DESIGN.md, section 8)."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from casemodel import GuardError, SystemFailure
from migrate.evidence.record import tell
from migrate.workspace import Workspace
from runbooks import (
    MACHINE,
    SigningKey,
    Trust,
    TrustedKey,
    is_encrypted,
    load_trust,
    make_private,
    moment,
    new_key,
    open_private,
    private_file,
    private_folder,
    refuse_short,
    refuse_worthless,
    save_in_keyring,
    save_private,
    write_key,
)

OF_DEMO = Path("keys", "private")
"""The folder of a demo in which its private keys lie; git ignores it, and a bag leaves it out."""

AsksPassphrase = Callable[[str], str]
"""Given a person's name, returns the passphrase of that person's key."""


@dataclass(frozen=True)
class MadeKey:
    """A new key and where its private half lies (None: in the keyring)."""

    key: TrustedKey
    private: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {"key": described(self.key), "private": None if self.private is None else str(self.private)}


def described(key: TrustedKey) -> dict[str, Any]:
    """Return a public key with its state now, as JSON values."""
    return {**key.as_dict(), "state": key.state(moment(datetime.now(UTC)))}


def private_keys(workspace: Workspace) -> Path:
    """Return where the private keys lie: of a demo in the demo, so that they go when it goes; else with the user.

    Only where the namespace is public, which production refuses: other workspaces are kept in git and handed out.
    """
    own = workspace.root / OF_DEMO
    is_demo = workspace.model.namespace.public is not None and own.is_dir() and not own.is_symlink()
    return own if is_demo and not os.environ.get("OMNICASE_KEYS") else private_folder()


def workspace_trust(workspace: Workspace) -> Trust:
    """Return the public keys of a workspace (RefusedError KEY-001 when a file is none)."""
    return load_trust(workspace.root / "keys")


def machine_name() -> str:
    """Return the name under which this machine's key stands: host and system user, in the letters that keys can bear.

    Another user of the machine cannot read the private key, so the key is not that of the whole machine.
    """
    name = f"{socket.gethostname()}-{getpass.getuser()}".lower()
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in ".-_") else "-" for sign in name)
    return f"machine-{kept[:50]}".rstrip("-._")


def make_key(
    workspace: Workspace,
    person: str,
    roles: Sequence[str],
    valid_from: datetime | None,
    valid_until: datetime | None,
    ask: AsksPassphrase,
    *,
    keyring: bool = False,
) -> MadeKey:
    """Make a key, keep its private half, and write the public one into the workspace's ``keys/``.

    Args:
        valid_from: by default now.
        ask: asked once for the new passphrase; a machine's key has none.
        keyring: keep the private half in the keyring of the system instead of a file.

    Raises:
        UsageError: KEY-012 a name cannot be used.
        GuardError: KEY-013 the passphrase is too short.
        RefusedError: KEY-001 a file in keys/ is no key, KEY-002 the public key cannot be written, KEY-016 no keyring.
        SystemFailure: KEY-014 the private key cannot be written.
    """
    workspace_trust(workspace)
    made = make_private(person)
    key = new_key(made.public, person, roles, valid_from or datetime.now(UTC), valid_until)
    passphrase = None if MACHINE in roles else ask(person)
    if passphrase is not None:
        refuse_short(passphrase)
    file = None
    if keyring:
        save_in_keyring(made, passphrase)
    else:
        file = save_private(private_keys(workspace), made, passphrase)
    write_key(workspace.root / "keys", key)
    tell("key", {"action": "new", "key": key.as_dict()})
    return MadeKey(key, file)


def give_machine_key(root: Path, folder: Path | None = None) -> MadeKey | None:
    """Make a key of this machine for a new workspace; None where the folder of private keys cannot be written.

    The private half has no passphrase, since runs at night have nobody to type one: it lies in a file of mode 0600.

    Args:
        root: the folder of the workspace.
        folder: where the private half goes; None: with the user, outside the workspace.
    """
    made = make_private(machine_name())
    try:
        file = save_private(folder or private_folder(), made, None)
    except (SystemFailure, RuntimeError):
        # RuntimeError: the user of the system has no home.
        return None
    key = new_key(made.public, made.person, [MACHINE], datetime.now(UTC), None)
    write_key(root / "keys", key)
    return MadeKey(key, file)


def give_demo_key(root: Path) -> MadeKey | None:
    """Make a key of this machine for a demo, whose private half lies in the demo (unless OMNICASE_KEYS names a folder).

    Args:
        root: the folder of the demo.
    """
    if os.environ.get("OMNICASE_KEYS"):
        return give_machine_key(root)
    own = root / OF_DEMO
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    (own / ".gitignore").write_text("# Private keys of this demo, gone with it.\n*\n", encoding="utf-8")
    return give_machine_key(root, own)


def machine_key_lines(made: MadeKey | None) -> list[str]:
    """Return what is said of the machine's key of a new workspace."""
    if made is None:
        return ["This machine has no key, so heads of the evidence are not signed: omnicase key new --machine"]
    return [f"This machine signs the evidence with key {made.key.id}; its private half is {made.private}."]


def signer(workspace: Workspace, person: str, ask: AsksPassphrase) -> SigningKey:
    """Open the newest key of a person that counts now and whose private half is here.

    Args:
        ask: gives the passphrase when the key has one.

    Raises:
        GuardError: KEY-003 others can read the private key, KEY-004 it is not here, KEY-005 to KEY-007 the key does
            not count, KEY-008 the person has none, KEY-015 the passphrase is wrong (exit 6).
    """
    mine = workspace_trust(workspace).of_person(person)
    if not mine:
        raise GuardError(
            "KEY-008",
            f"{person} has no key in the workspace's keys/",
            hint="Make one with `omnicase key new --person NAME --role ROLE`.",
            place="keys/",
        )
    now = moment(datetime.now(UTC))
    counting = [key for key in mine if key.state(now) == "valid"]
    if not counting:
        refuse_worthless(mine[0], now)
    folder = private_keys(workspace)
    here = [key for key in counting if private_file(folder, key.id).exists()] or counting
    passphrase = ask(person) if is_encrypted(folder, here[0]) else None
    return open_private(folder, here[0], passphrase)


def machine_signer(workspace: Workspace, trust: Trust | None = None) -> SigningKey | None:
    """Return this machine's key, which signs heads; None when it has none that counts (`key new --machine`)."""
    now, folder = moment(datetime.now(UTC)), private_keys(workspace)
    for key in (trust or workspace_trust(workspace)).of_person(machine_name()):
        if MACHINE in key.roles and key.state(now) == "valid" and private_file(folder, key.id).exists():
            return open_private(folder, key, None)
    return None
