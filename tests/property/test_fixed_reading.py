"""Files of fixed positions against a slow reference: line by line, field by field, as the documentation says."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path

import polars as pl
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


CELL = st.text("ab é€Ñ .", max_size=20)
RARE = st.sampled_from(["\0", "\x81", "\t", "ab\0"])


def even(*cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[str, str, str, str]]]:
    """Return lists of records of one length, of type, two texts and a number."""
    return st.lists(
        st.tuples(
            st.sampled_from(["10", "10", "20", "20", "90", "?é"]),
            st.one_of(*cells).map(lambda text: f"{text[:5]:<5}"),
            st.one_of(*cells, st.just("langer dan twaalf é")).map(lambda text: f"{text:<20}"),
            st.sampled_from(["0123", "12 J", "    ", "x  1", " 004"]),
        ),
        max_size=25,
    )


@settings(max_examples=60, deadline=None)
@given(
    # Most have no byte for which records are read one by one.
    st.one_of(even(CELL), even(CELL), even(CELL, CELL, CELL, RARE)),
    st.sampled_from(["cp1252", "cp850", "utf-8"]),
    st.sampled_from(["\r\n", "\n", ""]),
    st.sampled_from([70, 200, 1 << 20]),
)
def test_records_of_one_length_are_what_their_slices_say(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[str, str, str, str]],
    encoding: str,
    end: str,
    chunk: int,
) -> None:
    if encoding == "utf-8":
        end = end or "\n"
    # A byte that cp1252 does not define cannot be written by it; latin-1 writes it as it is.
    lines = [b"".join(_encoded(cell, encoding) for cell in record) for record in records]
    folder = tmp_path_factory.mktemp("even")
    (folder / "t.txt").write_bytes(b"".join(line + end.encode() for line in lines))
    fields = {"SOORT": ["1", "2"], "KORT": ["3", "5"], "LANG": ["8", "20"], "GETAL": {"at": ["28", "4"], "sign": "none"}}
    layout = {
        "files": "t.txt",
        "positions": "characters" if encoding == "utf-8" else "bytes",
        "record_length": "31",
        "line_ends": "true" if end else "false",
        "allow_empty": "true",
        "type": {"start": "1", "length": "2"},
        "skip": {"90": "apart"},
        "records": {
            "10": {"relation": "R", "key": ["KORT"], "fields": fields},
            "20": {"relation": "S", "parent": {"record": "10", "columns": {"LANG": "OUDER"}}, "fields": fields},
        },
    }
    config = SystemConfig("s", "fixed", {"encoding": encoding, "layouts": {"L": layout}}, folder)
    before = file_bytes.CHUNK
    file_bytes.CHUNK = chunk
    try:
        with closing(open_source(config)) as source:
            frames = [each.frame.select("OUDER", "KORT", "LANG", "GETAL") for each in source.extract(Partition("S", 7))]
            found = [row for frame in frames for row in frame.rows()]
            parents = [each.frame for each in source.extract(Partition("R", 5))]
            counted, read = source.count("S"), sum(each.rows for each in source.extract(Partition("S", 4)))
    except SystemFailure as failure:
        assert failure.code == "CON-037"
        assert sum(b"\x81" in line for line in lines) >= 3
        return
    finally:
        file_bytes.CHUNK = before
    assert found == _children(lines, encoding)
    assert counted == read
    # Polars compares bytes that Python does not see.
    assert all(frame.equals(pl.DataFrame(frame.rows(), schema=frame.schema, orient="row")) for frame in frames + parents)


def _encoded(text: str, encoding: str) -> bytes:
    return b"".join(b"\x81" if each == "\x81" else each.encode(encoding, "replace") for each in text)


def _children(lines: list[bytes], encoding: str) -> list[tuple[str, ...]]:
    """Return parent's text, and the cells, of the records 20 that can be read."""
    rows, parent = [], None
    for line in lines:
        kind = line[:2]
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            parent = None if kind != b"20" and kind != b"90" else parent
            continue
        short, long, digits = text[2:7].rstrip(" "), text[7:27].rstrip(" "), text[27:31].strip(" ")
        number = "" if not digits else str(int(digits)) if digits.isdecimal() else None
        if kind == b"90":
            continue
        if kind == b"10":
            parent = long if number is not None else None
        elif kind != b"20":
            parent = None
        elif parent is not None and number is not None:
            rows.append((parent, short, long, number))
    return rows


@pytest.mark.parametrize("width", [6, 12])
@pytest.mark.parametrize("block", [16, 64, 1 << 20])
def test_a_sum_is_held_against_every_record_whatever_the_blocks_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, block: int
) -> None:
    monkeypatch.setattr(file_bytes, "CHUNK", block)
    amounts = [7, 7, 7, 250, 7, 250, 19] * 9
    for stated, right in ((sum(amounts), True), (sum(set(amounts)), False)):
        lines = [*(f"10{amount:0{width}}" for amount in amounts), f"99{stated:0{width}}"]
        (tmp_path / "t.txt").write_text("".join(f"{line}\r\n" for line in lines), newline="")
        amount = {"at": ["3", str(width)], "sign": "none", "decimals": "2"}
        records = {
            "10": {"relation": "R", "fields": {"SOORT": ["1", "2"], "BEDRAG": amount}},
            "99": {"role": "trailer", "fields": {"SOM": amount}, "sum": {"SOM": "10.BEDRAG"}},
        }
        layout = {"files": "t.txt", "type": {"start": "1", "length": "2"}, "records": records}
        config = SystemConfig("s", "fixed", {"encoding": "cp850", "layouts": {"L": layout}}, tmp_path)
        with closing(open_source(config)) as source:
            if right:
                assert source.count("R") == len(amounts)
                continue
            with pytest.raises(SystemFailure) as caught:
                source.count("R")
            assert caught.value.code == "CON-162"


def test_a_text_in_utf8_may_be_longer_than_its_field(tmp_path: Path) -> None:
    texts = ["€", "é", "x", " "]
    (tmp_path / "t.txt").write_bytes("".join(f"{text}{text * 4}{text * 13}\r\n" for text in texts).encode("cp1252"))
    fields = {"A": ["1", "1"], "B": ["2", "4"], "C": ["6", "13"]}
    layout = {"files": "t.txt", "records": {"1": {"relation": "R", "fields": fields}}}
    config = SystemConfig("s", "fixed", {"encoding": "cp1252", "layouts": {"L": layout}}, tmp_path)
    with closing(open_source(config)) as source:
        found = next(iter(source.extract(Partition("R", 9)))).frame.select("A", "B", "C")
    wanted = [tuple((text * size).rstrip(" ") for size in (1, 4, 13)) for text in texts]
    assert found.equals(pl.DataFrame(wanted, schema=["A", "B", "C"], orient="row"))
