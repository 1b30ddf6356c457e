"""The documents say what the program does: generated pages are current, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


def test_the_generated_pages_are_current():
    done = subprocess.run([sys.executable, "tools/write_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr


def test_an_error_code_has_one_meaning():
    """A code stands for one class of error: its exit status is what scripts act on."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z]+-\d{3})` \| (\w+) \| (\d+) \|", page, re.MULTILINE)
    assert len(rows) > 30
    classes: dict[str, set[tuple[str, str]]] = {}
    for code, kind, status in rows:
        classes.setdefault(code, set()).add((kind, status))
    assert {code: kinds for code, kinds in classes.items() if len(kinds) > 1} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


def test_the_version_has_a_line_in_the_list_of_changes():
    from migrate import __version__

    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(__version__)}\b", changes, re.MULTILINE)


def test_no_document_names_a_verb_that_is_not_there():
    from migrate.cli.verbs import VERBS

    missing = []
    for page in [*PAGES, *sorted((ROOT / "runbooks" / "library").rglob("*.md"))]:
        for line in re.findall(r"^(?:\$ )?omnicase (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            words = re.sub(r"(-C|--env|--format|--workspace) \S+", "", line).split()
            if words and not words[0].startswith("-") and words[0] not in VERBS:
                missing.append(f"{page.relative_to(ROOT)}: omnicase {line}")
    assert missing == []
