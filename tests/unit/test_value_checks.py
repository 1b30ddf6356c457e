"""What the model says of one text: the same in Python, for constants, as in Polars, for columns."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemodel import ValueCheck, tables, value_checks

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

CHECKS = [
    check
    for table in tables.values()
    for column in table.columns
    if column.info["kind"] in ("text", "uuid", "json", "decimal")
    for check in value_checks(table.name, column.name)
]
_SEEN = {(check.name, str(check.holds).replace(check.column, "value")): check for check in CHECKS}
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", " ", "a\n", "12\n", "12", "a_b", "é", "\U0001f600", "x" * 80, "x" * 81, "1.00", "-0"]),
    st.integers(0, 400).map(lambda size: "é" * size),
)


def _by_polars(check: ValueCheck, texts: list[str]) -> list[str]:
    frame = pl.DataFrame({check.column: texts}, schema={check.column: pl.String})
    return frame.filter(~check.holds).get_column(check.column).to_list()


@pytest.mark.parametrize("name", sorted({check.name for check in CHECKS}))
@settings(deadline=None)  # The clock says how busy the machine is.
@given(texts=st.lists(TEXTS, max_size=6))
def test_constants_and_columns_are_held_to_the_same(name: str, texts: list[str]) -> None:
    for check in _SEEN.values():
        if check.name == name:
            assert check.broken_by(texts) == _by_polars(check, texts)
