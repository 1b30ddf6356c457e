"""The declaration as PDF: for the archive, tagged, and made of the page alone whatever a template asks for."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
from pathlib import Path

import pypdf
import pytest
from command_line import in_process
from tiny_workspace import make_workspace

pytest.importorskip("weasyprint.text.ffi", reason="Pango is not on this machine", exc_type=OSError)

PIXEL = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E"
INNER = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cimage href='file:///etc/passwd' width='9' height='9'/%3E%3C/svg%3E"
HOSTILE = {
    "a picture of the machine": '<img src="file:///etc/passwd">',
    "a picture without address": '<img src="../../etc/passwd">',
    "a picture of another place": '<img src="http://{address}/">',
    "a picture of the network": '<img src="//{address}/">',
    "a style of the machine": '<link rel="stylesheet" href="file:///etc/passwd">',
    "a style of another place": "<style>@import url(http://{address}/);</style>",
    "a background": "<style>body {{ background: url(file:///etc/passwd) }}</style>",
    "a font": "<style>@font-face {{ font-family: x; src: url(http://{address}/) }} body {{ font-family: x }}</style>",
    "a text of the machine": "<style>p::before {{ content: url(file:///etc/passwd) }}</style>",
    "what is put in": '<object data="file:///etc/passwd"></object>',
    "what goes along": '<link rel="attachment" href="file:///etc/passwd">',
    "another beginning": '<base href="file:///etc/"><img src="passwd">',
    "a picture in a picture": f'<img src="{INNER}">',
}
"""Parts of a page that ask for something outside of it."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("pdf") / "w", contacts=3)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    return folder


def write_template(folder: Path, part: str) -> Path:
    file = folder / "own.j2"
    file.write_text(f'<!doctype html><html lang="nl"><head><title>Proef</title></head><body><p>Een.</p>{part}</body></html>')
    return file


def test_it_is_for_the_archive_and_for_who_reads_with_a_voice(workspace: Path, tmp_path: Path) -> None:
    html, pdf = tmp_path / "verklaring.html", tmp_path / "verklaring.PDF"
    answer = in_process("-C", workspace, "declaration", "render", "--out", html, "--out", pdf)
    assert (answer.status, answer.out.split()) == (0, [str(html), str(pdf)]), answer.err
    read = pypdf.PdfReader(pdf)
    root = read.trailer["/Root"]
    metadata = root["/Metadata"].get_object().get_data().decode()
    assert 'pdfaid:part="2"' in metadata and 'pdfaid:conformance="A"' in metadata
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"], "/StructTreeRoot" in root) == ("nl", True, True)
    assert "Verklaring van migratie" in read.metadata["/Title"]
    fonts = [font.get_object() for page in read.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts and all("/FontFile" in str(font["/DescendantFonts"][0].get_object()["/FontDescriptor"]) for font in fonts)
    said = " ".join(page.extract_text() for page in read.pages)
    for text in ("artikel 25", "kcc.contact", "………", "Ondertekening"):
        assert text in said, text
    assert {each.stat().st_mode & 0o077 for each in (html, pdf)} == {0}
    entries = [json.loads(line) for line in (workspace / "evidence/target.jsonl").read_text().splitlines()]
    told = next(entry["what"]["files"] for entry in entries if entry["kind"] == "declaration")
    assert told == [{"name": each.name, "sha256": hashlib.sha256(each.read_bytes()).hexdigest()} for each in (html, pdf)]


@pytest.mark.parametrize("part", HOSTILE.values(), ids=HOSTILE)
def test_a_page_that_asks_for_something_outside_is_refused(part: str, workspace: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        template = write_template(tmp_path, part.replace("{{", "{").replace("}}", "}").replace("{address}", address))
        out, beside = tmp_path / "out.pdf", tmp_path / "out.html"
        answer = in_process(
            "-C", workspace, "--format", "json", "declaration", "render", "--template", template, "--out", beside, "--out", out
        )  # fmt: skip
        assert (answer.status, answer.document["code"], answer.document["where"]) == (4, "DCL-010", "own.j2"), answer.err
        assert "passwd" not in answer.out + answer.err and address not in answer.out + answer.err
        assert not out.exists() and not beside.exists(), "all are made before one is written"
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_page_that_cannot_be_laid_out_is_refused(workspace: Path, tmp_path: Path) -> None:
    """Styles can drive the library into a corner; no text of it is passed on."""
    template = write_template(tmp_path, "<div>" * 3_000 + "x" + "</div>" * 3_000)
    words = ("declaration", "render", "--template", template, "--out", tmp_path / "out.pdf")
    answer = in_process("-C", workspace, "--format", "json", *words)
    assert (answer.status, answer.document["code"]) == (4, "DCL-011"), answer.err
    assert not (tmp_path / "out.pdf").exists()


def test_what_stands_in_the_page_itself_is_taken(workspace: Path, tmp_path: Path) -> None:
    template = write_template(tmp_path, f'<a href="https://example.org/">elders</a><img alt="" src="{PIXEL}">')
    out = tmp_path / "out.pdf"
    assert in_process("-C", workspace, "declaration", "render", "--template", template, "--out", out).status == 0
    assert out.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("content", "said"),
    [("raise ModuleNotFoundError(name='weasyprint')", "omnicase[pdf]"), ("raise OSError('cannot load library')", "Pango")],
)
def test_without_the_library_or_its_parts_it_is_said(
    content: str, said: str, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weasyprint").mkdir()
    (tmp_path / "weasyprint/__init__.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    words = ("-C", workspace, "--format", "json", "declaration", "render", "--lang", "en", "--out")
    answer = in_process(*words, tmp_path / "out.pdf")
    assert (answer.status, answer.document["code"], said in answer.document["hint"]) == (4, "DCL-009", True), answer.err
    assert "cannot load" not in answer.out + answer.err
    assert in_process(*words, tmp_path / "out.html").status == 0
