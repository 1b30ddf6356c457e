"""What README, tutorials, the guide for auditors and the pages of connectors show is what the program prints."""

from __future__ import annotations

import subprocess
import sys

import pytest

PAGES = ["README.md", "docs/tutorial.md", "docs/new_table.md"]
DEAR = [
    "docs/auditor.md",
    *(f"docs/connectors/{kind}.md" for kind in ("csv", "documents", "excel", "fixed", "json", "ticketlog", "xml")),
]


@pytest.mark.parametrize("page", PAGES)
def test_shown_output_is_printed(page, project_root):
    _hold(page, project_root)


@pytest.mark.sample(3)
@pytest.mark.parametrize("page", DEAR)
def test_shown_output_of_dear_pages_is_printed(page, project_root):
    _hold(page, project_root)


def _hold(page, root):
    done = subprocess.run([sys.executable, "tools/shown_output.py", page], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
