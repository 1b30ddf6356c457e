"""Whether a pooler stands between us and PostgreSQL that lends a connection for a transaction only.

Behind one, what a connection keeps between its transactions (settings, temporary tables, locks) belongs to whoever
comes next, and a lost answer to COMMIT cannot be looked up where it was given.
"""

from __future__ import annotations

import sqlalchemy as sa


def shares_a_connection(engine: sa.Engine) -> bool:
    """Return whether two connections that are open at once are served by one process of the server.

    Args:
        engine: of the server; the connections are made apart from its own.

    A server gives each its own; a pooler in transaction mode gives the second the one that the first has just left.
    Under load it may give another, so False is no promise; it is asked where a run begins and by `doctor`.
    """
    asked = sa.select(sa.func.pg_backend_pid())
    apart = sa.create_engine(engine.url, poolclass=sa.NullPool, hide_parameters=True)
    with apart.connect() as one, apart.connect() as another:
        found = []
        for connection in (one, another, one):
            found.append(connection.scalar(asked))
            connection.rollback()
    return found[0] == found[1] or found[0] != found[2]
