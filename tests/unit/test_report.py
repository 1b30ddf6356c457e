"""The report: one value, three renderings that agree, nothing personal, nothing that runs, nothing from the network."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
import stat
import string
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from made_reports import BSN, EVIL, clean_report, context, dirty_report, full_report
from two_sides import Target, loaded, proof_of

from casemodel import ISSUE_CODES, SystemFailure, UsageError
from reconciliation import (
    build_report,
    judge,
    reconcile_schema,
    render_html,
    render_json,
    render_terminal,
    require_place,
    write_report,
)
from reconciliation.differences import KINDS
from reconciliation.words import figure, share, texts

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["reconcile.html", "reconcile.json", "reconcile.nl.txt", "reconcile.en.txt"])
def test_the_renderings_are_what_they_were(name):
    """With OMNICASE_GOLDEN=write the files are written anew: read the difference before you commit it."""
    report = dirty_report()
    made = {
        "reconcile.html": lambda: render_html(report, "nl"),
        "reconcile.json": lambda: json.dumps(render_json(report), ensure_ascii=False, indent=1) + "\n",
        "reconcile.nl.txt": lambda: render_terminal(report, "nl"),
        "reconcile.en.txt": lambda: render_terminal(report, "en"),
    }[name]()
    if os.environ.get("OMNICASE_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_text(made, encoding="utf-8")
    assert made == (GOLDEN / name).read_text(encoding="utf-8")


# ---- JSON ----


@pytest.mark.parametrize("report", [dirty_report(), clean_report()], ids=["dirty", "clean"])
def test_the_document_follows_its_published_schema(report):
    schema = reconcile_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(json.dumps(render_json(report)))
    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    document["verdict"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)


def test_the_document_counts_what_it_lists():
    document = render_json(dirty_report())
    assert document["verdict"] == "findings"
    assert sum(check["findings"] for check in document["checks"]) == sum(group["count"] for group in document["groups"])
    assert len(document["findings"]) == sum(group["listed"] for group in document["groups"])
    found = {(finding["field"], finding["cause"]) for finding in document["findings"]}
    assert found >= {("end_date", "edited in target"), (None, "record missing")}
    assert all(isinstance(part, str) for finding in document["findings"] for part in finding["key"])
    books = {book["mapping"]: book for book in document["books"]}
    assert books["zaak.case"]["read"] == 10 and books["zaak.case"]["balanced"] is True
    assert books["zaak.case"]["gone"] == {"kept": 1, "closed": 0, "removed": 0, "held": 0}


# ---- terminal ----


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_terminal_shows_the_conclusion_first_passes_too_and_stays_within_100_columns(lang):
    big = dirty_report()
    million = {"read": 9_999_999, "inserted": 9_000_000, "updated": 900_000, "unchanged": 99_999}
    facts = [replace(facts, mapping=facts.mapping * 3, tally=million) for facts in big.facts]
    for report in (big, clean_report(), build_report(big.verdict, facts, context())):
        shown = render_terminal(report, lang)
        assert max(map(len, shown.splitlines())) <= 100
        titles = {"NIET IN BALANS", "IN BALANS", "NOT IN BALANCE", "IN BALANCE"}
        assert [line[2:] in titles for line in shown.split("\n\n")[1].splitlines()[:1]] == [True]
        assert "✔" in shown and "\x1b" not in shown


def test_a_text_cannot_steer_the_terminal_or_turn_the_reading_direction():
    report = dirty_report(label="a\x1b[2Jb\u202ec")
    assert "a\\x1b[2Jb\\u202ec" in render_terminal(report)
    assert "\u202e" not in render_html(report) and "\x1b" not in render_html(report)


# ---- HTML ----


class Page(HTMLParser):
    """Everything that a browser would see as element, attribute or text."""

    VOID = frozenset(["meta", "path", "circle", "rect", "br", "link", "img", "input"])

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.stack, self.order = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.order.append(tag)
        if tag not in self.VOID:
            self.stack.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1][0] == tag, f"</{tag}> closes {self.stack[-1:]}"
        self.stack.pop()

    def handle_data(self, data):
        inside = [tag for tag, _ in self.stack]
        if "script" not in inside and "style" not in inside and data.strip():
            langs = [a["lang"] for _, a in self.stack if "lang" in a]
            self.texts.append((langs[-1] if langs else None, data.strip()))

    def having(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page():
    return Page(render_html(full_report()))


def test_nothing_runs_but_our_own_script(page):
    assert page.stack == []
    assert len(page.having("script")) == 1 and page.having("script")[0] == {}
    allowed = (
        "html head meta title style script body a header div h1 h2 h3 h4 h5 p span button main section svg circle path "
        "rect ul ol li strong b small nav figure figcaption table caption thead tbody tr th td details summary dl dt "
        "dd footer label input select option"
    )
    assert {tag for tag, _ in page.elements} <= set(allowed.split())
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert not {"src", "style", "srcset", "action", "formaction", "xlink:href", "http-equiv"} & set(attributes) - (
            {"http-equiv"} if tag == "meta" else set()
        ), (tag, attributes)
        assert attributes.get("href", "#").startswith("#"), attributes
    assert any(EVIL in text for _, text in page.texts), "the text itself must be readable"


def test_the_content_policy_allows_our_style_and_script_only_and_fits_them():
    text = render_html(dirty_report())
    policy = Page(text).having("meta")[1]
    assert policy["http-equiv"] == "Content-Security-Policy"
    parts = dict(part.strip().split(" ", 1) for part in policy["content"].split(";"))
    assert parts.pop("default-src") == "'none'"
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL).group(1)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert parts.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert parts == {"base-uri": "'none'", "form-action": "'none'"}
    assert "url(" not in text and "@import" not in text and not re.search(r"https?://", text)


def test_nothing_personal_leaves_through_any_rendering():
    report = dirty_report()
    for shown in (render_html(report), render_terminal(report), json.dumps(render_json(report), ensure_ascii=False)):
        assert BSN not in shown and "Jansen" not in shown
        assert re.search(r"‹[^›]*#[0-9a-f]{8}›", shown), "the token is there instead"


def test_the_page_opens_on_the_conclusion_in_the_language_asked_for():
    for report, dutch, english in (
        (dirty_report(), "Niet in balans", "Not in balance"), (clean_report(), "In balans", "In balance"),
    ):  # fmt: skip
        for lang in ("nl", "en"):
            page = Page(render_html(report, lang))
            assert page.having("html")[0]["lang"] == lang
            headings = [tag for tag in page.order if tag in {"h1", "h2", "h3"}]
            assert headings[:2] == ["h1", "h2"]
            texts_ = [text for _, text in page.texts]
            assert ("nl", dutch) in page.texts and ("en", english) in page.texts
            assert texts_.index(dutch) < texts_.index("Per systeem") < texts_.index("Wat vraagt een besluit")
    with pytest.raises(UsageError, match="does not speak 'de'"):
        render_html(clean_report(), "de")


def test_every_table_has_a_caption_and_every_header_its_scope(page):
    tables = page.order.count("table")
    assert tables > 5 and page.order.count("caption") == tables
    assert all(a.get("scope") in {"row", "col", "rowgroup"} for a in page.having("th"))
    levels = [int(tag[1]) for tag in page.order if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "href"):
            if name in attributes:
                assert attributes[name].lstrip("#") in ids
    assert all(a.get("aria-hidden") == "true" or "focusable" in a for a in page.having("svg"))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast_is_at_least_aa(theme):
    css = (Path(__file__).parents[2] / "reconciliation/templates/report.css").read_text()
    themes = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(themes) == 2
    colours = dict(re.findall(r"--([a-z_-]+): (#[0-9a-f]{3,6})", themes[theme]))

    def light(code):
        code = code.lstrip("#")
        code = "".join(c * 2 for c in code) if len(code) == 3 else code
        parts = [int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    def contrast(front, back):
        high, low = sorted((light(colours.get(front, front)), light(colours.get(back, back))), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for front, back in [
        ("ink", "paper"), ("soft", "paper"), ("soft", "faint"), ("soft", "ground"), ("accent", "paper"),
        ("accent", "faint"), ("accent", "ground"), ("good", "good-ground"), ("bad", "bad-ground"),
        ("warn", "warn-ground"), ("soft", "bad-ground"), ("soft", "good-ground"), ("soft", "warn-ground"),
        ("good", "paper"),
        ("bad", "paper"), ("zero", "paper"), ("soft-on-bar", "bar"), ("on-bar", "bar"), ("accent", "here"), ("soft", "here"),
    ]:  # fmt: skip
        assert contrast(front, back) >= 4.5, (front, back, contrast(front, back))


def test_tens_of_thousands_of_findings_do_not_bloat_the_page():
    rows, target = loaded(12_000)
    rows = [replace(row, values=(f"X{row.values[0]}", f"X{row.values[1]}", None)) for row in rows]
    proof = proof_of(rows, target)
    proof = replace(proof, expected=replace(proof.expected, batch_rows=1000))
    report = build_report(judge([proof]), [proof.facts], context())
    assert report.verdict.finding_count == 36_000
    page = render_html(report)
    assert len(page) < 110_000
    assert "Toon voorbeelden (20 van 12.000)" in page
    assert len(render_json(report)["findings"]) == 3000


def test_rejected_rows_are_one_click_away_with_cause_share_and_remedy(page):
    said = [text for lang, text in page.texts if lang == "nl"]
    assert "Onmogelijke of onleesbare datum" in said
    assert "Wat u kunt doen: Verbeter de datum in de bron." in said
    assert "Toon rijen (1 van 1, gemaskeerd)" in said
    assert "10,0 %" in said


# ---- words ----


def test_both_languages_say_the_same_keys_and_every_code_has_its_words():
    dutch, english = texts("nl"), texts("en")
    remedies = {key for key in english if key.startswith("remedy.")}
    assert set(dutch) == set(english) - remedies
    assert {key.removeprefix("remedy.") for key in remedies} == set(ISSUE_CODES)
    fields = string.Formatter().parse
    for key in dutch:
        assert {f for _, f, *_ in fields(dutch[key]) if f} == {f for _, f, *_ in fields(english[key]) if f}, key
    causes = reconcile_schema()["$defs"]["cause"]["enum"]
    assert all(f"cause.{cause}" in dutch and f"why.{cause}" in dutch for cause in causes)
    assert all(f"kind.{kind}" in dutch for kind in KINDS)


def test_figures_and_dates_are_written_as_people_do():
    assert figure("nl", 1234567) == "1.234.567" and figure("en", 1234567) == "1,234,567"
    assert figure("nl", date(2026, 11, 24)) == "24-11-2026" and figure("en", date(2026, 11, 24)) == "24 November 2026"
    assert figure("nl", datetime(2026, 11, 24, 21, 14, tzinfo=UTC)) == "24-11-2026 21:14"
    shares = {0: "0 %", 0.0004: "< 0,1 %", 0.001: "0,1 %", 0.998: "99,8 %", 0.99999: "> 99,9 %", 1: "100 %"}
    assert {part: share("nl", part) for part in shares} == shares


# ---- files ----


def test_reports_are_written_whole_for_their_owner_only(tmp_path):
    old = os.umask(0)
    try:
        paths = write_report(clean_report(), tmp_path / "reports", "reconcile", ("html", "json", "txt"))
    finally:
        os.umask(old)
    assert [path.name for path in paths] == ["reconcile.html", "reconcile.json", "reconcile.txt"]
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(path.name for path in paths)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert json.loads(paths[1].read_text(encoding="utf-8"))["verdict"] == "in_balance"


def test_a_report_that_cannot_be_written_leaves_the_old_one_and_says_so(tmp_path):
    blocked = tmp_path / "reports"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(SystemFailure) as caught:
        write_report(clean_report(), blocked, "reconcile")
    assert caught.value.code == "REC-003" and str(tmp_path) not in caught.value.message
    (tmp_path / "taken.html").mkdir()
    with pytest.raises(SystemFailure):
        write_report(clean_report(), tmp_path, "taken", ("html",))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reports", "taken.html"]
    with pytest.raises(UsageError, match="kind 'pdf'"):
        require_place(tmp_path, ("pdf",))


def test_too_little_checked_is_neither_balance_nor_difference():
    rows, target = loaded()
    proof = proof_of(rows, target)
    report = build_report(judge([proof], ["accounting"]), [proof.facts], context())
    assert "NOG NIET VASTGESTELD" in render_terminal(report)
    assert "Niet gecontroleerd: sleutels, velden." in render_terminal(report)
    assert ("nl", "Nog niet vastgesteld") in Page(render_html(report)).texts


def test_an_empty_workspace_has_a_report_too():
    proof = proof_of([], Target(), run=None, full_read=False)
    report = build_report(judge([proof]), [proof.facts], context())
    assert "nog niet geladen" in render_html(report)
    assert max(map(len, render_terminal(report).splitlines())) <= 100
    assert render_json(report)["books"][0]["balanced"] is None
