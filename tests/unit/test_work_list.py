"""The work list: every group, finding and cause of rejects has a line to decide in; nothing in it runs or is personal."""

from __future__ import annotations

import fastexcel
import polars as pl
import pytest
from made_reports import BSN, EVIL, clean_report, dirty_report

from reconciliation import write_report

pytestmark = pytest.mark.no_cover


def sheets(path) -> dict[str, pl.DataFrame]:
    book = fastexcel.read_excel(path)
    return {name: book.load_sheet(name, dtypes="string").to_polars() for name in book.sheet_names}


@pytest.mark.parametrize(("lang", "names"), [
    ("nl", ["Conclusie", "Werklijst", "Verschillen", "Uitval", "Signalen", "Toleranties"]),
    ("en", ["Conclusion", "Work list", "Differences", "Rejects", "Signals", "Tolerances"]),
])  # fmt: skip
def test_everything_that_needs_a_decision_has_a_line(tmp_path, lang, names):
    report = dirty_report()
    (path,) = write_report(report, tmp_path, "r", ["xlsx"], lang)
    found = sheets(path)
    assert list(found) == names
    groups, findings, rejects, signals, tolerances = (found[name] for name in names[1:])
    assert dict(groups.select(groups.columns[0], groups.columns[5]).rows()) == {
        group.id: str(group.count) for group in report.decisions
    }
    assert findings[findings.columns[0]].to_list() == [each.id for group in report.decisions for each in group.findings]
    assert signals[signals.columns[0]].to_list() == [each.id for group in report.signals for each in group.findings] != []
    assert tolerances[tolerances.columns[3]].to_list() == ["2", "0"]
    assert rejects.height == sum(len(cause.places) for cause in report.rejects) > 0
    owners = groups.columns.index({"nl": "eigenaar", "en": "owner"}[lang])
    assert set(groups[groups.columns[owners + 1]]) == {""}, "what is decided is for people to fill in"


def test_nothing_in_it_is_personal_or_becomes_a_formula(tmp_path):
    (path,) = write_report(dirty_report(), tmp_path, "r", ["xlsx"])
    cells = [str(cell) for frame in sheets(path).values() for row in frame.rows() for cell in row if cell is not None]
    assert not any(BSN in cell or cell.startswith(("=", "+", "@")) for cell in cells)
    assert any(EVIL in cell for cell in cells), "evil texts are there, as texts"
    assert path.stat().st_mode & 0o077 == 0


def test_one_report_gives_one_file_and_a_clean_one_has_no_lines(tmp_path):
    first, again = (write_report(clean_report(), tmp_path / name, "r", ["xlsx"])[0].read_bytes() for name in "ab")
    assert first == again
    assert sheets(tmp_path / "a" / "r.xlsx")["Werklijst"].height == 0
