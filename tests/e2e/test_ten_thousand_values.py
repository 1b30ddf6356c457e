"""Ten thousand personal values go through every report, log and error: none of them is found there (S1, S2, S5, S11)."""

from __future__ import annotations

import base64
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Answer, in_process
from many_values import leaked, make_workspace

KEPT = ("systems/", "target.db", "told.")
"""Where personal values are kept: the old system, the target with its rejected rows."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("values")


@pytest.fixture(scope="module")
def values(folder: Path) -> set[str]:
    return make_workspace(folder)


@pytest.fixture(scope="module")
def answers(folder: Path, values: set[str]) -> dict[str, Answer]:
    """What every verb says, of a target that was loaded, edited and damaged."""
    told: dict[str, Answer] = {}

    def say(*verb: str, status: int | None = None) -> Answer:
        answer = told[" ".join(verb)] = in_process("-C", folder, *verb)
        assert status is None or answer.status == status, (verb, answer.err)
        return answer

    say("db", "upgrade", status=0)
    for form in ("text", "json"):
        say("--format", form, "profile", "old")
    say("mapping", "check")
    say("mapping", "coverage", "--xlsx", str(folder / "reports/coverage.xlsx"))
    say("plan")
    say("--debug", "run", status=3)
    _edit(folder)
    say("--debug", "run", "--full")
    keys = {row[0]: row for row in _states(folder)}
    for mapping, state in keys:
        say("explain", mapping, keys[mapping, state][1])
        say("rejects", "show", mapping, keys[mapping, state][1])
        say("conflicts", "show", mapping, keys[mapping, state][1])
    for mapping in ("old.person", "old.number", "old.phone"):
        for form in ("text", "json"):
            say("--format", form, "rejects", "list", mapping)
        say("rejects", "export", mapping, str(folder / f"reports/{mapping}.txt"))
    for _, _, record in keys.values():
        say("lookup", "party", record or "none")
    say("conflicts", "list")
    say("--format", "json", "conflicts", "list")
    say("reconcile", "--report", "html,xlsx,json,txt")
    say("--format", "json", "reconcile")
    finding = next(iter(say("--format", "json", "reconcile", "--level", "keys").document["findings"]))
    say("waiver", "propose", "--check", finding["check"], "--mapping", finding["mapping"], "--key", "|".join(finding["key"]),
        "--reason", "x", "--until", "2099-01-01")  # fmt: skip
    for verb in (["waiver", "list"], ["status"], ["status", "--history"], ["doctor"], ["declaration", "render"],
                 ["evidence", "head"], ["evidence", "verify"], ["explain", "old.person", "nobody"], ["rollback", "last"]):  # fmt: skip
        say(*verb)
    return told


def _edit(folder: Path) -> None:
    """People edit, remove and add records; the old system changes what they edited."""
    with closing(sqlite3.connect(folder / "target.db")) as target:
        target.execute("UPDATE party SET surname = surname || 'x' WHERE rowid % 17 = 0")
        target.execute("DELETE FROM digital_address WHERE rowid % 19 = 0")
        target.execute("UPDATE party_identifier SET value = SUBSTR(value, 2, 8) || '0' WHERE rowid % 23 = 0")
        target.commit()
    with closing(sqlite3.connect(folder / "systems/old.db")) as source:
        source.execute("UPDATE PERSON SET SURNAME = SURNAME || ' y' WHERE rowid % 3 = 0")
        source.execute("UPDATE PERSON SET SURNAME = '' WHERE rowid % 29 = 0")
        source.commit()


def _states(folder: Path) -> list[tuple[tuple[str, str], str, str | None]]:
    """Return a row of each mapping and state: both, its key, and its record."""
    with closing(sqlite3.connect(folder / "target.db")) as target:
        return [
            ((mapping, state), key, record)
            for mapping, state, key, record in target.execute(
                "SELECT m.name, i.state, MIN(i.source_key), MIN(i.target_id) FROM migration_id_map i"
                " JOIN migration_mapping m ON m.id = i.mapping_id GROUP BY 1, 2"
            )
        ]


def test_no_value_stands_in_what_is_printed_or_written(folder: Path, values: set[str], answers: dict[str, Answer]) -> None:
    texts = {f"$ {verb}": f"{answer.out}\n{answer.err}".encode() for verb, answer in answers.items()}
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        name = str(path.relative_to(folder))
        if not name.startswith(KEPT):
            texts[name] = path.read_bytes()
    assert len(texts) > 50 and sum(map(len, texts.values())) > 500_000
    # What a person typed is in the name of the answer, not in the answer.
    assert leaked(values, texts) == []


def test_the_search_finds_values_in_every_form(folder: Path, values: set[str], answers: dict[str, Answer]) -> None:
    number, word = min(value for value in values if value.isdigit()), min(value for value in values if not value.isdigit())
    spaced = f"{number[:4]}.{number[4:6]}.{number[6:]}"
    for content in (word.encode(), word.upper().encode(), f"<b>{number}</b>".encode(), spaced.encode(),
                    number.lstrip("0").encode(), word.encode("utf-16"), base64.b64encode(f"naam {word}".encode())):  # fmt: skip
        assert leaked(values, {"x": content}), content
    with closing(sqlite3.connect(folder / "target.db")) as target:
        dumped = "\n".join(target.iterdump()).encode()
    assert len(leaked(values, {"target.db": dumped})) > 8_000
    assert not any(re.search("traceback", answer.err, re.IGNORECASE) for answer in answers.values())
