"""The column form of the kinds of difference says what the scalar form of the case model says."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from casemodel import difference_kind
from reconciliation.differences import KINDS, difference_kind_expr


def kind(expected, found):
    frame = pl.DataFrame({"a": [expected], "b": [found]}, schema={"a": pl.String, "b": pl.String})
    return frame.select(difference_kind_expr("a", "b")).item()


@pytest.mark.parametrize(
    ("expected", "found", "name"),
    [
        ("2011-10-30", "2011-10-29", "one day earlier"), ("2012-02-28", "2012-02-29", "one day later"),
        ("2011-10-30", "2011-10-28", "another date"),
        ("2011-10-30 00:00:00.000000", "2011-10-29 23:00:00.000000", "one hour earlier"),
        ("2011-10-30 00:00:00.000000", "2011-10-29 22:00:00.000000", "two hours earlier"),
        ("2011-10-30 00:00:00.000000", "2011-10-30 01:00:00.000000", "one hour later"),
        ("2011-10-30 00:00:00.000000", "2011-10-30 02:00:00.000000", "two hours later"),
        ("2011-10-30 00:00:00.000000", "2011-10-30 00:00:00.000001", "another moment"),
        ("2011-02-30", "2011-02-28", "another value"), (None, "", "a value instead of empty"),
        ("Müller", "Muller", "an accent lost"), ("012", "12", "leading zero"), ("a", "b", "another value"),
    ],
)  # fmt: skip
def test_each_kind_has_its_name(expected, found, name):
    assert kind(expected, found) == name
    assert name in KINDS


TEXTS = st.none() | st.text(st.sampled_from("aAbBéëÉ0 19-"), max_size=6)


@given(TEXTS, TEXTS)
@example("é", "E")
def test_both_forms_agree(expected, found):
    assume(expected != found)
    assert kind(expected, found) == difference_kind(expected, found)
