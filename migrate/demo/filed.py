"""The files behind documents: small papers on the new document server, some of them not there or not what they seem."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Any

import polars as pl

from migrate.demo.dice import Dice, part
from migrate.demo.world import World

FOLDER = "systems/zaak_docs"
"""Where the files lie: what the old system calls `SERVER`."""
SERVER = "\\\\SRV02\\DOCS"
ARCHIVE = "\\\\SRV01\\DOCS"
"""The server of the years before, whose files are not delivered."""
MISSING, UNREADABLE, CUT, SAME, SCAN, PLAIN, EMPTY = range(1, 8)
"""Z27: not there; a folder in its place; its end is lost.  The same content twice; a picture or text under another
name; nothing in it."""
_SHARES = ((MISSING, 0.01), (UNREADABLE, 0.005), (CUT, 0.01), (SAME, 0.1), (SCAN, 0.05), (PLAIN, 0.05))
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_PIXEL = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP////////////////////////////////////////////////////////////////////////////"
    "//////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
_JPEG_HEAD = 20
"""Bytes of a JPEG up to the end of its first segment."""
_FACTS = {"n": pl.Int64, "full": pl.Binary, "file_type": pl.String}


def first_filed(world: World) -> int:
    """Return the first case whose documents lie on the new server: the latest tenth, at most a thousand."""
    return world.cases - max(10, min(world.cases // 10, 1_000))


def root(world: World) -> pl.Expr:
    """Return the server of a document of case ``i``."""
    return pl.when(pl.col("i") >= first_filed(world)).then(pl.lit(SERVER)).otherwise(pl.lit(ARCHIVE))


def with_files(world: World, frame: pl.DataFrame) -> pl.DataFrame:
    """Make the files of documents on the new server; size and sum of their rows become those of the files.

    Args:
        world: the demo.
        frame: `papers.document_rows`, with ``n``, ``k``, ``on_drive`` and ``empty``.

    Returns:
        The frame with ``filed``, ``odd`` (one of `MISSING` … or 0), ``content`` (the bytes that lie there, NULL: none)
        and ``file_type`` (their media type).
    """
    dice, nth = world.dice("file", "n"), pl.col("i") - first_filed(world)
    # What is planted by chance is also planted once in every demo, however small.
    planted = pl.when((pl.col("k") == 0) & nth.is_between(MISSING, EMPTY)).then(nth)
    odd = pl.when("empty").then(EMPTY).otherwise(pl.coalesce(planted, _drawn(dice)))
    filed = (nth >= 0) & ~pl.col("on_drive")
    frame = frame.with_columns(filed.alias("filed"), pl.when(filed).then(odd).otherwise(0).alias("odd"))
    made = [_made(row) for row in frame.filter("filed").iter_rows(named=True)]
    frame = frame.join(pl.DataFrame(made, schema=_FACTS, orient="row"), on="n", how="left", maintain_order="left")
    full, odd, known = pl.col("full"), pl.col("odd"), ~pl.col("MD5").is_in(["", "ONBEKEND"])
    # The sum that the old system kept, which protects nothing.
    md5 = partial(hashlib.md5, usedforsecurity=False)
    summed = [each if each is None else md5(each).hexdigest() for each in frame["full"]]
    sums = pl.Series("sum", summed, dtype=pl.String)
    cut = pl.Series("cut", [each and each[:-10] for each in frame["full"]], dtype=pl.Binary)
    return frame.with_columns(
        pl.when("filed").then(full.bin.size().cast(pl.Int64)).otherwise("GROOTTE").alias("GROOTTE"),
        pl.when(pl.col("filed") & known).then(pl.lit(sums)).otherwise("MD5").alias("MD5"),
        pl.when(odd == CUT)
        .then(pl.lit(cut))
        .when(~odd.is_in([MISSING, UNREADABLE]))
        .then(full)
        .alias("content"),
        *(
            pl.when(filed).then(pl.col("odd").is_in(kinds)).alias(f"_Z27_{name}")
            for name, kinds in (("missing", [MISSING]), ("unreadable", [UNREADABLE]), ("cut", [CUT]))
        ),
    ).drop("full")


def _drawn(dice: Dice) -> pl.Expr:
    draw, start, found = dice.share("oddity"), 0.0, pl.lit(0)
    for kind, share in _SHARES:
        found, start = pl.when(part(draw, start, share)).then(kind).otherwise(found), start + share
    return found


def _made(row: dict[str, Any]) -> tuple[int, bytes, str]:
    """Return the number of a document, its content and the media type of that."""
    # A letter of a fixed text is the same file in many cases.
    about = "standaardbrief" if row["odd"] == SAME else f"zaak {row['ZAAKNR'].strip()}, stuk {row['k'] + 1}"
    text = f"{row['kind_name']} bij {about}"
    suffix = row["BESTAND"].rpartition(".")[2]
    if row["odd"] == EMPTY:
        return row["n"], b"", ""
    if row["odd"] == SCAN:
        comment = text.encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        return row["n"], _PIXEL[:_JPEG_HEAD] + segment + _PIXEL[_JPEG_HEAD:], "image/jpeg"
    if row["odd"] == PLAIN:
        return row["n"], f"{text}\r\n".encode(), "text/plain"
    if suffix == "pdf":
        return row["n"], _pdf(text), "application/pdf"
    if suffix == "docx":
        return row["n"], _docx(text), _DOCX
    return row["n"], f"{{\\rtf1\\ansi {text}\\par}}".encode(), "application/rtf"


def _pdf(text: str) -> bytes:
    """Return a page with a line of text (ISO 32000-1, annex H)."""
    drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = "%PDF-1.4\n", []
    for number, each in enumerate(parts, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer\n<< /Size {len(parts) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}{end}".encode()


def _docx(text: str) -> bytes:
    """Return a document of one paragraph (ECMA-376, part 1)."""
    package, office = "http://schemas.openxmlformats.org/package/2006", "http://schemas.openxmlformats.org/officeDocument/2006"
    main = f"{_DOCX}.main+xml"
    members = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="'
        'application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
        f'ContentType="{main}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/'
        'relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, told in members.items():
            member = zipfile.ZipInfo(name, (2019, 1, 2, 0, 0, 0))
            archive.writestr(member, '<?xml version="1.0" encoding="UTF-8"?>\n' + told, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def on_disk(frame: pl.DataFrame) -> Iterator[tuple[str, bytes | None]]:
    """Yield the place of every file below `FOLDER` and its bytes; None: a folder stands in its place."""
    there = frame.filter(pl.col("filed") & (pl.col("odd") != MISSING)).select("BESTAND", "content")
    for path, content in there.iter_rows():
        yield path.removeprefix(SERVER + "\\").replace("\\", "/"), content


def reference(content: pl.Series) -> pl.Series:
    """Return the SHA-256 of contents."""
    sums = [None if each is None else hashlib.sha256(each).hexdigest() for each in content]
    return pl.Series("sha256", sums, dtype=pl.String)
