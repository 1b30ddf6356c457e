"""Where passwords come from besides the environment: files that only their owner can read, and the keyring."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from casemodel import GuardError, RefusedError
from connectors.config import SystemConfig, refuse

_MOST = 65_536


def with_credentials(config: SystemConfig) -> SystemConfig:
    """Return settings with their secrets fetched: ``url`` and ``password`` may be ``{file: …}`` or ``{keyring: …}``.

    Raises:
        RefusedError: CON-003 a wrong setting, CON-004 the keyring is not installed, CON-096 there is no such secret.
        GuardError: CON-095 others can read the file.
    """
    url, password = config.options.get("url"), config.options.get("password")
    if not isinstance(url, Mapping) and not isinstance(password, Mapping):
        return config
    text = config.url
    if text is None:
        text = _secret(config, "url", url) if isinstance(url, Mapping) else str(url or "")
    if isinstance(password, Mapping):
        text = _with_password(config, text, password)
    rest = {name: value for name, value in config.options.items() if name not in ("url", "password")}
    return replace(config, options=rest, url=text)


def read_secret_file(path: Path, place: str) -> str:
    """Return the one line of a file that holds a secret.

    Raises:
        GuardError: CON-095 others than its owner can read it, or it belongs to somebody else (exit 6).
        RefusedError: CON-096 it cannot be read, or holds nothing (exit 4).
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        raise _none(place, f"the file {path.name} cannot be read") from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise _none(place, f"{path.name} is not a file")
        if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid not in (os.geteuid(), 0):
            raise GuardError(
                "CON-095",
                f"the file {path.name} holds a secret and can be read by others, or belongs to somebody else",
                hint="chmod 600 it, and let it belong to who runs omnicase.",
                place=place,
            )
        text = os.read(fd, _MOST).decode().strip()
    except (OSError, UnicodeDecodeError):
        raise _none(place, f"the file {path.name} cannot be read") from None
    finally:
        os.close(fd)
    if not text or "\n" in text:
        raise _none(place, f"the file {path.name} does not hold one line")
    return text


def _secret(config: SystemConfig, name: str, said: Mapping[str, Any]) -> str:
    if len(said) != 1 or not isinstance(next(iter(said.values())), str) or next(iter(said)) not in ("file", "keyring"):
        raise refuse(
            config,
            f"the setting {name} names neither a file nor an entry of the keyring",
            f"Write {name}: {{file: keys/{config.name}}} or {name}: {{keyring: SERVICE/USER}}.",
        )
    if "file" in said:
        return read_secret_file(config.located(said["file"]), f"systems.{config.name}")
    return _from_keyring(config, name, said["keyring"])


def _from_keyring(config: SystemConfig, name: str, entry: str) -> str:
    service, slash, user = entry.rpartition("/")
    if not slash or not service or not user:
        raise refuse(config, f"the setting {name}.keyring is no entry", f"Write {name}: {{keyring: SERVICE/USER}}.")
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise refuse(
            config, "the library for the keyring is not installed", "Install omnicase[keyring].", code="CON-004"
        ) from None
    try:
        found = keyring.get_password(service, user)
    except KeyringError:
        raise _none(f"systems.{config.name}", "the keyring is locked or not there") from None
    if not found:
        raise _none(f"systems.{config.name}", f"the keyring has no entry {entry}")
    return str(found)


def _with_password(config: SystemConfig, url: str, said: Mapping[str, Any]) -> str:
    """Return a URL with the password in it, unless it has one already, or needs none since a secret names no role."""
    try:
        parts = urlsplit(url)
        if parts.password is not None:
            return url
        user, host = parts.username, parts.netloc.rpartition("@")[2]
    except ValueError:
        user = host = None
    if not user and config.url is None and isinstance(config.options.get("url"), str):
        raise refuse(config, "the url names no role for the password", "Write url: postgresql://ROLE@HOST/DATABASE.")
    if not user:
        return url
    role = f"{parts.netloc.rpartition('@')[0]}:{quote(_secret(config, 'password', said), safe='')}"
    return urlunsplit((parts.scheme, f"{role}@{host}", parts.path, parts.query, parts.fragment))


def _none(place: str, what: str) -> RefusedError:
    return RefusedError(
        "CON-096",
        f"a secret was not found: {what}",
        hint="Put the password (or the whole URL) there, or give the URL in the environment.",
        place=place,
    )
