"""Everything that runbooks, keys and evidence refuse is there in Dutch: a new text without one is an error here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.dutch import FORMS, in_dutch

ROOT = Path(__file__).parents[2]
FILES = [
    *(ROOT / "runbooks").glob("*.py"), ROOT / "runbooks/evidence/seals.py", *(ROOT / "migrate/runbook").glob("*.py"),
    ROOT / "migrate/keys.py", ROOT / "migrate/countersign.py", ROOT / "migrate/cli/passphrase.py", *(ROOT / "migrate/evidence").glob("*.py"),
    *(ROOT / "migrate/declaration").glob("*.py"), *(ROOT / "migrate/bag").glob("*.py"),
]  # fmt: skip
MAKERS = {"RefusedError", "GuardError", "UsageError", "SystemFailure", "BrokenError", "LockedError", "LintFinding", "_DoesNotCount", "ConditionError", "_refused", "_mistyped", "Wrong", "_refusal", "_refuse", "_missing", "_failed", "_unreadable"}
COMPOSED = {
    "x x besides the runner": "'go' asks for 2 approvals, and the roles owner have 1 besides the runner",
    "x enough only when x runs it": "'go' asks for 2 approvals, and the roles owner have enough only when an runs it",
    "it is not the turn of the step 'x'": "it is not the turn of the step 'x': the run is over",
    "the workspace has no x 'x'": "the workspace has no wave 'x'",
    "Small letters, digits, dots, dashes: --person p.eigenaar --role owner.": "Small letters, digits, dots, dashes: --person p.eigenaar --role owner.",
    "'x' is x and 'x' is x": None,
    "the runbook has no x step 'x'": "the runbook has no gate step 'x'",
}
"""Texts that are put together of others, with what they may be; None: of words of the code."""


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
    for path in FILES:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) in MAKERS:
                given = [*call.args, *(word.value for word in call.keywords if word.arg in ("hint", "message"))]
                yield from ((text, f"{path.name}:{call.lineno}") for node in given for text in texts_of(node) if " " in text)


SAID = sorted(set(said()))


def test_enough_texts_are_found() -> None:
    assert len({text for text, _ in SAID}) > 120


@pytest.mark.parametrize(("text", "at"), SAID, ids=[at for _, at in SAID])
def test_every_text_has_a_dutch_form(text: str, at: str) -> None:
    asked = COMPOSED.get(text, text)
    assert asked is None or in_dutch(asked) is not None, text


def test_each_form_keeps_what_stands_in_its_holes() -> None:
    holes = re.compile(r"\{[a-z]\}")
    assert [english for english, dutch in FORMS if not set(holes.findall(dutch)) <= set(holes.findall(english))] == []
    assert len({english for english, _ in FORMS}) == len(FORMS)


def test_a_text_within_a_text_is_translated_too() -> None:
    english = "the gate 'go' is closed: 1 of 2 approvals (owner); the approval of an does not count: it was withdrawn"
    assert in_dutch(english) == "de poort 'go' is dicht: 1 van 2 goedkeuringen (owner); de goedkeuring van an telt niet: zij is ingetrokken"


def test_evidence_is_judged_in_dutch_whatever_was_done_to_it(tmp_path: Path) -> None:
    """Of a chain in which everything possible is wrong, no line of the verdict is left in English."""
    from command_line import in_process
    from made_evidence import made_world, write_evidence

    world = made_world()
    lines = [world.lines[0], *world.lines[2:7], b"x", *world.lines[9:20], world.lines[12], world.lines[21], world.lines[20]]
    keys = [key for key in world.public.values() if key.person != "p.eigenaar"]
    file, trust = write_evidence(tmp_path, lines, keys)
    told = in_process("evidence", "verify", file, "--keys", trust, "--expect-head", world.head.hash, "--lang", "nl")
    assert told.status == 8
    assert len(told.out.splitlines()) > 10
    for line in told.out.splitlines():
        bare = re.sub(r"\b[a-z]+-[a-z]+(?:-[a-z]+)?:", "", line)
        assert not re.search(r"\b(the|which|entry|entries|not|holds|stands|nobody|head)\b", bare), line
