"""The call by which a transaction tells of itself; it does nothing where nobody records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from migrate.evidence.ports import Records

_recorders: list[Records] = []


@contextmanager
def recording(recorder: Records) -> Iterator[None]:
    """Let what commits within the block record itself."""
    _recorders.append(recorder)
    try:
        yield
    finally:
        _recorders.pop()


def record(connection: sa.Connection, kind: str, what: Mapping[str, Any]) -> None:
    """Add an entry to the evidence in the transaction of what it tells of; nothing where nobody records.

    Args:
        connection: to the target, within the transaction; call it last, since it holds the head of the chain locked.
        kind: ``run``, ``batch``, ``verdict``, ``wave`` …
        what: texts, whole numbers, truths, lists and objects; no personal value.
    """
    if _recorders:
        _recorders[-1].add(connection, kind, what)


def tell(kind: str, what: Mapping[str, Any]) -> None:
    """Let an entry be added at the end of the invocation, of what no transaction of the target tells of."""
    if _recorders:
        _recorders[-1].add_later(kind, what)
