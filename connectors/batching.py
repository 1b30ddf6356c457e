"""Where a batch may end: never inside rows of one group."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def whole_groups(frame: pl.DataFrame, group: Sequence[str], rows: int) -> int | None:
    """Return how many rows of a frame make the next batch, or None when more rows are needed to know.

    Args:
        frame: rows in the order in which equal group values are neighbours.
        group: the columns of the group; a row with a NULL in them is a group of its own.
        rows: the wished size; less where the last group would be cut, more where one group is larger.
    """
    if frame.height <= rows:
        return None
    values = [frame.item(rows - 1, name) for name in group]
    if not values or None in values:
        return rows
    same = frame.select(
        pl.all_horizontal(
            (pl.col(name) == value).fill_null(False) for name, value in zip(group, values, strict=True)
        ).alias("same")
    )["same"]
    if not same[rows]:
        return rows
    start = int(same.arg_max() or 0)
    if start > 0:
        return start
    return None if same.all() else int(same.arg_min() or 0)
