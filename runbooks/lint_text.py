"""The words around the steps: no secrets in them, and links that lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from markdown_it.token import Token

from casemodel import citizen_numbers
from runbooks.findings import LintFinding
from runbooks.parse import Parsed
from runbooks.surroundings import Surroundings

_SECRETS: Final = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@<>]+:(?![<$*.…{])[^\s/@]+@", re.IGNORECASE), "a URL with a password"),
    (
        re.compile(
            r"(?:pass(?:word|phrase|wd)?|pwd|wachtwoord|secret|geheim|token|api[ _-]?key)[\"']?\s*(?:=|:)\s*[\"']?"
            r"(?![<$*.…{])(?=[^\s\"']*[A-Za-z])(?=[^\s\"']*\d)[^\s\"']{6,}",
            re.IGNORECASE,
        ),
        "a password or token",
    ),
    (
        re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|glpat-[\w-]{20,}|eyJ[\w-]{20,}\.[\w-]{20,})"),
        "a token",
    ),
    (re.compile(r"\bOMNICASE_\w*(?:URL|PASSPHRASE|SECRET|NAMESPACE)\w*=(?![<$*.…{])\S+"), "a setting that is a secret"),
)
_OUTSIDE: Final = ("http", "https", "mailto")


def text_findings(parsed: Parsed, around: Surroundings) -> Iterator[LintFinding]:
    """Find secrets in every line, steps and front matter included, and links that lead nowhere."""
    runbook = parsed.runbook
    if runbook is None:
        return
    for number, line in enumerate(runbook.text.splitlines(), 1):
        for pattern, what in _SECRETS:
            if pattern.search(line):
                hint = "Take it out, change it, and name the place where it is kept; the file's history holds it too."
                yield LintFinding(runbook.file, number, "RBK-160", f"the line holds what looks like {what}", hint)
                break
        if next(citizen_numbers(line), None) is not None:
            hint = "Take it out; name a case by its case number."
            yield LintFinding(runbook.file, number, "RBK-160", "the line holds a number that can be a BSN", hint)
    here = (around.root / runbook.file).parent
    anchors = {_slug(tokens.content) for opened, tokens in _pairs(parsed.tokens) if opened.type == "heading_open"}
    for line_number, link in _links(parsed):
        problem = _broken(link, here, around.root, anchors)
        if problem is not None:
            yield LintFinding(runbook.file, line_number, *problem)


def _pairs(tokens: tuple[Token, ...]) -> Iterator[tuple[Token, Token]]:
    yield from pairwise(tokens)


def _links(parsed: Parsed) -> Iterator[tuple[int, str]]:
    for token in parsed.tokens:
        if token.type != "inline" or token.map is None:
            continue
        line = parsed.first_line + token.map[0] + 1
        for child in token.children or []:
            if child.type in ("softbreak", "hardbreak"):
                line += 1
            link = child.attrs.get("href") if child.type == "link_open" else child.attrs.get("src")
            if isinstance(link, str):
                yield line, link


def _broken(link: str, here: Path, root: Path, anchors: set[str]) -> tuple[str, str, str] | None:
    """Return code, message and hint when a link leads nowhere."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return "RBK-161", "a link cannot be read", "Correct it."
    if parts.scheme or parts.netloc:
        if parts.scheme in _OUTSIDE:
            return None
        return "RBK-161", f"a link of the kind '{parts.scheme[:20]}' opens nowhere", "Use https, or a file beside it."
    path = unquote(parts.path)
    if not path:
        if parts.fragment and unquote(parts.fragment) not in anchors:
            return (
                "RBK-161",
                f"no heading is named '#{unquote(parts.fragment)[:60]}'",
                "Correct the link or the heading.",
            )
        return None
    if path.startswith("/") or not (here / path).resolve().is_relative_to(root.resolve()):
        return "RBK-162", "a link leads out of the workspace", "Link to a file of the workspace, or by https."
    if not (here / path).exists():
        return "RBK-161", f"there is no file '{path[:80]}'", "Correct the link, or add the file."
    return None


def _slug(title: str) -> str:
    """Return the anchor that viewers of Markdown make of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
