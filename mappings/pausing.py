"""Pausing the garbage collector while thousands of small objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collecting() -> Iterator[None]:
    """Keep Python from looking for garbage again and again, in vain, which takes a third of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            if not gc.get_freeze_count():
                # Straight to the oldest generation: the first look for garbage would visit every one of them.
                gc.freeze()
                gc.unfreeze()
            gc.enable()
