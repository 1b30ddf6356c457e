"""The runbooks that come with the program."""

from __future__ import annotations

from pathlib import Path


def shipped_runbooks() -> dict[str, str]:
    """Return the Markdown text of every shipped runbook by its file name, in the order of the names."""
    folder = Path(__file__).parent / "library"
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.md"))}
