"""Writing a bag (BagIt, RFC 8493): in a folder of its own, validated with the bagit library, then given its name."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Final

import bagit

from casemodel import BugError, GuardError, SystemFailure
from migrate.bag.payload import CHUNK, Payload, chunks_of, size_of

_SUMS: Final = ("sha256", "sha512")
_LINE: Final = 76
_MADE: Final = (1980, 1, 1, 0, 0, 0)


def write_bag(
    place: Path, files: Mapping[str, Payload], info: Mapping[str, str], look_over: Callable[[Path], None]
) -> Path:
    """Write a bag as a folder, or as a zip where the name ends in ``.zip``; whole or not at all.

    Args:
        place: where it comes; nothing may stand there.
        files: the payload by path.
        info: what bag-info.txt says besides Payload-Oxum.
        look_over: given the folder of the payload as it was written, refuses what may not leave.

    Raises:
        GuardError: BAG-001 something stands there, BAG-002 a folder on the way is a link.
        SystemFailure: BAG-003 it cannot be written.
    """
    refuse_occupied(place)
    draft: Path | None = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        name = place.name.removesuffix(".zip")
        bag = draft / name
        _fill(bag, files, info, look_over)
        _validate(bag)
        if place.suffix == ".zip":
            _zip(draft / "bag.zip", bag, name)
            # A link, unlike a rename, fails when somebody put a file there meanwhile.
            os.link(draft / "bag.zip", place)
        else:
            place.mkdir(mode=0o700)
            bag.rename(place)
    except OSError as error:
        if isinstance(error, FileExistsError):
            refuse_occupied(place)  # that somebody put there meanwhile
        raise SystemFailure(
            "BAG-003",
            f"the bag cannot be written ({error.strerror or 'unknown reason'})",
            hint="Name a place that you may write to, on a disk with room.",
            place=str(place),
        ) from None
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
    return place


def refuse_occupied(place: Path) -> None:
    """Refuse to write where something stands, or through a link.

    Raises:
        GuardError: BAG-001, BAG-002.
    """
    if place.parent.is_symlink():
        raise GuardError(
            "BAG-002",
            "the folder is a symbolic link, and it may lead anywhere",
            hint="Name a folder of your own.",
            place=str(place.parent),
        )
    if place.exists() or place.is_symlink():
        raise GuardError(
            "BAG-001",
            "something of that name is there already, and a bag is never written over",
            hint="Name a place where nothing stands.",
            place=str(place),
        )


def _fill(
    bag: Path, files: Mapping[str, Payload], info: Mapping[str, str], look_over: Callable[[Path], None]
) -> None:
    payload = {f"data/{path}": _write(bag / "data" / path, content) for path, content in files.items()}
    look_over(bag / "data")
    _write(bag / "bagit.txt", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    oxum = f"{sum(map(size_of, files.values()))}.{len(files)}"
    lines = [line for name, value in {**info, "Payload-Oxum": oxum}.items() for line in _folded(name, value)]
    _write(bag / "bag-info.txt", "".join(f"{line}\n" for line in lines).encode())
    for kind in _SUMS:
        _write(bag / f"manifest-{kind}.txt", _manifest(kind, payload))
    tags = {file.name: _sums([file.read_bytes()]) for file in sorted(bag.iterdir()) if file.is_file()}
    for kind in _SUMS:
        _write(bag / f"tagmanifest-{kind}.txt", _manifest(kind, tags))


def _manifest(kind: str, sums: Mapping[str, Mapping[str, str]]) -> bytes:
    return "".join(f"{sums[path][kind]}  {path}\n" for path in sorted(sums)).encode()


def _sums(chunks: Iterable[bytes]) -> dict[str, str]:
    found = {kind: hashlib.new(kind) for kind in _SUMS}
    for chunk in chunks:
        for each in found.values():
            each.update(chunk)
    return {kind: each.hexdigest() for kind, each in found.items()}


def _folded(name: str, value: str) -> Iterator[str]:
    """Yield the lines of one entry of bag-info.txt; a line that goes on is indented."""
    line = f"{name}:"
    for word in value.split():
        if len(line) + len(word) + 1 > _LINE and not line.endswith(":"):
            yield line
            line = " "
        line += f" {word}"
    yield line


def _write(file: Path, content: Payload) -> dict[str, str]:
    """Write a file and return the sums of what was written."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        sums = _sums(_written(chunks_of(content), stream))
        stream.flush()
        os.fsync(handle)
    return sums


def _written(chunks: Iterable[bytes], stream: IO[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        stream.write(chunk)
        yield chunk


def _zip(file: Path, bag: Path, name: str) -> None:
    """Pack a bag into one folder; the same content gives the same bytes."""
    with zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED) as packed:
        for each in sorted(bag.rglob("*")):
            if each.is_file():
                entry = zipfile.ZipInfo(f"{name}/{each.relative_to(bag).as_posix()}", _MADE)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100600 << 16
                with packed.open(entry, "w", force_zip64=True) as inside, each.open("rb") as content:
                    shutil.copyfileobj(content, inside, CHUNK)
    file.chmod(0o600)


def _validate(bag: Path) -> None:
    with _quiet():
        try:
            bagit.Bag(str(bag)).validate()
        except bagit.BagError:
            raise BugError(
                "BAG-006", "the bag that was made does not validate", hint="Report it; nothing was written."
            ) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's log off the terminal: it names every file twice."""
    log, level = logging.getLogger("bagit"), logging.getLogger("bagit").level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)
