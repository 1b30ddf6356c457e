"""Whatever text a step gets, it gives a text or fails; and numbers with a check digit are those of python-stdnum."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.nl import bsn

from mappings.steps import PARTS, STEPS
from mappings.steps.numbers import FILLERS

PARAMETERS: dict[str, Any] = {
    "pad_left": ("9", "0"),
    "remove": (" ", "-"),
    "after_last": "\\",
    "extract": "([0-9]+)",
    "rewrite": {"match": "(a+)+$", "to": "\\1"},
    "must_match": "[0-9]+",
    "phone": "BE",
}
CALLS = [(name, PARAMETERS.get(name)) for name in STEPS if name != "part"] + [("part", name) for name in PARTS]
TYPED = st.text(alphabet="0123456789 +-().,/abzZ'\\{}\0é\u0301\u202e𝔘", max_size=20)
TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=30), TYPED), min_size=1, max_size=8)


@pytest.mark.parametrize(("step", "params"), CALLS, ids=[f"{name}-{params}" for name, params in CALLS])
def test_no_text_stops_a_step(step: str, params: Any) -> None:
    """NULL stays NULL, a failure is flagged and gives NULL, and neighbours do not matter."""

    @settings(max_examples=30, deadline=None, database=None)
    @given(TEXTS)
    def check(texts: list[str | None]) -> None:
        result = STEPS[step].build(pl.col("t"), params)
        failed = pl.lit(False) if result.failed is None else result.failed
        frame = pl.DataFrame({"t": texts}, schema={"t": pl.String})
        made = frame.select("t", value=result.value, failed=failed)
        assert made.schema["value"] == pl.String
        assert made.schema["failed"] == pl.Boolean
        assert made.get_column("failed").null_count() == 0
        assert made.filter(pl.col("failed") & pl.col("value").is_not_null()).is_empty()
        assert made.filter(pl.col("t").is_null() & (pl.col("value").is_not_null() | pl.col("failed"))).is_empty()
        alone = pl.concat([frame.slice(i, 1).select(value=result.value) for i in range(frame.height)])
        assert alone.get_column("value").to_list() == made.get_column("value").to_list()

    check()


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(st.integers(0, 999_999_999).map(lambda number: f"{number:09}"), min_size=50, max_size=50))
def test_the_check_digit_is_that_of_stdnum(numbers: list[str]) -> None:
    """Columns and python-stdnum agree on every number but the fillers."""
    numbers = [number for number in numbers if number not in FILLERS]
    made = (
        pl.DataFrame({"t": numbers}, schema={"t": pl.String}).select(STEPS["bsn"].build(pl.col("t")).value).to_series()
    )
    assert [number is not None for number in made] == [bsn.is_valid(number) for number in numbers]
