"""A value from before the last load is told as such: the update was undone, or never arrived."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from command_line import in_process
from targets import upgrade
from tiny_workspace import edit, make_workspace


def _set(folder: Path, subject: str, number: str) -> None:
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        target.execute("UPDATE customer_contact SET subject = ? WHERE contact_number = ?", (subject, number))


def test_an_update_that_was_undone_is_told_by_the_value_of_before(tmp_path: Path) -> None:
    """Contact 1 holds what it held before the second load, contact 2 something else."""
    folder = make_workspace(tmp_path / "w", contacts=3)
    upgrade(folder)
    assert in_process("-C", folder, "run").status == 0
    for number in ("1", "2"):
        edit(folder / "systems/kcc/contact.csv", f"Vraag {number}", f"Nieuwe vraag {number}")
    assert in_process("-C", folder, "run").status == 0
    _set(folder, "Vraag 1", "1")
    _set(folder, "Heel anders", "2")
    found = in_process("-C", folder, "--format", "json", "reconcile", "--level", "fields").document
    assert [(each["field"], each["count"], each["likely"]) for each in found["groups"]] == [
        ("subject", 2, {"previous value": 1})
    ]
    assert "van vóór de laatste bijwerking" in in_process("-C", folder, "reconcile", "--level", "fields").out
