"""Secrets are looked for by their values in everything that goes into a bag; one found refuses the bag."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from casemodel import GuardError
from migrate.workspace import Workspace, namespace_secret

_SHORTEST: Final = 4
_NAMED: Final = re.compile(r"^OMNICASE_\w*(PASS|SECRET|TOKEN|PWD)\w*$")
_PRIVATE_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_IN_URL: Final = re.compile(rb"[a-z][a-z0-9+.-]*://[^\s/:@\"'<>]*:([^\s/@\"'<>]+)@", re.IGNORECASE)


def refuse_secrets(workspace: Workspace, files: Mapping[str, bytes]) -> None:
    """Refuse a payload that holds a password, the secret namespace or a private key.

    Raises:
        GuardError: BAG-005.
    """
    known = {each.encode() for each in _known(workspace) if len(each) >= _SHORTEST}
    for path, content in files.items():
        if _PRIVATE_KEY.search(content) or _IN_URL.search(content) or any(each in content for each in known):
            raise GuardError(
                "BAG-005",
                "the file holds a secret: a password, the namespace or a private key",
                hint="Take it out of the file and change it: who has the workspace has it too.",
                place=path,
            )


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
