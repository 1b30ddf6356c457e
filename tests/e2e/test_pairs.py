"""`reconcile pairs`: two relations of any two systems compared by their keys, without a load."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from command_line import Answer, in_process

from reconciliation import Facts, MappingProof, NoLedger, PairPart, ProofColumn, judge_pair, reconcile_schema

WORKSPACE = """
workspace: pairs
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems:
  old: {kind: sqlite, path: old.db, personal: {P: [NAME]}}
  new: {kind: csv, folder: ".", encoding: utf-8, delimiter: ";", personal: {Q: []}, relations: {Q: {files: q.csv}}}
"""
OLD = [(n, "x", f"Jansen {n}", "2024-03-01 10:00:00", 10.5, "old") for n in range(1, 31)]
NEW = """NR;part;Naam;at;AMOUNT;more
{rows}
"""


def _line(number: int, name: str = "", at: str = "2024-03-01T10:00:00.000", amount: str = "10.50") -> str:
    return f"{number};x;{name or f'Jansen {number}'};{at};{amount};nieuw"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty rows; in the copy one is missing, one is new, one comes twice, and some values differ."""
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    with closing(sqlite3.connect(tmp_path / "old.db")) as db, db:
        db.execute("CREATE TABLE P (NR INTEGER PRIMARY KEY, PART TEXT, NAME TEXT, AT TEXT, AMOUNT NUMERIC, NOTE TEXT)")
        db.executemany("INSERT INTO P VALUES (?, ?, ?, ?, ?, ?)", OLD)
    lines = [_line(n) for n in range(6, 31)]
    changed = [_line(2, name="Pietersen"), _line(3, at="2024-03-01 10:00:01"), _line(4, at="2024-03-01 10:00:02")]
    extra = [_line(5, amount="10.51"), _line(31), _line(30)]
    (tmp_path / "q.csv").write_text(NEW.format(rows="\n".join([*changed, *lines, *extra])))
    return tmp_path


def _asked(folder: Path, *more: str) -> Answer:
    pair = ("old.P", "new.Q", "--key", "NR", "--key", "PART=part", "--map", "NAME=Naam")
    return in_process("-C", folder, "--format", "json", "reconcile", "pairs", *pair, *more)


TOLERANCES = ("--tolerance", "AT=1 second", "--tolerance", "AMOUNT=0.005")


def test_each_difference_is_found_and_named(folder: Path) -> None:
    """Keys in one side only, a key twice, values beyond the tolerance; what is within it is counted."""
    found = _asked(folder, *TOLERANCES, "--report", "html,json,xlsx,junit,txt")
    assert found.status == 3, found.err
    groups = {(each["cause"], each["field"]): each["count"] for each in found.document["groups"]}
    assert groups == {
        ("only in the first", None): 1, ("only in the second", None): 1, ("key twice", None): 1,
        ("pair differs", "NAME"): 1, ("pair differs", "AT"): 1, ("pair differs", "AMOUNT"): 1,
    }  # fmt: skip
    keys = {each["field"] or each["cause"]: each["key"][0] for each in found.document["findings"]}
    assert keys == {
        "only in the first": "1", "only in the second": "31", "key twice": "30", "NAME": "2", "AT": "4", "AMOUNT": "5",
    }  # fmt: skip
    (values,) = (each for each in found.document["checks"] if each["check"] == "fields.values")
    assert [each["count"] for each in values["tolerated"]] == [1, 0]
    assert "Jansen" not in found.out and "Pietersen" not in found.out
    assert "A.NOTE, B.more" in found.err
    files = {Path(each).suffix: Path(each).read_bytes() for each in found.document["reports"]}
    assert len(files) == 5 and all(b"Pietersen" not in each for each in files.values())
    jsonschema.validate(json.loads(files[".json"]), reconcile_schema(), cls=jsonschema.Draft202012Validator)
    assert "Staat alleen aan de eerste kant" in files[".txt"].decode() and "Niet gelijk" in files[".html"].decode()


