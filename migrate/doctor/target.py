"""Questions about the target: is it there, up to date, private; on PostgreSQL also durable, and what its role may."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from casemodel import tables
from connectors import shares_a_connection
from migrate.doctor.diagnosis import Diagnosis, failed, finding, passed
from migrate.ledger.tables import ledger_metadata
from migrate.running.bulk import missing_after_bulk, not_owned
from migrate.target.database import current, heads, target_engine
from migrate.workspace import Workspace

LEAST_POSTGRESQL = 130000
"""Server version number: older ones are no longer maintained."""
_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITES = ("SELECT", "INSERT", "UPDATE", "DELETE")


def examine_target(workspace: Workspace) -> Iterator[Diagnosis]:
    """Answer every question about the target of a workspace."""
    engine = target_engine(workspace.target_url)
    url = engine.url
    file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    if file is not None and not os.access(file if file.exists() else file.parent, os.W_OK):
        yield failed("target", "DOC-021", "the target cannot be written",
                     "Correct target.url, or give yourself the right to write there.", str(file))
        return
    found = current(engine)
    behind = [name for name, head in heads().items() if found[name] != head]
    if behind:
        yield finding("target", "DOC-022", f"the tables of {' and '.join(behind)} are not there or not up to date",
                      "Run `omnicase db upgrade`.", "target.url")
    elif file is not None and file.exists() and stat.S_IMODE(file.stat().st_mode) & _BY_OTHERS:
        yield finding("target", "DOC-023", "the target can be read by others", f"chmod go-rwx {file.name}", str(file))
    else:
        yield passed("target", f"{url.get_backend_name()}, up to date", "target.url")
    if file is None and shares_a_connection(engine):
        yield failed("target server", "DOC-029", "a pooler lends connections to it for one transaction at a time",
                     "Connect to the server itself, or to a pool with pool_mode = session.", "target.url")
    elif file is None:
        with engine.connect() as connection:
            yield from _server(connection)
            yield from _role(connection, upgraded=not behind)


def _server(connection: sa.Connection) -> Iterator[Diagnosis]:
    """Ask whether the server keeps what is committed, and can hold every text."""
    durable = ("fsync", "full_page_writes", "synchronous_commit")
    names = ("server_version_num", "server_version", "server_encoding", *durable)
    found = {name: str(connection.scalar(sa.select(sa.func.current_setting(name)))) for name in names}
    unsafe = [name for name in durable if found[name] in ("off", "local")]
    if int(found["server_version_num"]) < LEAST_POSTGRESQL:
        yield failed("target server", "DOC-024", f"PostgreSQL {found['server_version']} is too old",
                     f"Use PostgreSQL {LEAST_POSTGRESQL // 10000} or later.", "target.url")
    elif found["server_encoding"] != "UTF8":
        yield failed("target server", "DOC-025", f"its encoding is {found['server_encoding']}, not UTF8",
                     "Make the database with ENCODING 'UTF8'.", "target.url")
    elif unsafe:
        yield finding("target server", "DOC-026", f"a committed batch may be lost: {', '.join(unsafe)} is off",
                      "Switch it on before a load that counts.", "target.url")
    else:
        yield passed("target server", f"PostgreSQL {found['server_version']}, durable", "target.url")


def _role(connection: sa.Connection, *, upgraded: bool) -> Iterator[Diagnosis]:
    """Ask whether the role may do what a run needs, and not everything."""
    role, all_powers = connection.execute(
        sa.text("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user")
    ).one()
    lacking = sorted(_lacking(connection)) if upgraded else []
    if lacking:
        yield failed("target rights", "DOC-027", f"the role {role} lacks {len(lacking)} rights, one is {lacking[0]}",
                     "Give it the rights of a loader; docs/engineer.md has the SQL.", "target.url")
    elif all_powers:
        yield finding("target rights", "DOC-028", f"the role {role} is a superuser",
                      "Load with a role that may only write the tables; docs/engineer.md has the SQL.", "target.url")
    else:
        alien = upgraded and not_owned(connection, tables)
        not_bulk = "; `run --bulk` needs a role that owns the tables" if alien else ""
        may = f"the role {role} may write the tables, and is no superuser{not_bulk}"
        yield passed("target rights", may, "target.url")
    dropped = missing_after_bulk(connection) if upgraded and not lacking else []
    if dropped:
        who = "the owner of the tables" if not_owned(connection, dropped) else "the next run"
        yield finding("target indexes", "DOC-033", f"a bulk load left {len(dropped)} tables without indexes and links",
                      f"They are completed by `omnicase run` as {who}.", "target.url")


def _lacking(connection: sa.Connection) -> Iterator[str]:
    ledger = ledger_metadata("postgresql").sorted_tables
    names = [*tables, *(f"{each.schema}.{each.name}" for each in ledger)]
    for name in names:
        for right in _WRITES:
            may = sa.func.has_table_privilege(name, right)
            if not connection.scalar(sa.select(may)):
                yield f"{right} on {name}"
    schema = ledger[0].schema
    numbers = sa.text(
        "SELECT s.oid::regclass::text FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace"
        " WHERE n.nspname = :schema"
        " AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') ELSE FALSE END"
    )
    for name in connection.scalars(numbers, {"schema": schema}):
        yield f"USAGE on {name}"
    # What is compared with records is staged there.
    if not connection.scalar(sa.select(sa.func.has_database_privilege(sa.func.current_database(), "TEMPORARY"))):
        yield "TEMPORARY on the database"
