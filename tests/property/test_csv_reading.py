"""CSV reading against a slow reference: one character at a time, by the rules that the documentation states."""

from __future__ import annotations

import csv
import io
import re
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemodel import Partition, SystemFailure
from connectors import SystemConfig, open_source
from connectors.sources.csv import parse as csv_parse
from connectors.sources.files import bytes as file_bytes

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

PIECES = st.sampled_from(
    ['"', '""', ";", "\n", "\r\n", "\r", "a", "bé", " ", "x;y", '"q";', ';"r"', "\n\n", "1;2\n", '"1";"2"\r\n']
)


def reference(text: str) -> list[tuple[str, bool]] | None:
    """Return (record without line end, has a stray quote) for every record that is not blank; None: never closed."""
    records: list[tuple[str, bool]] = []
    start = i = 0
    inside = stray = False
    while i < len(text):
        char, after = text[i], text[i + 1] if i + 1 < len(text) else ""
        if char == '"' and not stray:
            if not inside:
                if i == start or text[i - 1] in ";\r\n":
                    inside = True
                else:
                    stray = True
            elif after == '"':
                i += 1
            elif after in ("", ";", "\r", "\n"):
                inside = False
            else:
                inside, stray = False, True
        elif char in "\r\n" and not inside:
            if i > start:
                records.append((text[start:i], stray))
            if char == "\r" and after == "\n":
                i += 1
            start, stray = i + 1, False
        i += 1
    if inside:
        return None
    if start < len(text):
        records.append((text[start:], stray))
    return records


def read(folder: Path, data: bytes, *, rows: int, **options: object) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    (folder / "t.csv").write_bytes(data)
    relation = {
        "files": "t.csv",
        "delimiter": ";",
        "header": "false",
        "columns": ["A", "B"],
        "allow_empty": "true",
        **options,
    }
    source = open_source(SystemConfig("s", "csv", {"folder": ".", "relations": {"t": relation}}, folder))
    try:
        extracts = list(source.extract(Partition("t", rows)))
        frames = [e.frame for e in extracts] or [
            pl.DataFrame(schema=dict.fromkeys(["A", "B", "_file", "_ref"], pl.String))
        ]
        bad = [e.unreadable for e in extracts if e.unreadable is not None]
        unreadable = (
            pl.concat(bad) if bad else pl.DataFrame(schema=dict.fromkeys(["_ref", "place", "code", "raw"], pl.String))
        )
        return pl.concat(frames), unreadable, source.count("t")
    finally:
        source.close()


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40), st.integers(1, 7), st.sampled_from([3, 5, 16, 1 << 20]), st.booleans())
def test_reads_what_the_rules_say(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], rows: int, chunk: int, at_once: bool
) -> None:
    text = "".join(pieces)
    wanted = reference(text)
    before, few = file_bytes.CHUNK, csv_parse.FEW
    # Whether the fields of doubtful records are counted one by one, or those of all at once.
    file_bytes.CHUNK, csv_parse.FEW = chunk, -1_000 if at_once else few
    try:
        folder = tmp_path_factory.mktemp("csv")
        if wanted is None:
            with pytest.raises(SystemFailure) as caught:
                read(folder, text.encode(), rows=rows)
            assert caught.value.code == "CON-034"
            return
        frame, unreadable, count = read(folder, text.encode(), rows=rows)
    finally:
        file_bytes.CHUNK, csv_parse.FEW = before, few
    assert count == len(wanted)
    good, bad = [], []
    for number, (record, stray) in enumerate(wanted, 1):
        fields = [] if stray else next(csv.reader(io.StringIO(record, newline=""), delimiter=";", strict=True))
        if len(fields) == 2:
            good.append((*fields, "t.csv", f"1:{number}"))
        else:
            bad.append((f"1:{number}", record))
    assert frame.rows() == good
    assert unreadable.select("_ref", "raw").rows() == bad


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="cp1252"), max_size=6), min_size=3, max_size=3), min_size=1, max_size=30
    ),
    st.sampled_from(["utf-8", "cp1252", "utf-16"]),
)
def test_written_values_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], encoding: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerows(rows)
    folder = tmp_path_factory.mktemp("csv")
    frame, unreadable, _ = read(
        folder, out.getvalue().encode(encoding), rows=7, columns=["A", "B", "C"], encoding=encoding
    )
    assert unreadable.is_empty()
    assert [list(row) for row in frame.select("A", "B", "C").rows()] == rows


CELLS = st.lists(
    st.lists(st.sampled_from(['"', ";", "\\", "\n", "\r\n", "a", "é", "#", "N", " "]), max_size=5).map("".join),
    min_size=2,
    max_size=2,
)


