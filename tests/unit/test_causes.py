"""Likely causes are named by the pattern of both values, in exact words, and not where no pattern fits."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from two_sides import loaded, proof_of

from reconciliation import ChildProof, ProofColumn, judge
from reconciliation.causes import LIKELY, likely_causes, likely_expr
from reconciliation.words import texts

CASES = [
    ("date", "9999-12-31", None, "null_if missing"),
    ("text", " N.v.t", None, "null_if lacks text"),
    ("text", "-", None, "null_if lacks text"),
    ("text", "Nvt de Vries", None, "value lost"),
    ("text", "onb", None, "value lost"),
    ("date", None, "9999-12-31", "filler date"),
    ("date", "2011-10-30", "1900-01-01", "filler date"),
    ("date", "2011-10-30", None, "value lost"),
    ("date", "2011-10-30", "2011-10-29", "other day by utc"),
    ("date", "2011-10-30", "2011-10-31", None),
    ("date", "2011-10-30", "2011-11-14", None),
    ("date", "2011-04-05", "2011-05-04", "day and month swapped"),
    ("date", "1953-04-11", "2053-04-11", "century"),
    ("date", "2011-04-11", "2012-04-11", "another year"),
    ("instant", "2011-10-30 10:00:00.000000", "2011-10-30 11:00:00.000000", "summer time or utc"),
    ("instant", "2011-07-30 10:00:00.000000", "2011-07-30 08:00:00.000000", "summer time or utc"),
    ("instant", "2011-10-31 10:05:00.000000", "2011-10-31 00:00:00.000000", "time of day lost"),
    ("instant", "2011-07-30 10:05:00.000000", "2011-07-29 22:00:00.000000", "time of day lost"),
    ("instant", "2011-07-30 10:05:00.000000", "2011-07-30 10:06:00.000000", None),
    ("text", "José", "Jose", "accent lost"),
    ("text", "José", "JosÃ©", "encoding"),
    ("text", "José", "Jos?", "encoding"),
    ("text", "van Dijk", "VAN DIJK", "case changed"),
    ("text", "a b", "a  b ", "white space"),
    ("text", "0123", "123", "leading zero lost"),
    ("text", "een lange tekst", "een lange", "cut off"),
    ("text", "Jan", "JanJan", "doubled"),
    ("text", "Jan", "Jan Jan", "doubled"),
    ("text", "12345", "12435", "digits transposed"),
    ("text", "Piet", "Kees", "another record's value"),
    ("text", "Piet", "Wim", None),
    ("text", None, "iets", None),
    ("text", "iets", None, "value lost"),
    ("code", "openbaar", "geheim", "code swapped"),
    ("integer", "123", "132", "digits transposed"),
    ("decimal", "73.50", "-73.50", "sign turned"),
    ("decimal", "73.50", "7350.00", "decimal point moved"),
    ("decimal", "73.49", "73.00", "rounded"),
    ("decimal", "73.49", "12.10", None),
    ("boolean", "0", "1", "flag turned"),
    ("uuid", "a", "b", "moved to another record"),
    ("uuid", "a", None, "link lost"),
]


def column(kind: str) -> ProofColumn:
    return ProofColumn("field", True, "text" if kind == "code" else kind, kind == "code")


@pytest.mark.parametrize(("kind", "expected", "found", "likely"), CASES)
def test_the_pattern_of_both_values_names_the_cause(kind, expected, found, likely):
    frame = pl.DataFrame({"e": [expected], "f": [found]}, schema={"e": pl.String, "f": pl.String})
    assert frame.select(likely_expr("e", "f", column(kind), ["Kees"])).item() == likely


def test_every_cause_has_an_example_and_words_in_both_languages():
    assert {likely for *_, likely in CASES} - {None} | {"previous value"} == set(LIKELY)
    for lang in ("nl", "en"):
        assert all(f"likely.{name}" in texts(lang) for name in LIKELY)


def test_texts_cut_at_one_length_are_told_with_it():
    wrong = pl.DataFrame({"e": ["abcdefgh", "ijklmnop", "qrstuvwx"], "f": ["abcde", "ijklm", "qrstu"]})
    assert likely_causes(wrong, "e", "f", column("text"), wrong["e"]) == [("cut off at 5", 3)]
    some = wrong.with_columns(pl.Series("f", ["abc", "ijklm", "Piet"]))
    causes = dict(likely_causes(some, "e", "f", column("text"), pl.Series(["Piet", "Kees"])))
    assert causes == {"cut off": 2, "another record's value": 1}


def test_a_text_of_null_if_written_otherwise_is_told():
    wrong = pl.DataFrame({"e": ["N.B.N."], "f": [None]}, schema={"e": pl.String, "f": pl.String})
    named = replace(column("text"), null_texts=("nbn",))
    assert wrong.select(likely_expr("e", "f", named)).item() == "null_if lacks text"
    assert wrong.select(likely_expr("e", "f", column("text"))).item() == "value lost"


def test_a_value_that_many_records_have_belongs_to_nobody():
    wrong = pl.DataFrame({"e": ["Piet"], "f": ["Jansen"]})
    often = pl.Series(["Piet", "Jansen", "Jansen"])
    assert likely_causes(wrong, "e", "f", column("text"), often) == []
    assert likely_causes(wrong, "e", "f", column("text"), often.unique()) == [("another record's value", 1)]


def test_a_child_under_another_parent_was_moved_and_a_lost_one_was_not():
    rows, target = loaded(3)
    children = [(0, "a"), (1, "b"), (2, "c")]
    ids = [f"zaak.case:{row.key}" for row in rows]

    def source():
        yield pl.DataFrame(
            {
                "parent": [rows[parent].key for parent, _ in children], "parent_id": [ids[p] for p, _ in children],
                "outcome": ["record"] * 3, "id": [child for _, child in children], "state": ["loaded"] * 3,
                "moved_on": [False] * 3,
            }
        )  # fmt: skip

    def there():
        yield pl.DataFrame(
            {"id": ["a", "b"], "parent_id": [ids[1], ids[1]]}
        )  # fmt: skip

    def origins(asked: pl.Series) -> pl.DataFrame:
        return asked.to_frame("id").with_columns(mapping=pl.lit("zaak.status"), key=pl.lit(None), state=pl.lit("loaded"))

    child = ChildProof(mapping="zaak.status", source=source, target=there, origins=origins)
    verdict = judge([replace(proof_of(rows, target), children=(child,))], ["children"])
    causes = {(group.cause, group.count, group.likely) for group in verdict.groups}
    assert causes == {
        ("child missing", 2, (("moved to another record", 1),)),
        ("child too many", 1, (("moved to another record", 1),)),
    }
