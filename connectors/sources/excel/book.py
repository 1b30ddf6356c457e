"""A workbook (.xlsx): an archive of XML parts, opened within limits, whose sheets and styles are looked up.

Nothing in it is run, evaluated or fetched; what is left aside is named by `Book.extras`.
"""

from __future__ import annotations

import hashlib
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from casemodel import SystemFailure
from connectors.sources.excel.settings import Limits
from connectors.sources.files.bytes import Bytes, raw_blocks

BLOCK = 1 << 18
_SMALL = 1_000_000
"""Below so many bytes it does not matter how tightly a part is packed."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
EXTRAS = (
    ("vbaProject.bin", "macros"),
    ("externalLinks/", "links to other workbooks"),
    ("connections.xml", "connections to databases"),
    ("embeddings/", "embedded documents"),
    ("media/", "pictures"),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its name, the part that holds it, whether people do not see it, and how many comments it has."""

    name: str
    part: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class BookFile:
    """Where the bytes of a workbook are, and its name for people: of one in an archive ``archive.zip!book.xlsx``."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook whose directory was checked.

    ``coloured`` are the numbers of the cell styles that fill a cell or colour its text; ``older`` is the form that it
    was in before it was written anew, ``xls`` or ``ods``.
    """

    source: Bytes
    file: BookFile
    limits: Limits
    sheets: tuple[Sheet, ...]
    epoch_1904: bool
    styles: bytes
    texts: str | None
    coloured: frozenset[str]
    extras: tuple[str, ...]
    older: str | None = None

    @property
    def name(self) -> str:
        """The name of the workbook for people."""
        return self.file.name

    def blocks(self, part: str) -> Iterator[bytes]:
        """Yield the unpacked bytes of a part."""
        with _archive(self.file) as archive:
            yield from _blocks(archive, part, self.file)

    def whole(self, part: str, most: int) -> bytes:
        """Return the unpacked bytes of a part of at most so many bytes."""
        with _archive(self.file) as archive:
            return _whole(archive, part, most, self.file)

    def comments(self, sheet: Sheet) -> int:
        """Count the comments on a sheet."""
        with _archive(self.file) as archive:
            targets = _targets(archive, sheet.part, self.file)
            parts = [part for kind, part in targets.values() if kind.endswith("/comments")]
            return sum(_count(archive, part, "comment", self.file) for part in parts if part in archive.namelist())


def check_archive(file: BookFile, limits: Limits) -> None:
    """Check the directory of a workbook that is an archive; raise CON-090, CON-091 (exit 5)."""
    with _archive(file) as archive:
        _check_directory(archive, limits, file)


def open_book(source: Bytes, path: Path, limits: Limits, older: str | None = None) -> Book:
    """Look at a workbook.

    Args:
        source: the file, or the member of an archive.
        path: where it lies on disk, as .xlsx.
        limits: what it may cost.
        older: the form that it was in before it was written anew.

    Raises:
        SystemFailure: CON-010 to CON-012 it cannot be read, CON-090 it is no workbook or is damaged, CON-091 it is
            beyond a limit (exit 5).
    """
    file = BookFile(path, source.name)
    with _archive(file) as archive:
        _check_directory(archive, limits, file)
        names = set(archive.namelist())
        mains = [part for kind, part in _targets(archive, "", file).values() if kind.endswith("/officeDocument")]
        if not mains or mains[0] not in names or not mains[0].endswith(".xml"):
            raise no_workbook(file, "it is an archive of something else")
        sheets, epoch_1904 = _sheets(archive, mains[0], file)
        targets = dict(_targets(archive, mains[0], file).values())
        styles = texts = None
        for kind, part in targets.items():
            styles = part if kind.endswith("/styles") and part in names else styles
            texts = part if kind.endswith("/sharedStrings") and part in names else texts
        said = b"" if styles is None else _whole(archive, styles, 16 * _SMALL, file)
        if texts is not None:
            if archive.getinfo(texts).file_size > limits.texts:
                raise beyond(file, f"its shared texts are larger than {limits.texts // _SMALL} MB", "texts")
            _events(_blocks(archive, texts, file), file, {})
        found = tuple(said for mark, said in EXTRAS if any(mark in name for name in names))
    return Book(source, file, limits, sheets, epoch_1904, said, texts, _coloured(said, file), found, older)


def digest(book: Book) -> str:
    """Return the digest of the file's bytes."""
    found = hashlib.sha256()
    for block in raw_blocks(book.source):
        found.update(block)
    return found.hexdigest()


def no_workbook(file: BookFile, why: str) -> SystemFailure:
    """Return the error for a file that is no workbook, or a damaged one."""
    return SystemFailure(
        "CON-090",
        f"the file is not a workbook (.xlsx) that can be read: {why}",
        hint="Open it in Excel or LibreOffice and save it as .xlsx without a password.",
        place=file.name,
    )


def beyond(file: BookFile, what: str, limit: str) -> SystemFailure:
    """Return the error for a workbook beyond a limit."""
    return SystemFailure(
        "CON-091",
        f"the workbook is beyond a limit: {what}",
        hint=f"Ask who made it; if it is right, raise the system's setting limits: {{{limit}: ...}}.",
        place=file.name,
    )


