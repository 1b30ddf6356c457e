"""The declaration says what the ledger says, leaves blank what it does not, and shows it in the municipality's own words."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command_line import in_process
from small_demo import loaded_demo
from targets import copy_workspace
from tiny_workspace import make_workspace

from casemodel import OUTCOMES, OmnicaseError
from migrate.declaration import Declaration, Template, declaration_schema, declare, shipped_template
from migrate.workspace import load_workspace


def declaration(folder: Path, *words: object) -> dict[str, Any]:
    """Return the document, which its schema describes."""
    found = in_process("-C", folder, "--format", "json", "declaration", "render", *words)
    assert found.status == 0, found.out + found.err
    jsonschema.Draft202012Validator(declaration_schema()).validate(found.document)
    return dict(found.document)


def page(folder: Path, *words: object) -> str:
    found = in_process("-C", folder, "declaration", "render", *words)
    assert found.status == 0, found.err
    return found.out


def refused(folder: Path, *words: object) -> tuple[int, str, str]:
    found = in_process("-C", folder, "--format", "json", "declaration", *words)
    return found.status, found.document["code"], str(found.document["where"])


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small dirty demo, loaded and reconciled."""
    folder = copy_workspace(loaded_demo(tmp_path_factory), tmp_path_factory.mktemp("declared") / "w")
    assert in_process("-C", folder, "reconcile", "--level", "accounting").status == 0
    return folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace that was never loaded."""
    folder = make_workspace(tmp_path_factory.mktemp("blank") / "w", contacts=3)
    assert in_process("-C", folder, "db", "upgrade").status == 0
    return folder


def test_every_figure_is_the_ledgers(demo: Path) -> None:
    said = declaration(demo)
    status = in_process("-C", demo, "--format", "json", "status").document
    books = {each["mapping"]: each for each in status["mappings"]}
    assert {each["mapping"] for each in said["mappings"]} == set(books)
    for each in said["mappings"]:
        wanted = {name: books[each["mapping"]][name] for name in ("read", *OUTCOMES, "gone")}
        assert each["books"] == wanted | {"balanced": True}
    assert said["totals"]["read"] == sum(each["read"] for each in books.values())

    with closing(sqlite3.connect(demo / "target.db")) as ledger:
        causes = ledger.execute(
            "SELECT m.name, i.severity, i.code, i.field, COUNT(*) FROM migration_issue i"
            " JOIN migration_mapping m ON m.id = i.mapping_id GROUP BY 1, 2, 3, 4"
        ).fetchall()
        digests = dict(
            ledger.execute(
                "SELECT m.name, p.file_digest FROM migration_progress p JOIN migration_mapping m ON m.id = p.mapping_id"
            )
        )
    told = [
        (each["mapping"], one["severity"], one["code"], one["field"], one["rows"])
        for each in said["mappings"]
        for one in (*each["rejected"], *each["losses"])
    ]
    assert sorted(told) == sorted(causes)
    assert {each["mapping"]: each["digest"] for each in said["mappings"]} == digests
    assert all(each["file_as_loaded"] for each in said["mappings"])
    assert said["verdict"]["verdict"] == "findings"
    assert [each["level"] for each in said["verdict"]["lacking"]] == ["keys", "fields"]
    assert any(each["files"] for system in said["systems"] for each in system["relations"] if system["system"] == "kcc")


def test_a_person_finds_it_on_the_page_in_dutch_and_english(demo: Path) -> None:
    said = declaration(demo)
    for lang, thousand in (("nl", "."), ("en", ",")):
        text = page(demo, "--lang", lang)
        outline = Outline(text)
        assert ("html", "lang", lang) in outline.attributes
        assert not {"script", "link", "iframe", "object", "form", "img"} & set(outline.tags)
        assert [each for each in outline.attributes if each[1].startswith("on") or each[1] in ("src", "href")] == []
        assert outline.tags["table"] == outline.tags["caption"]
        assert sum(each[:2] == ("th", "scope") for each in outline.attributes) == outline.tags["th"]
        assert f"{said['totals']['read']:,}".replace(",", thousand) in text
        assert text.count('class="blank"') == said["blanks"] + 1  # the legend shows what one looks like
        for each in said["mappings"]:
            assert each["digest"] in text
            for one in each["left_behind"]:
                assert " ".join(one["reason"].split()) in " ".join(outline.texts)


def test_it_is_still_made_when_the_old_systems_are_gone(demo: Path, tmp_path: Path) -> None:
    folder = copy_workspace(demo, tmp_path / "w")
    before = declaration(folder)
    assert isinstance(before["unread"], list)
    shutil.rmtree(folder / "systems")
    after = declaration(folder)
    assert after["unread"] == {"blank": "sources_closed"}
    assert after["blanks"] == before["blanks"] + 1
    # The first one is an entry of the evidence, too.
    changed = ("unread", "blanks", "declaration", "evidence")
    assert {**after, **dict.fromkeys(changed)} == {**before, **dict.fromkeys(changed)}


def test_what_the_ledger_does_not_have_stays_blank_with_the_reason(empty: Path) -> None:
    said = declaration(empty)
    assert {each["books"]["read"]["blank"] for each in said["mappings"]} == {"never_run"}
    assert said["totals"]["read"] == said["period"]["first"] == {"blank": "not_loaded"}
    assert said["verdict"] == {"blank": "no_verdict"}
    text = page(empty)
    books = text[text.index('id="books"') : text.index('id="verdict"')]
    cells = re.findall(r'<td class="n">(.*?)</td>', books)
    assert len(cells) == 11 * (len(said["mappings"]) + 1)
    assert all("………" in cell and not re.search(r"\d", cell) for cell in cells)
    assert "Er is geen aansluiting vastgelegd" in text


def test_a_verdict_that_is_out_of_date_says_so_first(empty: Path, tmp_path: Path) -> None:
    folder = copy_workspace(empty, tmp_path / "w")
    label = '<script>alert(1)</script>'
    assert in_process("-C", folder, "run", "--label", label).status == 0
    assert in_process("-C", folder, "reconcile").status == 0
    text = page(folder)
    assert "<strong>In balans.</strong>" in text
    assert label not in text and "&lt;script&gt;alert(1)" in text
    assert in_process("-C", folder, "rollback", "last", "--reason", "proef van de weg terug").status == 0
    text = page(folder)
    assert "In balans" not in text
    assert "run 1 is daarna teruggedraaid" in text and "proef van de weg terug" in text


REFUSED = {
    "a name that is not there": ("a\n{{ nowhere }}", "DCL-003", 2),
    "a name in a branch not taken": ("{% if false %}\n{{ nowhere.x }}{% endif %}", "DCL-003", 2),
    "a fact that is not there": ("\n\n{{ municipality.mayor }}", "DCL-003", 3),
    "a test of a fact that is not there": ("\n{% if verdict.nope %}x{% endif %}", "DCL-003", 2),
    "a fact in a loop": ("{% for each in mappings %}\n{{ each.nope }}{% endfor %}", "DCL-003", 2),
    "no template": ("\n{% for", "DCL-002", 2),
    "no such filter": ("\n{{ lang | nope }}", "DCL-002", 2),
    "values without escaping": ("{{ lang | safe }}", "DCL-002", 1),
    "a part without escaping": ("\n{% autoescape false %}{{ lang }}{% endautoescape %}", "DCL-004", 2),
    "Python's own": ("\n{{ lang.__class__.__mro__ }}", "DCL-004", 2),
    "by way of a filter": ("\n{{ lang | attr('__class__') }}", "DCL-004", 2),
    "what formats": ("\n{{ '{0.__class__}'.format(lang) }}", "DCL-004", 2),
    "another file": ('\n{% include "/etc/passwd" %}', "DCL-004", 2),
    "changing a fact": ("\n{{ municipality.update({'name': 'x'}) }}", "DCL-004", 2),
    "a sum with a blank": ("\n{{ totals.read + 1 }}", "DCL-005", 2),
    "nothing to divide by": ("\n{{ 1 / 0 }}", "DCL-005", 2),
    "a number without end": ("\n{{ 9 ** 9 ** 9 }}", "DCL-005", 2),
    "a text without end": ("\n{{ 'a' * 10 ** 12 }}", "DCL-005", 2),
    "a loop without end": ("\n{% for i in range(10 ** 9) %}x{% endfor %}", "DCL-005", 2),
    "a macro that calls itself": ("\n{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "DCL-005", 2),
    "a thing that is no text": ("\n{{ mappings }}", "DCL-005", 2),
}


@pytest.fixture(scope="module")
def facts(empty: Path) -> dict[str, Any]:
    return declare(load_workspace(empty), "nl", None).facts


@pytest.mark.parametrize("case", REFUSED)
def test_a_template_is_refused_by_name_and_line(facts: dict[str, Any], case: str) -> None:
    source, code, line = REFUSED[case]
    with pytest.raises(OmnicaseError) as refusal:
        Declaration(facts, Template("own.j2", source, shipped=False), "nl").page()
    assert (refusal.value.code, str(refusal.value.place)) == (code, f"own.j2:{line}:1")
    assert "Blank" not in str(refusal.value)


def test_nothing_is_written_of_a_template_that_is_refused(empty: Path, tmp_path: Path) -> None:
    own, out = tmp_path / "own.j2", tmp_path / "page.html"
    own.write_text("fine so far\n{{ nowhere }}")
    assert refused(empty, "render", "--template", own, "--out", out) == (4, "DCL-003", "own.j2:2:1")
    assert not out.exists()


def test_a_municipality_replaces_the_template_and_the_page_names_it(empty: Path, tmp_path: Path) -> None:
    folder = copy_workspace(empty, tmp_path / "w")
    own = folder / "declaration/nl.html.j2"
    assert in_process("-C", folder, "declaration", "template", own).status == 0
    own.write_text(own.read_text().replace('template_version = "2"', 'template_version = "7 van Voorbeeld"'))
    assert "declaration/nl.html.j2, versie 7 van Voorbeeld" in page(folder)
    assert "declaration.en.html.j2, version 2" in page(folder, "--lang", "en")
    assert refused(folder, "template", own)[:2] == (6, "DCL-007")

    own.unlink()
    own.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("x")
    assert refused(folder, "render")[:2] == (4, "DCL-001")
    own.unlink()
    own.write_bytes(b"\xff\xfe")
    assert refused(folder, "render")[:2] == (4, "DCL-001")
    own.unlink()

    kept = tmp_path / "kept.txt"
    kept.write_text("as it was")
    (tmp_path / "out.html").symlink_to(kept)
    assert refused(folder, "render", "--out", tmp_path / "out.html")[:2] == (6, "DCL-006")
    assert kept.read_text() == "as it was"


def test_both_shipped_templates_ask_for_the_same_facts_in_the_same_order() -> None:
    asked = [
        re.findall(r"\{\{.*?\}\}|\{%.*?%\}", re.sub(r'\{"owner".*?\}', "", shipped_template(lang).source))
        for lang in ("nl", "en")
    ]
    assert asked[0] == asked[1]
    assert len(asked[0]) > 100
