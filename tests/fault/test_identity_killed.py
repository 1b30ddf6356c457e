"""A run that joins, parts and moves people is killed and goes on: row for row as one that nobody disturbed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import CommandLine
from people_workspace import Person, fill, in_balance, people_workspace, run
from targets import assert_same_target

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

BEFORE = {
    "one": [
        Person(1, "111", "Berg", "19700101", "a"),
        Person(2, "222", "Cor", "19800101"),
        Person(3, None, "Dirk", "19900101"),
        Person(4, "444", "Els", "19500101"),
    ],
    "two": [
        Person(1, "111", "Berg", "19700101", "b"),
        Person(2, "111", "Zus", "19110101"),
        Person(3, None, "Dirk", "19900101", "c", kind=None),
        Person(4, "444", "Els", "19500101", "d"),
    ],
}
AFTER = {
    "one": [
        Person(1, "333", "Berg", "19700101", "a"),
        Person(2, "222", "Wim", "19330303"),
        Person(3, None, None, None, kind=None),
    ],
    "two": [
        Person(1, "222", "Cor", "19800101", "b"),
        Person(2, "111", "Zus", "19110101"),
        Person(3, None, "Dirk", "19900101", "c"),
        Person(4, "444", "Els", "19500231", "d"),
    ],
}
KILLS = ["after-records:3", "before-commit:6", "before-commit:9", "after-commit:2", "before-retry:1", "before-finish:1"]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = people_workspace(tmp_path_factory.mktemp("people") / "loaded", BEFORE, batch_rows=2, ranks=(2, 1))
    run(folder)
    assert in_balance(folder)
    fill(folder, AFTER)
    return folder


@pytest.fixture(scope="module")
def undisturbed(loaded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people") / "undisturbed"
    shutil.copytree(loaded, folder)
    run(folder)
    return folder


@pytest.mark.sample(0)
@pytest.mark.parametrize("failpoint", KILLS)
def test_killed_and_resumed(failpoint: str, loaded: Path, undisturbed: Path, tmp_path: Path) -> None:
    omnicase, folder = CommandLine(), tmp_path / "killed"
    shutil.copytree(loaded, folder)
    killed = omnicase.spawn("-C", folder, "run", env={"OMNICASE_FAILPOINT": failpoint})
    assert killed.status == -9, f"{failpoint} was never reached: {killed.err}"
    resumed = omnicase("-C", folder, "run")
    assert resumed.status == 3, resumed.err
    assert_same_target(folder / "target.db", undisturbed / "target.db")
