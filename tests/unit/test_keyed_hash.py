"""The hash of a row is HMAC-SHA256 (its key written in hex) of one text, of however many columns that is put together."""

from __future__ import annotations

import hashlib
import hmac

import polars as pl
import pytest

from casemodel import keyed_hash

KEY = bytes(range(32))


def _expected(row: tuple[str | None, ...], prefix: str) -> str:
    parts = [prefix]
    for value in row:
        parts += ["-" if value is None else str(len(value.encode())), value or ""]
    return hmac.new(KEY.hex().encode(), "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:32]


@pytest.mark.parametrize("width", [1, 4, 5, 9, 10, 31, 64])
def test_a_row_has_the_hash_of_its_text(width: int) -> None:
    cells = ["", None, "é", "\x1f", "x" * 300, "-", "0"]
    rows = [tuple(cells[(row + column) % len(cells)] for column in range(width)) for row in range(len(cells))]
    names = [f"c{column}" for column in range(width)]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    made = frame.select(keyed_hash([pl.col(name) for name in names], KEY, prefix="meaning")).to_series().to_list()
    assert made == [_expected(row, "meaning") for row in rows]
