"""Compressed files and archives: what they hold, as streams that end at the limits.

What a file is, its first bytes say and not its name.  Nothing is written under a member's name, so that it can do no
harm; a name that tries is refused all the same, since such an archive was made to do some.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from casemodel import SystemFailure

_INPUT = 1 << 20
_SLACK = 1 << 20
"""Bytes that may come out whatever the ratio is: a few kB of equal lines harm nobody."""
_MAGIC = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x9d", "compress"),
    (b"\x04\x22\x4d\x18", "lz4"),
)
_READ = ("gzip", "zstd", "zip")
_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a compressed file may grow: by its ``ratio``, ``total`` bytes of all it holds, number of ``members``."""

    ratio: int = 100
    total: int = 1 << 30
    members: int = 1_000


@dataclass(frozen=True, slots=True)
class Packed:
    """A compressed content of a file.

    The rest is said of members of a zip only: their name, the offset of their header, their sizes in bytes before and
    after, the checksum of their content, and how they are compressed.
    """

    form: str
    limits: Limits
    member: str = ""
    offset: int = 0
    packed: int = 0
    size: int = 0
    checksum: int = 0
    method: int = 0


def form_of(head: bytes) -> str | None:
    """Return how a file that starts so is compressed; None: not at all."""
    found = next((form for magic, form in _MAGIC if head.startswith(magic)), None)
    # A text may start with BZh; what follows in bzip2 is a digit and pi.
    return None if found == "bzip2" and head[4:10] != b"1AY&SY" else found


def packed_in(fd: int, name: str, limits: Limits) -> tuple[Packed, ...] | None:
    """Return what an open file holds compressed; None: it is not compressed, or is a document made of a zip (xlsx).

    Raises:
        SystemFailure: CON-070 damaged, CON-071 beyond the limits, CON-072 compressed or encrypted in a way that is not
            read, CON-073 a member's name points elsewhere (exit 5).
    """
    form = form_of(os.pread(fd, 16, 0))
    if form is None:
        return None
    if form not in _READ:
        raise _unread(name, f"is compressed as {form}")
    if form != "zip":
        return (Packed(form, limits),)
    members = _directory(fd, name, limits)
    if any(member.filename in ("[Content_Types].xml", "mimetype") for member in members):
        return None
    return _members(members, os.fstat(fd).st_size, name, limits)


def unpacked(fd: int, packed: Packed, name: str, size: int) -> Iterator[bytes]:
    """Yield a content in blocks of at least `size` bytes (the last has fewer), and see that all of it was right.

    Raises:
        SystemFailure: CON-070, CON-071, CON-072 as in `packed_in`.
    """
    parts = {"gzip": _gunzipped, "zstd": _unzstd, "zip": _unzipped}[packed.form](fd, packed, name, size)
    waiting: list[bytes] = []
    height = 0
    for part in parts:
        waiting.append(part)
        height += len(part)
        if height >= size:
            yield b"".join(waiting)
            waiting, height = [], 0
    if height:
        yield b"".join(waiting)


def _gunzipped(fd: int, packed: Packed, name: str, size: int) -> Iterator[bytes]:
    offset = produced = 0
    inflater, data = zlib.decompressobj(31), b""
    while True:
        if not data:
            data = os.pread(fd, _INPUT, offset)
            offset += len(data)
        if not data and not inflater.eof:
            raise _damaged(name, "it is cut off")
        try:
            part = inflater.decompress(data, size)
        except zlib.error:
            raise _damaged(name, "its bytes are not what gzip writes") from None
        produced += len(part)
        data = inflater.unconsumed_tail
        _check_growth(name, packed.limits, offset - len(data) - len(inflater.unused_data), produced)
        if part:
            yield part
        if inflater.eof:
            # One gzip may follow another; zeros are what tapes fill their blocks with.
            data = inflater.unused_data or os.pread(fd, _INPUT, offset)
            offset += len(data) if not inflater.unused_data else 0
            if not data:
                return
            if not data.startswith(b"\x1f"):
                _check_zeros(fd, offset, data, name)
                return
            inflater = zlib.decompressobj(31)


