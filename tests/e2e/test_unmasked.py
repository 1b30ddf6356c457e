"""Personal values leave unmasked only with a reason, and the ledger keeps who saw what, when and why (promise 9)."""

from __future__ import annotations

import getpass
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process
from targets import copy_workspace
from tiny_workspace import edit, make_workspace

NAME = "Medewerker 2"
WHY = ("--unmasked", "--reason", "called by the person, ticket 42")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace that was loaded; one contact links to nobody and was rejected."""
    folder = make_workspace(tmp_path_factory.mktemp("unmasked") / "w", contacts=3)
    with (folder / "systems/kcc/contact.csv").open("a", encoding="utf-8") as file:
        file.write("99;tel;Vraag;Wie is dit;Jan Geheim;2014-05-06 09:30;m99\n")
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status in (0, 3)
    return folder


@pytest.fixture
def loaded(tiny: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return copy_workspace(tiny, tmp_path / "w")


def _kept(folder: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(folder / "target.db")) as connection:
        return list(connection.execute("SELECT os_user, command, what, reason FROM migration_disclosure ORDER BY id"))


def _id(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "target.db")) as connection:
        return str(connection.execute("SELECT id FROM actor WHERE employee_code = 'm2'").fetchone()[0])


def _verbs(folder: Path) -> dict[str, tuple[tuple[str, ...], str]]:
    return {
        "explain": (("explain", "oud.actor", "m2"), NAME),
        "lookup": (("lookup", "actor", _id(folder)), NAME),
        "rejects": (("rejects", "show", "kcc.contact", "99"), "Jan Geheim"),
    }


@pytest.mark.parametrize("verb", ["explain", "lookup", "rejects"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_values_are_masked_unless_asked_for_with_a_reason_which_is_kept(loaded: Path, verb: str, form: str) -> None:
    words, value = _verbs(loaded)[verb]
    masked = in_process("-C", loaded, "--format", form, *words)
    assert masked.status == 0, masked.err
    assert value not in masked.out
    assert _kept(loaded) == []
    shown = in_process("-C", loaded, "--format", form, *words, *WHY)
    assert shown.status == 0, shown.err
    assert value in shown.out
    assert "masked)" not in shown.out
    (kept,) = _kept(loaded)
    assert kept[:2] == (getpass.getuser(), verb)
    assert kept[3] == "called by the person, ticket 42"
    assert value not in kept[2]
    assert in_process("-C", loaded, *words).out == (
        masked.out if form == "text" else in_process("-C", loaded, *words).out
    )
    assert value not in in_process("-C", loaded, *words).out


@pytest.mark.parametrize("verb", ["explain", "lookup", "rejects"])
@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--unmasked",), "UNM-001"),
        (("--unmasked", "--reason", ""), "UNM-001"),
        (("--unmasked", "--reason", "  x  "), "UNM-001"),
        (("--unmasked", "--reason", "x" * 501), "UNM-001"),
        (("--reason", "called by the person"), "UNM-002"),
    ],
)
def test_without_a_reason_nothing_is_shown(loaded: Path, verb: str, options: tuple[str, ...], code: str) -> None:
    words, value = _verbs(loaded)[verb]
    answer = in_process("-C", loaded, *words, *options)
    assert answer.status == 2
    assert code in answer.err
    assert value not in answer.out + answer.err
    assert _kept(loaded) == []


@pytest.mark.parametrize("verb", ["explain", "lookup", "rejects"])
def test_what_cannot_be_recorded_is_not_shown(loaded: Path, verb: str) -> None:
    words, value = _verbs(loaded)[verb]
    with closing(sqlite3.connect(loaded / "target.db")) as connection:
        connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON migration_disclosure BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        connection.commit()
    answer = in_process("-C", loaded, *words, *WHY)
    assert answer.status == 5, answer.err
    assert value not in answer.out + answer.err


def test_a_personal_key_is_found_by_its_token_and_kept_as_one(loaded: Path) -> None:
    edit(loaded / "workspace.yml", "personal: {MEDEW: [NAAM]}", "personal: {MEDEW: [NAAM, CODE]}")
    token = in_process("-C", loaded, "--format", "json", "lookup", "actor", _id(loaded)).document["origins"][0]["key"][
        0
    ]
    assert token.startswith("#")
    answer = in_process("-C", loaded, "--format", "json", "explain", "oud.actor", token, *WHY)
    assert answer.status == 0, answer.err
    assert answer.document["key"] == ["m2"]
    assert _kept(loaded)[0][2] == f"oud.actor {token}"
