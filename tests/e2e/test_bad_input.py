"""What bad input gets: one clear error with code, place and remedy, the right exit status, the target unchanged.

They run in this process through the door of the program.  Bad rows are in test_bad_rows.py, what needs a process of its
own (pipes, full disks, a second run, an interrupt) in test_machine_faults.py.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command_line import in_process
from targets import copy_workspace, ledger_rows, model_rows, upgrade
from tiny_workspace import contact, edit, make_workspace, write_contacts

CONTACTS = "mappings/kcc.contact.yml"
SETTINGS = "workspace.yml"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace that was loaded whole."""
    folder = make_workspace(tmp_path_factory.mktemp("bad") / "loaded")
    upgrade(folder)
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


def no_folder(name: str) -> Callable[[Path], object]:
    return lambda folder: (shutil.rmtree(folder / name, ignore_errors=True), (folder / name).write_bytes(b""))


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
    Bad("kind unknown", replaced(SETTINGS, "kind: sqlite", "kind: sqlight"), "run", "CON-001", 4, "postgresql, sql, sqlite, ticketlog, xml"),
    Bad("variable not set", replaced(SETTINGS, "systems/oud.db", "${OUD_PAD}"), "run", "WSP-003", 4, "Set OUD_PAD"),
    Bad("environment unknown", left_alone, "--env produktie run", "WSP-004", 4, "productie"),
    Bad("public namespace in production", left_alone, "--env productie run", "WSP-013", 4, "keys/namespace"),
    Bad("namespace not set", replaced(SETTINGS, '{public: "tiny tests"}', "{env: NERGENS_GEZET}"), "run", "WSP-011", 4, "NERGENS_GEZET"),
    Bad("namespace is a pipe", lambda folder: (edit(folder / SETTINGS, '{public: "tiny tests"}', "{file: ns}"), os.mkfifo(folder / "ns")),
        "run", "WSP-011", 4, "cannot be read"),
    Bad("another namespace", replaced(SETTINGS, "tiny tests", "other tests"), "run", "LED-001", 6, "Restore the namespace"),
    Bad("personal column mistyped", replaced(SETTINGS, "MEDEW: [NAAM]", "MEDEW: [NAM]"), "explain oud.actor m1", "WSP-006", 4, "Bedoelde u NAAM?"),
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
    Bad("reports cannot be written", no_folder("reports"), "reconcile --report html", "REC-003", 5, "reconcile again"),
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
    assert lines[1].startswith(("  hint: ", "  advies: "))
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
    upgrade(folder)
    answer = in_process("-C", folder, "run", "--max-rejects", "0%")
    assert (answer.status, answer.err[:7]) == (6, "RUN-020"), answer.err
