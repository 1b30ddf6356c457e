"""Limits of csv files: a broken delivery is an error within seconds and within memory (faults.md F1, F14, R20)."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from casemodel import Partition, Source, SystemFailure
from connectors import SystemConfig, open_source

LINE = b"1;" + b"tekst " * 10 + b";x\n"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    options = {"delimiter": ";", "relations": {"R": {"files": "a.csv"}}}
    with closing(open_source(SystemConfig("kcc", "csv", options, tmp_path))) as opened:
        yield opened


def write(path: Path, pieces: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)


def lines(count: int) -> Iterator[bytes]:
    yield b"A;B;C\n"
    for _ in range(count // 1000):
        yield LINE * 1000


def unterminated() -> Iterator[bytes]:
    yield from lines(16_000)
    yield b'2;"nooit gesloten;x\n'
    yield from (LINE * 1000 for _ in range(1500))


def one_line() -> Iterator[bytes]:
    yield b"A;B;C\n1;"
    yield from (b"x" * (1 << 20) for _ in range(100))


def huge_quoted_field() -> Iterator[bytes]:
    yield b'A;B;C\n1;"'
    yield b"tekst\n" * 200_000
    yield b'";x\n'


def huge_plain_field() -> Iterator[bytes]:
    yield b"A;B;C\n1;2;3\n1;" + b"x" * 2_000_000 + b";x\n"


def wide() -> Iterator[bytes]:
    yield b";".join(b"c%d" % i for i in range(70_000)) + b"\n"
    yield b";" * 69_999 + b"\n"


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (unterminated, "CON-034", "line 16002"),
        (one_line, "CON-035", "line 2"),
        (huge_quoted_field, "CON-034", "line 2"),
        (huge_plain_field, "CON-035", "line 3"),
        (wide, "CON-036", "70,000"),
    ],
)
def test_limit(source: Source, tmp_path: Path, make: Callable[[], Iterator[bytes]], code: str, says: str) -> None:
    write(tmp_path / "a.csv", make())
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(SystemFailure) as caught:
        list(source.extract(Partition("R", 1000)))
    assert (caught.value.code, caught.value.exit_status) == (code, 5)
    assert says in caught.value.message
    assert time.monotonic() - start < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000, "kB"


def test_fields_below_the_limit_are_read(source: Source, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'A;B;C\n1;"' + b"x\n" * 400_000 + b'";' + b"y" * 900_000 + b"\n")
    (extract,) = source.extract(Partition("R", 10))
    assert extract.frame.select(pl.all().str.len_bytes()).row(0)[:3] == (1, 800_000, 900_000)


def test_records_far_apart_in_blocks_are_read_once(source: Source, tmp_path: Path) -> None:
    """More than one block of 4 MB: positions, references and places go on over the borders."""
    with (tmp_path / "a.csv").open("wb") as file:
        file.write(b"A;B;C\n")
        for number in range(120_000):
            file.write(
                b"%d;%s;%s\n"
                % (number, b"tekst " * 10, b'"x\ny"' if number % 5 == 0 else b"" if number % 1001 else b"z;z")
            )
    extracts = list(source.extract(Partition("R", 7_000)))
    assert [e.rows for e in extracts] == [7_000] * 17 + [1_000]
    assert source.count("R") == 120_000
    bad = pl.concat([e.unreadable for e in extracts if e.unreadable is not None])
    wrong = [number for number in range(120_000) if number % 1001 == 0 and number % 5]
    assert bad["_ref"].to_list() == [f"1:{number + 1}" for number in wrong]
    assert bad["place"].to_list() == [
        f"a.csv:{2 + number + number // 5 + 1} (4 fields instead of 3)" for number in wrong
    ]
    whole = pl.concat([e.frame for e in extracts])
    assert whole["A"].cast(pl.Int64).to_list() == [n for n in range(120_000) if n % 1001 or n % 5 == 0]
    assert source.fetch("R", pl.Series(["1:119999", "1:2", "1:70000"]))["A"].to_list() == ["119998", "1", "69999"]
    for number in (0, 8, 16):
        rest = source.extract(Partition("R", 50_000, after=extracts[number].position))
        assert pl.concat([e.frame for e in rest]).equals(pl.concat([e.frame for e in extracts[number + 1 :]]))


def test_sorting_more_than_a_bucket_keeps_every_row(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.store.BUCKET_BYTES", 20_000)
    rows = [
        (f"{i * 7919 % 5000:04}", f"g{i % 37}" if i % 50 else "", "z;z" if i % 400 == 7 else "x") for i in range(5000)
    ]
    (tmp_path / "a.csv").write_text("A;B;C\n" + "".join(";".join(row) + "\n" for row in rows))
    partition = Partition("R", 300, order=("B", "A"), group=("B",))
    extracts = list(source.extract(partition))
    good = sorted((row for row in rows if row[2] == "x"), key=lambda row: (row[1], row[0]))
    assert [row[:3] for e in extracts for row in e.frame.rows()] == good
    assert sum(e.rows for e in extracts) == 5000
    for number, extract in enumerate(extracts):
        rest = list(source.extract(Partition("R", 300, order=("B", "A"), group=("B",), after=extract.position)))
        assert sum(e.rows for e in rest) == sum(e.rows for e in extracts[number + 1 :])


@pytest.mark.parametrize("order", [(), ("A",)])
def test_file_that_grows_while_it_is_read_is_an_error(source: Source, tmp_path: Path, order: tuple[str, ...]) -> None:
    (tmp_path / "a.csv").write_text("A;B;C\n" + "".join(f"{number};b;c\n" for number in range(3_000)))
    extracts = source.extract(Partition("R", 100, order))
    next(extracts)
    with (tmp_path / "a.csv").open("ab") as file:
        file.write(LINE)
    with pytest.raises(SystemFailure) as caught:
        list(extracts)
    assert caught.value.code == "CON-018"


def test_full_disk_is_said_and_nothing_stays(tmp_path: Path) -> None:
    """The scratch folder may not hold more than 100 kB: an error of ours, no traceback, no remains."""
    (tmp_path / "a.csv").write_text(
        "A;B;C\n" + "".join(f"{number * 7919 % 90_001};b{number};c\n" for number in range(90_000))
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    code = """
import resource, signal, sys
from pathlib import Path
from casemodel import Partition, SystemFailure
from connectors import SystemConfig, open_source
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
options = {"delimiter": ";", "relations": {"R": {"files": "a.csv"}}}
source = open_source(SystemConfig("k", "csv", options, Path(sys.argv[1])))
try:
    list(source.extract(Partition("R", 1000, order=("A",))))
except SystemFailure as error:
    print(error.code, error.exit_status, error.message)
"""
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    assert found.stdout == "CON-023 5 scratch data could not be stored: the disk is full\n", found.stderr[-500:]
    assert list(scratch.iterdir()) == []