def xml_parser(file: BookFile) -> expat.XMLParserType:
    """Return a parser that refuses document types, and with them entities of every sort."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise no_workbook(file, "a part of it declares a document type")

    parser.StartDoctypeDeclHandler = refuse
    return parser


def _archive(file: BookFile) -> zipfile.ZipFile:
    with file.path.open("rb") as content:
        mark = content.read(len(_OLE))
    if mark == _OLE:
        raise no_workbook(file, "it is protected by a password")
    try:
        if mark.startswith(_ZIP):
            return zipfile.ZipFile(file.path)
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError):
        pass
    raise no_workbook(file, "it is no archive, or cut off")


def _check_directory(archive: zipfile.ZipFile, limits: Limits, file: BookFile) -> None:
    members = archive.infolist()
    if len(members) > limits.members:
        raise beyond(file, f"it has {len(members):,} parts, more than {limits.members:,}", "members")
    if (total := sum(member.file_size for member in members)) > limits.total:
        raise beyond(file, f"it unpacks to {total // _SMALL:,} MB, more than {limits.total // _SMALL:,}", "total")
    seen = set()
    for member in members:
        name = member.filename
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name or name in seen:
            raise no_workbook(file, "a part has a name that leads out of it, or the name of another part")
        seen.add(name)
        if member.flag_bits & 1:
            raise no_workbook(file, "its parts are encrypted")
        if member.file_size > max(_SMALL, limits.ratio * member.compress_size):
            raise beyond(file, f"a part of it is packed more than {limits.ratio} times", "ratio")


def _blocks(archive: zipfile.ZipFile, part: str, file: BookFile) -> Iterator[bytes]:
    """Unpack a part: never more than the directory says, which was checked."""
    try:
        with archive.open(part) as content:
            while block := content.read(BLOCK):
                yield block
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, RuntimeError):
        raise no_workbook(file, "a part of it is missing or damaged") from None


def _whole(archive: zipfile.ZipFile, part: str, most: int, file: BookFile) -> bytes:
    if part in archive.NameToInfo and archive.getinfo(part).file_size > most:
        raise beyond(file, f"a part of it is larger than {most // _SMALL} MB", "texts")
    return b"".join(_blocks(archive, part, file))


def _events(blocks: Iterator[bytes], file: BookFile, wanted: dict[str, object]) -> None:
    """Parse a part, calling what is wanted with the attributes of the elements of a local name."""
    parser = xml_parser(file)

    def start(name: str, attributes: dict[str, str]) -> None:
        call = wanted.get(name.rpartition(":")[2])
        if callable(call):
            call(attributes)

    if wanted:
        parser.StartElementHandler = start
    try:
        for block in blocks:
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise no_workbook(file, "a part of it is not XML") from None


def _count(archive: zipfile.ZipFile, part: str, element: str, file: BookFile) -> int:
    found: list[None] = []
    _events(_blocks(archive, part, file), file, {element: lambda _: found.append(None)})
    return len(found)


def _targets(archive: zipfile.ZipFile, part: str, file: BookFile) -> dict[str, tuple[str, str]]:
    """Return the parts that a part names, by id: (kind, part); those outside of the workbook are left out."""
    folder, _, name = part.rpartition("/")
    relations = posixpath.join(folder, "_rels", f"{name}.rels")
    found: dict[str, tuple[str, str]] = {}

    def take(attributes: dict[str, str]) -> None:
        if attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            inside = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found[attributes.get("Id", "")] = (attributes.get("Type", ""), inside)

    if relations in archive.NameToInfo:
        _events(iter([_whole(archive, relations, 16 * _SMALL, file)]), file, {"Relationship": take})
    return found


def _sheets(archive: zipfile.ZipFile, main: str, file: BookFile) -> tuple[tuple[Sheet, ...], bool]:
    targets = _targets(archive, main, file)
    sheets: list[Sheet] = []
    epoch: list[bool] = [False]

    def sheet(attributes: dict[str, str]) -> None:
        ids = [value for name, value in attributes.items() if name.rpartition(":")[2] == "id"]
        kind, part = targets.get(ids[0] if ids else "", ("", ""))
        # Sheets of charts and dialogs hold no cells.
        if kind.endswith("/worksheet"):
            sheets.append(Sheet(attributes.get("name", ""), part, attributes.get("state", "visible") != "visible"))

    def properties(attributes: dict[str, str]) -> None:
        epoch[0] = attributes.get("date1904", "0") in ("1", "true", "on")

    whole = _whole(archive, main, 16 * _SMALL, file)
    _events(iter([whole]), file, {"sheet": sheet, "workbookPr": properties})
    return tuple(sheets), epoch[0]


def _coloured(styles: bytes, file: BookFile) -> frozenset[str]:
    """Return the numbers of the cell styles with a fill or a text of another colour than the sheet's own."""
    fills: list[bool] = []
    fonts: list[bool] = []
    cells: set[str] = set()
    inside: list[str] = []
    number = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal number
        name = name.rpartition(":")[2]
        within = inside[-1] if inside else ""
        if name == "fill":
            fills.append(False)
        elif name == "font" and within == "fonts":
            fonts.append(False)
        elif name == "patternFill" and fills:
            fills[-1] = attributes.get("patternType", "none") not in ("none", "gray125")
        elif name == "color" and within == "font" and fonts:
            fonts[-1] = "rgb" in attributes and attributes["rgb"][-6:] != "000000"
        elif name == "xf" and within == "cellXfs":
            fill, font = attributes.get("fillId", "0"), attributes.get("fontId", "0")
            if _at(fills, fill) or _at(fonts, font):
                cells.add(str(number))
            number += 1
        inside.append(name)

    parser = xml_parser(file)
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: inside.pop()
    if styles:
        try:
            parser.Parse(styles, True)
        except expat.ExpatError:
            raise no_workbook(file, "its styles are not XML") from None
    return frozenset(cells)


def _at(values: list[bool], index: str) -> bool:
    return index.isdecimal() and int(index) < len(values) and values[int(index)]
