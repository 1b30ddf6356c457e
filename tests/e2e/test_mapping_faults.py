"""C1 to C8 and C17 of the catalogue of faults: what a bad mapping gets on the command line, each under its number.

C16 is in test_any_surroundings.py, C18 in packaging/test_install.py; the exact place of every kind of error is held by
tests/cases_bad/mappings.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Answer, in_process
from targets import copy_workspace, ledger_rows, model_rows, upgrade
from tiny_workspace import edit, make_workspace, write_actors

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

ACTOR = "mappings/oud.actor.yml"
PLAN, CHECK = ("plan",), ("mapping", "check")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace with an empty target."""
    folder = make_workspace(tmp_path_factory.mktemp("faults") / "made")
    upgrade(folder)
    assert in_process("-C", folder, *CHECK).status == 0  # so that no fault pays for loading the libraries
    return folder


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    return copy_workspace(made, tmp_path / "w")


def put(text: str) -> Callable[[Path], object]:
    """Write a text over the mapping of the actors."""
    return lambda folder: (folder / ACTOR).write_text(text)


def swap(old: str, new: str) -> Callable[[Path], object]:
    """Replace a part of the mapping of the actors."""
    return lambda folder: edit(folder / ACTOR, old, new)


def name_from(written: str) -> Callable[[Path], object]:
    return swap("name:          {from: NAAM}", f"name:          {written}")


def title_from(written: str) -> Callable[[Path], object]:
    return swap('job_title:     {from: FUNCTIE, null_if: [""]}', f"job_title:     {written}")


def large(folder: Path) -> None:
    """100 MB that take no room on the disk."""
    os.truncate(folder / ACTOR, 100_000_000)


def beside(name: str, change: Callable[[str], str]) -> Callable[[Path], object]:
    """Write a second mapping, made of that of the actors."""
    return lambda folder: (folder / f"mappings/{name}.yml").write_text(change((folder / ACTOR).read_text()))


@dataclass(frozen=True)
class Fault:
    """A bad mapping and what is said of it: the code, the line and column, and a part of the message or hint."""

    about: str
    breaks: Callable[[Path], object]
    code: str
    at: str
    says: str


