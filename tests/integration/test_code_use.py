"""The use of code tables, counted by loads, as `mapping coverage` shows it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from command_line import in_process

MAPPING = """
mapping: old.actor
owner: test
target: actor
source: {relation: ACTOR, key: [NR]}
fields:
  actor_type: {from: KIND, codes: kind.csv, unknown: {use: medewerker}}
  name: {from: NAME, codes: {file: name.csv, fold: true}, unknown: keep}
  job_title: {from: [KIND, STATE], codes: job.csv, unknown: "null"}
  is_active: {from: STATE, codes: {A: "1", I: "0"}, boolean: {true: ["1"], false: ["0"]}}
unfilled: [{columns: [employee_code, email, phone, unit_id], reason: not in the old system}]
"""
CODES = {
    "kind.csv": "from,to\nM,medewerker\nO,organisatorische_eenheid\n?,medewerker\n",
    "name.csv": "from,to\nJan  Jansen,J. Jansen\nPiet,P.\n",
    "job.csv": "from,from2,to\nM,A,clerk\nM,I,former clerk\n",
}


def _workspace(folder: Path) -> Path:
    for name in ("mappings", "codes"):
        (folder / name).mkdir(parents=True)
    (folder / "workspace.yml").write_text(
        "workspace: codes\nnamespace: {public: test}\ntarget: {url: 'sqlite:///target.db'}\n"
        "run: {batch_rows: 2}\nsystems: {old: {kind: sqlite, path: old.db}}\n"
    )
    (folder / "mappings/old.actor.yml").write_text(MAPPING)
    for name, text in CODES.items():
        (folder / "codes" / name).write_text(text)
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("CREATE TABLE ACTOR (NR INTEGER PRIMARY KEY, NAME TEXT, KIND TEXT, STATE TEXT)")
        rows = [(1, "JAN jansen", "M", "A"), (2, "Klaas", "M", "A"), (3, "Kees", "Q", "A"), (4, None, "R", "A")]
        old.executemany("INSERT INTO ACTOR VALUES (?, ?, ?, ?)", rows)
    return folder


def _tables(folder: Path) -> dict[str, tuple[object, ...]]:
    found = in_process("-C", folder, "--format", "json", "mapping", "coverage").document["code_tables"]
    return {each["name"]: (each["used"], each["codes"], each["unused"], each["unknown"]) for each in found}


def test_coverage_says_which_codes_no_load_ever_met(tmp_path: Path) -> None:
    folder = _workspace(tmp_path / "w")
    assert {used for used, *_ in _tables(folder).values()} == {None}
    assert not (folder / "target.db").exists()
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status in (0, 3)
    assert _tables(folder) == {
        "job.csv": (1, 2, ["M + I"], 2),
        "kind.csv": (1, 3, ["O", "?"], 2),
        "name.csv": (1, 2, ["piet"], 2),
        "old.actor:is_active": (1, 2, ["I"], 0),
    }
    text = in_process("-C", folder, "mapping", "coverage", "--lang", "en").out
    assert "1 of 3 used" in text
    assert "never: O, ?" in text
    assert "2 rows with an unknown code" in text
    assert in_process("-C", folder, "mapping", "coverage", "--html", folder / "page.html").status == 0
    assert "nooit: O, ?" in (folder / "page.html").read_text()


def test_a_code_met_by_a_later_load_is_used(tmp_path: Path) -> None:
    folder = _workspace(tmp_path / "w")
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status in (0, 3)
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("INSERT INTO ACTOR VALUES (5, 'Piet', '?', 'I')")
    assert in_process("-C", folder, "run").status in (0, 3)
    found = _tables(folder)
    assert found["kind.csv"] == (2, 3, ["O"], 2)
    assert found["name.csv"] == (2, 2, [], 2)


def test_check_warns_of_codes_that_no_load_met(tmp_path: Path) -> None:
    folder = _workspace(tmp_path / "w")

    def warned() -> list[tuple[str, str, int]]:
        found = in_process("-C", folder, "--format", "json", "mapping", "check").document["warnings"]
        return [(each["message"], each["file"], each["line"]) for each in found if each["code"] == "MAP-092"]

    assert warned() == []
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status in (0, 3)
    assert [message for message, _, _ in warned()] == [
        "no load so far met 2 of the 3 codes of kind.csv: O, ?",
        "no load so far met 1 of the 2 codes of name.csv: piet",
        "no load so far met 1 of the 2 codes of job.csv: M + I",
        "no load so far met 1 of the 2 codes of old.actor:is_active: I",
    ]
    assert warned()[0][1:] == ("mappings/old.actor.yml", 7)
