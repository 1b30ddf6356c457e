"""Tolerances declared in a mapping: what they let pass is counted, and nothing more passes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from command_line import in_process
from targets import upgrade

WORKSPACE = """
workspace: tolerances
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems: {old: {kind: sqlite, path: old.db, personal: {BON: []}}}
"""
MAPPING = """
mapping: old.ticket
owner: test
target: queue_ticket
source: {relation: BON, key: [NR]}
fields:
  location_code: {const: SH}
  ticket_date: {from: DAG, date: [YYYYMMDD]}
  ticket_number: {from: NR}
  status: {const: afgehandeld}
  priority: {const: "0"}
  series: {const: "0"}
  call_count: {from: KEER, number: true, default: 0, tolerance: 1}
  called_at: {from: UIT, datetime: [YYYYMMDDHHmmss], timezone: UTC, tolerance: 2 seconds}
  issued_at: {from: UIT, datetime: [YYYYMMDDHHmmss], timezone: UTC}
unfilled: [{columns: UNFILLED, reason: not in the old system}]
controls:
  - name: calls
    tolerance: 2
    source: "SELECT 'all' AS g, SUM(KEER) AS n FROM BON"
    target: "SELECT 'all' AS g, SUM(call_count) AS n FROM queue_ticket"
"""
FILLED = {
    "id", "priority", "series", "location_code", "ticket_date", "ticket_number", "status", "call_count", "issued_at",
    "called_at",
}  # fmt: skip
CHANGES = """
UPDATE queue_ticket SET called_at = '2024-03-01 09:00:02.000000' WHERE ticket_number = 'A1';
UPDATE queue_ticket SET called_at = '2024-03-01 08:59:57.999999' WHERE ticket_number = 'A2';
UPDATE queue_ticket SET called_at = NULL WHERE ticket_number = 'A3';
UPDATE queue_ticket SET issued_at = '2024-03-01 09:00:01.000000' WHERE ticket_number = 'A4';
UPDATE queue_ticket SET call_count = call_count + 1 WHERE ticket_number IN ('A1', 'A5');
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Path:
    """A workspace with six tickets loaded, then changed in the target."""
    from casemodel import tables

    unfilled = sorted(column.name for column in tables["queue_ticket"].columns if column.name not in FILLED)
    (tmp_path / "workspace.yml").write_text(WORKSPACE)
    (tmp_path / "mappings").mkdir()
    mapping = MAPPING.replace("UNFILLED", f"[{', '.join(unfilled)}]")
    (tmp_path / "mappings" / "old.ticket.yml").write_text(mapping)
    with sqlite3.connect(tmp_path / "old.db") as db:
        db.execute("CREATE TABLE BON (NR TEXT PRIMARY KEY, DAG TEXT, UIT TEXT, KEER INTEGER)")
        rows = [(f"A{number}", "20240301", "20240301090000", 1) for number in range(1, 7)]
        db.executemany("INSERT INTO BON VALUES (?, ?, ?, ?)", rows)
    upgrade(tmp_path)
    assert in_process("-C", str(tmp_path), "run").status == 0
    with sqlite3.connect(tmp_path / "target.db") as db:
        db.executescript(CHANGES)
    return tmp_path


def test_what_is_tolerated_is_counted_and_no_more_passes(loaded: Path) -> None:
    """Up to the tolerance a difference passes and is counted; a microsecond more, an empty value, another field fail."""
    done = in_process("-C", str(loaded), "--format", "json", "reconcile", "--level", "controls,fields")
    document = json.loads(done.out)
    fields, controls = (next(c for c in document["checks"] if c["level"] == level) for level in ("fields", "controls"))
    assert fields["tolerated"] == [
        {"name": "call_count", "tolerance": "1", "count": 2},
        {"name": "called_at", "tolerance": "2 seconds", "count": 1},
    ]
    assert controls["tolerated"] == [{"name": "calls", "tolerance": "2", "count": 1}]
    assert controls["outcome"] == "passed"
    found = sorted((each["field"], each["key"]) for each in document["findings"])
    assert found == [("called_at", ["A2"]), ("called_at", ["A3"]), ("issued_at", ["A4"])]
    assert done.status == 3


def test_people_read_what_is_tolerated(loaded: Path) -> None:
    """Each report names the tolerance and the count in the words of its reader; the mapping's own tools say it too."""
    said = in_process("-C", str(loaded), "reconcile", "--level", "fields", "--report", "html,xlsx").out
    assert "toegestaan tot en met 2 seconden" in said and "3 verschillen vallen binnen" in said.replace("\n  ", " ")
    page = next((loaded / "reports").glob("*.html")).read_text()
    assert "Toleranties" in page and "up to" not in page.split("<main", 1)[0] and "2 seconden" in page
    checked = in_process("-C", str(loaded), "mapping", "check").out
    assert "old.ticket · called_at: 2 seconden" in checked
    assert "called_at tot en met 2 seconden" in in_process("-C", str(loaded), "explain", "old.ticket", "A1").out


def test_a_tolerance_loads_nothing_again(loaded: Path) -> None:
    """It is no part of the meaning: the digest of the file changes, no row is mapped again."""
    file = loaded / "mappings" / "old.ticket.yml"
    before = in_process("-C", str(loaded), "--format", "json", "explain", "old.ticket", "A1").out
    file.write_text(file.read_text().replace("tolerance: 2 seconds", "tolerance: 3 seconds"))
    after = in_process("-C", str(loaded), "--format", "json", "explain", "old.ticket", "A1").out
    old, new = json.loads(before), json.loads(after)
    assert old["meaning"] == new["meaning"]
    assert old["mapping_digest"] != new["mapping_digest"]