LEVELS = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]" for n in range(9))
FAULTS = [
    Fault("C1 alias bomb", put(LEVELS), "YML-004", "1:5", "anchors and aliases"),
    Fault("C1 alias of itself", put("a: &a [*a]"), "YML-004", "1:4", "anchors and aliases"),
    Fault("C1 abyss", put("a: " + "[" * 3_000), "YML-002", "1:1003", "not valid YAML"),
    Fault("C1 closed", put("a: " + "[" * 51 + "]" * 51), "YML-005", "1:53", "deeper than 50 levels"),
    Fault("C1 100 MB", large, "YML-005", "", "larger than 1,000,000 bytes"),
    Fault("C2 at the top", swap("owner: tests\n", "owner: tests\nowner: somebody\n"), "YML-003", "3:1", "on lines 2 and 3"),
    Fault("C2 a field", swap("  is_active: ", "  name: {from: CODE}\n  is_active: "), "YML-003", "10:3", "on lines 7 and 10"),
    Fault("C3 no as a truth", name_from("{from: NAAM, required: no}"), "MAP-004", "7:41", "true or false"),
    Fault("C3 on as a truth", name_from("{from: NAAM, required: on}"), "MAP-004", "7:41", "true or false"),
    Fault("C3 octal", name_from("{from: NAAM, date: [DDMMYY], pivot_year: 0x7AE}"), "MAP-003", "7:59", "a whole number"),
    Fault("C3 sexagesimal", name_from("{from: NAAM, date: [DDMMYY], pivot_year: 12:30}"), "MAP-003", "7:59", "a whole number"),
    Fault("C3 underscore", name_from("{from: NAAM, date: [DDMMYY], pivot_year: 1_950}"), "MAP-003", "7:59", "a whole number"),
    Fault("C3 no such day", name_from("{expr: \"DATE '2024-02-30'\"}"), "MAP-105", "7:25", "no date"),
    Fault("C3 tab", swap("  name:          {", "\tname:          {"), "YML-002", "7:1", "Mend the line"),
    Fault("C4 Python object", name_from("!!python/object/apply:os.system [id]"), "YML-004", "7:18", "tags are not allowed"),
    Fault("C4 include", name_from("!include /etc/passwd"), "YML-004", "7:18", "tags are not allowed"),
    Fault("C4 unknown tag", name_from("!geheim {from: NAAM}"), "YML-004", "7:18", "tags are not allowed"),
    Fault("C4 merge key", name_from("{<<: {from: NAAM}}"), "YML-004", "7:19", "merge keys"),
    Fault("C5 typo", name_from("{from: NAAM, requierd: true}"), "MAP-001", "7:31", "Did you mean 'required'?"),
    Fault("C5 typo at the top", swap("unfilled:", "unfiled:"), "MAP-001", "11:1", "Did you mean 'unfilled'?"),
    Fault("C6 SQL in a column", name_from("{from: 'NAAM\"; drop table MEDEW;--'}"), "MAP-060", "7:25", "is not a column"),
    Fault("C6 SQL in a quoted name", name_from("{expr: '\"NAAM\"\"; drop table MEDEW;--\"'}"), "MAP-060", "7:25", "is not a column"),
    Fault("C6 SQL in a relation", swap("relation: MEDEW,", "relation: 'MEDEW\"; drop table MEDEW;--',"), "MAP-011", "4:20", "does not have"),
    Fault("C6 SQL in the key", swap("key: [CODE]", "key: ['CODE\"; drop table MEDEW;--']"), "MAP-060", "4:33", "does not have"),
    Fault("C6 SQL in the target", swap("target: actor", "target: 'actor; drop table actor'"), "MAP-013", "3:9", "no table"),
    Fault("C6 SQL in a field", swap("  job_title: ", "  'job_title = 1; --': "), "MAP-005", "9:3", "is not a name"),
    Fault("C6 65 bytes", name_from("{from: " + "N" * 65 + "}"), "MAP-060", "7:25", "is not a column"),
    Fault("C6 reserved word", swap("fields:\n", "values:\n  order: {from: NAAM}\nfields:\n"), "MAP-005", "6:3", "reserved word"),
    Fault("C6 letters of another alphabet", name_from("{from: NΑΑM}"), "MAP-060", "7:25", "is not a column"),
    Fault("C7 attribute", name_from('{expr: "NAAM.__class__"}'), "MAP-060", "7:25", "is not a column"),
    Fault("C7 attribute of brackets", name_from('{expr: "().__class__.__bases__"}'), "MAP-103", "7:25", "not one of the functions"),
    Fault("C7 call of Python", name_from("{expr: \"__import__('os')\"}"), "MAP-103", "7:25", "not one of the functions"),
    Fault("C7 power tower", name_from('{expr: "9**9**9"}'), "MAP-101", "7:25", "cannot be read"),
    Fault("C7 power of powers", name_from('{expr: "9^9^9"}'), "MAP-103", "7:25", "not one of the functions"),
    Fault("C7 query", name_from('{expr: "(SELECT NAAM FROM MEDEW)"}'), "MAP-103", "7:25", "may not hold a query"),
    Fault("C7 pattern that looks back", name_from(r"{from: NAAM, do: [{extract: '(a+)+\1'}]}"), "MAP-027", "7:36", "regular expression"),
    Fault("C8 codes above", title_from("{from: FUNCTIE, codes: ../../etc/passwd}"), "MAP-018", "9:41", "outside the folder codes"),
    Fault("C8 codes anywhere", title_from("{from: FUNCTIE, codes: /etc/passwd}"), "MAP-018", "9:41", "outside the folder codes"),
    Fault("C8 codes at home", title_from("{from: FUNCTIE, codes: ~/x.csv}"), "MAP-018", "9:41", "cannot be read"),
    Fault("C8 codes of the environment", title_from("{from: FUNCTIE, codes: '${HOME}/x.csv'}"), "MAP-018", "9:41", "cannot be read"),
    Fault("C8 null texts", title_from("{from: FUNCTIE, null_if: {file: ../workspace.yml}}"), "MAP-018", "9:43", "outside the folder codes"),
    Fault("C8 formats", title_from("{from: FUNCTIE, date: {by: CODE, formats: ../workspace.yml}}"), "MAP-018", "9:40", "outside the folder codes"),
    Fault("C8 query", swap("relation: MEDEW,", "query: ../../etc/passwd,"), "MAP-070", "4:17", "outside the folder queries"),
    Fault("C8 plug-in", title_from("{from: FUNCTIE, use: '../x:f'}"), "MAP-080", "9:39", "not named as module:function"),
    Fault("C17 a column of another revision", swap("  job_title: ", "  salary: {from: NAAM}\n  job_title: "), "MAP-014", "9:3",
          "the table actor has no column 'salary'"),
    Fault("C17 a table of another revision", swap("target: actor", "target: employee"), "MAP-013", "3:9", "the target has no table 'employee'"),
    Fault("C17 two mappings of one name", beside("zz.twin", str), "MAP-006", "1:10", "the mapping oud.actor is also in mappings/oud.actor.yml"),
    Fault("C17 two mappings of one former name", lambda folder: [
        edit(folder / ACTOR, "owner: tests\n", "owner: tests\nformerly: [oud.employee]\n"),
        beside("zz.twin", lambda text: text.replace("mapping: oud.actor", "mapping: oud.twin"))(folder)],
        "MAP-073", "3:11", "was formerly 'oud.employee', too"),
]  # fmt: skip


