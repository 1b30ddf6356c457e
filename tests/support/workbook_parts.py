"""Workbooks written part by part, so that a test can write what no program would."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = "http://schemas.openxmlformats.org/package/2006/relationships"
STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="170" formatCode="d mmmm yyyy"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="3"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFFF0000"/></patternFill></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="6">'
    '<xf numFmtId="0" fillId="0"/><xf numFmtId="14" fillId="0"/><xf numFmtId="22" fillId="0"/>'
    '<xf numFmtId="20" fillId="0"/><xf numFmtId="170" fillId="0"/><xf numFmtId="0" fillId="2"/></cellXfs></styleSheet>'
)
"""Styles 0: none, 1: a date, 2: date and time, 3: a time, 4: a date in letters, 5: a red cell."""


def write_workbook(path: Path, said: Mapping[str, Any]) -> None:
    """Write a workbook.

    Args:
        said: ``sheets``: name to the XML of its rows; and optionally ``hidden`` (names), ``texts`` (shared ones),
            ``date1904``, ``after`` (XML behind the rows of every sheet), ``prefix`` (of elements), ``whole`` (part to
            text, instead of or beside what is made).
    """
    p = said.get("prefix", "")
    space = f'xmlns{":" + p[:-1] if p else ""}="{_MAIN}"'
    parts = {}
    sheets, links = "", ""
    for number, (name, rows) in enumerate(said.get("sheets", {}).items(), 1):
        state = ' state="hidden"' if name in said.get("hidden", ()) else ""
        sheets += f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"{state}/>'
        links += f'<Relationship Id="r{number}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f"<{p}worksheet {space}>{said.get('before', '')}<{p}sheetData>{rows}</{p}sheetData>{said.get('after', '')}"
            f"</{p}worksheet>"
        )
    links += f'<Relationship Id="s" Type="{_LINKS}/styles" Target="styles.xml"/>'
    links += f'<Relationship Id="t" Type="{_LINKS}/sharedStrings" Target="/xl/sharedStrings.xml"/>'
    texts = "".join(f'<si><t xml:space="preserve">{text}</t></si>' for text in said.get("texts", ()))
    parts |= {
        "_rels/.rels": f'<Relationships xmlns="{_PARTS}"><Relationship Id="b" Type="{_LINKS}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><workbookPr'
        f' date1904="{int(said.get("date1904", False))}"/><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PARTS}">{links}</Relationships>',
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{texts}</sst>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | said.get("whole", {})).items():
            if content is not None:
                archive.writestr(name, content)
