"""The measured traps of our libraries (faults.md, section 1), each through the door of the program.

Left out, since the part that they are about does not exist yet: 4 (read-only sessions on PostgreSQL sources), 8 (XML
entities) and 15 (XLSX cells).  The parts have tests of their own beside these: traps 1 to 3 in
tests/contract/test_sqlite_source.py, 6 in tests/unit/test_contracts.py, 9 and 10 in tests/cases_bad/mappings,
11 to 13 in tests/cases_bad/csv, 14 in tests/unit/test_stages.py.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process
from targets import copy_workspace, file_states
from tiny_workspace import contact, edit, make_workspace, write_actors, write_contacts

BSN = "999993653"
CONTACTS = "mappings/kcc.contact.yml"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace with an upgraded target."""
    folder = make_workspace(tmp_path_factory.mktemp("traps") / "fresh")
    assert in_process("-C", folder, "db", "upgrade").status == 0
    return folder


@pytest.fixture
def workspace(fresh: Path, tmp_path: Path) -> Path:
    return copy_workspace(fresh, tmp_path / "w")


def selected(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "target.db")) as target:
        return target.execute(sql).fetchall()


def rejected(folder: Path) -> dict[str, list[str]]:
    document = in_process("-C", folder, "--format", "json", "rejects", "list", "--limit", 100).document
    return {"|".join(row["key"]): [issue["code"] for issue in row["issues"]] for row in document["rejects"]}


def wal_system(path: Path) -> None:
    """Leave a database in WAL mode with one more row in its -wal only, as a program leaves it that was killed."""
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode=WAL'); c.execute('PRAGMA wal_autocheckpoint=0')\n"
        "c.execute(\"INSERT INTO MEDEW VALUES ('m99', 'In de wal', 'balie', 1)\"); c.commit(); os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    path.with_name(path.name + "-shm").unlink()


def test_trap_01_a_wal_database_gets_no_side_files(workspace: Path) -> None:
    wal_system(workspace / "systems/oud.db")
    before = file_states(workspace / "systems")
    assert set(before) == {"oud.db", "oud.db-wal", "kcc/contact.csv"}
    for words in (("mapping", "check"), ("plan",), ("run",), ("reconcile",)):
        in_process("-C", workspace, *words)
        assert file_states(workspace / "systems") == before, words


def test_trap_02_what_is_only_in_the_wal_is_read(workspace: Path) -> None:
    wal_system(workspace / "systems/oud.db")
    assert in_process("-C", workspace, "run").status == 0
    assert selected(workspace, "SELECT name FROM actor WHERE employee_code = 'm99'") == [("In de wal",)]


def test_trap_03_a_mistyped_path_makes_no_empty_database(workspace: Path) -> None:
    edit(workspace / "workspace.yml", "systems/oud.db", "systems/out.db")
    answer = in_process("-C", workspace, "run")
    assert (answer.status, answer.err[:7]) == (5, "CON-010")
    assert "no such source" in answer.err
    assert not (workspace / "systems/out.db").exists()


def test_trap_05_the_words_of_a_database_are_never_passed_on(workspace: Path) -> None:
    """A trigger of somebody else's refuses a row and quotes its value: we say which table, never which value."""
    with closing(sqlite3.connect(workspace / "target.db")) as target:
        target.execute(
            "CREATE TRIGGER theirs BEFORE INSERT ON actor WHEN NEW.name LIKE '%999993653%'"
            f" BEGIN SELECT RAISE(ABORT, 'no {BSN} here'); END"
        )
        target.commit()
    write_actors(workspace, [("m1", f"Piet {BSN}", "balie", 1)])
    answer = in_process("-C", workspace, "run")
    assert answer.status == 1
    assert "actor" in answer.err
    assert BSN not in answer.out + answer.err
    assert "RAISE" not in answer.err
    assert "INSERT" not in answer.err
    assert selected(workspace, "SELECT COUNT(*) FROM actor") == [(0,)]


