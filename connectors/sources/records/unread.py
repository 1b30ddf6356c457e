"""Paths of records that no field reads, counted for people: not too many, and without what may be a value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

PLAIN = re.compile(r"[\w.-]{1,60}")
"""What looks like a name; a key that does not may be a value: somebody's name."""
OTHERS = "…"
Path = tuple[str, ...]
_MOST = 1_000
"""So many different paths are told of."""


def count_path(found: Counter[Path], path: Path) -> None:
    """Count a value at a path."""
    found[path if path in found or len(found) < _MOST else (OTHERS,)] += 1


def told(found: Counter[Path], shown: Callable[[str], str]) -> dict[str, int]:
    """Return the paths as people read them, in order, and how often each occurs.

    Args:
        shown: gives a step of a path as it may be shown.
    """
    counts: Counter[str] = Counter()
    for path, count in found.items():
        counts["/".join(map(shown, path))] += count
    return dict(sorted(counts.items()))