def written(cell: str, quoted: bool) -> str:
    special = '"\\\\' if quoted else '"\\\\;\r\n'
    text = (
        re.sub(f"\r\n|[{special}]", lambda found: "\\" + found[0], cell)
        if not quoted
        else re.sub(f"[{special}]", lambda found: "\\" + found[0], cell)
    )
    return f'"{text}"' if quoted else text


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, st.booleans(), st.booleans()), min_size=1, max_size=20), st.sampled_from([5, 1 << 20]))
def test_escaped_values_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[list[str], bool, bool]], chunk: int
) -> None:
    lines = [";".join(written(cell, quoted) for cell, quoted in zip(cells, how, strict=True)) for cells, *how in rows]
    before, file_bytes.CHUNK = file_bytes.CHUNK, chunk
    try:
        data = "\r\n".join(lines).encode()
        frame, unreadable, _ = read(tmp_path_factory.mktemp("csv"), data, rows=7, escape="\\")
    finally:
        file_bytes.CHUNK = before
    assert unreadable.is_empty()
    assert [list(row) for row in frame.select("A", "B").rows()] == [cells for cells, *_ in rows]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(CELLS, st.sampled_from(["", "#\n", '# "a\n', '#;"\n#"x\n', "A;B\n", "\n"])), min_size=1, max_size=20
    ),
    st.sampled_from([8, 1 << 20]),
)
def test_what_stands_between_rows_is_skipped(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[list[str], str]], chunk: int
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL)
    out.write("A;B\n")
    for number, (cells, between) in enumerate(rows):
        writer.writerow(cells)
        text = out.getvalue().encode()
        out.write(between)
        if number == 0:
            head = len(text)
    before, file_bytes.CHUNK = file_bytes.CHUNK, max(chunk, head)
    try:
        settings_ = {"comment": "#", "header": "true", "repeated_header": "skip", "columns": []}
        frame, unreadable, _ = read(tmp_path_factory.mktemp("csv"), out.getvalue().encode(), rows=7, **settings_)
    finally:
        file_bytes.CHUNK = before
    assert unreadable.is_empty()
    assert [list(row) for row in frame.select("A", "B").rows()] == [cells for cells, _ in rows]


LINES = st.lists(st.tuples(st.text("aéë", max_size=4), st.sampled_from(["utf-8", "cp1252"])), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None)
@given(LINES, st.sampled_from([16, 1 << 20]))
def test_every_line_has_its_own_encoding(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str]], chunk: int
) -> None:
    # None of these letters in cp1252 happens to be UTF-8, which would be taken for it.
    data = b"".join(f"{number};{text}\n".encode(encoding) for number, (text, encoding) in enumerate(lines))
    before, file_bytes.CHUNK = file_bytes.CHUNK, chunk
    try:
        frame, unreadable, count = read(tmp_path_factory.mktemp("csv"), data, rows=7, encoding=["utf-8", "cp1252"])
    finally:
        file_bytes.CHUNK = before
    assert unreadable.is_empty() and count == len(lines)
    assert frame["B"].to_list() == [text for text, _ in lines]


def test_both_parsers_understand_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast parser must never give another answer than the strict one."""
    cells = ["", '""', "a", '"b;c"', '"d""e"', '"f\r\ng"', "h i", '" j"', "-1", "NA", "null", "é"]
    data = "\r\n".join(f"{x};{y}" for x in cells for y in cells).encode()
    fast, _, _ = read(tmp_path, data, rows=1000)
    monkeypatch.setattr(csv_parse, "_fast", lambda *_: None)
    strict, _, _ = read(tmp_path, data, rows=1000)
    assert fast.height == len(cells) ** 2
    assert fast.equals(strict)


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "cp437", "latin-1", "iso8859-7", "koi8-r", "mac_roman"])
def test_every_byte_of_a_code_page_is_its_character(tmp_path: Path, encoding: str) -> None:
    defined = [char for byte in range(128, 256) if (char := bytes([byte]).decode(encoding, "ignore"))]
    texts = [*defined, "".join(defined), "a" + "b".join(defined) + "c", "plain"]
    lines = ["A;B", *(f"{number};{text}" for number, text in enumerate(texts))]
    (tmp_path / "r.csv").write_bytes("\n".join(lines).encode(encoding))
    settings = {"encoding": encoding, "delimiter": ";", "relations": {"R": {"files": "r.csv"}}}
    with closing(open_source(SystemConfig("s", "csv", settings, tmp_path))) as source:
        found = [text for extract in source.extract(Partition("R", 50)) for text in extract.frame["B"]]
    assert found == texts
