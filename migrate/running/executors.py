"""Executors of worker processes: spawned here, or those of a Dask cluster (DESIGN.md, section 6)."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from casemodel import RefusedError, SystemFailure
from migrate.running.allocators import give_memory_back
from migrate.running.lean import leave_pandas_out

_CONNECT_SECONDS = 5
_ADDRESS = re.compile(r"(?:[a-z]+://)?(?:[\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}", re.ASCII)


@contextmanager
def spawned(workers: int) -> Iterator[tuple[Executor, int]]:
    """Give an executor of processes on this machine, and how many there are."""
    # Polars would take every core in each of them.
    threads = max(1, (os.cpu_count() or 1) // workers)
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        yield pool, workers
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before


def _begin() -> None:
    """Begin a worker: what `migrate.cli.main` does for the parent, and Ctrl-C is the parent's."""
    give_memory_back()
    leave_pandas_out()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def scheduled(address: str) -> Iterator[tuple[Executor, int]]:
    """Give the executor of a Dask cluster, and how many workers it has.

    Raises:
        RefusedError: RUN-032 the extra is not installed.
        SystemFailure: RUN-033 the scheduler does not answer, or has no workers.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import parse_address
        from distributed.comm.registry import get_backend
    except ImportError:
        raise RefusedError(
            "RUN-032",
            "the driver of Dask is not installed",
            hint="Install omnicase[dask], or leave --scheduler out.",
            place="--scheduler",
        ) from None
    try:
        # A client that fails before it has begun complains once more, with a traceback, when it is collected.
        if not _ADDRESS.fullmatch(address):
            raise ValueError(address)
        get_backend(parse_address(address)[0])
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError):
        raise _no_workers("the scheduler does not answer") from None
    try:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise _no_workers("the scheduler has no workers")
        yield client.get_executor(pure=False), workers
    finally:
        client.close()


def require_workers(address: str | None) -> None:
    """Refuse a scheduler that does not answer or has no workers before a run is opened; None is always there.

    Raises:
        RefusedError: RUN-032.
        SystemFailure: RUN-033.
    """
    if address is not None:
        with scheduled(address):
            pass


def _no_workers(cause: str) -> SystemFailure:
    return SystemFailure(
        "RUN-033",
        cause,
        hint="Start it with `dask scheduler` and `dask worker ADDRESS`; see docs/workers.md.",
        place="--scheduler",
    )
