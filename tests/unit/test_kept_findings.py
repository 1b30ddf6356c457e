"""Every finding is in the JSON document and on the work list, while memory holds a sample (issue 7)."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import fastexcel
from made_reports import context
from two_sides import loaded, proof_of

from reconciliation import KeptFindings, build_report, judge, write_report

MANY = 2_500


def damaged(rows):
    made, target = loaded(rows)
    target.database.execute("UPDATE record SET surname = 'Anders', end_date = '1999-12-31'")
    proof = proof_of(made, target)
    return replace(proof, expected=replace(proof.expected, batch_rows=1000))


def test_reports_hold_every_finding_and_memory_a_sample(tmp_path):
    proof = damaged(MANY)
    with KeptFindings(tmp_path) as kept:
        verdict = judge([proof], kept=kept, sample_limit=100)
        report = build_report(verdict, [proof.facts], context())
        assert verdict.finding_count == 2 * MANY and len(verdict.findings) == 200
        tracemalloc.start()
        (document,) = write_report(report, tmp_path, "r", ["json"])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        (work_list,) = write_report(report, tmp_path, "r", ["xlsx"])
    assert peak < 1_500_000, f"{peak:,} bytes for a document of {document.stat().st_size:,}"
    read = json.loads(document.read_text())
    assert len({each["id"] for each in read["findings"]}) == len(read["findings"]) == 2 * MANY
    assert [group["listed"] for group in read["groups"]] == [group["count"] for group in read["groups"]]
    sheet = fastexcel.read_excel(work_list).load_sheet("Verschillen", dtypes="string").to_polars()
    assert sheet["kenmerk"].to_list() == [each["id"] for each in read["findings"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.json", "r.xlsx"], "the file has no name"


def test_what_is_kept_reads_back_in_any_order_and_any_size(tmp_path):
    lines = [(f"{number:04}", ("a" * (number % 70) * 100, "é"), None, "\ud800x") for number in range(900)]
    with KeptFindings(tmp_path) as kept:
        parts = [kept.keep(lines[:1]), kept.keep(lines[1:5]), kept.keep([]), kept.keep(lines[5:])]
        assert list(kept.read(parts)) == lines
        assert list(kept.read([parts[3], parts[0]])) == [*lines[5:], lines[0]]