def told(answer: Answer) -> list[tuple[str, str, str]]:
    """Return code, place, and message with hint of everything that a verb refused, as its JSON has them."""
    document = answer.document
    if "where" not in document:  # `mapping check`
        places = [[each["file"], each["line"], each["column"]] for each in document["errors"]]
        where = [":".join(str(part) for part in place if part) for place in places]
        return [(each["code"], at, f"{each['message']} {each['hint']}") for each, at in zip(document["errors"], where, strict=True)]
    several = document.get("errors", [document])
    return [(each["code"], each["where"], f"{each['message']} {each['hint']}") for each in several]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.about.replace(" ", "-"))
def test_a_fault_of_a_mapping_is_refused(fault: Fault, workspace: Path, made: Path) -> None:
    """With exit 4, at once, at its place, before anything is read or written."""
    fault.breaks(workspace)
    for verb in (CHECK, PLAN):
        before = time.process_time()
        answer = in_process("--format", "json", "-C", workspace, *verb)
        assert time.process_time() - before < 1
        # a column that is not there is drift once it comes to running (LANGUAGE.md, "Checks on the language")
        drift = verb == PLAN and fault.code == "MAP-060"
        assert (answer.status, answer.err) == (5 if drift else 4, "")
        [(code, where, words)] = told(answer)
        file = "mappings/zz.twin.yml" if "two" in fault.about else ACTOR
        assert (code, where) == ("RUN-001" if drift else fault.code, f"{file}:{fault.at}".removesuffix(":"))
        assert fault.says in words
    assert model_rows(workspace / "target.db") == model_rows(made / "target.db")
    assert ledger_rows(workspace / "target.db") == ledger_rows(made / "target.db")


@pytest.mark.parametrize("written", ["no", "on", "0344", "12:30", "1_000", "2024-02-30", "~", ".nan", "null", "0o17", "1e3"])
def test_c3_scalars_stay_text(written: str, workspace: Path) -> None:
    """What YAML would make a truth, a number, a time, a day or nothing is the text that somebody wrote."""
    title_from(f"{{const: {written}}}")(workspace)
    edit(workspace / ACTOR, "unfilled:", "ignore: [{columns: [FUNCTIE], reason: not here}]\nunfilled:")
    answer = in_process("-C", workspace, "run", "oud.actor")
    assert answer.status == 0, answer.out + answer.err
    with closing(sqlite3.connect(workspace / "target.db")) as target:
        assert target.execute("SELECT DISTINCT job_title FROM actor").fetchall() == [(written,)]


def test_c7_a_pattern_that_explodes_elsewhere_takes_no_time(workspace: Path) -> None:
    """``(a+)+$`` takes others for ever; here every pattern is linear in the text."""
    write_actors(workspace, [("m1", "a" * 100_000 + "!", "balie", 1)])
    title_from("{expr: \"CASE WHEN NAAM ~ '^(a+)+$' THEN 'x' ELSE 'y' END\"}")(workspace)
    edit(workspace / ACTOR, "unfilled:", "ignore: [{columns: [FUNCTIE], reason: not here}]\nunfilled:")
    edit(workspace / ACTOR, "{from: NAAM}", "{from: NAAM, truncate: true}")
    before = time.process_time()
    answer = in_process("-C", workspace, "run", "oud.actor")
    assert answer.status == 3, answer.out + answer.err  # the name was cut
    assert time.process_time() - before < 5
    with closing(sqlite3.connect(workspace / "target.db")) as target:
        assert target.execute("SELECT job_title FROM actor").fetchall() == [("y",)]


def test_c17_two_mappings_on_one_unique_key_never_share_a_record(workspace: Path) -> None:
    """`plan` says it before a row is written: the later row is unique-taken, and the first keeps its record."""
    seed = (workspace / "mappings/seed.channel.yml").read_text()
    (workspace / "mappings/seed.twin.yml").write_text(seed.replace("seed.channel", "seed.twin"))
    before = model_rows(workspace / "target.db")
    for verb in ("plan", "run"):
        answer = in_process("-C", workspace, "--format", "json", verb, "seed.channel", "seed.twin")
        assert answer.status == 3, answer.out + answer.err
        books = {each["mapping"]: each for each in answer.document["mappings"]}
        assert (books["seed.channel"]["inserted"], books["seed.twin"]["rejected"]) == (2, 2)
        if verb == "plan":
            assert model_rows(workspace / "target.db") == before
    shown = in_process("-C", workspace, "rejects", "list", "seed.twin")
    assert "unique-taken" in shown.out
