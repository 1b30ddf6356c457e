"""A pooler between the program and PostgreSQL, as PgBouncer is with ``pool_mode = transaction`` (R39).

All its clients share one connection to the server, each for as long as a transaction of it lasts.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

_NO_THANKS = (80877103, 80877104)
"""Requests for TLS and for GSSAPI encryption."""


@dataclass
class Pooler:
    """One connection to the server, lent to whoever begins a transaction."""

    server: sa.URL
    transactions: int = 0
    _greeting: bytes = b""
    _lent: asyncio.Lock = field(default_factory=asyncio.Lock)
    _borrower: asyncio.StreamWriter | None = None
    _up: asyncio.StreamWriter | None = None
    _task: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Connect to the server, and keep what it greets with for every client."""
        found, self._up = await asyncio.open_unix_connection(
            f"{self.server.query['host']}/.s.PGSQL.{self.server.port or 5432}"
        )
        words = f"user\0{self.server.username}\0database\0{self.server.database}\0\0".encode()
        self._up.write(struct.pack("!II", len(words) + 8, 196608) + words)
        while not self._greeting.endswith(b"Z\0\0\0\5I"):
            self._greeting += await found.read(8192)
        self._task = asyncio.create_task(self._answers(found))

    def close(self) -> None:
        """Leave the server."""
        if self._task is not None:
            self._task.cancel()
        if self._up is not None:
            self._up.close()

    async def _answers(self, found: asyncio.StreamReader) -> None:
        """Pass the server's messages on to who borrows the connection; it is given back when no transaction is open."""
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await found.readexactly(5)
                body = await found.readexactly(struct.unpack("!I", head[1:])[0] - 4)
                if self._borrower is not None:
                    self._borrower.write(head + body)
                if head[:1] == b"Z" and body == b"I":
                    self._borrower = None
                    self.transactions += 1
                    self._lent.release()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it leaves."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack("!I", await reader.readexactly(4))
                start = await reader.readexactly(size - 4)
                if struct.unpack("!I", start[:4])[0] not in _NO_THANKS:
                    break
                writer.write(b"N")
            writer.write(self._greeting)
            while (head := await reader.readexactly(5))[:1] != b"X":
                body = await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
                if self._borrower is not writer:
                    await self._lent.acquire()
                    self._borrower = writer
                assert self._up is not None
                self._up.write(head + body)
                await self._up.drain()
        writer.close()


@contextmanager
def pooler(url: str, folder: Path) -> Iterator[tuple[Pooler, str]]:
    """Have a pooler while it lasts: itself, and the URL of the same database through it."""
    server = sa.make_url(url)
    folder.mkdir(exist_ok=True)
    standing, through = Pooler(server), server.set(host=None, port=None, query={"host": str(folder)})
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        await standing.connect()
        async with await asyncio.start_unix_server(standing.connected, folder / ".s.PGSQL.5432"):
            ready.set()
            await stop.wait()
        standing.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield standing, through.render_as_string(hide_password=False)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
