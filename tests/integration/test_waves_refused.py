"""Waves that are refused: a folder each under tests/cases_bad/waves, with what must be said of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import in_process
from targets import open_read_only
from waves_workspace import make

CASES = sorted(path.parent for path in (Path(__file__).parents[1] / "cases_bad/waves").glob("*/refused.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_waves_are_refused_with_their_place(case: Path, tmp_path: Path):
    wanted = json.loads((case / "refused.json").read_text())
    folder = make(tmp_path, waves=(case / "waves.yml").read_text())
    if (case / "party.yml").is_file():
        with (folder / "mappings/old.party.yml").open("a") as mapping:
            mapping.write((case / "party.yml").read_text())
    answer = in_process("-C", folder, "--format", "json", *wanted["command"])
    assert answer.status == wanted["status"]
    said = [(each["code"], _where(each)) for each in answer.document.get("errors", [answer.document])]
    assert (wanted["code"], wanted["where"]) in said
    assert wanted["says"] in answer.out
    connection = open_read_only(folder / "target.db")
    assert connection.execute("SELECT COUNT(*) FROM migration_run").fetchone() == (0,)
    connection.close()


def _where(error: dict[str, object]) -> str:
    """Return the place of an error, which `mapping check` gives in three parts."""
    return str(error["where"]) if "where" in error else f"{error['file']}:{error['line']}:{error['column']}"
