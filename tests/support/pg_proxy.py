"""A proxy between the program and PostgreSQL that cuts connections, or forwards COMMIT and drops its answer (R12)."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""The message of a simple query that says COMMIT."""


@dataclass
class Proxy:
    """What one proxy does to the connections through it.

    Args:
        server: URL of the server.
        cut_after: how many bytes the next connection lives, both ways together; None for no cut.
        drop_answer: of each COMMIT, whether its answer is dropped and the connection cut.
        hold: seconds that each answer of the server takes longer.
    """

    server: sa.URL
    cut_after: Callable[[], int | None] = field(default=lambda: None)
    drop_answer: Callable[[], bool] = field(default=lambda: False)
    cuts: int = 0
    dropped: int = 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until an end closes it, or it is cut."""
        host = str(self.server.query.get("host") or self.server.host or "localhost")
        port = self.server.port or 5432
        if host.startswith("/"):
            up, down = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            up, down = await asyncio.open_connection(host, port)
        left, lost = [self.cut_after()], asyncio.Event()

        async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, from_client: bool) -> None:
            while data := await source.read(8192):
                if lost.is_set():
                    self.dropped += 1    # this is the answer to COMMIT
                    return
                if from_client and data.endswith(_COMMIT) and self.drop_answer():
                    lost.set()
                if left[0] is not None:
                    if len(data) >= left[0]:
                        self.cuts += 1
                        return
                    left[0] -= len(data)
                sink.write(data)
                await sink.drain()

        ways = [asyncio.create_task(pass_on(reader, down, from_client=True)),
                asyncio.create_task(pass_on(up, writer, from_client=False))]
        self._open.update(ways)
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, down):
                with suppress(OSError):
                    end.transport.abort()


@contextmanager
def proxy(url: str, folder: Path, **doing: Callable[[], int | None] | Callable[[], bool]) -> Iterator[tuple[Proxy, str]]:
    """Have a proxy while it lasts: what it does, and the URL of the same database through it."""
    server = sa.make_url(url)
    folder.mkdir(exist_ok=True)
    standing, through = Proxy(server, **doing), server.set(host=None, port=None, query={"host": str(folder)})    # type: ignore[arg-type]
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        listening = await asyncio.start_unix_server(standing.connected, folder / ".s.PGSQL.5432")
        ready.set()
        async with listening:
            await listening.serve_forever()

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(serving)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    serving = loop.create_task(serve())
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield standing, through.render_as_string(hide_password=False)
    finally:
        loop.call_soon_threadsafe(serving.cancel)
        thread.join(10)


def some(seed: int, low: int, high: int) -> Callable[[], int]:
    """Return what gives seeded numbers between two."""
    chance = random.Random(seed)
    return lambda: chance.randint(low, high)
