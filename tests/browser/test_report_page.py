"""The report in a real browser: accessible (WCAG 2.1 AA by axe), silent, quick, printable, usable by keyboard alone."""

from __future__ import annotations

import io

import pytest
from made_reports import EVIL, clean_report, dirty_report, full_report, huge_report

from reconciliation import render_html

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


def violations(page):
    """Return what axe finds wrong: rule, what it means, and where."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=RULES).response["violations"]
    return [(each["id"], each["help"], [node["target"] for node in each["nodes"]][:3]) for each in found]


LOOKS = [
    (made, lang, scheme, media)
    for made in ("full", "clean")
    for lang in ("nl", "en")
    for scheme, media in (("light", "screen"), ("dark", "screen"), ("light", "print"))
]


@pytest.mark.parametrize(("made", "lang", "scheme", "media"), LOOKS, ids=["-".join(look) for look in LOOKS])
def test_axe_finds_nothing(open_page, keep, made, lang, scheme, media):
    report = {"full": full_report, "clean": clean_report}[made]()
    page = open_page(render_html(report), color_scheme=scheme)
    if lang == "en":
        page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Alles openklappen" if lang == "nl" else "Open all").click()
    page.emulate_media(media=media, color_scheme=scheme)
    keep(page, f"report-{made}-{lang}-{scheme}-{media}")
    assert violations(page) == []


def test_axe_would_find_something(open_page):
    page = open_page(render_html(clean_report()))
    page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<img>')")
    assert "image-alt" in {rule for rule, _, _ in violations(page)}


def test_it_is_used_by_keyboard_alone(open_page):
    page = open_page(render_html(full_report()))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0, "the skip link shows itself"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title().startswith("Reconciliation")
    met = []
    for _ in range(400):
        page.keyboard.press("Tab")
        what = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();"
            " return [e.id || e.tagName, e.matches(':focus-visible') && s.outlineStyle !== 'none', b.width > 0]; })()"
        )
        met.append(what)
        if what[0] == "SUMMARY":
            break
    assert {"search", "by-level", "by-mapping", "clear", "SUMMARY"} <= {name for name, _, _ in met}
    assert all(seen and there for _, seen, there in met), "what has the focus shows it"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is True


def test_search_and_filters_show_what_fits_and_say_how_many(open_page, keep):
    report = full_report()
    page = open_page(render_html(report))
    kinds, told = len(report.decisions), page.locator("#shown")
    shown = page.locator(".cause-of .finding:visible")
    assert told.inner_text() == f"{kinds} van {kinds} soorten getoond" and shown.count() == kinds
    page.locator("#search").fill("einddatum dag EERDER")
    assert told.inner_text() == f"1 van {kinds} soorten getoond" and shown.count() == 1
    assert page.locator(".cause-of:visible").count() == 1
    keep(page, "report-filtered")
    page.get_by_role("button", name="English").click()
    assert page.locator("#shown").inner_text() == f"1 of {kinds} kinds shown"
    page.get_by_role("button", name="Clear filters").click()
    assert shown.count() == kinds
    page.locator("#by-level").select_option(label="keys")
    keys = sum(group.check.startswith("keys.") for group in report.decisions)
    assert shown.count() == keys > 0
    page.locator("#by-mapping").select_option("zaak.case")
    both = sum(group.check.startswith("keys.") and group.mapping == "zaak.case" for group in report.decisions)
    assert shown.count() == both > 0
    page.locator("#search").fill("nowhere to be found")
    assert shown.count() == 0 and page.locator(".cause-of:visible").count() == 0
    assert page.locator("#shown").inner_text() == f"0 of {kinds} kinds shown"
    page.locator("#find-mapping").fill("SEED")
    assert page.locator("details.mapping:visible").count() == 1


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_a_narrow_screen_needs_no_sideways_scrolling(open_page, keep, lang):
    page = open_page(render_html(full_report(), lang), width=320)
    page.locator("#toggle-all").click()
    keep(page, f"report-narrow-{lang}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    wide = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 321 && !e.closest('.wide'))"
    assert page.evaluate(f"{wide}.map(e => e.outerHTML.slice(0, 80))") == []


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_it_prints_to_a4_with_the_conclusion_on_the_first_page(open_page, lang):
    import pypdf

    page = open_page(render_html(full_report(), lang))
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    first = printed.pages[0]
    assert (round(first.mediabox.width), round(first.mediabox.height)) == (595, 842)
    said = " ".join(first.extract_text().split())
    assert {"nl": "Niet in balans", "en": "Not in balance"}[lang] in said
    assert {"nl": "De aansluiting sluit niet", "en": "does not"}[lang] in said
    other = {"nl": "Not in balance", "en": "Niet in balans"}[lang]
    whole = " ".join(" ".join(each.extract_text().split()) for each in printed.pages)
    assert other not in whole and {"nl": "Ondertekening", "en": "Signatures"}[lang] in whole


def test_nothing_in_the_values_runs(open_page):
    page = open_page(render_html(dirty_report(label='"><img src=x onerror=alert(1)>', municipality="</title><svg/onload=alert(2)>")))
    page.locator("#toggle-all").click()
    assert page.evaluate("document.scripts.length") == 1
    assert page.evaluate("document.querySelectorAll('img, iframe, object, embed, link, base, form').length") == 0
    named = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith('on') || a.value.trim().toLowerCase().startsWith('javascript:')).length"
    assert page.evaluate(named) == 0
    assert EVIL in page.inner_text("body") and "<img src=x onerror=alert(1)>" in page.inner_text("header")


def test_a_hundred_thousand_findings_open_within_two_seconds(open_page, keep, capsys):
    report = huge_report(100_000)
    assert report.verdict.finding_count == 100_000
    html = render_html(report)
    walls, spent = [], []
    for _ in range(3):
        page = open_page(html)
        measure = page.context.new_cdp_session(page)
        measure.send("Performance.enable")
        page.reload()
        page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        walls.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        metrics = {each["name"]: each["value"] for each in measure.send("Performance.getMetrics")["metrics"]}
        spent.append(metrics["ProcessTime"] * 1000)
    with capsys.disabled():
        print(f"\n100,000 findings: {len(html):,} characters; open in {min(walls):.0f} ms, {min(spent):.0f} ms of processor")
    page.locator("#search").fill("veld_7:")
    assert page.locator(".cause-of .finding:visible").count() == 1
    keep(page, "report-huge", full_page=False)
    assert min(spent) < 2_000, "what else the machine does is not counted"
