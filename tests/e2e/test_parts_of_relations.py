"""`run --limit`, `--keys` and `--strict`: a part is loaded, the books say so, and the next whole run loads the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Answer, in_process
from small_demo import fresh_demo, loaded_demo
from targets import assert_same_target, copy_workspace, model_rows
from tiny_workspace import contact, edit, make_workspace, write_contacts

SETTINGS = "workspace.yml"


def asked(folder: Path, *words: str) -> Answer:
    return in_process("-C", folder, "--format", "json", *words)


def books(answer: Answer) -> dict[str, dict[str, int]]:
    return {each["mapping"]: each for each in answer.document["mappings"]}


@pytest.mark.no_cover
def test_a_whole_run_after_limited_ones_ends_as_an_undisturbed_one(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = copy_workspace(fresh_demo(tmp_path_factory), tmp_path / "w")
    limited = asked(folder, "run", "--limit", "60")
    assert limited.status == 3, limited.err
    read = books(limited)
    assert read["zaak.case"]["read"] == 60
    assert all(sum(each["gone"].values()) == 0 for each in read.values())
    with closing(sqlite3.connect(folder / "target.db")) as target:
        assert target.execute("SELECT SUM(full_read) FROM migration_progress").fetchone() == (0,)
        assert target.execute("SELECT COUNT(*) FROM migration_issue WHERE code = 'orphan'").fetchone() == (0,)
    assert asked(folder, "run").status == 3
    assert_same_target(folder / "target.db", loaded_demo(tmp_path_factory) / "target.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A tiny workspace, loaded, then changed: one contact is gone, one changed, one new, one wrong."""
    folder = make_workspace(tmp_path / "w")
    rows = [contact(number) for number in range(1, 21)]
    rows[4] = contact(5, WANNEER="gisteren")
    write_contacts(folder, rows)
    if request.param == "postgresql":
        new: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        edit(folder / SETTINGS, "sqlite:///target.db", new().replace("+psycopg", ""))
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert asked(folder, "run").status == 3
    return folder


def test_only_the_rows_of_the_keys_are_read_and_nothing_is_gone(workspace: Path) -> None:
    rows = [contact(number) for number in range(2, 22)]
    write_contacts(workspace, [*rows[:1], contact(3, ONDERWERP="anders"), *rows[2:]])
    exported = in_process("-C", workspace, "rejects", "export", "kcc.contact")
    assert exported.out == "5\n"
    keys = workspace / "keys.txt"
    keys.write_text(exported.out + "21\n99\n1\n")
    for verb in ("plan", "run"):
        answer = asked(workspace, verb, "kcc.contact", "--keys", str(keys), "--keys", "4")
        assert answer.status == 3
        found = books(answer)["kcc.contact"]
        counts = {name: found[name] for name in ("read", "inserted", "updated", "unchanged", "rejected")}
        assert counts == {"read": 3, "inserted": 2, "updated": 0, "unchanged": 1, "rejected": 0}
        assert sum(found["gone"].values()) == 0
        assert sorted(answer.document["unknown_keys"]) == ["1", "99"]
        assert "no row with the key 99" in answer.err
    checks = asked(workspace, "reconcile", "kcc.contact", "--level", "accounting").document["checks"]
    (stock,) = [each for each in checks if each["check"] == "accounting.stock"]
    assert (stock["outcome"], stock["reason"]) == (
        "not_applicable", "the last run read only 3 keys of the relation (--keys)"
    )
    rest = books(asked(workspace, "run"))["kcc.contact"]
    assert (rest["read"], rest["updated"], rest["unchanged"], rest["gone"]["kept"]) == (20, 1, 19, 1)


def test_a_personal_key_is_given_by_its_token(workspace: Path) -> None:
    edit(workspace / SETTINGS, "CONTACT: [NAAM, VRAAG]", "CONTACT: [NR, NAAM, VRAAG]")
    token = in_process("-C", workspace, "rejects", "export", "kcc.contact").out.strip()
    assert token.startswith("#")
    answer = asked(workspace, "run", "kcc.contact", "--keys", token, "--keys", "12", "--keys", "no such key 77")
    assert books(answer)["kcc.contact"]["read"] == 2
    (unknown,) = answer.document["unknown_keys"]
    assert unknown.startswith("#")
    assert "no such key" not in answer.out + answer.err


def test_keys_that_cannot_be_meant(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    assert in_process("-C", workspace, "db", "upgrade").status == 0
    (tmp_path / "empty.txt").write_text("\n")
    for code, words in {
        "RUN-050": ("oud.actor", "kcc.contact", "--keys", "1"),
        "RUN-051": ("kcc.contact", "--keys", "98", "--keys", "99"),
        "RUN-052": ("kcc.contact", "--keys", str(tmp_path / "empty.txt")),
    }.items():
        answer = asked(workspace, "run", *words)
        assert (answer.status, answer.document["code"]) == (2, code)


def test_r22_strict_refuses_a_new_column_that_a_run_only_warns_of(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w")
    assert in_process("-C", folder, "db", "upgrade").status == 0
    with closing(sqlite3.connect(folder / "systems/oud.db")) as old:
        old.execute("ALTER TABLE MEDEW ADD COLUMN KAMER TEXT")
        old.commit()
    for verb in ("plan", "run"):
        answer = asked(folder, verb, "--strict")
        assert (answer.status, answer.document["code"]) == (5, "RUN-054")
        assert "KAMER" in answer.document["message"]
    assert model_rows(folder / "target.db")["customer_contact"] == []
    assert asked(folder, "run").status == 3
    edit(folder / "mappings/oud.actor.yml", "unfilled:", "ignore:\n  - {columns: [KAMER], reason: Not needed}\nunfilled:")
    assert asked(folder, "run", "--strict").status == 0
