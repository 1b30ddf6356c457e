"""Every folder beside this file is a case story: a mapping, a small source, and everything that must come out."""

from __future__ import annotations

from pathlib import Path

import pytest
from story import open_story, read_table, record_rows, reject_rows

FOLDER = Path(__file__).parent
STORIES = sorted(path.name for path in FOLDER.iterdir() if (path / "mapping.yml").exists())


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    """Records, outcomes, issues and waits are exactly those of the story, and every row has one outcome."""
    folder = FOLDER / name
    story = open_story(folder)
    mapped = story.mapped()
    expected = read_table(folder / "expected.csv")
    assert record_rows(mapped, expected.columns) == expected.rows(named=True)
    assert reject_rows(mapped) == read_table(folder / "rejects.csv").rows(named=True)
    if (folder / "waits.csv").exists():
        wanted = read_table(folder / "waits.csv")
        found = mapped.waits.rename({"_key": "key"}).select(wanted.columns)
        assert found.rows(named=True) == wanted.rows(named=True)
    assert mapped.outcomes.get_column("_row").to_list() == story.prepared().get_column("_row").to_list()


def test_there_are_stories() -> None:
    """The collection itself works: a story that is not found would pass unseen."""
    assert len(STORIES) >= 20
