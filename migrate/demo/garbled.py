"""Accented surnames as they look after a wrong conversion of characters."""

from __future__ import annotations

from migrate.demo import words


def _mojibake(wrong: bool) -> dict[str, str]:
    """Return how accented surnames look after a wrong conversion: UTF-8 read as cp1252, or cp850 read as cp1252."""
    table = {}
    for _, name, _ in words.SURNAMES:
        if not name.isascii():
            bad = name.encode("cp850" if wrong else "utf-8").decode("cp1252", errors="replace")
            table[name] = bad if "\ufffd" not in bad else name.encode().decode("cp1252")
    return table


REPAIRABLE, LOST = _mojibake(False), _mojibake(True)
