"""A new, empty workspace: commented examples that pass their own checks, and a secret of its own."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from casemodel import RefusedError
from migrate.schemas import schema_files
from runbooks import shipped_runbooks

_SECRET_BYTES = 32


def make_workspace(folder: Path) -> list[str]:
    """Make a workspace in a folder that does not exist yet or is empty, whole or not at all.

    Returns:
        The files made, relative to the folder, sorted.

    Raises:
        RefusedError: INI-001 the folder holds something, INI-002 it is a file (exit 4).
    """
    _refuse_occupied(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, data in _shipped().items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_bytes(data)
        _write_secret(draft / "keys" / "namespace")
        made = sorted(str(file.relative_to(draft)) for file in draft.rglob("*") if file.is_file())
        if folder.is_dir():
            folder.rmdir()
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return made


def _refuse_occupied(folder: Path) -> None:
    if folder.is_dir():
        if any(folder.iterdir()):
            raise RefusedError(
                "INI-001", "the folder is not empty", hint="Name a folder that does not exist yet.", place=str(folder)
            )
    elif folder.exists() or folder.is_symlink():
        raise RefusedError(
            "INI-002", "there is a file of that name", hint="Name a folder that does not exist yet.", place=str(folder)
        )


def _shipped() -> dict[str, bytes]:
    """Return the files of a new workspace by their path in it."""
    with as_file(files("mappings") / "library" / "start") as start:
        shipped = {str(file.relative_to(start)): file.read_bytes() for file in start.rglob("*") if file.is_file()}
    # A name that begins with a dot would be left out of a wheel.
    shipped[".gitignore"] = shipped.pop("gitignore")
    shipped |= {name: text.encode() for name, text in schema_files().items()}
    return shipped | {f"runbooks/{name}": text.encode() for name, text in shipped_runbooks().items()}


def write_runbooks(folder: Path) -> None:
    """Write copies of the shipped runbooks into a workspace: what runs is the copy."""
    for name, text in shipped_runbooks().items():
        (folder / "runbooks" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "runbooks" / name).write_text(text, encoding="utf-8")


def _write_secret(file: Path) -> None:
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(secrets.token_hex(_SECRET_BYTES) + "\n", encoding="ascii")
