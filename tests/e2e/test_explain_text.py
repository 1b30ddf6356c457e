"""What `explain` says to a person: in Dutch or English, and a value is as secret as what it is made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import in_process
from targets import upgrade
from tiny_workspace import contact, edit, make_workspace, write_actors, write_contacts

MAPPING = "mappings/kcc.contact.yml"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace with a value of harmless columns, one of a personal column, and one of both."""
    folder = make_workspace(tmp_path_factory.mktemp("explain") / "w")
    edit(
        folder / MAPPING,
        "fields:\n",
        "values:\n  topic: {from: ONDERWERP, do: [upper]}\n  who: {from: NAAM, do: [upper]}\n"
        "  both: {expr: \"ONDERWERP || ' van ' || NAAM\"}\nfields:\n",
    )
    write_contacts(folder, [contact(1, ONDERWERP="Paspoort"), contact(2, WANNEER="gisteren"), contact(3, MEDEW="m2")])
    write_actors(folder, [("m1", "Medewerker 1", "balie", 1), ("m2", "Medewerker 2", "balie", "misschien")])
    upgrade(folder)
    assert in_process("-C", folder, "run").status == 3
    return folder


def stages(folder: Path, key: str, *more: str) -> dict[str, list[str]]:
    """Return the lines of each value and field between the source and the record, of an English answer."""
    found: dict[str, list[str]] = {}
    name = ""
    out = in_process("-C", folder, "explain", "kcc.contact", key, *more).out
    for line in out.partition("stages\n")[2].partition("record in the target")[0].splitlines():
        if line.startswith("  ") and len(line) > 27:
            name = line[2:26].strip() or name
            found.setdefault(name, []).append(line[27:])
    return found


def test_it_speaks_dutch_or_english(loaded: Path) -> None:
    dutch = in_process("-C", loaded, "explain", "kcc.contact", "1").out
    assert dutch.splitlines()[0] == "kcc.contact  1  geladen"
    assert "record in het doel, nu" in dutch
    english = in_process("-C", loaded, "explain", "kcc.contact", "1", "--lang", "en").out
    assert english.splitlines()[0] == "kcc.contact  1  loaded"
    assert "record in the target now" in english
    refused = in_process("-C", loaded, "explain", "kcc.contact", "2").out
    assert refused.splitlines()[0] == "kcc.contact  2  geweigerd"
    assert refused.splitlines()[-1] == "fout: occurred_at: datetime-invalid"


@pytest.mark.parametrize(
    ("lang", "list_says", "row_says", "next_word"),
    [((), "uitval", ("fout", "persoonsgegevens afgeschermd", "Verbeter het tijdstip"), "Verder: "),
     (("--lang", "en"), "rejected", ("error", "personal values masked", "the text is not a moment"), "Next: ")],
    ids=["nl", "en"],
)  # fmt: skip
def test_what_was_not_loaded_is_told_in_both(
    lang: tuple[str, ...], list_says: str, row_says: tuple[str, ...], next_word: str, loaded: Path
) -> None:
    listed = in_process("-C", loaded, "rejects", "list", *lang)
    shown = in_process("-C", loaded, "rejects", "show", "kcc.contact", "2", *lang)
    assert (listed.status, shown.status) == (3, 0), listed.err + shown.err
    assert next_word in listed.out and next_word in shown.out
    assert list_says in listed.out and list_says in shown.out, listed.out
    assert all(text in shown.out for text in row_says), shown.out


def test_a_row_that_waits_says_for_whom(loaded: Path) -> None:
    answer = in_process("-C", loaded, "explain", "kcc.contact", "3")
    assert answer.out.splitlines()[-2:] == ["wacht op oud.actor m2", "fout: actor_id: link-waiting"]
    document = in_process("-C", loaded, "--format", "json", "explain", "kcc.contact", "3").document
    assert document["waits_for"] == ["oud.actor m2"]


def test_stages_stand_in_columns(loaded: Path) -> None:
    """The values stand under each other, however long the name of a stage is."""
    found = stages(loaded, "1", "--lang", "en")
    shown = {"topic": "paspoort", "content": "‹", "contact_number": "1", "language": "nld", "contact_name": "‹"}
    places = {line.lower().rindex(shown[name]) for name in shown for line in found[name]}
    assert len(places) == 1, places


def test_a_value_is_as_secret_as_what_it_is_made_of(loaded: Path) -> None:
    found = stages(loaded, "1", "--lang", "en")
    assert [line.split()[-1] for line in found["topic"]] == ["Paspoort", "PASPOORT"]
    for name in ("who", "both"):
        assert all("Jansen" not in line and "JANSEN" not in line and "‹" in line for line in found[name]), found[name]
