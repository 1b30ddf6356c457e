"""Reading one batch ahead: drivers and parsers release the interpreter lock, so the next batch is read meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def ahead(make: Callable[[], Iterator[T]]) -> Generator[T, None, None]:
    """Yield what the iterator made by `make` yields, produced by one thread that is one item ahead: the next is made
    while one is used, and the one after it only when that is taken, so that two are in memory at most.

    The thread makes, drives and closes the iterator, so that a connection opened in it never changes threads.  An
    error of the iterator is raised here; a consumer that stops early stops the thread.
    """
    out: queue.SimpleQueue[tuple[list[T], BaseException | None]] = queue.SimpleQueue()
    stop, ended, wanted = threading.Event(), threading.Event(), threading.Semaphore(1)

    def produce() -> None:
        try:
            source = make()
            try:
                while wanted.acquire() and not stop.is_set():
                    # Who takes an item takes it out of the list: here it would stay while the next one is made.
                    made = list(islice(source, 1))
                    if not made:
                        break
                    out.put((made, None))
            finally:
                close = getattr(source, "close", None)
                if close is not None:
                    close()
            out.put(([], None))
        except BaseException as error:
            out.put(([], error))
        finally:
            ended.set()

    thread = threading.Thread(target=produce, name="omnicase-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            made, error = out.get()
            if error is not None:
                raise error
            if not made:
                return
            wanted.release()
            yield made.pop()
    finally:
        stop.set()
        wanted.release()
        _await(ended)


def one_behind(items: Iterator[S], use: Callable[[S], T]) -> Iterator[T]:
    """Yield what is made of items, in their order: of each by a thread while the next item is looked for."""
    with ThreadPoolExecutor(1) as thread:
        waiting: Future[T] | None = None
        for item in items:
            if waiting is not None:
                made, waiting = waiting, thread.submit(use, item)
                yield made.result()
            else:
                waiting = thread.submit(use, item)
        if waiting is not None:
            yield waiting.result()


def _await(ended: threading.Event) -> None:
    """Wait for a thread's end, also when interrupted: what it reads from must not be closed under it.

    A `join` that is interrupted takes the thread for ended.
    """
    interrupted: KeyboardInterrupt | None = None
    while not ended.is_set():
        try:
            ended.wait()
        except KeyboardInterrupt as asked:
            interrupted = asked
    if interrupted is not None:
        raise interrupted
