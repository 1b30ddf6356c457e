"""A default is no value: in a record of several systems it stands only where none of them has one."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

from command_line import in_process as omnicase
from people_workspace import Person, everything, in_balance, issues, parties, people_workspace, run

PEOPLE = {
    "one": [
        Person(1, "111", "", note="the other system knows the name"),
        Person(2, "222", "", note="nobody knows the name"),
        Person(3, "333", "Onbekend", note="this is what it says"),
    ],
    "two": [
        Person(1, "111", "Berg", prefix="van den"),
        Person(2, "222", ""),
        Person(3, "333", "Cor"),
    ],
}
EXPECTED = [
    ("Berg", "van den", "1970-01-01", "the other system knows the name"),
    ("Onbekend", None, "1970-01-01", "nobody knows the name"),
    ("Onbekend", None, "1970-01-01", "this is what it says"),
]


def _workspace(folder: Path) -> Path:
    made = people_workspace(folder, PEOPLE)
    for system in ("one", "two"):
        path = made / f"mappings/{system}.person.yml"
        plain = 'surname: {from: SURNAME, null_if: [""]}'
        path.write_text(path.read_text().replace(plain, plain.replace("}", ", default: Onbekend}")))
    return made


def test_a_default_comes_after_the_values_of_all_systems(tmp_path: Path) -> None:
    found = []
    for number, order in enumerate(permutations(["one.person", "two.person"])):
        folder = _workspace(tmp_path / str(number))
        for name in order:
            run(folder, name)
        run(folder)
        assert parties(folder) == EXPECTED
        assert issues(folder) == []
        assert in_balance(folder)
        found.append(everything(folder))
    assert found[0] == found[1]


def test_explain_names_the_system_that_has_the_value(tmp_path: Path) -> None:
    folder = _workspace(tmp_path / "w")
    run(folder)
    told = omnicase("-C", folder, "--format", "json", "explain", "one.person", "1").document
    surname = next(each for each in told["merged"] if each["field"] == "surname")
    assert surname["mapping"] == "two.person"
    assert [each["mapping"] for each in surname["lost"]] == ["one.person"]
