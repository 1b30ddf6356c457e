"""What becomes of records of several systems when the mappings that made them change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import in_process as omnicase
from people_workspace import Person, everything, parties, people_workspace, run

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
