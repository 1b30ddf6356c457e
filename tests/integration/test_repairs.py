"""Values that steps repair are counted, and shown with a few masked examples: never silent, never raw."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from command_line import in_process
from targets import upgrade
from tiny_workspace import edit, make_workspace


def test_repaired_values_are_counted_and_shown_masked(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w", contacts=1)
    edit(folder / "mappings/oud.actor.yml", "{from: NAAM}", "{from: NAAM, do: [trim, {remove: '-'}]}")
    with closing(sqlite3.connect(folder / "systems/oud.db")) as connection:
        total = connection.execute("SELECT COUNT(*) FROM MEDEW").fetchone()[0]
        connection.execute("UPDATE MEDEW SET NAAM = ' Jan-Geheim ' WHERE CODE = 'm1'")
        connection.commit()
    upgrade(folder)
    assert in_process("-C", folder, "run").status in (0, 3)
    answer = in_process("-C", folder, "--format", "json", "reconcile", "--report", "json")
    report = json.loads((folder / answer.document["reports"][0]).read_text(encoding="utf-8"))
    (found,) = [each for each in report["repaired"] if each["mapping"] == "oud.actor"]
    assert (found["field"], found["count"], found["of"]) == ("name", 1, total)
    before, after = ([each[part] for each in found["examples"]] for part in ("before", "after"))
    assert [text[:4] for text in before] == ["‹ a-", "‹a-a"], "one of each step"
    assert before[1].split("#")[1] == after[0].split("#")[1], "what the first step gave the second one"
    with closing(sqlite3.connect(folder / "target.db")) as connection:
        kept = "".join(text for (text,) in connection.execute("SELECT counters FROM migration_batch"))
    for raw in ("Jan-Geheim", "JanGeheim"):
        assert raw not in answer.out + kept + json.dumps(report)
    shown = in_process("-C", folder, "reconcile", "--level", "accounting", "--lang", "nl").out
    assert f"oud.actor · name  1 / {total}" in shown
    assert f"{before[0]}  →  {after[0]}" in shown
