"""Workbooks made to do harm, and large ones: refused before they cost anything, or read in bounded memory (F23)."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from workbook_parts import write_workbook

from casemodel import OmnicaseError, Partition
from connectors import SystemConfig, open_source

HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>Nr</t></is></c><c r="B1" t="inlineStr"><is><t>Naam</t></is></c></row>'
PEAK_MB = 450


def settings(folder: Path, **limits: Any) -> SystemConfig:
    options: dict[str, Any] = {"relations": {"R": {"files": "R.xlsx"}}}
    return SystemConfig("oud", "excel", options | ({"limits": limits} if limits else {}), folder)


def read(config: SystemConfig) -> int:
    with closing(open_source(config)) as source:
        rows = sum(extract.rows for extract in source.extract(Partition("R", 50_000)))
        assert rows == source.count("R")
        return rows


def refusal(config: SystemConfig) -> OmnicaseError:
    started = time.process_time()
    with pytest.raises(OmnicaseError) as caught:
        read(config)
    assert caught.value.exit_status == 5
    assert time.process_time() - started < 2, "found in the directory, not by unpacking"
    return caught.value


def rows(numbers: range) -> str:
    return "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="inlineStr"><is><t>x</t></is></c></row>' for n in numbers)


def bomb(folder: Path, size: int) -> None:
    """Write a workbook whose sheet is so many blanks, packed about a thousand times."""
    write_workbook(folder / "R.xlsx", {"sheets": {"a": HEADER + rows(range(2, 4)) + " " * size}})


def test_a_bomb_is_refused_by_how_tightly_it_is_packed_and_by_its_size(tmp_path: Path) -> None:
    bomb(tmp_path, 20_000_000)
    assert (tmp_path / "R.xlsx").stat().st_size < 60_000
    found = refusal(settings(tmp_path))
    assert found.code == "CON-091" and "100 times" in found.message and "ratio" in found.hint
    found = refusal(settings(tmp_path, ratio="2000", total="10 MB"))
    assert found.code == "CON-091" and "more than 10" in found.message
    assert refusal(settings(tmp_path, members="3")).code == "CON-091"


def test_limits_can_be_raised(tmp_path: Path) -> None:
    bomb(tmp_path, 2_000_000)
    assert refusal(settings(tmp_path)).code == "CON-091"
    assert read(settings(tmp_path, ratio="3000")) == 2


def test_a_directory_that_lies_about_sizes_ends_at_what_it_says(tmp_path: Path) -> None:
    write_workbook(tmp_path / "R.xlsx", {"sheets": {"a": HEADER + rows(range(2, 3000))}})
    data = bytearray((tmp_path / "R.xlsx").read_bytes())
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    # The size after unpacking stands in the directory and before the part.
    for at in range(len(data) - 4):
        if int.from_bytes(data[at : at + 4], "little") == size:
            data[at : at + 4] = (size // 2).to_bytes(4, "little")
    (tmp_path / "R.xlsx").write_bytes(bytes(data))
    assert refusal(settings(tmp_path)).code == "CON-090"


@pytest.mark.parametrize("what", ["encrypted", "method", "cut off", "nested"])
def test_what_cannot_be_unpacked_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "R.xlsx"
    write_workbook(path, {"sheets": {"a": HEADER + rows(range(2, 9))}})
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    if what == "encrypted":
        data[start + 8] |= 1
    elif what == "method":
        data[start + 10] = 99
    elif what == "cut off":
        del data[len(data) // 2 :]
    else:
        whole = bytes(data)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("R.xlsx", whole)
        data = bytearray(path.read_bytes())
    path.write_bytes(bytes(data))
    refused = refusal(settings(tmp_path))
    assert refused.code == "CON-090"
    # seen in the directory, before a part is opened
    assert (what == "encrypted") == ("its parts are encrypted" in refused.message)


def test_shared_texts_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    write_workbook(tmp_path / "R.xlsx", {"sheets": {"a": HEADER + rows(range(2, 4))}, "texts": ["x" * 100] * 100})
    assert refusal(settings(tmp_path, texts="5 kB")).code == "CON-091"
    assert read(settings(tmp_path, texts="50 kB")) == 2


def test_a_deep_or_endless_sheet_is_refused(tmp_path: Path) -> None:
    deep = "<a>" * 100_000 + "</a>" * 100_000
    write_workbook(tmp_path / "R.xlsx", {"sheets": {"a": HEADER + rows(range(2, 4))}, "after": deep})
    assert read(settings(tmp_path, ratio="5000")) == 2
    endless = f'<row r="2"><c r="A2" t="inlineStr"><is><t>{"x" * 11_000_000}</t></is></c></row>'
    write_workbook(tmp_path / "R.xlsx", {"sheets": {"a": HEADER + endless}})
    assert refusal(settings(tmp_path, ratio="5000")).code == "CON-035"


PROGRAM = """
import json, re, sys
sys.path[:0] = json.loads(sys.argv[2])
from pathlib import Path
from test_excel_hostile import read, settings
found = read(settings(Path(sys.argv[1]), ratio="2000"))
# What getrusage says begins with what the process was forked from.
print(found, int(re.search("VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def peak(folder: Path) -> tuple[int, int]:
    """Return the records read by a process of its own, and its peak in MB."""
    paths = json.dumps([*sys.path, str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found, most = done.stdout.split()
    return int(found), int(most)


def test_empty_formatted_rows_down_to_the_millionth_cost_little(tmp_path: Path) -> None:
    path = tmp_path / "R.xlsx"
    empty = (f'<row r="{n}"><c r="A{n}" s="1"/></row>' for n in range(4, 1_000_000, 3))
    write_workbook(path, {"sheets": {"a": HEADER + rows(range(2, 4)) + "".join(empty)}})
    found, most = peak(tmp_path)
    assert found == 2
    assert most <= PEAK_MB, f"{most} MB"


def test_a_sheet_that_would_fill_the_memory_is_read_part_by_part(tmp_path: Path) -> None:
    # As one block these are four thousand million cells.
    far = '<c r="EWV%d" t="inlineStr"><is><t>%s</t></is></c></row>'
    header = HEADER.replace("</row>", far % (1, "Ver"))
    body = "".join(rows(range(n, n + 1)).replace("</row>", far % (n, "x")) for n in range(100_000, 1_000_001, 100_000))
    write_workbook(tmp_path / "R.xlsx", {"sheets": {"a": header + body}})
    found, most = peak(tmp_path)
    assert found == 10
    assert most <= PEAK_MB, f"{most} MB"


def test_a_workbook_whose_library_is_missing_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    (tmp_path / "R.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    config = SystemConfig("s", "excel", {"relations": {"R": {"files": "R.xls"}}}, tmp_path)
    with pytest.raises(OmnicaseError) as caught, closing(open_source(config)) as source:
        source.count("R")
    assert (caught.value.code, caught.value.exit_status, caught.value.hint) == ("CON-004", 4, "Install omnicase[xls].")
