"""What becomes of records of several systems when the mappings that made them change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import in_process as omnicase
from people_workspace import Person, everything, fill, parties, people_workspace, run
from target_content import content

from migrate.workspace import load_workspace

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

PEOPLE = {"one": [Person(1, "111", "Berg")], "two": [Person(1, "111", "Berg", note="two")]}


def test_a_loaded_mapping_cannot_drop_its_identity(tmp_path: Path) -> None:
    """Its rows made records together with those of another system: nobody could say which of the two keeps them."""
    folder = people_workspace(tmp_path / "w", PEOPLE)
    run(folder)
    before = everything(folder)
    path = folder / "mappings/two.person.yml"
    text = path.read_text()
    path.write_text(re.sub(r"(?ms)^identity:.*?(?=^values:)", "", text))
    answer = omnicase("-C", folder, "--format", "json", "run")
    assert (answer.status, answer.document["code"]) == (6, "LED-005"), answer.out + answer.err
    assert "two.person" in str(answer.document) and "Put identity back" in str(answer.document)
    assert everything(folder) == before
    path.write_text(text)
    assert run(folder)["two.person"]["unchanged"] == 1


def test_an_identity_may_go_as_long_as_nothing_was_loaded_with_it(tmp_path: Path) -> None:
    folder = people_workspace(tmp_path / "w", PEOPLE)
    path = folder / "mappings/two.person.yml"
    path.write_text(re.sub(r"(?ms)^identity:.*?(?=^values:)", "", path.read_text()))
    run(folder)
    assert len(parties(folder)) == 2


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_r27_a_key_that_is_reused_for_another_person_is_another_record(
    target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Number 1 was Berg, known to the other system too, and is Vos now: Berg keeps record and values, Vos gets his own."""
    berg, vos = Person(1, "111", "Berg", "19500101"), Person(1, "222", "Vos", "19800202")
    folders = {}
    for name, first in (("reused", berg), ("fresh", vos)):
        folder = people_workspace(tmp_path / name, {"one": [first], "two": [Person(9, "111", "Berg", "19500101")]})
        if target == "postgresql":
            url = request.getfixturevalue("new_postgres_database")().replace("+psycopg", "")
            file = folder / "workspace.yml"
            file.write_text(file.read_text().replace("sqlite:///target.db", url))
            assert omnicase("-C", folder, "db", "upgrade").status == 0
        assert omnicase("-C", folder, "run").status in (0, 3)
        folders[name] = folder
    fill(folders["reused"], {"one": [vos], "two": [Person(9, "111", "Berg", "19500101")]})
    assert omnicase("-C", folders["reused"], "run").status in (0, 3)
    found, wanted = (content(load_workspace(each, None).target_url) for each in folders.values())
    models = [{name: rows for name, rows in each.items() if name.startswith("model.")} for each in (found, wanted)]
    assert models[0] == models[1]
    assert len(models[0]["model.party"]) == 2
    assert omnicase("-C", folders["reused"], "reconcile").status == 0
