"""What is made of whole blocks at once is what is made of each record alone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from casemodel import Partition
from connectors import SystemConfig, open_source
from connectors.sources.files.encoding import utf8_of

_PAGES = ("cp1252", "cp850", "cp437", "iso-8859-1", "iso-8859-15")
_SOME = ["2:100000", "2:99999", "2:7", "2:10000"]


@given(st.sampled_from(_PAGES), st.lists(st.integers(0x80, 0xFF), max_size=12))
@example("cp1252", [0xA5, 0xC2])
@example("cp1252", [0x80, 0x82, 0x93])
def test_a_code_page_becomes_utf8_as_python_has_it(page: str, high: list[int]) -> None:
    text = b"A".join(bytes([byte]) for byte in high)
    expected: bytes | None
    try:
        expected = text.decode(page).encode()
    except UnicodeDecodeError:
        expected = None
    found: bytes | None
    try:
        found = utf8_of(text, page)
    except UnicodeDecodeError:
        found = None
    assert found == expected


def test_every_row_says_where_it_stands_also_where_numbers_grow_longer(tmp_path: Path) -> None:
    records = 100_100
    (tmp_path / "a.csv").write_text("A;B\n1;2\n")
    (tmp_path / "b.csv").write_text("A;B\n" + "".join(f"{number};x\n" for number in range(1, records + 1)))
    config = SystemConfig("kcc", "csv", {"delimiter": ";", "relations": {"R": {"files": "*.csv"}}}, tmp_path)
    with closing(open_source(config)) as source:
        refs = [ref for extract in source.extract(Partition("R", 30_000)) for ref in extract.frame["_ref"]]
        some = source.fetch("R", pl.Series(_SOME))
    assert refs == ["1:1", *(f"2:{number}" for number in range(1, records + 1))]
    assert some["_ref"].to_list() == _SOME
    assert some["A"].to_list() == ["100000", "99999", "7", "10000"]
