"""Documents that rows carry: what is said of them, what is kept, and what no path reaches."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from casemodel import OmnicaseError, Partition, Relation, SystemFailure
from connectors import SystemConfig, open_source
from connectors.document_rules import DocumentRule
from connectors.document_store import DocumentStore
from connectors.documented import Documented
from connectors.shared_store import open_store

COLUMNS = DocumentRule("", False).columns
PDF = b"%PDF-1.4 een brief"
VIRUS_TEST = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LONG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 12_000


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def ref(data: bytes) -> str:
    return f"sha256/{sha(data)[:2]}/{sha(data)}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    (docs / "2011/000001").mkdir(parents=True)
    (docs / "2011/000001/brief.doc").write_bytes(PDF)
    (docs / "2011/dubbel.pdf").write_bytes(PDF)
    (docs / "leeg.txt").write_bytes(b"")
    (docs / "foto.jpg").write_bytes(LONG)
    (docs / "virus.txt").write_bytes(VIRUS_TEST)
    (docs / "mail.eml").write_bytes(b"Subject: test\r\n\r\n" + VIRUS_TEST + bytes(70_000))
    (docs / "notitie.txt").write_text("Geachte heer é")
    (tmp_path / "geheim.txt").write_text("999993653")
    (docs / "link.txt").symlink_to("../geheim.txt")
    (docs / "weg").symlink_to("..")
    os.mkfifo(docs / "pijp")
    return tmp_path


PATHS = {
    r"\\SRV01\DOCS\2011\000001\brief.doc": ("found", str(len(PDF)), sha(PDF), "application/pdf", ref(PDF)),
    r"\\srv01\docs\2011/dubbel.pdf": ("found", str(len(PDF)), sha(PDF), "application/pdf", ref(PDF)),
    r"\\SRV01\DOCS\foto.jpg": ("found", str(len(LONG)), sha(LONG), "image/png", ref(LONG)),
    r"\\SRV01\DOCS\virus.txt": ("suspect", "68", sha(VIRUS_TEST), "text/plain", None),
    r"\\SRV01\DOCS\mail.eml": (
        "suspect", "70085", sha(b"Subject: test\r\n\r\n" + VIRUS_TEST + bytes(70_000)), "application/octet-stream", None
    ),
    r"\\SRV01\DOCS\leeg.txt": ("empty", "0", None, None, None),
    r"\\SRV01\DOCS\weg.txt": ("missing", None, None, None, None),
    r"\\SRV01\DOCS\foto.jpg\x": ("missing", None, None, None, None),
    r"\\SRV01\DOCS\2011": ("unreadable", None, None, None, None),
    r"\\SRV01\DOCS\pijp": ("unreadable", None, None, None, None),
    r"\\SRV01\DOCS\link.txt": ("outside", None, None, None, None),
    r"\\SRV01\DOCS\weg\geheim.txt": ("outside", None, None, None, None),
    r"\\SRV01\DOCS\..\geheim.txt": ("outside", None, None, None, None),
    r"\\SRV01\DOCS\2011\..\..\geheim.txt": ("outside", None, None, None, None),
    r"\\SRV01\DOCSbrief.txt": ("outside", None, None, None, None),
    r"\\SRV01\DOCS2\brief.txt": ("outside", None, None, None, None),
    r"H:\DOCS\brief.doc": ("outside", None, None, None, None),
    r"\\SRV01\DOCS\H:\brief.doc": ("outside", None, None, None, None),
    r"\\SRV01\DOCS" + "\\": ("unreadable", None, None, None, None),
    r"\\SRV01\DOCS" + "\\" + "a" * 300: ("missing", None, None, None, None),
    "": ("none", None, None, None, None),
}


def system(folder: Path, documents: Any, rows: list[tuple[Any, ...]], declared: str = "TEXT") -> SystemConfig:
    path = folder / "oud.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE DOC (NR INTEGER PRIMARY KEY, STUK {declared})")
        connection.executemany("INSERT INTO DOC VALUES (?, ?)", rows)
        connection.commit()
    return SystemConfig("oud", "sqlite", {"path": "oud.db", "documents": {"doc": documents}}, folder)


BY_PATH = {"path": "stuk", "folder": "docs", "below": "\\\\SRV01\\DOCS"}


def read(config: SystemConfig, store: Path | str | None = None) -> tuple[Relation, pl.DataFrame]:
    with closing(open_source(config)) as source:
        assert isinstance(source, Documented)
        if store is not None:
            source.keep_documents(str(store))
        frames = [each.frame for each in source.extract(Partition("DOC", 120))]
        whole = pl.concat(frames)
        assert source.fetch("doc", whole["_ref"]).equals(whole)
        again = pl.concat(list(source.columns("DOC", ["_doc_state", "NR"], 7)))
        assert again.rows() == whole.select("_doc_state", "NR").rows()
        assert source.count("DOC") == whole.height and source.content("DOC") is None
        return source.relation("DOC"), whole


@pytest.mark.parametrize("as_url", [False, True], ids=["folder", "share"])
def test_what_is_said_of_documents(folder: Path, as_url: bool) -> None:
    rows = [*enumerate(PATHS, 1), (99, None)]
    if as_url:
        # Whether a link or a pipe is one, a share does not say; a URL has no such steps of its own to look at.
        rows = [row for row in rows if not str(row[1]).endswith(("link.txt", "weg\\geheim.txt", "pijp", "a" * 300))]
    where = {"folder": f"file://{folder}/docs"} if as_url else {}
    relation, frame = read(system(folder, BY_PATH | where, rows))
    assert [column.name for column in relation.columns if column.technical] == list(COLUMNS)
    wanted = [PATHS.get(str(path), ("none", None, None, None, None)) for _, path in rows]
    assert frame.select(COLUMNS).rows() == wanted
    assert not (folder / "store").exists()


def test_a_content_is_kept_once_and_nothing_else(folder: Path) -> None:
    config = system(folder, BY_PATH, list(enumerate(PATHS, 1)))
    store = folder / "store"
    read(config, store)
    found = {path.name: path.read_bytes() for path in (store / "sha256").rglob("*") if path.is_file()}
    assert found == {sha(PDF): PDF, sha(LONG): LONG}
    assert list((store / ".unfinished").iterdir()) == [] and store.stat().st_mode & 0o077 == 0
    times = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}
    read(config, store)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()} == times, "written again"


def test_a_store_on_another_machine_holds_the_same(folder: Path) -> None:
    config = system(folder, BY_PATH, list(enumerate(PATHS, 1)))
    store = folder / "store"
    store.mkdir()
    (store / ref(PDF)).parent.mkdir(parents=True)
    (store / ref(PDF)).write_bytes(PDF[:5])
    read(config, f"file://{store}")
    found = {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}
    assert found == {ref(PDF): PDF, ref(LONG): LONG}
    times = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}
    read(config, f"file://{store}")
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()} == times, "written again"
    other = open_store(f"file://{folder}/other")
    with pytest.raises(SystemFailure) as caught:
        other.keep(sha(PDF), len(PDF), io.BytesIO(PDF[:-1] + b"x"))
    assert caught.value.code == "CON-077" and not any(path.is_file() for path in (folder / "other").rglob("*"))


@pytest.mark.parametrize(
    ("place", "code", "exit_status"),
    [("nergens://x", "CON-004", 4), ("file:///proc/nergens", "CON-077", 5), ("/proc/nergens", "CON-077", 5)],
)
def test_a_store_that_cannot_be_written_is_refused(place: str, code: str, exit_status: int) -> None:
    with pytest.raises(OmnicaseError) as caught:
        open_store(place)
    assert (caught.value.code, caught.value.exit_status) == (code, exit_status)


def test_a_content_cut_off_is_written_again(folder: Path) -> None:
    store = folder / "store"
    place = store / ref(PDF)
    place.parent.mkdir(parents=True)
    place.write_bytes(PDF[:5])
    read(system(folder, BY_PATH, [(1, r"\\SRV01\DOCS\2011\dubbel.pdf")]), store)
    assert place.read_bytes() == PDF


def test_what_is_not_written_as_it_was_read_is_found(folder: Path, tmp_path: Path) -> None:
    store = DocumentStore(tmp_path / "store")
    with pytest.raises(SystemFailure) as caught:
        store.keep(sha(PDF), len(PDF), io.BytesIO(PDF[:-1] + b"x"))
    assert caught.value.code == "CON-077" and not (tmp_path / "store" / ref(PDF)).exists()


def test_blobs_are_documents_too(folder: Path) -> None:
    rows = [(1, PDF), (2, LONG), (3, b""), (4, None), *((number, PDF) for number in range(5, 200))]
    relation, frame = read(system(folder, {"content": "STUK"}, rows, "BLOB"), folder / "store")
    assert relation.column_names() == ("NR",) and "STUK" not in frame.columns
    assert frame["_doc_state"].head(4).to_list() == ["found", "found", "empty", "none"]
    assert frame["_doc_ref"].head(2).to_list() == [ref(PDF), ref(LONG)]
    assert (folder / "store" / ref(LONG)).read_bytes() == LONG


def test_a_row_may_carry_several_documents(folder: Path) -> None:
    coded = [base64.b64encode(PDF).decode(), "VGVz\ndA==", "VGVzdA=", "", None]
    with closing(sqlite3.connect(folder / "twee.db")) as connection:
        connection.execute("CREATE TABLE DOC (NR INTEGER PRIMARY KEY, PAD TEXT, INHOUD TEXT)")
        connection.executemany("INSERT INTO DOC VALUES (?, ?, ?)", zip(range(5), list(PATHS)[1:6], coded, strict=True))
        connection.commit()
    rules = [BY_PATH | {"path": "PAD"}, {"content": "inhoud", "coded": "base64", "as": "copy"}]
    config = SystemConfig("oud", "sqlite", {"path": "twee.db", "documents": {"DOC": rules}}, folder)
    with closing(open_source(config)) as source:
        assert isinstance(source, Documented)
        source.keep_documents(str(folder / "store"))
        frame = pl.concat([each.frame for each in source.extract(Partition("DOC", 120))])
        few = pl.concat(list(source.columns("DOC", ["_doc_copy_size", "NR", "_doc_state"], 2)))
        assert source.fetch("DOC", frame["_ref"]).equals(frame)
    assert few.rows() == frame.select("_doc_copy_size", "NR", "_doc_state").rows()
    assert source.relation("DOC").column_names() == ("NR", "PAD") and "INHOUD" not in frame.columns
    assert frame.select(COLUMNS).rows() == list(PATHS.values())[1:6]
    copies = DocumentRule("", True, name="copy").columns
    told = [("found", "18", sha(PDF), "application/pdf", ref(PDF)), ("found", "4", sha(b"Test"), "text/plain", ref(b"Test"))]
    assert frame.select(copies).rows() == [*told, ("unreadable", *[None] * 4), ("empty", "0", *[None] * 3), ("none", *[None] * 4)]
    kept = {path.name for path in (folder / "store/sha256").rglob("*") if path.is_file()}
    assert kept == {sha(PDF), sha(LONG), sha(b"Test")}


@pytest.mark.parametrize(
    ("documents", "code", "exit_status"),
    [
        ([BY_PATH, BY_PATH], "CON-003", 4),
        ([], "CON-003", 4),
        (BY_PATH | {"as": "Een Scan"}, "CON-003", 4),
        ({"content": "STUK", "coded": "hex"}, "CON-003", 4),
        (BY_PATH | {"folder": "weg"}, "CON-078", 5),
        (BY_PATH | {"folder": "file:///nergens/weg"}, "CON-078", 5),
        (BY_PATH | {"folder": "nergens://x"}, "CON-004", 4),
        (BY_PATH | {"path": "STUKK"}, "CON-021", 5),
        (BY_PATH | {"content": "STUK"}, "CON-003", 4),
        ({"folder": "docs"}, "CON-003", 4),
        (BY_PATH | {"folders": "docs"}, "CON-003", 4),
        (BY_PATH | {"folder": "smb://ik:geheim@srv/docs"}, "CON-002", 4),
    ],
)
def test_wrong_settings_are_refused(folder: Path, documents: Any, code: str, exit_status: int) -> None:
    with pytest.raises(OmnicaseError) as caught:
        read(system(folder, documents, [(1, "x")]))
    assert (caught.value.code, caught.value.exit_status) == (code, exit_status)
    assert "geheim" not in str(caught.value.as_dict())
