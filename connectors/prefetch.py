"""Reading one batch ahead: drivers and parsers release the interpreter lock, so the next batch is read meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.2


def ahead(make: Callable[[], Iterator[T]]) -> Generator[T, None, None]:
    """Yield what the iterator made by `make` yields, produced by one thread that runs ahead: one item waits while
    the next is made, so that three are in memory at most.

    The thread makes, drives and closes the iterator, so that a connection opened in it never changes threads.  An
    error of the iterator is raised here; a consumer that stops early stops the thread.
    """
    out: queue.Queue[tuple[str, T | BaseException | None]] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def put(kind: str, item: T | BaseException | None) -> bool:
        while not stop.is_set():
            with suppress(queue.Full):
                out.put((kind, item), timeout=_POLL_SECONDS)
                return True
        return False

    def produce() -> None:
        try:
            source = make()
            try:
                for item in source:
                    if not put("item", item):
                        return
            finally:
                close = getattr(source, "close", None)
                if close is not None:
                    close()
            put("end", None)
        except BaseException as error:
            put("error", error)

    thread = threading.Thread(target=produce, name="omnicase-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            kind, item = out.get()
            if kind == "end":
                return
            if kind == "error":
                assert isinstance(item, BaseException)
                raise item
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()
