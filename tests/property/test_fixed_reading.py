"""Files of fixed positions against a slow reference: line by line, field by field, as the documentation says."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemodel import Partition, SystemFailure
from connectors import SystemConfig, open_source
from connectors.sources.files import bytes as file_bytes

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

PARENT = st.builds("10{:<4}".format, st.text("ab12é ", min_size=1, max_size=4))
CHILD = st.builds(
    "20{:<3}{:<4}".format,
    st.text("xyë ", max_size=3),
    st.one_of(
        st.text("0123456789", min_size=4, max_size=4),
        st.builds("{}{}".format, st.text("0123456789", min_size=3, max_size=3), st.sampled_from("{}AIJR")),
        st.sampled_from(["", "  7J", "1.5 ", "}", "0000", "00}0"]),
    ),
)
LINES = st.one_of(PARENT, CHILD, CHILD, st.sampled_from(["", "2", "99totaal", "30 apart", "1012345", "20xy1", "20\tx001 "]))
NEGATIVE, POSITIVE = "}JKLMNOPQR", "{ABCDEFGHI"


def amount(text: str) -> str | None:
    text = text.strip(" ")
    if not text:
        return ""
    last = text[-1]
    digits = text[:-1] + str((NEGATIVE + POSITIVE).index(last) % 10 if last in NEGATIVE + POSITIVE else last)
    if not (digits.isascii() and digits.isdecimal()):
        return None
    number = Decimal(digits).scaleb(-2)
    return str(-number if last in NEGATIVE and number else number)


def reference(lines: list[str], size: list[int]) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the rows of the children, and the text of their records that cannot be read."""
    rows, wrong = [], []
    parent: str | None = None
    for line, length in zip(lines, size, strict=True):
        kind = line[:2].rstrip(" ")
        if not line or kind == "30":
            continue
        if kind == "10":
            parent = line[2:6].rstrip(" ") if length == 6 else None
        elif kind != "20":
            parent = None
            wrong.append(line)
        elif length != 9 or parent is None or amount(line[5:9]) is None:
            wrong.append(line)
        else:
            rows.append((parent, "20", line[2:5].rstrip(" "), str(amount(line[5:9]))))
    return rows, wrong


def mostly_of_another_length(lines: list[str]) -> bool:
    """Return whether the file is refused as one of another layout."""
    records = [line for line in lines if line and line[:2] != "30"]
    wrong = sum(line[:2] in ("10", "20") and len(line) != {"10": 6, "20": 9}[line[:2]] for line in records)
    return wrong >= 3 and 2 * wrong > len(records)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(LINES, max_size=30),
    st.sampled_from(["cp850", "utf-8", "utf-16"]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from([7, 16, 1 << 20]),
)
def test_reads_what_the_rules_say(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], encoding: str, end: str, chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("fixed")
    (folder / "t.txt").write_bytes("".join(line + end for line in lines).encode(encoding))
    before = file_bytes.CHUNK
    # The mark of UTF-16 must lie in the first block.
    file_bytes.CHUNK = max(chunk, 16)
    try:
        if mostly_of_another_length(lines):
            with pytest.raises(SystemFailure) as caught:
                read(folder, encoding)
            assert caught.value.code == "CON-160"
            return
        rows, wrong, count = read(folder, encoding)
    finally:
        file_bytes.CHUNK = before
    wanted_rows, wanted_wrong = reference(lines, [len(line) for line in lines])
    assert rows == wanted_rows
    assert wrong == wanted_wrong
    assert count == len(rows) + len(wrong)


def read(folder: Path, encoding: str) -> tuple[list[tuple[str, ...]], list[str], int]:
    fields = {"SOORT": ["1", "2"], "TEKST": ["3", "3"], "BEDRAG": {"at": ["6", "4"], "sign": "overpunch", "decimals": "2"}}
    layout = {
        "files": "t.txt",
        "positions": "characters",
        "allow_empty": "true",
        "type": {"start": "1", "length": "2"},
        "skip": {"30": "apart"},
        "records": {
            "10": {"relation": "OUDER", "key": ["NR"], "fields": {"SOORT": ["1", "2"], "NR": ["3", "4"]}},
            "20": {"relation": "KIND", "parent": "10", "fields": fields},
        },
    }
    config = SystemConfig("s", "fixed", {"encoding": encoding, "layouts": {"L": layout}}, folder)
    with closing(open_source(config)) as source:
        rows: list[tuple[str, ...]] = []
        wrong: list[str] = []
        for extract in source.extract(Partition("KIND", 3)):
            rows += extract.frame.select("NR", "SOORT", "TEKST", "BEDRAG").rows()
            wrong += [] if extract.unreadable is None else extract.unreadable["raw"].to_list()
        return rows, wrong, source.count("KIND")
