"""Secrets are looked for by their values in everything that goes into a bag; one found refuses the bag."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from casemodel import GuardError
from migrate.bag.payload import CHUNK
from migrate.workspace import Workspace, namespace_secret

_SHORTEST: Final = 4
_OVERLAP: Final = 4_096
_NAMED: Final = re.compile(r"^OMNICASE_\w*(PASS|SECRET|TOKEN|PWD)\w*$")
_PRIVATE_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_IN_URL: Final = re.compile(rb"[a-z][a-z0-9+.-]*://[^\s/:@\"'<>]*:([^\s/@\"'<>]+)@", re.IGNORECASE)


def refuse_secrets(workspace: Workspace, folder: Path) -> None:
    """Refuse a payload that holds a password, the secret namespace or a private key.

    Args:
        folder: the payload as it was written, so that nothing is exchanged between looking and taking.

    Raises:
        GuardError: BAG-005.
    """
    known = {each.encode() for each in _known(workspace) if len(each) >= _SHORTEST}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and any(_holds(part, known) for part in _overlapping(file)):
            raise GuardError(
                "BAG-005",
                "the file holds a secret: a password, the namespace or a private key",
                hint="Take it out of the file and change it: who has the workspace has it too.",
                place=file.relative_to(folder).as_posix(),
            )


def _holds(part: bytes, known: set[bytes]) -> bool:
    url = b"://" in part and b"@" in part and _IN_URL.search(part)
    return bool(url) or any(each in part for each in known) or _PRIVATE_KEY.search(part) is not None


def _overlapping(file: Path) -> Iterator[bytes]:
    """Yield a file in parts that overlap, so that a secret on their border stands whole in one of them."""
    end = b""
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield end + chunk
            end = (end + chunk)[-_OVERLAP:]


def _known(workspace: Workspace) -> Iterator[str]:
    namespace = namespace_secret(workspace)
    if namespace is not None:
        yield namespace
    for name, value in os.environ.items():
        if _NAMED.fullmatch(name):
            yield value
        elif name.startswith("OMNICASE_") and name.endswith("_URL"):
            yield from _passwords(value)
    for system in workspace.systems.values():
        yield from _passwords(system.url or "")


def _passwords(url: str) -> Iterator[str]:
    try:
        password = urlsplit(url).password
    except ValueError:
        return
    if password:
        yield from {password, unquote(password)}
