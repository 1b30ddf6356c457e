"""Where the documents of an old system lie: below a folder or a URL, which no path leaves."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from casemodel import SystemFailure
from connectors.config import SystemConfig, refuse

MISSING, UNREADABLE, OUTSIDE = "missing", "unreadable", "outside"
_MISSING = (errno.ENOENT, errno.ENAMETOOLONG)
_UNREADABLE = (errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENXIO)


class Unreached(Exception):
    """A document that cannot be read; ``state`` says why."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class DocumentPlace(Protocol):
    """Where documents are read from."""

    def open(self, parts: list[str]) -> BinaryIO:
        """Open a document by the parts of its path.

        Raises:
            Unreached: it cannot be read.
            SystemFailure: CON-079 nothing can be read any more (exit 5).
        """
        ...


class LocalFolder:
    """A folder of this machine, or a share that is mounted; links in it are not followed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise SystemFailure(
                "CON-078",
                "the folder of the documents is not there",
                hint="Check the setting folder, and whether the share is mounted.",
                place=folder.name,
            )

    def open(self, parts: list[str]) -> BinaryIO:
        """Open a document; every step of the way is looked at, since a link may lead anywhere."""
        here = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for number, part in enumerate(parts):
                # Non-blocking, since opening a pipe that nobody writes to would wait for ever.
                last = os.O_NONBLOCK if number == len(parts) - 1 else os.O_DIRECTORY
                there = _step(part, here, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | last)
                os.close(here)
                here = there
            if not stat.S_ISREG(os.fstat(here).st_mode):
                raise Unreached(UNREADABLE)
        except BaseException:
            os.close(here)
            raise
        return os.fdopen(here, "rb")


def _step(part: str, here: int, flags: int) -> int:
    try:
        return os.open(part, flags, dir_fd=here)
    except ValueError:
        raise Unreached(MISSING) from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            is_link = stat.S_ISLNK(os.stat(part, dir_fd=here, follow_symlinks=False).st_mode)
            raise Unreached(OUTSIDE if is_link else MISSING) from None
        if error.errno in _MISSING:
            raise Unreached(MISSING) from None
        if error.errno in _UNREADABLE:
            raise Unreached(UNREADABLE) from None
        raise lost() from None


def lost() -> SystemFailure:
    """Return the error for a share that fails."""
    return SystemFailure(
        "CON-079",
        "the documents cannot be read: their disk or share fails",
        hint="Check the share and run again; what is kept already is not copied again.",
    )


class Share:
    """A share that fsspec reads by a URL: smb://, sftp://, s3://, …"""

    def __init__(self, url: str, files: Any) -> None:
        self._files = files
        self._root = url.rstrip("/")
        try:
            there = files.isdir(self._root)
        except Exception:
            raise lost() from None
        if not there:
            raise SystemFailure(
                "CON-078", "the share of the documents is not there", hint="Check the setting folder."
            )

    def open(self, parts: list[str]) -> BinaryIO:
        """Open a document."""
        try:
            found: BinaryIO = self._files.open("/".join([self._root, *parts]), "rb")
        except (FileNotFoundError, NotADirectoryError):
            raise Unreached(MISSING) from None
        except (PermissionError, IsADirectoryError):
            raise Unreached(UNREADABLE) from None
        except Exception:
            raise lost() from None
        return found


def open_place(config: SystemConfig, folder: str) -> DocumentPlace:
    """Open a folder, or a share by its URL.

    Raises:
        RefusedError: CON-004 fsspec, or what it needs for this kind of share, is not installed (exit 4).
        SystemFailure: CON-078 it is not there, CON-079 it cannot be reached (exit 5).
    """
    if "://" not in folder:
        return LocalFolder(config.located(folder))
    try:
        import fsspec

        files, root = fsspec.core.url_to_fs(folder)
    except (ImportError, ValueError):
        raise refuse(
            config,
            "what reads this kind of share is not installed",
            "Install omnicase[documents], and for smb:// smbprotocol, for sftp:// paramiko.",
            code="CON-004",
        ) from None
    except Exception:
        raise lost() from None
    return Share(root, files)
