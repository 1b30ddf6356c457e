"""What blocks of a file were read into is kept for the next block."""

from __future__ import annotations

import ctypes
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Parameters of ``mallopt`` (https://man7.org/linux/man-pages/man3/mallopt.3.html)."""
_LARGEST = 32 << 20
_KEPT = 24 << 20


@cache
def keep_for_next_block() -> None:
    """Let the C library keep what is freed, up to 24 MB for each thread, instead of giving every block back.

    As it comes, it asks the system for the pages of every block and every array of its size anew, which are zeroed
    and mapped one by one: a third of the time that reading took.  Where the C library is another one, nothing is done.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGEST)
    mallopt(_M_TRIM_THRESHOLD, _KEPT)
