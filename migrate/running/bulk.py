"""`run --bulk`: secondary indexes and links of empty tables are dropped for the load, rebuilt and validated after it.

What was dropped stands in the ledger, in the transaction that drops it, so that a run that is killed meanwhile, or any
run after it, completes what is missing.  Keys and unique values stay: conflicts are found by them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from casemodel import GuardError, SystemFailure, Target, UsageError, tables
from migrate.ledger.store import table
from migrate.pipeline.failpoint import failpoint

_FACT = "bulk"
_SORT_MEMORY = "256MB"


def missing_after_bulk(connection: sa.Connection) -> list[str]:
    """Return the tables of which indexes and links are still to be rebuilt."""
    meta = table(connection, "meta")
    kept = connection.scalar(sa.select(meta.c.value).where(meta.c.name == _FACT))
    return [] if kept is None else list(json.loads(kept))


@contextmanager
def bulk(target: Target, names: Iterable[str] | None) -> Iterator[None]:
    """Load with the indexes and links of tables dropped, or complete what a bulk load before this one left.

    Args:
        names: the tables to load in bulk; None: this run does not.

    Raises:
        GuardError: RUN-041 a table holds records by now, or a wave is live.
        SystemFailure: RUN-042 records break a link that is rebuilt.
    """
    if names is None:
        rebuild(target)
    else:
        _drop(target, sorted(set(names)))
    yield
    if names is not None:
        rebuild(target)


def require_bulk(target: Target, names: Iterable[str] | None) -> None:
    """Refuse, before a run is opened, a bulk load that cannot be, and any run that could not complete one before it.

    Raises:
        UsageError: RUN-040 the target is not PostgreSQL.
        GuardError: RUN-041 a table holds records already, or a wave is live; RUN-043 the role does not own the tables.
    """
    if names is not None and target.dialect != "postgresql":
        raise UsageError(
            "RUN-040",
            "--bulk is for PostgreSQL: SQLite cannot drop the links of a table",
            hint="Run without --bulk.",
            place="--bulk",
        )
    if target.dialect != "postgresql":
        return
    with target.engine.connect() as connection:
        before = missing_after_bulk(connection)
        touched = before or sorted(set(names or ()))
        foreign = not_owned(connection, touched)
        if foreign:
            what = "the indexes and links that a bulk load dropped" if before else "a bulk load"
            raise GuardError(
                "RUN-043",
                f"{what} need the owner of the tables, and the role does not own {len(foreign)} of them ({foreign[0]})",
                hint="Run as the role that did `omnicase db upgrade`, or without --bulk where nothing is dropped yet.",
                place="--bulk" if names is not None else "target.url",
            )
        if not before and names is not None:
            _refuse_in_use(connection, touched)


def not_owned(connection: sa.Connection, names: Iterable[str]) -> list[str]:
    """Return those of the tables whose indexes and links the role of a connection may not change."""
    owns = sa.text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(:name)")
    return [name for name in names if connection.scalar(owns, {"name": name}) is False]


def _refuse_in_use(connection: sa.Connection, names: Sequence[str]) -> None:
    full = [name for name in names if connection.scalar(sa.select(sa.exists(sa.select(tables[name].c.id))))]
    wave = table(connection, "wave")
    live = connection.scalars(sa.select(wave.c.name).where(wave.c.state == "live")).all()
    if full or live:
        what = f"{len(full)} of the tables hold records already" if full else "a wave is live"
        named = ", ".join((full or live)[:3])
        raise GuardError("RUN-041", f"{what} ({named})", hint="Run without --bulk.", place="--bulk")


def _drop(target: Target, names: Sequence[str]) -> None:
    with target.transaction() as connection:
        if missing_after_bulk(connection):
            return  # This run goes on after it was interrupted; what is dropped stays so until its end.
        _refuse_in_use(connection, names)
        for name in names:
            for link in tables[name].foreign_key_constraints:
                connection.execute(sa.schema.DropConstraint(link, if_exists=True))
            for index in _secondary(tables[name]):
                connection.execute(sa.schema.DropIndex(index, if_exists=True))
        connection.execute(sa.insert(table(connection, "meta")).values(name=_FACT, value=json.dumps(list(names))))


def rebuild(target: Target) -> None:
    """Make the indexes and links that a bulk load dropped, checking every record; a table at a time.

    Raises:
        SystemFailure: RUN-042 records break a link.
    """
    with target.engine.connect() as connection:
        names = missing_after_bulk(connection)
    for position, name in enumerate(names):
        failpoint("before-rebuild")
        with target.transaction() as connection:
            _rebuild(connection, tables[name])
            meta = table(connection, "meta")
            left = names[position + 1 :]
            mine = meta.c.name == _FACT
            if left:
                connection.execute(sa.update(meta).where(mine).values(value=json.dumps(left)))
            else:
                connection.execute(sa.delete(meta).where(mine))


def _rebuild(connection: sa.Connection, made: sa.Table) -> None:
    connection.execute(sa.select(sa.func.set_config("maintenance_work_mem", _SORT_MEMORY, True)))
    there = {index["name"] for index in sa.inspect(connection).get_indexes(made.name)}
    for index in _secondary(made):
        if index.name not in there:
            connection.execute(sa.schema.CreateIndex(index))
    kept = {link["name"] for link in sa.inspect(connection).get_foreign_keys(made.name)}
    for link in made.foreign_key_constraints:
        if link.name not in kept:
            try:
                connection.execute(sa.schema.AddConstraint(link))
            except sa.exc.IntegrityError:
                raise SystemFailure(
                    "RUN-042",
                    f"records of {made.name} break the link {link.name}: what they link to is not there",
                    hint="Somebody wrote to the target during the bulk load. Mend those records and run again.",
                    place=made.name,
                ) from None


def _secondary(made: sa.Table) -> list[sa.Index]:
    return sorted((index for index in made.indexes if not index.unique), key=lambda index: str(index.name))
