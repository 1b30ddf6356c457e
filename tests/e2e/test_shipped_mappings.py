"""The shipped mappings: every one has tests that pass and cover its decisions, and no column is left undecided."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import ROOT, in_process
from small_demo import fresh_demo
from targets import copy_workspace

from mappings import load_mappings, load_tests

pytestmark = pytest.mark.no_cover  # traced line by line it takes a quarter longer

DOCUMENT = "zaak.document"
NEVER_BROKEN = {"een burgerservicenummer heeft negen cijfers", "een KVK-nummer heeft acht cijfers"}
"""Rules that say of a value what its steps see to: no row can break them."""


@pytest.fixture(scope="module", params=["demo", "receipt"])
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shipped workspace; the demo with the mapping of the tutorial."""
    folder = tmp_path_factory.mktemp("shipped") / request.param
    if request.param == "receipt":
        shutil.copytree(ROOT / "examples/receipt", folder)
    else:
        copy_workspace(fresh_demo(tmp_path_factory), folder)
        shutil.copy(ROOT / f"examples/new_table/{DOCUMENT}.yml", folder / "mappings")
    return folder


def test_every_mapping_has_tests_and_they_pass(workspace: Path) -> None:
    answer = in_process("-C", workspace, "--format", "json", "mapping", "test")
    assert answer.status == 0, [each for each in answer.document["results"] if not each["passed"]]
    assert answer.document["untested"] == []
    names = [each["mapping"] for each in answer.document["results"]]
    assert {name for name in names if names.count(name) < 2} == set()


def test_every_mapping_passes_the_check_and_no_column_is_undecided(workspace: Path) -> None:
    assert in_process("-C", workspace, "mapping", "check").status in (0, 3)
    answer = in_process("-C", workspace, "--format", "json", "mapping", "coverage")
    assert answer.document["complete"] is True


def test_every_rule_scope_and_stage_that_lets_values_go_is_tested(workspace: Path) -> None:
    files = {file.name: file for file in load_mappings(workspace / "mappings", workspace)}
    tests = load_tests(workspace / "mappings", workspace, files)
    missing = []
    for name, file in files.items():
        mine = [each.test for each in tests if each.mapping == name]
        issues = {field for test in mine for field in (*test.rejects, *test.warns)}
        reasons = {test.out_of_scope for test in mine}
        missing += [(name, rule.name) for rule in file.model.rules if rule.name not in issues | reasons | NEVER_BROKEN]
        if file.model.scope is not None and file.model.scope.reason not in reasons:
            missing.append((name, "scope"))
        given = {field for test in mine for field in (*test.expect, *test.rejects, *test.warns)}
        for owner, _, chain in file.chains():
            lenient = (
                getattr(chain, "on_error", None) or getattr(chain, "default", None) or chain.unknown.policy != "reject"
            )
            if (lenient or chain.codes) and owner not in given:
                missing.append((name, owner))
    assert missing == []
