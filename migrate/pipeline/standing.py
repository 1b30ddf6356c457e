"""A relation that is byte for byte what it was when it was last read to its end: its rows stand as the id map has them.

Comparing a million rows with the id map takes a third of the time of their load; the digest of the file says the same
of all of them at once.  Whatever could make the answer another one for a single row is looked at first, and if there
is anything, the relation is read (promise 4).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from casemodel import OUTCOMES, Source, Tally
from mappings import CompiledMapping
from migrate.ledger.lock import hold_lock
from migrate.ledger.store import STANDING, UNDONE, now, table
from migrate.pipeline.batch_evidence import record_batch
from migrate.pipeline.change_filter import to_map_again
from migrate.pipeline.context import LoadContext
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.waits import SETTLED


@dataclass(frozen=True)
class Standing:
    """What is known of all rows of a relation without reading them.

    settled: outcome -> number of rows.
    source_rows: physical records behind them.
    """

    settled: dict[str, int]
    source_rows: int


def fingerprint(source: Source, mapping: CompiledMapping) -> str:
    """Return the fingerprint of the relation of a mapping and those that it looks beside into."""
    return _together([source.fingerprint(name) for name in relations_read(mapping)])


def form_of(source: Source, mapping: CompiledMapping) -> dict[str, list[list[str]]]:
    """Return name and type of every column of these relations."""
    return {
        name: [[column.name, column.declared_type] for column in source.relation(name).columns]
        for name in relations_read(mapping)
    }


def content_digest(source: Source, mapping: CompiledMapping) -> str | None:
    """Return a digest of all rows of these relations; None where the source has none."""
    digests = [source.content(name) for name in relations_read(mapping)]
    known = [digest for digest in digests if digest is not None]
    return _together(known) if len(known) == len(digests) else None


def relations_read(mapping: CompiledMapping) -> list[str]:
    """Return the relations that a mapping reads: its own, and those that are looked at beside it."""
    return list(dict.fromkeys([mapping.relation, *(side.relation for side in mapping.sides)]))


def _together(digests: list[str]) -> str:
    apart = dict.fromkeys(digests)
    return next(iter(apart)) if len(apart) == 1 else hashlib.sha256("\n".join(apart).encode()).hexdigest()


def standing(context: LoadContext, mapping: CompiledMapping, content: str | None) -> Standing | None:
    """Return how the rows of a mapping stand, or None when they must be read.

    They are read when the relation, the mapping or its code tables are not what they were, the last reading was not
    finished, a row has no key or shares it, could not be read, awaits something that moved, or is in a state in which
    every run tries it again.

    Args:
        content: `content_digest` of the mapping now.
    """
    if content is None:
        return None
    number = context.mapping_ids[mapping.name]
    with context.target.engine.connect() as connection:
        run = _last_reading(connection, context, mapping, content)
        if run is None:
            return None
        batch = table(connection, "batch")
        names = ("read", "source_rows", "key_missing", "key_beyond_first")
        sums = (sa.func.coalesce(sa.func.sum(batch.c[name]), 0) for name in names)
        books = sa.select(*sums).where(batch.c.run_id == run, batch.c.mapping_id == number)
        read, source_rows, missing, beyond = connection.execute(books).one()
        id_map = table(connection, "id_map")
        again = id_map.c.source_hash.is_(None)
        states = connection.execute(
            sa.select(id_map.c.state, again, sa.func.count())
            .where(id_map.c.mapping_id == number, id_map.c.state != "gone")
            .group_by(id_map.c.state, again)
        ).all()
    # The sum at the end finds all of these too, unless two of them make up for each other.
    if missing or beyond or any(state not in SETTLED or unknown for state, unknown, _ in states):
        return None
    if not to_map_again(context, number).is_empty():
        return None
    settled: dict[str, int] = {}
    for state, _, rows in states:
        settled[SETTLED[state]] = settled.get(SETTLED[state], 0) + int(rows)
    return Standing(settled, int(source_rows)) if sum(settled.values()) == read else None


def _last_reading(
    connection: sa.Connection, context: LoadContext, mapping: CompiledMapping, content: str
) -> int | None:
    """Return the last run that had to do with a mapping, if it read to its end what is there now."""
    progress = table(connection, "progress")
    last = connection.execute(
        sa.select(progress)
        .where(progress.c.mapping_id == context.mapping_ids[mapping.name], progress.c.run_id != context.run_id)
        .where(progress.c.state != UNDONE)
        .order_by(progress.c.run_id.desc())
        .limit(1)
    ).first()
    then = None if last is None else (last.full_read, last.content, last.file_digest, last.meaning)
    return int(last.run_id) if last is not None and then == (1, content, mapping.file_digest, mapping.meaning) else None


def count_standing(context: LoadContext, number: int, known: Standing) -> None:
    """Write the books of a relation that was not read and mark all of its keys as known, in one transaction."""
    counts = dict.fromkeys(OUTCOMES, 0) | known.settled
    tally = Tally(read=sum(known.settled.values()), **counts)
    with context.target.transaction() as connection:
        hold_lock(connection, context.epoch)
        batch, progress = table(connection, "batch"), table(connection, "progress")
        connection.execute(
            sa.insert(batch).values(
                run_id=context.run_id,
                mapping_id=number,
                phase=STANDING,
                seq=0,
                source_rows=known.source_rows,
                gone_kept=0,
                key_missing=0,
                key_beyond_first=0,
                counters="{}",
                committed_at=now(),
                **tally.as_dict(),
            )
        )
        mine = (progress.c.run_id == context.run_id, progress.c.mapping_id == number)
        connection.execute(sa.update(progress).where(*mine).values(state="read", full_read=1))
        books = {"source_rows": known.source_rows, **tally.as_dict()}
        record_batch(connection, context, number, STANDING, 0, books)
        failpoint("before-commit")
    failpoint("after-commit")
