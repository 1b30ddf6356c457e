"""A profile as lines for the terminal, as a JSON document and as a self-contained HTML page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from casemodel import printable
from migrate.profile.findings import ColumnProfile, Counted, RelationProfile
from migrate.profile.words import LANGUAGES, facts, heading, keys, label, percent, word

_PATTERNS, _TOP = 5, 5


def profile_lines(profiles: Sequence[RelationProfile], lang: str) -> Iterator[str]:
    """Yield the lines that the terminal shows."""
    for profile in profiles:
        yield f"{printable(profile.name)}: {'; '.join(heading(lang, profile))}"
        yield from (f"  {name}: {value}" for name, value in keys(lang, profile))
        for column in profile.columns:
            kept = [word(lang, "personal")] if column.personal else []
            yield ""
            yield f"  {printable(column.name)}  {' · '.join([_type(lang, column), *kept])}"
            yield from (f"      {name:<28} {value}" for name, value in _all_facts(lang, column))
        yield ""
    yield word(lang, "legend")


def _type(lang: str, column: ColumnProfile) -> str:
    return printable(column.declared_type) or word(lang, "untyped")


def _all_facts(lang: str, column: ColumnProfile) -> Iterator[tuple[str, str]]:
    yield from facts(lang, column)
    if column.patterns:
        shown = ", ".join(_share(lang, each) for each in column.patterns[:_PATTERNS])
        rest = 1 - sum(each.share for each in column.patterns[:_PATTERNS])
        others = f", {word(lang, 'others', share=percent(lang, rest))}" if rest > 0.0005 else ""
        yield word(lang, "patterns"), shown + others
    if column.top:
        yield word(lang, "top"), ", ".join(_share(lang, each) for each in column.top[:_TOP])


def _share(lang: str, each: Counted) -> str:
    return f"{label(lang, each)} {percent(lang, each.share)}"


def profile_document(profiles: Sequence[RelationProfile], system: str, kept: Sequence[str]) -> dict[str, Any]:
    """Return the document of ``--format json``."""
    return {"system": system, "relations": [profile.as_dict() for profile in profiles], "files": list(kept)}


def profile_page(profiles: Sequence[RelationProfile], title: str, lang: str) -> str:
    """Return the page: both languages in it, a switch shows one; it opens in `lang`."""
    style = (files("migrate") / "templates" / "profile.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("migrate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["shown"] = printable
    page = environment.get_template("profile.html.j2").render(
        profiles=profiles,
        title=printable(title),
        lang=lang,
        style=Markup(style),  # noqa: S704  (our own file)
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        t=lambda key, **values: _both(lambda each: word(each, key, **values)),
        pct=lambda part: _both(lambda each: percent(each, part)),
        named=lambda counted: _both(lambda each: label(each, counted)),
        type_of=lambda column: _both(lambda each: _type(each, column)),
        headings=_headings,
        keys_of=lambda profile: _pairs(lambda each: keys(each, profile)),
        facts_of=lambda column: _pairs(lambda each: list(facts(each, column))),
        width=lambda part: round(max(part * 100, 0.6), 1),
    )  # fmt: skip
    return page.rstrip() + "\n"


def _both(say: Callable[[str], str]) -> Markup:
    """Return what is said in both languages, each part marked with its language; equal texts stand once."""
    said = {lang: say(lang) for lang in LANGUAGES}
    if len(set(said.values())) == 1:
        return escape(said["nl"])
    return Markup("").join(Markup('<span lang="{}">{}</span>').format(lang, said[lang]) for lang in LANGUAGES)


def _headings(profile: RelationProfile) -> list[Markup]:
    said = {lang: [(sentence, "") for sentence in heading(lang, profile)] for lang in LANGUAGES}
    return [_in_both(said, at, 0) for at in range(len(said["en"]))]


def _pairs(say: Callable[[str], list[tuple[str, str]]]) -> list[tuple[Markup, Markup]]:
    said = {lang: say(lang) for lang in LANGUAGES}
    return [(_in_both(said, at, 0), _in_both(said, at, 1)) for at in range(len(said["en"]))]


def _in_both(said: dict[str, list[tuple[str, str]]], at: int, part: int) -> Markup:
    return _both(lambda lang: said[lang][at][part])
