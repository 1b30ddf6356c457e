"""XML and JSON of any shape: what is read is what the standard library reads, and any damage is said, never lost."""

from __future__ import annotations

import json
import tempfile
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemodel import Partition, SystemFailure
from connectors import SystemConfig, open_source
from connectors.sources.files import bytes as file_bytes

pytestmark = pytest.mark.no_cover  # what it runs is traced by the bad cases

# What XML and JSON can hold, with everything that looks like their own marks.
_TEXT = st.text(st.sampled_from("ab é😀<>&\"'/[]{},:\\!?-=]]>\n\t "), max_size=12)
_RECORD = st.fixed_dictionaries(
    {"nr": _TEXT, "naam": st.none() | _TEXT, "tel": st.lists(_TEXT, max_size=3)},
    optional={"noise": st.sampled_from(["<!-- </k> <k> -->", "<![CDATA[</k><k>]]>", "<?php </k> ?>", "<x><k/></x>", "<x/>"])},
)


def _read(kind: str, options: dict[str, object], data: bytes, chunk: int) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    before, file_bytes.CHUNK = file_bytes.CHUNK, chunk
    try:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "R").write_bytes(data)
            config = SystemConfig("s", kind, {"relations": {"R": {"files": "R", "allow_empty": "true", **options}}}, Path(folder))
            with closing(open_source(config)) as source:
                extracts = list(source.extract(Partition("R", 3)))
                none = pl.DataFrame(schema=dict.fromkeys(("_ref", "place", "code", "raw"), pl.String))
                bad = [extract.unreadable for extract in extracts if extract.unreadable is not None]
                empty = pl.DataFrame(schema=dict.fromkeys(("nr", "naam"), pl.String))
                frames = [extract.frame for extract in extracts]
                frame = pl.concat(frames) if frames else empty
                return frame, pl.concat([none, *bad]), source.count("R")
    finally:
        file_bytes.CHUNK = before


def _written(record: dict[str, object]) -> str:
    name = "" if record["naam"] is None else f"<naam>{escape(str(record['naam']))}</naam>"
    tel = "".join(f"<tel>{escape(each)}</tel>" for each in record["tel"])  # type: ignore[attr-defined]
    return f"<k nr={quoteattr(str(record['nr']))}>{name}{record.get('noise', '')}{tel}</k>"


@settings(max_examples=40, deadline=None)
@given(st.lists(_RECORD, max_size=6), st.sampled_from([16, 61, 1 << 22]), st.sampled_from(["\n", "", "<!-- <k> -->\n"]))
def test_xml_is_read_as_the_standard_library_reads_it(records: list[dict[str, object]], chunk: int, between: str) -> None:
    text = f"<?xml version='1.0'?>\n<l>{between.join(map(_written, records))}</l>\n"
    wanted = [(k.get("nr"), k.findtext("naam")) for k in ET.fromstring(text).findall("k")]
    fields = {"nr": "@nr", "naam": "naam"}
    frame, bad, count = _read("xml", {"record": "/l/k", "fields": fields}, text.encode(), chunk)
    assert frame.select("nr", "naam").rows() == wanted and bad.is_empty() and count == len(wanted)
    parts = [(k.get("nr"), tel.text or "") for k in ET.fromstring(text).findall("k") for tel in k.findall("tel")]
    fields = {"nr": "../@nr", "naam": "."}
    frame, bad, count = _read("xml", {"record": "/l/k", "each": "tel", "fields": fields}, text.encode(), chunk)
    assert frame.select("nr", "naam").rows() == parts and bad.is_empty() and count == len(parts)


@settings(max_examples=40, deadline=None)
@given(st.lists(_RECORD, min_size=1, max_size=4), st.data())
def test_damaged_xml_is_refused_or_said_and_never_a_bug(records: list[dict[str, object]], data: st.DataObject) -> None:
    text = f"<?xml version='1.0'?>\n<l>{''.join(map(_written, records))}</l>\n".encode()
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 12)))
    put = data.draw(st.sampled_from([b"", b"<", b">", b"</k>", b"<k>", b"\xff", b"&", b"<!--", b"]]>", b'"', b"</l>", b"\0"]))
    damaged = text[:start] + put + text[stop:]
    try:
        frame, bad, count = _read("xml", {"record": "/l/k", "fields": {"nr": "@nr", "naam": "naam"}}, damaged, 61)
    except SystemFailure:
        return
    assert frame.height + bad.height == count
    try:
        wanted = ET.fromstring(damaged).findall("k")
    except ET.ParseError:
        # What is wrong beside the records alone (in the declaration, say) spoils none of them.
        assert bad.height or frame.height >= len(records) - 1
        return
    assert frame.height <= len(wanted) <= count


@settings(max_examples=40, deadline=None)
@given(st.lists(_RECORD, max_size=6), st.sampled_from([16, 61, 1 << 22]), st.sampled_from([None, 1]), st.booleans())
def test_json_is_read_as_the_standard_library_reads_it(
    records: list[dict[str, object]], chunk: int, indent: int | None, plain: bool
) -> None:
    text = json.dumps({"x": [{"k": [1, "]"]}], "k": records, "y": {"k": []}}, indent=indent, ensure_ascii=plain)
    fields = {"nr": "nr", "naam": "naam"}
    frame, bad, count = _read("json", {"record": "/k", "fields": fields}, text.encode(), chunk)
    assert frame.select("nr", "naam").rows() == [(each["nr"], each["naam"]) for each in records]
    assert bad.is_empty() and count == len(records)
    lines = "\n".join(json.dumps(each, ensure_ascii=plain) for each in records)
    frame, bad, count = _read("json", {"lines": "true", "fields": fields}, lines.encode(), chunk)
    assert frame.select("nr", "naam").rows() == [(each["nr"], each["naam"]) for each in records]


@settings(max_examples=40, deadline=None)
@given(st.lists(_RECORD, min_size=1, max_size=4), st.data())
def test_damaged_json_is_refused_or_said_and_never_a_bug(records: list[dict[str, object]], data: st.DataObject) -> None:
    text = json.dumps({"x": 1, "k": records}).encode()
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 12)))
    put = data.draw(st.sampled_from([b"", b"{", b"}", b"[", b"]", b",", b'"', b"\\", b"\xff", b":", b"1", b"\0"]))
    damaged = text[:start] + put + text[stop:]
    try:
        frame, bad, count = _read("json", {"record": "/k", "fields": {"nr": "nr", "naam": "naam"}}, damaged, 61)
    except SystemFailure:
        return
    assert frame.height + bad.height == count
    try:
        wanted = json.loads(damaged)
    except ValueError:
        assert bad.height, "the standard library refuses it, and nothing was said"
        return
    assert count == len(wanted["k"])
