"""``python -m benchmarks.documents [--documents N]``: documents that rows carry, hashed and kept.

As many small files as asked, a hundred a folder, one in ten the same as another; their paths stand in a SQLite table.
Reading compares (as `reconcile` does), keeping copies each content to the store, reads it again and names it by its
SHA-256 (as a first `run` does); keeping again finds everything there.  Nothing here gates.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import polars as pl

from benchmarks.measure import Measured, measure, ratio
from casemodel import KeepsDocuments, Partition
from connectors import SystemConfig, open_source

_BATCH = 10_000
_SIZE = 1_500


def main() -> None:
    """Make the documents, read and keep them, and print seconds and memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.documents")
    parser.add_argument("--documents", type=int, default=100_000, help="how many documents (default 100,000)")
    parser.add_argument("--read", choices=("read", "keep"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(read(options.folder, keep=options.read == "keep"))
        return
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        folder = Path(scratch)
        write(folder, options.documents)
        found = {name: _run(how, folder) for name, how in (("read", "read"), ("keep", "keep"), ("keep again", "keep"))}
        kept = sum(1 for path in (folder / "store/sha256").rglob("*") if path.is_file())
    print(f"{options.documents:,} documents of {_SIZE:,} bytes; {kept:,} contents in the store")
    for name, each in found.items():
        print(f"  {name:<16} {each.wall:8.2f} s   {each.processor:8.2f} s processor   {each.memory:6.0f} MB")
    ratio("largest peak, MB", max(each.memory for each in found.values()), 450, "at most")


def _run(how: str, folder: Path) -> Measured:
    return measure(["benchmarks.documents", "--read", how, "--folder", str(folder)])


def write(folder: Path, documents: int) -> None:
    """Write the documents and the table that names them."""
    with closing(sqlite3.connect(folder / "old.db")) as connection:
        connection.execute("CREATE TABLE DOC (NR INTEGER PRIMARY KEY, PAD TEXT)")
        for number in range(documents):
            path = folder / f"docs/{number // 100:04}/{number}.pdf"
            if number % 100 == 0:
                path.parent.mkdir(parents=True)
            text = f"%PDF-1.4 document {number - number % 10 * (number % 10 == 9)} "
            path.write_bytes((text * (_SIZE // len(text) + 1)).encode()[:_SIZE])
            connection.execute("INSERT INTO DOC VALUES (?, ?)", (number, f"{number // 100:04}\\{number}.pdf"))
        connection.commit()


def read(folder: Path, *, keep: bool) -> int:
    """Read the table with its documents."""
    options = {"path": "old.db", "documents": {"DOC": {"path": "PAD", "folder": "docs"}}}
    with closing(open_source(SystemConfig("bench", "sqlite", options, folder))) as source:
        if keep:
            assert isinstance(source, KeepsDocuments)
            source.keep_documents(str(folder / "store"))
        found = pl.col("_doc_state") == "found"
        return sum(each.frame.filter(found).height for each in source.extract(Partition("DOC", _BATCH)))


if __name__ == "__main__":
    main()
