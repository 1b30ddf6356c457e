"""Progress on standard error: bars for what takes longer than two seconds, silent when not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

from tqdm import tqdm

SECONDS_BEFORE_SHOWN = 2.0


class Progress:
    """A bar that counts rows; only counts are ever shown."""

    def __init__(self, bar: tqdm[Never]) -> None:
        self._bar = bar
        self._rejected = 0

    def advance(self, rows: int, *, rejected: int = 0) -> None:
        """Count rows that are committed."""
        self._rejected += rejected
        if self._rejected:
            self._bar.set_postfix(rejected=self._rejected, refresh=False)
        self._bar.update(rows)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Progress]:
    """Show a bar while the block runs, when standard error is a terminal and it takes long enough."""
    with tqdm(
        total=total,
        desc=label,
        unit=" rows",
        delay=SECONDS_BEFORE_SHOWN,
        disable=not sys.stderr.isatty(),
        leave=False,
        file=sys.stderr,
        unit_scale=True,
    ) as bar:
        yield Progress(bar)
