"""The tests of mappings: those in the mapping files, and those in files of their own under ``mappings/tests``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from casemodel import Place, PlacedDict, RefusedError, RefusedMany, read_strict_yaml
from mappings.language.base import near
from mappings.language.mapping_tests import MappingTest, TestsFile
from mappings.language.parse import TESTS, MappingFile, line_of
from mappings.language.places import find_place, translate


@dataclass(frozen=True, slots=True)
class PlacedTest:
    """A test with the mapping that it is of, and where it stands."""

    mapping: str
    test: MappingTest
    shown_as: str
    tree: PlacedDict
    index: int

    def place(self, *path: str | int, key: bool = False) -> Place:
        """Return the place of a part of the test."""
        return Place(self.shown_as, *find_place(self.tree, ("tests", self.index, *path), key=key))


def tests_of(file: MappingFile) -> list[PlacedTest]:
    """Return the tests in a mapping file."""
    return [PlacedTest(file.name, test, file.shown_as, file.tree, i) for i, test in enumerate(file.model.tests)]


def load_tests(folder: Path, workspace_root: Path, files: Mapping[str, MappingFile]) -> list[PlacedTest]:
    """Return the tests of the mapping files, then those of every file in the folder's sub-folder ``tests``.

    Raises:
        RefusedMany: every error of every file: its form, or a mapping that does not exist (MAP-017).
    """
    found = [test for file in files.values() for test in tests_of(file)]
    errors: list[RefusedError] = []
    for path in sorted([*(folder / TESTS).rglob("*.yml"), *(folder / TESTS).rglob("*.yaml")]):
        shown = path.relative_to(workspace_root).as_posix()
        try:
            found += _parsed(path, shown, list(files))
        except RefusedMany as many:
            errors += many.errors
        except RefusedError as error:
            errors.append(error)
    if errors:
        raise RefusedMany(errors)
    return found


def _parsed(path: Path, shown: str, known: Sequence[str]) -> list[PlacedTest]:
    tree = read_strict_yaml(path, shown_as=shown)
    errors: list[RefusedError] = []
    try:
        model = TestsFile.model_validate(tree, context={"errors": errors, "file": shown})
    except ValidationError as error:
        errors += [translate(item, tree, shown) for item in error.errors(include_url=False, include_input=False)]
        raise RefusedMany(sorted(errors, key=line_of)) from None
    if model.mapping not in known:
        errors.append(
            RefusedError(
                "MAP-017",
                f"there is no mapping '{model.mapping}'",
                hint=near(model.mapping, list(known)) or "Name a mapping of the workspace.",
                place=Place(shown, *find_place(tree, ("mapping",))),
            )
        )
    if errors:
        raise RefusedMany(sorted(errors, key=line_of))
    return [PlacedTest(model.mapping, test, shown, tree, index) for index, test in enumerate(model.tests)]