def _check_zeros(fd: int, offset: int, data: bytes, name: str) -> None:
    while data:
        if data.count(0) < len(data):
            raise _damaged(name, "something else follows its end")
        data = os.pread(fd, _INPUT, offset)
        offset += len(data)


def _unzstd(fd: int, packed: Packed, name: str, size: int) -> Iterator[bytes]:
    produced = 0
    with open(fd, "rb", closefd=False) as file:
        file.seek(0)
        stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
        while True:
            try:
                part = stream.read(size)
            except OSError:
                raise _damaged(name, "it is cut off, or its bytes are not what zstd writes") from None
            if not part:
                return
            produced += len(part)
            _check_growth(name, packed.limits, file.tell(), produced)
            yield part


def _unzipped(fd: int, packed: Packed, name: str, size: int) -> Iterator[bytes]:
    offset, left = _content(fd, packed, name), packed.packed
    produced = checksum = 0
    inflater = zlib.decompressobj(-15) if packed.method == _DEFLATED else None
    data = b""
    while True:
        if not data and left:
            data = os.pread(fd, min(_INPUT, left), offset)
            offset, left = offset + len(data), left - len(data)
            if not data:
                raise _damaged(name, "it is cut off")
        try:
            part = data if inflater is None else inflater.decompress(data, size)
        except zlib.error:
            raise _damaged(name, "its bytes are not what zip writes") from None
        data = b"" if inflater is None else inflater.unconsumed_tail
        produced += len(part)
        if produced > packed.size:
            raise _too_much(name, f"it holds more than the {packed.size:,} bytes that its archive says")
        checksum = zlib.crc32(part, checksum)
        if part:
            yield part
        # The inflater may hold back some bytes when all of its input is taken.
        if (inflater is not None and inflater.eof) or not (part or data or left):
            break
    whole = inflater is None or (inflater.eof and not inflater.unused_data and not left)
    if not whole or (produced, checksum) != (packed.size, packed.checksum):
        raise _damaged(name, "its length or checksum is not what the directory of its archive says")


def _content(fd: int, packed: Packed, name: str) -> int:
    """Return where a member's bytes start, having seen that its own header tells the same as the directory."""
    header = os.pread(fd, _LOCAL.size, packed.offset)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise _damaged(name, "the directory of its archive points elsewhere")
    _, _, flags, method, _, _, _, _, _, length, extra = _LOCAL.unpack(header)
    start = packed.offset + _LOCAL.size
    own = os.pread(fd, length, start).decode("utf-8" if flags & 0x800 else "cp437", "replace")
    if own != packed.member or method != packed.method:
        raise _damaged(name, "the directory of its archive tells another name or method than it does itself")
    return int(start + length + extra)


def _directory(fd: int, name: str, limits: Limits) -> list[zipfile.ZipInfo]:
    """Read the directory of a zip, whose size is looked at before."""
    total = os.fstat(fd).st_size
    tail = os.pread(fd, 0x10000 + _END.size, max(total - 0x10000 - _END.size, 0))
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END.size:
        raise _damaged(name, "it is cut off: the directory at its end is missing")
    _, disk, _, _, _, size, _, comment = _END.unpack_from(tail, found)
    if found + _END.size + comment != len(tail):
        raise _damaged(name, "something else follows its end, or it is cut off")
    if disk not in (0, 0xFFFF):
        raise _unread(name, "is one of several parts of an archive")
    if size == 0xFFFFFFFF and found >= 20 and tail[found - 20 : found - 16] == b"PK\x06\x07":
        size = int.from_bytes(os.pread(fd, 8, int.from_bytes(tail[found - 12 : found - 4], "little") + 40), "little")
    if size > limits.members * 4096:
        raise _too_much(name, f"its directory is too large for {limits.members:,} members")
    try:
        with open(fd, "rb", closefd=False) as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, RuntimeError, struct.error, ValueError, OSError):
        raise _damaged(name, "the directory at its end cannot be read") from None
    if len(members) > limits.members:
        raise _too_much(name, f"it holds {len(members):,} members, more than {limits.members:,}")
    return members


