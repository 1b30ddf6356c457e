"""A content store on another machine: what fsspec writes by a URL (s3://, sftp://, smb://, …)."""

from __future__ import annotations

import secrets
from typing import Any, BinaryIO

from casemodel import RefusedError, SystemFailure
from connectors.document_store import CHUNK, DocumentStore, cut_short, digest_of, not_kept, reference


class SharedStore:
    """Documents under the SHA-256 of their bytes, below a URL; see `DocumentStore`, which does the same in a folder.

    Args:
        files: the file system of fsspec.
        root: where the store begins in it.

    Raises:
        SystemFailure: CON-077 from every method: it cannot be written, or what was written is not what was read.
    """

    def __init__(self, files: Any, root: str) -> None:
        self._files = files
        self._root = root.rstrip("/")
        self._made: set[str] = set()
        self._make(self._root)

    def has(self, digest: str, size: int) -> bool:
        """Tell whether a content is there, as far as its length says."""
        try:
            return bool(self._files.info(self._place(digest))["size"] == size)
        except FileNotFoundError:
            return False
        except Exception:
            raise not_kept(self._root) from None

    def keep(self, digest: str, size: int, content: BinaryIO) -> None:
        """Keep a content, which is read from where it stands; nothing is written when it is there already."""
        if self.has(digest, size):
            return
        place = self._place(digest)
        unfinished = f"{self._root}/.unfinished-{secrets.token_hex(16)}"
        try:
            with self._files.open(unfinished, "wb") as file:
                while block := content.read(CHUNK):
                    file.write(block)
            with self._files.open(unfinished, "rb") as file:
                same = digest_of(file) == (digest, size)
            if not same:
                self._files.rm_file(unfinished)
                raise cut_short(self._root)
            self._make(place.rpartition("/")[0])
            self._files.mv(unfinished, place)
        except SystemFailure:
            raise
        except Exception:
            # A driver's own words may hold names and keys: they are not passed on.
            raise not_kept(self._root) from None

    def settle(self) -> None:
        """Nothing is left to do: a content has its name when the other machine has taken it."""

    def _place(self, digest: str) -> str:
        return f"{self._root}/{reference(digest)}"

    def _make(self, folder: str) -> None:
        if folder in self._made:
            return
        try:
            self._files.makedirs(folder, exist_ok=True)
        except Exception:
            raise not_kept(self._root) from None
        self._made.add(folder)


def open_store(place: str) -> DocumentStore | SharedStore:
    """Open a content store: a folder, or a URL that fsspec writes.

    Raises:
        RefusedError: CON-004 fsspec, or what it needs for this kind of URL, is not installed (exit 4).
        SystemFailure: CON-077 it cannot be written (exit 5).
    """
    return SharedStore(*reach_store(place)) if "://" in place else DocumentStore(place)


def reach_store(place: str) -> tuple[Any, str]:
    """Return the file system of a content store's URL, and where the store begins in it.

    Raises:
        RefusedError: CON-004, SystemFailure: CON-077 as `open_store`.
    """
    try:
        import fsspec

        files, root = fsspec.core.url_to_fs(place)
    except (ImportError, ValueError):
        raise RefusedError(
            "CON-004",
            "what writes to this kind of content store is not installed",
            hint="Install omnicase[documents], and for smb:// smbprotocol, for sftp:// paramiko, for s3:// s3fs.",
            place="documents.store",
        ) from None
    except Exception:
        raise not_kept(place.partition("://")[0]) from None
    return files, root
