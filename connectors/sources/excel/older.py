"""Workbooks of other programs (.xls before 2007, .ods of LibreOffice), written anew as .xlsx by way of calamine.

So that everything behind it knows one form. calamine gives values: what it does not tell of these forms is named in
`NOT_TOLD`, and every run says so.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from casemodel import RefusedError, SystemFailure
from connectors.scratch import writing
from connectors.sources.excel.cells import column_letters
from connectors.sources.files.bytes import Bytes, raw_blocks

NOT_TOLD = {
    "xls": "it is an .xls: errors, empty texts, hidden rows, colours and comments in it are not told",
    "ods": "it is an .ods: errors, empty texts, merged cells, hidden rows, colours and comments in it are not told",
}
MOST_CELLS = 2_000_000
"""All of a sheet is in memory, since calamine reads it whole."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_TELLING = 200
"""The first bytes of an archive hold its first member, which names the type of an .ods."""
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = "http://schemas.openxmlformats.org/package/2006/relationships"
_NO_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_STATES = ("visible", "hidden")
Value = object


def form_of(content: Bytes) -> str | None:
    """Return ``xls`` or ``ods`` where a file begins like one; None: it does not."""
    head = b""
    for block in raw_blocks(content):
        head += block
        if len(head) >= _TELLING:
            break
    head = head[:_TELLING]
    if head.startswith(_OLE):
        return "xls"
    return "ods" if head.startswith(b"PK\x03\x04") and _ODS in head else None


def written_anew(path: Path, form: str, into: Path, name: str) -> None:
    """Write the values of a workbook as .xlsx.

    Args:
        path: of an .xls, or of an .ods whose directory was checked.
        form: which of both.
        into: the new file.
        name: of the workbook, for errors.

    Raises:
        RefusedError: CON-004 calamine for Python is not installed (exit 4).
        SystemFailure: CON-090 the workbook cannot be read, or has a password; CON-091 a sheet has too many cells;
            CON-023 there is no room (exit 5).
    """
    try:
        import python_calamine
    except ImportError:
        raise RefusedError(
            "CON-004", f"the library that reads .{form} is not installed", hint="Install omnicase[xls].", place=name
        ) from None
    if form == "ods":
        _check_repeats(path, name)
    try:
        # By its bytes: of a path calamine believes the name.
        with path.open("rb") as content:
            book = python_calamine.CalamineWorkbook.from_filelike(content)
        worksheets = [
            (each.name, each.visible != python_calamine.SheetVisibleEnum.Visible)
            for each in book.sheets_metadata
            if each.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        with writing(), zipfile.ZipFile(into, "w") as archive:
            _frame(archive, worksheets)
            for number, (sheet_name, _) in enumerate(worksheets, 1):
                sheet = book.get_sheet_by_name(sheet_name)
                if sheet.total_height * sheet.total_width > MOST_CELLS:
                    raise _too_many(name)
                _sheet(archive, number, sheet.iter_rows(), sheet.merged_cell_ranges or ())
    except python_calamine.PasswordError:
        raise _unreadable(form, "it is protected by a password", name) from None
    except (python_calamine.CalamineError, OSError, ValueError):
        # Its text may quote what is in the file.
        raise _unreadable(form, "it is damaged, cut off, something else, or protected by a password", name) from None


def _unreadable(form: str, why: str, name: str) -> SystemFailure:
    return SystemFailure(
        "CON-090",
        f"the file is not a workbook (.{form}) that can be read: {why}",
        hint="Open it in Excel or LibreOffice and save it as .xlsx without a password.",
        place=name,
    )


def _too_many(name: str) -> SystemFailure:
    return SystemFailure(
        "CON-091",
        f"the workbook is beyond a limit: a sheet has more than {MOST_CELLS:,} cells",
        hint="Save it as .xlsx, of which a sheet may be of any size.",
        place=name,
    )


def _check_repeats(path: Path, name: str) -> None:
    """Refuse what says of a cell with a value that it is repeated so often that no memory holds it."""
    cells = _Repeats()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = cells.doctype
    parser.StartElementHandler = cells.start
    parser.EndElementHandler = cells.end
    try:
        with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
            while block := content.read(1 << 18):
                parser.Parse(block, False)
                if cells.most > MOST_CELLS:
                    raise _too_many(name)
            parser.Parse(b"", True)
    except (expat.ExpatError, zipfile.BadZipFile, KeyError, EOFError, RuntimeError, ValueError):
        why = "a part of it is missing, damaged, encrypted or declares a document type"
        raise _unreadable("ods", why, name) from None


class _Repeats:
    """Counts how many cells a sheet has up to the last one with a value, the repeated ones included."""

    def __init__(self) -> None:
        self.most = 0
        self._rows = self._wide = self._column = self._last = self._times = 0

    def doctype(self, *_: object) -> None:
        raise ValueError

    def start(self, element: str, attributes: dict[str, str]) -> None:
        if element == "table:table":
            self._rows = self._wide = 0
        elif element == "table:table-row":
            self._times = int(attributes.get("table:number-rows-repeated", "1"))
            self._column = self._last = 0
        elif element in ("table:table-cell", "table:covered-table-cell"):
            self._column += int(attributes.get("table:number-columns-repeated", "1"))
            if any(key.startswith("office:") and key != "office:value-type" for key in attributes):
                self._last = self._column
        elif element == "text:p":
            self._last = self._column

    def end(self, element: str) -> None:
        if element != "table:table-row":
            return
        # calamine drops empty rows at the end, but keeps those between others.
        self._rows += self._times
        if self._last:
            self._wide = max(self._wide, self._last)
            self.most = max(self.most, self._rows * self._wide)


def _frame(archive: zipfile.ZipFile, worksheets: list[tuple[str, bool]]) -> None:
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="r{number}" state="{_STATES[hidden]}"/>'
        for number, (name, hidden) in enumerate(worksheets, 1)
    )
    links = "".join(
        f'<Relationship Id="r{number}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(worksheets) + 1)
    )
    main = f'<Relationship Id="b" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/>'
    archive.writestr("_rels/.rels", f'<Relationships xmlns="{_PARTS}">{main}</Relationships>')
    workbook = f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{sheets}</sheets></workbook>'
    archive.writestr("xl/workbook.xml", workbook)
    archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PARTS}">{links}</Relationships>')


def _sheet(
    archive: zipfile.ZipFile,
    number: int,
    rows: Iterable[Sequence[Value]],
    merged: Iterable[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    with archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as into:
        into.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
        for at, values in enumerate(rows, 1):
            cells = "".join(_cell(f"{column_letters(column)}{at}", value) for column, value in enumerate(values, 1))
            if cells:
                into.write(f'<row r="{at}">{cells}</row>'.encode())
        into.write(b"</sheetData>")
        ranges = [":".join(f"{column_letters(column + 1)}{row + 1}" for row, column in corners) for corners in merged]
        if ranges:
            said = "".join(f'<mergeCell ref="{each}"/>' for each in ranges)
            into.write(f"<mergeCells>{said}</mergeCells>".encode())
        into.write(b"</worksheet>")


def _cell(place: str, value: Value) -> str:
    if value == "":
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        # A double of a whole number is written as one, as Excel does.
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        return f'<c r="{place}"><v>{number!r}</v></c>'
    text = escape(_NO_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", _text(value)))
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _text(value: Value) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.timedelta):
        hours, rest = divmod(round(value.total_seconds()), 3600)
        return f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return str(value)