def _members(found: list[zipfile.ZipInfo], size: int, name: str, limits: Limits) -> tuple[Packed, ...]:
    members = [member for member in found if not member.is_dir()]
    for member in found:
        if (wrong := _wrong_name(member)) is not None:
            raise SystemFailure(
                "CON-073",
                f"member {found.index(member) + 1} of the archive {wrong}",
                hint="Such an archive may have been made to do harm: ask who made it, and for another one.",
                place=name,
            )
    if len({member.filename for member in members}) < len(members):
        raise SystemFailure(
            "CON-073",
            "two members of the archive have the same name",
            hint="Ask for an archive that holds each file once.",
            place=name,
        )
    for member in members:
        shown = f"{name}!{member.filename}"
        if member.flag_bits & 0x2041:
            raise _unread(shown, "is encrypted")
        if member.compress_type not in (_STORED, _DEFLATED):
            raise _unread(shown, f"is compressed by method {member.compress_type}")
        _check_growth(shown, limits, member.compress_size, member.file_size)
    _check_total(name, limits, sum(member.file_size for member in members))
    _check_apart(members, size, name)
    return tuple(
        Packed(
            "zip",
            limits,
            member.filename,
            member.header_offset,
            member.compress_size,
            member.file_size,
            member.CRC,
            member.compress_type,
        )
        for member in sorted(members, key=lambda member: member.filename)
    )


def _wrong_name(member: zipfile.ZipInfo) -> str | None:
    name = member.orig_filename
    parts = re.split(r"[/\\]", name)
    if not name or ".." in parts or parts[0] == "" or re.match(r"[A-Za-z]:", name):
        return "has a name that points out of the archive"
    if not name.isprintable() or len(name) > 255:
        return "has a name that cannot be shown, or is longer than 255 characters"
    if member.create_system == 3 and stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    return None


def _check_apart(members: list[zipfile.ZipInfo], size: int, name: str) -> None:
    """Refuse members that share bytes: so a small archive holds many times its size, each member within the ratio."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise _too_much(name, "its members lie over one another")
        end = member.header_offset + _LOCAL.size + member.compress_size
    if end > size:
        raise _damaged(name, "its directory points beyond its end")


def _check_growth(name: str, limits: Limits, before: int, after: int) -> None:
    if after > _SLACK and after > limits.ratio * before:
        raise _too_much(name, f"it grows to more than {limits.ratio:,} times its size", "ratio")
    _check_total(name, limits, after)


def _check_total(name: str, limits: Limits, total: int) -> None:
    if total > limits.total:
        raise _too_much(name, f"it unpacks to more than {limits.total:,} bytes", "total")


def _damaged(name: str, why: str) -> SystemFailure:
    return SystemFailure(
        "CON-070",
        f"the compressed file is damaged: {why}",
        hint="Ask for the delivery again.",
        place=name,
    )


def _too_much(name: str, why: str, limit: str = "members") -> SystemFailure:
    return SystemFailure(
        "CON-071",
        f"the compressed file is not unpacked: {why}",
        hint=f"Ask who made it; if it is right, raise the system's setting limits: {{{limit}: ...}}.",
        place=name,
    )


def _unread(name: str, why: str) -> SystemFailure:
    return SystemFailure(
        "CON-072",
        f"the file {why}, which is not read",
        hint="Ask for it as it is, or in a plain zip, gzip or zstd without a password.",
        place=name,
    )


def nested(name: str, form: str) -> SystemFailure:
    """Return the error for an archive in an archive."""
    return _unread(name, f"is compressed once more, as {form}")
