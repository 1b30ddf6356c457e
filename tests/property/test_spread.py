"""`spread` against the sentence of the language, written as a loop: every group of moments, in any order of reading."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.compile_spread import placed_moments

START = datetime(2024, 1, 1, tzinfo=UTC)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", None]), st.one_of(st.none(), st.integers(0, 12)), st.sampled_from(["1", "2", "10"])
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None, database=None)
@given(ROWS, st.integers(1, 3), st.booleans(), st.randoms())
def test_moments_move_up(
    rows: list[tuple[str | None, int | None, str]], step: int, numeric: bool, shuffle: random.Random
) -> None:
    """Sorted by moment, order and key, each moment is its own or a step after its predecessor as placed."""
    numbered = [(*row, f"{index:03}") for index, row in enumerate(rows)]
    wanted: dict[str, int | None] = {}
    groups = {row[3] if row[0] is None else row[0]: [] for row in numbered}
    for row in numbered:
        groups[row[3] if row[0] is None else row[0]].append(row)
    for group in groups.values():
        before: int | None = None
        ordered = [row for row in group if row[1] is not None]
        for row in sorted(ordered, key=lambda row: (row[1], int(row[2]) if numeric else row[2], row[3])):
            before = row[1] if before is None or row[1] >= before + step else before + step
            wanted[row[3]] = before
    shuffle.shuffle(numbered)
    frame = pl.DataFrame(
        {
            "_group": [row[0] for row in numbered],
            "_key": [row[3] for row in numbered],
            "m": [None if row[1] is None else START + timedelta(seconds=row[1]) for row in numbered],
            "o": [row[2] for row in numbered],
        },
        schema={"_group": pl.String, "_key": pl.String, "m": pl.Datetime("us", "UTC"), "o": pl.String},
    )
    placed, shifted = placed_moments(frame, "m", ["o"], ["o"] if numeric else [], timedelta(seconds=step), "p", "s")
    found = [None if moment is None else int((moment - START).total_seconds()) for moment in placed.to_list()]
    assert found == [wanted.get(row[3]) for row in numbered]
    assert shifted.to_list() == [row[1] is not None and wanted[row[3]] != row[1] for row in numbered]
