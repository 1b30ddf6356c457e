"""``python -m benchmarks.csv [--records N]``: reading a dirty CSV file, against `polars.read_csv` of a clean one.

The dirty file is cp1252 with CR LF, 20 columns, accents in every third row and a euro sign in each, quoted texts that
hold delimiters, doubled quotes and line ends, blank lines, and in a thousand rows one that is too short and one with
a stray quote.  The clean one holds the same good rows in UTF-8 with LF.  Ours counts the records first, by another
way, gives batches of texts, and keeps what it cannot read.  Nothing here gates.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path

import polars as pl

from benchmarks.measure import Measured, measure, ratio
from casemodel import Partition
from connectors import SystemConfig, open_source

_BATCH = 50_000
_COLUMNS = [f"KOLOM{number:02}" for number in range(1, 21)]


def main() -> None:
    """Generate the files, read them and print seconds and memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.csv")
    parser.add_argument("--records", type=int, default=1_000_000, help="how many records (default 1,000,000)")
    parser.add_argument("--read", choices=("ours", "polars"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        _read(options.read, options.file)
        return
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        folder = Path(scratch)
        (folder / "few").mkdir()
        write(folder / "few", 10)
        write(folder, options.records)
        size = (folder / "dirty.csv").stat().st_size / 1e6
        pairs = [(_run("ours", folder / "dirty.csv"), _run("polars", folder / "clean.csv")) for _ in range(3)]
        found, clean = (min(each, key=lambda one: one.processor) for each in zip(*pairs, strict=True))
        with (folder / "dirty.csv").open("rb") as plain, gzip.open(folder / "packed.csv", "wb", 1) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)
        packed_read = _run("ours", folder / "packed.csv")
    print(f"{options.records:,} records x {len(_COLUMNS)} columns, {size:.0f} MB in cp1252; the best of three runs,")
    print("without the start of the process; memory is that of the whole process")
    for name, each in (("ours, dirty", found), ("ours, gzip", packed_read), ("read_csv, clean", clean)):
        print(f"  {name:<16} {each.wall:8.2f} s   {each.processor:8.2f} s processor   {each.memory:6.0f} MB")
    ratio("ours / read_csv, processor", found.processor / clean.processor, 4, "at most")
    ratio("ours / read_csv, wall", found.wall / clean.wall, 4, "at most")
    ratio("largest peak of ours, MB", max(found.memory, packed_read.memory), 450, "at most")


def _run(how: str, file: Path) -> Measured:
    """Read a file in a process of its own, which writes down the seconds that reading alone took."""
    whole = measure(["benchmarks.csv", "--read", how, "--file", str(file)])
    seconds = json.loads(file.with_suffix(".json").read_text())
    return Measured(seconds["wall"], seconds["processor"], whole.memory)


def _read(how: str, file: Path) -> None:
    # Both import what they need with the first file that they read: that is part of the start.
    {"ours": ours, "polars": polars}[how](file.parent / "few" / ("clean.csv" if how == "polars" else "dirty.csv"))
    wall, processor = time.perf_counter(), time.process_time()
    {"ours": ours, "polars": polars}[how](file)
    seconds = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
    file.with_suffix(".json").write_text(json.dumps(seconds))


def write(folder: Path, records: int) -> None:
    """Write the dirty and the clean file."""
    header = ";".join(_COLUMNS)
    with (folder / "dirty.csv").open("wb") as dirty, (folder / "clean.csv").open("wb") as clean:
        dirty.write(f"{header}\r\n".encode())
        clean.write(f"{header}\n".encode())
        for number in range(records):
            name = f"Zoë Müller-’t Hooft {number % 999}" if number % 3 == 0 else f"Jan van der Berg {number % 9999}"
            text = f"vraag over aanvraag {number % 7919}"
            if number % 20 == 0:
                text = f'"Zei: ""nee""; belde\r\nterug om {number % 24} uur"'
            day, bsn = f"{number % 28 + 1}-{number % 12 + 1}-2015", f"{number * 7919 % 10**9:09}"
            cells = [f"{number:08}", day, name, bsn, text, "Telefoon" if number % 2 else "", f"€ {number % 500},50"]
            cells += ["J", "Burgerzaken", "3011 AB", *["0"] * 10]
            line = ";".join(cells)
            clean.write(f"{line}\n".replace("\r\n", "\n").encode())
            dirty.write(f"{line}\r\n".encode("cp1252"))
            if number % 1000 == 7:
                dirty.write(b"1;te kort\r\n")
            if number % 1000 == 8:
                dirty.write(f"{line[:-1]}x \"t hoekje\r\n".encode("cp1252"))
            if number % 500 == 9:
                dirty.write(b"\r\n")


def _source(path: Path) -> SystemConfig:
    relations = {"R": {"files": path.name}}
    return SystemConfig("kcc", "csv", {"encoding": "cp1252", "delimiter": ";", "relations": relations}, path.parent)


def ours(path: Path) -> int:
    """Read the file as a source."""
    with closing(open_source(_source(path))) as source:
        rows = source.count("R")
        read = sum(extract.rows for extract in source.extract(Partition("R", _BATCH)))
    assert rows == read
    return read


def polars(path: Path) -> int:
    """Read the clean file whole, every column a text."""
    return pl.read_csv(path, separator=";", infer_schema=False).height


if __name__ == "__main__":
    main()
