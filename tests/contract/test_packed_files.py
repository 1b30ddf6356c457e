"""Compressed files and archives: read as what they hold, and refused when they are made to do harm."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from casemodel import OmnicaseError, Partition
from connectors import SystemConfig, open_source

TEXT = "NR;NAAM\r\n1;Zoë\r\n2;O’Neil\r\n".encode("cp1252")
ROWS = [("1", "Zoë"), ("2", "O’Neil")]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


def read(folder: Path, files: str = "R*", **options: Any) -> tuple[pl.DataFrame, int]:
    settings = {"encoding": "cp1252", "delimiter": ";", "relations": {"R": {"files": files, **options.pop("r", {})}}}
    with closing(open_source(SystemConfig("kcc", "csv", settings | options, folder))) as source:
        extracts = list(source.extract(Partition("R", 1000)))
        assert all(extract.unreadable is None for extract in extracts)
        return pl.concat([extract.frame for extract in extracts]), source.count("R")


def refused(folder: Path, data: bytes, **options: Any) -> OmnicaseError:
    (folder / "R.csv").write_bytes(data)
    with pytest.raises(OmnicaseError) as caught:
        read(folder, **options)
    assert "999993653" not in str(caught.value.as_dict()), "a value is shown"
    assert caught.value.exit_status == 5
    return caught.value


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:]),
        lambda data: gzip.compress(data) + bytes(10_000),
        zstd,
        lambda data: zstd(data[:9]) + zstd(data[9:]),
        lambda data: zipped({"een.csv": data}),
        lambda data: zipped({"map/": b"", "map/een.csv": data}, zipfile.ZIP_STORED),
    ],
    ids=["gzip", "gzip in parts", "gzip of a tape", "zstd", "zstd in parts", "zip", "zip stored"],
)
def test_what_is_compressed_is_read_whatever_its_name(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    (tmp_path / "R_2019.csv").write_bytes(pack(TEXT))
    frame, count = read(tmp_path)
    assert frame.select("NR", "NAAM").rows() == ROWS and count == 2


def test_every_member_of_an_archive_is_a_file(tmp_path: Path) -> None:
    parts = {f"{year}/kcc_{year}.csv": TEXT.replace(b"1;", f"{year};".encode()) for year in (2020, 2019)}
    (tmp_path / "R.zip").write_bytes(zipped(parts | {"LEESMIJ.txt": b"x"}))
    frame, count = read(tmp_path, "R.zip!*.csv")
    assert frame["_file"].unique(maintain_order=True).to_list() == ["R.zip!2019/kcc_2019.csv", "R.zip!2020/kcc_2020.csv"]
    assert (frame["NR"].to_list(), count) == (["2019", "2", "2020", "2"], 4)
    assert frame["_ref"].to_list() == ["1:1", "1:2", "2:1", "2:2"]
    assert refused(tmp_path, zipped(parts), files="R.csv!*.txt").code == "CON-074"


def test_an_error_names_the_member(tmp_path: Path) -> None:
    error = refused(tmp_path, zipped({"a.csv": TEXT, "b.csv": TEXT + b'3;"999993653\r\n'}))
    assert (error.code, str(error.place)) == ("CON-034", "R.csv!b.csv:4")


def test_a_workbook_is_no_archive_of_csv(tmp_path: Path) -> None:
    error = refused(tmp_path, zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<w/>"}))
    assert error.code == "CON-038" and "workbook" in error.message


def lying(data: bytes, size: int) -> bytes:
    """Return an archive of one member whose directory and header state another size than it has."""
    packed = zipped({"een.csv": data})
    return packed.replace(struct.pack("<L", len(data)), struct.pack("<L", size))


def overlapping() -> bytes:
    """Return an archive whose directory names the same bytes a hundred times."""
    archive = zipped({"000.csv": TEXT})
    start = archive.index(b"PK\x01\x02")
    entry, end = archive[start:-22], archive[-22:]
    entries = b"".join(entry.replace(b"000.csv", b"%03d.csv" % number) for number in range(100))
    head = end[:8] + struct.pack("<HHL", 100, 100, len(entries)) + end[16:]
    return archive[:start] + entries + head


def encrypted() -> bytes:
    data = bytearray(zipped({"een.csv": TEXT}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def linked() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("een.csv")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return file.getvalue()


def deflated(data: bytes) -> bytes:
    """Return gzip of data, made fast."""
    return gzip.compress(data, 1)


ZEROS = bytes(8 << 20)
BAD: dict[str, tuple[bytes, str]] = {
    "gzip cut off": (gzip.compress(TEXT)[:-9], "CON-070"),
    "gzip cut off in its header": (gzip.compress(TEXT)[:12], "CON-070"),
    "gzip with a wrong checksum": (gzip.compress(TEXT)[:-8] + bytes(4) + gzip.compress(TEXT)[-4:], "CON-070"),
    "gzip with garbage behind": (gzip.compress(TEXT) + b"999993653;x", "CON-070"),
    "gzip with half a gzip behind": (gzip.compress(TEXT) + gzip.compress(TEXT)[:14], "CON-070"),
    "gzip with zeros and garbage behind": (gzip.compress(TEXT) + bytes(99) + b"x", "CON-070"),
    "zstd cut off": (zstd(TEXT)[:-3], "CON-070"),
    "zstd with garbage behind": (zstd(TEXT) + b"999993653;x", "CON-070"),
    "zip cut off": (zipped({"een.csv": TEXT})[:-30], "CON-070"),
    "zip with garbage behind": (zipped({"een.csv": TEXT}) + b"x", "CON-070"),
    "zip with a wrong checksum": (zipped({"een.csv": TEXT}, zipfile.ZIP_STORED).replace(b"1;Zo", b"9;Zo"), "CON-070"),
    "zip member named otherwise": (zipped({"een.csv": TEXT}).replace(b"een.csv", b"twe.csv", 1), "CON-070"),
    "zip that states less": (lying(TEXT * 200, 40), "CON-071"),
    "zip that states more": (lying(TEXT, 4000), "CON-070"),
    "zip of members over one another": (overlapping(), "CON-071"),
    "zip of too many members": (zipped({f"{number}.csv": TEXT for number in range(1001)}), "CON-071"),
    "gzip bomb": (deflated(ZEROS), "CON-071"),
    "zstd bomb": (zstd(ZEROS), "CON-071"),
    "zip bomb": (zipped({"een.csv": ZEROS}), "CON-071"),
    "zip bomb that lies": (lying(ZEROS, 1000), "CON-071"),
    "zip encrypted": (encrypted(), "CON-072"),
    "zip in a zip": (zipped({"een.csv": zipped({"twee.csv": TEXT})}), "CON-072"),
    "gzip in a zip": (zipped({"een.csv": gzip.compress(TEXT)}), "CON-072"),
    "zip in a gzip": (gzip.compress(zipped({"twee.csv": TEXT})), "CON-072"),
    "workbook in a zip": (zipped({"een.csv": zipped({"[Content_Types].xml": b"x"})}), "CON-072"),
    "zip by another method": (zipped({"een.csv": TEXT}, zipfile.ZIP_BZIP2), "CON-072"),
    "bzip2": (b"BZh91AY&SY\x4d\xf5\x1f", "CON-072"),
    "xz": (b"\xfd7zXZ\x00\x00\x04", "CON-072"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04", "CON-072"),
    "rar": (b"Rar!\x1a\x07\x01\x00", "CON-072"),
    "zip that climbs": (zipped({"../../een.csv": TEXT}), "CON-073"),
    "zip that climbs backwards": (zipped({"map\\..\\..\\een.csv": TEXT}), "CON-073"),
    "zip from the root": (zipped({"/etc/een.csv": TEXT}), "CON-073"),
    "zip of a drive": (zipped({"C:een.csv": TEXT}), "CON-073"),
    "zip with a line end in a name": (zipped({"een\n.csv": TEXT}), "CON-073"),
    "zip of a link": (linked(), "CON-073"),
    "zip of nothing": (zipped({}), "CON-074"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_archives_are_refused_by_name(case: str, tmp_path: Path) -> None:
    data, code = BAD[case]
    assert refused(tmp_path, data).code == code


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    archive = zipped({"a.csv": TEXT, "b.csv": TEXT}).replace(b"b.csv", b"a.csv")
    assert refused(tmp_path, archive).code == "CON-073"


def test_limits_can_be_raised_and_lowered(tmp_path: Path) -> None:
    lines = TEXT + b"3;" + b"x" * 100 + b"\r\n"
    data = gzip.compress(TEXT[:9] + lines[9:] * 20_000)
    error = refused(tmp_path, data)
    assert error.code == "CON-071" and "limits: {ratio: ...}" in error.hint
    assert read(tmp_path, limits={"ratio": "2000"})[1] == 60_000
    assert "total" in refused(tmp_path, data, limits={"ratio": "2000", "total": "1 MB"}).hint
    for wrong in ("veel", {"ratio": "x"}, {"total": "-1"}, {"totaal": "1"}):
        with pytest.raises(OmnicaseError) as caught:
            read(tmp_path, limits=wrong)
        assert (caught.value.code, caught.value.exit_status) == ("CON-003", 4)


def test_a_bomb_is_found_in_little_memory(tmp_path: Path) -> None:
    packer = zlib.compressobj(1, wbits=31)
    with (tmp_path / "R.csv").open("wb") as file:
        for _ in range(12):
            file.write(packer.compress(bytes(16 << 20)))
        file.write(packer.flush())
    tracemalloc.start()
    with pytest.raises(OmnicaseError):
        read(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20
