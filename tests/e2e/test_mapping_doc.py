"""`mapping doc`: the data dictionary, in two languages and two forms, with everything escaped."""

from __future__ import annotations

import resource
from pathlib import Path

from command_line import ROOT, in_process
from tiny_workspace import edit, make_workspace


def test_the_dictionary_of_the_example_says_where_a_field_comes_from(tmp_path: Path) -> None:
    english = in_process("-C", ROOT / "examples/receipt", "mapping", "doc", "--lang", "en")
    assert english.status == 0, english.err
    assert "column case:channel" in english.out
    assert "looked up in table channel by code" in english.out.replace("\\", "")
    dutch = in_process("-C", ROOT / "examples/receipt", "mapping", "doc")
    assert "Gegevenswoordenboek" in dutch.out
    assert "kolom case:channel" in dutch.out


def test_the_page_escapes_everything(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w")
    edit(folder / "mappings/oud.actor.yml", "reason: Not in the old system", 'reason: "<script>alert(1)</script> | `x`"')
    page, text = tmp_path / "out/doc.html", tmp_path / "out/doc.md"
    for file in (page, text):
        answer = in_process("-C", folder, "mapping", "doc", "--out", file)
        assert answer.status == 0, answer.err
        assert "<script" not in file.read_text()
    assert "&lt;script&gt;" in page.read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \\| \\`x\\`" in text.read_text()


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    answer = in_process("-C", make_workspace(tmp_path / "w"), "mapping", "doc", "--out", tmp_path)
    assert answer.status == 4
    assert "OUT-001" in answer.err


def test_a_full_disk_leaves_the_page_of_before_and_a_link_is_written_through(tmp_path: Path) -> None:
    folder, page, link = make_workspace(tmp_path / "w"), tmp_path / "doc.html", tmp_path / "link.html"
    link.symlink_to(page)
    assert in_process("-C", folder, "mapping", "doc", "--out", link).status == 0
    assert link.is_symlink()
    before = page.read_text()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        refused = in_process("-C", folder, "mapping", "doc", "--out", page)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (refused.status, "OUT-001" in refused.err) == (4, True)
    assert page.read_text() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["doc.html", "link.html", "w"]
