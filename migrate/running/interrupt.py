"""SIGINT and SIGTERM, heard by a thread of their own: a driver at work replaces the handler of SIGINT and loses it.

During a load the first signal waits for the end of the batch; a second one, or one at another time, interrupts at once.
Impatient people send many: none may end the program in another way than the first did.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_HEARD = (signal.SIGINT, signal.SIGTERM)
_WAKE, _OVER = signal.SIGUSR1, signal.SIGUSR2
_patient, _asked, _struck = threading.Event(), threading.Event(), threading.Event()


@contextmanager
def heard() -> Iterator[None]:
    """Turn both signals into one KeyboardInterrupt in the main thread while it lasts; elsewhere nothing changes.

    A second one would strike what the first one lets end well.
    Threads that start meanwhile inherit that the signals are blocked, so that the kernel hands them to our thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(_WAKE, _interrupt)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (*_HEARD, _OVER))
    listener = threading.Thread(target=_listen, args=(threading.get_ident(),), name="omnicase-signals", daemon=True)
    _struck.clear()
    try:
        listener.start()
        yield
    finally:
        struck, deaf = False, False
        while not deaf:
            try:
                signal.signal(_WAKE, signal.SIG_IGN)
                deaf = True
            except KeyboardInterrupt:
                struck = True
        signal.pthread_kill(listener.ident or 0, _OVER)
        listener.join()
        # What comes too late would interrupt whatever is done next.
        while signal.sigtimedwait(_HEARD, 0) is not None:
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(_WAKE, handler)
        if struck:
            raise KeyboardInterrupt


def only_while_heard() -> None:
    """Hear no signal of this process but while `heard` lasts: one before waits for it, one after its end is late."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)


@contextmanager
def patient() -> Iterator[None]:
    """Let the first signal wait for `stop_here` while it lasts."""
    _asked.clear()
    _patient.set()
    try:
        yield
    finally:
        _patient.clear()


def stop_here() -> None:
    """Stop between two batches when a signal asked for it.

    Raises:
        KeyboardInterrupt: it did.
    """
    if _asked.is_set():
        raise KeyboardInterrupt


def _listen(main: int) -> None:
    while True:
        number = signal.sigwait((*_HEARD, _OVER))
        if number == _OVER:
            return
        if _patient.is_set() and not _asked.is_set():
            _asked.set()
            print("Stopping after this batch; once more stops at once.", file=sys.stderr)
        else:
            signal.pthread_kill(main, _WAKE)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    if not _struck.is_set():
        _struck.set()
        raise KeyboardInterrupt
