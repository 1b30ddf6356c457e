"""What README and tutorial show is what the program prints."""

from __future__ import annotations

import subprocess
import sys

import pytest

PAGES = [
    "README.md",
    "docs/tutorial.md",
    "docs/new_table.md",
    "docs/connectors/csv.md",
    "docs/connectors/documents.md",
    "docs/connectors/excel.md",
    "docs/connectors/fixed.md",
    "docs/connectors/json.md",
    "docs/connectors/ticketlog.md",
    "docs/connectors/xml.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_shown_output_is_printed(page, project_root):
    done = subprocess.run([sys.executable, "tools/shown_output.py", page], cwd=project_root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