def test_a_relation_equals_itself_and_the_order_of_rows_is_nothing(folder: Path) -> None:
    """No ledger and no mapping are needed, and none is made."""
    (folder / "q.csv").write_text(NEW.format(rows="\n".join(_line(n) for n in range(30, 0, -1))))
    found = _asked(folder, *TOLERANCES)
    assert (found.status, found.document["verdict"], found.document["findings"]) == (0, "in_balance", [])
    assert not (folder / "target.db").exists()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--key", "NO"), "REC-047"), (("--map", "NOTE=more", "--map", "AT=more"), "REC-047"), (("--map", "NAME=no"), "REC-047"), (("--tolerance", "AT=1 hou"), "REC-048"),
        (("--tolerance", "NOTE=1"), "REC-048"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(folder: Path, more: tuple[str, ...], code: str) -> None:
    refused = _asked(folder, *more)
    assert (refused.status, refused.document["code"]) == (2, code)


def test_columns_that_are_called_as_ours_are_compared_too(folder: Path) -> None:
    """A table may well have columns called id, state, outcome or reason."""
    with closing(sqlite3.connect(folder / "old.db")) as db, db:
        for name in ("R1", "R2"):
            db.execute(f"CREATE TABLE {name} (NR INTEGER PRIMARY KEY, id TEXT, State TEXT, outcome TEXT, _key TEXT)")
            rows = [(n, f"i{n}", "s", "o", "k") for n in range(1, 6)]
            db.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("UPDATE R2 SET State = 't' WHERE NR = 2")
        db.execute("UPDATE R2 SET id = 'x', _key = 'y' WHERE NR = 3")
    found = in_process("-C", folder, "--format", "json", "reconcile", "pairs", "old.R1", "old.R2", "--key", "NR")
    assert sorted(each["field"] for each in found.document["findings"]) == ["A.State", "A._key", "A.id"]


def test_what_compares_no_value_is_not_called_equal(folder: Path) -> None:
    """Keys alone that agree, and two empty sides, are no proof."""
    asked = ("-C", folder, "--format", "json", "reconcile", "pairs", "old.P", "old.P", "--key", "NR")
    columns = [part for name in ("PART", "NAME", "AT", "AMOUNT", "NOTE") for part in ("--ignore", name)]
    for more in (columns, []):
        found = in_process(*asked, *more)
        assert (found.status, found.document["verdict"]) == ((3, "findings") if more else (0, "in_balance"))
    with closing(sqlite3.connect(folder / "old.db")) as db, db:
        db.execute("DELETE FROM P")
    assert in_process(*asked).status == 3
    told = in_process("-C", folder, "reconcile", "pairs", "old.P", "old.P", "--key", "NR").out
    assert "NOG NIET VASTGESTELD" in told and "geen enkele waarde vergeleken" in told


def test_a_key_that_is_personal_on_either_side_is_a_token(folder: Path) -> None:
    settings = (folder / "workspace.yml").read_text()
    (folder / "workspace.yml").write_text(settings.replace("personal: {Q: []}", "personal: {Q: [NR]}"))
    (folder / "q.csv").write_text(NEW.format(rows="\n".join(_line(n) for n in range(1, 30))))
    found = _asked(folder, *TOLERANCES)
    ((key, part),) = (each["key"] for each in found.document["findings"])
    assert key.startswith("‹9(2) #") and part == "x"


def test_a_side_that_gives_other_rows_than_it_counts_is_a_finding() -> None:
    rows = pl.DataFrame({"_key": ["1", "2"], "A": ["a", "b"]})
    proof = MappingProof(
        facts=Facts(mapping="a = b", system="a", relation="a", target="b"), expected=None, actual=NoLedger(),
        columns=(ProofColumn("A"),), table_mappings=("a = b",), mask=lambda _, value: value or "", mask_key=lambda key: (key,),
    )  # fmt: skip
    for counts, causes in (((2, 2), []), ((3, 2), ["read count differs"]), ((2, 0), ["read count differs"])):
        verdict = judge_pair(proof, [PairPart(rows, rows)], counts)
        assert [each.cause for each in verdict.groups] == causes


def test_names_of_relations_are_checked(folder: Path) -> None:
    for name in ("old", "nothing.P", ".P", "old."):
        refused = in_process("-C", folder, "--format", "json", "reconcile", "pairs", name, "new.Q", "--key", "NR")
        assert (refused.status, refused.document["code"]) == (2, "REC-046"), name
