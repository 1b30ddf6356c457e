"""Records of mainframes against numbers and texts that Python wrote into them one by one."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemodel import Partition
from connectors import SystemConfig, open_source
from connectors.sources.files import bytes as file_bytes
from connectors.sources.files.ebcdic import PAGES, characters, encoding_of, order_of

pytestmark = pytest.mark.no_cover  # what it runs is traced by others


@pytest.mark.parametrize("page", PAGES)
def test_no_byte_of_a_page_is_lost(page: str) -> None:
    every = bytes(range(256))
    read = every.translate(order_of(page)).decode(encoding_of(page))
    assert read == characters(page) and len(set(read)) == 256
    assert read.encode(encoding_of(page)) == every.translate(order_of(page))
    # ASCII is in its own place, or nothing behind it would find digits and blanks.
    assert "".join(map(chr, range(128))).encode(encoding_of(page)) == every[:128]


RECORDS = st.lists(
    st.tuples(
        st.text("abAZ09 é[]", max_size=6),
        st.integers(-(10**7) + 1, 10**7 - 1),
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-9999, 9999),
        st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(RECORDS, st.sampled_from(["cp037", "cp500", "cp1047"]), st.sampled_from([19, 64, 1 << 20]))
def test_numbers_and_texts_arrive_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[str, int, int, int, bool]], page: str, chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("mainframe")
    (folder / "R.BIN").write_bytes(b"".join(written(record, page) for record in records))
    fields = {
        "TEKST": ["1", "6"],
        "PAK": {"at": ["7", "4"], "type": "packed", "decimals": "2"},
        "BIN": {"at": ["11", "4"], "type": "binary"},
        "ZONE": {"at": ["15", "4"], "type": "zoned"},
    }
    layout = {
        "files": "R.BIN",
        "record_length": "18",
        "line_ends": "false",
        "allow_empty": "true",
        "records": {"R": {"relation": "R", "fields": fields}},
    }
    config = SystemConfig("s", "fixed", {"encoding": page, "layouts": {"L": layout}}, folder)
    before, file_bytes.CHUNK = file_bytes.CHUNK, chunk
    rows, places = [], []
    try:
        with closing(open_source(config)) as source:
            for extract in source.extract(Partition("R", 7)):
                rows += extract.frame.select("TEKST", "PAK", "BIN", "ZONE").rows()
                places += [] if extract.unreadable is None else extract.unreadable["place"].to_list()
            assert source.count("R") == len(records)
    finally:
        file_bytes.CHUNK = before
    assert rows == [
        (text.rstrip(" "), str(Decimal(packed).scaleb(-2)) if packed else "0.00", str(binary), str(zoned))
        for text, packed, binary, zoned, broken in records
        if not broken
    ]
    assert places == [
        f"R.BIN:{at} (PAK, positions 7 to 10, is no number)" for at, record in enumerate(records, 1) if record[4]
    ]


def written(record: tuple[str, int, int, int, bool], page: str) -> bytes:
    text, packed, binary, zoned, broken = record
    sign = "0" if broken else "D" if packed < 0 else "C"
    digits = f"{abs(zoned):04}"
    zones = [0xF0, 0xF0, 0xF0, 0xD0 if zoned < 0 else 0xC0]
    return (
        bytes(characters(page).index(char) for char in f"{text:<6}")
        + bytes.fromhex(f"{abs(packed):07}{sign}")
        + binary.to_bytes(4, "big", signed=True)
        + bytes(zone | int(digit) for zone, digit in zip(zones, digits, strict=True))
    )
