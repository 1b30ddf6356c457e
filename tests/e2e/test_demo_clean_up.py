"""Every kind of dirt that mapping files treat is planted; customers that the old system deletes are closed (B32)."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import pytest
from command_line import CommandLine
from dirt_kinds import KINDS
from small_demo import keyed_demo
from targets import copy_workspace

pytestmark = pytest.mark.no_cover  # traced line by line it takes a quarter longer

PARTIES = """
SELECT i.source_key, i.state, p.is_active,
    EXISTS (SELECT 1 FROM migration_id_map o WHERE o.target_id = i.target_id AND o.state IN ('loaded', 'merged'))
FROM migration_id_map i JOIN migration_mapping m ON m.id = i.mapping_id LEFT JOIN party p ON p.id = i.target_id
WHERE m.name = 'balie.party'
"""


def planted(folder: Path) -> dict[str, int]:
    """Return how often each kind of dirt was planted, its parts added up."""
    counts: dict[str, int] = {}
    with (folder / "answer_key/dirt.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            kind = row["id"].partition(".")[0]
            counts[kind] = counts.get(kind, 0) + int(row["planted"])
    return counts


def run(omnicase: CommandLine, folder: Path, *names: str) -> dict[str, dict]:
    answer = omnicase("-C", folder, "--format", "json", "run", *names)
    assert answer.status == 3, answer.err
    return {each["mapping"]: each for each in answer.document["mappings"]}


def test_customers_that_the_old_system_deletes_are_closed(
    omnicase: CommandLine, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = copy_workspace(keyed_demo(tmp_path_factory), tmp_path / "demo")
    # All kinds have rows to be planted in; the rarest (F07, 0.4 %) needs a larger town to be there.
    kinds = planted(folder)
    assert [kind for kind in KINDS if kind not in kinds] == []
    assert sum(kinds[kind] == 0 for kind in KINDS) < 5
    before = omnicase("-C", folder, "--format", "json", "reconcile", "balie.party", "balie.contact").document
    cleaned = omnicase("--format", "json", "demo", folder, "--clean-up")
    assert cleaned.status == 0, cleaned.err
    deleted = cleaned.document["deleted"]
    assert deleted == planted(folder)["B32"] > 5
    books = run(omnicase, folder)
    gone = books["balie.party"]["gone"]
    assert gone["closed"] > 0 and gone["closed"] + gone["kept"] == deleted
    assert gone["removed"] == gone["held"] == 0
    # What is known of them stays with the closed party.
    kept = {name: each["gone"] for name, each in books.items() if sum(each["gone"].values()) and name != "balie.party"}
    assert set(kept) == {"balie.address", "balie.party_digital", "balie.party_identifier"}
    assert all(each["kept"] == sum(each.values()) for each in kept.values())
    assert kept["balie.address"]["kept"] == deleted
    with sqlite3.connect(f"file:{folder / 'target.db'}?mode=ro", uri=True) as target:
        rows = target.execute(PARTIES).fetchall()
    assert sum(state == "gone" for _, state, _, _ in rows) == deleted
    # Closed is who left the one system that knew them, and nobody else.
    for key, state, active, known_elsewhere in rows:
        assert active == (0 if state == "gone" and not known_elsewhere else 1), key
    after = omnicase("-C", folder, "--format", "json", "reconcile", "balie.party", "balie.contact").document
    assert [each["id"] for each in after["groups"]] == [each["id"] for each in before["groups"]]
    again = run(omnicase, folder, "balie.party", *kept)
    assert all(sum(each["gone"].values()) == 0 for each in again.values())


def test_a_folder_that_is_no_demo_is_not_cleaned_up(omnicase: CommandLine, tmp_path: Path) -> None:
    answer = omnicase("demo", tmp_path, "--clean-up")
    assert answer.status == 4 and "DEM-003" in answer.err
