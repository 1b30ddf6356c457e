"""The ledger's own records: numbers of mappings, facts, and how far a run is."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casemodel import GuardError, Secrets
from migrate import __version__
from migrate.ledger.tables import ledger_table

STANDING = "standing"
"""Phase of the one batch of a mapping whose rows were counted as they stand, without being read."""
UNDONE = "undone"
"""State of how far a run was with a mapping, once the run was rolled back: nothing goes on from there."""


def now() -> str:
    """Return the moment as the ledger writes it: UTC, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def doer() -> dict[str, str]:
    """Return when and who, for a row of what people did (`Builder.deed`)."""
    return {"at": now(), "os_user": getpass.getuser(), "host": socket.gethostname(), "program": __version__}


def table(connection: sa.Connection, name: str) -> sa.Table:
    """Return a ledger table for the connection's dialect."""
    return ledger_table(connection.dialect.name, name)


def upsert(connection: sa.Connection, kept: sa.Table, names: Sequence[str], select: sa.Select[Any]) -> None:
    """Insert rows into a ledger table; a row of the same primary key is replaced, whole.

    Args:
        names: the columns that the select returns; the others become NULL.
    """
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    # SQLite reads ON CONFLICT behind a SELECT without WHERE as the condition of a join.
    rows = select.where(sa.text("1 = 1"))
    insert = dialect.insert(kept).from_select(list(names), rows)
    key = [column.name for column in kept.primary_key]
    others = {column.name: insert.excluded[column.name] for column in kept.columns if column.name not in key}
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=others))


def check_namespace(connection: sa.Connection, secrets: Secrets) -> None:
    """Keep the fingerprint of the namespace, or refuse another one (promise 3).

    Raises:
        GuardError: LED-001.
    """
    meta = table(connection, "meta")
    kept = connection.scalar(sa.select(meta.c.value).where(meta.c.name == "namespace"))
    if kept is None:
        connection.execute(sa.insert(meta).values(name="namespace", value=secrets.fingerprint))
    elif kept != secrets.fingerprint:
        raise GuardError(
            "LED-001",
            "the target was loaded with another namespace, so every record would be made a second time",
            hint="Restore the namespace of this workspace from its backup, or load into an empty target.",
            place="namespace",
        )


def mapping_ids(connection: sa.Connection, mappings: Iterable[tuple[str, str, str, str]]) -> dict[str, int]:
    """Return the number of each mapping, giving new ones a number and noting the meaning.

    Args:
        mappings: name, name in the target ids, target and meaning of each.
    """
    known = table(connection, "mapping")
    numbers: dict[str, int] = {row[0]: int(row[1]) for row in connection.execute(sa.select(known.c.name, known.c.id))}
    for name, id_name, target, meaning in mappings:
        if name in numbers:
            connection.execute(
                sa.update(known).where(known.c.id == numbers[name], known.c.meaning != meaning).values(meaning=meaning)
            )
        else:
            values = {"name": name, "id_name": id_name, "target": target, "meaning": meaning}
            inserted = connection.execute(sa.insert(known).values(**values))
            numbers[name] = new_id(inserted)
    return numbers


def column_set_id(connection: sa.Connection, columns: Iterable[str]) -> int:
    """Return the number of a list of target columns."""
    known = table(connection, "column_set")
    text = json.dumps(list(columns), separators=(",", ":"))
    found = connection.scalar(sa.select(known.c.id).where(known.c.columns == text))
    if found is not None:
        return int(found)
    return new_id(connection.execute(sa.insert(known).values(columns=text)))


def new_id(result: sa.CursorResult[Any]) -> int:
    """Return the number that a new row got."""
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def fully_read(connection: sa.Connection) -> set[str]:
    """Return the mappings whose relation was read in full by a run that is in the ledger."""
    progress, mapping = table(connection, "progress"), table(connection, "mapping")
    rows = connection.execute(
        sa.select(mapping.c.name)
        .distinct()
        .join(progress, progress.c.mapping_id == mapping.c.id)
        .where(progress.c.full_read == 1)
    )
    return {row.name for row in rows}
