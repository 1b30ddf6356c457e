"""``python -m benchmarks.fixed [--records N]``: reading a file of fixed positions, against a Python loop of slices.

The file is that of the demo's hand-outs: 16 fields in 140 bytes, cp850, a name in 37 with a letter that is not ASCII,
an amount with its sign in the last digit, a trailer with count and sum.  Both give frames of texts, amounts as plain
numbers, in batches, check lengths and trailer and take the file's SHA-256; ours counts the records and checks the
trailer first, by another way, and tells of each row where it stands.  Nothing here gates.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import polars as pl

from benchmarks.measure import Measured, measure, ratio
from casemodel import Partition
from connectors import SystemConfig, open_source

_FIELDS = {
    "RECTYPE": (1, 2),
    "AANVRNR": (3, 10),
    "BSN": (13, 9),
    "NAAM": (22, 40),
    "GEBDAT": (62, 8),
    "PRODUCT": (70, 3),
    "DATAANVR": (73, 8),
    "DATUITR": (81, 8),
    "TIJDUITR": (89, 4),
    "BALIE": (93, 3),
    "BONNR": (96, 4),
    "MEDEW": (100, 8),
    "LEGES": (108, 8),
    "ZAAKNR": (116, 15),
    "STATUS": (131, 1),
    "FILLER": (132, 9),
}
_BATCH = 50_000
_OVERPUNCHED = "}JKLMNOPQR"


def main() -> None:
    """Generate the file, read it both ways and print seconds and memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fixed")
    parser.add_argument("--records", type=int, default=1_000_000, help="how many records (default 1,000,000)")
    parser.add_argument("--read", choices=("ours", "loop"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        _read({"ours": ours, "loop": loop}[options.read], options.file)
        return
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        large = Path(scratch) / "UITREIK_2.TXT"
        write(Path(scratch) / "UITREIK_1.TXT", 1_000)
        write(large, options.records)
        pairs = [(_run("ours", large), _run("loop", large)) for _ in range(3)]
    found, slow = (min(each, key=lambda one: one.processor) for each in zip(*pairs, strict=True))
    print(f"{options.records:,} records of 140 bytes x {len(_FIELDS)} fields, cp850; the best of three runs by turns,")
    print("without the start of the process; memory is that of the whole process")
    for name, each in (("ours", found), ("loop of slices", slow)):
        print(f"  {name:<16} {each.wall:8.2f} s   {each.processor:8.2f} s processor   {each.memory:6.0f} MB")
    ratio("loop / ours, processor", slow.processor / found.processor, 10, "at least")
    wall = min(each.wall for _, each in pairs) / min(each.wall for each, _ in pairs)
    ratio("loop / ours, wall", wall, 10, "at least")
    ratio("peak of ours, MB", found.memory, 450, "at most")


def _run(how: str, file: Path) -> Measured:
    """Read a file in a process of its own, which writes down the seconds that reading alone took."""
    whole = measure(["benchmarks.fixed", "--read", how, "--file", str(file)])
    seconds = json.loads(file.with_suffix(".json").read_text())
    return Measured(seconds["wall"], seconds["processor"], whole.memory)


def _read(way: Callable[[Path], int], file: Path) -> None:
    # Both import what they need with the first file that they read: that is part of the start.
    way(file.with_name("UITREIK_1.TXT"))
    wall, processor = time.perf_counter(), time.process_time()
    way(file)
    seconds = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
    file.with_suffix(".json").write_text(json.dumps(seconds))


def write(path: Path, records: int) -> None:
    """Write a file."""
    total = 0
    with path.open("wb") as file:
        file.write(f"{'00085520180331000001':<140}\r\n".encode("cp850"))
        for number in range(records):
            cents = -7_350 if number % 97 == 0 else 3_948 + number % 50
            total += cents
            digits = f"{abs(cents):08}"
            amount = digits[:-1] + _OVERPUNCHED[int(digits[-1])] if cents < 0 else digits
            name = f"Zoë de Vries {number % 999}" if number % 37 == 0 else f"Jan van der Berg {number % 9999}"
            case = f"2018.{number % 99999:05}"
            line = (
                f"10{number:010}{number * 7919 % 10**9:09}{name:<40}19530401PAS2018010220180116"
                f"0930{number % 7:02} A{number % 999:03}JANSEN01{amount}{case:<15}U{'':9}\r\n"
            )
            file.write(line.encode("cp850"))
        file.write(f"{f'99{records:08}{total:012}':<140}\r\n".encode("cp850"))


def _source(path: Path) -> SystemConfig:
    fields = {name: [str(start), str(length)] for name, (start, length) in _FIELDS.items()}
    amount = {"at": fields["LEGES"], "sign": "overpunch", "decimals": "2"}
    trailer = {"AANTAL": ["3", "8"], "SOMLEGES": {"at": ["11", "12"], "sign": "overpunch", "decimals": "2"}}
    records = {
        "00": {"role": "header", "fields": {"GEMCODE": ["3", "4"]}},
        "10": {"relation": "UITREIKING", "fields": {**fields, "LEGES": amount}},
        "99": {"role": "trailer", "fields": trailer, "count": {"AANTAL": "10"}, "sum": {"SOMLEGES": "10.LEGES"}},
    }
    layout = {"files": path.name, "record_length": "140", "type": {"start": "1", "length": "2"}, "records": records}
    return SystemConfig("uitreik", "fixed", {"encoding": "cp850", "layouts": {"UITREIK": layout}}, path.parent)


def ours(path: Path) -> int:
    """Read the file as a source."""
    with closing(open_source(_source(path))) as source:
        rows = source.count("UITREIKING")
        read = sum(extract.frame.height for extract in source.extract(Partition("UITREIKING", _BATCH)))
    assert rows == read
    return read


def loop(path: Path) -> int:
    """Read the file line by line, and cut each by a loop over its fields."""
    slices = [(name, start - 1, start - 1 + length) for name, (start, length) in _FIELDS.items()]
    digit = {sign: str(number) for number, sign in enumerate(_OVERPUNCHED)}
    rows: list[list[str]] = []
    read, total = 0, Decimal(0)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with path.open(encoding="cp850", newline="\n") as file:
        for line in file:
            assert len(line) == 142
            if line[:2] == "99":
                assert int(line[2:10]) == read and Decimal(line[10:22]).scaleb(-2) == total
            if line[:2] != "10":
                continue
            row = []
            for name, start, stop in slices:
                value = line[start:stop].rstrip(" ")
                if name == "LEGES":
                    negative = value[-1] in digit
                    value = value[:-1] + digit[value[-1]] if negative else value
                    amount = Decimal(value).scaleb(-2)
                    amount = -amount if negative else amount
                    total += amount
                    value = str(amount)
                row.append(value)
            rows.append(row)
            read += 1
            if len(rows) == _BATCH:
                pl.DataFrame(rows, schema=list(_FIELDS), orient="row")
                rows = []
    pl.DataFrame(rows, schema=list(_FIELDS), orient="row")
    assert digest
    return read


if __name__ == "__main__":
    main()
