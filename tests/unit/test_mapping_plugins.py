"""Plug-ins: part of the meaning, named in coverage, and one coded error for everything that they do wrong."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from story import AS_OF, SECRETS, open_story, relations_of

from casemodel import RefusedError
from mappings import CompiledMapping, check_mappings, compile_mapping, load_mapping

STORY = Path(__file__).parents[1] / "cases" / "plug_ins"
PLUGIN = (STORY / "plugins" / "names.py").read_text()


def compiled(folder: Path, plugin: str) -> CompiledMapping:
    """Compile the story's mapping with another plug-in."""
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "names.py").write_text(plugin)
    (folder / "mapping.yml").write_text((STORY / "mapping.yml").read_text())
    file = load_mapping(folder / "mapping.yml", folder)
    return compile_mapping(file, relations_of(STORY), {file.name: file}, SECRETS, AS_OF)


def test_a_plug_in_is_part_of_the_meaning(tmp_path: Path) -> None:
    """Another text of the module maps rows again, even if it is a comment: we cannot know what it does."""
    same = compiled(tmp_path, PLUGIN).meaning
    assert same == open_story(STORY).mapping.meaning
    assert compiled(tmp_path, PLUGIN + "# x\n").meaning != same


def test_coverage_names_plug_ins() -> None:
    """Whoever reads the coverage sees which mapping leaves the language, and where to."""
    file = load_mapping(STORY / "mapping.yml", STORY)
    result = check_mappings([file], relations_of(STORY), ("old",))
    assert result.errors == ()
    assert result.coverage.plugins == (("old.actor", "names:backwards"), ("old.actor", "names:split"))
    source = result.coverage.relations[0].columns
    assert [column.name for column in source] == ["NR", "CODE", "NAAM"]


STEP = 'return frame.select(HEAD=pl.col("CODE").str.head(1), TAIL=pl.col("CODE").str.slice(1))'


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ('return frame.select(HEAD=pl.col("CODE"))', "does not return the column TAIL"),
        ('return frame.select(HEAD=pl.col("CODE"), TAIL=pl.col("CODE"), X=1)', "does not declare (X)"),
        ('return frame.select(HEAD=pl.col("CODE"), TAIL=pl.lit(1))', "is no text"),
        ('return frame.head(1).select(HEAD=pl.col("CODE"), TAIL=pl.col("CODE"))', "another number of rows"),
        ('return frame.select(HEAD=pl.col("NAAM"), TAIL=pl.col("CODE"))', "failed (ColumnNotFoundError)"),
        ("return None", "does not return a frame"),
        ("raise ValueError(frame[0, 0])", "failed (ValueError)"),
        ("raise SystemExit(0)", "failed (SystemExit)"),
    ],
)
def test_a_frame_step_is_held_to_what_it_declares(tmp_path: Path, new: str, says: str) -> None:
    """One error with the place in the mapping, and no cell in it."""
    assert STEP in PLUGIN
    mapping = compiled(tmp_path, PLUGIN.replace(STEP, new))
    story = open_story(STORY)
    with pytest.raises(RefusedError) as caught:
        mapping.apply(mapping.prepare(frame()), story.links, pl.Series([], dtype=pl.String))
    assert caught.value.code == "MAP-081"
    assert says in caught.value.message
    assert str(caught.value.place) == "mapping.yml:7:12"
    assert "A12" not in str(caught.value.as_dict())


def test_a_function_that_fails_on_some_text_stops_with_its_name(tmp_path: Path) -> None:
    """The check cannot try every text; what fails later is the same error, without a cell."""
    new = 'return text.replace_strict({"": "", "a": "a", "2024-01-31": "b", "0": "c"}), text.is_null()'
    old = 'return text.str.reverse(), text.str.contains("?", literal=True).fill_null(False)'
    assert old in PLUGIN
    mapping = compiled(tmp_path, PLUGIN.replace(old, new))
    with pytest.raises(RefusedError) as caught:
        mapping.apply(mapping.prepare(frame()), open_story(STORY).links, pl.Series([], dtype=pl.String))
    assert (caught.value.code, str(caught.value.place)) == ("MAP-081", "mapping.yml:10:48")
    assert "abc" not in str(caught.value.as_dict())


def frame() -> pl.DataFrame:
    """Return the source of the story."""
    source = pl.read_csv(STORY / "source.csv", infer_schema=False)
    return source.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("_ref"))
