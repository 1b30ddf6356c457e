"""Writing a declaration: whole or not at all, never through a link, for its owner only."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from casemodel import GuardError, SystemFailure


def write_page(file: Path, content: bytes) -> None:
    """Write a page, over an earlier one.

    Raises:
        GuardError: DCL-006 a link stands there.
        SystemFailure: DCL-008 it cannot be written.
    """
    _refuse_link(file)
    temporary: str | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(file)
    except (OSError, ValueError) as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        raise _failed(file, error) from None


def write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        GuardError: DCL-006 a link stands there, DCL-007 a file does.
        SystemFailure: DCL-008 it cannot be written.
    """
    _refuse_link(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise GuardError(
            "DCL-007", "there is a file of that name", hint="Name a file that is not there yet.", place=str(file)
        ) from None
    except (OSError, ValueError) as error:
        raise _failed(file, error) from None


def _refuse_link(file: Path) -> None:
    if file.is_symlink():
        raise GuardError(
            "DCL-006",
            "a symbolic link stands there, and it may lead anywhere",
            hint="Name a file of your own, or remove the link.",
            place=str(file),
        )


def _failed(file: Path, error: Exception) -> SystemFailure:
    cause = getattr(error, "strerror", None) or "the name cannot be used"
    return SystemFailure(
        "DCL-008",
        f"the file cannot be written ({cause})",
        hint="Name a file in a folder that you may write to, on a disk with room.",
        place=str(file),
    )
