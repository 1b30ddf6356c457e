"""The outbox: entries get their place in the chain under the lock of the head, in a transaction of the target."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from migrate.evidence.ports import Chains
from migrate.evidence.projection import stands_in
from migrate.ledger.evidence_tables import HEAD, OUTBOX
from migrate.ledger.store import table
from runbooks import Happening, Head, Origin, chain_head, entry_line, instant, line_hash

SIGNED = ("command", "genesis", "seal")
"""Kinds that the machine's key signs, and with them every entry before."""


def append(connection: sa.Connection, recorder: Chains, told: Happening, *, late: Origin | None = None) -> Head:
    """Give an entry its place and return it; whoever else appends waits until the transaction ends.

    The first entry of a target names the last head of the workspace's file, so that a target made anew goes on with the
    chain; so does an entry after a target that was set back to an earlier state.

    Args:
        late: where it came from, when it happened before and could not be chained then.
    """
    row = _locked(connection)
    head, last_at = Head(row.seq, row.hash, row.project), str(row.at)
    begun = _beginning(recorder, head)
    if begun is not None:
        head, last_at = _added(connection, recorder, *begun, last_at)
    return _added(connection, recorder, head, told, last_at, late=late)[0]


def knows(connection: sa.Connection, entry_id: str) -> bool:
    """Return whether an entry has its place already."""
    kept = table(connection, OUTBOX)
    return connection.scalar(sa.select(kept.c.seq).where(kept.c.entry_id == entry_id)) is not None


def _locked(connection: sa.Connection) -> sa.Row[int, str, str, str]:
    kept = table(connection, HEAD)
    statement = sa.select(kept.c.seq, kept.c.hash, kept.c.at, kept.c.project).where(kept.c.id == 1)
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update()
    return connection.execute(statement).one()


def _beginning(recorder: Chains, head: Head) -> tuple[Head, Happening] | None:
    """Return where the chain goes on and with which entry, when the outbox is not at the end of the file."""
    try:
        in_file = chain_head(recorder.file)
    except OSError:
        # A file that cannot be read stops no batch; `evidence verify` says what is wrong with it.
        in_file = Head()
    previous = {"seq": in_file.seq, "head": in_file.hash}
    if head.seq == 0:
        begun = Happening("genesis", {"previous": previous, "keys": recorder.keys()})
        # Of its own, since a workspace may get another name or namespace before it loads anything.
        project = in_file.project or f"{recorder.origin.where['workspace']}:{begun.id[:16]}"
        return Head(in_file.seq, in_file.hash, project), begun
    if in_file.seq > head.seq and stands_in(recorder.file, head):
        return in_file, Happening("set-back", {"to": {"seq": head.seq, "head": head.hash}, "previous": previous})
    return None


def _added(
    connection: sa.Connection,
    recorder: Chains,
    after: Head,
    told: Happening,
    last_at: str,
    *,
    late: Origin | None = None,
) -> tuple[Head, str]:
    at = instant(datetime.now(UTC))
    line = entry_line(
        after,
        replace(late or recorder.origin, project=after.project),
        told,
        at=at,
        late=told.at if late else None,
        clock=_behind(last_at, at) if at < last_at else None,
        signer=recorder.signer if told.kind in SIGNED else None,
    )
    head = Head(after.seq + 1, line_hash(line), after.project)
    kept, end = table(connection, OUTBOX), table(connection, HEAD)
    values = {"seq": head.seq, "entry_id": told.id, "kind": told.kind, "hash": head.hash, "line": line.decode()}
    connection.execute(sa.insert(kept).values(values))
    now = {"seq": head.seq, "hash": head.hash, "at": at, "project": head.project}
    connection.execute(sa.update(end).where(end.c.id == 1).values(now))
    return head, at


def _behind(last_at: str, at: str) -> int:
    return int((datetime.fromisoformat(last_at) - datetime.fromisoformat(at)).total_seconds())
