"""Reading ahead: what the other thread reads from is not closed under it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from connectors import ahead


def interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_waits_for_the_item_that_is_being_made() -> None:
    begun, made = threading.Event(), []

    def slowly() -> Iterator[int]:
        yield 1
        begun.set()
        time.sleep(0.5)
        made.append(2)
        yield 2

    batches = ahead(slowly)
    assert next(batches) == 1
    assert begun.wait(5)
    # Not SIGINT: Polars takes that over in a way that does not wake who waits for a lock.
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        threading.Timer(0.1, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1)).start()
        with pytest.raises(KeyboardInterrupt):
            batches.close()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert made == [2]
