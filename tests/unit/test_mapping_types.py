"""The types that compiling says its columns have are those that they have."""

from __future__ import annotations

from pathlib import Path

import pytest
from story import AS_OF, EMPTY, SECRETS, open_story, relations_of

from mappings import load_mapping
from mappings.compile import draft_of
from mappings.compile_program import RunContext
from mappings.compile_standing import stand

CASES = Path(__file__).parents[1] / "cases"
STORIES = sorted(path.name for path in CASES.iterdir() if (path / "mapping.yml").exists())


@pytest.mark.parametrize("name", STORIES)
def test_every_column_has_the_type_that_compiling_promised(name: str) -> None:
    story = open_story(CASES / name)
    file, relations = story.file, relations_of(story.folder)
    others = {file.name: file}
    for path in (story.folder / "others").glob("*.yml"):
        other = load_mapping(path, story.folder)
        others[other.name] = other
    beside = file.model.source.beside
    sides = {each: relations(file.system, spec.relation) for each, spec in beside.items() if spec.relation}
    relation = relations(file.system, file.relation)
    draft = draft_of(file, relation, sides, others, namespace=SECRETS.namespace, as_of=AS_OF)
    program = draft.compiler.program
    made = [name for node in program.nodes for name in node.makes]
    everything = program.only(made)
    frame = stand(story.mapping.standing, story.prepared(), EMPTY, everything.given).frame
    found = everything.run(frame, RunContext(story.links)).schema
    # a typed stage carries more in its Struct than the two fields that are taken from it
    plain = [name for name in made if not name.endswith("_whole")]
    assert {name: found[name] for name in plain} == {name: program.dtype(name) for name in plain}
