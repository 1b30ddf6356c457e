"""What LANGUAGE.md says of one record out of several systems, from the command line to the record and the links to it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process as omnicase
from people_workspace import (
    Person,
    decide,
    everything,
    fill,
    in_balance,
    issues,
    owners,
    parties,
    people_workspace,
    run,
)
from targets import open_read_only


def test_who_contradicts_the_first_stays_apart(tmp_path: Path) -> None:
    people = {
        "one": [Person(1, "111", "Berg", "19700101"), Person(2, "222", "Cor", "19800101")],
        "two": [
            Person(1, "111", "Jansen", "19550505", "another"),
            Person(2, "222", "COR.", None, "same name"),
            Person(3, "111", "Van Dam-Berg", "19701212", "same year"),
        ],
    }
    folder = people_workspace(tmp_path / "w", people)
    books = run(folder)
    assert parties(folder) == [
        ("Berg", None, "1970-01-01", "same year"),
        ("Cor", None, "1980-01-01", "same name"),
        ("Jansen", None, "1955-05-05", "another"),
    ]
    assert issues(folder) == [("two.person", "1", "identity", "identity-disputed")]
    assert (books["two.person"]["inserted"], books["two.person"]["merged"]) == (1, 2)
    assert owners(folder)["two1@x.nl"] == "Jansen:another"
    assert owners(folder)["two1-called"] == "Berg:same year"
    assert in_balance(folder)


def test_the_lowest_rank_keeps_the_identity_whoever_comes_first(tmp_path: Path) -> None:
    people = {"one": [Person(1, "111", "Berg", "19700101")], "two": [Person(1, "111", "Jansen", "19550505")]}
    first, second = people_workspace(tmp_path / "a", people), people_workspace(tmp_path / "b", people)
    run(first)
    run(second, "two.person", "two.address", "two.call")
    assert owners(second)["two1-called"] == "Jansen:"
    run(second, "one.person")
    run(second)
    assert everything(first) == everything(second)
    assert issues(first) == issues(second) == [("two.person", "1", "identity", "identity-disputed")]
    assert in_balance(second)


def test_newest_rank_of_a_field_and_fields_together(tmp_path: Path) -> None:
    people = {
        "one": [
            Person(1, "111", "Berg", "19700101", "old", "van den", changed="2011"),
            Person(2, "111", "Berg", "19700101", None, None, changed="2012"),
        ],
        "two": [Person(1, "111", "BERG", "19700101", "two", "VD", changed="2015")],
    }
    folder = people_workspace(tmp_path / "a", people)
    run(folder)
    assert parties(folder) == [("Berg", None, "1970-01-01", "old")]
    assert in_balance(folder)
    ranked = people_workspace(tmp_path / "b", people, note_rank=", rank: 0")
    run(ranked)
    assert parties(ranked) == [("Berg", None, "1970-01-01", "two")]
    one_rank = people_workspace(tmp_path / "c", people, ranks=(1, 1))
    run(one_rank)
    assert parties(one_rank) == [("BERG", "VD", "1970-01-01", "two")]
    assert in_balance(one_rank)


def test_people_decide(tmp_path: Path) -> None:
    people = {
        "one": [Person(1, "111", "Berg", "19700101"), Person(2, "222", "Cor", "19800101"), Person(3, None, None, None)],
        "two": [Person(1, "333", "Bergh", "19560707", "joined"), Person(2, "222", "Cor", "19800101", "parted")],
    }
    folder = people_workspace(tmp_path / "w", people)
    run(folder)
    assert len(parties(folder)) == 3
    decide(folder, "one.person,1,two.person,1,yes", "two.person,2,one.person,2,nee")
    run(folder)
    assert parties(folder) == [
        ("Berg", None, "1970-01-01", "joined"),
        ("Cor", None, "1980-01-01", None),
        ("Cor", None, "1980-01-01", "parted"),
    ]
    assert owners(folder)["two1@x.nl"] == owners(folder)["two1-called"] == "Berg:joined"
    assert owners(folder)["two2@x.nl"] == "Cor:parted"
    assert in_balance(folder)
    fresh = people_workspace(tmp_path / "fresh", people, batch_rows=1)
    decide(fresh, "one.person,1,two.person,1,yes", "two.person,2,one.person,2,nee")
    run(fresh)
    assert everything(fresh) == everything(folder)
    (folder / "codes/same_person.csv").unlink()
    run(folder)
    assert len(parties(folder)) == 3
    assert in_balance(folder)


def test_the_merged_record_must_be_whole(tmp_path: Path) -> None:
    people = {
        "one": [Person(1, "111", None, "19700101", kind=None), Person(2, "222", "Cor", kind=None)],
        "two": [Person(1, "111", "Berg", None, "whole")],
    }
    folder = people_workspace(tmp_path / "w", people)
    run(folder, "one.person", "one.address")
    assert parties(folder) == []
    assert issues(folder)[0] == ("one.person", "1", "party_type", "required-missing")
    books = run(folder)
    assert parties(folder) == [("Berg", None, "1970-01-01", "whole")]
    assert owners(folder)["one1@x.nl"] == "Berg:whole"
    assert [each for each in issues(folder) if each[0] == "one.person"] == [
        ("one.person", "2", "party_type", "required-missing")
    ]
    assert (books["one.person"]["merged"], books["one.person"]["rejected"]) == (1, 1)
    assert in_balance(folder)
    # Without the row that made it whole the record stays as it was, and its other row is no longer good.
    fill(folder, {**people, "two": [Person(1, "999", "Berg", None, "away")]})
    run(folder)
    assert ("Berg", None, "1970-01-01", "whole") in parties(folder)
    assert ("one.person", "1", "party_type", "required-missing") in issues(folder)


def test_a_row_of_the_model_is_checked_when_it_is_merged(tmp_path: Path) -> None:
    people = {"one": [Person(1, "111", None, None)], "two": [Person(1, "111", "Berg", None)]}
    folder = people_workspace(tmp_path / "w", people)
    run(folder, "one.person")
    assert issues(folder) == [("one.person", "1", "party_type", "rule-failed")]
    assert run(folder)["one.person"]["merged"] == 1
    assert parties(folder) == [("Berg", None, None, None)]
    assert issues(folder) == []
    assert in_balance(folder)


def test_what_a_row_gave_is_taken_back(tmp_path: Path) -> None:
    people = {
        "one": [Person(1, "111", "Berg", "19700101"), Person(2, "222", "Cor", "19800101")],
        "two": [Person(1, "111", "Berg", "19700101", "gone"), Person(2, "222", "Cor", "19800101", "bad")],
    }
    folder = people_workspace(tmp_path / "w", people)
    run(folder)
    assert [row[3] for row in parties(folder)] == ["gone", "bad"]
    fill(folder, {**people, "two": [Person(2, "222", "Cor", "19800231", "bad")]})
    run(folder)
    assert [row[3] for row in parties(folder)] == [None, None]
    assert ("two.person", "2", "birth_date", "date-invalid") in issues(folder)


def test_links_follow_a_record_that_moves(tmp_path: Path) -> None:
    people = {
        "one": [Person(1, "111", "Berg", "19700101", "berg"), Person(2, "222", "Cor", "19800101", "cor")],
        "two": [Person(1, "111", "Berg", "19700101"), Person(2, "333", "Dirk", "19900101")],
    }
    folder = people_workspace(tmp_path / "w", people)
    run(folder)
    assert owners(folder)["two1@x.nl"] == "Berg:berg"
    fill(folder, {**people, "two": [Person(1, "222", "Cor", "19800101"), Person(2, "444", "Dirk", "19900101")]})
    books = run(folder)
    assert owners(folder)["two1@x.nl"] == owners(folder)["two1-called"] == "Cor:cor"
    assert len(parties(folder)) == 3
    assert books["two.address"]["updated"] == 2
    fresh = people_workspace(tmp_path / "fresh", {})
    fill(fresh, {**people, "two": [Person(1, "222", "Cor", "19800101"), Person(2, "444", "Dirk", "19900101")]})
    run(fresh)
    assert everything(fresh) == everything(folder)
    assert in_balance(folder)


def test_a_mapping_gets_an_identity_when_it_is_loaded_already(tmp_path: Path) -> None:
    people = {
        "one": [Person(1, "111", "Berg", "19700101"), Person(2, None, None, None), Person(3, None, "Zus", None)],
        "two": [Person(1, "111", "Berg", "19700101", "two")],
    }
    folder = people_workspace(tmp_path / "w", people)
    wanted = people_workspace(tmp_path / "wanted", people)
    with_identity = {path: path.read_text() for path in (folder / "mappings").glob("*")}
    for path, text in with_identity.items():
        start, end = text.find("identity:\n"), text.find("values:\n")
        if "person" in path.name:
            path.write_text(text[:start] + text[end:])
        if "call" in path.name:
            path.unlink()
    run(folder)
    for path, text in with_identity.items():
        path.write_text(text)
    run(folder)
    run(wanted)
    assert everything(folder) == everything(wanted)
    again = run(folder)
    assert all(each["inserted"] == each["updated"] == each["merged"] == 0 for each in again.values())
    assert in_balance(folder)


def test_an_edited_record_is_a_conflict_and_nothing_else_is(tmp_path: Path) -> None:
    people = {"one": [Person(1, "111", "Berg", note="a")], "two": [Person(1, "111", "Berg", note="b")]}
    folder = people_workspace(tmp_path / "w", people)
    run(folder)
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        target.execute("UPDATE party SET internal_note = 'by hand'")
    assert run(folder)["one.person"]["conflict"] == 0
    fill(folder, {**people, "one": [Person(1, "111", "Berg", note="c")]})
    assert run(folder)["one.person"]["conflict"] == 1
    assert [row[3] for row in parties(folder)] == ["by hand"]
    proof = omnicase("-C", folder, "--format", "json", "reconcile").document
    assert {each["cause"] for each in proof["findings"]} == {"edited in target"}, proof["findings"]


CALLER = """
mapping: one.caller
owner: test
target: party
source: {relation: CALL, key: [ID], one_per: {by: [BSN], order: [ID], differ: ignore}}
identity: {by: [{bsn: BSN}], rank: 3, agree: [surname, birth_year], newest: VALUE, together: [[surname_prefix, surname]]}
values:
  birth_year: {expr: "SUBSTR(VALUE, 90, 4)"}
