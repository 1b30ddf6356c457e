"""Private keys: encrypted PKCS#8 in files that only their owner can read, or an entry of the keyring.

They lie outside the workspace, which is kept in git and handed to auditors.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from casemodel import GuardError, RefusedError, SystemFailure
from runbooks.keys import TrustedKey
from runbooks.signing import SigningKey

SERVICE = "omnicase"
"""The service under which the keyring keeps private keys; the user is the key's id."""
SHORTEST_PASSPHRASE = 12
_MOST = 65_536


def private_folder() -> Path:
    """Return the folder of the private keys: OMNICASE_KEYS, else ``~/.config/omnicase/keys``."""
    given = os.environ.get("OMNICASE_KEYS")
    if given:
        return Path(given).absolute()
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "omnicase" / "keys"


def private_file(folder: Path, key: str) -> Path:
    """Return the file of a private key by its id."""
    return folder / f"{key}.pem"


def make_private(person: str) -> SigningKey:
    """Make a new Ed25519 key."""
    return SigningKey(Ed25519PrivateKey.generate(), person)


def refuse_short(passphrase: str) -> None:
    """Refuse a passphrase that is soon guessed (GuardError KEY-013, exit 6)."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise GuardError(
            "KEY-013",
            f"the passphrase has fewer than {SHORTEST_PASSPHRASE} characters",
            hint="Take four words, for instance.",
            place="passphrase",
        )


def save_private(folder: Path, key: SigningKey, passphrase: str | None) -> Path:
    """Write a private key to a new file that only its owner can read, and return it.

    Args:
        passphrase: encrypts the key; None for a machine's, which nobody types one for.

    Raises:
        SystemFailure: KEY-014 the file cannot be written (exit 5).
    """
    file = private_file(folder, key.id)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(_pem(key, passphrase))
            opened.flush()
            os.fsync(opened.fileno())
    except OSError:
        raise SystemFailure(
            "KEY-014",
            "the private key cannot be written",
            hint="Name a folder of your own in OMNICASE_KEYS.",
            place=str(file),
        ) from None
    return file


def _pem(key: SigningKey, passphrase: str | None) -> bytes:
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode())
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def open_private(folder: Path, key: TrustedKey, passphrase: str | None) -> SigningKey:
    """Open the private key that belongs to a public one.

    Raises:
        GuardError: KEY-003 others can read the file, KEY-004 no such private key here, KEY-015 the passphrase is wrong
            or was not given, or it is another key (exit 6).
    """
    file = private_file(folder, key.id)
    pem = _read(file) if os.path.lexists(file) else _from_keyring(key)
    if pem is None:
        raise GuardError(
            "KEY-004",
            f"the private key {key.id} of {key.person} is not here",
            hint="Name the folder that holds it in OMNICASE_KEYS, or sign where it is.",
            place=str(file),
        )
    try:
        private = load_pem_private_key(pem, None if passphrase is None else passphrase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey) or private.public_key().public_bytes_raw() != key.public:
        raise GuardError(
            "KEY-015",
            f"the private key {key.id} of {key.person} does not open",
            hint="Give its passphrase (in batch as OMNICASE_PASSPHRASE); only Ed25519 keys of `key new` are taken.",
            place=str(file),
        )
    return SigningKey(private, key.person)


def is_encrypted(folder: Path, key: TrustedKey) -> bool:
    """Return whether a passphrase must be asked for, as far as the file says (GuardError KEY-003 as `open_private`)."""
    file = private_file(folder, key.id)
    pem = _read(file) if os.path.lexists(file) else _from_keyring(key)
    return pem is not None and b"ENCRYPTED" in pem.partition(b"\n")[0]


def _read(file: Path) -> bytes:
    """Read a private key; what others can read is no secret any more."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        raise GuardError(
            "KEY-004", "the private key cannot be read", hint="See whose the file is.", place=str(file)
        ) from None
    try:
        found = os.fstat(handle)
        mine = found.st_uid in (os.geteuid(), 0)
        if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o077 or not mine:
            raise GuardError(
                "KEY-003",
                "the file of the private key can be read by others, or belongs to somebody else",
                hint="Take it for known: revoke the key, make another one, and keep it where nobody else reads.",
                place=str(file),
            )
        return os.read(handle, _MOST)
    finally:
        os.close(handle)


def save_in_keyring(key: SigningKey, passphrase: str | None) -> None:
    """Keep a private key as an entry of the system's keyring.

    Raises:
        RefusedError: KEY-016 the library is not installed (exit 4).
        SystemFailure: KEY-014 the keyring takes no entry (exit 5).
    """
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise RefusedError(
            "KEY-016",
            "the library for the keyring is not installed",
            hint="Install omnicase[keyring], or leave --keyring out.",
            place="--keyring",
        ) from None
    try:
        keyring.set_password(SERVICE, key.id, _pem(key, passphrase).decode())
    except KeyringError:
        raise SystemFailure(
            "KEY-014", "the keyring does not take the private key", hint="Unlock it, or leave --keyring out.",
            place="--keyring",
        ) from None  # fmt: skip


def _from_keyring(key: TrustedKey) -> bytes | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        return None
    try:
        found = keyring.get_password(SERVICE, key.id)
    except KeyringError:
        return None
    return found.encode() if found else None
