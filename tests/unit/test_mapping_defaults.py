"""What mappings of a system share (``defaults.yml``): part of the meaning, shown by explain, refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from story import AS_OF, SECRETS, open_story, relations_of

from casemodel import RefusedError, RefusedMany
from mappings import compile_mapping, load_mapping, load_mappings, stage_values

STORY = Path(__file__).parents[1] / "cases" / "defaults_of_a_system"
DEFAULTS = (STORY / "mappings" / "defaults.yml").read_text()


def errors_of(folder: Path, defaults: str, mapping: str | None = None) -> list[tuple[str, str]]:
    """Return codes and places of what a workspace with these defaults is refused for."""
    (folder / "mappings").mkdir(exist_ok=True)
    (folder / "mappings" / "defaults.yml").write_text(defaults)
    (folder / "mappings" / "old.case.yml").write_text(mapping or (STORY / "mapping.yml").read_text())
    try:
        load_mappings(folder / "mappings", folder)
    except RefusedMany as many:
        assert all(error.hint for error in many.errors)
        return [(error.code, str(error.place)) for error in many.errors]
    except RefusedError as error:
        return [(error.code, str(error.place))]
    return []


def test_the_story_loads(tmp_path: Path) -> None:
    """The workspace of the story is sound, so that what follows fails for its own reason."""
    assert errors_of(tmp_path, DEFAULTS) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("Europe/Amsterdam", "UTC"), ("D-M-YYYY", "DD-MM-YYYY"), ('["-", "?"]', '["-"]')],
)
def test_defaults_are_part_of_the_meaning(tmp_path: Path, old: str, new: str) -> None:
    """Another zone, format or null text maps rows again."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "defaults.yml").write_text(DEFAULTS.replace(old, new))
    (tmp_path / "mapping.yml").write_text((STORY / "mapping.yml").read_text())
    file = load_mapping(tmp_path / "mapping.yml", tmp_path)
    other = compile_mapping(file, relations_of(STORY), {file.name: file}, SECRETS, AS_OF)
    assert other.meaning != open_story(STORY).mapping.meaning


def test_comments_are_not(tmp_path: Path) -> None:
    """A comment in the defaults changes no meaning."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "defaults.yml").write_text("# other\n" + DEFAULTS)
    (tmp_path / "mapping.yml").write_text((STORY / "mapping.yml").read_text())
    file = load_mapping(tmp_path / "mapping.yml", tmp_path)
    other = compile_mapping(file, relations_of(STORY), {file.name: file}, SECRETS, AS_OF)
    assert other.meaning == open_story(STORY).mapping.meaning


def test_explain_shows_what_they_do() -> None:
    """A text of the shared list becomes NULL in a stage of its own."""
    story = open_story(STORY)
    stages = stage_values(story.mapping, story.prepared().head(1), story.links)
    shown = [(stage.stage, stage.value) for stage in stages if stage.field == "end_date"]
    assert shown[:3] == [("from EIND", "00000000"), ("null_if", None), ("date", None)]


@pytest.mark.parametrize(
    ("defaults", "wanted"),
    [
        ("old: {nul_if: [x]}\n", [("MAP-001", "mappings/defaults.yml:1:7")]),
        ("old: [x]\n", [("MAP-003", "mappings/defaults.yml:1:6")]),
        ("old:\n  null_if: {date: []}\n", [("MAP-003", "mappings/defaults.yml:2:19")]),
        ("old:\n  date: [YYYMMDD]\n", [("MAP-028", "mappings/defaults.yml:2:9")]),
        ("old:\n  datetime: [x]\n", [("MAP-028", "mappings/defaults.yml:2:13")]),
        ("old:\n  timezone: Europe/Amsterdm\n", [("MAP-028", "mappings/defaults.yml:2:13")]),
        ("old: {}\nold: {}\n", [("YML-003", "mappings/defaults.yml:2:1")]),
        ("new: {}\n" + DEFAULTS, [("MAP-007", "mappings/defaults.yml:1:1")]),
        (DEFAULTS.replace("code:", "kode:"), [("MAP-007", "mappings/old.case.yml:14:44")]),
        (DEFAULTS.replace("  date: [", "  # ["), [("MAP-007", "mappings/old.case.yml:11:40")]),
    ],
)
def test_bad_defaults(tmp_path: Path, defaults: str, wanted: list[tuple[str, str]]) -> None:
    """What is wrong is said where it stands: in the defaults, or in the mapping that takes what is not there."""
    assert errors_of(tmp_path, defaults)[: len(wanted)] == wanted