fields:
  party_type: {const: persoon}
  surname: {expr: "NULLIF(birth_year, '')"}
  initials: {from: VALUE, take: max}
  is_active: {const: true}
unfilled:
  - columns: [party_number, first_names, surname_prefix, organisation_name, legal_form, gender, birth_date,
              birth_date_text, deceased_on, language, is_secret, internal_note, works_for_party_id, merged_into_id]
    reason: not in this story
"""


def test_one_record_out_of_many_rows_that_others_know_too(tmp_path: Path) -> None:
    people = {
        "one": [
            Person(1, "111", "Berg", "19700101"),
            Person(2, "222", "Cor", "19700101"),
            Person(3, "222", "Cor", "19700101"),
        ],
        "two": [Person(1, "111", "Berg", "19700101", "b")],
    }
    folder = people_workspace(tmp_path / "w", people)
    (folder / "mappings/one.caller.yml").write_text(CALLER)
    (folder / "mappings/one.call.yml").unlink()
    books = run(folder)
    assert parties(folder) == [("Berg", None, "1970-01-01", "b"), ("Cor", None, "1970-01-01", None)]
    with closing(open_read_only(folder / "target.db")) as target:
        assert target.execute("SELECT initials FROM party ORDER BY surname").fetchall() == [
            ("one1-called",),
            ("one3-called",),
        ]
    assert books["one.caller"]["read"] == 3
    assert in_balance(folder)
    # The second caller calls as another, who nobody knows by name: what the group gave moves with its rows.
    with closing(sqlite3.connect(folder / "one.db")) as old, old:
        old.execute("UPDATE CALL SET BSN = '111' WHERE ID IN (2, 3)")
    run(folder)
    with closing(open_read_only(folder / "target.db")) as target:
        assert target.execute("SELECT initials FROM party ORDER BY surname").fetchall() == [("one3-called",), (None,)]
    assert in_balance(folder)


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    people = {
        "one": [Person(1, "111", "Berg", "19700101"), Person(2, "111", "Zus", "19110101"), Person(3, kind=None)],
        "two": [Person(1, "111", "Berg", "19700101", "b"), Person(2, None, "Dirk", "19900101")],
    }
    folder = people_workspace(tmp_path / "w", people)
    run(folder)
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        target.execute("CREATE TABLE writes (name TEXT)")
        for name in ("party", "digital_address", "migration_contribution", "migration_linked", "migration_record"):
            for verb in ("INSERT", "UPDATE", "DELETE"):
                target.execute(
                    f"CREATE TRIGGER {name}_{verb} AFTER {verb} ON {name} BEGIN INSERT INTO writes VALUES ('{name}'); END"
                )
    books = run(folder)
    assert (books["one.person"]["unchanged"], books["one.person"]["rejected"]) == (2, 1)
    with closing(open_read_only(folder / "target.db")) as target:
        assert target.execute("SELECT name, COUNT(*) FROM writes GROUP BY 1").fetchall() == []


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        (["one.person,1,two.person,1,maybe"], "MAP-077", 2),
        (["one.person,1,two.person,1,yes", "two.person,1,one.person,1,no"], "MAP-077", 3),
        (["one.person,1,one.person,1,yes"], "MAP-077", 2),
        (["one.person,,two.person,1,yes"], "MAP-077", 2),
        (
            ["one.person,1,two.person,1,yes", "two.person,1,two.person,2,yes", "one.person,1,two.person,2,no"],
            "MAP-077",
            4,
        ),
        (["one.person,1,two.persons,1,yes"], "MAP-077", 2),
        (["one.person,1,two.call,1,yes"], "MAP-077", 2),
        (["one.person,1,two.person,yes"], "MAP-019", 2),
    ],
)
def test_decisions_that_cannot_be(lines: list[str], code: str, line: int, tmp_path: Path) -> None:
    folder = people_workspace(tmp_path / "w", {})
    decide(folder, *lines)
    answer = omnicase("-C", folder, "--format", "json", "mapping", "check")
    assert answer.status == 4
    assert [(each["code"], each["file"], each["line"]) for each in answer.document["errors"]] == [
        (code, "codes/same_person.csv", line)
    ]


def test_a_file_of_decisions_without_its_columns(tmp_path: Path) -> None:
    folder = people_workspace(tmp_path / "w", {})
    (folder / "codes/same_person.csv").write_text("mapping;key;same\n")
    answer = omnicase("-C", folder, "--format", "json", "mapping", "check")
    assert {each["code"] for each in answer.document["errors"]} == {"MAP-018"}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("by: [{bsn: {from: BSN, do: [trim]}}, ", "by: [{bsn: birth_day}, ", "by"),
        ("agree: [surname, birth_year]", "agree: [surname]", "agree"),
        ("[[surname_prefix, surname]]", "[[surname, internal_note]]", "together"),
    ],
)
def test_mappings_of_one_identity_must_go_together(old: str, new: str, place: str, tmp_path: Path) -> None:
    folder = people_workspace(tmp_path / "w", {})
    path = folder / "mappings/two.person.yml"
    text = path.read_text().replace(old, new)
    text = text.replace("values:\n", 'values:\n  birth_day: {from: BORN, null_if: [""], date: [YYYYMMDD]}\n')
    path.write_text(text)
    answer = omnicase("-C", folder, "--format", "json", "mapping", "check")
    (error,) = answer.document["errors"]
    assert (error["code"], error["file"]) == ("MAP-076", "mappings/two.person.yml")
    assert place in text.splitlines()[error["line"] - 1]


def test_explain_names_who_said_what(tmp_path: Path) -> None:
    people = {
        "one": [Person(1, "111", "Berg", "19700101", None, "van den")],
        "two": [Person(1, "111", "Bergh", "19700101", "note of two")],
    }
    folder = people_workspace(tmp_path / "w", people)
    run(folder)
    answer = omnicase("-C", folder, "--format", "json", "explain", "two.person", "1")
    fields = {each["field"]: each for each in answer.document["merged"]}
    assert (fields["surname"]["mapping"], fields["internal_note"]["mapping"]) == ("one.person", "two.person")
    assert [each["mapping"] for each in fields["surname"]["lost"]] == ["two.person"]
    assert fields["surname_prefix"]["lost"] == fields["internal_note"]["lost"] == []
    plain = omnicase("-C", folder, "explain", "two.person", "1", "--lang", "en").out
    assert "where each field of the record comes from" in plain
    assert "Berg" not in plain
    assert "note of two" not in plain
    with closing(open_read_only(folder / "target.db")) as target:
        ((party,),) = target.execute("SELECT id FROM party").fetchall()
    looked = omnicase("-C", folder, "--format", "json", "lookup", "party", party).document
    assert looked["merged"] == answer.document["merged"]
    assert [each["mapping"] for each in looked["origins"]] == ["one.person", "two.person"]
    alone = omnicase("-C", folder, "--format", "json", "explain", "one.address", "1")
    assert alone.document["merged"] == []


def test_identity_in_the_data_dictionary_and_in_what_changed(tmp_path: Path) -> None:
    folder = people_workspace(tmp_path / "w", {})
    said = omnicase("-C", folder, "mapping", "doc", "--lang", "nl").out
    assert "Rijen met dezelfde bsn of name + born worden één record" in said
    assert "in surname, birth\\_year niets gemeen" in said
    shutil.copytree(folder, tmp_path / "before")
    decide(folder, "one.person,1,two.person,1,yes")
    changed = omnicase("-C", folder, "--format", "json", "mapping", "diff", tmp_path / "before").document
    assert {each["mapping"] for each in changed["mappings"]} == {"one.person", "two.person"}
    assert changed["mappings"][0]["changes"][0]["path"] == "same_person[one.person|1 = two.person|1]"


def numbered(folder: Path) -> None:
    """Let both systems fill the number of a party, which is unique, from the note."""
    for system in ("one", "two"):
        path = folder / f"mappings/{system}.person.yml"
        text = (
            path.read_text()
            .replace("  internal_note:", "  party_number:")
            .replace("[party_number, ", "[internal_note, ")
        )
        path.write_text(text)


def numbers(folder: Path) -> list[tuple[str, str | None]]:
    with closing(open_read_only(folder / "target.db")) as target:
        return target.execute("SELECT surname, party_number FROM party ORDER BY 1, 2").fetchall()


def test_a_unique_value_that_another_party_holds(tmp_path: Path) -> None:
    people = {
        "one": [
            Person(1, "111", "Berg", note="1000000001"),
            Person(2, "222", "Cor", note="1000000001"),
            Person(3, "333", "Dirk", note="1000000003"),
        ],
        "two": [Person(2, "222", "Cor", note=None), Person(3, "333", "Dirk")],
    }
    folder = people_workspace(tmp_path / "w", people)
    numbered(folder)
    books = run(folder)
    assert numbers(folder) == [("Berg", "1000000001"), ("Dirk", "1000000003")]
    assert {each[:2] for each in issues(folder) if each[3] == "unique-taken"} == {
        ("one.person", "2"),
        ("two.person", "2"),
    }
    assert (books["one.person"]["rejected"], books["two.person"]["rejected"]) == (1, 1)
    again = run(folder)
    assert (again["one.person"]["rejected"], again["two.person"]["rejected"]) == (1, 1)
    fill(folder, {**people, "one": [*people["one"][:1], Person(2, "222", "Cor", note="1000000002"), people["one"][2]]})
    run(folder)
    assert numbers(folder) == [("Berg", "1000000001"), ("Cor", "1000000002"), ("Dirk", "1000000003")]
    assert [each for each in issues(folder) if each[3] == "unique-taken"] == []
    assert in_balance(folder)


def test_a_party_that_somebody_else_made_is_not_taken_over(tmp_path: Path) -> None:
    people = {"one": [Person(1, "111", "Berg")], "two": [Person(1, "111", "Berg", note="b")]}
    folder, other = people_workspace(tmp_path / "w", people), people_workspace(tmp_path / "other", people)
    run(other)
    with closing(open_read_only(other / "target.db")) as target:
        ((party,),) = target.execute("SELECT id FROM party").fetchall()
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        target.execute(
            "INSERT INTO party (id, party_type, surname, is_active) VALUES (?, 'persoon', 'Theirs', 1)", (party,)
        )
    books = run(folder)
    assert (books["one.person"]["conflict"], books["two.person"]["conflict"]) == (1, 1)
    assert [row[0] for row in parties(folder)] == ["Theirs"]


def test_a_row_that_leaves_the_scope_takes_back_what_it_gave(tmp_path: Path) -> None:
    people = {"one": [Person(1, "111", "Berg")], "two": [Person(1, "111", "Berg", note="b")]}
    folder = people_workspace(tmp_path / "w", people)
    path = folder / "mappings/two.person.yml"
    path.write_text(path.read_text() + "scope: {where: \"NOTE <> 'x'\", reason: not wanted}\n")
    run(folder)
    assert parties(folder) == [("Berg", None, "1970-01-01", "b")]
    fill(folder, {**people, "two": [Person(1, "111", "Berg", note="x")]})
    run(folder)
    assert parties(folder) == [("Berg", None, "1970-01-01", None)]


def test_who_is_probably_the_same_is_told_until_people_decide(tmp_path: Path) -> None:
    people = {
        "one": [Person(1, "111", "Berg", "19700101"), Person(2, None, "BERG", "19700101")],
        "two": [Person(1, "999", "Berg", "19700101"), Person(2, "222", "Cor", "19700101")],
    }
    folder = people_workspace(tmp_path / "w", people)
    run(folder, "one.person")
    assert issues(folder) == []
    run(folder)
    assert issues(folder) == [(f"{system}.person", "1", "identity", "identity-probable") for system in ("one", "two")]
    assert in_balance(folder)
    decide(folder, "one.person,1,two.person,1,no")
    run(folder)
    assert issues(folder) == []
    assert len(parties(folder)) == 4
    fill(folder, {**people, "one": [Person(1, "111", "Berg", "19700101"), Person(2, None, "Berg", "19700101")]})
    run(folder)
    assert {each[:2] for each in issues(folder)} == {("one.person", "1"), ("one.person", "2"), ("two.person", "1")}
    decide(folder, "one.person,1,two.person,1,yes", "one.person,1,one.person,2,yes")
    run(folder)
    assert issues(folder) == []
    assert len(parties(folder)) == 2
