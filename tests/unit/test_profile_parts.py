"""The parts of a profile: counting in bounded memory, forms of values, the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from casemodel import Extract, Relation, SourceColumn
from migrate.profile.build import _holds_bsn
from migrate.profile.findings import ColumnProfile, Counted, ForeignKey, Kind, RelationProfile, relation_profile
from migrate.profile.forms import dates, kinds, null_texts, patterns, prepared
from migrate.profile.measure import SAMPLE_ROWS, Measurement
from migrate.profile.saved import file_name
from migrate.profile.show import profile_lines, profile_page
from migrate.profile.sketch import KEPT, Distinct

GOLDEN = Path(__file__).parent / "golden" / "profile.html"


def values(*texts: str, times: int = 10):
    return prepared(pl.DataFrame({"value": list(texts), "n": [times] * len(texts)}, schema={"value": pl.String, "n": pl.UInt32}))


@pytest.mark.parametrize("different", [1, 1000, KEPT, KEPT + 1, 300_000])
def test_different_values_are_counted_or_estimated(different):
    sketch = Distinct()
    texts = pl.Series([f"v{n}" for n in range(different)]).hash(0)
    for _ in range(2):
        for start in range(0, different, 50_000):
            sketch.add(texts.slice(start, 50_000))
    assert sketch.exact == (different <= KEPT)
    assert sketch.count == different if sketch.exact else abs(sketch.count / different - 1) < 0.03
    assert sketch.hashes.len() <= KEPT


def test_a_large_relation_is_sampled_and_its_counts_stay_exact():
    measured = Measurement(Relation("s", "r", (SourceColumn("A"), SourceColumn("B"))))
    rows = 4 * SAMPLE_ROWS
    for start in range(0, rows, 10_000):
        frame = pl.DataFrame({"A": [str(n) for n in range(start, start + 10_000)], "B": ["x", None] * 5_000})
        measured.add(Extract(frame, ""))
    column, other = measured.columns
    assert (measured.rows, column.nulls, other.nulls, other.distinct.count) == (rows, 0, rows // 2, 1)
    assert measured.is_key(column) and not measured.is_key(other)
    sampled, is_sample = measured.values(column)
    assert is_sample and measured.step == 2 and sampled.height == rows // 2
    assert sorted(int(text) for text in sampled["value"])[:3] == [0, 2, 4]
    assert measured.values(other)[0].rows() == [("x", rows // 2)] and not measured.values(other)[1]


def test_a_sample_holds_on_to_its_own_texts_only():
    """Texts taken out of a batch share its memory: a sample of every batch would keep all that was read."""
    measured = Measurement(Relation("s", "r", (SourceColumn("A"),)))
    for batch in range(30):
        frame = pl.DataFrame({"A": [f"{batch * 10_000 + row:060d}" for row in range(10_000)]})
        measured.add(Extract(frame, ""))
    sample = measured.sample(("A",))
    kept = sample.to_arrow(compat_level=pl.CompatLevel.newest()).get_total_buffer_size()
    assert kept < sample.height * (60 + 16) * 1.1


def test_a_long_text_is_not_kept_whole():
    measured = Measurement(Relation("s", "r", (SourceColumn("A"),)))
    measured.add(Extract(pl.DataFrame({"A": ["x" * 10_000] * 6}), ""))
    kept, _ = measured.values(measured.columns[0])
    assert kept["value"].str.len_chars().max() == 201 and measured.columns[0].longest == 10_000


def test_patterns_and_null_texts_hide_what_is_rare():
    shown, other = patterns(prepared(pl.DataFrame({"value": ["AB-12", "Utrecht", "é9", "?!?"], "n": [5, 7, 6, 4]})))
    assert [each.text for each in shown] == ["A+", "A9", "AA-99"]
    assert other == pytest.approx(4 / 22)
    blanks, rare = null_texts(prepared(pl.DataFrame({"value": ["", " n.v.t. ", "Onbekend", "x"], "n": [9, 5, 4, 8]})))
    assert ([each.text for each in blanks], rare) == (["", "x", " n.v.t. "], 4)


@pytest.mark.parametrize(("texts", "best", "together"), [
    (["20110405", "19991231", "00000000"], "YYYYMMDD", 1.0),
    (["2011-04-05", "2012-02-30"], "YYYY-MM-DD", 0.5),
    (["5-4-2011", "15-12-2011"], "D-M-YYYY", 1.0),
    (["05-04-2011 10:30", "06-04-2011 23:59"], "DD-MM-YYYY HH:mm", 1.0),
    (["2011-04-05 10:30:00.123", "2011-04-05 10:30:00.5"], "YYYY-MM-DD HH:mm:ss.fff", 1.0),
    (["12345678", "87654321"], None, 0.0),
    (["Jansen"], None, 0.0),
])
def test_dates_are_real_days_in_a_format(texts, best, together):
    found, share, _ = dates(values(*texts))
    assert (found[0].kind if found else None, share) == (best, together)


@pytest.mark.parametrize(("name", "texts", "kind"), [
    ("X", ["111222333", "123456782", "11122233 3"], "bsn"),
    ("X", ["111222334", "123456783"], "integer"),
    ("KVKNR", ["12345678", "87654321"], "kvk"),
    ("X", ["1234 AB", "9999ZZ", "1234ab"], "postcode"),
    ("X", ["0612345678", "030-1234567", "+31 6 12345678"], "phone"),
    ("X", ["a@b.nl", "a.b@c-d.example"], "email"),
    ("X", ["NL91ABNA0417164300", "nl91 abna 0417 1643 00"], "iban"),
    ("X", ["NL92ABNA0417164300"], None),
    ("X", ["1.234,50", "12,5", "-3,0"], "decimal"),
    ("X", ["1", "-2", "30"], "integer"),
    ("X", ["", "n.v.t."], None),
])
def test_what_a_column_looks_like(name, texts, kind):
    found = kinds(name, values(*texts))
    assert (found[0].kind if found else None) == kind


@pytest.mark.parametrize(("text", "holds"), [
    ("111222333", True), ("bsn: 1112.22.333", True), ("111.222.333", True), ("111 222 333!", True), ("111222334", False),
    ("2008.00130", False), ("20141125", False), ("1112223330", False), ("", False),
])
def test_a_bsn_in_a_text_is_seen(text, holds):
    assert _holds_bsn(text) == holds


def test_no_two_relations_share_a_file():
    long = "R" * 160
    pairs = [("a", long + "1"), ("a", long + "2"), ("a.b", "c"), ("a", "b.c")]
    assert len({file_name(*pair) for pair in pairs}) == len(pairs)
    assert max(len(file_name(*pair)) for pair in pairs) < 200


COLUMN = ColumnProfile(
    name="<NAAM & 'CO'>", declared_type="VARCHAR(20)", personal=True, rows=1200, nulls=12, empty=0, shortest=2, longest=20,
    distinct=1_234_567, distinct_exact=False, unique=False, measured=600, sampled=True,
    null_texts=(Counted("n.v.t.", 30, 0.05),), rare_null_texts=3, patterns=(Counted("A+ <A>", 480, 0.8), Counted("", 60, 0.1)),
    other_patterns=0.1, top=(Counted("‹a+ #12345678›", 20, 1 / 30),), kinds=(Kind("postcode", 0.75),),
    dates=(Kind("DD-MM-YYYY", 0.9), Kind("YYYYMMDD", 0.05)), dates_together=0.95,
    foreign_keys=(ForeignKey("ANDER", "NR", 0.999, True),),
)  # fmt: skip
PROFILE = RelationProfile("oud", "KLANT", 1200, 2, True, 2, ("NR",), (("NR",), ("A", "B")), (
    COLUMN, replace(COLUMN, name="LEEG", personal=False, nulls=1200, shortest=None, longest=None, measured=0, sampled=False,
                    null_texts=(), patterns=(), top=(), kinds=(), dates=(), foreign_keys=())))  # fmt: skip


def test_the_page_is_the_golden_one():
    page = profile_page([PROFILE], PROFILE.name, "nl")
    assert page == GOLDEN.read_text("utf-8"), "if this is meant: write the page to tests/unit/golden/profile.html"


def test_both_languages_say_the_same_figures():
    dutch, english = ("\n".join(profile_lines([PROFILE], lang)) for lang in ("nl", "en"))
    assert "ongeveer 1.230.000" in dutch and "about 1,230,000" in english
    assert "alleen NULL" in dutch and "only NULL" in english
    assert "1 op de 2 rijen" in dutch and "600 values of the sample" in english
    assert "DD-MM-YYYY 90,0 %, YYYYMMDD 5,0 % (samen 95,0 %)" in dutch


def test_a_profile_survives_its_json():
    assert relation_profile(PROFILE.as_dict()) == PROFILE
