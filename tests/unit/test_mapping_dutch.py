"""Everything that `mapping check` says to a person is there in Dutch: a new text without one is an error here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bad_mappings import NAMES, errors_of

from migrate.dutch import in_dutch
from migrate.dutch.calculations import CALCULATIONS
from migrate.dutch.hints import HINTS
from migrate.dutch.messages import MESSAGES

ROOT = Path(__file__).parents[2]
FILES = [*(ROOT / "mappings").rglob("*.py"), ROOT / "casemodel/strict_yaml.py", ROOT / "migrate/mapping/code_use.py", ROOT / "migrate/profile/formats.py"]
MAKERS = {"RefusedError", "refuse", "add", "refusal", "refused", "wrong", "_refuse", "_refused", "_unreadable", "PydanticCustomError"}
ELSEWHERE = {ROOT / "mappings/draft"}
"""`mapping new` says its own words."""
STARTS = ("", "the step 'x' ", "the format 'x' ", "the plug-in x ", "plugins/x.py ", "defaults.yml has no ")
COMPOSED = {
    "'x' is also x": "'x' is also the column NR of parent",
    "the value 'x' has the name of x": "the value 'x' has the name of the value y",
    "null texts 'x'": "defaults.yml has no null texts 'x' for the system x",
    "date formats": "defaults.yml has no date formats for the system x",
    "datetime formats": "defaults.yml has no datetime formats for the system x",
    "a value that is no link": "the column x holds text, the field gives a value that is no link",
    "the id of a record": "the column x holds text, the field gives the id of a record",
    "plugins/x.py x": "plugins/x.py lies outside the folder plugins",
    "the format 'x' x": "the format 'x' reads a time",
    "the plug-in x x": "the plug-in x does not return a frame",
    "the step 'x' x": "the step 'x' needs one text",
    "the expression cannot be readx": "the expression cannot be read (at character 3)",
    "the key 'x' is missingx": "the key 'x' is missing in fields.name",
    "x does not have 'x'": "the system x does not have 'y'",
    "x has no column 'x' there": "the target has no column 'x' there",
    "x of x in the last profile": "the format YY fits hardly any of the values of x in the last profile",
    "x: x": "codes/x.csv: the file is empty",
    "xTokens: x.": "Tokens: x.",
}
"""Texts that are put together of others, with what they may be."""
CODE = re.compile(r"[A-Z]{3}-\d{3}")


def texts_of(node: ast.expr) -> list[str]:
    """Return the texts that an expression can give, x for what is not known here."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*texts_of(node.body), *texts_of(node.orelse)]
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in texts_of(value)]
    if isinstance(node, ast.JoinedStr):
        made = [""]
        for piece in node.values:
            inner = piece.value if isinstance(piece, ast.FormattedValue) else piece
            made = [f"{start}{text}" for start in made for text in (texts_of(inner) or ["x"])]
        return made
    return []


def said() -> Iterator[tuple[str, str]]:
    """Yield every text that code of the language gives to a refusal, with its place."""
    for path in FILES:
        if ELSEWHERE & set(path.parents):
            continue
        tree = ast.parse(path.read_text())
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", getattr(call.func, "attr", "")) not in MAKERS:
                continue
            given = [*call.args, *(word.value for word in call.keywords if word.arg in ("hint", "message"))]
            for text in (text for node in given for text in texts_of(node)):
                if " " in text and not CODE.fullmatch(text):
                    # a form of pydantic, whose names are filled later
                    yield re.sub(r"\{(?:expects|found|allowed|text|count)\}", "x", text), f"{path.name}:{call.lineno}"


SAID = sorted(set(said()))


def test_enough_texts_are_found() -> None:
    """So that the next test cannot pass by finding nothing."""
    assert len({text for text, _ in SAID}) > 380


@pytest.mark.parametrize(("text", "at"), SAID, ids=[at for _, at in SAID])
def test_every_text_has_a_dutch_form(text: str, at: str) -> None:
    found = [dutch for start in STARTS if (dutch := in_dutch(start + COMPOSED.get(text, text))) is not None]
    assert found, text


@pytest.mark.parametrize("name", NAMES)
def test_what_a_bad_mapping_gets_is_dutch(name: str) -> None:
    """Nothing of the English is left between the names, for all that is refused in the folder of bad mappings."""
    for error in errors_of(name):
        for text in (error.message, error.hint):
            dutch = in_dutch(text)
            assert dutch is not None, text
            bare = re.sub(r"'[^']*'|\{[^}]*\}|\([^)]*\)", "", dutch)
            assert not re.search(r"\b(the|needs|has|have|does|not|which|expected|found|cannot|and)\b", bare), dutch


def test_each_form_keeps_what_stands_in_its_holes() -> None:
    forms = (*MESSAGES, *CALCULATIONS, *HINTS)
    holes = re.compile(r"\{[a-z]\}")
    lost = [(english, dutch) for english, dutch in forms if not set(holes.findall(dutch)) <= set(holes.findall(english))]
    assert lost == []
    assert len({english for english, _ in forms}) == len(forms)


@pytest.mark.parametrize(("english", "dutch"), [
    ("expected true or false, found 'no' in fields.name.required", "verwacht: waar of onwaar; gevonden: 'no' in fields.name.required"),
    ("POWER is not one of the functions allowed (at character 3 of line 2)", "POWER is niet een van de toegestane functies (bij teken 3 van regel 2)"),
    ("codes/x.csv: the file is not UTF-8 text (byte 12)", "codes/x.csv: het bestand is geen UTF-8-tekst (byte 12)"),
    ("the periods of 'A', 'B', 'C' and 4 more leave days out", "de perioden van 'A', 'B', 'C' en nog 4 laten dagen open"),
    ("date and number exclude each other", "date en number sluiten elkaar uit"),
    ("this is not valid YAML: did not find expected key", "dit is geen geldige YAML: er ontbreekt een sleutel, of het inspringen klopt niet"),
])  # fmt: skip
def test_names_are_kept_and_words_are_translated(english: str, dutch: str) -> None:
    assert in_dutch(english) == dutch


def test_what_nobody_translated_is_none() -> None:
    assert in_dutch("an English sentence of tomorrow") is None
