"""Giving freed memory back soon: what a batch used must not stay with the process while the next one asks anew."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

_M_ARENA_MAX, _M_TRIM_THRESHOLD = -8, -1
"""Of glibc's mallopt(3)."""
_TRIM_BYTES = 1 << 20
_JEMALLOC = "dirty_decay_ms:100,muzzy_decay_ms:0,narenas:2"


def give_memory_back() -> None:
    """Tune both allocators of this process: glibc's (drivers, Arrow) and the jemalloc that Polars brings.

    To be called before Polars is imported; what the environment says already stays.
    """
    os.environ.setdefault("_RJEM_MALLOC_CONF", _JEMALLOC)
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        # Another C library than glibc has no mallopt, and needs none.
        with suppress(AttributeError, OSError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_ARENA_MAX, 2)
            mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)


def trim() -> None:
    """Give back what glibc holds free between blocks in use, where its threshold never looks; to be called seldom."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