def test_trap_06_errors_of_readers_quote_no_cell(workspace: Path) -> None:
    file = write_contacts(workspace, [contact(1)])
    file.write_bytes(file.read_bytes() + f'"2";"tel";"open {BSN}'.encode() + b"\r\n3;tel;a\r\n" * 50)
    answer = in_process("-C", workspace, "--format", "json", "run")
    assert (answer.status, answer.document["code"]) == (5, "CON-034")
    assert "line 3" in answer.document["message"]
    assert BSN not in answer.out + answer.err


@pytest.mark.parametrize(
    ("url", "code"),
    [("postgresql://ik@h/db?password=geheim1", "WSP-005"), ("postgresql://ik@h/db?sslpassword=geheim1", "WSP-005"),
     ("postgresql://ik:geheim1@h/db", "WSP-005")],
)
def test_trap_07_secrets_in_urls_are_refused_also_as_parameters(url: str, code: str, workspace: Path) -> None:
    edit(workspace / "workspace.yml", 'target: {url: "sqlite:///target.db"}', f'target: {{url: "{url}"}}')
    answer = in_process("-C", workspace, "db", "current")
    assert (answer.status, answer.err[:7]) == (4, code)
    assert "geheim1" not in answer.out + answer.err
    # A system's URL too.
    edit(workspace / "workspace.yml", url, "sqlite:///target.db")
    edit(workspace / "workspace.yml", "path: systems/oud.db", "url: \"sqlite:///systems/oud.db?password=geheim1\"")
    answer = in_process("-C", workspace, "run")
    assert (answer.status, answer.err[:7]) == (4, "CON-002")
    assert "geheim1" not in answer.out + answer.err


def test_trap_09_codes_stay_text(workspace: Path) -> None:
    """What worked for Tilburg (0855) works for Utrecht (0344): no code becomes a number, a truth or a time."""
    codes = ["0344", "0363", "0014", "0855", "no", "010", "12:30:45", "1_000", "1e3", "~", "null"]
    edit(workspace / CONTACTS, "do: [upper], codes: kanaal.csv", f"codes: {{{', '.join(f'{code}: balie' for code in codes)}}}")
    write_contacts(workspace, [contact(number, KANAAL=code) for number, code in enumerate(codes, start=1)])
    answer = in_process("-C", workspace, "run")
    assert answer.status == 0, answer.out + answer.err
    assert selected(workspace, "SELECT COUNT(*) FROM customer_contact") == [(len(codes),)]


