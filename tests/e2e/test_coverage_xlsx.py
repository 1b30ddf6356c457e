"""The coverage as a workbook to sign: every column is there, nothing in it is a formula, the same twice gives one file."""

from __future__ import annotations

import html
import re
import sqlite3
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process
from targets import upgrade
from tiny_workspace import contact, edit, make_workspace, write_contacts

EVIL = '=HYPERLINK("https://x","y")'


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A tiny workspace in which a reason looks like a formula."""
    folder = make_workspace(tmp_path / "w")
    edit(folder / "mappings/oud.actor.yml", '  job_title:     {from: FUNCTIE, null_if: [""]}\n', "")
    edit(folder / "mappings/oud.actor.yml", "[email,", "[job_title, email,")
    with (folder / "mappings/oud.actor.yml").open("a") as file:
        file.write(f"ignore:\n  - {{columns: [FUNCTIE], reason: '{EVIL}', approved_by: '@FB', evidence: DEC-7}}\n")
    return folder


def _texts(book: Path) -> tuple[list[str], str]:
    with zipfile.ZipFile(book) as parts:
        sheets = "".join(
            parts.read(name).decode() for name in sorted(parts.namelist()) if name.startswith("xl/worksheets/sheet")
        )
    return [html.unescape(text) for text in re.findall(r"<is><t[^>]*>(.*?)</t></is>", sheets, re.DOTALL)], sheets


def test_every_column_has_a_line_with_room_to_sign(workspace: Path, tmp_path: Path) -> None:
    book = tmp_path / "out/dekking.xlsx"
    answer = in_process("-C", workspace, "mapping", "coverage", "--xlsx", book)
    assert answer.status == 0, answer.err
    texts, sheets = _texts(book)
    assert {"kolom", "besloten door", "akkoord (ja/nee)", "datum", "genegeerd", "DEC-7"} <= set(texts)
    assert {"CODE", "NAAM", "FUNCTIE", "employee_code", "oud.MEDEW"} <= set(texts)
    assert f"'{EVIL}" in texts
    assert "'@FB" in texts
    assert "<f>" not in sheets
    assert "<hyperlink" not in sheets.lower()
    english = tmp_path / "coverage.xlsx"
    assert in_process("-C", workspace, "mapping", "coverage", "--xlsx", english, "--lang", "en").status == 0
    assert "agreed (yes/no)" in _texts(english)[0]


def test_codes_that_no_load_met_have_a_line_to_sign(workspace: Path, tmp_path: Path) -> None:
    """What the text shows of the code tables is in the workbook: met, never met, and rows with an unknown code."""
    book = tmp_path / "c.xlsx"
    assert in_process("-C", workspace, "mapping", "coverage", "--xlsx", book).status == 0
    assert {"Codetabellen", "kanaal.csv", "nog niet geladen"} <= {*_texts(book)[0], *_sheets(book)}
    upgrade(workspace)
    write_contacts(workspace, [contact(1), contact(2, KANAAL="FAX"), contact(3, KANAAL="FAX")])
    assert in_process("-C", workspace, "run").status == 3
    assert in_process("-C", workspace, "mapping", "coverage", "--xlsx", book, "--lang", "en").status == 0
    line = _line(book, "Code tables", "kanaal.csv")
    assert line[:6] == ["kanaal.csv", "kcc.contact", "2", "1", "BALIE", "2"]


def _sheets(book: Path) -> list[str]:
    with zipfile.ZipFile(book) as parts:
        return re.findall(r'<sheet name="([^"]*)"', parts.read("xl/workbook.xml").decode())


def _line(book: Path, sheet: str, first: str) -> list[str]:
    """Return the cells of the line of a sheet that begins with a text."""
    with zipfile.ZipFile(book) as parts:
        inside = parts.read(f"xl/worksheets/sheet{_sheets(book).index(sheet) + 1}.xml").decode()
    rows = [
        re.findall(r"<c [^>]*?(?:/>|>(?:<is><t[^>]*>(.*?)</t></is>)?</c>)", row)
        for row in re.findall(r"<row .*?</row>", inside)
    ]
    [found] = [row for row in rows if row and row[0] == first]
    return found


def test_the_same_coverage_is_the_same_file_and_what_is_open_is_in_it(workspace: Path, tmp_path: Path) -> None:
    books = [tmp_path / "1.xlsx", tmp_path / "2.xlsx"]
    for book in books:
        assert in_process("-C", workspace, "mapping", "coverage", "--xlsx", book).status == 0
    assert books[0].read_bytes() == books[1].read_bytes()
    with closing(sqlite3.connect(workspace / "systems/oud.db")) as connection:
        connection.execute("ALTER TABLE MEDEW ADD COLUMN PASNR TEXT")
    assert in_process("-C", workspace, "mapping", "coverage", "--xlsx", books[0]).status == 3
    texts, _ = _texts(books[0])
    assert {"PASNR", "OPEN"} <= set(texts)


def test_without_the_library_and_without_a_place_the_error_says_what_to_do(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    answer = in_process("-C", workspace, "mapping", "coverage", "--xlsx", tmp_path / "file/c.xlsx")
    assert (answer.status, "OUT-001" in answer.err) == (4, True)
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    answer = in_process("-C", workspace, "mapping", "coverage", "--xlsx", tmp_path / "c.xlsx")
    assert answer.status == 2
    assert "XLS-001" in answer.err
    assert "omnicase[xlsx]" in answer.err
    assert not (tmp_path / "c.xlsx").exists()
