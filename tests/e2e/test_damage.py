"""Kinds of damage done to a loaded target: each is found, named, and found at the cheapest level that can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import in_process
from damages import DAMAGES, Damage, Sign, Struck, open_target
from small_demo import loaded_demo
from targets import copy_workspace

CHEAP_TO_DEEP = ("schema", "accounting", "keys", "controls", "fields", "children", "rules", "distribution")
JUDGED = ("schema", "accounting", "keys", "controls", "fields", "children")
"""The levels that compare the target with the source, of which every finding is foretold here."""


def findings(workspace: Path, *levels: str) -> tuple[int, Counter[Sign]]:
    """Reconcile; return the exit status and how often each kind of finding is there."""
    answer = in_process("-C", workspace, "--format", "json", "reconcile", "--level", ",".join(levels))
    document = answer.document
    tables = {check["mapping"]: check["target"] for check in document["checks"]}

    def sign(finding: dict[str, Any]) -> Sign:
        mapping = finding["mapping"]
        where = f"TABLE {tables[mapping]}" if " + " in mapping else mapping
        return finding["check"], where, finding["field"], finding["cause"], finding["difference"]

    return answer.status, Counter(map(sign, document["findings"]))


@pytest.fixture
def workspace(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield copy_workspace(loaded_demo(tmp_path_factory), tmp_path / "demo")


def strike(workspace: Path, *damages: Damage) -> list[list[Sign]]:
    """Damage the target; return what must be found of each."""
    with open_target(workspace) as database:
        target = Struck(database)
        signs = [damage.strike(target) for damage in damages]
        database.commit()
    return signs


def test_forty_kinds_of_damage_are_each_found_and_nothing_else_is(workspace: Path) -> None:
    assert len({damage.name for damage in DAMAGES}) == len(DAMAGES) >= 40
    signs = strike(workspace, *DAMAGES)
    for damage, made in zip(DAMAGES, signs, strict=True):
        levels = {sign[0].split(".")[0] for sign in made}
        assert min(levels, key=CHEAP_TO_DEEP.index) == damage.level, damage.name
    assert findings(workspace, *JUDGED) == (3, Counter(sign for made in signs for sign in made))
    told = in_process("-C", workspace, "status")
    assert told.status == 8 and "somebody changed the ledger" in told.out


@pytest.mark.sample(0)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_damage_alone_is_found(damage: Damage, workspace: Path) -> None:
    (signs,) = strike(workspace, damage)
    assert findings(workspace, *JUDGED) == (3, Counter(signs))
