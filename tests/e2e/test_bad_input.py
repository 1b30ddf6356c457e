"""What bad input gets: one clear error with code, place and remedy, the right exit status, the target unchanged.

Most cases run in this process through the door of the program; what needs a process of its own (pipes, full disks, a
second run, an interrupt) starts one.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command_line import Answer, CommandLine, in_process
from targets import assert_same_target, copy_workspace, file_states, ledger_rows, model_rows
from tiny_workspace import contact, edit, make_workspace, write_actors, write_contacts

CONTACTS = "mappings/kcc.contact.yml"
SETTINGS = "workspace.yml"
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


def replaced(name: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda folder: edit(folder / name, old, new)


def removed(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def written(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def pipe(name: str) -> Callable[[Path], object]:
    return lambda folder: ((folder / name).unlink(), os.mkfifo(folder / name))


def directory(name: str) -> Callable[[Path], object]:
    return lambda folder: ((folder / name).unlink(), (folder / name).mkdir())


def left_alone(_folder: Path) -> None:
    """Nothing is broken: the command is."""


@dataclass(frozen=True)
class Bad:
    """One way to break a workspace or a command, and what must be said of it."""

    about: str
    breaks: Callable[[Path], object]
    words: str
    code: str
    status: int
    says: str
    target_stays: bool = True
    env: dict[str, str] = field(default_factory=dict)


NAMED = "systems.oud"
CASES = [
    # files of the old systems
    Bad("csv missing", removed("systems/kcc/contact.csv"), "run", "CON-030", 5, "contact.csv"),
    Bad("database missing", removed("systems/oud.db"), "run", "CON-010", 5, "no such source"),
    Bad("database is a folder", directory("systems/oud.db"), "run", "CON-011", 5, "folder, pipe or device"),
    Bad("database is a pipe", pipe("systems/oud.db"), "run", "CON-011", 5, "folder, pipe or device"),
    Bad("csv is a pipe", pipe("systems/kcc/contact.csv"), "run", "CON-011", 5, "folder, pipe or device"),
    Bad("database is text", written("systems/oud.db", b"no database at all " * 99), "run", "CON-013", 5, "oud.db"),
    Bad("database named by the environment", left_alone, "run", "CON-010", 5, "elders.db",
        env={"OMNICASE_OUD_URL": "sqlite:///elders.db"}),
    Bad("csv in another encoding", lambda folder: write_contacts(folder, [contact(n, NAAM="José") for n in range(9)], "cp1252"),
        "run", "CON-037", 5, "may be cp1252"),
    Bad("csv empty", written("systems/kcc/contact.csv", b""), "run", "CON-039", 5, "allow_empty"),
    Bad("csv lost a column", lambda folder: write_contacts(folder, [contact(1)[:-1]]).write_text("NR;KANAAL\n1;tel\n"),
        "run", "RUN-001", 5, "mapping check"),
    # mappings
    Bad("relation unknown", replaced(CONTACTS, "relation: CONTACT", "relation: CONTACTS"), "run", "MAP-011", 4, "Did you mean CONTACT?"),
    Bad("column unknown in a run", replaced(CONTACTS, "from: ONDERWERP", "from: ONDERWRP"), "run", "RUN-001", 5, "ONDERWRP"),
    Bad("target unknown", replaced(CONTACTS, "target: customer_contact", "target: customer_contacts"), "run", "MAP-013", 4,
        "Did you mean 'customer_contact'?"),
    Bad("field unknown", replaced(CONTACTS, "  content: ", "  contents: "), "run", "MAP-041", 4, "Did you mean 'content'?"),
    Bad("code table unknown", replaced(CONTACTS, "kanaal.csv", "kanalen.csv"), "run", "MAP-018", 4, "codes/kanalen.csv"),
    Bad("code table is a pipe", pipe("codes/kanaal.csv"), "run", "MAP-018", 4, "folder, pipe or device"),
    Bad("code table is no text", written("codes/kanaal.csv", b"from,to\nTEL,\xff\n"), "run", "MAP-018", 4, "byte 12"),
    Bad("code table above the workspace", replaced(CONTACTS, "kanaal.csv", "../../../etc/passwd"), "run", "MAP-018", 4, "outside the folder codes"),
    Bad("code table with an absolute path", replaced(CONTACTS, "kanaal.csv", "/etc/passwd"), "run", "MAP-018", 4, "outside the folder codes"),
    Bad("code table with a NUL in its name", replaced(CONTACTS, "kanaal.csv", '"kanaal\\0.csv"'), "run", "MAP-018", 4, "outside the folder codes"),
    Bad("code table is a link to elsewhere",
        lambda folder: ((folder / "codes/kanaal.csv").unlink(), (folder / "codes/kanaal.csv").symlink_to("/etc/passwd")),
        "run", "MAP-018", 4, "outside the folder codes"),
    Bad("step unknown", replaced(CONTACTS, "do: [upper]", "do: [uper]"), "run", "MAP-027", 4, "Did you mean 'upper'?"),
    Bad("stage unknown", replaced(CONTACTS, "codes: kanaal", "cods: kanaal"), "run", "MAP-001", 4, "Did you mean 'codes'?"),
    Bad("no YAML", written(CONTACTS, b"mapping: [kcc.contact\nfields: {"), "run", "YML-002", 4, "Mend the line"),
    Bad("mapping is no text", written(CONTACTS, b"\xff\xfe\x00m"), "run", "YML-002", 4, "UTF-8"),
    Bad("mapping is a pipe", pipe(CONTACTS), "run", "YML-001", 4, "folder, pipe or device"),
    Bad("mapping is a folder", directory(CONTACTS), "run", "YML-001", 4, "folder, pipe or device"),
    Bad("keys twice", replaced(CONTACTS, "  language: ", "  subject:  {from: VRAAG}\n  language: "), "run", "YML-003", 4, "on lines 8 and 11"),
    Bad("no mappings", lambda folder: shutil.rmtree(folder / "mappings"), "run", "RUN-012", 4, "mappings"),
    # the workspace
    Bad("no workspace", removed(SETTINGS), "run", "WSP-001", 4, "omnicase init DIR"),
    Bad("workspace.yml is a pipe", pipe(SETTINGS), "run", "WSP-001", 4, "omnicase init DIR"),
    Bad("workspace.yml is empty", written(SETTINGS, b""), "run", "YML-006", 4, "omnicase init"),
    Bad("setting unknown", replaced(SETTINGS, "batch_rows", "batch_rws"), "run", "WSP-002", 4, "Did you mean 'batch_rows'?"),
    Bad("setting wrong", replaced(SETTINGS, "batch_rows: 50", "batch_rows: veel"), "run", "WSP-002", 4, "run.batch_rows"),
    Bad("kind unknown", replaced(SETTINGS, "kind: sqlite", "kind: sqlight"), "run", "CON-001", 4, "csv, sqlite"),
    Bad("variable not set", replaced(SETTINGS, "systems/oud.db", "${OUD_PAD}"), "run", "WSP-003", 4, "Set OUD_PAD"),
    Bad("environment unknown", left_alone, "--env produktie run", "WSP-004", 4, "productie"),
    Bad("public namespace in production", left_alone, "--env productie run", "WSP-013", 4, "keys/namespace"),
    Bad("namespace not set", replaced(SETTINGS, '{public: "tiny tests"}', "{env: NERGENS_GEZET}"), "run", "WSP-011", 4, "NERGENS_GEZET"),
    Bad("namespace is a pipe", lambda folder: (edit(folder / SETTINGS, '{public: "tiny tests"}', "{file: ns}"), os.mkfifo(folder / "ns")),
        "run", "WSP-011", 4, "cannot be read"),
    Bad("another namespace", replaced(SETTINGS, "tiny tests", "other tests"), "run", "LED-001", 6, "Restore the namespace"),
    Bad("personal column mistyped", replaced(SETTINGS, "MEDEW: [NAAM]", "MEDEW: [NAM]"), "explain oud.actor m1", "WSP-006", 4, "Did you mean NAAM?"),
    Bad("personal relation mistyped", replaced(SETTINGS, "{MEDEW: [NAAM]}", "{MEDW: [NAAM]}"), "run", "WSP-006", 4, "Did you mean MEDEW?"),
    Bad("personal is no list", replaced(SETTINGS, "{MEDEW: [NAAM]}", "true"), "run", "WSP-006", 4, "RELATION: [COLUMN]"),
    Bad("password of a system", replaced(SETTINGS, "path: systems/oud.db", "path: systems/oud.db\n    password: geheim1"), "run", "CON-002", 4,
        "OMNICASE_OUD_URL"),
    Bad("password in the URL of the target", replaced(SETTINGS, "sqlite:///target.db", "postgresql://ik:geheim1@h/db"), "db upgrade", "WSP-005", 4,
        "OMNICASE_TARGET_URL"),
    # the target
    Bad("target missing", removed("target.db"), "run", "TGT-023", 5, "omnicase db upgrade", target_stays=False),
    Bad("target is a folder", directory("target.db"), "run", "TGT-022", 5, "target.url", target_stays=False),
    Bad("target in a folder that is a file", replaced(SETTINGS, "sqlite:///target.db", "sqlite:///workspace.yml/target.db"), "db upgrade",
        "DBS-001", 5, "target:"),
    Bad("target is no database", written("target.db", b"x" * 9000), "run", "DBS-001", 5, "target:", target_stays=False),
    Bad("target not upgraded", written("target.db", b""), "run", "DBS-003", 6, "omnicase db upgrade", target_stays=False),
    Bad("target of a kind unknown", replaced(SETTINGS, "sqlite:///target.db", "gopher:target"), "db current", "DBS-005", 4, "sqlite:///target.db"),
    Bad("reports cannot be written", written("reports", b""), "reconcile --report html", "REC-003", 5, "reconcile again"),
    # hurried, mistaken, malicious typing
    Bad("verb unknown", left_alone, "rnu", "CLI-001", 2, "Did you mean 'run'?"),
    Bad("mapping unknown", left_alone, "run kcc.contct", "RUN-011", 2, "Did you mean kcc.contact?"),
    Bad("mapping with SQL", left_alone, "run kcc.contact';DROP\u00a0TABLE\u00a0actor;--", "RUN-011", 2, "kcc.contact, oud.actor, seed.channel"),
    Bad("mapping that is a path", left_alone, "run ../../etc/passwd", "RUN-011", 2, "Known:"),
    Bad("mapping that steers a terminal", left_alone, "run \x1b[2Jrood\u202e", "RUN-011", 2, "\\x1b[2Jrood\\u202e"),
    Bad("option after --", left_alone, "run -- --resume", "RUN-011", 2, "'--resume'"),
    Bad("no such day", left_alone, "run --as-of 2026-02-30", "CLI-001", 2, "2026-11-24"),
    Bad("day the other way round", left_alone, "run --as-of 31-12-2026", "CLI-001", 2, "2026-11-24"),
    Bad("share without %", left_alone, "run --max-rejects 5", "CLI-001", 2, "such as 5%"),
    Bad("share that is no number", left_alone, "run --max-rejects nan%", "CLI-001", 2, "such as 5%"),
    Bad("share above all", left_alone, "run --max-rejects 101%", "CLI-001", 2, "such as 5%"),
    Bad("nothing to resume", left_alone, "run --resume", "RUN-021", 6, "Run without --resume"),
    Bad("run unknown", left_alone, "status 99999999999999999999999", "RUN-013", 2, "omnicase status"),
    Bad("key unknown", left_alone, "explain kcc.contact 999", "EXP-001", 2, "rejects list"),
    Bad("key with control characters", left_alone, "explain kcc.contact \x1b[2J\x07", "EXP-001", 2, "rejects list"),
    Bad("key of a megabyte", left_alone, f"explain kcc.contact {'9' * 1_000_000}", "EXP-001", 2, "rejects list"),
    Bad("mapping of a megabyte", left_alone, f"run {'9' * 1_000_000}", "RUN-011", 2, "999…"),
    Bad("key with a quote", left_alone, "rejects show kcc.contact 1';--", "REJ-002", 2, "rejects list"),
    Bad("issue unknown", left_alone, "rejects list --code dat-invalid", "REJ-001", 2, "date-invalid"),
    Bad("not UTF-8", left_alone, "run --label \udcff", "CLI-001", 2, "UTF-8"),
    Bad("level unknown", left_alone, "reconcile --level veldjes", "REC-001", 2, "fields"),
    Bad("kind of report unknown", left_alone, "reconcile --level accounting --report pdf", "REC-002", 2, "html"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about.replace(" ", "-"))
def test_bad_input_gets_one_clear_error(case: Bad, workspace: Path, loaded: Path) -> None:
    case.breaks(workspace)
    words = case.words.split(" ")
    answer = in_process("-C", workspace, *words, env=case.env)
    assert answer.status == case.status, answer.out + answer.err
    assert answer.out == ""
    lines = answer.err.splitlines()
    assert lines[0].startswith(f"{case.code}  "), answer.err
    assert lines[1].startswith("  hint: ")
    assert case.says in answer.err
    assert "Traceback" not in answer.err
    assert not CONTROL.search(answer.err)
    assert "geheim1" not in answer.err
    assert len(answer.err) < 5000
    if case.target_stays:
        assert model_rows(workspace / "target.db") == model_rows(loaded / "target.db")
        assert ledger_rows(workspace / "target.db") == ledger_rows(loaded / "target.db")
    if case.code in ("TGT-023", "CON-010"):
        assert not (workspace / ("target.db" if case.code == "TGT-023" else "systems/oud.db")).exists() or case.env
    # The same as one JSON object.
    answer = in_process("--format", "json", "-C", workspace, *words, env=case.env)
    assert (answer.status, answer.err) == (case.status, "")
    assert {"code", "class", "where", "message", "hint"} <= set(answer.document) <= {"code", "class", "where", "message", "hint", "errors"}
    assert answer.document["code"] == case.code
    assert answer.document["class"] == {2: "usage", 4: "refused", 5: "system", 6: "guard"}[case.status]


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [("from: ONDERWERP", "from: ONDERWRP", "MAP-060", 8), ("relation: CONTACT", "relation: CONTACTS", "MAP-011", 4),
     ("  language: ", "  subject:  {from: VRAAG}\n  language: ", "YML-003", 11), ("codes: kanaal", "cods: kanaal", "MAP-001", 7)],
)
def test_mapping_check_names_file_and_line(old: str, new: str, code: str, line: int, workspace: Path) -> None:
    """What is wrong with a file is the answer of this verb, also where the file cannot even be parsed: exit 4."""
    edit(workspace / CONTACTS, old, new)
    answer = in_process("-C", workspace, "--format", "json", "mapping", "check")
    assert (answer.status, answer.err) == (4, "")
    error, = answer.document["errors"]
    assert (error["code"], error["file"], error["line"]) == (code, CONTACTS, line)
    assert error["hint"]


def test_the_password_of_the_environment_is_no_password_in_the_workspace(workspace: Path) -> None:
    edit(workspace / SETTINGS, "sqlite:///target.db", "${DOEL}")
    answer = in_process("-C", workspace, "db", "current", env={"DOEL": "postgresql://ik:geheim1@127.0.0.1:9/db"})
    assert (answer.status, answer.err[:7]) == (5, "DBS-001")
    assert "geheim1" not in answer.out + answer.err


def test_no_reject_at_all_can_be_asked_for(tmp_path: Path) -> None:
    """`--max-rejects 0%` is a limit, not the absence of one."""
    folder = make_workspace(tmp_path / "w", contacts=1001)
    write_contacts(folder, [contact(1, WANNEER="ooit"), *(contact(number) for number in range(2, 1002))])
    assert in_process("-C", folder, "db", "upgrade").status == 0
    answer = in_process("-C", folder, "run", "--max-rejects", "0%")
    assert (answer.status, answer.err[:7]) == (6, "RUN-020"), answer.err


# ---- a bad value in a row is that row's issue, never the end of the batch ----

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
    texts = [each.out + each.err for each in shown] + [file.read_text() for file in (folder / "reports").iterdir()]
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


# ---- the machine: disks, pipes, locks, interrupts ----


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_half_report_on_a_full_disk(workspace: Path) -> None:
    with files_at_most(40_000):
        answer = in_process("-C", workspace, "reconcile", "--report", "html")
    assert (answer.status, answer.err[:7]) == (5, "REC-003"), answer.err
    assert list((workspace / "reports").iterdir()) == []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of many small batches, upgraded and not loaded."""
    folder = make_workspace(tmp_path_factory.mktemp("bad") / "many", actors=20, contacts=2000)
    edit(folder / SETTINGS, "batch_rows: 50", "batch_rows: 10")
    assert in_process("-C", folder, "db", "upgrade").status == 0
    return folder


