"""A run over rows of which none or one changed: keys in any order, few commits, and a kill costs nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from command_line import CommandLine, in_process
from made_once import made_once
from targets import copy_workspace, ledger_rows, model_rows, open_read_only, upgrade
from tiny_workspace import contact, edit, make_workspace, write_contacts

from connectors.prefetch import ahead

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

CONTACTS = 300


@pytest.fixture(params=["in order", "in any order"])
def loaded(request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    in_order = request.param == "in order"
    made = made_once(tmp_path_factory, f"unchanged-{in_order}", lambda folder: load(folder, in_order))
    return copy_workspace(made, tmp_path / "w")


def load(folder: Path, in_order: bool) -> None:
    make_workspace(folder)
    edit(folder / "workspace.yml", "batch_rows: 50", "batch_rows: 5")
    write_contacts(folder, rows(in_order))
    upgrade(folder)
    assert in_process("-C", folder, "run").status == 0


def rows(in_order: bool, **changed: str) -> list[list[str]]:
    """Return the contacts, of which the last but 50 is another one where something is changed."""
    numbers = [f"{number:05}" for number in range(CONTACTS)]
    found = [contact(each, **(changed if place == CONTACTS - 50 else {})) for place, each in enumerate(numbers)]
    if not in_order:
        random.Random(1).shuffle(found)
    return found


def books(answer: object) -> dict[str, int]:
    return next(each for each in answer.document["mappings"] if each["mapping"] == "kcc.contact")  # type: ignore[attr-defined]


def commits(folder: Path, run: int) -> int:
    sql = "SELECT COUNT(*) FROM migration_batch b JOIN migration_mapping m ON m.id = b.mapping_id WHERE m.name = 'kcc.contact' AND run_id = ?"
    with closing(open_read_only(folder / "target.db")) as target:
        return int(target.execute(sql, (run,)).fetchone()[0])


def test_batches_without_changes_are_committed_together(loaded: Path, omnicase: CommandLine) -> None:
    again = books(omnicase("-C", loaded, "--format", "json", "run", "--full"))
    assert (again["read"], again["unchanged"]) == (CONTACTS, CONTACTS)
    assert commits(loaded, 1) >= CONTACTS / 5
    assert 1 < commits(loaded, 2) <= 4


def test_one_changed_row_is_updated_alone(loaded: Path, omnicase: CommandLine, request: pytest.FixtureRequest) -> None:
    in_order = request.node.callspec.params["loaded"] == "in order"
    write_contacts(loaded, rows(in_order, ONDERWERP="Iets anders"))
    again = books(omnicase("-C", loaded, "--format", "json", "run"))
    assert (again["read"], again["updated"], again["unchanged"]) == (CONTACTS, 1, CONTACTS - 1)


def test_changes_far_apart_are_written_in_few_commits(loaded: Path, omnicase: CommandLine) -> None:
    changed = [contact(f"{number:05}", **({"ONDERWERP": "Anders"} if number % 60 == 7 else {})) for number in range(CONTACTS)]
    write_contacts(loaded, changed)
    again = books(omnicase("-C", loaded, "--format", "json", "run"))
    assert (again["read"], again["updated"], again["unchanged"]) == (CONTACTS, 5, CONTACTS - 5)
    assert commits(loaded, 2) <= 6


def test_killed_among_batches_without_changes(loaded: Path, omnicase: CommandLine) -> None:
    target = loaded / "target.db"
    before = model_rows(target), ledger_rows(target)
    killed = omnicase.spawn("-C", loaded, "run", "--full", env={"OMNICASE_FAILPOINT": "after-read:40"})
    assert killed.status < 0
    again = books(omnicase("-C", loaded, "--format", "json", "run"))
    assert (again["read"], again["unchanged"]) == (CONTACTS, CONTACTS)
    assert (model_rows(target), ledger_rows(target)) == before


def test_reading_ahead_makes_one_item_more_and_ends_with_who_asks() -> None:
    made: list[int] = []
    closed: list[bool] = []

    def numbers() -> Iterator[int]:
        try:
            for number in range(10):
                made.append(number)
                yield number
        finally:
            closed.append(True)

    taken = ahead(numbers)
    assert [next(taken), next(taken)] == [0, 1]
    taken.close()
    assert closed == [True]
    assert len(made) <= 3
    assert list(ahead(numbers)) == list(range(10))


def test_an_error_while_reading_ahead_is_raised_where_it_is_awaited() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("the second item")

    taken = ahead(broken)
    assert next(taken) == 1
    with pytest.raises(ValueError, match="the second item"):
        next(taken)
