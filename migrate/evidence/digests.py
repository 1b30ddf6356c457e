"""Digests of what a command went by: the files of the workspace, and the program itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PARTS = ("mappings", "codes", "queries", "checks", "runbooks", "waivers")
"""Folders of a workspace that people write by hand, besides workspace.yml and the public keys."""
_PROGRAM = Path(__file__).resolve().parents[2]
_PACKAGES = ("casemodel", "connectors", "mappings", "migrate", "reconciliation", "runbooks")


def files_digest(root: Path, files: Iterable[Path]) -> str:
    """Return the SHA-256 (hex) over the names and the SHA-256 of files, in the order of their names."""
    whole = hashlib.sha256()
    for file in sorted(files):
        try:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError:
            content = "unreadable"
        whole.update(f"{content}  {file.relative_to(root).as_posix()}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def workspace_digest(root: Path) -> str:
    """Return the digest of what people wrote by hand in a workspace."""
    found = [root / "workspace.yml", *(root / "keys").glob("*.json")]
    found += [file for part in PARTS for file in (root / part).rglob("*") if file.is_file()]
    return files_digest(root, found)


def mappings_digest(root: Path) -> str:
    """Return the digest of the mapping files of a workspace."""
    return files_digest(root, (file for file in (root / "mappings").rglob("*") if file.is_file()))


@cache
def program_digest() -> str:
    """Return the digest of the program as it lies on this machine."""
    return files_digest(_PROGRAM, (file for name in _PACKAGES for file in (_PROGRAM / name).rglob("*.py")))