@pytest.mark.parametrize("name", ["workspace.yml", CONTACTS])
@pytest.mark.parametrize(
    ("text", "code"),
    [("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "YML-004"), ("a: " + "[" * 60 + "]" * 60, "YML-005"), ("a: " + "[" * 3000, "YML-002"), ("a: !!python/object:os.system x\n", "YML-004"),
     ("a: {<<: {b: c}}\n", "YML-004"), ("a: " + "x" * 1_000_001, "YML-005"), ("a: 1\na: 2\n", "YML-003"), ("a:\n\t- b\n", "YML-002")],
    ids=["aliases", "depth", "abyss", "tag", "merge", "size", "twice", "tab"],
)
def test_trap_10_bombs_in_yaml_are_refused_at_once(text: str, code: str, name: str, workspace: Path) -> None:
    (workspace / name).write_text(text)
    before = time.process_time()
    answer = in_process("-C", workspace, "run")
    assert (answer.status, answer.err[:7]) == (4, code)
    assert time.process_time() - before < 1


def test_trap_11_every_physical_record_is_accounted_for(workspace: Path) -> None:
    """A file named like a pattern, with CR line ends only, a blank line, a short, a long and a NUL record."""
    file = write_contacts(workspace, [contact(1), contact(2), contact(3, ONDERWERP="nul\0")])
    odd = file.with_name("[contact].csv")
    data = file.read_bytes().replace(b"\r\n", b"\r") + b"\r" + b'"4";"tel"\r' + b'"5";"tel";"a";"b";"c";"d";"e";"f"\r'
    odd.write_bytes(data)
    file.write_bytes(b"not this one")
    edit(workspace / "workspace.yml", "{files: contact.csv}", '{files: "[contact].csv"}')
    answer = in_process("-C", workspace, "--format", "json", "run")
    assert answer.status == 3, answer.out + answer.err
    books = {each["mapping"]: each for each in answer.document["mappings"]}["kcc.contact"]
    assert (books["inserted"], books["rejected"], answer.document["balanced"]) == (2, books["read"] - 2, True)
    assert sorted(code for codes in rejected(workspace).values() for code in codes) == [
        "nul-character", "record-unparsable", "record-unparsable"]


@pytest.mark.parametrize(("header", "code"), [("NR;NR;C", "CON-033"), ("NR;;C", "CON-033")], ids=["twice", "blank"])
def test_trap_11_headers_are_not_repaired(header: str, code: str, workspace: Path) -> None:
    (workspace / "systems/kcc/contact.csv").write_text(f"{header}\n1;2;3\n")
    answer = in_process("-C", workspace, "run")
    assert (answer.status, answer.err[:7]) == (4, code), answer.err


def test_trap_12_nothing_is_guessed_to_be_a_number(workspace: Path) -> None:
    """Leading zeros stay, twenty digits are too long for the column instead of a float, `1E+05` is text."""
    write_contacts(workspace, [contact("012345672"), contact("0012"), contact("12345678901234567890"), contact("1E+05")])
    assert in_process("-C", workspace, "run").status == 3
    assert selected(workspace, "SELECT contact_number FROM customer_contact ORDER BY 1") == [("0012",), ("012345672",)]
    assert rejected(workspace) == {"12345678901234567890": ["too-long"], "1E+05": ["enum-invalid"]}


def test_trap_13_what_is_no_value_is_said_by_the_mapping(workspace: Path) -> None:
    """Empty with and without quotes is the same empty text: no value where null_if says so, else it is missing."""
    (workspace / "systems/kcc/contact.csv").write_text(
        "NR;KANAAL;ONDERWERP;VRAAG;NAAM;WANNEER;MEDEW\n"
        '1;tel;a;;b;2014-05-06 09:30;m1\n2;tel;a;"";b;2014-05-06 09:30;m1\n3;tel;a;NULL;b;2014-05-06 09:30;m1\n'
        '4;tel;;x;b;2014-05-06 09:30;m1\n5;tel;"";x;b;2014-05-06 09:30;m1\n'
    )
    assert in_process("-C", workspace, "run").status == 3
    assert selected(workspace, "SELECT contact_number, content FROM customer_contact ORDER BY 1") == [
        ("1", None), ("2", None), ("3", "NULL")]
    assert rejected(workspace) == {"4": ["required-missing"], "5": ["required-missing"]}


@pytest.mark.parametrize(
    ("policy", "wanted", "issues"),
    [("", ["2014-05-06 07:30:00.000000"], {"1": ["time-gap"], "2": ["time-ambiguous"]}),
     (", ambiguous: latest, gap: shift", ["2014-03-30 01:30:00.000000", "2014-05-06 07:30:00.000000", "2014-10-26 01:30:00.000000"], {})],
    ids=["reject", "declared"],
)
def test_trap_14_hours_that_do_not_exist_or_exist_twice(policy: str, wanted: list[str], issues: dict[str, list[str]], workspace: Path) -> None:
    edit(workspace / CONTACTS, "timezone: Europe/Amsterdam", f"timezone: Europe/Amsterdam{policy}")
    write_contacts(workspace, [contact(1, WANNEER="2014-03-30 02:30"), contact(2, WANNEER="2014-10-26 02:30"), contact(3, WANNEER="2014-05-06 09:30")])
    answer = in_process("-C", workspace, "run")
    assert answer.status == (3 if issues else 0), answer.out + answer.err
    assert [row[0] for row in selected(workspace, "SELECT occurred_at FROM customer_contact ORDER BY 1")] == wanted
    assert rejected(workspace) == issues
