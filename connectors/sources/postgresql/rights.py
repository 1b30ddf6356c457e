"""What the role of a PostgreSQL source may do besides reading, and how well its connection is protected."""

from __future__ import annotations

import ipaddress
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from casemodel import GuardError, Rights
from connectors.sources.postgresql.link import Link

_MOST_NAMES = 5

_ROLE = """
SELECT current_user, rolsuper, rolcreaterole OR rolcreatedb, rolreplication,
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
  pg_catalog.has_schema_privilege(%s, 'CREATE'), pg_catalog.current_setting('server_version')
FROM pg_catalog.pg_roles WHERE rolname = current_user
"""
_RELATIONS = """
SELECT c.relname, pg_catalog.pg_has_role(c.relowner, 'USAGE'),
  pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
  OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1
"""


def rights_of(link: Link) -> Rights:
    """Return what the role of a connection may do that a reader need not."""
    schema = link.access.schema
    role, superuser, roles, replication, create, create_in, version = link.rows(_ROLE, [schema])[0]
    found = link.rows(_RELATIONS, [schema])
    excess = []
    if superuser:
        excess.append("it is a superuser")
    if roles and not superuser:
        excess.append("it may make roles or databases")
    if replication and not superuser:
        excess.append("it may replicate")
    if create or create_in:
        excess.append("it may make tables")
    excess += _named("it owns", [name for name, owns, _ in found if owns])
    excess += _named("it may write to", [name for name, _, writes in found if writes])
    return Rights(f"PostgreSQL {version}", role, tuple(excess), unprotected(link.access.url))


def _named(what: str, names: list[str]) -> list[str]:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return [f"{what} {', '.join(names[:_MOST_NAMES])}{more}"] if names else []


def protected(url: str, place: str) -> str:
    """Return the URL with ``sslmode=verify-full`` where it names none; sockets and loopback need none.

    Raises:
        GuardError: CON-069 it names a weaker one.
    """
    given: dict[str, Any] = dict(conninfo_to_dict(url))
    if _is_near(given):
        return url
    if given.get("sslmode", "verify-full") != "verify-full":
        raise GuardError(
            "CON-069",
            "in production the connection to a database is refused unless its certificate is verified",
            hint="Write sslmode=verify-full in the URL, and sslrootcert=… where the authority is your own.",
            place=place,
        )
    return make_conninfo(url, sslmode="verify-full")


def unprotected(url: str) -> str:
    """Return what is wrong with how a connection is protected; empty when nothing is."""
    given: dict[str, Any] = dict(conninfo_to_dict(url))
    mode = str(given.get("sslmode") or "prefer")
    return "" if _is_near(given) or mode == "verify-full" else f"sslmode is {mode}"


def _is_near(given: dict[str, Any]) -> bool:
    """Tell whether a connection stays on this machine."""
    hosts = str(given.get("hostaddr") or given.get("host") or "").split(",")
    return all(not host or host.startswith(("/", "@")) or host == "localhost" or _loops(host) for host in hosts)


def _loops(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
