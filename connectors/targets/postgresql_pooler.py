"""Whether a pooler stands between us and PostgreSQL that lends a connection for a transaction only.

Behind one, what a connection keeps between its transactions (settings, temporary tables, locks) belongs to whoever
comes next, and a lost answer to COMMIT cannot be looked up where it was given.
"""

from __future__ import annotations

import sqlalchemy as sa

from connectors.targets.postgresql_failures import postgresql_failure


def shares_a_connection(engine: sa.Engine) -> bool:
    """Return whether two connections that are open at once are served by one process of the server.

    Args:
        engine: of the server; the connections are made apart from its own.

    A server gives each its own; a pooler in transaction mode gives the second the one that the first has just left.
    Under load it may give another, so False is no promise; it is asked where a run begins and by `doctor`.

    Raises:
        SystemFailure: the server cannot be reached, or is lost meanwhile (exit 5).
    """
    apart = sa.create_engine(engine.url, poolclass=sa.NullPool, hide_parameters=True)
    try:
        with apart.connect() as one, apart.connect() as another:
            found = [_process(connection) for connection in (one, another, one)]
    except sa.exc.DBAPIError as error:
        failure = postgresql_failure(error.orig) if error.orig is not None else None
        if failure is None:
            raise
        raise failure from None
    return found[0] == found[1] or found[0] != found[2]


def _process(connection: sa.Connection) -> int:
    """Return the number of the server's process, asked in a transaction of its own."""
    found = connection.scalar(sa.select(sa.func.pg_backend_pid()))
    connection.rollback()
    return int(found or 0)
