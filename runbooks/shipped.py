"""The runbooks that come with the program."""

from __future__ import annotations

from pathlib import Path


def shipped_runbooks() -> dict[str, str]:
    """Return the Markdown text of every shipped runbook by its file, such as ``nl/overgang.md``, sorted."""
    folder = Path(__file__).parent / "library"
    return {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.md"))
    }