@pytest.fixture(scope="module")
def undisturbed(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_workspace(many, tmp_path_factory.mktemp("bad") / "undisturbed")
    assert in_process("-C", folder, "run").status == 0
    return folder / "target.db"


def program(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "migrate", "-C", str(folder), *words]


def test_a_full_disk_keeps_what_is_committed_and_the_next_run_completes(many: Path, undisturbed: Path, tmp_path: Path) -> None:
    folder = copy_workspace(many, tmp_path / "full")
    limit = (folder / "target.db").stat().st_size + 200_000
    done = subprocess.run(
        program(folder, "run"), env=CommandLine.environment(), capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 5, done.stderr
    assert done.stderr.splitlines()[-2].startswith("SYS-002  A SQLite database failed")
    assert "Free space" in done.stderr
    assert "Traceback" not in done.stderr
    status = in_process("-C", folder, "--format", "json", "status").document
    assert (status["state"], status["balanced"]) == ("failed", True)
    committed = sum(books["inserted"] for books in status["mappings"])
    assert 0 < committed < 2022
    assert committed == sum(len(rows) for rows in model_rows(folder / "target.db").values())
    again = in_process("-C", folder, "run")
    assert again.status == 0
    assert "was resumed" in again.err
    assert_same_target(folder / "target.db", undisturbed)


@pytest.fixture(scope="module")
def two_runs(many: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, Answer, Answer]:
    """A run, a second one beside it, then SIGINT to the first: folder, process, what the second and the first said."""
    folder = copy_workspace(many, tmp_path_factory.mktemp("bad") / "two")
    first = subprocess.Popen(
        program(folder, "run"), env=CommandLine.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    deadline = time.monotonic() + 60
    while len(model_rows(folder / "target.db")["customer_contact"]) < 10 and time.monotonic() < deadline:
        time.sleep(0.05)
    # It is refused before it opens a source: here the source is not there.
    second = in_process("-C", folder, "--format", "json", "run", env={"OMNICASE_OUD_URL": "sqlite:///nergens.db"})
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=60)
    return folder, first.pid, second, Answer(first.returncode, out, err)


def test_a_second_run_is_refused_and_told_who_holds_the_target(two_runs: tuple[Path, int, Answer, Answer]) -> None:
    _, pid, second, _ = two_runs
    assert second.status == 7, second.out + second.err
    assert (second.document["code"], second.document["class"]) == ("LED-007", "locked")
    since = rf"run 1 \(process {pid} on {re.escape(socket.gethostname())}\) holds the target since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.match(since, second.document["message"])
    assert second.document["hint"]


def test_an_interrupted_run_is_resumed_to_the_same_target(two_runs: tuple[Path, int, Answer, Answer], undisturbed: Path) -> None:
    folder, _, _, first = two_runs
    assert first.status == 130, first.out + first.err
    assert first.err.splitlines() == [
        "Stopping after this batch; once more stops at once.",
        "Interrupted. What was committed is kept; the same command goes on from there.",
    ]
    assert 0 < len(model_rows(folder / "target.db")["customer_contact"]) < 2000
    assert in_process("-C", folder, "--format", "json", "status").document["state"] == "interrupted"
    again = in_process("-C", folder, "run")
    assert again.status == 0
    assert "was resumed" in again.err
    assert_same_target(folder / "target.db", undisturbed)


@pytest.mark.parametrize(("host", "status"), [(socket.gethostname(), 0), ("een-andere-machine", 7)])
def test_a_dead_holder_is_taken_over_on_this_machine_only(host: str, status: int, workspace: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with closing(sqlite3.connect(workspace / "target.db")) as target:
        target.execute("UPDATE migration_lock SET run_id = 1, host = ?, pid = ?, taken_at = '2026-01-01 00:00:00.000000'", (host, dead.pid))
        target.commit()
    answer = in_process("-C", workspace, "run")
    assert answer.status == status, answer.err
    if status == 7:
        assert "een-andere-machine" in answer.err
        assert "LED-007" in answer.err


def test_a_reader_that_went_away_before_the_answer(workspace: Path, loaded: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(program(workspace, "status"), env=CommandLine.environment(), stdout=writer, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (5, "")


@pytest.mark.parametrize(("streams", "status", "error"), [(">&-", 0, ""), ("2>&- >&- <&-", 0, ""), ("> /dev/full", 5, "SYS-001")])
def test_streams_that_are_closed_or_full(streams: str, status: int, error: str, workspace: Path) -> None:
    command = " ".join(program(workspace, "status"))
    before = file_states(workspace / "mappings")
    done = subprocess.run(["bash", "-c", f"{command} {streams}"], env=CommandLine.environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr[:7]) == (status, error)
    assert file_states(workspace / "mappings") == before
