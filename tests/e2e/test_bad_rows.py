"""A bad value in a row is that row's issue, never the end of the batch; what is shown of it is inert."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command_line import Answer, in_process
from targets import copy_workspace
from tiny_workspace import contact, make_workspace, write_actors, write_contacts

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace that was loaded whole."""
    folder = make_workspace(tmp_path_factory.mktemp("bad") / "loaded")
    assert in_process("-C", folder, "db", "upgrade").status == 0
    answer = in_process("-C", folder, "run")
    assert answer.status == 0, answer.err
    return folder


@pytest.fixture
def workspace(loaded: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    return copy_workspace(loaded, tmp_path / "w")


ACTORS = {
    "m13": ("m13", None, "balie", 1, "name: required-missing"),
    "m18": ("m18", "x" * 5000, "balie", 1, "name: too-long"),
    "m8": ("m8", "nul\x00teken", "balie", 1, "name: nul-character"),
    "m9": ("m9", "Tekst", "balie", "lots-of-it", "is_active: boolean-invalid"),
    "m10": ("m10", "Groot", "balie", 2**62, "is_active: boolean-invalid"),
    "m11": ("m11", "Komma", "balie", 1e300, "is_active: boolean-invalid"),
    "m12": ("m12", "Oneindig", "balie", float("inf"), "is_active: boolean-invalid"),
    "row 6": ("m6", "Bytes", b"\x00\x01\xff", 1, "blob-in-text"),
}
"""Key to row and issue; the sixth row of the relation holds the blob."""
CALL = {
    "101": ({"WANNEER": "2014-02-30 10:00"}, "occurred_at: datetime-invalid"),
    "102": ({"WANNEER": "0000-00-00 00:00"}, "occurred_at: datetime-invalid"),
    "105": ({"WANNEER": "1e400"}, "occurred_at: datetime-invalid"),
    "106": ({"KANAAL": "=cmd|' /C calc'!A0"}, "channel_id: code-unknown"),
    "107": ({"KANAAL": "<script>alert(2)</script>"}, "channel_id: code-unknown"),
    "108": ({"KANAAL": "\x1b[2Jx"}, "channel_id: code-unknown"),
    "109": ({"ONDERWERP": "nul\x00hier"}, "subject: nul-character"),
    "110": ({"ONDERWERP": ""}, "subject: required-missing"),
    "111": ({"ONDERWERP": "x" * 300}, "subject: too-long"),
    "112": ({"MEDEW": "<script>"}, "actor_id: orphan"),
    "12345678901234567890": ({}, "contact_number: too-long"),
}
UNREADABLE = [
    (b'"130";"tel";"Jos\xe9 \xff";"";"x";"2014-05-06 09:30";"m1"', "encoding-invalid"),
    (b'"131";"tel"', "record-unparsable"),
    (b'"132";"tel";"a";"b";"c";"2014-05-06 09:30";"m1";"te veel"', "record-unparsable"),
    (b'"133";"tel";"half \xed\xa0\x80";"b";"c";"2014-05-06 09:30";"m1"', "encoding-invalid"),
    (b'"134";"tel";"quote "in" it";"b";"c";"2014-05-06 09:30";"m1"', "record-unparsable"),
]
GOOD_ACTORS = {
    "m14": "Emoji \U0001f600 e\u0301", "m15": "<script>alert(1)</script>", "m16": "\x1b[2J\x1b]0;x\x07rood\u202eom", "m17": "\ufffdx",
}
GOOD_SUBJECTS = {
    "201": "<script>alert(1)</script>", "202": "\x1b[2J\x1b[31mrood", "203": "=cmd|' /C calc'!A0", "204": "Emoji \U0001f600 e\u0301 \u202eom",
    "205": "\\N \\. 'quote'; DROP TABLE actor;--", "206": "\"><img src=x onerror=alert(1)>", "207": "regel 1\nregel 2",
}


@pytest.fixture(scope="module")
def dirty(loaded: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """The workspace with good rows, odd but good ones, and bad ones of every kind, loaded."""
    folder = copy_workspace(loaded, tmp_path_factory.mktemp("bad") / "dirty")
    good: list[tuple[object, ...]] = [(f"m{number}", f"Medewerker {number}", "balie", 1) for number in range(1, 6)]
    bad = sorted((row[:4] for row in ACTORS.values()), key=lambda row: row[0] != "m6")
    odd = [(code, name, "=1+1", 1) for code, name in GOOD_ACTORS.items()]
    write_actors(folder, [*good, *bad, *odd])
    rows = [contact(number) for number in range(1, 21)]
    rows += [contact(number, **changed) for number, (changed, _) in CALL.items()]
    rows += [contact(number, ONDERWERP=subject) for number, subject in GOOD_SUBJECTS.items()]
    file = write_contacts(folder, rows)
    file.write_bytes(file.read_bytes() + b"".join(line + b"\r\n" for line, _ in UNREADABLE))
    answer = in_process("-C", folder, "--format", "json", "run")
    assert answer.status == 3, answer.err
    return folder, answer


def test_each_bad_row_is_rejected_for_its_own_reason(dirty: tuple[Path, Answer]) -> None:
    document = in_process("-C", dirty[0], "--format", "json", "rejects", "list", "--limit", 100).document
    found = {
        (row["mapping"], "|".join(row["key"])): [f"{issue['field']}: {issue['code']}".removeprefix(": ") for issue in row["issues"]]
        for row in document["rejects"]
    }
    wanted = {("oud.actor", key): [row[4]] for key, row in ACTORS.items()}
    wanted |= {("kcc.contact", key): [issue] for key, (_, issue) in CALL.items()}
    first = 20 + len(CALL) + len(GOOD_SUBJECTS)
    unreadable = {key: issues for key, issues in found.items() if key[0] == "kcc.contact" and key[1].startswith("row ")}
    assert [issues for _, issues in sorted(unreadable.items(), key=lambda item: int(item[0][1].rpartition(":")[2]))] == [
        [code] for _, code in UNREADABLE], first
    assert {key: issues for key, issues in found.items() if key not in unreadable} == wanted


def test_good_rows_load_code_point_for_code_point(dirty: tuple[Path, Answer]) -> None:
    with closing(sqlite3.connect(dirty[0] / "target.db")) as target:
        names = dict(target.execute("SELECT employee_code, name FROM actor WHERE job_title = '=1+1'"))
        subjects = dict(target.execute("SELECT contact_number, subject FROM customer_contact WHERE contact_number LIKE '20_'"))
        count, = target.execute("SELECT COUNT(*) FROM customer_contact").fetchone()
    assert names == GOOD_ACTORS
    assert subjects == GOOD_SUBJECTS
    assert count == 20 + len(GOOD_SUBJECTS)


def test_the_books_balance_all_the_same(dirty: tuple[Path, Answer]) -> None:
    document = dirty[1].document
    assert document["balanced"] is True
    books = {each["mapping"]: each for each in document["mappings"]}
    assert books["oud.actor"]["rejected"] == len(ACTORS)
    assert books["kcc.contact"]["rejected"] == len(CALL) + len(UNREADABLE)
    assert books["kcc.contact"]["read"] == 20 + len(CALL) + len(GOOD_SUBJECTS) + len(UNREADABLE)


def test_reports_of_bad_values_are_inert(dirty: tuple[Path, Answer], workspace: Path) -> None:
    """Reconcile finds both sides equal; its page runs nothing, and nothing steers the terminal."""
    folder, _ = dirty
    answer = in_process("-C", folder, "reconcile", "--report", "html,json,txt")
    assert answer.status == 0, answer.out + answer.err
    clean = in_process("-C", workspace, "reconcile", "--report", "html")
    assert clean.status == 0
    page = next((folder / "reports").glob("*.html")).read_text(encoding="utf-8")
    assert "alert(2)" in page, "the bad value is not in the report, so this shows nothing"
    assert active(page) == [("script", "")] == active(next((workspace / "reports").glob("*.html")).read_text(encoding="utf-8"))
    assert "default-src &#39;none&#39;" in page
    shown = [answer, in_process("-C", folder, "rejects", "list"), in_process("-C", folder, "rejects", "show", "kcc.contact", "108"),
             in_process("-C", folder, "explain", "oud.actor", "m16"), in_process("-C", folder, "explain", "kcc.contact", "202")]
    texts = [each.out + each.err for each in shown] + [file.read_text() for file in (folder / "reports").rglob("*.*")]
    assert [CONTROL.findall(text) for text in texts if CONTROL.search(text)] == []
    assert all(each.err == "" for each in shown)


def active(page: str) -> list[tuple[str, str]]:
    """Return every tag that runs something, every handler and every address in a page."""
    found: list[tuple[str, str]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag in ("script", "img", "iframe", "object", "embed", "link", "base", "form"):
                found.append((tag, ""))
            found.extend((tag, name) for name, value in attrs
                         if name.startswith("on") or name in ("src", "srcset", "action") or (value or "").startswith("javascript:"))

    Parser().feed(page)
    return found
